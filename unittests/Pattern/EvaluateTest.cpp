// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The arithmetic of the language: integers against 128-bit arithmetic, ALiBi's
// slopes and SplitMix64 against published values, draws against their promises.

#include "fovea/Pattern/Evaluate.h"

#include "PatternTest.h"

#include <algorithm>
#include <cmath>

using namespace fovea::pattern;

static int64_t value(std::string_view expr, Environment env = {}) {
  Pattern p = good("mask (" + std::string(expr) + " == 0)");
  return evaluate(p.mask->lhs(), env);
}

TEST(Evaluate, DivisionRoundsTowardMinusInfinity) {
  EXPECT_EQ(value("-7 / 2"), -4);
  EXPECT_EQ(value("7 / -2"), -4);
  EXPECT_EQ(value("-7 / -2"), 3);
  EXPECT_EQ(value("-7 % 2"), 1);
  EXPECT_EQ(value("7 % -2"), -1);
  EXPECT_EQ(value("-8 / 2"), -4);
  EXPECT_EQ(value("-8 % 2"), 0);
  for (int64_t a = -9; a <= 9; ++a)
    for (int64_t b = -4; b <= 4; ++b) {
      if (b == 0)
        continue;
      EXPECT_EQ(floorDiv(a, b), std::floor(double(a) / double(b)));
      EXPECT_EQ(floorDiv(a, b) * b + floorMod(a, b), a);
    }
}

TEST(Evaluate, IntegersWrap) {
  EXPECT_EQ(value("9223372036854775807 + 1"), INT64_MIN);
  EXPECT_EQ(value("-9223372036854775808 - 1"), INT64_MAX);
  EXPECT_EQ(value("4611686018427387904 * 2"), INT64_MIN);
  EXPECT_EQ(value("-9223372036854775808 / -1"), INT64_MIN);
  EXPECT_EQ(value("-9223372036854775808 % -1"), 0);
  EXPECT_EQ(value("abs(-9223372036854775808)"), INT64_MIN);
  EXPECT_EQ(value("-(q)", {.q = INT64_MIN}), INT64_MIN);
}

TEST(Evaluate, ChainsRunLeftToRight) {
  EXPECT_EQ(value("100 - 10 - 1"), 89);
  EXPECT_EQ(value("100 / 10 * 3 % 7"), 2);
  EXPECT_EQ(value("min(q, k) + max(b, h) * abs(g - nq) - nk",
                  {.q = 5, .k = 3, .b = 2, .h = 4, .g = 1, .nq = 9, .nk = 7}),
            3 + 4 * 8 - 7);
}

TEST(Evaluate, BoundsDoNotOverflow) {
  Pattern p = good("param w : int mask window(w, w)");
  ParamValue w{INT64_MAX, 0};
  Environment env{.params = &w, .q = -5, .k = 1000};
  EXPECT_TRUE(keeps(*p.mask, env));
  w.integer = INT64_MIN;
  EXPECT_FALSE(keeps(*p.mask, env));
}

TEST(Evaluate, ScoresAreRealArithmetic) {
  auto score = [](std::string_view text, Environment env) {
    return evaluate(*good("score " + std::string(text)).score, env);
  };
  EXPECT_DOUBLE_EQ(score("s + q / 64", {.q = 3, .dot = 2}), 2 + 3.0 / 64);
  EXPECT_DOUBLE_EQ(score("softcap(s, 30.0)", {.dot = 45}), 30 * std::tanh(1.5));
  EXPECT_DOUBLE_EQ(score("exp2(log2(s)) * exp(log(s))", {.dot = 3}), 9);
  EXPECT_DOUBLE_EQ(score("sqrt(abs(-s)) - tanh(0)", {.dot = 16}), 4);
  EXPECT_TRUE(std::isnan(score("min(log(s), 1)", {.dot = -1})));
  EXPECT_TRUE(std::isnan(score("max(1, log(s))", {.dot = -1})));
  // The side not chosen never matters.
  EXPECT_EQ(score("select(s > 0, 1, log(s))", {.dot = 3}), 1);
  EXPECT_EQ(score("select(q / 2 == k, 1, 2)", {.q = 5, .k = 2}), 1);
  EXPECT_EQ(score("select(q / 2.0 == k, 1, 2)", {.q = 5, .k = 2}), 2);
}

