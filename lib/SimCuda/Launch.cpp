// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Launches. The kernel runs before the call returns, so what a GPU would report
// at the next synchronisation is the result of the launch itself.

#include "Driver.h"
#include "Occupancy.h"
#include "Settings.h"

#include <cstring>

using namespace fovea;
using namespace fovea::simcuda;

namespace {
struct LaunchArguments {
  Function *function = nullptr;
  sim::Dim3 grid, block, cluster{0, 0, 0};
  int64_t dynamicShared = 0;
  bool cooperative = false;
  CUstream stream = nullptr;
  void **parameters = nullptr, **extra = nullptr;
};
} // namespace

//===----------------------------------------------------------------------===//
// Checking
//===----------------------------------------------------------------------===//

[[noreturn]] static void refuse(CUresult code, const std::string &what,
                                int64_t most, uint64_t found) {
  throw Failure(code, "expected " + what + " of at most " +
                          std::to_string(most) + ", found " +
                          std::to_string(found));
}

static void checkSizes(const LaunchArguments &a) {
  const Function &f = *a.function;
  require(a.grid.count() > 0 && a.block.count() > 0,
          "a grid and a block of at least 1 in each dimension");
  if (a.grid.y > 65535 || a.grid.z > 65535)
    refuse(CUDA_ERROR_INVALID_VALUE, "a grid's y and z", 65535,
           std::max(a.grid.y, a.grid.z));
  if (a.grid.x > 0x7fffffffu)
    refuse(CUDA_ERROR_INVALID_VALUE, "a grid's x", 0x7fffffff, a.grid.x);
  if (a.block.z > 64)
    refuse(CUDA_ERROR_INVALID_VALUE, "a block's z", 64, a.block.z);
  if (a.block.count() > f.info.maxThreads)
    refuse(CUDA_ERROR_INVALID_VALUE, "a block", f.info.maxThreads,
           a.block.count());
  if (a.dynamicShared > f.maxDynamicShared())
    refuse(CUDA_ERROR_INVALID_VALUE,
           "dynamic shared memory (cuFuncSetAttribute)", f.maxDynamicShared(),
           static_cast<uint64_t>(a.dynamicShared));
  auto shared =
      a.dynamicShared + static_cast<int64_t>(f.info.staticSharedBytes);
  if (shared > maxSharedOf(f))
    refuse(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, "shared memory", maxSharedOf(f),
           static_cast<uint64_t>(shared));
}

static void checkCluster(const LaunchArguments &a) {
  if (a.cluster.x == 0)
    return;
  bool large = a.function->attributes.contains(
      CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED);
  int64_t most = large ? 16 : 8;
  if (a.cluster.count() == 0 || a.cluster.count() > static_cast<uint64_t>(most))
    refuse(CUDA_ERROR_INVALID_CLUSTER_SIZE, "a cluster", most,
           a.cluster.count());
  require(a.grid.x % a.cluster.x == 0 && a.grid.y % a.cluster.y == 0 &&
              a.grid.z % a.cluster.z == 0,
          "a grid that the cluster divides");
}

/// A cooperative launch needs every block on the device at once.
static void checkCooperative(const LaunchArguments &a) {
  if (!a.cooperative)
    return;
  int64_t most = int64_t{factsOf(deviceArchitecture()).multiprocessors} *
                 blocksPerMultiprocessor(*a.function,
                                         static_cast<int64_t>(a.block.count()),
                                         a.dynamicShared);
  if (a.grid.count() > static_cast<uint64_t>(most))
    refuse(CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE, "blocks", most,
           a.grid.count());
}

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

