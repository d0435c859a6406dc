// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The reference against cases small enough to do by hand, and against a second,
// plainly written attention.

#include "fovea/Reference/Reference.h"

#include "TestTensor.h"

#include <cmath>

using namespace fovea::pattern;
using namespace fovea::reference;

static const double inf = INFINITY;

/// One query of value 1 and keys log(w): the weights are then w / sum(w).
static Result weighted(const std::string &statements, std::vector<float> keys,
                       std::vector<float> values) {
  Pattern p = parse("heads 1 dim 1 scale 1 " + statements);
  auto n = static_cast<int64_t>(keys.size());
  TestTensor q(1, 1, 1, 1, {1}), k(1, 1, n, 1, std::move(keys)),
      v(1, 1, n, 1, std::move(values));
  return attention(p, defaultParams(p), q.view(), k.view(), v.view());
}

TEST(Reference, TwoKeysByHand) {
  Result r = weighted("", {0, std::log(3.0F)}, {8, 4});
  EXPECT_NEAR(r.o[0], 0.25 * 8 + 0.75 * 4, 1e-6);
  EXPECT_NEAR(r.lse[0], std::log(4.0), 1e-6);
  EXPECT_EQ(r.keptPairs, 2);
}

TEST(Reference, RowsThatKeepNothing) {
  for (const char *mask : {"mask none", "mask sink(-0)", "mask (k < 0)"}) {
    Result r = weighted(mask, {1, 2}, {3, 4});
    EXPECT_EQ(r.o[0], 0);
    EXPECT_EQ(r.lse[0], -inf);
    EXPECT_EQ(r.keptPairs, 0);
  }
  Result r = weighted("", {}, {});
  EXPECT_EQ(r.o[0], 0);
  EXPECT_EQ(r.lse[0], -inf);
}

TEST(Reference, MinusInfinityDropsAndTheRestMakesTheRowNaN) {
  // log(0) = -infinity for the first key only.
  Result dropped = weighted("score s + log(k)", {0, 0}, {8, 4});
  EXPECT_EQ(dropped.o[0], 4);
  EXPECT_EQ(dropped.lse[0], 0);
  EXPECT_EQ(weighted("score log(s)", {0, 0}, {8, 4}).o[0], 0);
  EXPECT_EQ(weighted("score log(s)", {0, 0}, {8, 4}).lse[0], -inf);
  for (const char *score : {"score s - log(k)", "score s + log(-1 - k)"}) {
    Result broken = weighted(score, {0, 0}, {8, 4});
    EXPECT_TRUE(std::isnan(broken.o[0])) << score;
    EXPECT_TRUE(std::isnan(broken.lse[0])) << score;
  }
}

TEST(Reference, WhatTheMaskDropsNeverMatters) {
  Result r = weighted("mask (k != 1)", {0, NAN, 0}, {2, NAN, 4});
  EXPECT_EQ(r.o[0], 3);
  // Scores are evaluated for kept pairs only.
  r = weighted("mask (k > 0) score s - log(k)", {0, 0}, {2, 4});
  EXPECT_EQ(r.o[0], 4);
}

TEST(Reference, LargeLogitsDoNotOverflow) {
  Result r = weighted("score s * 1000000", {1, 1, -1}, {2, 4, 100});
  EXPECT_EQ(r.o[0], 3);
  EXPECT_NEAR(r.lse[0], 1e6 + std::log(2.0), 1e-9);
}

TEST(Reference, ElementsOfAllTypesAndStrides) {
  float f32[] = {0, 1.5F};
  uint16_t f16[] = {0, 0, 0x3E00};  // 1.5 = 1.1b * 2^0, bias 15
  uint16_t bf16[] = {0, 0xBFC0, 0}; // -1.5: sign, exponent 127
  EXPECT_EQ(element({f32, FOVEA_F32, {1, 1, 1, 2}, {2, 2, 2, 1}}, 0, 0, 0, 1),
            1.5);
  EXPECT_EQ(element({f16, FOVEA_F16, {1, 1, 2, 1}, {0, 0, 2, 1}}, 0, 0, 1, 0),
            1.5);
  EXPECT_EQ(element({bf16, FOVEA_BF16, {2, 1, 1, 1}, {1, 0, 0, 1}}, 1, 0, 0, 0),
            -1.5);
}

