// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The sum that tensor cores form, as measured on an H200 (docs/hardware.md) and
// for Ampere as microsoft/MMA-Sim describes it.
//
// Products are exact. They and the addend are aligned to the largest exponent,
// which of a product is the sum of its factors' exponents, not that of its
// leading bit, and is that of the smallest normal number for subnormals.
// What falls below the kept fraction bits is cut off, the sum is exact and then
// truncated to f32 or rounded to nearest even for f16. Infinities and NaN go
// by the rules of a plain sum.
#ifndef FOVEA_LIB_SIM_TENSORSUM_H
#define FOVEA_LIB_SIM_TENSORSUM_H

#include "Text/Types.h"

namespace fovea::sim {

/// a * b + c of f64, rounded by mode: 0 to nearest, 1 toward zero, 2 down, 3
/// up.
double fmaRounded(double a, double b, double c, unsigned mode);

class TensorSum {
public:
  /// Of A's, B's and D's elements. wgmma has paths for fp8 of its own.
  TensorSum(unsigned smVersion, Ty a, Ty b, Ty d, bool isWgmma);

  /// addend + sum of a[k] * b[k * stride], k < n; a value of D's type.
  float dot(const float *a, const float *b, unsigned stride, unsigned n,
            float addend) const;

private:
  /// The exact sum of the aligned and truncated terms from `begin` to before
  /// `end`, of each four those whose bit is set in `parts`.
  double oneStep(const float *a, const float *b, unsigned stride,
                 unsigned begin, unsigned end, unsigned parts,
                 float addend) const;
  float round(double sum) const;

  int fractionBits = 24;
  unsigned step = 8;       // products a step
  int resultFraction = 23; // bits of the result in f32
  int minA, minB, minD;    // least exponents
  bool halfResult;
  bool byParts = false;
};

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_TENSORSUM_H