/// The kernel's parameters as one block, from pointers to each or from a buffer
/// (CU_LAUNCH_PARAM_BUFFER_POINTER is 1, …_SIZE 2, …_END 0).
static std::vector<uint8_t> gather(const LaunchArguments &a) {
  const sim::KernelInfo &info = a.function->info;
  std::vector<uint8_t> block(info.paramBytes);
  require(!a.parameters || !a.extra, "kernelParams or extra, not both");
  if (a.parameters) {
    for (size_t i = 0; i < info.paramSizes.size(); ++i) {
      require(a.parameters[i], "a pointer to each parameter");
      std::memcpy(block.data() + info.paramOffsets[i], a.parameters[i],
                  info.paramSizes[i]);
    }
    return block;
  }
  const void *buffer = nullptr;
  size_t size = 0;
  for (void **word = a.extra; word && word[0]; word += 2) {
    auto key = reinterpret_cast<uintptr_t>(word[0]);
    require(key == 1 || key == 2, "a buffer and its size in extra");
    if (key == 1)
      buffer = word[1];
    else
      size = *static_cast<size_t *>(word[1]);
  }
  require(block.empty() || (buffer && size >= block.size()),
          "every parameter of the kernel");
  if (!block.empty())
    std::memcpy(block.data(), buffer, block.size());
  return block;
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

/// The driver's code that is closest to a finding.
static CUresult codeOf(const std::string &kind) {
  if (kind == "out-of-bounds")
    return CUDA_ERROR_ILLEGAL_ADDRESS;
  if (kind == "misaligned")
    return CUDA_ERROR_MISALIGNED_ADDRESS;
  if (kind == "deadlock")
    return CUDA_ERROR_LAUNCH_TIMEOUT;
  return CUDA_ERROR_LAUNCH_FAILED;
}

/// Says what was found, in one line, and fails the launch.
static void judge(const Settings &settings, const std::string &kernel,
                  const sim::LaunchResult &result) {
  if (result.findings.empty()) {
    if (!result.completed)
      throw Failure(CUDA_ERROR_LAUNCH_FAILED,
                    "kernel '" + kernel + "' did not run to its end");
    return;
  }
  const sim::Finding &first = result.findings.front();
  std::string text = describe(first);
  if (size_t more = result.findings.size() - 1)
    text += " and " + std::to_string(more) + " more";
  say(text);
  if (settings.findingsFail || !result.completed)
    throw Failure(codeOf(first.kind), text);
}

static void run(Driver &driver, const LaunchArguments &a) {
  Settings settings = readSettings();
  driver.stream(a.stream);
  checkSizes(a);
  checkCluster(a);
  checkCooperative(a);
  std::vector<uint8_t> parameters = gather(a);
  sim::LaunchConfig config;
  config.grid = a.grid;
  config.block = a.block;
  config.cluster = a.cluster;
  config.dynamicSharedBytes = static_cast<uint32_t>(a.dynamicShared);
  config.checks = settings.checks;
  config.seed = settings.seed;
  config.exactTensorSums = settings.exactSums;
  config.perturbApprox = settings.perturb;
  config.threads = settings.threads;
  config.count = !settings.report.empty();
  auto start = std::chrono::steady_clock::now();
  sim::LaunchResult result = as(CUDA_ERROR_LAUNCH_FAILED, [&] {
    return driver.device().launch(*a.function->module->code, a.function->name,
                                  config, parameters.data(), parameters.size());
  });
  std::chrono::duration<double> seconds =
      std::chrono::steady_clock::now() - start;
  reportLaunch(settings, a.function->name, config, result, seconds.count());
  judge(settings, a.function->name, result);
}

static CUresult launch(CUfunction function, LaunchArguments arguments) {
  return call(Needs::Context, [&](Driver &driver) {
    arguments.function = &driver.function(function);
    run(driver, arguments);
  });
}

SIMCUDA_API CUresult cuLaunchKernel(CUfunction function, unsigned gridX,
                                    unsigned gridY, unsigned gridZ,
                                    unsigned blockX, unsigned blockY,
                                    unsigned blockZ, unsigned sharedBytes,
                                    CUstream stream, void **parameters,
                                    void **extra) {
  LaunchArguments a;
  a.grid = {gridX, gridY, gridZ};
  a.block = {blockX, blockY, blockZ};
  a.dynamicShared = sharedBytes;
  a.stream = stream;
  a.parameters = parameters;
  a.extra = extra;
  return launch(function, a);
}

SIMCUDA_API CUresult cuLaunchCooperativeKernel(
    CUfunction function, unsigned gridX, unsigned gridY, unsigned gridZ,
    unsigned blockX, unsigned blockY, unsigned blockZ, unsigned sharedBytes,
    CUstream stream, void **parameters) {
  LaunchArguments a;
  a.grid = {gridX, gridY, gridZ};
  a.block = {blockX, blockY, blockZ};
  a.dynamicShared = sharedBytes;
  a.stream = stream;
  a.parameters = parameters;
  a.cooperative = true;
  return launch(function, a);
}

SIMCUDA_API CUresult cuLaunchKernelEx(const CUlaunchConfig *config,
                                      CUfunction function, void **parameters,
                                      void **extra) {
  if (!config || (config->numAttrs != 0 && !config->attrs))
    return remember(CUDA_ERROR_INVALID_VALUE,
                    "expected a configuration with its attributes");
  LaunchArguments a;
  a.grid = {config->gridDimX, config->gridDimY, config->gridDimZ};
  a.block = {config->blockDimX, config->blockDimY, config->blockDimZ};
  a.dynamicShared = config->sharedMemBytes;
  a.stream = config->hStream;
  a.parameters = parameters;
  a.extra = extra;
  // The other attributes are about when and where, not what.
  for (unsigned i = 0; i < config->numAttrs; ++i) {
    const CUlaunchAttribute &attribute = config->attrs[i];
    const uint32_t *dim = attribute.value.clusterDim;
    if (attribute.id == CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION)
      a.cluster = {dim[0], dim[1], dim[2]};
    if (attribute.id == CU_LAUNCH_ATTRIBUTE_COOPERATIVE)
      a.cooperative = attribute.value.cooperative != 0;
  }
  return launch(function, a);
}
