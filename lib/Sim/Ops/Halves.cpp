// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rounding a double to a small float by integer arithmetic on its fraction.
#include "Halves.h"
#include <algorithm>

namespace fovea::sim {

namespace {

bool roundsUp(Round mode, bool negative, bool odd, uint64_t rest,
              uint64_t half) {
  switch (mode) {
  case Round::Nearest:
    return rest > half || (rest == half && odd);
  case Round::NearestAway:
    return rest >= half;
  case Round::Zero:
    return false;
  case Round::Down:
    return negative && rest;
  case Round::Up:
    return !negative && rest;
  }
  return false;
}

} // namespace

uint32_t roundToShape(double x, FloatShape shape, Round mode, bool saturate) {
  unsigned e = shape.exponentBits, f = shape.fractionBits;
  uint32_t top = (1u << e) - 1;
  uint32_t sign = std::signbit(x) ? 1u << (e + f) : 0;
  uint32_t infinity = top << f;
  uint32_t largest =
      shape.hasInfinity ? infinity - 1 : infinity + (1u << f) - 2;
  if (std::isnan(x))
    return shape.hasInfinity && f > 3 ? infinity | ((1u << f) - 1)
                                      : (top << f) | ((1u << f) - 1);
  if (std::isinf(x)) {
    if (saturate)
      return sign | largest;
    return sign | (shape.hasInfinity ? infinity : (1u << (e + f)) - 1);
  }
  if (x == 0)
    return sign;
  int exponent = std::ilogb(x);
  int bias = (1 << (e - 1)) - 1;
  // The unit in the last place that the result may have.
  int unit = std::max(exponent, 1 - bias) - static_cast<int>(f);
  double magnitude = std::fabs(x);
  // |x| / 2^unit = whole + rest; both exact.
  double scaled = std::ldexp(magnitude, -unit);
  double whole = std::floor(scaled);
  double rest = scaled - whole;
  auto n = static_cast<uint64_t>(whole);
  uint64_t restCode = rest == 0 ? 0 : rest < 0.5 ? 1 : rest == 0.5 ? 2 : 3;
  if (roundsUp(mode, sign != 0, n & 1, restCode, 2))
    ++n;
  // n * 2^unit; n below 2^f is subnormal, and carries work by themselves.
  uint64_t code = n;
  if (exponent >= 1 - bias)
    code += static_cast<uint64_t>(exponent + bias - 1) << f;
  if (code > largest) {
    bool toInfinity = mode == Round::Nearest || mode == Round::NearestAway ||
                      (mode == Round::Up && !sign) ||
                      (mode == Round::Down && sign);
    if (saturate || !toInfinity)
      return sign | largest;
    return sign | (shape.hasInfinity ? infinity : (1u << (e + f)) - 1);
  }
  return sign | static_cast<uint32_t>(code);
}

double fromShape(uint32_t bits, FloatShape shape) {
  unsigned e = shape.exponentBits, f = shape.fractionBits;
  uint32_t top = (1u << e) - 1;
  bool negative = (bits >> (e + f)) & 1;
  uint32_t exponent = (bits >> f) & top;
  uint32_t fraction = bits & ((1u << f) - 1);
  int bias = (1 << (e - 1)) - 1;
  double value;
  if (exponent == top && shape.hasInfinity)
    value = fraction ? NAN : INFINITY;
  else if (exponent == top && fraction == (1u << f) - 1)
    value = NAN;
  else if (exponent == 0)
    value = std::ldexp(fraction, 1 - bias - static_cast<int>(f));
  else
    value = std::ldexp((1u << f) + fraction,
                       static_cast<int>(exponent) - bias - static_cast<int>(f));
  return negative ? -value : value;
}

double fmaToOdd(double a, double b, double c) {
  double r = std::fma(a, b, c);
  if (!std::isfinite(r))
    return r;
  // The products here have at most 48 bits and are exact in double, so that
  // TwoSum gives the exact error of the addition.
  double p = a * b;
  double t = p + c;
  double z = t - p;
  double error = (p - (t - z)) + (c - z);
  if (error == 0)
    return r;
  auto u = std::bit_cast<uint64_t>(t);
  if (u & 1)
    return t;
  bool away = (error > 0) == (t > 0);
  return std::bit_cast<double>(away ? u | 1 : u - 1);
}

} // namespace fovea::sim
