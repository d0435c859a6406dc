// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the tests share about the kernel in tiny_attention.c: its manifest, by
// hand from docs/bundle.md, arrays for it, and what it must compute.

#ifndef TINYATTENTION_H
#define TINYATTENTION_H

#include "fovea/fovea_runtime.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tiny {

constexpr int64_t headsQ = 4, headsKv = 2, dimQk = 5, dimV = 3;

/// The manifest for a target; "FILES" and so on are filled in.
std::string manifest(const std::string &target, const std::string &files);

/// An array [b, h, n, d] of reproducible values in [-2, 2], its rows `padding`
/// elements apart, inside a larger buffer of a marker value.
struct Storage {
  Storage(int64_t b, int64_t h, int64_t n, int64_t d, int64_t padding,
          unsigned seed);
  float at(int64_t b, int64_t h, int64_t n, int64_t d) const;
  /// Whether every element outside the array still holds the marker.
  bool gapsAreUntouched() const;

  static constexpr float marker = 12345.0f;
  std::vector<float> buffer;
  fovea_tensor tensor{};
};

/// A whole problem and its expected result, by plain loops in double.
struct Problem {
  Problem(int64_t batch, int64_t nq, int64_t nk, int64_t padding = 0);
  /// A launch over these arrays, with the params.
  fovea_launch launch();
  bool keeps(int64_t i, int64_t j) const;
  /// The largest error of o and lse against plain loops.
  double maxError() const;

  int64_t batch, nq, nk, w = 6;
  float c = 3.0f;
  Storage q, k, v, o;
  std::vector<float> lse;
  fovea_param params[2];
};

} // namespace tiny

#endif // TINYATTENTION_H
