// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Warp instructions against their definitions, and matrix products against
// sums of products by the fragment layouts of the ISA text.
#include "Harness.h"
#include <bit>
#include <gtest/gtest.h>
#include <random>

using namespace fovea::sim;
using namespace fovea::sim::test;

namespace {

Words lanes() {
  Words words;
  for (uint64_t l = 0; l < 32; ++l)
    words.push_back(l);
  return words;
}

TEST(SimWarp, ShufflesByMode) {
  Words a = lanes();
  Words up = evaluate("shfl.sync.up.b32 %d32, %a32, 3, 0, -1;", "32", a);
  Words down = evaluate("shfl.sync.down.b32 %d32, %a32, 3, 31, -1;", "32", a);
  // Segments of 8: c = 0x1800 | 31 (ISA text, shfl).
  Words idx = evaluate("shfl.sync.idx.b32 %d32, %a32, 5, 0x181f, -1;", "32", a);
  Words in = evaluate("shfl.sync.down.b32 %d32|%p, %a32, 3, 31, -1;", "p", a);
  for (uint64_t l = 0; l < 32; ++l) {
    EXPECT_EQ(up[l], l < 3 ? l : l - 3);
    EXPECT_EQ(down[l], l + 3 > 31 ? l : l + 3);
    EXPECT_EQ(idx[l], (l & ~7ull) + 5);
    EXPECT_EQ(in[l], l + 3 <= 31);
  }
}

TEST(SimWarp, VotesAndReduces) {
  Words a = lanes();
  EXPECT_EQ(evaluate("vote.sync.ballot.b32 %d32, %q, -1;", "32", a)[7],
            0xaaaaaaaau);
  EXPECT_EQ(evaluate("redux.sync.max.s32 %d32, %a32, -1;", "32", a)[0], 31u);
  EXPECT_EQ(evaluate("and.b32 %r0, %a32, 3; match.any.sync.b32 %d32, %r0, -1;",
                     "32", a)[1],
            0x22222222u);
  EXPECT_EQ(evaluate("activemask.b32 %d32;", "32", a)[0], 0xffffffffu);
}

float bf(uint32_t h) { return std::bit_cast<float>(h << 16); }

/// mma.m16n8k16 of bf16: fragments are filled by the formulas of the ISA text
/// (9.7.14.5.8), the product by its definition.
TEST(SimMma, SixteenBySixteenProduct) {
  std::mt19937 random(1);
  uint32_t a[16][16], b[16][8];
  for (auto &row : a)
    for (uint32_t &x : row) // small integers are exact
      x = std::bit_cast<uint32_t>(float(int(random() % 9) - 4)) >> 16;
  for (auto &row : b)
    for (uint32_t &x : row)
      x = std::bit_cast<uint32_t>(float(int(random() % 9) - 4)) >> 16;
  Words a01(32), a23(32), b01(32);
  for (unsigned l = 0; l < 32; ++l) {
    unsigned g = l >> 2, t = l % 4;
    auto packA = [&](unsigned i) {
      unsigned row = (i < 2 || (i >= 4 && i < 6)) ? g : g + 8;
      unsigned col = t * 2 + (i & 1) + (i >= 4 ? 8 : 0);
      return a[row][col] | a[row][col + 1] << 16;
    };
    a01[l] = packA(0) | uint64_t(packA(2)) << 32;
    a23[l] = packA(4) | uint64_t(packA(6)) << 32;
    auto packB = [&](unsigned i) {
      unsigned row = t * 2 + (i & 1) + (i >= 2 ? 8 : 0);
      return b[row][g] | b[row + 1][g] << 16;
    };
    b01[l] = packB(0) | uint64_t(packB(2)) << 32;
  }
  for (unsigned i = 0; i < 4; ++i) {
    Words got = evaluate(
        "mov.b64 {%r0, %r1}, %a; mov.b64 {%r2, %r3}, %b; mov.b64 {%r4, %r5}, "
        "%c;"
        "{ .reg .f32 %f<4>; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32"
        " {%f0,%f1,%f2,%f3}, {%r0,%r1,%r2,%r3}, {%r4,%r5},"
        " {0f3f800000,0f3f800000,0f3f800000,0f3f800000};"
        " mov.b32 %d32, %f" +
            std::to_string(i) + "; }",
        "32", a01, a23, b01);
    for (unsigned l = 0; l < 32; ++l) {
      unsigned row = (l >> 2) + (i < 2 ? 0 : 8), col = l % 4 * 2 + (i & 1);
      float sum = 1;
      for (unsigned k = 0; k < 16; ++k)
        sum += bf(a[row][k]) * bf(b[k][col]);
      EXPECT_EQ(std::bit_cast<float>(uint32_t(got[l])), sum);
    }
  }
}

/// Row r of matrix i holds 64 i + 8 r + column; lane t gets (t / 4, 2 (t % 4)).
TEST(SimMatrix, LoadsAndTransposes) {
  auto run = [&](const std::string &trans, std::vector<uint32_t> &out) {
    std::string body = "mov.u32 %r0, m; shl.b32 %r1, %t, 4; add.u32 %r0, %r0, "
                       "%r1; shl.b32 %r2, %t, 3;\n";
    for (int c = 0; c < 4; ++c)
      body += "add.u32 %r3, %r2, " + std::to_string(2 * c) +
              "; shl.b32 %r4, %r3, 16; add.u32 %r4, %r4, 65536;"
              " or.b32 %r3, %r3, %r4; st.shared.u32 [%r0+" +
              std::to_string(4 * c) + "], %r3;\n";
    body += "bar.warp.sync -1; ldmatrix.sync.aligned.m8n8.x4" + trans +
            ".shared.b16 {%r5,%r6,%r7,%r8}, [%r0];\n"
            "cvt.u64.u32 %w0, %r1; add.u64 %w0, %p0, %w0; st.global.v4.u32 "
            "[%w0], {%r5,%r6,%r7,%r8};";
    return launch(moduleOf(body, ".shared .align 16 .b8 m[512];"), {}, {32},
                  512, &out);
  };
  std::vector<uint32_t> plain, trans;
  EXPECT_EQ(kinds(run("", plain)), "");
  EXPECT_EQ(kinds(run(".trans", trans)), "");
  for (uint32_t t = 0; t < 32; ++t)
    for (uint32_t i = 0; i < 4; ++i) {
      uint32_t first = 64 * i + 8 * (t / 4) + 2 * (t % 4);
      EXPECT_EQ(plain[4 * t + i], first | (first + 1) << 16);
      uint32_t down = 64 * i + 8 * (2 * (t % 4)) + t / 4;
      EXPECT_EQ(trans[4 * t + i], down | (down + 8) << 16);
    }
}

} // namespace
