// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is counted, and the bounds that follow. Expected values are counted by
// hand, from rates of data sheets, or measured on an H200 where it says so.
#include "Bounds.h"
#include "Counts/Costs.h"
#include "Counts/Wavefronts.h"
#include "Harness.h"
#include "MeasuredWavefronts.h"
#include <functional>
#include <gtest/gtest.h>

using namespace fovea::sim;
using namespace fovea::sim::test;

namespace {

// --- wavefronts and sectors -------------------------------------------------

struct Pattern {
  const char *what;
  unsigned bytes;
  std::function<int64_t(int)> address; // of a lane; negative: no access
  unsigned expected;
};

template <class F> unsigned costOf(const Pattern &pattern, F cost) {
  uint64_t addresses[32];
  uint32_t mask = 0;
  for (int lane = 0; lane < 32; ++lane) {
    int64_t at = pattern.address(lane);
    addresses[lane] = static_cast<uint64_t>(at);
    mask |= at >= 0 ? 1u << lane : 0;
  }
  return cost(addresses, mask, pattern.bytes);
}

TEST(Counts, WavefrontsFollowBanks) {
  const Pattern patterns[] = {
      {"side by side", 4, [](int l) { return 4 * l; }, 1},
      {"every second word", 4, [](int l) { return 8 * l; }, 2},
      {"a column of a row of 32", 4, [](int l) { return 128 * l; }, 32},
      {"a column of a row of 33", 4, [](int l) { return 132 * l; }, 1},
      {"one word for all", 4, [](int) { return 64; }, 1},
      {"bytes of one word", 1, [](int l) { return l % 4; }, 1},
      {"one lane", 4, [](int l) { return l == 7 ? 4 : -1; }, 1},
      {"64 bits side by side", 8, [](int l) { return 8 * l; }, 2},
      {"128 bits side by side", 16, [](int l) { return 16 * l; }, 4},
      {"128 bits in one column", 16, [](int l) { return 512 * l; }, 32},
      // Measured on an H200.
      {"128 bits, one address", 16, [](int) { return 0; }, 2},
      {"128 bits in pairs", 16, [](int l) { return l / 2 * 16; }, 2},
      {"64 bits in pairs", 8, [](int l) { return l / 2 * 8; }, 1},
      {"a pair that differs", 16,
       [](int l) { return l == 31 ? 256 : l / 2 * 16; }, 4},
      {"128 bits, one lane", 16, [](int l) { return l ? -1 : 0; }, 1},
  };
  for (const Pattern &pattern : patterns)
    EXPECT_EQ(
        costOf(pattern,
               [](const uint64_t *a, uint32_t mask, unsigned bytes) {
                 return sharedCost(a, mask, bytes, Traffic::Load).wavefronts;
               }),
        pattern.expected)
        << pattern.what;
}

TEST(Counts, SectorsAreSharedByLanes) {
  const Pattern patterns[] = {
      {"side by side", 4, [](int l) { return 4 * l; }, 4},
      {"not aligned", 4, [](int l) { return 4 * l + 16; }, 5},
      {"one word for all", 4, [](int) { return 0; }, 1},
      {"a line a lane", 4, [](int l) { return 128 * l; }, 32},
      {"128 bits side by side", 16, [](int l) { return 16 * l; }, 16},
      {"half of the lanes", 4, [](int l) { return l < 16 ? 4 * l : -1; }, 2},
      {"halves of sectors, 16 lanes apart", 16,
       [](int l) { return l % 16 * 128 + l / 16 * 16; }, 16},
  };
  for (const Pattern &pattern : patterns)
    EXPECT_EQ(costOf(pattern,
                     [](const uint64_t *a, uint32_t mask, unsigned bytes) {
                       return globalCost(a, mask, bytes, Traffic::Load).sectors;
                     }),
              pattern.expected)
        << pattern.what;
}

TEST(Counts, WavefrontsAreThoseOfAnH200) {
  for (const MeasuredPattern &pattern : measuredPatterns) {
    uint64_t addresses[32];
    for (int lane = 0; lane < 32; ++lane)
      addresses[lane] = uint64_t(pattern.places[lane]) * pattern.bytes;
    Traffic traffic = pattern.isStore ? Traffic::Store : Traffic::Load;
    EXPECT_EQ(sharedCost(addresses, ~0u, pattern.bytes, traffic).wavefronts,
              pattern.wavefronts)
        << "pattern " << &pattern - measuredPatterns;
  }
}

// Measured on an H200 (sectors.csv of throughput.sh).
TEST(Counts, StoresJoinNoParts) {
  auto wavefronts = [](const uint64_t *a, uint32_t mask, unsigned bytes) {
    return sharedCost(a, mask, bytes, Traffic::Store).wavefronts;
  };
  EXPECT_EQ(costOf({"", 16, [](int) { return 0; }, 0}, wavefronts), 4u);
  EXPECT_EQ(costOf({"", 8, [](int) { return 0; }, 0}, wavefronts), 2u);
}

TEST(Counts, GlobalMemoryTakesALineAWavefront) {
  auto wavefronts = [](const uint64_t *a, uint32_t mask, unsigned bytes) {
    return globalCost(a, mask, bytes, Traffic::Load).wavefronts;
  };
  auto atomic = [](const uint64_t *a, uint32_t mask, unsigned bytes) {
    return globalCost(a, mask, bytes, Traffic::Atomic).sectors;
  };
  EXPECT_EQ(costOf({"", 4, [](int l) { return 32 * l; }, 0}, wavefronts), 8u);
  EXPECT_EQ(costOf({"", 8, [](int l) { return 8 * l; }, 0}, wavefronts), 2u);
  EXPECT_EQ(costOf({"", 16, [](int) { return 0; }, 0}, wavefronts), 4u);
  EXPECT_EQ(costOf({"", 4, [](int) { return 0; }, 0}, atomic), 32u);
  EXPECT_EQ(costOf({"", 4, [](int l) { return 4 * l; }, 0}, atomic), 4u);
}

TEST(Counts, CopiesFetchASectorOnceAPlace) {
  struct Case {
    std::function<int64_t(int)> place;
    unsigned expected;
  };
  const Case cases[] = {
      {[](int l) { return 16 * l; }, 16},
      {[](int l) { return 16 * (l ^ 1); }, 16},
      {[](int l) { return l / 8 * 128 + (l % 8 ^ l / 8) * 16; }, 16}, // swizzle
      {[](int l) { return l % 8 * 2064 + l / 8 * 16; }, 32},
      {[](int l) { return 128 * l; }, 32},
      {[](int l) { return l / 2 * 128 + l % 2 * 16; }, 16},
      {[](int l) { return l / 2 % 4 * 2064 + l / 8 * 32 + l % 2 * 16; }, 24},
  };
  uint64_t from[32], to[32];
  for (const Case &c : cases) {
    for (int l = 0; l < 32; ++l) {
      from[l] = 4096 + static_cast<uint64_t>(16 * l);
      to[l] = static_cast<uint64_t>(c.place(l));
    }
    EXPECT_EQ(copySectors(from, to, ~0u), c.expected);
  }
}

// --- launches ---------------------------------------------------------------

LaunchResult count(const std::string &text, Dim3 grid, Dim3 block) {
  Device device;
  auto module = device.load(text);
  uint64_t params[2] = {device.allocate(65536, "first"),
                        device.allocate(65536, "second")};
  device.fill(params[0], 0, 65536);
  device.fill(params[1], 0, 65536);
  LaunchConfig config;
  config.grid = grid;
  config.block = block;
  config.count = true;
  LaunchResult result =
      device.launch(*module, "k", config, params, sizeof params);
  EXPECT_EQ(kinds(result), "");
  return result;
}

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

// --- bounds -----------------------------------------------------------------

TEST(Counts, WorkOfTensorInstructions) {
  EXPECT_EQ(multiplyAdds("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32"),
            2048u);
  // A quarter of the warpgroup's.
  EXPECT_EQ(
      multiplyAdds("wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16"),
      64u * 128 * 16 / 4);
  EXPECT_EQ(multiplyAdds("wmma.mma.sync.aligned.row.col.m16n16k16.f32.f32"),
            4096u);
}

// 64 x 128 x 16 takes 64 cycles, 64 x 32 x 16 with A in shared memory 24: A's
// 2048 and B's 1024 bytes at 128 a cycle (measured).
TEST(Counts, WgmmaTakesTensorCyclesOrItsOperands) {
  UnitSums wide =
      leastCost("wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16");
  EXPECT_DOUBLE_EQ(at(wide, Unit::TensorH100) * 4, 64);
  UnitSums narrow =
      leastCost("wgmma.mma_async.sync.aligned.m64n32k16.f32.bf16.bf16");
  EXPECT_DOUBLE_EQ(at(narrow, Unit::TensorH100) * 4, 16);
}

double bound(const LaunchResult &result, const char *machine,
             const char *pipe) {
  return boundsOf(result)[machine]["cycles"][pipe];
}

TEST(Counts, TensorBoundsAreTheDataSheets) {
  std::string product = "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
                        "{%f0, %f1, %f2, %f3}, {%t, %t, %t, %t}, {%t, %t}, "
                        "{%f4, %f4, %f4, %f4};\n";
  LaunchResult result = count(
      moduleOf("mov.f32 %f4, 0f00000000;\n" + product + product), {1}, {128});
  // A100: 1024 multiply-adds a cycle. H100: mma.sync at two thirds of 2048, by
  // ncu's sm__ops_path_tensor_op_hmma_src_bf16_dst_fp32_sparsity_off, of
  // which at most 2730.67 are possible.
  EXPECT_DOUBLE_EQ(bound(result, "A100", "tensor"), 4 * 2 * 2.0);
  EXPECT_DOUBLE_EQ(bound(result, "H100", "tensor"), 4 * 2 * 1.5);
}

TEST(Counts, TheBusiestBlockBounds) {
  // Block 0 takes one exponential, block 1 takes 31, by 4 warps each.
  LaunchResult result = count(moduleOf(R"(
  mov.u32 %r0, %ctaid.x;
  mov.f32 %f0, 0f00000000;
again:
  ex2.approx.ftz.f32 %f0, %f0;
  add.u32 %r0, %r0, 1;
  setp.eq.u32 %q1, %r0, 1;
  @%q1 bra done;
  setp.lt.u32 %q0, %r0, 32;
  @%q0 bra again;
done:
  mov.u32 %r3, %ctaid.x;
  mul.wide.u32 %w0, %r3, 4;
  add.u64 %w1, %p0, %w0;
  st.global.f32 [%w1], %f0;
)"),
                              {2}, {128});
  nlohmann::json a100 = boundsOf(result)["A100"];
  EXPECT_DOUBLE_EQ(a100["processor_cycles"]["mufu"], 4 * 32 * 2.0);
  EXPECT_DOUBLE_EQ(a100["cycles"]["mufu"], 4 * 31 * 2.0);
  EXPECT_EQ(a100["binding"], "mufu");
  EXPECT_DOUBLE_EQ(a100["share_of_tensor_bound"], 0);
}

TEST(Counts, BoundsLeaveOutWhatMayDisappear) {
  // Moves, widening, address arithmetic; a product that may be fused; what
  // nothing uses.
  LaunchResult result = count(moduleOf(R"(
  mov.u32 %r0, %t;
  cvt.u64.u32 %w0, %r0;
  add.u64 %w1, %p0, %w0;
  mov.f32 %f0, 0f3f800000;
  mul.f32 %f1, %f0, %f0;
  add.f32 %f2, %f1, %f0;
  neg.f32 %f3, %f2;
  fma.rn.f32 %f4, %f3, %f3, %f3;
  ex2.approx.ftz.f32 %f5, %f3;
  rcp.approx.ftz.f32 %f5, %f5;
  st.global.f32 [%p0], %f4;
)"),
                              {1}, {32});
  EXPECT_DOUBLE_EQ(bound(result, "A100", "fma"), 2 * 32 / 64.0);
  EXPECT_DOUBLE_EQ(bound(result, "A100", "alu"), 0);
  EXPECT_DOUBLE_EQ(bound(result, "A100", "mufu"), 0);
  EXPECT_DOUBLE_EQ(bound(result, "A100", "issue"), 3 / 4.0);
}

} // namespace
