// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tile sizes for a head shape: the first of a short list, best first, that fits
// the registers and the shared memory of the target.
#include "fovea/Target/TargetDescription.h"

#include "fovea/Target/PTX/KernelPlan.h"

using namespace fovea;

const TargetDescription &fovea::getSM80() {
  static const TargetDescription target{"sm_80", 163 * 1024, 255, 1024, 256};
  return target;
}

/// Thirty-two rows a warp, which read K and V from shared memory half as often,
/// where registers allow; else sixteen. docs/ptx-backend.md has the figures.
static llvm::ArrayRef<Schedule> candidates(unsigned elementBits) {
  static const Schedule half[] = {{128, 64, 2, 4}, {128, 32, 2, 4},
                                  {128, 64, 2, 8}, {64, 64, 2, 4},
                                  {64, 32, 2, 4},  {64, 32, 1, 4}};
  static const Schedule single[] = {
      {64, 32, 2, 4}, {64, 16, 2, 4}, {64, 16, 1, 4}};
  return elementBits == 16 ? llvm::ArrayRef<Schedule>(half)
                           : llvm::ArrayRef<Schedule>(single);
}

/// The user's numbers in place of the candidate's. Rows and warps go together:
/// where only one is given the other follows at 16 rows a warp.
static Schedule apply(const ScheduleOverrides &overrides, Schedule schedule) {
  if (overrides.rows && !overrides.warps)
    schedule.warps = std::max<int64_t>(1, *overrides.rows / 16);
  if (overrides.warps && !overrides.rows)
    schedule.rows = *overrides.warps * 16;
  schedule.rows = overrides.rows.value_or(schedule.rows);
  schedule.keys = overrides.keys.value_or(schedule.keys);
  schedule.stages = overrides.stages.value_or(schedule.stages);
  schedule.warps = overrides.warps.value_or(schedule.warps);
  return schedule;
}

/// Registers beside the tiles where ptxas spills nothing, as measured on
/// causal and window masks with a plain score.
static constexpr int64_t plainRegisters = 64;

llvm::Expected<Schedule>
fovea::chooseSchedule(const TargetDescription &target, int64_t qkDim,
                      int64_t vDim, unsigned elementBits,
                      const ScheduleOverrides &overrides,
                      int64_t elementRegisters) {
  std::string message;
  bool anyOverride = overrides.rows || overrides.warps;
  for (const Schedule &candidate : candidates(elementBits)) {
    Schedule schedule = apply(overrides, candidate);
    auto plan = ptx::planKernel(target, schedule, qkDim, vDim, elementBits);
    if (!plan) {
      message = llvm::toString(plan.takeError());
      continue;
    }
    bool large = plan->rowBlocks() > 1 && !anyOverride;
    if (!large || plan->tileRegisters() + plainRegisters + elementRegisters <=
                      target.registersPerThread)
      return schedule;
  }
  return llvm::createStringError(message);
}
