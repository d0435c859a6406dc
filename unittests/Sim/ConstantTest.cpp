// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Constant expressions and initialisers, and 128-bit words.
#include "Harness.h"
#include <cstring>
#include <gtest/gtest.h>

using namespace fovea::sim;
using namespace fovea::sim::test;

namespace {

uint64_t valueOf(const std::string &expression) {
  return evaluate("mov.b64 %d, " + expression + ";", "64", {0})[0];
}

TEST(SimConstant, FollowsTheRulesOfC) {
  EXPECT_EQ(valueOf("(3+4)*2"), 14u);
  EXPECT_EQ(valueOf("3+4*2-10/3"), 8u);
  EXPECT_EQ(valueOf("-(-5)"), 5u);
  EXPECT_EQ(valueOf("0x10 + 4"), 20u);
  EXPECT_EQ(valueOf("017 | 0b1000000"), 79u);
  EXPECT_EQ(valueOf("1 << 4 + 1"), 32u);
  EXPECT_EQ(valueOf("-16 >> 2"), ~0ull - 3);
  EXPECT_EQ(valueOf("-16U >> 60"), 15u);
  EXPECT_EQ(valueOf("0xfabc123400000000 >> 60"), 15u);
  EXPECT_EQ(valueOf("~5 & 0xff ^ 1"), 0xfbu);
  EXPECT_EQ(valueOf("5 > 3 ? 7 : 8"), 7u);
  EXPECT_EQ(valueOf("-1 < 0U ? 7 : 8"), 8u);
  EXPECT_EQ(valueOf("(.s64)-1 < 0 && !0 || 0"), 1u);
  EXPECT_EQ(valueOf("7 % 4 == 3"), 1u);
  EXPECT_EQ(valueOf("-9223372036854775808"), 1ull << 63);
  EXPECT_EQ(valueOf("WARP_SZ - 1"), 31u);
  double expected = -(1.5 + 2) * 0.25;
  uint64_t bits;
  std::memcpy(&bits, &expected, sizeof bits);
  EXPECT_EQ(evaluate("mov.f64 %d, -(1.5+2.0)*0.25;", "64", {0})[0], bits);
}

TEST(SimConstant, RefusesNonsense) {
  for (const char *text : {"4 / 0", "(3", "1.0 + 2", "1.0 % 2.0", "3 +"})
    EXPECT_ANY_THROW(valueOf(text)) << text;
}

TEST(SimConstant, OffsetsAndElements) {
  const char *words = ".shared .align 4 .u32 s[8];";
  std::vector<uint32_t> out;
  std::string body = "mov.u32 %r0, 11; mov.u32 %r1, 22;\n"
                     "st.shared.u32 [s+4*3], %r0; st.shared.u32 s[5], %r1;\n"
                     "ld.shared.u32 %r2, s[3]; ld.shared.u32 %r3, [s+24-4];\n"
                     "st.global.u32 [%p0], %r2; st.global.u32 [%p0+4], %r3;";
  EXPECT_EQ(kinds(launch(moduleOf(body, words), {}, {1}, 64, &out)), "");
  EXPECT_EQ(out[0], 11u);
  EXPECT_EQ(out[1], 22u);
}

/// Bytes of an address one by one, as compilers fill structures.
TEST(SimConstant, InitialValuesAreExpressions) {
  std::string text = R"(
.version 9.0
.target sm_80
.address_size 64
.global .align 4 .u32 g[2*2] = {1+1, -(3), 0xFF00(0x1234), 7};
.global .align 8 .b64 p[2] = {generic(g)+4, g};
.global .align 8 .b8 m[8] = {0xFF(g), 0xFF00(g), 0xFF0000(g), 0xFF000000(g),
  0xFF00000000(g), 0xFF0000000000(g), 0xFF000000000000(g),
  0xFF00000000000000(g)};
.global .f32 f = 1;
.visible .entry k(.param .u64 p0, .param .u64 p1)
{
  .reg .b64 %w<9>; .reg .b32 %r<9>;
  ld.param.u64 %w0, [p0];
  ld.global.u64 %w1, [p]; ld.u32 %r1, [%w1];
  ld.global.u64 %w2, [m]; ld.u32 %r2, [%w2];
  ld.global.u32 %r3, [g+8]; ld.global.u32 %r4, [f];
  st.global.v4.u32 [%w0], {%r1, %r2, %r3, %r4};
  ret;
}
)";
  std::vector<uint32_t> out;
  EXPECT_EQ(kinds(launch(text, {}, {1}, 64, &out)), "");
  EXPECT_EQ(out[0], 0u - 3);
  EXPECT_EQ(out[1], 2u);
  EXPECT_EQ(out[2], 0x12u);
  EXPECT_EQ(out[3], 0x3f800000u);
}

const char *const wide = ".reg .b128 %x<4>;";

TEST(SimWide, MovesAndKeepsBothHalves) {
  std::vector<uint32_t> out;
  std::string body =
      "mov.u64 %w0, 0x1111111122222222; mov.u64 %w1, 0x3333333344444444;\n"
      "mov.b128 %x0, {%w0, %w1}; mov.b128 %x1, %x0;\n"
      "st.global.b128 [%p0], %x1; ld.global.b128 %x2, [%p0];\n"
      "mov.b128 {%w2, %w3}, %x2; st.global.v2.u64 [%p0+16], {%w3, %w2};";
  EXPECT_EQ(kinds(launch(moduleOf(body, wide), {}, {1}, 64, &out)), "");
  EXPECT_EQ(out, (std::vector<uint32_t>{0x22222222, 0x11111111, 0x44444444,
                                        0x33333333, 0x44444444, 0x33333333,
                                        0x22222222, 0x11111111, 0, 0, 0, 0, 0,
                                        0, 0, 0}));
  EXPECT_EQ(kinds(launch(moduleOf("ld.global.b128 %x0, [%p0+8];", wide), {},
                         {1}, 64)),
            "misaligned");
  EXPECT_EQ(kinds(launch(moduleOf("mov.u64 %w0, 1; mov.b128 %x0, {%w0, %w5};\n"
                                  "st.global.b128 [%p0], %x0;",
                                  wide),
                         {}, {1}, 64)),
            "uninitialized");
}

/// 32 lanes add 1 to both halves by compare and exchange.
TEST(SimWide, AtomicsExchangeSixteenBytes) {
  std::vector<uint32_t> out;
  std::string body =
      "mov.u64 %w0, 0; mov.u64 %w1, 0;\n"
      "X: mov.b128 %x0, {%w0, %w1}; add.u64 %w2, %w0, 1; add.u64 %w3, %w1, 1;\n"
      "mov.b128 %x1, {%w2, %w3};\n"
      "atom.relaxed.gpu.global.cas.b128 %x2, [%p0], %x0, %x1;\n"
      "mov.b128 {%w4, %w5}, %x2; setp.ne.u64 %q0, %w0, %w4;\n"
      "mov.u64 %w0, %w4; mov.u64 %w1, %w5; @%q0 bra X;\n"
      "atom.global.exch.b128 _, [%p0+16], %x1;";
  EXPECT_EQ(kinds(launch(moduleOf(body, wide, "sm_90"), {}, {32}, 64, &out)),
            "");
  EXPECT_EQ(out[0], 32u);
  EXPECT_EQ(out[2], 32u);
  EXPECT_EQ(out[4], out[6]);
}

} // namespace
