// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Lower bounds, from rates of data sheets or measured on an H200 where it says
// so.
#include "Bounds.h"
#include "Counts/Costs.h"
#include "Harness.h"
#include <gtest/gtest.h>

using namespace fovea::sim;
using namespace fovea::sim::test;

namespace {

TEST(Bounds, WorkOfTensorInstructions) {
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
TEST(Bounds, WgmmaTakesTensorCyclesOrItsOperands) {
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

TEST(Bounds, TensorBoundsAreTheDataSheets) {
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

TEST(Bounds, TheBusiestBlockBounds) {
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

TEST(Bounds, BoundsLeaveOutWhatMayDisappear) {
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
