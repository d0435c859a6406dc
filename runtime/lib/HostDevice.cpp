// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Work items of one launch take very different times (under a causal mask the
// last query tile sees every key, the first only its own), so they are not
// dealt out beforehand: every thread takes the next one when it is free. Long
// items come first, so that no thread is left with a long one at the end.
//
// Two orders have that property. Head by head, longest tile first in each,
// keeps a head's keys and values in the cache, and the last items are the
// shortest of the last head. With few items a thread the last head would begin
// too late; then the longest tiles of all heads come first.

#include "HostDevice.h"

#include "CpuFeatures.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <thread>

#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

using namespace fovea::runtime;

namespace {

/// Numbers the work items in the order in which they are handed out.
class WorkOrder {
public:
  WorkOrder(const Grid &grid, int threads) : grid(grid) {
    constexpr int64_t itemsPerThread = 32;
    headByHead = size() / itemsPerThread >= threads;
  }

  int64_t size() const { return grid[0] * grid[1] * grid[2]; }

  std::array<int32_t, 3> operator[](int64_t index) const {
    int64_t heads = grid[1] * grid[2];
    int64_t head = headByHead ? index / grid[0] : index % heads;
    int64_t tile = headByHead ? index % grid[0] : index / heads;
    return {static_cast<int32_t>(grid[0] - 1 - tile),
            static_cast<int32_t>(head % grid[1]),
            static_cast<int32_t>(head / grid[1])};
  }

private:
  Grid grid;
  bool headByHead;
};

/// Aligned memory of one thread.
class Scratch {
public:
  explicit Scratch(int64_t bytes)
      : memory(bytes == 0 ? nullptr
                          : std::aligned_alloc(64, (bytes + 63) / 64 * 64)) {
    if (bytes != 0 && !memory)
      throw std::bad_alloc();
  }
  Scratch(const Scratch &) = delete;
  Scratch &operator=(const Scratch &) = delete;
  ~Scratch() { std::free(memory); }
  void *get() const { return memory; }

private:
  void *memory;
};

} // namespace

/// Items that are never run cannot be numbered either: a grid of 2^31 in every
/// direction has more than 64 bits of them.
static Status checkItems(const Grid &grid) {
  int64_t items = 0;
  if (__builtin_mul_overflow(grid[0] * grid[1], grid[2], &items))
    return wrongInput("the grid has more than 2^63 work items");
  return Status();
}

/// Runs work(next) in `threads` tasks; next++ is the number of an item until it
/// is beyond the last. No more tasks, so no more threads at a time.
static void
runWorkers(int threads, int64_t items,
           const std::function<void(std::atomic<int64_t> &)> &work) {
  std::atomic<int64_t> next{0};
  threads = static_cast<int>(std::min<int64_t>(threads, items));
  if (threads <= 1)
    return work(next);
  tbb::parallel_for(
      0, threads, [&](int) { work(next); }, tbb::simple_partitioner());
}

static int threadCount(const fovea_launch &launch) {
  int cores = tbb::this_task_arena::max_concurrency();
  return launch.threads > 0 ? std::min(launch.threads, cores) : cores;
}

Status fovea::runtime::launchOnHost(const fovea_kernel &kernel,
                                    const CheckedLaunch &checked,
                                    fovea_launch &launch) {
  const Manifest &manifest = kernel.manifest;
  if (Status s = checkInstructionSet(manifest.instructionSet); !s)
    return s;
  Result<size_t> index = chooseEntry(manifest, launch);
  if (!index)
    return index.error();
  const ManifestEntry &entry = manifest.entries[*index];
  Result<Grid> grid = evaluateGrid(manifest, entry, checked);
  if (!grid)
    return grid.error();
  if (Status s = checkItems(*grid); !s)
    return s;

  fovea_host_entry function = kernel.functions[*index].entry;
  if (!function)
    return wrongInput("the kernel can only count tiles");
  ParameterBlock parameters(manifest, launch, checked);
  int threads = threadCount(launch);
  WorkOrder order(*grid, threads);
  auto start = std::chrono::steady_clock::now();
  runWorkers(threads, order.size(), [&](std::atomic<int64_t> &next) {
    Scratch scratch(entry.scratchBytes);
    for (int64_t i = next++; i < order.size(); i = next++)
      function(parameters.data(), order[i].data(), scratch.get());
  });
  launch.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  return Status();
}

Result<fovea_tile_counts>
fovea::runtime::countOnHost(const fovea_kernel &kernel,
                            const CheckedLaunch &checked,
                            const fovea_launch &launch) {
  const Manifest &manifest = kernel.manifest;
  if (Status s = checkInstructionSet(manifest.instructionSet); !s)
    return s.error();
  // Every entry visits the same tiles; the last one asks for least.
  const ManifestEntry &entry = manifest.entries.back();
  fovea_host_tiles function = kernel.functions.back().tiles;
  if (!function)
    return wrongInput("the kernel does not count tiles");
  Result<Grid> grid = evaluateGrid(manifest, entry, checked);
  if (!grid)
    return grid.error();
  if (Status s = checkItems(*grid); !s)
    return s.error();

  ParameterBlock parameters(manifest, launch, checked);
  int threads = threadCount(launch);
  WorkOrder order(*grid, threads);
  std::array<std::atomic<int64_t>, 3> sums{};
  runWorkers(threads, order.size(), [&](std::atomic<int64_t> &next) {
    std::array<int64_t, 3> counts{};
    for (int64_t i = next++; i < order.size(); i = next++)
      function(parameters.data(), order[i].data(), counts.data());
    for (size_t c = 0; c < counts.size(); ++c)
      sums[c] += counts[c];
  });
  return fovea_tile_counts{sums[0], sums[1], sums[2]};
}