/// Causal attention the plain way: no maximum taken out, KV heads repeated.
static double plainCausal(TestTensor &q, TestTensor &k, TestTensor &v,
                          int64_t b, int64_t h, int64_t i, int64_t d) {
  int64_t g = h / (q.shape[1] / k.shape[1]);
  double sum = 0, out = 0;
  for (int64_t j = 0; j <= i + k.shape[2] - q.shape[2]; ++j) {
    double s = 0;
    for (int64_t c = 0; c < q.shape[3]; ++c)
      s += double(q.at(b, h, i, c)) * k.at(b, g, j, c);
    double weight = std::exp(s / std::sqrt(double(q.shape[3])));
    sum += weight;
    out += weight * v.at(b, g, j, d);
  }
  return sum == 0 ? 0 : out / sum;
}

TEST(Reference, AgreesWithPlainCausalAttention) {
  Pattern p = parse("heads q = 6, kv = 2 dim qk = 5, v = 3 mask causal");
  for (auto [nq, nk] : {std::pair{7, 7}, {2, 9}, {9, 4}, {1, 1}}) {
    TestTensor q(2, 6, nq, 5), k(2, 2, nk, 5), v(2, 2, nk, 3);
    q.fillNormal(1), k.fillNormal(2), v.fillNormal(3);
    Result r = attention(p, {}, q.view(), k.view(), v.view());
    size_t at = 0;
    for (int64_t b = 0; b < 2; ++b)
      for (int64_t h = 0; h < 6; ++h)
        for (int64_t i = 0; i < nq; ++i)
          for (int64_t d = 0; d < 3; ++d)
            EXPECT_NEAR(r.o[at++], plainCausal(q, k, v, b, h, i, d), 1e-12);
  }
}

TEST(Reference, AlignmentMovesTheQueries) {
  auto rowsKept = [](const char *align, int64_t nq, int64_t nk) {
    Pattern p = parse(std::string("heads 1 dim 1 mask causal align ") + align);
    std::vector<int> kept;
    for (int64_t i = 0; i < nq; ++i) {
      kept.push_back(0);
      for (int64_t j = 0; j < nk; ++j)
        kept.back() += keeps(p, {}, {0, 0, i, j, nq, nk});
    }
    return kept;
  };
  EXPECT_EQ(rowsKept("end", 2, 4), (std::vector<int>{3, 4}));
  EXPECT_EQ(rowsKept("start", 2, 4), (std::vector<int>{1, 2}));
  EXPECT_EQ(rowsKept("end", 4, 2), (std::vector<int>{0, 0, 1, 2}));
  EXPECT_EQ(rowsKept("start", 4, 2), (std::vector<int>{1, 2, 2, 2}));
}

TEST(Reference, ParamsReachScalesMasksAndScores) {
  Pattern p = parse("heads 1 dim 1 param w : int param c : float = 0.5 "
                    "scale c mask window(w, 0) score s + w * h - c");
  std::vector<ParamValue> params = {{2, 0}, {0, 3}};
  EXPECT_TRUE(keeps(p, params, {0, 0, 5, 3, 8, 8}));
  EXPECT_FALSE(keeps(p, params, {0, 0, 5, 2, 8, 8}));
  EXPECT_EQ(logit(p, params, {0, 4, 5, 2, 8, 8}, 10), 3.0 * 10 + 2 * 4 - 3);
}

TEST(Reference, ComparesWithAKernelsOutput) {
  Result r;
  r.o = {1, NAN, -inf, 2};
  r.lse = {0};
  TestTensor o(1, 1, 1, 4, {1.5F, NAN, -INFINITY, 2});
  float lse = 0.25;
  EXPECT_EQ(compare(r, o.view(), &lse).o, 0.5);
  EXPECT_EQ(compare(r, o.view(), &lse).lse, 0.25);
  o.values[3] = NAN;
  EXPECT_EQ(compare(r, o.view(), nullptr).o, inf);
  o.values = {1, 0, -INFINITY, 2};
  EXPECT_EQ(compare(r, o.view(), nullptr).o, inf);
  EXPECT_EQ(largestMagnitude(o.view()), 2);
}
