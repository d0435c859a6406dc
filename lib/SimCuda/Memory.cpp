// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Allocation. A device address is an address of this process, so memory that
// host and device share (pinned, mapped, managed) is an allocation like any
// other; as host stores cannot be seen, it counts as initialised from the
// start.

#include "Driver.h"

using namespace fovea::simcuda;

static CUdeviceptr allocate(Driver &driver, size_t bytes, const char *kind,
                            bool shared = false) {
  require(bytes > 0, "at least one byte");
  auto total = static_cast<size_t>(factsOf(deviceArchitecture()).memoryBytes);
  if (bytes > total - std::min(total, driver.device().allocatedBytes()))
    throw Failure(CUDA_ERROR_OUT_OF_MEMORY,
                  "expected at most the free memory, found " +
                      std::to_string(bytes) + " bytes");
  static uint64_t count = 0;
  // What findings call it: programs have no names for memory.
  std::string name = std::string(kind) + " number " + std::to_string(++count);
  CUdeviceptr address = as(CUDA_ERROR_OUT_OF_MEMORY, [&] {
    return driver.device().allocate(bytes, name);
  });
  driver.current().memory.insert(address);
  if (shared)
    driver.device().fill(address, 0, bytes);
  return address;
}

static void release(Driver &driver, CUdeviceptr address) {
  if (address == 0)
    return;
  auto owns = [&](Context &context) {
    return context.memory.erase(address) > 0;
  };
  bool found = owns(driver.primary);
  for (auto &[handle, context] : driver.contexts)
    found = found || owns(*context);
  require(found, "the start of an allocation");
  driver.device().free(address);
}

//===----------------------------------------------------------------------===//
// Device memory
//===----------------------------------------------------------------------===//

SIMCUDA_API CUresult cuMemGetInfo_v2(size_t *free, size_t *total) {
  return call(Needs::Context, [&](Driver &driver) {
    require(free && total, "two pointers");
    *total = static_cast<size_t>(factsOf(deviceArchitecture()).memoryBytes);
    *free = *total - std::min(*total, driver.device().allocatedBytes());
  });
}

SIMCUDA_API CUresult cuMemAlloc_v2(CUdeviceptr *address, size_t bytes) {
  return call(Needs::Context, [&](Driver &driver) {
    require(address, "a pointer");
    *address = allocate(driver, bytes, "cuMemAlloc");
  });
}

SIMCUDA_API CUresult cuMemAllocPitch_v2(CUdeviceptr *address, size_t *pitch,
                                        size_t width, size_t height,
                                        unsigned elementSize) {
  return call(Needs::Context, [&](Driver &driver) {
    require(address && pitch, "two pointers");
    require(elementSize == 4 || elementSize == 8 || elementSize == 16,
            "elements of 4, 8 or 16 bytes");
    *pitch = (width + 511) / 512 * 512;
    *address = allocate(driver, *pitch * height, "cuMemAllocPitch");
  });
}

SIMCUDA_API CUresult cuMemAllocAsync(CUdeviceptr *address, size_t bytes,
                                     CUstream stream) {
  return call(Needs::Context, [&](Driver &driver) {
    driver.stream(stream);
    require(address, "a pointer");
    *address = allocate(driver, bytes, "cuMemAllocAsync");
  });
}

SIMCUDA_API CUresult cuMemAllocManaged(CUdeviceptr *address, size_t bytes,
                                       unsigned) {
  return call(Needs::Context, [&](Driver &driver) {
    require(address, "a pointer");
    *address = allocate(driver, bytes, "cuMemAllocManaged", true);
  });
}

SIMCUDA_API CUresult cuMemFree_v2(CUdeviceptr address) {
  return call(Needs::Context,
              [&](Driver &driver) { release(driver, address); });
}
SIMCUDA_API CUresult cuMemFreeAsync(CUdeviceptr address, CUstream stream) {
  return call(Needs::Context, [&](Driver &driver) {
    driver.stream(stream);
    release(driver, address);
  });
}

SIMCUDA_API CUresult cuMemGetAddressRange_v2(CUdeviceptr *base, size_t *bytes,
                                             CUdeviceptr address) {
  return call(Needs::Context, [&](Driver &driver) {
    uint64_t start = 0;
    size_t size = 0;
    require(driver.device().findAllocation(address, start, size),
            "an address inside an allocation", CUDA_ERROR_NOT_FOUND);
    if (base)
      *base = start;
    if (bytes)
      *bytes = size;
  });
}

