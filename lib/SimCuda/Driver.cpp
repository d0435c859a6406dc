// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The state, and the checks that every call begins with.

#include "Driver.h"

#include <cstdio>

using namespace fovea;
using namespace fovea::simcuda;

Driver &Driver::get() {
  // Never destroyed: programs call the driver from their own destructors.
  static Driver &driver = *new Driver();
  return driver;
}

sim::Device &Driver::device() {
  if (!gpu)
    gpu = std::make_unique<sim::Device>();
  return *gpu;
}

std::vector<Context *> &Driver::stack() {
  thread_local std::vector<Context *> contexts;
  return contexts;
}

bool Driver::isLive(Context *context) const {
  return context == &primary ? primary.uses > 0 : contexts.contains(context);
}

Context &Driver::current() {
  if (stack().empty() || !isLive(stack().back()))
    throw Failure(CUDA_ERROR_INVALID_CONTEXT,
                  "the calling thread has no current context");
  return *stack().back();
}

void Driver::clear(Context &context) {
  for (CUdeviceptr address : context.memory)
    device().free(address);
  context.memory.clear();
  context.modules.clear();
  context.streams.clear();
  context.events.clear();
  context.limits.clear();
}

/// Calls visit(context) for each live one until it gives something.
template <typename Visit>
static auto search(Driver &driver, Visit visit)
    -> decltype(visit(driver.primary)) {
  if (auto found = visit(driver.primary))
    return found;
  for (auto &[handle, context] : driver.contexts)
    if (auto found = visit(*context))
      return found;
  return nullptr;
}

Module &Driver::module(CUmodule handle) {
  Module *found = search(*this, [&](Context &c) -> Module * {
    auto at = c.modules.find(handle);
    return at == c.modules.end() ? nullptr : at->second.get();
  });
  if (!found)
    throw Failure(CUDA_ERROR_INVALID_HANDLE, "expected a loaded module");
  return *found;
}

Function &Driver::function(CUfunction handle) {
  Function *found = search(*this, [&](Context &c) -> Function * {
    for (auto &[key, module] : c.modules)
      for (auto &[name, function] : module->functions)
        if (function.get() == handle)
          return function.get();
    return nullptr;
  });
  if (!found)
    throw Failure(CUDA_ERROR_INVALID_HANDLE,
                  "expected a function of a loaded module");
  return *found;
}

Event &Driver::event(CUevent handle) {
  Event *found = search(*this, [&](Context &c) -> Event * {
    auto at = c.events.find(handle);
    return at == c.events.end() ? nullptr : at->second.get();
  });
  if (!found)
    throw Failure(CUDA_ERROR_INVALID_HANDLE, "expected a live event");
  return *found;
}

Stream *Driver::stream(CUstream handle) {
  // 1 and 2 are CU_STREAM_LEGACY and CU_STREAM_PER_THREAD.
  if (reinterpret_cast<uintptr_t>(handle) <= 2)
    return nullptr;
  Stream *found = search(*this, [&](Context &c) -> Stream * {
    auto at = c.streams.find(handle);
    return at == c.streams.end() ? nullptr : at->second.get();
  });
  if (!found)
    throw Failure(CUDA_ERROR_INVALID_HANDLE, "expected a live stream");
  return found;
}

void fovea::simcuda::check(Needs needs) {
  Driver &driver = Driver::get();
  if (needs != Needs::Nothing && !driver.initialised)
    throw Failure(CUDA_ERROR_NOT_INITIALIZED, "cuInit was not called");
  if (needs == Needs::Context)
    driver.current();
}

void fovea::simcuda::checkDevice(CUdevice device) {
  require(device == 0, "device 0, the only one", CUDA_ERROR_INVALID_DEVICE);
}

void fovea::simcuda::say(const std::string &line) {
  std::fprintf(stderr, "fovea-sim: %s\n", line.c_str());
}

int64_t Function::maxDynamicShared() const {
  constexpr int64_t withoutAsking = 48 << 10;
  auto set = attributes.find(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES);
  int64_t rest = withoutAsking - static_cast<int64_t>(info.staticSharedBytes);
  return set != attributes.end() ? set->second : std::max<int64_t>(rest, 0);
}
