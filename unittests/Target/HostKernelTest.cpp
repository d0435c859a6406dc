// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tile kernels, compiled and run on this CPU, against a plain loop in double.
#include "HostTestKernel.h"

#include "gtest/gtest.h"

using namespace fovea::host;
using namespace fovea::host::test;

namespace {

Problem causal(Storage storage, int64_t nq, int64_t nk, int64_t dim) {
  Problem p;
  p.text = causalText();
  p.text.storage = storage;
  p.text.qkDim = p.text.vDim = dim;
  p.nq = nq;
  p.nk = nk;
  p.kept = [](int64_t q, int64_t k) { return k <= q; };
  double scale = 1 / std::sqrt(double(dim));
  p.logit = [scale](double s, int64_t, int64_t) { return s * scale; };
  return p;
}

TEST(HostKernel, CausalF32) {
  Problem p = causal(Storage::F32, 200, 200, 64);
  auto compiled = Compiled::createOrDie(p.text);
  Outcome outcome = runRandom(*compiled, p);
  EXPECT_FALSE(outcome.nonFinite);
  EXPECT_LT(outcome.maxError, 2e-6);
  EXPECT_LT(outcome.maxLSEError, 2e-6);
  EXPECT_EQ(outcome.counts[2], outcome.keptPairs);
}

} // namespace
