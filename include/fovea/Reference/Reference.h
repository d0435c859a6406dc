// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention in float64, straight from docs/language.md: what every kernel is
// compared with. Written for reading, not for speed; it forms each row of
// logits in full, so it needs O(Nk) memory a thread and O(Nq Nk D) time.

#ifndef FOVEA_REFERENCE_REFERENCE_H
#define FOVEA_REFERENCE_REFERENCE_H

#include "fovea/Pattern/AST.h"
#include "fovea/Pattern/Evaluate.h"
#include "fovea/fovea_runtime.h"

#include <cstdint>
#include <vector>

namespace fovea::reference {

/// What attention gives. Rows that keep nothing are 0 and -infinity; rows with
/// a kept logit of +infinity or NaN are NaN in both.
struct Result {
  std::vector<double> o;   // [B, H, Nq, E], packed
  std::vector<double> lse; // [B, H, Nq], natural logarithm
  int64_t keptPairs = 0;   // (b, h, i, j) that the mask keeps
};

/// One pair: batch, query head, row i and column j (counted from 0), lengths.
struct Pair {
  int64_t b = 0, h = 0, i = 0, j = 0, nq = 0, nk = 0;
};

/// Whether the pattern's mask keeps a pair.
bool keeps(const pattern::Pattern &pattern,
           const std::vector<pattern::ParamValue> &params, const Pair &pair);

/// The logit of a pair whose unscaled product <Q[i], K[j]> is `product`,
/// whether it is kept or not.
double logit(const pattern::Pattern &pattern,
             const std::vector<pattern::ParamValue> &params, const Pair &pair,
             double product);

/// Attention over Q [B, H, Nq, D], K [B, G, Nk, D], V [B, G, Nk, E] of any
/// strides. The shapes and types are those of the pattern and the requirements
/// hold (pattern::checkRequirements); the runtime's launch checks both.
Result attention(const pattern::Pattern &pattern,
                 const std::vector<pattern::ParamValue> &params,
                 const fovea_tensor &q, const fovea_tensor &k,
                 const fovea_tensor &v);

/// How far a kernel's output is from the reference, as largest absolute
/// differences. NaN agrees with NaN, and an infinity with the same infinity;
/// any other difference that is not finite counts as infinity. `lse` may be
/// null.
struct Difference {
  double o = 0;
  double lse = 0;
};
Difference compare(const Result &expected, const fovea_tensor &o,
                   const float *lse);

/// The largest finite |x| of an array: what tolerances are relative to.
double largestMagnitude(const fovea_tensor &tensor);

/// One element as a double, whatever its type.
double element(const fovea_tensor &tensor, int64_t b, int64_t h, int64_t n,
               int64_t d);

} // namespace fovea::reference

#endif // FOVEA_REFERENCE_REFERENCE_H
