// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the PTX back end decides without emitting anything: the chooser, the
// plan of shared memory, and the reading of ptxas's report.
#include "fovea/Target/PTX/PTX.h"
#include "fovea/Target/PTX/KernelPlan.h"
#include "fovea/Target/TargetDescription.h"

#include "gtest/gtest.h"

#include <set>

using namespace fovea;
using namespace fovea::ptx;

namespace {

TEST(ChooseSchedule, FitsTheTargetForEveryHeadDimension) {
  const TargetDescription &target = getSM80();
  for (unsigned bits : {16u, 32u})
    for (int64_t dim = 1; dim <= target.maxHeadDim; ++dim) {
      auto schedule = chooseSchedule(target, dim, dim, bits);
      ASSERT_TRUE(bool(schedule))
          << dim << ": " << llvm::toString(schedule.takeError());
      auto plan = planKernel(target, *schedule, dim, dim, bits);
      ASSERT_TRUE(bool(plan))
          << dim << ": " << llvm::toString(plan.takeError());
      EXPECT_LE(plan->sharedBytes, target.sharedBytes) << dim;
      EXPECT_LT(plan->tileRegisters(), target.registersPerThread - 40) << dim;
      EXPECT_GE(schedule->stages, 2) << dim;
    }
}

TEST(ChooseSchedule, TakesOverrides) {
  auto schedule = chooseSchedule(getSM80(), 64, 64, 16, {{}, 32, 3, {}});
  ASSERT_TRUE(bool(schedule));
  EXPECT_EQ(schedule->keys, 32);
  EXPECT_EQ(schedule->stages, 3);
  schedule = chooseSchedule(getSM80(), 64, 64, 16, {32, {}, {}, {}});
  ASSERT_TRUE(bool(schedule));
  EXPECT_EQ(schedule->rows, 32);
  EXPECT_EQ(schedule->warps, 2); // 16 rows a warp
}

std::string errorOf(llvm::Expected<Schedule> schedule) {
  return schedule ? "" : llvm::toString(schedule.takeError());
}

TEST(ChooseSchedule, SaysWhatDoesNotFit) {
  EXPECT_EQ(
      errorOf(chooseSchedule(getSM80(), 300, 64, 16)),
      "expected head dimensions from 1 to 256 on sm_80, but got 300 and 64");
  EXPECT_EQ(errorOf(chooseSchedule(getSM80(), 64, 64, 16, {{}, 24, {}, {}})),
            "expected keys a multiple of 16 up to 128, but got 24");
  EXPECT_EQ(errorOf(chooseSchedule(getSM80(), 64, 64, 16, {40, {}, {}, 2})),
            "expected rows a multiple of 16 a warp and at most 64 a warp, but "
            "got 40 rows "
            "and 2 warps");
  EXPECT_EQ(errorOf(chooseSchedule(getSM80(), 64, 64, 16, {{}, {}, {}, 64})),
            "expected at most 32 warps on sm_80, but got 64");
  // Three stages of K and V, 64 keys by 256: 3 * 2 * 32 * 1040 bytes, and 128
  // rows of Q.
  EXPECT_NE(errorOf(chooseSchedule(getSM80(), 256, 256, 16, {{}, 64, 3, {}})),
            "");
}

/// Byte ranges of 16-byte chunks that a warp touches at once must differ in
/// their banks, 8 lanes at a time (shared memory moves 128 bytes a cycle).
void expectDistinctBanks(const std::vector<int64_t> &addresses) {
  for (size_t phase = 0; phase < addresses.size(); phase += 8) {
    std::set<int64_t> banks;
    for (size_t i = phase; i < phase + 8; ++i)
      banks.insert(addresses[i] / 16 % 8);
    EXPECT_EQ(banks.size(), 8u) << "lanes from " << phase;
  }
}

TEST(KernelPlan, SharedTilesHaveNoBankConflicts) {
  for (int64_t rows : {16, 64, 128}) {
    SharedTile tile{rows, 16, 16, true};
    std::vector<int64_t> matrix, copy;
    for (int64_t lane = 0; lane < 32; ++lane) {
      matrix.push_back(tile.offsetOf(lane % 16, lane / 16)); // ldmatrix.x4
      copy.push_back(tile.offsetOf(lane / 16, lane % 16)); // rows of 256 bytes
    }
    expectDistinctBanks(matrix);
    expectDistinctBanks(copy);
    // The halves of a sector of global memory share an aligned slot.
    for (int64_t row = 0; row < 16; ++row)
      for (int64_t chunk = 0; chunk < 16; chunk += 2)
        EXPECT_EQ(tile.offsetOf(row, chunk) / 32,
                  tile.offsetOf(row, chunk + 1) / 32);
  }
}

TEST(KernelPlan, PadsAndPlaces) {
  auto plan = planKernel(getSM80(), {64, 64, 2, 4}, 40, 20, 16);
  ASSERT_TRUE(bool(plan));
  EXPECT_EQ(plan->qkPadded, 48);
  EXPECT_EQ(plan->vPadded, 32);
  EXPECT_EQ(plan->key.chunks, 6);
  EXPECT_EQ(plan->key.dataChunks, 5);
  EXPECT_FALSE(plan->hasAlignedRows()); // 20 elements are 40 bytes
  EXPECT_EQ(plan->stageBytes(), 6 * 1040 + 4 * 1040);
  // Q goes to registers and borrows the second stage; nothing but the words
  // follows.
  EXPECT_TRUE(plan->queryInRegisters);
  EXPECT_EQ(plan->queryOffset, plan->stageBytes());
  EXPECT_EQ(plan->sharedBytes, 2 * plan->stageBytes() + 16);
}

TEST(KernelPlan, HoldsTheStagedOutput) {
  for (unsigned bits : {16u, 32u}) {
    // One short stage: the output of 64 rows of 256 is longer than the tiles.
    auto plan = planKernel(getSM80(), {64, 16, 1, 4}, 8, 256, bits);
    ASSERT_TRUE(bool(plan));
    int64_t staged = 63 * plan->outputPitch() + 256 * bits / 8;
    EXPECT_GT(staged, plan->stageBytes());
    EXPECT_EQ(plan->sharedBytes, staged);
  }
}

TEST(PtxasReport, ReadsRegistersSpillsAndMessages) {
  PtxasResult result = parsePtxasReport(
      "ptxas warning : Value of threads per SM is out of range\n"
      "ptxas info    : 0 bytes gmem\n"
      "ptxas info    : Compiling entry function 'f_general' for 'sm_80'\n"
      "ptxas info    : Function properties for f_general\n"
      "    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n"
      "ptxas info    : Used 174 registers, used 1 barriers, 504 bytes cmem[0]\n"
      "ptxas info    : Compiling entry function 'f' for 'sm_80'\n"
      "ptxas info    : Function properties for f\n"
      "    16 bytes stack frame, 12 bytes spill stores, 20 bytes spill loads\n"
      "ptxas info    : Used 255 registers, used 1 barriers, 504 bytes "
      "cmem[0]\n");
  ASSERT_EQ(result.entries.size(), 2u);
  EXPECT_EQ(result.entries[0].name, "f_general");
  EXPECT_EQ(result.entries[0].registers, 174);
  EXPECT_EQ(result.entries[0].spillLoads, 0);
  EXPECT_EQ(result.entries[1].name, "f");
  EXPECT_EQ(result.entries[1].registers, 255);
  EXPECT_EQ(result.entries[1].stackBytes, 16);
  EXPECT_EQ(result.entries[1].spillStores, 12);
  EXPECT_EQ(result.entries[1].spillLoads, 20);
  EXPECT_EQ(result.messages,
            "ptxas warning : Value of threads per SM is out of range\n");
}

TEST(PtxasReport, MissingProgramIsAnError) {
  ASSERT_EQ(setenv("FOVEA_PTXAS", "/nonexistent/ptxas", 1), 0);
  auto result = runPtxas(".version 8.0");
  unsetenv("FOVEA_PTXAS");
  ASSERT_FALSE(bool(result));
  EXPECT_EQ(
      llvm::toString(result.takeError()),
      "FOVEA_PTXAS names '/nonexistent/ptxas', which is no executable file");
}

} // namespace
