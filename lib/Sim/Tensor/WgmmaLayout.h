// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where wgmma finds its elements (ISA text, section 9.7.15.5; the formulas are
// those of CUTLASS, cute/arch/mma_sm90_desc.hpp and
// cute/atom/mma_traits_sm90_gmma.hpp).
//
// Registers. A warp of the four holds 16 of the 64 rows. With g = lane / 4,
// t = lane % 4 and e elements a 32-bit register:
//   D: element i is row g + 8 (i / 2 % 2), column 8 (i / 4) + 2 t + i % 2;
//      f16 packs elements 2 r and 2 r + 1 into register r;
//   A: register r holds row g + 8 (r % 2), columns e t + 4 e (r / 2) + 0 ..
//   e-1.
//
// Shared memory, in pieces of 16 bytes, with W = 8, 4, 2 (swizzle of 128, 64,
// 32 bytes) or 1 (none), leading offset L and stride offset S:
//   K-major, row m and piece p along K:
//     W > 1: 16 ((m % 8) W + p) + (m / 8) S
//     W = 1: 16 (m % 8) + (m / 8) S + p L
//   MN-major, piece p along M or N, row k:
//     W > 1: 16 (p % W + (k % 8) W) + (p / W) L + (k / 8) S
//     W = 1: 16 (k % 8) + (k / 8) L + p S
// The swizzle then permutes bits of the absolute address. A tile whose pattern
// does not start at a multiple of 8 lines says where in its base offset.
#ifndef FOVEA_LIB_SIM_WGMMALAYOUT_H
#define FOVEA_LIB_SIM_WGMMALAYOUT_H

#include <cstdint>

namespace fovea::sim {

/// Row of the warp's 16 and column of element i of D.
constexpr void wgmmaAccumulator(unsigned lane, unsigned i, unsigned &row,
                                unsigned &col) {
  row = lane / 4 + 8 * (i / 2 % 2);
  col = 8 * (i / 4) + 2 * (lane % 4) + i % 2;
}

/// Row and first column of register r of A, with `e` elements a register.
constexpr void wgmmaFragmentA(unsigned lane, unsigned r, unsigned e,
                              unsigned &row, unsigned &col) {
  row = lane / 4 + 8 * (r % 2);
  col = e * (lane % 4) + 4 * e * (r / 2);
}

/// A matrix descriptor of shared memory.
struct WgmmaDescriptor {
  uint32_t start = 0, leading = 0, stride = 0; // bytes
  unsigned base = 0;                           // lines of 128 bytes
  unsigned swizzle = 0;                        // as TensorMapDesc

  /// Bits that must be 0.
  static constexpr uint64_t reserved =
      0x3ull << 14 | 0x3ull << 30 | 0x7ull << 46 | 0x3ffull << 52;

  static constexpr WgmmaDescriptor of(uint64_t bits) {
    constexpr unsigned swizzles[] = {0, 3, 2, 1};
    return {uint32_t(bits & 0x3fff) << 4, uint32_t(bits >> 16 & 0x3fff) << 4,
            uint32_t(bits >> 32 & 0x3fff) << 4, unsigned(bits >> 49 & 7),
            swizzles[bits >> 62]};
  }

  constexpr uint32_t address(uint32_t offset) const {
    uint32_t at = start + offset, mask = (1u << swizzle) - 1;
    return at ^ ((((at >> 7) - base) & mask) << 4);
  }
  constexpr uint32_t kMajor(unsigned m, unsigned piece) const {
    if (!swizzle)
      return address(16 * (m % 8) + m / 8 * stride + piece * leading);
    return address(16 * ((m % 8 << swizzle) + piece) + m / 8 * stride);
  }
  constexpr uint32_t mnMajor(unsigned piece, unsigned k) const {
    if (!swizzle)
      return address(16 * (k % 8) + k / 8 * leading + piece * stride);
    unsigned inLine = piece & ((1u << swizzle) - 1);
    return address(16 * (inLine + (k % 8 << swizzle)) +
                   (piece >> swizzle) * leading + k / 8 * stride);
  }
};

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_WGMMALAYOUT_H
