// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// cuGetProcAddress: from the name that cuda.h's macros hide ("cuMemAlloc") to
// the function of the newest version that the caller knows ("cuMemAlloc_v2").

#include "Driver.h"

#include <dlfcn.h>

using namespace fovea::simcuda;

namespace {
/// The first CUDA version with that variant; all others are older than 11.3,
/// the first with cuGetProcAddress.
struct Since {
  std::string_view name;
  int version;
};
} // namespace

static constexpr Since variants[] = {{"cuCtxCreate_v3", 11040},
                                     {"cuCtxCreate_v4", 12050},
                                     {"cuDeviceGetUuid_v2", 11040},
                                     {"cuEventElapsedTime_v2", 12080},
                                     {"cuGetProcAddress_v2", 12000}};

static int sinceOf(std::string_view name) {
  for (const Since &variant : variants)
    if (variant.name == name)
      return variant.version;
  return 0;
}

/// A function of this library, not of another driver in the process.
static void *own(const std::string &name) {
  static void *self = [] {
    Dl_info info{};
    // Without RTLD_NOLOAD this could not load anything else either.
    return dladdr(reinterpret_cast<void *>(&own), &info)
               ? dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD)
               : nullptr;
  }();
  return self ? dlsym(self, name.c_str()) : nullptr;
}

namespace {
enum QueryResult { Found = 0, NotFound = 1, TooOld = 2 };
} // namespace

static QueryResult find(const char *symbol, int cudaVersion, void **function) {
  QueryResult result = NotFound;
  for (const char *suffix : {"_v4", "_v3", "_v2", ""}) {
    std::string name = std::string(symbol) + suffix;
    void *candidate = own(name);
    if (!candidate)
      continue;
    if (sinceOf(name) > cudaVersion) {
      result = TooOld;
      continue;
    }
    *function = candidate;
    return Found;
  }
  return result;
}

SIMCUDA_API CUresult cuGetProcAddress_v2(const char *symbol, void **function,
                                         int cudaVersion, uint64_t /*flags*/,
                                         int *status) {
  if (!symbol || !function)
    return CUDA_ERROR_INVALID_VALUE;
  *function = nullptr;
  QueryResult result = find(symbol, cudaVersion, function);
  if (status)
    *status = result;
  return result == Found ? CUDA_SUCCESS
                         : remember(CUDA_ERROR_NOT_FOUND, symbol);
}
SIMCUDA_API CUresult cuGetProcAddress(const char *symbol, void **function,
                                      int cudaVersion, uint64_t flags) {
  return cuGetProcAddress_v2(symbol, function, cudaVersion, flags, nullptr);
}
