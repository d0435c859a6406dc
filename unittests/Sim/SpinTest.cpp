// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loops that wait for ever are deadlocks, loops that wait for long are not.
#include "Harness.h"
#include <gtest/gtest.h>

using namespace fovea::sim;
using namespace fovea::sim::test;

namespace {

const char *const flag = ".shared .align 4 .u32 flag;";

std::string run(const std::string &body, uint32_t blocks, uint32_t threads,
                uint64_t seed) {
  return kinds(launch(moduleOf(body, flag), {blocks, 1, 1}, {threads, 1, 1},
                      256, nullptr, seed));
}

/// Threads take a lock in turn. The second buffer counts them.
std::string locked(const char *take, const char *leave) {
  return std::string("L: ") + take +
         " setp.ne.u32 %q0, %r0, 0; @%q0 bra L;\n"
         "ld.volatile.global.u32 %r1, [%p1]; add.u32 %r1, %r1, 1;\n"
         "st.volatile.global.u32 [%p1], %r1; membar.gl;\n" +
         leave;
}

TEST(SimSpin, ALockThatNobodyLeaves) {
  for (const char *take : {"atom.global.cas.b32 %r0, [%p0], 0, 1;",
                           "atom.global.exch.b32 %r0, [%p0], 1;"})
    for (uint64_t seed : {0, 1}) {
      const char *leave = "atom.global.exch.b32 %r2, [%p0], 0;";
      EXPECT_EQ(run(locked(take, leave), 3, 1, seed), "");
      EXPECT_EQ(run(locked(take, leave), 1, 32, seed), "");
      EXPECT_EQ(run(locked(take, ""), 3, 1, seed), "deadlock");
      EXPECT_EQ(run(locked(take, ""), 1, 32, seed).substr(0, 8), "deadlock");
    }
}

/// Warp 0 waits for a flag at a barrier in each round; warp 1 comes to the
/// barrier so many times, then raises the flag.
std::string rounds(unsigned count, const char *raise) {
  return "st.shared.u32 [flag], 0; bar.sync 0;\n"
         "setp.lt.u32 %q0, %t, 32; @%q0 bra WAIT; mov.u32 %r0, 0;\n"
         "L: bar.sync 0; add.u32 %r0, %r0, 1;\n"
         "setp.lt.u32 %q1, %r0, " +
         std::to_string(count) + "; @%q1 bra L;\n" + raise +
         "M: bar.sync 0; ld.volatile.shared.u32 %r1, [flag];\n"
         "setp.eq.u32 %q1, %r1, 0; @%q1 bra M; bra END;\n"
         "WAIT: bar.sync 0; ld.volatile.shared.u32 %r1, [flag];\n"
         "setp.eq.u32 %q1, %r1, 0; @%q1 bra WAIT;\n"
         "END:";
}

TEST(SimSpin, BarriersInTheLoop) {
  const char *raise = "st.volatile.shared.u32 [flag], 1;\n";
  for (uint64_t seed : {0, 1}) {
    EXPECT_EQ(run(rounds(60000, raise), 1, 64, seed), "");
    EXPECT_EQ(run(rounds(3, ""), 1, 64, seed).substr(0, 8), "deadlock");
  }
}

/// A block counts twice. With seed 0 blocks run one after the other; other
/// seeds let another block come in between.
TEST(SimSpin, OtherSeedsMixBlocks) {
  std::string text =
      moduleOf("atom.global.add.u32 %r0, [%p0+128], 1; mov.u32 %r2, 0;\n"
               "L: add.u32 %r2, %r2, 1; setp.lt.u32 %q0, %r2, 50; @%q0 bra L;\n"
               "atom.global.add.u32 %r1, [%p0+128], 1; sub.u32 %r1, %r1, %r0;\n"
               "mov.u32 %r3, %ctaid.x; mul.wide.u32 %w0, %r3, 4;\n"
               "add.u64 %w0, %w0, %p0; st.global.u32 [%w0], %r1;");
  unsigned between[2] = {};
  for (uint64_t seed : {0, 1, 2, 3, 4}) {
    std::vector<uint32_t> out;
    EXPECT_EQ(kinds(launch(text, {8}, {1}, 256, &out, seed)), "");
    EXPECT_EQ(out[32], 16u);
    for (unsigned block = 0; block < 8; ++block)
      between[seed != 0] += out[block] > 1;
  }
  EXPECT_EQ(between[0], 0u);
  EXPECT_GT(between[1], 0u);
}

/// Block 0 waits for a flag that the last block raises.
TEST(SimSpin, BlocksThatDoNotRunYetAreNoDeadlock) {
  std::string text = moduleOf(
      "mov.u32 %r0, %ctaid.x; setp.eq.u32 %q0, %r0, 0;\n"
      "setp.eq.u32 %q1, %r0, 19; @%q1 st.volatile.global.u32 [%p0], 1;"
      "\n@!%q0 bra END;\n"
      "L: ld.volatile.global.u32 %r1, [%p0]; setp.eq.u32 %q2, %r1, 0;\n"
      "@%q2 bra L;\n"
      "END:");
  for (uint64_t seed : {0, 1, 2})
    EXPECT_EQ(kinds(launch(text, {20}, {64}, 256, nullptr, seed)), "");
}

} // namespace
