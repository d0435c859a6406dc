// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The C ABI's functions: arguments in, errors out, nothing else. guarded() is
// the one border at which exceptions (memory, threads) become statuses.

#include "fovea/fovea_runtime.h"

#include "CudaDevice.h"
#include "HostDevice.h"
#include "Kernel.h"
#include "Launch.h"

#include <algorithm>
#include <cstring>
#include <new>

using namespace fovea::runtime;

static std::string &lastError() {
  thread_local std::string text;
  return text;
}

static fovea_status report(const Error &error) {
  lastError() = error.message;
  return error.status;
}

/// Runs body(), which returns a Status.
template <typename Body> static fovea_status guarded(Body body) noexcept {
  try {
    Status status = body();
    return status ? FOVEA_OK : report(status.error());
  } catch (const std::bad_alloc &) {
    return report(machineLacks("out of memory"));
  } catch (const std::exception &exception) {
    return report(internalError(exception.what()));
  }
}

/// Stores a loaded kernel in *out, which is set to null first.
template <typename Load>
static fovea_status loadInto(fovea_kernel **out, Load load) noexcept {
  return guarded([&]() -> Status {
    if (!out)
      return wrongInput("the pointer for the kernel is null");
    *out = nullptr;
    Result<std::unique_ptr<fovea_kernel>> kernel = load();
    if (!kernel)
      return kernel.error();
    *out = kernel->release();
    return Status();
  });
}

const char *fovea_last_error(void) { return lastError().c_str(); }

const char *fovea_runtime_version(void) { return FOVEA_VERSION; }

fovea_status fovea_kernel_load(const char *path, fovea_kernel **out) {
  return loadInto(out, [&]() -> Result<std::unique_ptr<fovea_kernel>> {
    if (!path)
      return wrongInput("the path of the bundle is null");
    return loadBundle(path);
  });
}

fovea_status fovea_kernel_from_functions(const char *manifest,
                                         fovea_host_entry entry,
                                         fovea_host_tiles tiles,
                                         void (*release)(void *owner),
                                         void *owner, fovea_kernel **out) {
  if (!out && release)
    release(owner);
  return loadInto(out, [&]() -> Result<std::unique_ptr<fovea_kernel>> {
    // Whatever fails from here on, the owner is released.
    std::shared_ptr<void> keeper(owner, [release](void *object) {
      if (release)
        release(object);
    });
    if (!manifest || (!entry && !tiles))
      return wrongInput("the manifest or both functions are null");
    return wrapFunctions(manifest, {entry, tiles}, std::move(keeper));
  });
}

fovea_status fovea_kernel_from_files(const char *manifest,
                                     const fovea_file *files, size_t num_files,
                                     fovea_kernel **out) {
  return loadInto(out, [&]() -> Result<std::unique_ptr<fovea_kernel>> {
    if (!manifest || (!files && num_files != 0))
      return wrongInput("the manifest or the files are null");
    std::vector<BundleFile> copies;
    for (size_t i = 0; i < num_files; ++i) {
      if (!files[i].name || (!files[i].data && files[i].size != 0))
        return wrongInput("file " + std::to_string(i) + " has no name or data");
      copies.push_back(
          {files[i].name, std::string(static_cast<const char *>(files[i].data),
                                      files[i].size)});
    }
    return loadFiles(manifest, std::move(copies));
  });
}

void fovea_kernel_release(fovea_kernel *kernel) { delete kernel; }

const char *fovea_kernel_manifest(const fovea_kernel *kernel) {
  return kernel ? kernel->text.c_str() : "";
}

fovea_status fovea_kernel_get_info(const fovea_kernel *kernel,
                                   fovea_kernel_info *out) {
  return guarded([&]() -> Status {
    if (!kernel || !out)
      return wrongInput("the kernel or the pointer for its facts is null");
    const Manifest &m = kernel->manifest;
    *out = {.name = m.name.c_str(),
            .target = m.target.c_str(),
            .device = deviceOf(m),
            .type = m.type,
            .heads_q = m.headsQ,
            .heads_kv = m.headsKv,
            .dim_qk = m.dimQk,
            .dim_v = m.dimV,
            .tile_m = m.tileM,
            .tile_n = m.tileN,
            .counts_tiles =
                !kernel->functions.empty() && kernel->functions.back().tiles};
    return Status();
  });
}

