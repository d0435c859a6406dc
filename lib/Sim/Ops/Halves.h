// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The 16-bit floats and the rounding of wider ones to them and to tf32, fp8.
//
// A sum, difference, product, quotient or root of two f16 or bf16 values that
// is rounded to f32 first and then to 16 bits is rounded as if once, because
// 24 >= 2 * 11 + 2 (Figueroa). A fused multiply-add is not, see fmaRound.
#ifndef FOVEA_LIB_SIM_HALVES_H
#define FOVEA_LIB_SIM_HALVES_H

#include <bit>
#include <cmath>
#include <cstdint>

namespace fovea::sim {

struct F16 {
  uint16_t bits;
};
struct BF16 {
  uint16_t bits;
};

enum class Round : uint8_t { Nearest, Zero, Down, Up, NearestAway };

inline float toFloat(F16 x) {
  return static_cast<float>(std::bit_cast<_Float16>(x.bits));
}
inline float toFloat(BF16 x) {
  return std::bit_cast<float>(static_cast<uint32_t>(x.bits) << 16);
}

// Subnormals become a zero of their sign; bf16 operations never flush.
inline float flush(float x) {
  uint32_t u = std::bit_cast<uint32_t>(x);
  return std::bit_cast<float>((u & 0x7f800000) ? u : u & 0x80000000);
}
inline F16 flush(F16 x) {
  return {uint16_t((x.bits & 0x7c00) ? x.bits : x.bits & 0x8000)};
}
inline BF16 flush(BF16 x) { return x; }

/// Bits of a result in f32: every NaN is the canonical one.
inline uint32_t canonicalBits(float x) {
  return x != x ? 0x7fffffffu : std::bit_cast<uint32_t>(x);
}

/// Rounds to nearest even; NaN becomes the canonical 0x7fff.
inline F16 toF16(float x) {
  uint16_t bits = std::bit_cast<uint16_t>(static_cast<_Float16>(x));
  return {x != x ? uint16_t(0x7fff) : bits};
}
inline BF16 toBF16(float x) {
  uint32_t u = std::bit_cast<uint32_t>(x);
  uint32_t r = (u + 0x7fffu + ((u >> 16) & 1)) >> 16;
  return {x != x ? uint16_t(0x7fff) : static_cast<uint16_t>(r)};
}

/// The shape of a binary float: exponent and fraction bits, whether the top
/// exponent holds infinity (e4m3 has none and only one NaN).
struct FloatShape {
  unsigned exponentBits, fractionBits;
  bool hasInfinity;
};
constexpr FloatShape shapeF16{5, 10, true}, shapeBF16{8, 7, true},
    shapeTF32{8, 10, true}, shapeE4M3{4, 3, false}, shapeE5M2{5, 2, true},
    shapeF32{8, 23, true};

/// Bits of x in the shape. `saturate` clamps to the largest finite value.
uint32_t roundToShape(double x, FloatShape shape, Round mode, bool saturate);
double fromShape(uint32_t bits, FloatShape shape);

/// a * b + c rounded to odd in double: a later rounding to at most 51 bits is
/// then as if it were the only one.
double fmaToOdd(double a, double b, double c);

/// A double to float, rounded to odd.
inline float oddFloat(double x) {
  auto r = static_cast<float>(x);
  double back = r;
  if (back == x || x != x)
    return r;
  uint32_t u = std::bit_cast<uint32_t>(r);
  if (std::fabs(back) > std::fabs(x))
    --u;
  return std::bit_cast<float>(u | 1);
}

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_HALVES_H
