// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Contexts: owners of memory, modules, streams and events, and the stack of
// them that every thread has. All share the one device's memory.

#include "Driver.h"

using namespace fovea::simcuda;

//===----------------------------------------------------------------------===//
// The primary context
//===----------------------------------------------------------------------===//

SIMCUDA_API CUresult cuDevicePrimaryCtxRetain(CUcontext *context,
                                              CUdevice device) {
  return call(Needs::Init, [&](Driver &driver) {
    checkDevice(device);
    require(context, "a pointer");
    ++driver.primary.uses;
    *context = &driver.primary;
  });
}

SIMCUDA_API CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  return call(Needs::Init, [&](Driver &driver) {
    checkDevice(device);
    require(driver.primary.uses > 0, "a primary context that was retained",
            CUDA_ERROR_INVALID_CONTEXT);
    if (--driver.primary.uses == 0)
      driver.clear(driver.primary);
  });
}
SIMCUDA_API CUresult cuDevicePrimaryCtxRelease(CUdevice device) {
  return cuDevicePrimaryCtxRelease_v2(device);
}

SIMCUDA_API CUresult cuDevicePrimaryCtxReset_v2(CUdevice device) {
  return call(Needs::Init, [&](Driver &driver) {
    checkDevice(device);
    driver.clear(driver.primary);
  });
}

SIMCUDA_API CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice device,
                                                   unsigned flags) {
  return call(Needs::Init, [&](Driver &driver) {
    checkDevice(device);
    driver.primary.flags = flags;
  });
}

SIMCUDA_API CUresult cuDevicePrimaryCtxGetState(CUdevice device,
                                                unsigned *flags, int *active) {
  return call(Needs::Init, [&](Driver &driver) {
    checkDevice(device);
    require(flags && active, "two pointers");
    *flags = driver.primary.flags;
    *active = driver.primary.uses > 0;
  });
}

//===----------------------------------------------------------------------===//
// Making and choosing contexts
//===----------------------------------------------------------------------===//

SIMCUDA_API CUresult cuCtxCreate_v2(CUcontext *context, unsigned flags,
                                    CUdevice device) {
  return call(Needs::Init, [&](Driver &driver) {
    checkDevice(device);
    require(context, "a pointer");
    auto made = std::make_unique<Context>();
    made->id = driver.contexts.size() + 2;
    made->flags = flags;
    *context = made.get();
    Driver::stack().push_back(made.get());
    driver.contexts[made.get()] = std::move(made);
  });
}
/// Version 3 adds execution affinities, version 4 their struct; both are about
/// parts of a device that this one does not have.
SIMCUDA_API CUresult cuCtxCreate_v3(CUcontext *context, void *, int count,
                                    unsigned flags, CUdevice device) {
  return count != 0 ? remember(CUDA_ERROR_NOT_SUPPORTED,
                               "expected no execution affinities")
                    : cuCtxCreate_v2(context, flags, device);
}
SIMCUDA_API CUresult cuCtxCreate_v4(CUcontext *context, void *parameters,
                                    unsigned flags, CUdevice device) {
  return parameters ? remember(CUDA_ERROR_NOT_SUPPORTED,
                               "expected no context parameters")
                    : cuCtxCreate_v2(context, flags, device);
}

SIMCUDA_API CUresult cuCtxDestroy_v2(CUcontext context) {
  return call(Needs::Init, [&](Driver &driver) {
    auto found = driver.contexts.find(context);
    require(found != driver.contexts.end(), "a context from cuCtxCreate",
            CUDA_ERROR_INVALID_CONTEXT);
    driver.clear(*context);
    if (!Driver::stack().empty() && Driver::stack().back() == context)
      Driver::stack().pop_back();
    driver.contexts.erase(found);
  });
}

static void requireLive(Driver &driver, CUcontext context) {
  require(driver.isLive(context), "a live context", CUDA_ERROR_INVALID_CONTEXT);
}

SIMCUDA_API CUresult cuCtxPushCurrent_v2(CUcontext context) {
  return call(Needs::Init, [&](Driver &driver) {
    requireLive(driver, context);
    Driver::stack().push_back(context);
  });
}