void fovea_launch_init_sized(fovea_launch *launch, size_t size) {
  std::memset(launch, 0, size);
  launch->struct_size = size;
}

/// A caller built against an older header has a shorter struct; what it lacks
/// is zero.
static Result<fovea_launch> copyLaunch(const fovea_launch *given) {
  constexpr size_t smallest = offsetof(fovea_launch, seconds) + sizeof(double);
  if (!given)
    return wrongInput("the launch is null");
  if (given->struct_size < smallest)
    return wrongInput("expected a launch made by fovea_launch_init, but its "
                      "struct_size is " +
                      std::to_string(given->struct_size));
  fovea_launch launch{};
  std::memcpy(&launch, given, std::min(given->struct_size, sizeof(launch)));
  return launch;
}

static Error unknownDevice(const std::string &name) {
  return wrongInput("expected the device 'host', 'cuda' or 'sim', but got '" +
                    name + "'");
}

static Status checkDevice(const fovea_kernel &kernel, const char *wanted) {
  std::string device = deviceOf(kernel.manifest);
  std::string name = wanted ? wanted : device;
  if (name == device || (name == "sim" && device == "cuda"))
    return Status();
  if (name != "host" && name != "cuda" && name != "sim")
    return unknownDevice(name);
  return wrongInput("the kernel is compiled for '" + kernel.manifest.target +
                    "' and runs on the device '" + device + "', not on '" +
                    name + "'");
}

fovea_status fovea_kernel_launch(const fovea_kernel *kernel,
                                 fovea_launch *launch) {
  return guarded([&]() -> Status {
    if (!kernel)
      return wrongInput("the kernel is null");
    Result<fovea_launch> copy = copyLaunch(launch);
    if (!copy)
      return copy.error();
    if (Status s = checkDevice(*kernel, copy->device); !s)
      return s;
    Result<CheckedLaunch> checked = checkLaunch(kernel->manifest, *copy, false);
    if (!checked)
      return checked.error();
    bool simulated = copy->device && std::string_view(copy->device) == "sim";
    CudaLibrary library =
        simulated ? CudaLibrary::Simulator : CudaLibrary::Driver;
    Status done = kernel->manifest.isHost()
                      ? launchOnHost(*kernel, *checked, *copy)
                      : launchOnCuda(library, *kernel, *checked, *copy);
    launch->seconds = copy->seconds;
    return done;
  });
}

fovea_status fovea_count_tiles(const fovea_kernel *kernel,
                               const fovea_launch *launch,
                               fovea_tile_counts *out) {
  return guarded([&]() -> Status {
    if (!kernel || !out)
      return wrongInput("the kernel or the pointer for the counts is null");
    if (!kernel->manifest.isHost())
      return wrongInput("only host kernels count tiles, but this one is "
                        "compiled for '" +
                        kernel->manifest.target + "'");
    Result<fovea_launch> copy = copyLaunch(launch);
    if (!copy)
      return copy.error();
    Result<CheckedLaunch> checked = checkLaunch(kernel->manifest, *copy, true);
    if (!checked)
      return checked.error();
    Result<fovea_tile_counts> counts = countOnHost(*kernel, *checked, *copy);
    if (!counts)
      return counts.error();
    *out = *counts;
    return Status();
  });
}

fovea_status fovea_device_available(const char *device) {
  return guarded([&]() -> Status {
    std::string name = device ? device : "host";
    if (name == "host")
      return Status();
    if (name == "cuda")
      return checkCuda(CudaLibrary::Driver);
    if (name == "sim")
      return checkCuda(CudaLibrary::Simulator);
    return unknownDevice(name);
  });
}
