// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Half types on bit patterns. f16 has 1 sign, 5 exponent and 10 mantissa bits
// (bias 15), bf16 is the upper half of an f32. Both narrowings add just under
// half a unit, plus the lowest kept bit, and cut: that is round to nearest,
// ties to even, and a carry runs into the exponent, up to infinity, as it
// should.

#include "fovea/Runtime/Half.h"

#include <bit>
#include <cstring>

using namespace fovea::runtime;

float fovea::runtime::f16ToFloat(uint16_t bits) {
  uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
  uint32_t exponent = (bits >> 10) & 0x1fu;
  uint32_t mantissa = bits & 0x3ffu;
  if (exponent == 0) { // zero or subnormal: mantissa * 2^-24, exact in f32
    float magnitude = static_cast<float>(mantissa) * 0x1.0p-24f;
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(magnitude));
  }
  uint32_t wide = exponent == 0x1f ? 0xffu : exponent + (127 - 15);
  return std::bit_cast<float>(sign | (wide << 23) | (mantissa << 13));
}

uint16_t fovea::runtime::floatToF16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  uint16_t sign = static_cast<uint16_t>((bits >> 16) & 0x8000u);
  uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) // NaN
    return sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu);
  if (magnitude >= 0x47800000u) // 65536 and infinity; the carry does the rest
    return sign | 0x7c00u;
  if (magnitude >= 0x38800000u) { // 2^-14, the smallest normal f16
    magnitude += 0xfffu + ((magnitude >> 13) & 1u);
    return sign | static_cast<uint16_t>((magnitude - 0x38000000u) >> 13);
  }
  if (magnitude < 0x33000000u) // below 2^-25, half of the smallest subnormal
    return sign;
  // The value is significand * 2^(exponent - 150), wanted in units of 2^-24.
  uint32_t significand = (magnitude & 0x7fffffu) | 0x800000u;
  uint32_t shift = 126 - (magnitude >> 23);
  uint32_t kept = significand >> shift;
  uint32_t rest = significand & ((1u << shift) - 1);
  uint32_t half = 1u << (shift - 1);
  if (rest > half || (rest == half && (kept & 1)))
    ++kept;
  return sign | static_cast<uint16_t>(kept);
}

float fovea::runtime::bf16ToFloat(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

uint16_t fovea::runtime::floatToBF16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffffu) >
      0x7f800000u) // NaN: rounding could make it infinite
    return static_cast<uint16_t>((bits >> 16) | 0x40u);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

namespace {

template <fovea_type type> struct Element;
template <> struct Element<FOVEA_F32> {
  using Storage = float;
  static float widen(float x) { return x; }
  static float narrow(float x) { return x; }
};
template <> struct Element<FOVEA_F16> {
  using Storage = uint16_t;
  static float widen(uint16_t x) { return f16ToFloat(x); }
  static uint16_t narrow(float x) { return floatToF16(x); }
};
template <> struct Element<FOVEA_BF16> {
  using Storage = uint16_t;
  static float widen(uint16_t x) { return bf16ToFloat(x); }
  static uint16_t narrow(float x) { return floatToBF16(x); }
};

template <fovea_type from, fovea_type to>
void convertLoop(const void *in, void *out, int64_t count) {
  auto *source = static_cast<const typename Element<from>::Storage *>(in);
  auto *target = static_cast<typename Element<to>::Storage *>(out);
  for (int64_t i = 0; i < count; ++i)
    target[i] = Element<to>::narrow(Element<from>::widen(source[i]));
}

template <fovea_type from>
void convertFrom(const void *in, void *out, fovea_type to, int64_t count) {
  switch (to) {
  case FOVEA_F32:
    return convertLoop<from, FOVEA_F32>(in, out, count);
  case FOVEA_F16:
    return convertLoop<from, FOVEA_F16>(in, out, count);
  case FOVEA_BF16:
    return convertLoop<from, FOVEA_BF16>(in, out, count);
  }
}

} // namespace

void fovea::runtime::convertElements(const void *from, fovea_type fromType,
                                     void *to, fovea_type toType,
                                     int64_t count) {
  if (count <= 0)
    return;
  if (fromType == toType) { // bit for bit, NaN payloads included
    std::memcpy(to, from, count * (fromType == FOVEA_F32 ? 4 : 2));
    return;
  }
  switch (fromType) {
  case FOVEA_F32:
    return convertFrom<FOVEA_F32>(from, to, toType, count);
  case FOVEA_F16:
    return convertFrom<FOVEA_F16>(from, to, toType, count);
  case FOVEA_BF16:
    return convertFrom<FOVEA_BF16>(from, to, toType, count);
  }
}