SIMCUDA_API CUresult cuCtxPopCurrent_v2(CUcontext *context) {
  return call(Needs::Init, [&](Driver &) {
    std::vector<Context *> &stack = Driver::stack();
    require(!stack.empty(), "a current context", CUDA_ERROR_INVALID_CONTEXT);
    if (context)
      *context = stack.back();
    stack.pop_back();
  });
}

SIMCUDA_API CUresult cuCtxSetCurrent(CUcontext context) {
  return call(Needs::Init, [&](Driver &driver) {
    if (context)
      requireLive(driver, context);
    std::vector<Context *> &stack = Driver::stack();
    if (!stack.empty())
      stack.pop_back();
    if (context)
      stack.push_back(context);
  });
}

SIMCUDA_API CUresult cuCtxGetCurrent(CUcontext *context) {
  return call(Needs::Init, [&](Driver &) {
    require(context, "a pointer");
    *context = Driver::stack().empty() ? nullptr : Driver::stack().back();
  });
}

//===----------------------------------------------------------------------===//
// Facts of the current context
//===----------------------------------------------------------------------===//

SIMCUDA_API CUresult cuCtxGetDevice(CUdevice *device) {
  return call(Needs::Context, [&](Driver &) {
    require(device, "a pointer");
    *device = 0;
  });
}

SIMCUDA_API CUresult cuCtxGetFlags(unsigned *flags) {
  return call(Needs::Context, [&](Driver &driver) {
    require(flags, "a pointer");
    *flags = driver.current().flags;
  });
}

SIMCUDA_API CUresult cuCtxGetId(CUcontext context, unsigned long long *id) {
  return call(Needs::Init, [&](Driver &driver) {
    Context &which = context ? *context : driver.current();
    requireLive(driver, &which);
    require(id, "a pointer");
    *id = which.id;
  });
}

SIMCUDA_API CUresult cuCtxGetApiVersion(CUcontext context, unsigned *version) {
  return call(Needs::Init, [&](Driver &driver) {
    if (context)
      requireLive(driver, context);
    require(version, "a pointer");
    *version = 3020; // what every driver since answers
  });
}

/// Work is done when it is queued: there is nothing to wait for.
SIMCUDA_API CUresult cuCtxSynchronize() {
  return call(Needs::Context, [](Driver &) {});
}

SIMCUDA_API CUresult cuCtxGetStreamPriorityRange(int *least, int *greatest) {
  return call(Needs::Context, [&](Driver &) {
    if (least)
      *least = 0;
    if (greatest)
      *greatest = -5;
  });
}

static size_t defaultLimit(int limit) {
  constexpr size_t defaults[] = {1024, 1 << 20, 8 << 20, 2, 2048, 64};
  return limit < 6 ? defaults[limit] : 0;
}

SIMCUDA_API CUresult cuCtxGetLimit(size_t *value, int limit) {
  return call(Needs::Context, [&](Driver &driver) {
    require(value, "a pointer");
    require(limit >= 0 && limit < 7, "a limit that exists",
            CUDA_ERROR_UNSUPPORTED_LIMIT);
    auto set = driver.current().limits.find(limit);
    *value = set == driver.current().limits.end() ? defaultLimit(limit)
                                                  : set->second;
  });
}

SIMCUDA_API CUresult cuCtxSetLimit(int limit, size_t value) {
  return call(Needs::Context, [&](Driver &driver) {
    require(limit >= 0 && limit < 7, "a limit that exists",
            CUDA_ERROR_UNSUPPORTED_LIMIT);
    driver.current().limits[limit] = value;
  });
}

// Preferences between caches change no result.
SIMCUDA_API CUresult cuCtxSetCacheConfig(int) {
  return call(Needs::Context, [](Driver &) {});
}
SIMCUDA_API CUresult cuCtxGetCacheConfig(int *config) {
  return call(Needs::Context, [&](Driver &) {
    require(config, "a pointer");
    *config = 0;
  });
}
SIMCUDA_API CUresult cuCtxSetSharedMemConfig(int) {
  return call(Needs::Context, [](Driver &) {});
}
SIMCUDA_API CUresult cuCtxGetSharedMemConfig(int *config) {
  return call(Needs::Context, [&](Driver &) {
    require(config, "a pointer");
    *config = 1; // four-byte banks
  });
}
