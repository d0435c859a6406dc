// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Masks, scores and values that spread if they are let: kernels on this CPU
// against a plain loop in double.
#include "HostTestKernel.h"

#include "gtest/gtest.h"

using namespace fovea::host;
using namespace fovea::host::test;

namespace {

//===----------------------------------------------------------------------===//
// Values that spread if they are let
//===----------------------------------------------------------------------===//

struct Arrays {
  Array q, k, v, o;
  std::vector<float> lse;
  std::array<int64_t, 3> counts{};

  explicit Arrays(const Problem &p)
      : q(p.text.storage, 1, 1, p.nq, p.text.qkDim),
        k(p.text.storage, 1, 1, p.nk, p.text.qkDim),
        v(p.text.storage, 1, 1, p.nk, p.text.vDim),
        o(p.text.storage, 1, 1, p.nq, p.text.vDim), lse(p.nq, NAN) {
    q.fillRandom(1);
    k.fillRandom(2);
    v.fillRandom(3);
  }
  void setRow(Array &array, int64_t row, float value) {
    for (int64_t d = 0; d < array.dim; ++d)
      array.set(array.index(0, 0, row, d), value);
  }
  bool rowIsNaN(int64_t row) const {
    return std::isnan(o.get(o.index(0, 0, row, 0))) && std::isnan(lse[row]);
  }
  Outcome run(const Compiled &compiled, const Problem &p) {
    compiled.run(p, q, k, v, o, lse, counts);
    return compare(p, q, k, v, o, lse);
  }
};

TEST(HostKernel, NaNOfADroppedKeyDoesNotSpread) {
  Problem p = causal(Storage::F32, 40, 100, 16, 16);
  p.kept = [](int64_t q, int64_t k) { return k <= q && k != 70; };
  p.text.keep += R"(
    %hole = arith.constant 70 : i32
    %not = arith.cmpi ne, %ki, %hole : i32
    %keep2 = arith.andi %keep, %not : i1)";
  p.text.keepName = "keep2";
  // Nothing is known about the tile with the hole: every key may be dropped.
  p.text.walk = R"(
    %any = arith.constant true
    %all = arith.constant false
    %until = arith.addi %end, %t : i32)";
  auto compiled = Compiled::createOrDie(p.text);
  Arrays arrays(p);
  arrays.setRow(arrays.k, 70, NAN);
  arrays.setRow(arrays.v, 70, NAN);
  Outcome outcome = arrays.run(*compiled, p);
  EXPECT_FALSE(outcome.nonFinite);
  EXPECT_LT(outcome.maxError, 3e-6);
}

TEST(HostKernel, NaNAndInfinityStayInTheirRow) {
  Problem p = causal(Storage::F32, 40, 40, 16, 16);
  auto compiled = Compiled::createOrDie(p.text);
  Arrays arrays(p);
  arrays.setRow(arrays.q, 7, NAN);
  arrays.setRow(arrays.q, 21, INFINITY);
  arrays.run(*compiled, p);
  for (int64_t row = 0; row < p.nq; ++row)
    EXPECT_EQ(arrays.rowIsNaN(row), row == 7 || row == 21) << "row " << row;
}

TEST(HostKernel, LogitsNearOverflow) {
  Problem p = causal(Storage::F32, 40, 200, 16, 16);
  auto compiled = Compiled::createOrDie(p.text);
  Arrays arrays(p);
  for (Array *array : {&arrays.q, &arrays.k})
    for (float &x : array->f32)
      x *= 1e17f; // products near 1e36
  Outcome outcome = arrays.run(*compiled, p);
  EXPECT_FALSE(outcome.nonFinite); // the LSE's error is in proportion to it
}

//===----------------------------------------------------------------------===//
// Scores, masks and parameters
//===----------------------------------------------------------------------===//

TEST(HostKernel, ScoreOfQueryAndKey) {
  Problem p = causal(Storage::F32, 150, 150, 16, 16);
  // softcap(s, 5) - |q - k| / 8, in base 2.
  p.text.score = R"(
    %cap = arith.constant 5.0 : f32
    %natural = arith.constant 0.25 : f32
    %log2e = arith.constant 1.44269504 : f32
    %slope = arith.constant 0.125 : f32
    %scaled = arith.mulf %x, %natural : f32
    %ratio = arith.divf %scaled, %cap : f32
    %tanh = math.tanh %ratio : f32
    %capped = arith.mulf %tanh, %cap : f32
    %d = arith.subi %qi, %ki : i32
    %abs = math.absi %d : i32
    %distance = arith.sitofp %abs : i32 to f32
    %bias = arith.mulf %distance, %slope : f32
    %logit = arith.subf %capped, %bias : f32
    %y = arith.mulf %logit, %log2e : f32)";
  p.logit = [](double s, int64_t q, int64_t k) {
    return 5 * std::tanh(s * 0.25 / 5) - std::fabs(double(q - k)) / 8;
  };
  auto compiled = Compiled::createOrDie(p.text);
  expectClose(runRandom(*compiled, p), 3e-6);
}

