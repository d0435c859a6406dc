// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The state behind the driver API: one simulated GPU, its contexts and what
// they own. Everything happens at once and in order, under one lock, so streams
// and events only have to be the right handles.

#ifndef FOVEA_SIMCUDA_DRIVER_H
#define FOVEA_SIMCUDA_DRIVER_H

#include "Api.h"
#include "Architecture.h"

#include "fovea/Sim/Sim.h"

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>

namespace fovea::simcuda {

/// A call that fails: the code that it returns, and what cuGetErrorString adds
/// to the code's own description.
struct Failure : std::runtime_error {
  Failure(CUresult code, const std::string &text)
      : std::runtime_error(text), code(code) {}
  CUresult code;
};

struct Function {
  Module *module = nullptr;
  std::string name;
  sim::KernelInfo info;
  /// Attributes that were set, by number; the largest dynamic shared memory
  /// among them.
  std::map<int, int> attributes;

  int64_t maxDynamicShared() const;
};

struct Module {
  Context *context = nullptr;
  std::shared_ptr<sim::LoadedModule> code;
  Architecture target; // the PTX's
  int ptxVersion = 0;  // 87 for 8.7
  std::map<std::string, std::unique_ptr<Function>> functions;
};

struct Stream {
  Context *context = nullptr;
  unsigned flags = 0;
  int priority = 0;
};

struct Event {
  Context *context = nullptr;
  unsigned flags = 0;
  std::optional<std::chrono::steady_clock::time_point> time;
};

struct Context {
  uint64_t id = 0;
  unsigned flags = 0;
  int uses = 0; // of a primary context
  std::set<CUdeviceptr> memory;
  std::map<Module *, std::unique_ptr<Module>> modules;
  std::map<Stream *, std::unique_ptr<Stream>> streams;
  std::map<Event *, std::unique_ptr<Event>> events;
  std::map<int, size_t> limits;
};

class Driver {
public:
  static Driver &get();

  std::recursive_mutex mutex;
  bool initialised = false;
  Context primary;
  std::map<Context *, std::unique_ptr<Context>> contexts; // but the primary

  /// Made at the first use: it reserves address space.
  sim::Device &device();
  /// Contexts of the calling thread, the current one last.
  static std::vector<Context *> &stack();
  bool isLive(Context *context) const;
  /// The calling thread's; throws if it has none.
  Context &current();
  /// Frees everything that a context owns.
  void clear(Context &context);

  // Handles are looked up before they are believed.
  Module &module(CUmodule handle);
  Function &function(CUfunction handle);
  Event &event(CUevent handle);
  /// Null stands for the default streams.
  Stream *stream(CUstream handle);

private:
  std::unique_ptr<sim::Device> gpu;
};

/// Device addresses are addresses of this process (docs/simulator.md).
inline void *toHost(CUdeviceptr address) {
  return reinterpret_cast<void *>( // NOLINT(performance-no-int-to-ptr)
      static_cast<uintptr_t>(address));
}
inline CUdeviceptr toDevice(const void *pointer) {
  return reinterpret_cast<uintptr_t>(pointer);
}

enum class Needs { Nothing, Init, Context };

void check(Needs needs);
void checkDevice(CUdevice device);
/// Keeps the text for cuGetErrorString and gives the code.
CUresult remember(CUresult code, const char *text) noexcept;

/// Throws unless the condition holds.
inline void require(bool condition, const char *expectation,
                    CUresult code = CUDA_ERROR_INVALID_VALUE) {
  if (!condition)
    throw Failure(code, std::string("expected ") + expectation);
}

/// Runs body() with the simulator's exceptions as this code.
template <typename Body> auto as(CUresult code, Body body) {
  try {
    return body();
  } catch (const Failure &) {
    throw;
  } catch (const std::runtime_error &error) {
    throw Failure(code, error.what());
  }
}

/// The border: a function's body, from exceptions to a code.
template <typename Body> CUresult call(Needs needs, Body body) noexcept {
  try {
    std::lock_guard<std::recursive_mutex> lock(Driver::get().mutex);
    check(needs);
    body(Driver::get());
    return CUDA_SUCCESS;
  } catch (const Failure &failure) {
    return remember(failure.code, failure.what());
  } catch (const std::bad_alloc &) {
    return remember(CUDA_ERROR_OUT_OF_MEMORY, "the host has no memory left");
  } catch (const std::exception &error) {
    return remember(CUDA_ERROR_UNKNOWN, error.what());
  }
}

/// One line on standard error: "fovea-sim: …".
void say(const std::string &line);

} // namespace fovea::simcuda

#endif // FOVEA_SIMCUDA_DRIVER_H
