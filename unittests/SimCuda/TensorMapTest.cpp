// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensor maps: encoded by the driver, read by cp.async.bulk.tensor.

#include "SimDriver.h"

#include <gmock/gmock.h>

using namespace simcuda_test;

namespace {

/// out = the box of 4 x 4 words at column 4, row 3 of the map.
constexpr const char *tileKernel = R"(
.version 8.0
.target sm_90a
.address_size 64
.visible .entry tile(.param .align 64 .b8 map[128], .param .u64 out)
{
  .reg .pred %p<4>;
  .reg .b32 %r<12>;
  .reg .b64 %rd<6>;
  .shared .align 128 .b8 box[64];
  .shared .align 8 .b8 bar[8];
  mov.u32 %r1, %tid.x;
  mov.u32 %r2, bar;
  mov.u32 %r3, box;
  setp.ne.u32 %p1, %r1, 0;
  @%p1 bra READY;
  mov.b32 %r4, 1;
  mbarrier.init.shared::cta.b64 [%r2], %r4;
  fence.proxy.async.shared::cta;
  mov.b32 %r5, 64;
  mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r2], %r5;
  mov.b64 %rd1, map;
  cvta.param.u64 %rd1, %rd1;
  mov.b32 %r6, 4;
  mov.b32 %r7, 3;
  cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes
    [%r3], [%rd1, {%r6, %r7}], [%r2];
READY:
  bar.sync 0;
  mov.b32 %r8, 0;
AGAIN:
  mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r2], %r8;
  @!%p2 bra AGAIN;
  shl.b32 %r9, %r1, 2;
  add.s32 %r9, %r9, %r3;
  ld.shared.u32 %r10, [%r9];
  ld.param.u64 %rd2, [out];
  mad.wide.u32 %rd2, %r1, 4, %rd2;
  st.global.u32 [%rd2], %r10;
  ret;
})";

/// A map of 5 rows of 8 words; `row` is the rows' stride in bytes.
int encode(void *map, uint64_t address, uint64_t row, int type = 2,
           uint32_t rank = 2) {
  uint64_t dims[] = {8, 5}, strides[] = {row};
  uint32_t box[] = {4, 4}, steps[] = {1, 1};
  return cu("cuTensorMapEncodeTiled", map, type, rank,
            reinterpret_cast<void *>(address), // NOLINT
            static_cast<const uint64_t *>(dims),
            static_cast<const uint64_t *>(strides),
            static_cast<const uint32_t *>(box),
            static_cast<const uint32_t *>(steps), 0, 0, 0, 0);
}

TEST_F(Simulated, LoadsABoxOfATensorMap) {
  std::vector<uint32_t> words(40);
  for (uint32_t i = 0; i < 40; ++i)
    words[i] = 100 + i;
  uint64_t in = allocate(160), out = allocate(64);
  ASSERT_EQ(cu("cuMemcpyHtoD_v2", in, words.data(), size_t{160}), 0);
  alignas(64) char map[128];
  ASSERT_EQ(encode(map, in, 32), 0) << errorText(1);
  int result = launch(function(tileKernel, "tile"), 1, 16, {map, &out});
  ASSERT_EQ(result, 0) << errorText(result);
  EXPECT_EQ(read(out, 16), // rows 3 and 4, then rows beyond the end
            (std::vector<uint32_t>{128, 129, 130, 131, 136, 137, 138, 139, 0, 0,
                                   0, 0, 0, 0, 0, 0}));
}

TEST_F(Simulated, RefusesMapsThatTheHardwareWould) {
  uint64_t in = allocate(160);
  char map[128];
  EXPECT_EQ(encode(map, in + 8, 32), 1);
  EXPECT_THAT(errorText(1), testing::HasSubstr("the address to be a multiple"));
  EXPECT_EQ(encode(map, in, 36), 1);
  EXPECT_EQ(encode(map, in, 32, 2, 6), 1);
  EXPECT_EQ(encode(map, in, 32, 13), 801); // 4-bit types are sm_100's
  EXPECT_EQ(encode(nullptr, in, 32), 1);
}

} // namespace
