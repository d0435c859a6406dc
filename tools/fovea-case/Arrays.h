// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The arrays of one launch, drawn so that a fault of the kernel shows.
//
// * Rows have a gap behind them: NaN in an input, a mark in the output. What is
//   read or written one chunk too far shows.
// * Some keys are large, in every tile but not in every row, so that the
//   softmax has to move its reference in the middle of a row.
// * Keys that no query keeps hold NaN: they must not matter. If asked for, so
//   does the last row of V: of the queries that keep it O is NaN, of others
//   not.
#ifndef FOVEA_TOOLS_FOVEA_CASE_ARRAYS_H
#define FOVEA_TOOLS_FOVEA_CASE_ARRAYS_H

#include "fovea/Pattern/AST.h"
#include "fovea/Pattern/Evaluate.h"
#include "fovea/fovea_runtime.h"

#include <cstdint>
#include <vector>

namespace fovea::cases {

/// One array [1, heads, rows, cols] in memory, with a pitch between rows.
struct Array {
  fovea_type type = FOVEA_F32;
  int64_t heads = 0, rows = 0, cols = 0, pitch = 0; // elements
  std::vector<uint8_t> bytes;

  Array() = default;
  /// Every element, gaps included, is `fill`.
  Array(fovea_type type, int64_t heads, int64_t rows, int64_t cols,
        int64_t pitch, double fill);

  /// Rounds to the type, to nearest even.
  void set(int64_t head, int64_t row, int64_t col, double value);
  fovea_tensor view();
  /// The bytes of the first heads, without the gap behind the last row.
  std::vector<uint8_t> firstHeads(int64_t count) const;
};

struct Shape {
  int64_t nq = 0, nk = 0;
  int64_t gap = 0;       // elements behind each row
  bool nanValue = false; // the last row of V is NaN
};

struct Arrays {
  Array q, k, v;
  Array oInit, o;             // before, and what is expected after
  std::vector<float> lseInit, // [heads, nq]
      lse;
  double largestValue = 0; // of |V|
};

/// Q, K, V from `seed`, and O and LSE by the float64 reference.
Arrays drawArrays(const pattern::Pattern &pattern,
                  const std::vector<pattern::ParamValue> &params,
                  const Shape &shape, uint64_t seed);

} // namespace fovea::cases

#endif // FOVEA_TOOLS_FOVEA_CASE_ARRAYS_H
