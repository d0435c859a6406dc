// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Floating-point instructions. Roundings are found by search: the nearest
// values of the small type around the exact one, which doubles hold.
#include "Harness.h"
#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace fovea::sim::test;

namespace {

uint64_t bits(float x) { return std::bit_cast<uint32_t>(x); }
float f32(uint64_t x) { return std::bit_cast<float>(static_cast<uint32_t>(x)); }
double half(uint32_t h) {
  unsigned e = h >> 10 & 31, f = h & 1023;
  double v = e == 31  ? (f ? NAN : INFINITY)
             : e == 0 ? std::ldexp(f, -24)
                      : std::ldexp(1024 + f, static_cast<int>(e) - 25);
  return h & 0x8000 ? -v : v;
}
double bhalf(uint32_t h) { return f32(uint64_t(h) << 16); }

const float inf = std::numeric_limits<float>::infinity();
const std::vector<float> edges = {
    0.0f,       -0.0f,           1.0f,    -1.0f,     1.5f,     0x1p-149f,
    -0x1p-126f, 0x1.fffffep127f, inf,     -inf,      0.1f,     65504.0f,
    65519.9f,   65520.0f,        5.9e-8f, 2.98e-8f,  3.0e-8f,  1.00048828125f,
    1.0014648f, -2.5f,           3.5f,    123456.7f, -0.3333f, 1e-30f};

Words asWords(const std::vector<float> &values) {
  Words words;
  for (float value : values)
    words.push_back(bits(value));
  return words;
}

/// The code nearest to x among all finite ones below `top`, ties to even.
uint64_t searchNearest(double x, double (*value)(uint32_t), uint32_t top) {
  uint32_t sign = std::signbit(x) ? 0x8000 : 0;
  double m = std::fabs(x);
  uint32_t best = 0;
  for (uint32_t code = 0; code <= top; ++code) {
    // Beyond the largest finite value the next step up stands for infinity.
    double v = code == top ? 2 * value(top - 1) - value(top - 2) : value(code);
    double now = std::fabs(v - m);
    double then = best == top
                      ? std::fabs(2 * value(top - 1) - value(top - 2) - m)
                      : std::fabs(value(best) - m);
    if (now < then || (now == then && code % 2 == 0))
      best = code;
  }
  return sign | (std::isinf(x) ? top : best);
}

TEST(SimFloat, ConvertsToHalf) {
  Words a = asWords(edges);
  Words got = evaluate("cvt.rn.f16.f32 %d16, %a32;", "16", a);
  for (size_t i = 0; i < a.size(); ++i)
    EXPECT_EQ(got[i], searchNearest(edges[i], half, 0x7c00)) << edges[i];
}

TEST(SimFloat, ConvertsToBfloat) {
  Words a = asWords(edges);
  Words got = evaluate("cvt.rn.bf16.f32 %d16, %a32;", "16", a);
  for (size_t i = 0; i < a.size(); ++i)
    EXPECT_EQ(got[i], searchNearest(edges[i], bhalf, 0x7f80)) << edges[i];
}

/// Directed rounding to half: the largest code not above, and so on.
TEST(SimFloat, ConvertsToHalfInEveryDirection) {
  Words a = asWords(edges);
  Words down = evaluate("cvt.rm.f16.f32 %d16, %a32;", "16", a);
  Words up = evaluate("cvt.rp.f16.f32 %d16, %a32;", "16", a);
  Words zero = evaluate("cvt.rz.f16.f32 %d16, %a32;", "16", a);
  for (size_t i = 0; i < a.size(); ++i) {
    double x = edges[i];
    EXPECT_LE(half(down[i]), x);
    EXPECT_GE(half(up[i]), x);
    EXPECT_LE(std::fabs(half(zero[i])), std::fabs(x));
    for (uint32_t code = 0; code < 0x7c00; ++code)
      for (double v : {half(code), -half(code)}) {
        EXPECT_FALSE(v > half(down[i]) && v <= x) << x;
        EXPECT_FALSE(v < half(up[i]) && v >= x) << x;
      }
    bool toZeroIsDown = x >= 0;
    EXPECT_EQ(half(zero[i]), half(toZeroIsDown ? down[i] : up[i])) << x;
  }
}

TEST(SimFloat, PacksTheSecondOperandLowest) {
  Words got = evaluate("cvt.rn.bf16x2.f32 %d32, %a32, %b32;", "32",
                       asWords({1.0f, -2.0f}), asWords({0.5f, 3.0f}));
  EXPECT_EQ(got, (Words{0x3f803f00, 0xc0004040}));
  got = evaluate("cvt.rn.relu.f16x2.f32 %d32, %a32, %b32;", "32",
                 asWords({1.0f, -2.0f}), asWords({-0.5f, 4.0f}));
  EXPECT_EQ(got, (Words{0x3c000000, 0x00004400}));
}

TEST(SimFloat, ConvertsToIntegers) {
  std::vector<float> in = {2.5f, 3.5f, -2.5f, 1e20f, -1e20f, NAN, 0.7f, -0.7f};
  auto run = [&](const char *mode) {
    return evaluate("cvt." + std::string(mode) + ".s32.f32 %d32, %a32;", "32",
                    asWords(in));
  };
  auto u = [](int32_t x) { return uint64_t(static_cast<uint32_t>(x)); };
  uint64_t big = 0x7fffffff, small = 0x80000000;
  EXPECT_EQ(run("rni"), (Words{2, 4, u(-2), big, small, 0, 1, u(-1)}));
  EXPECT_EQ(run("rzi"), (Words{2, 3, u(-2), big, small, 0, 0, 0}));
  EXPECT_EQ(run("rmi"), (Words{2, 3, u(-3), big, small, 0, 0, u(-1)}));
  EXPECT_EQ(run("rpi"), (Words{3, 4, u(-2), big, small, 0, 1, 0}));
}

/// fma by long double, which is exact for these operands.
TEST(SimFloat, FmaRoundsOnce) {
  Words a = asWords({1.0f + 0x1p-23f, 0x1p-100f, 3.0f, -0x1p100f});
  Words b = asWords({1.0f - 0x1p-23f, 0x1p-40f, 1.0f / 3.0f, 0x1p27f});
  Words c = asWords({-1.0f, 0x1p-149f, -1.0f, inf});
  Words got = evaluate("fma.rn.f32 %d32, %a32, %b32, %c32;", "32", a, b, c);
  for (size_t i = 0; i < a.size(); ++i) {
    long double exact = static_cast<long double>(f32(a[i])) * f32(b[i]) +
                        static_cast<long double>(f32(c[i]));
    EXPECT_EQ(got[i], bits(static_cast<float>(exact))) << i;
  }
}

TEST(SimFloat, AddsInEveryDirection) {
  Words a = asWords({1.0f, -1.0f}), b = asWords({0x1p-30f, -0x1p-30f});
  auto run = [&](const char *mode) {
    return evaluate("add." + std::string(mode) + ".f32 %d32, %a32, %b32;", "32",
                    a, b);
  };
  uint64_t one = bits(1.0f), above = bits(1.0f + 0x1p-23f);
  uint64_t sign = 0x80000000;
  EXPECT_EQ(run("rn"), (Words{one, one | sign}));
  EXPECT_EQ(run("rz"), (Words{one, one | sign}));
  EXPECT_EQ(run("rp"), (Words{above, one | sign}));
  EXPECT_EQ(run("rm"), (Words{one, above | sign}));
}

TEST(SimFloat, FlushesSubnormalsWhereAsked) {
  Words a = asWords({0x1p-130f, -0x1p-130f}), b = asWords({0.0f, -0.0f});
  EXPECT_EQ(evaluate("add.ftz.f32 %d32, %a32, %b32;", "32", a, b),
            (Words{0, 0x80000000}));
  EXPECT_EQ(evaluate("add.f32 %d32, %a32, %b32;", "32", a, b), a);
}

TEST(SimFloat, MinAndMaxTreatNanAndZeros) {
  Words a = asWords({NAN, NAN, 0.0f, 1.0f}),
        b = asWords({1.0f, NAN, -0.0f, 2.0f});
  Words got = evaluate("min.f32 %d32, %a32, %b32;", "32", a, b);
  EXPECT_EQ(got[0], bits(1.0f));
  EXPECT_EQ(got[1], 0x7fffffffu);
  EXPECT_EQ(got[2], bits(-0.0f));
  EXPECT_EQ(got[3], bits(1.0f));
  got = evaluate("max.NaN.f32 %d32, %a32, %b32;", "32", a, b);
  EXPECT_EQ(got[0], 0x7fffffffu);
  EXPECT_EQ(got[2], bits(0.0f));
}

/// The documented error of ex2.approx is 2 units in the last place; of
/// lg2.approx 2^-22 for results away from 0.
TEST(SimFloat, ApproximationsKeepTheirBounds) {
  std::vector<float> in;
  for (int i = 0; i < 200; ++i)
    in.push_back(-24.0f + 0.237f * static_cast<float>(i));
  Words got = evaluate("ex2.approx.f32 %d32, %a32;", "32", asWords(in));
  for (size_t i = 0; i < in.size(); ++i) {
    double exact = std::exp2(static_cast<double>(in[i]));
    EXPECT_NEAR(f32(got[i]) / exact, 1, 2 * 0x1p-23) << in[i];
  }
  EXPECT_EQ(evaluate("ex2.approx.ftz.f32 %d32, %a32;", "32",
                     asWords({-inf, inf, 0.0f, -130.0f})),
            (Words{0, bits(inf), bits(1.0f), 0}));
}

TEST(SimFloat, HalfArithmeticRoundsOnce) {
  // 2049 is a tie between 2048 and 2050; the even one is 2048.
  Words got = evaluate("add.f16 %d16, %a16, %b16;", "16", {0x6800, 0x3c00},
                       {0x3c00, 0x1000});
  EXPECT_EQ(half(got[0]), 2048.0);
  EXPECT_EQ(got[1], searchNearest(1.0 + half(0x1000), half, 0x7c00));
  got = evaluate("fma.rn.bf16 %d16, %a16, %b16, %c16;", "16", {0x3f81},
                 {0x3f81}, {0x3000});
  EXPECT_EQ(got[0], searchNearest(bhalf(0x3f81) * bhalf(0x3f81) + bhalf(0x3000),
                                  bhalf, 0x7f80));
}

} // namespace
