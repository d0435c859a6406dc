// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Occupancy from the limits of a multiprocessor: threads, blocks, shared memory
// in steps of 128 bytes with 1 KB a block for the system, registers in steps of
// 256 a warp (CUDA programming guide, "Hardware multithreading").

#include "Occupancy.h"

#include <algorithm>

using namespace fovea::simcuda;

static constexpr int64_t threadsOfMultiprocessor = 2048,
                         registersOfMultiprocessor = 65536, mostBlocks = 32;

static const DeviceFacts &limitsOf(const Function &function) {
  Architecture device = deviceArchitecture();
  const Architecture &target = function.module->target;
  return factsOf(target.number() > device.number() ? target : device);
}

int fovea::simcuda::registersOf(const Function &function) {
  return function.info.registers ? static_cast<int>(function.info.registers)
                                 : 32;
}

int64_t fovea::simcuda::maxSharedOf(const Function &function) {
  return limitsOf(function).maxSharedPerBlock;
}

static int64_t roundUp(int64_t value, int64_t step) {
  return (value + step - 1) / step * step;
}

int fovea::simcuda::blocksPerMultiprocessor(const Function &function,
                                            int64_t threads,
                                            int64_t dynamicShared) {
  int64_t warps = (threads + 31) / 32;
  int64_t registers = warps * roundUp(registersOf(function) * 32, 256);
  int64_t shared =
      roundUp(static_cast<int64_t>(function.info.staticSharedBytes) +
                  dynamicShared,
              128) +
      1024;
  if (shared - 1024 > maxSharedOf(function) ||
      threads > static_cast<int64_t>(function.info.maxThreads))
    return 0;
  return static_cast<int>(
      std::min({mostBlocks, threadsOfMultiprocessor / (warps * 32),
                registersOfMultiprocessor / registers,
                limitsOf(function).sharedPerMultiprocessor / shared}));
}

static CUresult activeBlocks(int *blocks, CUfunction function, int threads,
                             size_t dynamicShared) {
  return call(Needs::Context, [&](Driver &driver) {
    require(blocks && threads > 0, "a pointer and a block of threads");
    *blocks = blocksPerMultiprocessor(driver.function(function), threads,
                                      static_cast<int64_t>(dynamicShared));
  });
}
SIMCUDA_API CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(
    int *blocks, CUfunction function, int threads, size_t dynamicShared) {
  return activeBlocks(blocks, function, threads, dynamicShared);
}
SIMCUDA_API CUresult cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
    int *blocks, CUfunction function, int threads, size_t dynamicShared,
    unsigned) {
  return activeBlocks(blocks, function, threads, dynamicShared);
}

static CUresult potentialBlock(int *grid, int *block, CUfunction handle,
                               CUoccupancyB2DSize sizeOf, size_t shared,
                               int limit) {
  return call(Needs::Context, [&](Driver &driver) {
    require(grid && block, "two pointers");
    const Function &function = driver.function(handle);
    int most = static_cast<int>(function.info.maxThreads);
    if (limit > 0)
      most = std::min(most, limit);
    int64_t best = 0;
    for (int threads = most; threads > 0;
         threads -= threads % 32 ? threads % 32 : 32) {
      auto bytes = static_cast<int64_t>(sizeOf ? sizeOf(threads) : shared);
      int blocks = blocksPerMultiprocessor(function, threads, bytes);
      if (int64_t{blocks} * threads <= best)
        continue;
      best = int64_t{blocks} * threads;
      *block = threads;
      *grid = blocks * limitsOf(function).multiprocessors;
    }
    require(best > 0, "a kernel of which one block fits");
  });
}
SIMCUDA_API CUresult cuOccupancyMaxPotentialBlockSize(int *grid, int *block,
                                                      CUfunction function,
                                                      CUoccupancyB2DSize sizeOf,
                                                      size_t shared,
                                                      int limit) {
  return potentialBlock(grid, block, function, sizeOf, shared, limit);
}
SIMCUDA_API CUresult cuOccupancyMaxPotentialBlockSizeWithFlags(
    int *grid, int *block, CUfunction function, CUoccupancyB2DSize sizeOf,
    size_t shared, int limit, unsigned) {
  return potentialBlock(grid, block, function, sizeOf, shared, limit);
}

SIMCUDA_API CUresult cuOccupancyAvailableDynamicSMemPerBlock(size_t *bytes,
                                                             CUfunction handle,
                                                             int blocks,
                                                             int threads) {
  return call(Needs::Context, [&](Driver &driver) {
    require(bytes && blocks > 0 && threads > 0, "a pointer and blocks");
    const Function &function = driver.function(handle);
    auto used = static_cast<int64_t>(function.info.staticSharedBytes);
    int64_t each = limitsOf(function).sharedPerMultiprocessor / blocks - 1024;
    int64_t left = std::min(each, maxSharedOf(function)) - used;
    *bytes = static_cast<size_t>(std::max<int64_t>(left, 0) / 128 * 128);
  });
}

SIMCUDA_API CUresult cuOccupancyMaxPotentialClusterSize(
    int *size, CUfunction handle, const CUlaunchConfig *config) {
  return call(Needs::Context, [&](Driver &driver) {
    require(size && config, "two pointers");
    const Function &function = driver.function(handle);
    bool large = function.attributes.contains(
        CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED);
    *size = !limitsOf(function).tensorMaps ? 1 : large ? 16 : 8;
  });
}

SIMCUDA_API CUresult cuOccupancyMaxActiveClusters(
    int *clusters, CUfunction handle, const CUlaunchConfig *config) {
  return call(Needs::Context, [&](Driver &driver) {
    require(clusters && config, "two pointers");
    const Function &function = driver.function(handle);
    int64_t size = 1;
    for (unsigned i = 0; i < config->numAttrs; ++i)
      if (config->attrs[i].id == CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION)
        for (uint32_t extent : config->attrs[i].value.clusterDim)
          size *= std::max(extent, 1u);
    int64_t threads =
        int64_t{config->blockDimX} * config->blockDimY * config->blockDimZ;
    int64_t blocks =
        blocksPerMultiprocessor(function, threads, config->sharedMemBytes);
    *clusters =
        static_cast<int>(blocks * limitsOf(function).multiprocessors / size);
  });
}