/// From the paper's tables: 8 heads 1/2 … 1/256; 12 heads: those of 8, then the
/// first, third, … of 16. 9 heads: those of 8, then the first of 16.
TEST(Evaluate, AlibiSlopesArePublished) {
  const double of12[] = {0.5,        0.25,       0.125,       0.0625,
                         0.03125,    0.015625,   0.0078125,   0.00390625,
                         0.70710678, 0.35355339, 0.176776695, 0.0883883476};
  for (int h = 0; h < 8; ++h)
    EXPECT_DOUBLE_EQ(alibiSlope(h, 8), of12[h]);
  for (int h = 0; h < 12; ++h)
    EXPECT_NEAR(alibiSlope(h, 12), of12[h], 1e-8);
  for (int h = 0; h < 9; ++h)
    EXPECT_NEAR(alibiSlope(h, 9), of12[h], 1e-8);
  EXPECT_DOUBLE_EQ(alibiSlope(0, 1), 1.0 / 256);
  EXPECT_DOUBLE_EQ(evaluate(*good("score alibi").score,
                            {.q = 2, .k = 7, .h = 1, .queryHeads = 8}),
                   -0.25 * 5);
}

/// The stream of SplitMix64 from state 0 (Vigna's splitmix64.c): each state is
/// the previous one plus the golden gamma.
TEST(Evaluate, MixIsSplitMix64) {
  const uint64_t stream[] = {0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4,
                             0x06c45d188009454f, 0xf88bb8a8724c81ec};
  for (uint64_t i = 0; i < 4; ++i)
    EXPECT_EQ(mix(i * 0x9E3779B97F4A7C15), stream[i]);
}

/// The page's text, word by word.
static std::vector<int64_t> drawnByThePage(int64_t n, int64_t m, int64_t seed,
                                           int64_t h, int64_t r) {
  std::vector<int64_t> drawn;
  for (int64_t t = 0; t < n; ++t) {
    int64_t top = m - n + t;
    uint64_t word =
        mix(mix(mix(uint64_t(seed) + uint64_t(h)) + uint64_t(r)) + uint64_t(t));
    auto x = int64_t((static_cast<unsigned __int128>(word) *
                      static_cast<unsigned __int128>(top + 1)) >>
                     64);
    bool already = std::count(drawn.begin(), drawn.end(), x) != 0;
    drawn.push_back(already ? top : x);
  }
  std::sort(drawn.begin(), drawn.end());
  return drawn;
}

TEST(Evaluate, DrawsAreDistinctInRangeAndThePages) {
  for (int64_t m : {1, 2, 7, 64})
    for (int64_t n = 0; n < m; ++n)
      for (int64_t r : {-3, 0, 5}) {
        std::vector<int64_t> drawn = drawBlocks(n, m, -7, 3, r);
        EXPECT_EQ(drawn, drawnByThePage(n, m, -7, 3, r));
        EXPECT_EQ(drawn.size(), size_t(n));
        EXPECT_TRUE(std::adjacent_find(drawn.begin(), drawn.end()) ==
                    drawn.end());
        EXPECT_TRUE(drawn.empty() || (drawn.front() >= 0 && drawn.back() < m));
      }
  EXPECT_EQ(drawBlocks(9, 3, 0, 0, 0), (std::vector<int64_t>{0, 1, 2}));
  EXPECT_TRUE(drawBlocks(2, 0, 0, 0, 0).empty());
  EXPECT_TRUE(drawBlocks(-2, 5, 0, 0, 0).empty());
}

TEST(Evaluate, RequirementsBeforeALaunch) {
  Pattern p = good("param d : int param c : float = 2\n"
                   "mask (q / (d - h) == k) & dilated(3, 3, d) scale c / 0.5");
  auto check = [&](int64_t d, float c) {
    return checkRequirements(p, {{d, 0}, {0, c}}).value_or("fine");
  };
  EXPECT_EQ(check(4, 1), "fine");
  EXPECT_EQ(check(2, 1),
            "expected the divisor 'd - h' not to be 0, found 0 for head 2");
  EXPECT_EQ(check(-1, 1), "expected the step 'd' to be at least 1, found -1");
  EXPECT_EQ(check(4, INFINITY),
            "expected the scale 'c / 0.5' to be finite, found inf");
  EXPECT_EQ(check(4, 3e38F),
            "expected the scale 'c / 0.5' to be finite, found inf");
  EXPECT_DOUBLE_EQ(evaluateScale(p, defaultParams(p)), 4);
  EXPECT_DOUBLE_EQ(evaluateScale(good(""), {}), 1 / std::sqrt(8.0));
}
