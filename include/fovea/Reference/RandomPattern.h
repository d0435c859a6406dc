// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random patterns with shapes, strides and data, for comparing kernels with the
// reference. The same seed gives the same case, whatever the standard library.
//
// A comparison is worth nothing if rounding alone can fail it, so every case is
// well-conditioned: logits stay within about 40, functions get arguments on
// which they are tame, floats are compared only where both sides are exact or
// the two choices meet. Then the error of a correct kernel is below `tolerance`
// times the largest |V|: 2e-5 in f32, 2e-3 in f16, 1e-2 in bf16 (P and O are
// rounded to the storage type, half a unit in the last place of each).

#ifndef FOVEA_REFERENCE_RANDOMPATTERN_H
#define FOVEA_REFERENCE_RANDOMPATTERN_H

#include "fovea/Pattern/AST.h"
#include "fovea/Pattern/Evaluate.h"
#include "fovea/fovea_runtime.h"

#include <cstdint>
#include <string>
#include <vector>

namespace fovea::reference {

/// A tensor with its memory. Between and around the elements lie gaps: NaN in
/// an input, so that a kernel that uses them shows, and a mark in an output.
class StridedArray {
public:
  StridedArray() = default;

  /// `order` 0 is [B, H, N, D], 1 is [B, N, H, D]. Rows are `padding` elements
  /// longer than D, and the first element is `offset` elements into the memory.
  StridedArray(fovea_type type, const int64_t (&shape)[4], int order,
               int64_t padding, int64_t offset);

  /// Valid as long as this object lives and is not moved from.
  fovea_tensor view();
  /// Rounds to the type, to nearest even.
  void set(int64_t b, int64_t h, int64_t n, int64_t d, double value);
  /// Whether no byte outside the elements has changed.
  bool gapsUntouched() const;

private:
  std::vector<bool> elementMap() const;

  fovea_type type = FOVEA_F32;
  int64_t shape[4] = {};
  int64_t strides[4] = {};
  int64_t offset = 0;
  std::vector<uint16_t> memory;
};

struct RandomOptions {
  int64_t maxLength = 200;
  /// At most about this many B * H * Nq * Nk * (D + E).
  int64_t maxWork = int64_t{1} << 25;
  /// The types to draw from.
  std::vector<pattern::ElementType> types = {pattern::ElementType::F32,
                                             pattern::ElementType::F16,
                                             pattern::ElementType::BF16};
};

struct RandomCase {
  uint64_t seed = 0;
  pattern::Pattern pattern;
  std::string text; // canonical; gives `pattern` when parsed
  std::vector<pattern::ParamValue> params;
  int64_t batch = 0, nq = 0, nk = 0;
  StridedArray q, k, v, o;
  double tolerance = 0;    // of O, relative to the largest |V|
  double lseTolerance = 0; // absolute
};

RandomCase makeRandomCase(uint64_t seed, const RandomOptions &options = {});

/// Seed, text, params and shape: what a report of a mismatch needs.
std::string describe(const RandomCase &randomCase);

} // namespace fovea::reference

#endif // FOVEA_REFERENCE_RANDOMPATTERN_H
