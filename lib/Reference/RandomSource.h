// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random numbers that are the same everywhere (the standard library's
// distributions are not), and the pattern that is being drawn from them.

#ifndef FOVEA_LIB_REFERENCE_RANDOMSOURCE_H
#define FOVEA_LIB_REFERENCE_RANDOMSOURCE_H

#include "fovea/Pattern/Builder.h"
#include "fovea/Pattern/Evaluate.h"

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace fovea::reference {

class RandomSource {
public:
  explicit RandomSource(uint64_t seed) : state(pattern::mix(seed)) {}

  uint64_t next() { return pattern::mix(state += 0x9E3779B97F4A7C15); }
  /// From 0 to n - 1.
  int64_t below(int64_t n) { return static_cast<int64_t>(next() % n); }
  int64_t between(int64_t low, int64_t high) {
    return low + below(high - low + 1);
  }
  bool chance(double p) { return uniform() < p; }
  /// In [0, 1).
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  /// Roughly normal, within 3: a sum of twelve uniforms less six, cut.
  double normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i)
      sum += uniform();
    return std::fmin(std::fmax(sum, -3.0), 3.0);
  }
  template <typename T> T pick(std::initializer_list<T> choices) {
    return choices.begin()[below(static_cast<int64_t>(choices.size()))];
  }
  /// A multiple of 1/16 in [low, high], which prints briefly and is exact.
  double sixteenths(double low, double high) {
    return std::floor((low + (high - low) * uniform()) * 16) / 16;
  }

private:
  uint64_t state;
};

/// The pattern so far: params come into being where an expression wants one.
struct Draft {
  RandomSource &random;
  int64_t nq, nk, batch, queryHeads, kvHeads;
  pattern::build::PatternBuilder builder;
  std::vector<pattern::ParamValue> params;

  pattern::build::Expr intParam(int64_t value);
  pattern::build::Expr floatParam(float value);
};

pattern::build::Mask randomMask(Draft &draft, int depth);
/// A comparison of integers.
pattern::build::Mask randomComparison(Draft &draft);
/// `gain` is how much it multiplies `s` by, at most.
pattern::build::Expr randomScore(Draft &draft, double &gain);

} // namespace fovea::reference

#endif // FOVEA_LIB_REFERENCE_RANDOMSOURCE_H
