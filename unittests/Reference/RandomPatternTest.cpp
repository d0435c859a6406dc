// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The random cases keep their promises: correct patterns, all of the language,
// launches that may run, and answers that rounding does not move.

#include "fovea/Reference/RandomPattern.h"

#include "fovea/Pattern/Parser.h"
#include "fovea/Reference/Reference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

using namespace fovea::pattern;
using namespace fovea::reference;

static RandomOptions small() {
  RandomOptions options;
  options.maxLength = 70;
  options.maxWork = 200000;
  return options;
}

TEST(RandomPattern, CasesAreCorrectAndMayBeLaunched) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    RandomCase c = makeRandomCase(seed, small());
    ParseResult parsed = parsePattern(c.text, "random");
    ASSERT_TRUE(parsed) << c.text;
    EXPECT_TRUE(*parsed.pattern == c.pattern) << c.text;
    EXPECT_EQ(c.params.size(), c.pattern.params.size());
    EXPECT_EQ(checkRequirements(c.pattern, c.params), std::nullopt) << c.text;
    EXPECT_TRUE(c.o.gapsUntouched());
  }
}

TEST(RandomPattern, TheSameSeedGivesTheSameCase) {
  RandomCase a = makeRandomCase(7), b = makeRandomCase(7),
             other = makeRandomCase(8);
  EXPECT_EQ(describe(a), describe(b));
  EXPECT_NE(describe(a), describe(other));
  Result x = attention(a.pattern, a.params, a.q.view(), a.k.view(), a.v.view());
  Result y = attention(b.pattern, b.params, b.q.view(), b.k.view(), b.v.view());
  EXPECT_EQ(x.keptPairs, y.keptPairs);
  EXPECT_TRUE(x.lse == y.lse);
}

static void collect(const MaskExpr &mask, std::set<MaskKind> &kinds) {
  kinds.insert(mask.kind);
  for (const MaskExpr &operand : mask.operands)
    collect(operand, kinds);
}

static void collect(const FloatExpr &score, std::set<FloatKind> &kinds) {
  kinds.insert(score.kind);
  for (const FloatExpr &operand : score.operands)
    collect(operand, kinds);
}

TEST(RandomPattern, AllOfTheLanguageIsDrawn) {
  std::set<MaskKind> masks;
  std::set<FloatKind> scores;
  std::set<ElementType> types;
  std::set<int64_t> dims, lengths;
  int scales = 0, starts = 0, grouped = 0, decoding = 0;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    RandomOptions options = small();
    options.maxWork = 1;
    RandomCase c = makeRandomCase(seed, options);
    if (c.pattern.mask)
      collect(*c.pattern.mask, masks);
    if (c.pattern.score)
      collect(*c.pattern.score, scores);
    types.insert(c.pattern.type);
    dims.insert(c.pattern.qkDim);
    scales += c.pattern.scale.has_value();
    starts += c.pattern.align == Align::Start;
    grouped += c.pattern.groupSize() > 1;
  }
  EXPECT_EQ(masks.size(), size_t(MaskKind::Or) + 1);
  EXPECT_EQ(scores.size(), size_t(FloatKind::SelectCompare) + 1);
  EXPECT_EQ(types.size(), 3u);
  EXPECT_GE(dims.size(), 10u);
  EXPECT_GT(scales, 100);
  EXPECT_GT(starts, 100);
  EXPECT_GT(grouped, 100);
  for (uint64_t seed = 0; seed < 300; ++seed) {
    RandomCase c = makeRandomCase(seed, small());
    lengths.insert(c.nk);
    decoding += c.nq == 1 && c.nk > 1;
  }
  EXPECT_TRUE(lengths.count(0) && lengths.count(1) && lengths.count(65));
  EXPECT_GT(decoding, 10);
}

/// What rounding does to a kernel, done to its inputs: every element of Q moves
/// by 5e-7 of itself, up or down. A case whose answer then moves by half of the
/// tolerance of f32 would fail correct kernels.
TEST(RandomPattern, RoundingDoesNotMoveTheAnswer) {
  RandomOptions options = small();
  options.types = {ElementType::F32};
  int rows = 0, empty = 0, broken = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    RandomCase c = makeRandomCase(seed, options);
    fovea_tensor q = c.q.view(), k = c.k.view(), v = c.v.view();
    Result exact = attention(c.pattern, c.params, q, k, v);
    uint64_t bits = seed;
    for (int64_t b = 0; b < c.batch; ++b)
      for (int64_t h = 0; h < q.shape[1]; ++h)
        for (int64_t n = 0; n < c.nq; ++n)
          for (int64_t d = 0; d < q.shape[3]; ++d) {
            bits = mix(bits);
            double factor = bits & 1 ? 1 + 0x1p-21 : 1 - 0x1p-21;
            c.q.set(b, h, n, d, element(q, b, h, n, d) * factor);
          }
    Result moved = attention(c.pattern, c.params, q, k, v);
    double limit = 0.5 * 2e-5 * largestMagnitude(v);
    ASSERT_EQ(exact.o.size(), moved.o.size());
    for (size_t i = 0; i < exact.o.size(); ++i) {
      if (std::isnan(exact.o[i]) && std::isnan(moved.o[i]))
        continue;
      ASSERT_LE(std::fabs(exact.o[i] - moved.o[i]), limit) << describe(c);
    }
    for (double lse : exact.lse) {
      ++rows;
      empty += lse == -INFINITY;
      broken += std::isnan(lse);
      ASSERT_FALSE(std::fabs(lse) > 80 && std::isfinite(lse)) << describe(c);
    }
  }
  // Rows that keep nothing must occur, but most rows must have an answer.
  EXPECT_GT(empty, rows / 100);
  EXPECT_LT(empty, rows / 2);
  EXPECT_GT(broken, 0);
  EXPECT_LT(broken, rows / 100);
}

TEST(RandomPattern, GapsShowWritesOutside) {
  StridedArray array(FOVEA_BF16, {1, 2, 3, 4}, 1, 2, 1);
  array.set(0, 1, 2, 3, 1);
  EXPECT_TRUE(array.gapsUntouched());
  fovea_tensor view = array.view();
  EXPECT_EQ(view.strides[1], 6);
  EXPECT_EQ(view.strides[2], 12);
  static_cast<uint16_t *>(view.data)[4] = 0; // the padding after a row
  EXPECT_FALSE(array.gapsUntouched());
}
