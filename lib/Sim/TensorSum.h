// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The sum that tensor cores form: products exact, aligned with the addend to
// the largest exponent and truncated, then rounded toward zero to f32. Ampere
// keeps 24 fraction bits and takes k16 in two steps of 8, Hopper keeps 25 in
// one step (microsoft/MMA-Sim).
#ifndef FOVEA_LIB_SIM_TENSORSUM_H
#define FOVEA_LIB_SIM_TENSORSUM_H

#include "Types.h"

namespace fovea::sim {

struct TensorSum {
  unsigned fractionBits;
  unsigned step; // products a step

  static TensorSum ofTarget(unsigned smVersion, Ty element);

  /// addend + sum of a[k] * b[k * stride], k < n.
  float dot(const float *a, const float *b, unsigned stride, unsigned n,
            float addend) const;

private:
  float oneStep(const float *a, const float *b, unsigned stride, unsigned n,
                float addend) const;
};

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_TENSORSUM_H
