// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a launch is said to have executed and moved, counted by hand.
#include "Bounds.h"
#include "Harness.h"
#include <gtest/gtest.h>

using namespace fovea::sim;
using namespace fovea::sim::test;

namespace {

TEST(Counts, LoopsHaveTheirOwnInstructions) {
  // Two warps go round the outer loop 3 times, the inner one 5 times in each.
  LaunchResult result = count(moduleOf(R"(
  mov.u32 %r0, 0;
outer:
  mov.u32 %r1, 0;
inner:
  xor.b32 %r2, %r2, %t;
  add.u32 %r1, %r1, 1;
  setp.lt.u32 %q0, %r1, 5;
  @%q0 bra inner;
  add.u32 %r0, %r0, 1;
  setp.lt.u32 %q0, %r0, 3;
  @%q0 bra outer;
)",
                                       "mov.u32 %r2, 0;"),
                              {1}, {64});
  nlohmann::json counts = countsOf(result);
  ASSERT_EQ(counts["loops"].size(), 2u);
  const auto &inner = counts["loops"][0], &outer = counts["loops"][1];
  EXPECT_EQ(inner["warp_rounds"], 2 * 3 * 4);
  EXPECT_EQ(inner["by_opcode"]["xor.b32"], 2 * 3 * 5);
  EXPECT_EQ(inner["warp_instructions"], 2 * 3 * 5 * 4);
  EXPECT_EQ(outer["warp_rounds"], 2 * 2);
  EXPECT_EQ(outer["by_opcode"]["bra"], 2 * 3 * 5 + 2 * 3);
  // Of warps only: counters are the same for all lanes, %r2 is not.
  EXPECT_EQ(inner["by_pipe"]["uniform"], 2 * 3 * 5 * 2);
  EXPECT_EQ(inner["by_pipe"]["alu"], 2 * 3 * 5);
}

TEST(Counts, PartedLanesAndPredicates) {
  LaunchResult result = count(moduleOf(R"(
  and.b32 %r0, %t, 1;
  setp.eq.u32 %q0, %r0, 0;
  setp.eq.u32 %q1, %r0, 7;
  @%q0 bra even;
  add.u32 %r1, %t, 1;
even:
  @%q1 add.u32 %r1, %t, 2;
  bar.warp.sync -1;
  bar.sync 0;
)"),
                              {1}, {32});
  nlohmann::json counts = countsOf(result);
  EXPECT_EQ(counts["branches"]["executed"], 1);
  EXPECT_EQ(counts["branches"]["divergent"], 1);
  // The first add by half of the lanes, the second by none.
  EXPECT_EQ(counts["by_opcode"]["add.u32"], 2);
  EXPECT_EQ(counts["predicated_off"], 1);
  // Lanes that wait for each other execute it together.
  EXPECT_EQ(counts["by_opcode"]["bar.warp.sync"], 1);
  EXPECT_EQ(counts["barriers"], 2);
  EXPECT_EQ(counts["waits"].size(), 2u);
}

TEST(Counts, NegatedPredicatesAreOneInstruction) {
  LaunchResult result = count(moduleOf(R"(
  setp.eq.u32 %q0, %t, 0;
  and.pred %q1, !%q0, %q0;
  selp.b32 %r0, 1, 2, %q1;
)"),
                              {1}, {32});
  EXPECT_EQ(countsOf(result)["by_opcode"]["and.pred"], 1);
}

TEST(Counts, CopiesMoveBytesAndSectors) {
  LaunchResult result = count(moduleOf(R"(
  mov.u32 %r0, tile;
  mad.lo.u32 %r0, %t, 16, %r0;
  mul.wide.u32 %w0, %t, 16;
  add.u64 %w1, %p1, %w0;
  cp.async.cg.shared.global [%r0], [%w1], 16;
  cp.async.wait_all;
  ld.shared.u32 %r1, [%r0];
  mul.wide.u32 %w0, %t, 4;
  add.u64 %w2, %p0, %w0;
  st.global.u32 [%w2], %r1;
  st.local.u32 [own], %r1;
)",
                                       ".shared .align 16 .b8 tile[512];\n"
                                       ".local .align 4 .b8 own[4];"),
                              {1}, {32});
  nlohmann::json counts = countsOf(result);
  EXPECT_EQ(counts["global"]["second"]["read_bytes"], 512);
  EXPECT_EQ(counts["global"]["second"]["read_sectors"], 16);
  EXPECT_EQ(counts["global"]["first"]["written_bytes"], 128);
  EXPECT_EQ(counts["global"]["first"]["written_sectors"], 4);
  EXPECT_EQ(counts["async_bytes"], 512);
  // Words of the lanes lie side by side in local memory.
  EXPECT_EQ(counts["local"]["bytes"], 128);
  EXPECT_EQ(counts["local"]["sectors"], 4);
  // 32 lanes 16 bytes apart: four words in each bank used.
  ASSERT_EQ(counts["shared"].size(), 1u);
  EXPECT_EQ(counts["shared"][0]["wavefronts"], 4);
  EXPECT_EQ(counts["shared"][0]["conflicts"], 3);
}

