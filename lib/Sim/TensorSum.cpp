// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Aligned and truncated sums in integers: see the header.
#include "TensorSum.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace fovea::sim {

TensorSum TensorSum::ofTarget(unsigned smVersion, Ty element) {
  bool hopper = smVersion >= 90;
  unsigned step = typeBits(element) == 32 ? 4 : 8;
  if (hopper)
    step = 32; // all of an instruction's k at once
  return {hopper ? 25u : 24u, step};
}

float TensorSum::oneStep(const float *a, const float *b, unsigned stride,
                         unsigned n, float addend) const {
  double terms[33];
  terms[0] = addend;
  bool special = !std::isfinite(addend);
  for (unsigned k = 0; k < n; ++k) {
    terms[k + 1] = double(a[k]) * double(b[k * stride]); // exact
    special |= !std::isfinite(terms[k + 1]);
  }
  if (special) {
    double sum = 0;
    for (unsigned k = 0; k <= n; ++k)
      sum += terms[k];
    return static_cast<float>(sum);
  }
  int top = std::numeric_limits<int>::min();
  for (unsigned k = 0; k <= n; ++k)
    if (terms[k] != 0)
      top = std::max(top, std::ilogb(terms[k]));
  if (top == std::numeric_limits<int>::min())
    return 0;
  int unit = top - static_cast<int>(fractionBits);
  int64_t sum = 0;
  for (unsigned k = 0; k <= n; ++k)
    sum += static_cast<int64_t>(std::trunc(std::ldexp(terms[k], -unit)));
  double exact = std::ldexp(static_cast<double>(sum), unit);
  auto r = static_cast<float>(exact);
  if (std::fabs(double(r)) > std::fabs(exact))
    r = std::nextafterf(r, 0);
  return r;
}

float TensorSum::dot(const float *a, const float *b, unsigned stride,
                     unsigned n, float addend) const {
  for (unsigned k = 0; k < n; k += step)
    addend = oneStep(a + k, b + size_t(k) * stride, stride,
                     std::min(step, n - k), addend);
  return addend;
}

} // namespace fovea::sim
