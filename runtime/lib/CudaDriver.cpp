// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loads libcuda.so.1 once per process and retains the primary context of device
// 0, the one that PyTorch and the CUDA runtime use as well, so that pointers
// can be shared with them. Nothing is given back: drivers do not like to be
// unloaded. The simulator's libcuda.so.1 is loaded beside it, by its path.

#include "CudaDriver.h"

#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <string>
#include <vector>

using namespace fovea::runtime;

static constexpr const char *wayOut =
    "; compile for '--target host' to run on the device 'host'";

static std::string describe(const CudaDriver &driver, CUresult result) {
  const char *name = nullptr, *text = nullptr;
  if (driver.getErrorName(result, &name) != 0 || !name)
    name = "unknown error";
  if (driver.getErrorString(result, &text) != 0 || !text)
    text = "no description";
  return std::string(name) + " (" + text + ")";
}

Status CudaDriver::check(CUresult result, const char *call) const {
  if (result == 0)
    return Status();
  constexpr CUresult outOfMemory = 2, noBinaryForGpu = 209, invalidPtx = 218,
                     unsupportedPtxVersion = 222;
  std::string message =
      std::string(call) + " failed: " + describe(*this, result);
  for (CUresult lack :
       {outOfMemory, noBinaryForGpu, invalidPtx, unsupportedPtxVersion})
    if (result == lack)
      return machineLacks(std::move(message));
  return internalError(std::move(message));
}

template <typename F>
static void find(void *library, const char *name, F &pointer,
                 std::string &missing) {
  pointer = reinterpret_cast<F>(dlsym(library, name));
  if (!pointer && missing.empty())
    missing = name;
}

static std::string findSymbols(void *library, CudaDriver &d) {
  std::string missing;
  find(library, "cuInit", d.init, missing);
  find(library, "cuDeviceGetCount", d.deviceGetCount, missing);
  find(library, "cuDeviceGet", d.deviceGet, missing);
  find(library, "cuDeviceGetName", d.deviceGetName, missing);
  find(library, "cuDeviceGetAttribute", d.deviceGetAttribute, missing);
  find(library, "cuDevicePrimaryCtxRetain", d.primaryCtxRetain, missing);
  find(library, "cuCtxPushCurrent_v2", d.ctxPushCurrent, missing);
  find(library, "cuCtxPopCurrent_v2", d.ctxPopCurrent, missing);
  find(library, "cuModuleLoadData", d.moduleLoadData, missing);
  find(library, "cuModuleUnload", d.moduleUnload, missing);
  find(library, "cuModuleGetFunction", d.moduleGetFunction, missing);
  find(library, "cuFuncSetAttribute", d.funcSetAttribute, missing);
  find(library, "cuMemAlloc_v2", d.memAlloc, missing);
  find(library, "cuMemFree_v2", d.memFree, missing);
  find(library, "cuMemcpyHtoD_v2", d.memcpyHtoD, missing);
  find(library, "cuMemcpyDtoH_v2", d.memcpyDtoH, missing);
  find(library, "cuLaunchKernel", d.launchKernel, missing);
  find(library, "cuEventCreate", d.eventCreate, missing);
  find(library, "cuEventRecord", d.eventRecord, missing);
  find(library, "cuEventSynchronize", d.eventSynchronize, missing);
  find(library, "cuEventElapsedTime", d.eventElapsedTime, missing);
  find(library, "cuEventDestroy_v2", d.eventDestroy, missing);
  find(library, "cuGetErrorName", d.getErrorName, missing);
  find(library, "cuGetErrorString", d.getErrorString, missing);
  return missing;
}

/// Initialises the driver and looks at device 0.
static Status openDevice(CudaDriver &d) {
  auto lacks = [&](CUresult result, const char *call) {
    return machineLacks(std::string("no usable GPU: ") + call +
                        " failed: " + describe(d, result) + wayOut);
  };
  if (CUresult r = d.init(0))
    return lacks(r, "cuInit");
  int count = 0;
  if (CUresult r = d.deviceGetCount(&count))
    return lacks(r, "cuDeviceGetCount");
  if (count == 0)
    return machineLacks(std::string("the CUDA driver has no GPU") + wayOut);
  if (CUresult r = d.deviceGet(&d.device, 0))
    return lacks(r, "cuDeviceGet");
  if (CUresult r = d.deviceGetName(d.name, sizeof(d.name), d.device))
    return lacks(r, "cuDeviceGetName");
  for (auto [value, attribute] :
       {std::pair(&d.computeMajor, computeMajorAttribute),
        std::pair(&d.computeMinor, computeMinorAttribute),
        std::pair(&d.maxSharedBytes, maxSharedOptinAttribute)})
    if (CUresult r = d.deviceGetAttribute(value, attribute, d.device))
      return lacks(r, "cuDeviceGetAttribute");
  if (CUresult r = d.primaryCtxRetain(&d.context, d.device))
    return lacks(r, "cuDevicePrimaryCtxRetain");
  return Status();
}

static Result<CudaDriver> fillIn(void *library, CudaLibrary which) {
  CudaDriver driver{};
  driver.library = which;
  if (std::string missing = findSymbols(library, driver); !missing.empty())
    return machineLacks("the CUDA driver is too old: it has no '" + missing +
                        "'" + wayOut);
  if (Status opened = openDevice(driver); !opened)
    return opened.error();
  return driver;
}

static void *openLibrary() {
  static void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  return library;
}

static Result<CudaDriver> loadDriver() {
  void *library = openLibrary();
  if (!library)
    return machineLacks(
        std::string("no CUDA driver on this machine (libcuda.so.1)") + wayOut);
  return fillIn(library, CudaLibrary::Driver);
}

/// FOVEA_SIM_CUDA, or where a build and an installation have it: ../lib/sim
/// beside the folder of this program, sim beside this library.
static std::string simulatorPath() {
  if (const char *given = std::getenv("FOVEA_SIM_CUDA"); given && *given)
    return given;
  // For a program, dladdr gives the name by which it was called, which a shell
  // may have found in PATH; /proc/self/exe is then the way to it.
  std::vector<std::string> files = {"/proc/self/exe"};
  Dl_info self{};
  if (dladdr(reinterpret_cast<void *>(&simulatorPath), &self))
    files.emplace_back(self.dli_fname);
  std::error_code ignored;
  for (const std::string &file : files)
    for (const char *folder : {"../lib/sim", "sim", "../lib64/sim"}) {
      std::filesystem::path here =
          std::filesystem::canonical(file, ignored).parent_path();
      std::filesystem::path path = here / folder / "libcuda.so.1";
      if (!here.empty() && std::filesystem::exists(path, ignored))
        return path;
    }
  return "";
}

static Result<CudaDriver> loadSimulator() {
  // A library that is asked for by name is found by the name inside it: were
  // the simulator the first, it would be taken for the driver.
  openLibrary();
  std::string path = simulatorPath();
  if (path.empty())
    return machineLacks("the simulator's libcuda.so.1 is not beside this "
                        "program (../lib/sim); set FOVEA_SIM_CUDA to its path");
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char *reason = dlerror();
    return machineLacks("cannot load the simulator: " +
                        std::string(reason ? reason : path));
  }
  return fillIn(library, CudaLibrary::Simulator);
}

const Result<CudaDriver> &CudaDriver::get(CudaLibrary which) {
  if (which == CudaLibrary::Simulator) {
    static const Result<CudaDriver> simulator = loadSimulator();
    return simulator;
  }
  static const Result<CudaDriver> driver = loadDriver();
  return driver;
}