TEST(Counts, TilesOfWmmaMoveBytes) {
  // 16 rows of 32 bytes, 64 bytes apart, in pieces of 16 bytes.
  LaunchResult result = count(moduleOf(R"(
  wmma.load.a.sync.aligned.row.m16n16k16.global.f16 {%r0, %r1, %r2, %r3, %r4, %r5, %r6, %r7}, [%p1], 32;
  mov.f32 %f0, 0f00000000;
  wmma.store.d.sync.aligned.row.m16n16k16.shared.f32 [tile], {%f0, %f0, %f0, %f0, %f0, %f0, %f0, %f0}, 16;
)",
                                       ".shared .align 32 .b8 tile[1024];"),
                              {1}, {32});
  nlohmann::json counts = countsOf(result);
  EXPECT_EQ(counts["global"]["second"]["read_bytes"], 512);
  EXPECT_EQ(counts["global"]["second"]["read_sectors"], 16);
  // 64 pieces of rows 64 bytes apart: four of eight on the same banks.
  ASSERT_EQ(counts["shared"].size(), 1u);
  EXPECT_EQ(counts["shared"][0]["wavefronts"], 64 / 8 * 4);
}

TEST(Counts, BulkCopiesMoveBytesAndSectors) {
  LaunchResult result = count(moduleOf(R"(
  setp.ne.u32 %q0, %t, 0;
  @%q0 bra wait;
  mbarrier.init.shared.b64 [bar], 1;
  fence.mbarrier_init.release.cluster;
  mbarrier.arrive.expect_tx.shared.b64 %w0, [bar], 4096;
  mov.u32 %r0, tile;
  mov.u32 %r1, bar;
  cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r0], [%p1], 4096, [%r1];
wait:
  bar.sync 0;
again:
  mbarrier.try_wait.parity.shared.b64 %q1, [bar], 0;
  @!%q1 bra again;
)",
                                       ".shared .align 128 .b8 tile[4096];\n"
                                       ".shared .align 8 .b8 bar[8];",
                                       "sm_90"),
                              {1}, {32});
  nlohmann::json counts = countsOf(result);
  EXPECT_EQ(counts["global"]["second"]["read_bytes"], 4096);
  EXPECT_EQ(counts["global"]["second"]["read_sectors"], 128);
  EXPECT_EQ(counts["async_bytes"], 4096);
}

TEST(Counts, SwizzlesDoNotCutSectors) {
  Device device;
  TensorMapDesc map;
  map.address = device.allocate(1024, "tensor");
  device.fill(map.address, 0, 1024);
  map.element = TensorElement::F16;
  map.rank = 2;
  map.dims[0] = map.box[0] = 64; // rows of 128 bytes
  map.dims[1] = map.box[1] = 8;
  map.strides[1] = 128;
  map.swizzle = 3;
  alignas(64) uint8_t params[128];
  encodeTensorMap(map, params);
  auto module = device.load(R"(.version 8.0
.target sm_90
.address_size 64
.visible .entry k(.param .align 64 .b8 map[128])
{
  .reg .b64 %w<3>;
  .reg .b32 %r<4>;
  .reg .pred %q;
  .shared .align 1024 .b8 tile[1024];
  .shared .align 8 .b8 bar[8];
  mov.b64 %w0, map;
  cvta.param.u64 %w1, %w0;
  mov.u32 %r0, tile;
  mov.u32 %r1, bar;
  mov.u32 %r2, 0;
  mbarrier.init.shared.b64 [bar], 1;
  fence.mbarrier_init.release.cluster;
  mbarrier.arrive.expect_tx.shared.b64 %w2, [bar], 1024;
  cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%r0], [%w1, {%r2, %r2}], [%r1];
again:
  mbarrier.try_wait.parity.shared.b64 %q, [bar], 0;
  @!%q bra again;
  ret;
})");
  LaunchConfig config;
  config.count = true;
  LaunchResult result =
      device.launch(*module, "k", config, params, sizeof params);
  EXPECT_EQ(kinds(result), "");
  EXPECT_EQ(result.allocations["tensor"].readBytes, 1024u);
  EXPECT_EQ(result.allocations["tensor"].readSectors, 1024u / 32);
}

} // namespace
