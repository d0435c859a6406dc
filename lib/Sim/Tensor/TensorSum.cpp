// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Aligned and truncated sums in integers: see the header.
#include "TensorSum.h"
#include "Ops/Halves.h"
#include <algorithm>
#include <bit>
#include <cfenv>
#include <cmath>
#include <limits>

namespace fovea::sim {

namespace {

bool isFp8(Ty ty) { return ty == Ty::E4M3 || ty == Ty::E5M2; }

int leastExponent(Ty ty) {
  switch (ty) {
  case Ty::F16:
  case Ty::E5M2:
    return -14;
  case Ty::E4M3:
    return -6;
  default:
    return -126;
  }
}

/// Of a finite number that is not 0: as stored, so no less than the type's
/// least.
int exponentOf(double x, int least) {
  auto bits = std::bit_cast<uint64_t>(x);
  return std::max(static_cast<int>(bits >> 52 & 0x7ff) - 1023, least);
}

double power(int exponent) {
  return std::bit_cast<double>(static_cast<uint64_t>(exponent + 1023) << 52);
}

struct Term {
  double value;
  int exponent;
};

} // namespace

/// Not inlined: the compiler would move the sum out from between the modes.
__attribute__((noinline)) static double fmaInMode(double a, double b,
                                                  double c) {
  return std::fma(a, b, c);
}

double fmaRounded(double a, double b, double c, unsigned mode) {
  static const int modes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD,
                              FE_UPWARD};
  if (!mode)
    return std::fma(a, b, c);
  int before = std::fegetround();
  std::fesetround(modes[mode]);
  volatile double sum = fmaInMode(a, b, c);
  std::fesetround(before);
  return sum;
}

TensorSum::TensorSum(unsigned smVersion, Ty a, Ty b, Ty d, bool isWgmma)
    : minA(leastExponent(a)), minB(leastExponent(b)), minD(leastExponent(d)),
      halfResult(d == Ty::F16) {
  if (smVersion >= 90) {
    fractionBits = 25;
    step = 32; // all of an instruction's k at once
    if (isFp8(a) && isWgmma)
      fractionBits = resultFraction = 13;
    // There is no such unit for mma.sync: ptxas converts to f16 and multiplies
    // the lower and the upper halves of the registers one after the other.
    byParts = isFp8(a) && !isWgmma;
  } else if (isFp8(a)) {
    fractionBits = resultFraction = 13;
    step = 16;
  } else if (typeBits(a) == 32) {
    step = 4;
  }
}

double TensorSum::oneStep(const float *a, const float *b, unsigned stride,
                          unsigned begin, unsigned end, unsigned parts,
                          float addend) const {
  Term terms[33];
  unsigned count = 0;
  double plain = addend;
  int top = std::numeric_limits<int>::min();
  auto take = [&](double value, int exponent) {
    terms[count++] = {value, exponent};
    top = std::max(top, exponent);
  };
  if (addend != 0)
    take(addend, exponentOf(addend, minD));
  for (unsigned k = begin; k < end; ++k) {
    if (!((parts >> (k % 4)) & 1))
      continue;
    double x = a[k], y = b[size_t(k) * stride];
    plain += x * y;
    if (x != 0 && y != 0)
      take(x * y, exponentOf(x, minA) + exponentOf(y, minB));
  }
  if (!std::isfinite(plain) || count == 0)
    return count == 0 && std::isfinite(plain) ? 0.0 : plain;
  double scale = power(fractionBits - top);
  int64_t sum = 0;
  for (unsigned i = 0; i < count; ++i)
    sum += static_cast<int64_t>(terms[i].value * scale);
  return static_cast<double>(sum) * power(top - fractionBits);
}

float TensorSum::round(double sum) const {
  if (!std::isfinite(sum) || sum == 0)
    return static_cast<float>(sum);
  if (halfResult)
    return toFloat(F16{static_cast<uint16_t>(
        roundToShape(sum, shapeF16, Round::Nearest, false))});
  int unit = exponentOf(sum, minD) - resultFraction;
  return static_cast<float>(std::trunc(sum * power(-unit)) * power(unit));
}

float TensorSum::dot(const float *a, const float *b, unsigned stride,
                     unsigned n, float addend) const {
  constexpr unsigned all = 0xf, lower = 0x3, upper = 0xc;
  if (byParts) {
    float sum = round(oneStep(a, b, stride, 0, n, lower, 0));
    sum = round(oneStep(a, b, stride, 0, n, upper, sum)) + addend;
    return halfResult ? toFloat(toF16(sum)) : sum;
  }
  for (unsigned k = 0; k < n; k += step)
    addend =
        round(oneStep(a, b, stride, k, std::min(k + step, n), all, addend));
  return addend;
}

} // namespace fovea::sim