TEST(HostKernel, SixtyFourBitMaskWithParameterAndLoop) {
  // Keeps k when (q * 2654435761 + t * step) mod 1000 (Euclidean) is below k
  // for some t < 3: i64 vectors, a parameter, a loop that carries a mask.
  Problem p = causal(Storage::F32, 90, 130, 16, 16);
  p.text.intParams = {"step"};
  p.intParams = {-12345678901};
  p.text.walk = R"(
    %any = arith.constant true
    %all = arith.constant false
    %until = arith.addi %end, %t : i32)";
  p.text.keep = R"(
    %c0 = arith.constant 0 : i32
    %c3 = arith.constant 3 : i32
    %c1 = arith.constant 1 : i32
    %no = arith.constant false
    %mul = arith.constant 2654435761 : i64
    %mod = arith.constant 1000 : i64
    %z = arith.constant 0 : i64
    %q64 = arith.extsi %qi : i32 to i64
    %k64 = arith.extsi %ki : i32 to i64
    %base = arith.muli %q64, %mul : i64
    %found = scf.for %i = %c0 to %c3 step %c1 iter_args(%acc = %no) -> (i1) : i32 {
      %i64 = arith.extsi %i : i32 to i64
      %part = arith.muli %i64, %step : i64
      %sum = arith.addi %base, %part : i64
      %rem = arith.remsi %sum, %mod : i64
      %neg = arith.cmpi slt, %rem, %z : i64
      %plus = arith.addi %rem, %mod : i64
      %euclid = arith.select %neg, %plus, %rem : i64
      %hit = arith.cmpi slt, %euclid, %k64 : i64
      %next = arith.ori %acc, %hit : i1
      scf.yield %next : i1
    }
    %inside = arith.cmpi slt, %ki, %nk : i32
    %keep = arith.andi %found, %inside : i1)";
  int64_t step = p.intParams[0];
  p.kept = [step](int64_t q, int64_t k) {
    for (int64_t t = 0; t < 3; ++t)
      if (((q * 2654435761 + t * step) % 1000 + 1000) % 1000 < k)
        return true;
    return false;
  };
  auto compiled = Compiled::createOrDie(p.text);
  Outcome outcome = runRandom(*compiled, p);
  expectClose(outcome, 3e-6);
  EXPECT_GT(outcome.keptPairs, 0);
  EXPECT_LT(outcome.keptPairs, p.nq * p.nk);
}

TEST(HostKernel, DivisionByAParameter) {
  Problem p = causal(Storage::F32, 90, 130, 16, 16);
  p.text.intParams = {"step"};
  p.text.walk = R"(
    %any = arith.constant true
    %all = arith.constant false
    %until = arith.addi %end, %t : i32)";
  p.text.keep = R"(
    %step32 = arith.trunci %step : i64 to i32
    %zero32 = arith.constant 0 : i32
    %d = arith.subi %qi, %ki : i32
    %rem = arith.remsi %d, %step32 : i32
    %quotient = arith.divsi %d, %step32 : i32
    %divisible = arith.cmpi eq, %rem, %zero32 : i32
    %near = arith.cmpi slt, %quotient, %one : i32
    %both = arith.andi %divisible, %near : i1
    %inside = arith.cmpi slt, %ki, %nk : i32
    %keep = arith.andi %both, %inside : i1)";
  auto compiled = Compiled::createOrDie(p.text);
  for (int64_t step : {1, 3, 7, -5}) {
    p.intParams = {step};
    p.kept = [step](int64_t q, int64_t k) {
      return (q - k) % step == 0 && (q - k) / step < 1;
    };
    expectClose(runRandom(*compiled, p), 3e-6);
  }
}

TEST(HostKernel, CountsTilesOfACausalHead) {
  Problem p = causal(Storage::F32, 256, 256, 16, 16);
  auto compiled = Compiled::createOrDie(p.text);
  Outcome outcome = runRandom(*compiled, p);
  EXPECT_EQ(outcome.counts[0], 1 + 2 + 3 + 4);
  EXPECT_EQ(outcome.counts[1], 4);
  EXPECT_EQ(outcome.counts[2], 256 * 257 / 2);
}

} // namespace
