// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The arithmetic of cvt, one value at a time.
#include "Convert.h"
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace fovea::sim {

uint64_t extend(uint64_t bits, Ty ty) {
  unsigned shift = 64 - typeBits(ty);
  if (isSigned(ty))
    return static_cast<uint64_t>(static_cast<int64_t>(bits << shift) >> shift);
  return bits << shift >> shift;
}

uint64_t clampInteger(uint64_t value, Ty from, Ty to) {
  __int128 x =
      isSigned(from) ? __int128(static_cast<int64_t>(value)) : __int128(value);
  unsigned bits = typeBits(to);
  __int128 low = isSigned(to) ? -(__int128(1) << (bits - 1)) : 0;
  __int128 high = (__int128(1) << (isSigned(to) ? bits - 1 : bits)) - 1;
  return static_cast<uint64_t>(std::clamp(x, low, high));
}

namespace {

double roundIntegral(double x, Round round) {
  switch (round) {
  case Round::Nearest:
    return std::nearbyint(x);
  case Round::Down:
    return std::floor(x);
  case Round::Up:
    return std::ceil(x);
  default:
    return std::trunc(x);
  }
}

/// Out of range clamps. NaN gives 0, or from f64 and to 64 bits the top bit.
uint64_t floatToInteger(double x, const Cvt &cvt) {
  unsigned bits = typeBits(cvt.to);
  if (x != x)
    return cvt.from == Ty::F64 || bits == 64
               ? extend(1ull << (bits - 1), cvt.to)
               : 0;
  double r = roundIntegral(x, cvt.round);
  if (isSigned(cvt.to)) {
    double limit = std::ldexp(1.0, static_cast<int>(bits) - 1);
    if (r >= limit)
      return (1ull << (bits - 1)) - 1;
    if (r < -limit)
      return extend(1ull << (bits - 1), cvt.to);
    return static_cast<uint64_t>(static_cast<int64_t>(r));
  }
  if (r <= 0)
    return 0;
  if (r >= std::ldexp(1.0, static_cast<int>(bits)))
    return bits == 64 ? ~0ull : (1ull << bits) - 1;
  return static_cast<uint64_t>(r);
}

/// An exact value to f32 or f64 in any mode: the nearest, then one step if it
/// lies on the wrong side.
template <class T> T roundTo(long double exact, Round round) {
  auto r = static_cast<T>(exact);
  long double back = r;
  if (back == exact || exact != exact)
    return r;
  T infinity = std::numeric_limits<T>::infinity();
  if (round == Round::Zero && std::fabs(back) > std::fabs(exact))
    return std::nextafter(r, T(0));
  if (round == Round::Down && back > exact)
    return std::nextafter(r, -infinity);
  if (round == Round::Up && back < exact)
    return std::nextafter(r, infinity);
  return r;
}

/// A 64-bit integer as a double with what does not fit in its last bit.
double stickyDouble(long double exact) {
  auto r = static_cast<double>(exact);
  long double back = r;
  if (back == exact)
    return r;
  auto u = std::bit_cast<uint64_t>(r);
  if (std::fabs(back) > std::fabs(exact))
    --u;
  return std::bit_cast<double>(u | 1);
}

uint64_t encodeFloat(long double exact, const Cvt &cvt) {
  bool finite = cvt.flags & CvtFinite;
  switch (cvt.to) {
  case Ty::F64: {
    auto r = roundTo<double>(exact, cvt.round);
    return r != r ? 0x7ff8000000000000ull : std::bit_cast<uint64_t>(r);
  }
  case Ty::F32: {
    auto r = roundTo<float>(exact, cvt.round);
    if (cvt.flags & CvtFtz)
      r = flush(r);
    return r != r ? 0x7fffffffu : std::bit_cast<uint32_t>(r);
  }
  case Ty::F16:
    return roundToShape(stickyDouble(exact), shapeF16, cvt.round, finite);
  case Ty::BF16:
    return roundToShape(stickyDouble(exact), shapeBF16, cvt.round, finite);
  case Ty::TF32:
    return uint64_t(
               roundToShape(stickyDouble(exact), shapeTF32, cvt.round, finite))
           << 13;
  case Ty::E4M3:
    return roundToShape(stickyDouble(exact), shapeE4M3, cvt.round, true);
  default:
    return roundToShape(stickyDouble(exact), shapeE5M2, cvt.round, true);
  }
}

double decodeFloat(uint64_t bits, Ty ty, bool ftz) {
  switch (ty) {
  case Ty::F64:
    return std::bit_cast<double>(bits);
  case Ty::F32: {
    auto x = std::bit_cast<float>(static_cast<uint32_t>(bits));
    return ftz ? flush(x) : x;
  }
  case Ty::F16:
    return toFloat(F16{static_cast<uint16_t>(bits)});
  case Ty::BF16:
    return toFloat(BF16{static_cast<uint16_t>(bits)});
  case Ty::E4M3:
    return fromShape(bits & 0xff, shapeE4M3);
  default:
    return fromShape(bits & 0xff, shapeE5M2);
  }
}

/// Float to float: rounding to an integral value, clamping, relu.
uint64_t floatToFloat(double x, const Cvt &cvt) {
  if (cvt.toIntegral)
    x = roundIntegral(x, cvt.round);
  if (cvt.flags & CvtSat)
    x = x > 0 ? std::min(x, 1.0) : 0.0;
  if ((cvt.flags & CvtRelu) && x <= 0)
    x = 0;
  return encodeFloat(x, cvt);
}

/// NaN to NaN. The ISA text leaves the payload open; this is what an H200
/// gives (docs/hardware.md). Conversions from and to f64 keep what fits of it.
uint64_t convertNan(uint64_t bits, const Cvt &cvt) {
  bool plain = !cvt.toIntegral && !cvt.flags;
  unsigned from = typeBits(cvt.from), to = typeBits(cvt.to);
  if (cvt.from == cvt.to && plain && from >= 32)
    return bits;
  if (cvt.from == Ty::BF16 && cvt.to == Ty::F32 && !cvt.flags)
    return bits << 16;
  bool keeps = (cvt.from == Ty::F64 || cvt.to == Ty::F64) &&
               !(cvt.from == Ty::F32 && cvt.flags & CvtFtz);
  auto fraction = [](Ty ty) {
    return ty == Ty::F64 ? 52 : ty == Ty::F32 ? 23 : ty == Ty::F16 ? 10 : 7;
  };
  unsigned ff = fraction(cvt.from), tf = fraction(cvt.to);
  if (!keeps) // as from the canonical NaN of the source
    return cvt.to == Ty::F64 ? 0x7fffffffe0000000ull : encodeFloat(NAN, cvt);
  uint64_t payload = bits & ((1ull << ff) - 1);
  payload = tf > ff ? payload << (tf - ff) : payload >> (ff - tf);
  uint64_t sign = bits >> (from - 1) & 1;
  uint64_t top = (1ull << (to - 1 - tf)) - 1;
  return sign << (to - 1) | top << tf | 1ull << (tf - 1) | payload;
}

} // namespace

uint64_t convert(uint64_t bits, const Cvt &cvt) {
  if (isFp(cvt.from)) {
    double x = decodeFloat(bits, cvt.from, cvt.flags & CvtFtz);
    if (x != x && isFloat(cvt.to) && isFloat(cvt.from) && cvt.to != Ty::TF32 &&
        !(cvt.flags & CvtSat))
      return convertNan(bits, cvt);
    return isFp(cvt.to) ? floatToFloat(x, cvt) : floatToInteger(x, cvt);
  }
  uint64_t value = extend(bits, cvt.from);
  if (!isFp(cvt.to))
    return extend(cvt.flags & CvtSat ? clampInteger(value, cvt.from, cvt.to)
                                     : value,
                  cvt.to);
  long double exact =
      isSigned(cvt.from) ? static_cast<long double>(static_cast<int64_t>(value))
                         : static_cast<long double>(value);
  if (cvt.flags & CvtSat)
    exact = std::clamp(exact, 0.0L, 1.0L);
  return encodeFloat(exact, cvt);
}

} // namespace fovea::sim
