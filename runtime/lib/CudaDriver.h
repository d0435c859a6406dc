// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The few entry points of the CUDA driver API that a launch needs, found at run
// time: programs with this runtime start on machines without a driver, and are
// built on machines without a toolkit. Names and signatures are those of cuda.h
// (CUDA 12), with the _v2 names that its macros stand for. The device "sim" is
// the same interface, found in another library (docs/simulator-cuda.md).

#ifndef CUDADRIVER_H
#define CUDADRIVER_H

#include "fovea/Runtime/Result.h"

#include <cstddef>
#include <cstdint>

namespace fovea::runtime {

using CUresult = int; // 0 is success
using CUdevice = int;
using CUdeviceptr = unsigned long long;
using CUcontext = struct CUctx_st *;
using CUmodule = struct CUmod_st *;
using CUfunction = struct CUfunc_st *;
using CUstream = struct CUstream_st *;
using CUevent = struct CUevent_st *;

// Values of cuda.h's enumerators.
constexpr int maxDynamicSharedAttribute = 8; // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_…
constexpr int maxSharedOptinAttribute = 97;  // CU_DEVICE_ATTRIBUTE_MAX_SHARED_…
constexpr int computeMajorAttribute = 75;
constexpr int computeMinorAttribute = 76;

/// Which library stands behind the interface.
enum class CudaLibrary { Driver, Simulator };

struct CudaDriver {
  CUresult (*init)(unsigned flags);
  CUresult (*deviceGetCount)(int *count);
  CUresult (*deviceGet)(CUdevice *device, int ordinal);
  CUresult (*deviceGetName)(char *name, int length, CUdevice device);
  CUresult (*deviceGetAttribute)(int *value, int attribute, CUdevice device);
  CUresult (*primaryCtxRetain)(CUcontext *context, CUdevice device);
  CUresult (*ctxPushCurrent)(CUcontext context);
  CUresult (*ctxPopCurrent)(CUcontext *context);
  CUresult (*moduleLoadData)(CUmodule *module, const void *image);
  CUresult (*moduleUnload)(CUmodule module);
  CUresult (*moduleGetFunction)(CUfunction *function, CUmodule module,
                                const char *name);
  CUresult (*funcSetAttribute)(CUfunction function, int attribute, int value);
  CUresult (*memAlloc)(CUdeviceptr *pointer, size_t bytes);
  CUresult (*memFree)(CUdeviceptr pointer);
  CUresult (*memcpyHtoD)(CUdeviceptr to, const void *from, size_t bytes);
  CUresult (*memcpyDtoH)(void *to, CUdeviceptr from, size_t bytes);
  CUresult (*launchKernel)(CUfunction function, unsigned gridX, unsigned gridY,
                           unsigned gridZ, unsigned blockX, unsigned blockY,
                           unsigned blockZ, unsigned sharedBytes,
                           CUstream stream, void **parameters, void **extra);
  CUresult (*eventCreate)(CUevent *event, unsigned flags);
  CUresult (*eventRecord)(CUevent event, CUstream stream);
  CUresult (*eventSynchronize)(CUevent event);
  CUresult (*eventElapsedTime)(float *milliseconds, CUevent start, CUevent end);
  CUresult (*eventDestroy)(CUevent event);
  CUresult (*getErrorName)(CUresult result, const char **text);
  CUresult (*getErrorString)(CUresult result, const char **text);

  CudaLibrary library = CudaLibrary::Driver;
  // Of device 0, the one that is used.
  CUdevice device = 0;
  CUcontext context = nullptr;
  int computeMajor = 0, computeMinor = 0;
  int maxSharedBytes = 0;
  char name[128] = {};

  /// Success, or an error that names the call: "cuMemAlloc failed: … (…)".
  Status check(CUresult result, const char *call) const;

  /// The driver, loaded and initialised by the first call. An error names a way
  /// out; every call for one library gives the same answer.
  static const Result<CudaDriver> &get(CudaLibrary which);
};

} // namespace fovea::runtime

#endif // CUDADRIVER_H
