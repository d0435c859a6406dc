// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A launch on the GPU with arrays of the host: copy the memory that each array
// spans, gaps included, so that strides and relative alignment stay as they
// are; launch; copy O and LSE back. The gaps of O are uploaded first, because
// the whole span comes back over the caller's memory.

#include "CudaDevice.h"

#include <map>
#include <mutex>

using namespace fovea::runtime;

namespace {

/// Makes the primary context current for one call, whatever the caller has.
class ContextScope {
public:
  explicit ContextScope(const CudaDriver &driver)
      : driver(driver), result(driver.ctxPushCurrent(driver.context)) {}
  ContextScope(const ContextScope &) = delete;
  ContextScope &operator=(const ContextScope &) = delete;
  ~ContextScope() {
    CUcontext previous = nullptr;
    if (result == 0)
      driver.ctxPopCurrent(&previous);
  }
  Status status() const { return driver.check(result, "cuCtxPushCurrent"); }

private:
  const CudaDriver &driver;
  CUresult result;
};

/// Device memory that holds the span of one array.
class DeviceCopy {
public:
  explicit DeviceCopy(const CudaDriver &driver) : driver(driver) {}
  DeviceCopy(const DeviceCopy &) = delete;
  DeviceCopy &operator=(const DeviceCopy &) = delete;
  ~DeviceCopy() {
    if (memory)
      driver.memFree(memory);
  }

  Status allocate(void *hostStart, size_t size) {
    start = hostStart;
    bytes = size;
    if (bytes == 0)
      return Status();
    return driver.check(driver.memAlloc(&memory, bytes), "cuMemAlloc");
  }
  Status upload() {
    if (bytes == 0)
      return Status();
    return driver.check(driver.memcpyHtoD(memory, start, bytes),
                        "cuMemcpyHtoD");
  }
  Status download() {
    if (bytes == 0)
      return Status();
    return driver.check(driver.memcpyDtoH(start, memory, bytes),
                        "cuMemcpyDtoH");
  }
  /// The device's address of a host address within the span.
  void *address(const void *host) const {
    if (bytes == 0)
      return nullptr;
    auto offset = static_cast<const char *>(host) - static_cast<char *>(start);
    // The driver's addresses are integers, a kernel's parameters pointers.
    return reinterpret_cast<void *>( // NOLINT(performance-no-int-to-ptr)
        memory + offset);
  }

private:
  const CudaDriver &driver;
  void *start = nullptr;
  size_t bytes = 0;
  CUdeviceptr memory = 0;
};

struct Event {
  explicit Event(const CudaDriver &driver) : driver(driver) {}
  Event(const Event &) = delete;
  Event &operator=(const Event &) = delete;
  ~Event() {
    if (event)
      driver.eventDestroy(event);
  }
  Status record(CUstream stream) {
    if (Status s = driver.check(driver.eventCreate(&event, 0), "cuEventCreate");
        !s)
      return s;
    return driver.check(driver.eventRecord(event, stream), "cuEventRecord");
  }
  const CudaDriver &driver;
  CUevent event = nullptr;
};

} // namespace

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

class fovea::runtime::CudaModuleCache {
public:
  CudaModuleCache() = default;
  CudaModuleCache(const CudaModuleCache &) = delete;
  CudaModuleCache &operator=(const CudaModuleCache &) = delete;
  ~CudaModuleCache() {
    if (!module)
      return;
    ContextScope scope(*loadedBy);
    loadedBy->moduleUnload(module);
  }

