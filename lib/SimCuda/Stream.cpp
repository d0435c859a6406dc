// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Streams and events. Work is done before the call that queues it returns, so
// everything is always finished, in the order of the program; an event is a
// time of the host's clock.

#include "Driver.h"

using namespace fovea::simcuda;

//===----------------------------------------------------------------------===//
// Streams
//===----------------------------------------------------------------------===//

SIMCUDA_API CUresult cuStreamCreateWithPriority(CUstream *stream,
                                                unsigned flags, int priority) {
  return call(Needs::Context, [&](Driver &driver) {
    require(stream && flags <= 1, "a pointer and flags of 0 or 1");
    auto made = std::make_unique<Stream>();
    *made = {&driver.current(), flags, priority};
    *stream = made.get();
    driver.current().streams[made.get()] = std::move(made);
  });
}
SIMCUDA_API CUresult cuStreamCreate(CUstream *stream, unsigned flags) {
  return cuStreamCreateWithPriority(stream, flags, 0);
}

SIMCUDA_API CUresult cuStreamDestroy_v2(CUstream stream) {
  return call(Needs::Context, [&](Driver &driver) {
    Stream *found = driver.stream(stream);
    require(found, "a stream from cuStreamCreate", CUDA_ERROR_INVALID_HANDLE);
    found->context->streams.erase(found);
  });
}

static CUresult onStream(CUstream stream) {
  return call(Needs::Context, [&](Driver &driver) { driver.stream(stream); });
}
SIMCUDA_API CUresult cuStreamSynchronize(CUstream stream) {
  return onStream(stream);
}
SIMCUDA_API CUresult cuStreamQuery(CUstream stream) { return onStream(stream); }

SIMCUDA_API CUresult cuStreamWaitEvent(CUstream stream, CUevent event,
                                       unsigned) {
  return call(Needs::Context, [&](Driver &driver) {
    driver.stream(stream);
    driver.event(event);
  });
}

SIMCUDA_API CUresult cuStreamGetFlags(CUstream stream, unsigned *flags) {
  return call(Needs::Context, [&](Driver &driver) {
    Stream *found = driver.stream(stream);
    require(flags, "a pointer");
    *flags = found ? found->flags : 0;
  });
}
SIMCUDA_API CUresult cuStreamGetPriority(CUstream stream, int *priority) {
  return call(Needs::Context, [&](Driver &driver) {
    Stream *found = driver.stream(stream);
    require(priority, "a pointer");
    *priority = found ? found->priority : 0;
  });
}
SIMCUDA_API CUresult cuStreamGetCtx(CUstream stream, CUcontext *context) {
  return call(Needs::Context, [&](Driver &driver) {
    Stream *found = driver.stream(stream);
    require(context, "a pointer");
    *context = found ? found->context : &driver.current();
  });
}
SIMCUDA_API CUresult cuStreamIsCapturing(CUstream stream, int *status) {
  return call(Needs::Context, [&](Driver &driver) {
    driver.stream(stream);
    require(status, "a pointer");
    *status = 0;
  });
}

// Callbacks run outside the lock: they may take as long as they like.
SIMCUDA_API CUresult cuLaunchHostFunc(CUstream stream, CUhostFn function,
                                      void *userData) {
  if (CUresult result = onStream(stream); result != CUDA_SUCCESS)
    return result;
  if (!function)
    return CUDA_ERROR_INVALID_VALUE;
  function(userData);
  return CUDA_SUCCESS;
}
SIMCUDA_API CUresult cuStreamAddCallback(CUstream stream,
                                         CUstreamCallback callback,
                                         void *userData, unsigned) {
  if (CUresult result = onStream(stream); result != CUDA_SUCCESS)
    return result;
  if (!callback)
    return CUDA_ERROR_INVALID_VALUE;
  callback(stream, CUDA_SUCCESS, userData);
  return CUDA_SUCCESS;
}

//===----------------------------------------------------------------------===//
// Events
//===----------------------------------------------------------------------===//

SIMCUDA_API CUresult cuEventCreate(CUevent *event, unsigned flags) {
  return call(Needs::Context, [&](Driver &driver) {
    require(event, "a pointer");
    auto made = std::make_unique<Event>();
    made->context = &driver.current();
    made->flags = flags;
    *event = made.get();
    driver.current().events[made.get()] = std::move(made);
  });
}

SIMCUDA_API CUresult cuEventDestroy_v2(CUevent event) {
  return call(Needs::Context, [&](Driver &driver) {
    Event &found = driver.event(event);
    found.context->events.erase(&found);
  });
}

static CUresult record(CUevent event, CUstream stream) {
  return call(Needs::Context, [&](Driver &driver) {
    driver.stream(stream);
    driver.event(event).time = std::chrono::steady_clock::now();
  });
}
SIMCUDA_API CUresult cuEventRecord(CUevent event, CUstream stream) {
  return record(event, stream);
}
SIMCUDA_API CUresult cuEventRecordWithFlags(CUevent event, CUstream stream,
                                            unsigned) {
  return record(event, stream);
}

static CUresult onEvent(CUevent event) {
  return call(Needs::Context, [&](Driver &driver) { driver.event(event); });
}
SIMCUDA_API CUresult cuEventQuery(CUevent event) { return onEvent(event); }
SIMCUDA_API CUresult cuEventSynchronize(CUevent event) {
  return onEvent(event);
}

static CUresult elapsed(float *milliseconds, CUevent start, CUevent end) {
  return call(Needs::Context, [&](Driver &driver) {
    require(milliseconds, "a pointer");
    const Event &first = driver.event(start), &last = driver.event(end);
    require(first.time && last.time, "two recorded events",
            CUDA_ERROR_INVALID_HANDLE);
    require(((first.flags | last.flags) & CU_EVENT_DISABLE_TIMING) == 0,
            "two events with timing", CUDA_ERROR_INVALID_HANDLE);
    *milliseconds =
        std::chrono::duration<float, std::milli>(*last.time - *first.time)
            .count();
  });
}
SIMCUDA_API CUresult cuEventElapsedTime(float *milliseconds, CUevent start,
                                        CUevent end) {
  return elapsed(milliseconds, start, end);
}
SIMCUDA_API CUresult cuEventElapsedTime_v2(float *milliseconds, CUevent start,
                                           CUevent end) {
  return elapsed(milliseconds, start, end);
}
