// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the checks find, and what they must not find: small kernels, each with
// one idea.
#include "Harness.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace fovea::sim;
using namespace fovea::sim::test;

namespace {

const char *const shared64 = ".shared .align 4 .b8 s[256];";

/// Each thread stores its number, then reads its neighbour's; `sync` is
/// between.
std::string neighbour(const std::string &sync, unsigned threads) {
  return moduleOf("shl.b32 %r0, %t, 2; mov.u32 %r1, s; add.u32 %r2, %r1, %r0;\n"
                  "st.shared.u32 [%r2], %t;\n" +
                      sync + "add.u32 %r3, %t, 1; rem.u32 %r3, %r3, " +
                      std::to_string(threads) +
                      "; shl.b32 %r3, %r3, 2; add.u32 %r3, %r1, %r3;\n"
                      "ld.shared.u32 %r4, [%r3]; cvt.u64.u32 %w0, %r0;\n"
                      "add.u64 %w0, %p0, %w0; st.global.u32 [%w0], %r4;",
                  shared64);
}

TEST(SimRaces, BarrierOrdersTheCta) {
  EXPECT_EQ(kinds(launch(neighbour("bar.sync 0;\n", 64), {}, {64}, 256)), "");
  EXPECT_THAT(kinds(launch(neighbour("", 64), {}, {64}, 256)),
              testing::HasSubstr("race"));
}

TEST(SimRaces, OnlyWarpSyncOrdersAWarp) {
  EXPECT_EQ(kinds(launch(neighbour("bar.warp.sync -1;\n", 32), {}, {32}, 256)),
            "");
  EXPECT_EQ(kinds(launch(neighbour("", 32), {}, {32}, 256)), "race");
  // A shuffle brings lanes together, but orders no memory.
  EXPECT_EQ(
      kinds(launch(neighbour("shfl.sync.idx.b32 %r9, %t, 0, 31, -1;\n", 32), {},
                   {32}, 256)),
      "race");
}

TEST(SimRaces, NamesBothLines) {
  LaunchResult result = launch(neighbour("", 32), {}, {32}, 256);
  ASSERT_EQ(result.findings.size(), 1u);
  EXPECT_EQ(result.findings[0].allocation, "s");
  EXPECT_LT(result.findings[0].otherLine, result.findings[0].line);
  EXPECT_GT(result.findings[0].otherLine, 0u);
}

TEST(SimRaces, EqualValuesAreToldApart) {
  std::string same =
      moduleOf("mov.u32 %r0, 7; st.shared.u32 [s], %r0;", shared64);
  std::string other = moduleOf("st.shared.u32 [s], %t;", shared64);
  EXPECT_EQ(kinds(launch(same, {}, {64}, 256)), "");
  EXPECT_EQ(kinds(launch(other, {}, {64}, 256)), "race");
}

TEST(SimRaces, CtasNeedAtomics) {
  std::string plain =
      moduleOf("mov.u32 %r1, %ctaid.x; st.global.u32 [%p0], %r1;");
  std::string atomic =
      moduleOf("mov.u32 %r1, %ctaid.x; red.global.add.u32 [%p0], %r1;");
  EXPECT_EQ(kinds(launch(plain, {2}, {1}, 256)), "race");
  EXPECT_EQ(kinds(launch(atomic, {2}, {1}, 256)), "");
}

/// Block 0 writes data and raises a flag, block 1 waits for it and reads.
std::string message(const std::string &before, const std::string &after) {
  return moduleOf("mov.u32 %r1, %ctaid.x; setp.ne.u32 %q0, %r1, 0;\n"
                  "mov.u32 %r2, 1; @%q0 bra WAIT;\n"
                  "st.global.u32 [%p0+16], %r2;\n" +
                  before +
                  "st.volatile.global.u32 [%p0], %r2; bra END;\n"
                  "WAIT: ld.volatile.global.u32 %r3, [%p0];\n"
                  "setp.eq.u32 %q1, %r3, 0; @%q1 bra WAIT;\n" +
                  after +
                  "ld.global.u32 %r4, [%p0+16]; st.global.u32 [%p1], %r4;\n"
                  "END:");
}

TEST(SimRaces, FencesCarryAMessage) {
  const char *fence = "membar.gl;\n";
  EXPECT_EQ(kinds(launch(message(fence, fence), {2}, {1}, 256)), "");
  EXPECT_EQ(kinds(launch(message("", fence), {2}, {1}, 256)), "race");
  EXPECT_EQ(kinds(launch(message(fence, ""), {2}, {1}, 256)), "race");
}

/// Each CTA of a cluster of two stores, then reads from the other's memory.
std::string acrossCluster(const std::string &arrive) {
  std::string text = moduleOf(
      "mov.u32 %r0, %cluster_ctarank; st.shared.u32 [s], %r0;\n" + arrive +
          "barrier.cluster.wait;\n"
          "xor.b32 %r1, %r0, 1; mov.u32 %r2, s;\n"
          "mapa.shared::cluster.u32 %r3, %r2, %r1;\n"
          "ld.shared::cluster.u32 %r4, [%r3];\n"
          "mul.wide.u32 %w0, %r0, 4; add.u64 %w0, %p0, %w0;\n"
          "st.global.u32 [%w0], %r4;\n"
          "barrier.cluster.arrive; barrier.cluster.wait;\n",
      shared64, "sm_90");
  text.insert(text.find(")\n{") + 2, ".reqnctapercluster 2, 1, 1\n");
  return text;
}

TEST(SimRaces, ARelaxedClusterArrivalNeedsAFence) {
  const char *relaxed = "barrier.cluster.arrive.relaxed;\n";
  std::string fence = "fence.acq_rel.cluster;\n";
  std::vector<uint32_t> out;
  EXPECT_EQ(kinds(launch(acrossCluster("barrier.cluster.arrive;\n"), {2}, {1},
                         256, &out)),
            "");
  EXPECT_EQ(out[0], 1u);
  EXPECT_EQ(kinds(launch(acrossCluster(fence + relaxed), {2}, {1}, 256)), "");
  EXPECT_EQ(kinds(launch(acrossCluster(relaxed), {2}, {1}, 256)), "race");
}

std::string copyKernel(const std::string &wait) {
  return moduleOf("mov.u32 %r0, a; cp.async.ca.shared.global [%r0], [%p0], 4;\n"
                  "cp.async.commit_group;\n" +
                      wait +
                      "ld.shared.u32 %r1, [%r0]; st.global.u32 [%p1], %r1;",
                  ".shared .align 16 .b8 a[64];");
}

TEST(SimRaces, CopiesAreInFlightUntilTheirWait) {
  EXPECT_EQ(kinds(launch(copyKernel("cp.async.wait_group 0;\n"), {}, {1}, 256)),
            "");
  EXPECT_EQ(kinds(launch(copyKernel("cp.async.wait_all;\n"), {}, {1}, 256)),
            "");
  EXPECT_THAT(
      kinds(launch(copyKernel("cp.async.wait_group 1;\n"), {}, {1}, 256)),
      testing::HasSubstr("race"));
}

TEST(SimChecks, BoundsOfEveryAllocation) {
  EXPECT_EQ(
      kinds(launch(moduleOf("ld.global.u32 %r0, [%p0+252];"), {}, {1}, 256)),
      "");
  EXPECT_EQ(
      kinds(launch(moduleOf("ld.global.u32 %r0, [%p0+256];"), {}, {1}, 256)),
      "out-of-bounds");
  EXPECT_EQ(kinds(launch(moduleOf("st.shared.u32 [s+256], %t;", shared64), {},
                         {1}, 256)),
            "out-of-bounds");
  EXPECT_EQ(kinds(launch(moduleOf("st.local.u32 [l+8], %t;",
                                  ".local .align 4 .b8 l[8];"),
                         {}, {1}, 256)),
            "out-of-bounds");
}

TEST(SimChecks, OnlyTheDeclaredAlignmentHolds) {
  const char *wide = "ld.shared.v2.u32 {%r0, %r1}, [s];";
  EXPECT_EQ(kinds(launch(moduleOf(wide, shared64), {}, {1}, 256)),
            "misaligned");
  EXPECT_EQ(kinds(launch(moduleOf(wide, ".shared .align 8 .b8 s[256];"), {},
                         {1}, 256)),
            "");
}

TEST(SimChecks, UnwrittenValuesAreReportedWhereTheyMatter) {
  // Loading is no fault, storing or branching is; a selection of the other
  // operand is none.
  EXPECT_EQ(kinds(launch(moduleOf("ld.shared.u32 %r0, [s];", shared64), {}, {1},
                         256)),
            "");
  EXPECT_EQ(kinds(launch(moduleOf("st.global.u32 [%p0], %r5;"), {}, {1}, 256)),
            "uninitialized");
  EXPECT_EQ(kinds(launch(moduleOf("setp.eq.u32 %q0, %r5, 0; @%q0 bra X; X:"),
                         {}, {1}, 256)),
            "uninitialized");
  EXPECT_EQ(kinds(launch(
                moduleOf("setp.eq.u32 %q0, %t, %t; selp.u32 %r0, %t, %r5, %q0;"
                         "st.global.u32 [%p0], %r0;"),
                {}, {1}, 256)),
            "");
}

TEST(SimChecks, DeadlocksEnd) {
  std::string half =
      moduleOf("setp.lt.u32 %q0, %t, 32; @%q0 bra.uni X; bar.sync 0, 64; X: ");
  EXPECT_THAT(kinds(launch(half, {}, {64}, 256)),
              testing::HasSubstr("deadlock"));
  std::string divergent =
      moduleOf("setp.lt.u32 %q0, %t, 16; @%q0 bra X; bar.sync 0; bra Y;"
               "X: bar.sync 0; Y:");
  EXPECT_THAT(kinds(launch(divergent, {}, {32}, 256)),
              testing::HasSubstr("deadlock"));
  std::string spin = moduleOf("X: ld.volatile.global.u32 %r0, [%p0]; "
                              "setp.eq.u32 %q0, %r0, 0; @%q0 bra X;");
  EXPECT_THAT(kinds(launch(spin, {}, {1}, 256)),
              testing::HasSubstr("deadlock"));
}

TEST(SimChecks, LongLoopsAreNoDeadlock) {
  std::string loop = moduleOf(
      "mov.u32 %r0, 0; X: add.u32 %r0, %r0, 1; setp.lt.u32 %q0, %r0, 3000000;"
      "@%q0 bra X; st.global.u32 [%p0], %r0;");
  std::vector<uint32_t> out;
  EXPECT_EQ(kinds(launch(loop, {}, {1}, 256, &out)), "");
  EXPECT_EQ(out[0], 3000000u);
}

/// An exited warp is not waited for; lanes of a warp may wait for each other.
TEST(SimDivergence, MakesProgress) {
  std::string early = moduleOf("setp.ge.u32 %q0, %t, 32; @%q0 exit; bar.sync "
                               "0; st.global.u32 [%p0], %t;");
  EXPECT_EQ(kinds(launch(early, {}, {33}, 256)),
            "race"); // 32 lanes, one address
  std::string lanes =
      moduleOf("setp.eq.u32 %q0, %t, 0; @!%q0 bra SET;\n"
               "X: ld.volatile.global.u32 %r0, [%p0]; setp.eq.u32 %q1, %r0, 0; "
               "@%q1 bra X; bra END;\n"
               "SET: mov.u32 %r1, 1; st.volatile.global.u32 [%p0], %r1; END:");
  for (uint64_t seed : {0, 1, 2})
    EXPECT_EQ(kinds(launch(lanes, {}, {2}, 256, nullptr, seed)), "");
}

} // namespace