//===----------------------------------------------------------------------===//
// Host memory
//===----------------------------------------------------------------------===//

static CUresult allocateHost(void **pointer, size_t bytes) {
  return call(Needs::Context, [&](Driver &driver) {
    require(pointer, "a pointer");
    *pointer = toHost(allocate(driver, bytes, "pinned host memory", true));
  });
}
SIMCUDA_API CUresult cuMemAllocHost_v2(void **pointer, size_t bytes) {
  return allocateHost(pointer, bytes);
}
SIMCUDA_API CUresult cuMemHostAlloc(void **pointer, size_t bytes, unsigned) {
  return allocateHost(pointer, bytes);
}
SIMCUDA_API CUresult cuMemFreeHost(void *pointer) {
  return call(Needs::Context,
              [&](Driver &driver) { release(driver, toDevice(pointer)); });
}

SIMCUDA_API CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr *address,
                                                  void *pointer, unsigned) {
  return call(Needs::Context, [&](Driver &driver) {
    uint64_t start = 0;
    size_t size = 0;
    require(address &&
                driver.device().findAllocation(toDevice(pointer), start, size),
            "a pointer into pinned memory");
    *address = toDevice(pointer);
  });
}

SIMCUDA_API CUresult cuMemHostGetFlags(unsigned *flags, void *pointer) {
  return call(Needs::Context, [&](Driver &driver) {
    uint64_t start = 0;
    size_t size = 0;
    require(flags &&
                driver.device().findAllocation(toDevice(pointer), start, size),
            "a pointer into pinned memory");
    *flags = 2; // CU_MEMHOSTALLOC_DEVICEMAP
  });
}

/// Pinning the program's own memory changes nothing for copies, but kernels
/// cannot be given it.
SIMCUDA_API CUresult cuMemHostRegister_v2(void *, size_t, unsigned flags) {
  return call(Needs::Context, [&](Driver &) {
    require((flags & CU_MEMHOSTREGISTER_DEVICEMAP) == 0,
            "memory that is not mapped into the device",
            CUDA_ERROR_NOT_SUPPORTED);
  });
}
SIMCUDA_API CUresult cuMemHostUnregister(void *) {
  return call(Needs::Context, [](Driver &) {});
}

//===----------------------------------------------------------------------===//
// Attributes of pointers
//===----------------------------------------------------------------------===//

/// Writes an attribute of an address inside an allocation; false if it has
/// none of that number. The numbers are CUpointer_attribute's.
static bool writeAttribute(Driver &driver, int attribute, CUdeviceptr address,
                           uint64_t start, size_t size, void *out) {
  auto write = [&](auto value) {
    *static_cast<decltype(value) *>(out) = value;
  };
  switch (attribute) {
  case 1: // CONTEXT
    write(&driver.current());
    return true;
  case 2: // MEMORY_TYPE
    write(static_cast<int>(CU_MEMORYTYPE_DEVICE));
    return true;
  case 3: // DEVICE_POINTER
    write(address);
    return true;
  case 7: // BUFFER_ID
    write(static_cast<unsigned long long>(start));
    return true;
  case 8: // IS_MANAGED
    write(0u);
    return true;
  case 9: // DEVICE_ORDINAL
    write(0);
    return true;
  case 11: // RANGE_START_ADDR
    write(static_cast<CUdeviceptr>(start));
    return true;
  case 12: // RANGE_SIZE
    write(size);
    return true;
  case 13: // MAPPED
    write(1);
    return true;
  default:
    return false;
  }
}

SIMCUDA_API CUresult cuPointerGetAttribute(void *data, int attribute,
                                           CUdeviceptr address) {
  return call(Needs::Context, [&](Driver &driver) {
    uint64_t start = 0;
    size_t size = 0;
    require(data && driver.device().findAllocation(address, start, size),
            "an address inside an allocation");
    require(writeAttribute(driver, attribute, address, start, size, data),
            "an attribute that is supported", CUDA_ERROR_NOT_SUPPORTED);
  });
}

SIMCUDA_API CUresult cuPointerGetAttributes(unsigned count, int *attributes,
                                            void **data, CUdeviceptr address) {
  for (unsigned i = 0; i < count; ++i)
    // As documented: attributes of an unknown pointer are null.
    if (cuPointerGetAttribute(data[i], attributes[i], address) != CUDA_SUCCESS)
      if (attributes[i] == 1 || attributes[i] == 3 || attributes[i] == 4)
        *static_cast<void **>(data[i]) = nullptr;
  return CUDA_SUCCESS;
}
