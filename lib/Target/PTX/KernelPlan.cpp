// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sizes and offsets of one kernel; the layout is described in KernelPlan.h.
#include "fovea/Target/PTX/KernelPlan.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace fovea;
using namespace fovea::ptx;

/// Registers beside the tiles: addresses, pointers, the walk, temporaries.
static constexpr int64_t otherRegisters = 56;

template <typename... Args>
static llvm::Error failure(const char *format, Args &&...args) {
  return llvm::createStringError(
      llvm::formatv(format, std::forward<Args>(args)...).str());
}

/// The limits of the fragments and of the hardware.
static llvm::Error checkSchedule(const TargetDescription &target,
                                 const Schedule &s) {
  if (s.rows < 1 || s.keys < 1 || s.stages < 1 || s.warps < 1)
    return failure("expected rows, keys, stages and warps of at least 1, but "
                   "got {0}, {1}, {2} and {3}",
                   s.rows, s.keys, s.stages, s.warps);
  if (s.warps * 32 > target.maxThreads)
    return failure("expected at most {0} warps on {1}, but got {2}",
                   target.maxThreads / 32, target.name, s.warps);
  if (s.rows % (16 * s.warps) != 0 || s.rows / s.warps > 64)
    return failure("expected rows a multiple of 16 a warp and at most 64 a "
                   "warp, but got {0} rows and {1} warps",
                   s.rows, s.warps);
  if (s.keys % 16 != 0 || s.keys > 128)
    return failure("expected keys a multiple of 16 up to 128, but got {0}",
                   s.keys);
  return llvm::Error::success();
}

int64_t KernelPlan::tileRegisters() const {
  int64_t output = rowBlocks() * vPadded / 2;
  int64_t scores = rowBlocks() * schedule.keys / 2;
  int64_t query = queryInRegisters ? rowBlocks() * qkPadded / 4 : 0;
  return output + scores + query;
}

/// Offsets of what follows the stages.
static void placeInSharedMemory(KernelPlan &plan) {
  int64_t stages = plan.schedule.stages;
  int64_t end = stages * plan.stageBytes();
  plan.queryOffset = end;
  if (plan.queryInRegisters && stages > 1)
    plan.queryOffset = (stages - 1) * plan.stageBytes();
  end = std::max(end, plan.queryOffset + plan.query.bytes());
  plan.probabilitiesOffset = end;
  if (!plan.usesTensorCores())
    end += plan.schedule.rows * plan.probabilitiesPitch();
  plan.wordsOffset = end;
  // The output is staged over all of it, and may be longer. Behind its last row
  // there is no gap.
  plan.sharedBytes =
      std::max(end + 16, plan.schedule.rows * plan.outputPitch() - 16);
}

llvm::Expected<KernelPlan> ptx::planKernel(const TargetDescription &target,
                                           const Schedule &schedule,
                                           int64_t qkDim, int64_t vDim,
                                           unsigned elementBits) {
  if (qkDim < 1 || vDim < 1 || std::max(qkDim, vDim) > target.maxHeadDim)
    return failure("expected head dimensions from 1 to {0} on {1}, but got {2} "
                   "and {3}",
                   target.maxHeadDim, target.name, qkDim, vDim);
  if (llvm::Error error = checkSchedule(target, schedule))
    return error;
  KernelPlan plan{};
  plan.schedule = schedule;
  plan.qkDim = qkDim;
  plan.vDim = vDim;
  plan.elementBytes = elementBits / 8;
  int64_t chunk = 16 / plan.elementBytes;
  plan.qkPadded = llvm::alignTo(qkDim, plan.usesTensorCores() ? 16 : 4);
  plan.vPadded = llvm::alignTo(vDim, 16);
  auto tile = [&](int64_t rows, int64_t padded, int64_t dim) {
    return SharedTile{rows, padded / chunk,
                      int64_t(llvm::divideCeil(dim, chunk)),
                      plan.usesTensorCores()};
  };
  plan.query = tile(schedule.rows, plan.qkPadded, qkDim);
  plan.key = tile(schedule.keys, plan.qkPadded, qkDim);
  plan.value = tile(schedule.keys, plan.vPadded, vDim);
  plan.queryInRegisters = plan.usesTensorCores();
  if (plan.tileRegisters() + otherRegisters > target.registersPerThread)
    plan.queryInRegisters = false;
  placeInSharedMemory(plan);
  if (plan.sharedBytes > target.sharedBytes)
    return failure("expected at most {0} bytes of shared memory on {1}, but "
                   "{2} x {3} tiles in {4} stages need {5}",
                   target.sharedBytes, target.name, schedule.rows,
                   schedule.keys, schedule.stages, plan.sharedBytes);
  return plan;
}
