// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One value from one type to another, by an exact intermediate, an integer or a
// double: the arithmetic of cvt (ISA text, section 9.7.9.21).
#ifndef FOVEA_LIB_SIM_CONVERT_H
#define FOVEA_LIB_SIM_CONVERT_H

#include "Halves.h"
#include "Program/Program.h"

namespace fovea::sim {

enum CvtFlags : uint8_t { CvtFtz = 1, CvtSat = 2, CvtRelu = 4, CvtFinite = 8 };

/// Everything a general conversion needs, kept in the instruction: kind is the
/// source type, vec the destination type, flags as above, imm the rest.
struct Cvt {
  Ty from, to;
  uint8_t flags;
  Round round;
  bool toIntegral;
  bool srcWide, dstWide;

  int64_t pack() const {
    return int64_t(round) | int64_t(toIntegral) << 8 | int64_t(srcWide) << 9 |
           int64_t(dstWide) << 10;
  }
  static Cvt of(const Inst &inst) {
    return {static_cast<Ty>(inst.kind),
            static_cast<Ty>(inst.vec),
            inst.flags,
            static_cast<Round>(inst.imm & 0xff),
            bool(inst.imm >> 8 & 1),
            bool(inst.imm >> 9 & 1),
            bool(inst.imm >> 10 & 1)};
  }
};

inline bool isFp(Ty ty) {
  return isFloat(ty) || ty == Ty::E4M3 || ty == Ty::E5M2;
}

/// Bits of an integer type as 64 bits, by its sign.
uint64_t extend(uint64_t bits, Ty ty);

/// An integer of the source type clamped to the destination type.
uint64_t clampInteger(uint64_t value, Ty from, Ty to);

uint64_t convert(uint64_t bits, const Cvt &cvt);

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_CONVERT_H
