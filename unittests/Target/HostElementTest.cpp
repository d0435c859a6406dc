// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Masks, scores, params and counts: kernels on this CPU against a plain loop in
// double.
#include "HostTestKernel.h"

#include "gtest/gtest.h"

using namespace fovea::host;
using namespace fovea::host::test;

namespace {

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
