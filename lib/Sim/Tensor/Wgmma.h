// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// wgmma between decoding, issuing and computing.
#ifndef FOVEA_LIB_SIM_WGMMA_H
#define FOVEA_LIB_SIM_WGMMA_H

#include "Async/Async.h"
#include "WgmmaLayout.h"

namespace fovea::sim {

enum WgmmaFlags : uint8_t {
  WgmmaRegisterA = 1,
  WgmmaTransA = 2,
  WgmmaTransB = 4,
  WgmmaNegateA = 8,
  WgmmaNegateB = 16,
  WgmmaSaturate = 32,
};

/// Shape and types, packed into the instruction's imm. Its destinations are
/// the accumulators; its sources, A's four registers or descriptor, B's
/// descriptor, and scale-d if it is a predicate (kind 2; else kind is its
/// value).
struct WgmmaShape {
  unsigned n = 0, k = 0;
  Ty d = Ty::None, a = Ty::None, b = Ty::None;

  static WgmmaShape of(const Inst &inst) {
    auto p = static_cast<uint64_t>(inst.imm);
    return {unsigned(p & 0xffff), unsigned(p >> 16 & 0xffff),
            static_cast<Ty>(p >> 32 & 0xff), static_cast<Ty>(p >> 40 & 0xff),
            static_cast<Ty>(p >> 48 & 0xff)};
  }
  int64_t pack() const {
    return static_cast<int64_t>(uint64_t(n) | uint64_t(k) << 16 |
                                uint64_t(d) << 32 | uint64_t(a) << 40 |
                                uint64_t(b) << 48);
  }
  unsigned accumulators() const { return d == Ty::F16 ? n / 4 : n / 2; }
};

/// Calls f(address, row, k) for the pieces of 16 bytes of rows [first, first +
/// rows) of an operand; row counts from 0, k is the piece's first element.
template <class F>
void forWgmmaPieces(uint64_t bits, unsigned k, Ty ty, unsigned first,
                    unsigned rows, bool mnMajor, F f) {
  WgmmaDescriptor descriptor = WgmmaDescriptor::of(bits);
  unsigned n = 128 / typeBits(ty);
  if (!mnMajor) {
    for (unsigned r = 0; r < rows; ++r)
      for (unsigned p = 0; p < k / n; ++p)
        f(descriptor.kMajor(first + r, p), r, p * n);
    return;
  }
  for (unsigned x = 0; x < k; ++x)
    for (unsigned p = 0; p < rows / n; ++p)
      f(descriptor.mnMajor(first / n + p, x), p * n, x);
}

/// Reads the operands and writes the accumulators of the warp.
void computeWgmma(Warp &warp, const PendingWgmma &job);

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_WGMMA_H