  /// The entry's function, ready to be launched.
  Result<CUfunction> find(const CudaDriver &driver, const fovea_kernel &kernel,
                          const ManifestEntry &entry) {
    std::lock_guard<std::mutex> lock(mutex);
    if (auto known = functions.find(entry.name); known != functions.end())
      return known->second;
    if (Status loaded = load(driver, kernel); !loaded)
      return loaded.error();
    CUfunction function = nullptr;
    if (driver.moduleGetFunction(&function, module, entry.name.c_str()) != 0)
      return wrongInput("the kernel's code has no entry '" + entry.name + "'");
    constexpr int64_t withoutAsking = 48 << 10;
    if (entry.sharedBytes > withoutAsking)
      if (Status s = driver.check(
              driver.funcSetAttribute(function, maxDynamicSharedAttribute,
                                      static_cast<int>(entry.sharedBytes)),
              "cuFuncSetAttribute");
          !s)
        return s.error();
    functions[entry.name] = function;
    return function;
  }

private:
  /// The first image that the driver accepts; else the last one's error.
  Status load(const CudaDriver &driver, const fovea_kernel &kernel) {
    if (module)
      return Status();
    CUresult result = 0;
    for (const BundleFile &image : kernel.images) {
      // PTX is read as a C string: std::string ends in the needed zero.
      result = driver.moduleLoadData(&module, image.contents.c_str());
      loadedBy = &driver;
      if (result == 0)
        return Status();
      module = nullptr;
    }
    return driver.check(result, "cuModuleLoadData");
  }

  std::mutex mutex;
  CUmodule module = nullptr;
  const CudaDriver *loadedBy = nullptr; // lives as long as the process
  std::map<std::string, CUfunction> functions;
};

std::shared_ptr<CudaModuleCache> fovea::runtime::makeCudaModuleCache() {
  return std::make_shared<CudaModuleCache>();
}

//===----------------------------------------------------------------------===//
// Launching
//===----------------------------------------------------------------------===//

/// "sm_80" runs on 8.0 and later, "sm_90a" on 9.0 only.
static Status checkTarget(const CudaDriver &driver, const Manifest &manifest) {
  std::string digits = manifest.target.substr(3);
  bool exact = digits.back() < '0' || digits.back() > '9';
  int needed = static_cast<int>(std::strtol(digits.c_str(), nullptr, 10));
  int found = driver.computeMajor * 10 + driver.computeMinor;
  if (exact ? found == needed : found >= needed)
    return Status();
  return machineLacks("the kernel is compiled for " + manifest.target +
                      ", but the GPU '" + driver.name + "' is sm_" +
                      std::to_string(found));
}

static Status checkLimits(const CudaDriver &driver, const Grid &grid,
                          const ManifestEntry &entry) {
  constexpr int64_t mostYZ = 65535; // CUDA programming guide, compute 3.0 on
  for (int axis : {1, 2})
    if (grid[axis] > mostYZ)
      return wrongInput(
          "expected a grid of at most 65535 blocks in " +
          std::string(axis == 1 ? "y (query heads)" : "z (batch)") +
          ", but got " + std::to_string(grid[axis]));
  if (entry.sharedBytes > driver.maxSharedBytes)
    return machineLacks("the kernel needs " +
                        std::to_string(entry.sharedBytes) +
                        " bytes of shared memory, but the GPU '" + driver.name +
                        "' has " + std::to_string(driver.maxSharedBytes));
  return Status();
}

/// The kernel's module on this driver.
static CudaModuleCache &cacheOf(const CudaDriver &driver,
                                const fovea_kernel &kernel) {
  return driver.library == CudaLibrary::Driver ? *kernel.cuda : *kernel.sim;
}

/// Queues the kernel on `launch.stream`; every pointer is the device's.
static Status enqueue(const CudaDriver &driver, const fovea_kernel &kernel,
                      const CheckedLaunch &checked,
                      const fovea_launch &launch) {
  const Manifest &manifest = kernel.manifest;
  Result<size_t> index = chooseEntry(manifest, launch);
  if (!index)
    return index.error();
  const ManifestEntry &entry = manifest.entries[*index];
  Result<Grid> grid = evaluateGrid(manifest, entry, checked);
  if (!grid)
    return grid.error();
  if ((*grid)[0] == 0 || (*grid)[1] == 0 || (*grid)[2] == 0)
    return Status();
  if (Status s = checkLimits(driver, *grid, entry); !s)
    return s;
  Result<CUfunction> function =
      cacheOf(driver, kernel).find(driver, kernel, entry);
  if (!function)
    return function.error();
  ParameterBlock parameters(manifest, launch, checked);
  return driver.check(
      driver.launchKernel(
          *function, (*grid)[0], (*grid)[1], (*grid)[2], entry.block[0],
          entry.block[1], entry.block[2], entry.sharedBytes,
          static_cast<CUstream>(launch.stream), parameters.data(), nullptr),
      "cuLaunchKernel");
}

