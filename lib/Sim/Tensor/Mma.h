// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Shapes and fragments of mma.sync (ISA text, section 9.7.14.5).
//
// All shapes but the old m8n8k4 of f16 lay fragments out alike. With e
// elements a 32-bit register (1 of f64 in a 64-bit one), g = lane / 4 and
// t = lane % 4:
//   A of 16 rows: register r holds row g + 8 (r % 2), columns
//                 e t + 4 e (r / 2) + 0 .. e - 1;
//   A of 8 rows:  register r holds row g, columns e t + 4 e r + ...;
//   B:            register r holds column g, rows e t + 4 e r + ...;
//   C, D:         element i holds row g + 8 (i / 2), column 2 t + i % 2.
#ifndef FOVEA_LIB_SIM_MMA_H
#define FOVEA_LIB_SIM_MMA_H

#include "Machine/Machine.h"
#include "Ops/Halves.h"

namespace fovea::sim {

enum MmaFlags : uint8_t { MmaSaturate = 1, MmaAnd = 2 };
constexpr unsigned MmaRoundingShift = 6; // of f64: rn, rz, rm, rp

/// Shape and types, packed into the instruction.
struct Mma {
  unsigned m, k;
  Ty a, b, c, d;
  bool sparse; // only half of each row of A is stored

  static Mma of(const Inst &inst) {
    auto packed = static_cast<uint64_t>(inst.imm);
    return {unsigned(packed & 0xff),
            unsigned(packed >> 8 & 0xffff),
            static_cast<Ty>(packed >> 24 & 0xff),
            static_cast<Ty>(packed >> 32 & 0xff),
            static_cast<Ty>(packed >> 40 & 0xff),
            static_cast<Ty>(packed >> 48 & 0xff),
            bool(packed >> 56 & 1)};
  }
  int64_t pack() const {
    return static_cast<int64_t>(
        uint64_t(m) | uint64_t(k) << 8 | uint64_t(a) << 24 | uint64_t(b) << 32 |
        uint64_t(c) << 40 | uint64_t(d) << 48 | uint64_t(sparse) << 56);
  }
  unsigned perRegister() const { return a == Ty::F64 ? 1 : 32 / typeBits(a); }
  unsigned storedK() const { return sparse ? k / 2 : k; }
  unsigned aRegisters() const {
    return m / 8 * storedK() / (4 * perRegister());
  }
  unsigned bRegisters() const { return k / (4 * perRegister()); }
  unsigned cRegisters(Ty ty) const { return ty == Ty::F16 ? m / 8 : m / 4; }
};

inline void accumulatorPlace(unsigned lane, unsigned i, unsigned &row,
                             unsigned &col) {
  row = lane / 4 + 8 * (i / 2);
  col = 2 * (lane % 4) + i % 2;
}

inline float element(uint32_t word, unsigned j, Ty ty) {
  switch (ty) {
  case Ty::F16:
    return toFloat(F16{static_cast<uint16_t>(word >> (16 * j))});
  case Ty::BF16:
    return toFloat(BF16{static_cast<uint16_t>(word >> (16 * j))});
  case Ty::TF32:
    return std::bit_cast<float>(word & 0xffffe000u);
  case Ty::E4M3:
    return static_cast<float>(fromShape(word >> (8 * j) & 0xff, shapeE4M3));
  default:
    return static_cast<float>(fromShape(word >> (8 * j) & 0xff, shapeE5M2));
  }
}

inline int32_t integerElement(uint32_t word, unsigned j, Ty ty) {
  unsigned bits = typeBits(ty);
  uint32_t value = (word >> (bits * j)) & ((1u << bits) - 1);
  if (isSigned(ty) && (value >> (bits - 1)))
    value |= ~0u << bits;
  return static_cast<int32_t>(value);
}

/// Taint of D from that of A, B and C; `dirtyRows` from elsewhere.
void taintMma(Warp &warp, const Inst &inst, const Mma &mma,
              uint32_t dirtyRows = 0);

/// mma.sp: sources as of mma, then the metadata; aux is the selector.
void execSparseMma(Warp &warp, const Inst &inst, uint32_t mask);

/// Whether mma.sp has the shape, and the number of lanes of four that hold its
/// metadata.
bool knownSparseShape(const Mma &mma);
unsigned metadataLanes(const Mma &mma);

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_MMA_H
