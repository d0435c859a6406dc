// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Half types against their definitions in IEEE 754, for every bit pattern:
// widening against sign * significand * 2^exponent computed in double,
// narrowing at each value, at each midpoint of neighbours, and just beside the
// midpoints.

#include "fovea/Runtime/Half.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

using namespace fovea::runtime;

namespace {

struct Format {
  int exponentBits, mantissaBits;
  float (*widen)(uint16_t);
  uint16_t (*narrow)(float);

  int bias() const { return (1 << (exponentBits - 1)) - 1; }
  uint16_t infinity() const {
    return ((1 << exponentBits) - 1) << mantissaBits;
  }
  /// The value of a pattern without sign, by the definition.
  double valueOf(uint16_t bits) const {
    int exponent = bits >> mantissaBits;
    double fraction =
        std::ldexp(bits & ((1 << mantissaBits) - 1), -mantissaBits);
    if (exponent == 0)
      return std::ldexp(fraction, 1 - bias());
    return std::ldexp(1 + fraction, exponent - bias());
  }
};

const Format f16{5, 10, f16ToFloat, floatToF16};
const Format bf16{8, 7, bf16ToFloat, floatToBF16};

class HalfTest : public testing::TestWithParam<const Format *> {};

TEST_P(HalfTest, WidensEveryPattern) {
  const Format &f = *GetParam();
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    uint16_t magnitude = bits & 0x7fff;
    float wide = f.widen(bits);
    ASSERT_EQ(std::signbit(wide), bits > 0x7fff) << bits;
    if (magnitude > f.infinity())
      ASSERT_TRUE(std::isnan(wide)) << bits;
    else if (magnitude == f.infinity())
      ASSERT_TRUE(std::isinf(wide)) << bits;
    else
      ASSERT_EQ(std::fabs(wide), f.valueOf(magnitude)) << bits;
  }
}

TEST_P(HalfTest, NarrowsEveryValueBack) {
  const Format &f = *GetParam();
  uint16_t quiet = 1 << (f.mantissaBits - 1);
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    bool isNan = (bits & 0x7fff) > f.infinity();
    ASSERT_EQ(f.narrow(f.widen(bits)), isNan ? bits | quiet : bits) << bits;
  }
}

TEST_P(HalfTest, RoundsToNearestEvenAtEveryMidpoint) {
  const Format &f = *GetParam();
  for (uint16_t low = 0; low < f.infinity(); ++low) {
    // Beyond the largest value the next one would be 2^(bias+1): the definition
    // of valueOf gives it, and rounding to it means overflow to infinity.
    double middle = (f.valueOf(low) + f.valueOf(low + 1)) / 2;
    float tie = static_cast<float>(middle);
    if (tie != middle)
      continue; // below f32's smallest subnormal: bf16 has no such midpoint
    uint16_t even = low & 1 ? low + 1 : low;
    float above = std::nextafter(tie, std::numeric_limits<float>::infinity());
    for (int sign : {0, 0x8000}) {
      float s = sign ? -1.0f : 1.0f;
      ASSERT_EQ(f.narrow(s * tie), even | sign) << low;
      ASSERT_EQ(f.narrow(s * std::nextafter(tie, 0.0f)), low | sign) << low;
      ASSERT_EQ(f.narrow(s * above), (low + 1) | sign) << low;
    }
  }
}

TEST_P(HalfTest, KeepsNaNAndInfinity) {
  const Format &f = *GetParam();
  float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(f.narrow(infinity), f.infinity());
  EXPECT_EQ(f.narrow(-infinity), f.infinity() | 0x8000);
  EXPECT_EQ(f.narrow(std::numeric_limits<float>::max()), f.infinity());
  // A NaN whose payload lies only in the bits that are cut.
  float sly = std::bit_cast<float>(0x7f800001u);
  EXPECT_TRUE(std::isnan(f.widen(f.narrow(sly))));
  EXPECT_TRUE(std::isnan(f.widen(f.narrow(-sly))));
}

INSTANTIATE_TEST_SUITE_P(Types, HalfTest, testing::Values(&f16, &bf16),
                         [](const auto &info) {
                           return info.param == &f16 ? "f16" : "bf16";
                         });

TEST(ConvertElements, GoesBetweenAllTypes) {
  std::vector<float> values = {0.0f, -1.5f, 65504.0f, 1e-7f, 70000.0f};
  std::vector<uint16_t> f16Bits(5), bf16Bits(5);
  convertElements(values.data(), FOVEA_F32, f16Bits.data(), FOVEA_F16, 5);
  // 1e-7 lies between 1 and 2 units of 2^-24 (5.96e-8), nearer to 2.
  EXPECT_EQ(f16Bits, (std::vector<uint16_t>{0, 0xbe00, 0x7bff, 2, 0x7c00}));
  convertElements(f16Bits.data(), FOVEA_F16, bf16Bits.data(), FOVEA_BF16, 5);
  // 65504 rounds to 65536, 2 * 2^-24 is 2^-23.
  EXPECT_EQ(bf16Bits,
            (std::vector<uint16_t>{0, 0xbfc0, 0x4780, 0x3400, 0x7f80}));
  convertElements(bf16Bits.data(), FOVEA_BF16, values.data(), FOVEA_F32, 5);
  EXPECT_EQ(values[2], 65536.0f);
  std::vector<uint16_t> copy(5);
  bf16Bits[0] = 0x7f81; // a signalling NaN stays as it is in a copy
  convertElements(bf16Bits.data(), FOVEA_BF16, copy.data(), FOVEA_BF16, 5);
  EXPECT_EQ(copy, bf16Bits);
}

} // namespace
