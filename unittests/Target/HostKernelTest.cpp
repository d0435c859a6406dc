// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tile kernels, compiled and run on this CPU, against a plain loop in double.
#include "HostTestKernel.h"

#include "gtest/gtest.h"

using namespace fovea::host;
using namespace fovea::host::test;

namespace {

double toleranceOf(Storage storage) {
  // O is rounded once: half a unit in the last place of 11 and of 8 bits.
  return storage == Storage::F32 ? 3e-6 : storage == Storage::F16 ? 5e-4 : 4e-3;
}

//===----------------------------------------------------------------------===//
// Types, head dimensions and lengths
//===----------------------------------------------------------------------===//

struct Shape {
  Storage storage;
  int64_t qkDim, vDim;
};
class HostShapes : public testing::TestWithParam<Shape> {};

TEST_P(HostShapes, CausalAtAwkwardLengths) {
  auto [storage, qkDim, vDim] = GetParam();
  Problem p = causal(storage, 1, 1, qkDim, vDim);
  auto compiled = Compiled::createOrDie(p.text);
  for (auto [nq, nk] : {std::pair<int64_t, int64_t>{1, 1},
                        {1, 200},
                        {63, 63},
                        {65, 200},
                        {200, 65}, // the first 135 rows keep nothing
                        {64, 128},
                        {5, 0}})
    for (int64_t padding : {0, 3}) {
      SCOPED_TRACE(testing::Message()
                   << nq << " queries, " << nk << " keys, padding " << padding);
      p.nq = nq;
      p.nk = nk;
      expectClose(runRandom(*compiled, p, nq + nk, padding),
                  toleranceOf(storage));
    }
}

INSTANTIATE_TEST_SUITE_P(
    All, HostShapes,
    testing::Values(Shape{Storage::F32, 64, 64}, Shape{Storage::F32, 20, 128},
                    Shape{Storage::F32, 1, 3}, Shape{Storage::F16, 64, 64},
                    Shape{Storage::F16, 7, 20}, Shape{Storage::BF16, 128, 64},
                    Shape{Storage::BF16, 9, 5}));

TEST(HostKernel, GroupedHeadsAndBatches) {
  Problem p = causal(Storage::F32, 70, 90, 16, 16);
  p.text.qHeads = 6;
  p.text.kvHeads = 2;
  p.batch = 2;
  auto compiled = Compiled::createOrDie(p.text);
  expectClose(runRandom(*compiled, p, 3, 5), 3e-6);
}

TEST(HostKernel, TilesOfOddSizes) {
  // Not a multiple of a panel; fewer keys than a block; one of each; large.
  for (auto [rows, keys] :
       {std::pair<int64_t, int64_t>{24, 5}, {1, 1}, {100, 130}}) {
    SCOPED_TRACE(testing::Message() << rows << " rows, " << keys << " keys");
    Problem p = causal(Storage::F32, 111, 77, 16, 16);
    p.text.rows = rows;
    p.text.keys = keys;
    auto compiled = Compiled::createOrDie(p.text);
    expectClose(runRandom(*compiled, p), 3e-6);
  }
}

/// The code for 16 lanes, run on whatever vectors this machine has.
TEST(HostKernel, SixteenLanesOnAnyMachine) {
  Problem p = causal(Storage::BF16, 150, 150, 20, 20);
  mlir::DialectRegistry registry;
  auto compiled = llvm::cantFail(Compiled::create(
      p.text, llvm::cantFail(InstructionSet::parse("x86-64-v3")),
      /*lanes=*/16));
  expectClose(runRandom(*compiled, p), 4e-3);
}

} // namespace