/// Allocates the device's copy of an array and points `onDevice` at it.
static Status place(DeviceCopy &copy, const fovea_tensor &host,
                    fovea_tensor &onDevice, const char *name, bool upload) {
  Result<Span> span = spanOf(host, name);
  if (!span)
    return span.error();
  int64_t size = typeSize(host.type);
  char *start = static_cast<char *>(host.data) + span->first * size;
  if (Status s = copy.allocate(start, (span->last - span->first) * size); !s)
    return s;
  onDevice.data = copy.address(host.data);
  return upload ? copy.upload() : Status();
}

static bool hasGaps(const fovea_tensor &t, const Span &span) {
  return span.last - span.first !=
         t.shape[0] * t.shape[1] * t.shape[2] * t.shape[3];
}

static Status timeKernel(const CudaDriver &driver, const fovea_kernel &kernel,
                         const CheckedLaunch &checked,
                         const fovea_launch &onDevice, double &seconds) {
  Event start(driver), end(driver);
  if (Status s = start.record(nullptr); !s)
    return s;
  if (Status s = enqueue(driver, kernel, checked, onDevice); !s)
    return s;
  if (Status s = end.record(nullptr); !s)
    return s;
  // A fault in the kernel shows here.
  if (Status s = driver.check(driver.eventSynchronize(end.event),
                              "the kernel or cuEventSynchronize");
      !s)
    return s;
  float milliseconds = 0;
  Status s = driver.check(
      driver.eventElapsedTime(&milliseconds, start.event, end.event),
      "cuEventElapsedTime");
  seconds = milliseconds * 1e-3;
  return s;
}

static Status launchWithCopies(const CudaDriver &driver,
                               const fovea_kernel &kernel,
                               const CheckedLaunch &checked,
                               fovea_launch &launch) {
  DeviceCopy q(driver), k(driver), v(driver), o(driver), lse(driver);
  fovea_launch onDevice = launch;
  onDevice.stream = nullptr;
  if (Status s = place(q, launch.q, onDevice.q, "q", true); !s)
    return s;
  if (Status s = place(k, launch.k, onDevice.k, "k", true); !s)
    return s;
  if (Status s = place(v, launch.v, onDevice.v, "v", true); !s)
    return s;
  Result<Span> span = spanOf(launch.o, "o");
  if (!span)
    return span.error();
  if (Status s = place(o, launch.o, onDevice.o, "o", hasGaps(launch.o, *span));
      !s)
    return s;
  int64_t rows = checked.batch * kernel.manifest.headsQ * checked.nq;
  if (launch.lse) {
    if (Status s = lse.allocate(launch.lse, rows * sizeof(float)); !s)
      return s;
    onDevice.lse = static_cast<float *>(lse.address(launch.lse));
  }
  if (Status s = timeKernel(driver, kernel, checked, onDevice, launch.seconds);
      !s)
    return s;
  if (Status s = o.download(); !s)
    return s;
  return launch.lse ? lse.download() : Status();
}

Status fovea::runtime::launchOnCuda(CudaLibrary library,
                                    const fovea_kernel &kernel,
                                    const CheckedLaunch &checked,
                                    fovea_launch &launch) {
  const Result<CudaDriver> &driver = CudaDriver::get(library);
  if (!driver)
    return driver.error();
  if (Status s = checkTarget(*driver, kernel.manifest); !s)
    return s;
  ContextScope scope(*driver);
  if (Status s = scope.status(); !s)
    return s;
  launch.seconds = 0;
  if (launch.device_memory)
    return enqueue(*driver, kernel, checked, launch);
  return launchWithCopies(*driver, kernel, checked, launch);
}

Status fovea::runtime::checkCuda(CudaLibrary library) {
  const Result<CudaDriver> &driver = CudaDriver::get(library);
  return driver ? Status() : driver.error();
}
