// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An order or an atomic access holds among the threads of its scope only. The
// expected verdicts are the PTX ISA's memory model by hand.
#include "Harness.h"
#include <gtest/gtest.h>

using namespace fovea::sim;
using namespace fovea::sim::test;

namespace {

/// Thread 0 of the grid writes data and raises a flag, the last thread waits
/// for it and reads.
std::string message(const std::string &raise, const std::string &look,
                    const std::string &target = "sm_90") {
  return moduleOf("mov.u32 %r1, %ctaid.x; mov.u32 %r5, %ntid.x;\n"
                  "mad.lo.u32 %r1, %r1, %r5, %t;\n"
                  "mov.u32 %r6, %nctaid.x; mul.lo.u32 %r6, %r6, %r5;\n"
                  "sub.u32 %r6, %r6, 1;\n"
                  "setp.eq.u32 %q0, %r1, %r6; mov.u32 %r2, 1;\n"
                  "@%q0 bra WAIT; setp.ne.u32 %q1, %r1, 0; @%q1 bra END;\n"
                  "st.global.u32 [%p0+16], %r2;\n" +
                      raise + "bra END;\nWAIT:\n" + look +
                      "setp.eq.u32 %q1, %r3, 0; @%q1 bra WAIT;\n"
                      "ld.global.u32 %r4, [%p0+16]; "
                      "st.global.u32 [%p1], %r4;\nEND:",
                  "", target);
}
/// In a release store and an acquire load of these scopes.
std::string message(const std::string &release, const std::string &acquire,
                    bool) {
  return message("st.release." + release + ".global.u32 [%p0], %r2;\n",
                 "ld.acquire." + acquire + ".global.u32 %r3, [%p0];\n");
}

const Dim3 acrossCtas{2, 1, 1}, one{1, 1, 1}, twoWarps{64, 1, 1};

TEST(SimScopes, ReleaseAndAcquireMustIncludeEachOther) {
  auto run = [](const char *release, const char *acquire, Dim3 grid,
                Dim3 block) {
    return kinds(launch(message(release, acquire, true), grid, block, 256));
  };
  EXPECT_EQ(run("gpu", "gpu", acrossCtas, one), "");
  EXPECT_EQ(run("sys", "gpu", acrossCtas, one), "");
  EXPECT_NE(run("cta", "gpu", acrossCtas, one), "");
  EXPECT_NE(run("gpu", "cta", acrossCtas, one), "");
  EXPECT_NE(run("cluster", "cluster", acrossCtas, one), "");
  EXPECT_EQ(run("cta", "cta", one, twoWarps), "");
  EXPECT_EQ(run("cta", "gpu", one, twoWarps), "");
}

TEST(SimScopes, TheNarrowerOfFenceAndAccessCounts) {
  const std::string raise = "st.relaxed.gpu.global.u32 [%p0], %r2;\n",
                    look = "ld.relaxed.gpu.global.u32 %r3, [%p0];\n";
  auto run = [&](const std::string &before, const std::string &after, Dim3 grid,
                 Dim3 block) {
    return kinds(
        launch(message(before + raise, look + after), grid, block, 256));
  };
  const char *wide = "fence.acq_rel.gpu;\n", *narrow = "fence.acq_rel.cta;\n";
  EXPECT_EQ(run(wide, wide, acrossCtas, one), "");
  EXPECT_EQ(run(narrow, wide, acrossCtas, one), "race");
  EXPECT_EQ(run(wide, narrow, acrossCtas, one), "race");
  EXPECT_EQ(run("membar.cta;\n", "membar.gl;\n", acrossCtas, one), "race");
  EXPECT_EQ(run(narrow, narrow, one, twoWarps), "");
  // A wide fence first, then a narrow one with nothing new: the wide counts.
  EXPECT_EQ(run(std::string(wide) + narrow, wide, acrossCtas, one), "");
}

TEST(SimScopes, AClusterIsAScope) {
  auto run = [](const char *cluster) {
    std::string text = message("cluster", "cluster", true);
    text.insert(text.find(")\n{") + 2,
                std::string(".reqnctapercluster ") + cluster + ", 1, 1\n");
    return kinds(launch(text, acrossCtas, one, 256));
  };
  EXPECT_EQ(run("2"), "");
  EXPECT_NE(run("1"), "");
}

TEST(SimScopes, AtomicsOfABlockRaceAcrossBlocks) {
  auto add = [](const char *scope, Dim3 grid) {
    return kinds(launch(moduleOf(std::string("mov.u32 %r1, 1; red.relaxed.") +
                                 scope + ".global.add.u32 [%p0], %r1;"),
                        grid, {64, 1, 1}, 256));
  };
  EXPECT_EQ(add("gpu", acrossCtas), "");
  EXPECT_EQ(add("cta", one), "");
  EXPECT_EQ(add("cta", acrossCtas), "race");
}

/// The last block to arrive sums what all left: the usual reduction.
TEST(SimScopes, ArrivalsByAtomicCountersNeedWideFences) {
  auto sum = [](const std::string &fence) {
    std::string text =
        moduleOf("mov.u32 %r1, %ctaid.x; mul.wide.u32 %w0, %r1, 4;\n"
                 "add.u64 %w0, %p0, %w0; st.global.u32 [%w0+16], %r1;\n" +
                 fence +
                 "mov.u32 %r2, 1; atom.global.add.u32 %r3, [%p0], %r2;\n"
                 "setp.ne.u32 %q0, %r3, 2; @%q0 bra END;\n" +
                 fence +
                 "ld.global.u32 %r4, [%p0+16]; ld.global.u32 %r5, [%p0+20];\n"
                 "ld.global.u32 %r6, [%p0+24]; add.u32 %r4, %r4, %r5;\n"
                 "add.u32 %r4, %r4, %r6; st.global.u32 [%p1], %r4;\nEND:");
    return kinds(launch(text, {3, 1, 1}, one, 256));
  };
  EXPECT_EQ(sum("membar.gl;\n"), "");
  EXPECT_NE(sum("membar.cta;\n"), "");
  EXPECT_NE(sum(""), "");
}

} // namespace
