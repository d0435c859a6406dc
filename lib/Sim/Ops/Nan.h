// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// NaN results. Those of f32 and the 16-bit floats are one canonical pattern.
// In f64 payloads are supported (ISA text, section 9.7.3): a NaN operand comes
// out quiet, otherwise the sign of the result is set (measured,
// docs/hardware.md).
#ifndef FOVEA_LIB_SIM_NAN_H
#define FOVEA_LIB_SIM_NAN_H

#include <bit>
#include <cstdint>

namespace fovea::sim {

constexpr uint64_t quietBit64 = 1ull << 51;

inline double quiet(double x) {
  return std::bit_cast<double>(std::bit_cast<uint64_t>(x) | quietBit64);
}

/// The last operand that is NaN, made quiet, or the default.
template <class... T> inline double nanOf(T... operands) {
  double r = std::bit_cast<double>(0xfff8000000000000ull);
  ((r = operands != operands ? quiet(operands) : r), ...);
  return r;
}

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_NAN_H
