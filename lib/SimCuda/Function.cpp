// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a kernel needs and how it may be launched, as attributes.

#include "Driver.h"
#include "Occupancy.h"

using namespace fovea::simcuda;

static int attributeOf(const Function &function, int attribute) {
  const fovea::sim::KernelInfo &info = function.info;
  auto set = function.attributes.find(attribute);
  switch (attribute) {
  case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
    return static_cast<int>(info.maxThreads);
  case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES:
    return static_cast<int>(info.staticSharedBytes);
  case CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES:
    return static_cast<int>(info.localBytes);
  case CU_FUNC_ATTRIBUTE_NUM_REGS:
    return registersOf(function);
  case CU_FUNC_ATTRIBUTE_PTX_VERSION:
    return function.module->ptxVersion;
  case CU_FUNC_ATTRIBUTE_BINARY_VERSION:
    return function.module->target.number();
  case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
    return static_cast<int>(function.maxDynamicShared());
  case CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
    return set == function.attributes.end() ? -1 : set->second;
  default:
    return set == function.attributes.end() ? 0 : set->second;
  }
}

static bool canBeSet(int attribute) {
  return attribute >= CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES &&
         attribute <= CU_FUNC_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE;
}

static void setAttribute(Function &function, int attribute, int value) {
  require(canBeSet(attribute), "an attribute that can be set");
  if (attribute == CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) {
    int64_t most = maxSharedOf(function) -
                   static_cast<int64_t>(function.info.staticSharedBytes);
    if (value < 0 || value > most)
      throw Failure(CUDA_ERROR_INVALID_VALUE,
                    "expected at most " + std::to_string(most) +
                        " bytes of dynamic shared memory, found " +
                        std::to_string(value));
  }
  function.attributes[attribute] = value;
}

SIMCUDA_API CUresult cuFuncGetAttribute(int *value, int attribute,
                                        CUfunction function) {
  return call(Needs::Init, [&](Driver &driver) {
    require(value && attribute >= 0 && attribute <= 15,
            "a pointer and an attribute that exists");
    *value = attributeOf(driver.function(function), attribute);
  });
}
SIMCUDA_API CUresult cuFuncSetAttribute(CUfunction function, int attribute,
                                        int value) {
  return call(Needs::Init, [&](Driver &driver) {
    setAttribute(driver.function(function), attribute, value);
  });
}

SIMCUDA_API CUresult cuKernelGetAttribute(int *value, int attribute,
                                          CUkernel kernel, CUdevice) {
  return cuFuncGetAttribute(value, attribute, kernel);
}
SIMCUDA_API CUresult cuKernelSetAttribute(int attribute, int value,
                                          CUkernel kernel, CUdevice) {
  return cuFuncSetAttribute(kernel, attribute, value);
}

static CUresult getName(const char **name, CUfunction function) {
  return call(Needs::Init, [&](Driver &driver) {
    require(name, "a pointer");
    *name = driver.function(function).name.c_str();
  });
}
SIMCUDA_API CUresult cuFuncGetName(const char **name, CUfunction function) {
  return getName(name, function);
}
SIMCUDA_API CUresult cuKernelGetName(const char **name, CUkernel kernel) {
  return getName(name, kernel);
}

SIMCUDA_API CUresult cuFuncGetModule(CUmodule *module, CUfunction function) {
  return call(Needs::Init, [&](Driver &driver) {
    require(module, "a pointer");
    *module = driver.function(function).module;
  });
}

SIMCUDA_API CUresult cuFuncGetParamInfo(CUfunction function, size_t index,
                                        size_t *offset, size_t *size) {
  return call(Needs::Init, [&](Driver &driver) {
    const fovea::sim::KernelInfo &info = driver.function(function).info;
    require(offset && index < info.paramOffsets.size(),
            "a pointer and a parameter that exists");
    *offset = info.paramOffsets[index];
    if (size)
      *size = info.paramSizes[index];
  });
}
SIMCUDA_API CUresult cuKernelGetParamInfo(CUkernel kernel, size_t index,
                                          size_t *offset, size_t *size) {
  return cuFuncGetParamInfo(kernel, index, offset, size);
}

// Preferences between caches change no result.
SIMCUDA_API CUresult cuFuncSetCacheConfig(CUfunction function, int) {
  return call(Needs::Init, [&](Driver &driver) { driver.function(function); });
}
SIMCUDA_API CUresult cuFuncSetSharedMemConfig(CUfunction function, int) {
  return call(Needs::Init, [&](Driver &driver) { driver.function(function); });
}
