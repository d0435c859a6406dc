// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// mma.sp (ISA text, section 9.7.14.6): of A only half of each row is stored,
// the fragments laid out as those of a dense A of half the columns. Four bits
// of metadata place two stored elements (one of tf32, two pairs of 4-bit
// integers) among four (two, eight) columns.
//
// Where the four bits lie is shown in pictures only; an H200 has them so
// (docs/hardware.md). With g = lane / 4, s the selector and n of every four
// lanes holding metadata, number c of row g + 8 h is
//   of 32 and 16-bit types in lane 4 g + n s + c / 4, bits 4 (4 h + c % 4);
//   of 8 and 4-bit types in lane 4 g + n s + 2 (c / 8) + h, bits 4 (c % 8).
#include "Machine/Lanes.h"
#include "Mma.h"
#include "TensorSum.h"
#include <algorithm>

namespace fovea::sim {

namespace {

/// Stored elements of a group of four bits of metadata, and its columns.
unsigned storedPerGroup(Ty a) {
  return typeBits(a) == 32 ? 1 : typeBits(a) == 4 ? 4 : 2;
}

class SparseProduct {
public:
  SparseProduct(Warp &warp, const Inst &inst)
      : warp(warp), inst(inst), mma(Mma::of(inst)) {}
  void run();

private:
  uint32_t word(unsigned source, unsigned lane) const {
    return warp.narrow(inst.s(source))[lane];
  }
  uint32_t metadata(unsigned row, unsigned group) const;
  /// The column of a stored element of A.
  unsigned columnOf(unsigned row, unsigned stored) const;
  /// Lane, register and place in it of an element of A or B.
  uint32_t wordOfA(unsigned row, unsigned stored, unsigned &part) const;
  uint32_t wordOfB(unsigned k, unsigned col, unsigned &part) const;

  float floatSum(unsigned row, unsigned col, float addend) const;
  uint32_t integerSum(unsigned row, unsigned col, uint32_t addend) const;
  uint32_t dirtyRows() const;

  Warp &warp;
  const Inst &inst;
  Mma mma;
  unsigned columns[16][64];
};

uint32_t SparseProduct::metadata(unsigned row, unsigned group) const {
  unsigned g = row % 8, h = row / 8, n = metadataLanes(mma);
  unsigned lane = 4 * g + n * inst.aux, place = 0;
  if (typeBits(mma.a) >= 16) {
    lane += group / 4;
    place = 4 * h + group % 4;
  } else {
    lane += 2 * (group / 8) + h;
    place = group % 8;
  }
  return word(inst.ns - 1u, lane) >> (4 * place) & 0xf;
}

unsigned SparseProduct::columnOf(unsigned row, unsigned stored) const {
  unsigned n = storedPerGroup(mma.a), group = stored / n, i = stored % n;
  uint32_t bits = metadata(row, group);
  if (n == 1) // 0100: the first of two, 1110: the second
    return 2 * group + (bits >> 1 & 1);
  unsigned wide = n / 2; // columns that an index counts
  unsigned index = bits >> (i / wide * 2) & 3;
  return 2 * n * group + wide * index + i % wide;
}

uint32_t SparseProduct::wordOfA(unsigned row, unsigned stored,
                                unsigned &part) const {
  unsigned e = mma.perRegister();
  part = stored % e;
  unsigned lane = 4 * (row % 8) + stored / e % 4;
  return word(2 * (stored / (4 * e)) + row / 8, lane);
}

uint32_t SparseProduct::wordOfB(unsigned k, unsigned col,
                                unsigned &part) const {
  unsigned e = mma.perRegister();
  part = k % e;
  return word(mma.aRegisters() + k / (4 * e), 4 * col + k / e % 4);
}

float SparseProduct::floatSum(unsigned row, unsigned col, float addend) const {
  float a[32], b[32];
  unsigned n = mma.storedK(), part = 0;
  for (unsigned i = 0; i < n; ++i) {
    uint32_t x = wordOfA(row, i, part);
    a[i] = element(x, part, mma.a);
    uint32_t y = wordOfB(columns[row][i], col, part);
    b[i] = element(y, part, mma.b);
  }
  const Launch &launch = *warp.launch;
  if (launch.config.exactTensorSums)
    return TensorSum(launch.program->smVersion, mma.a, mma.b, mma.d, false)
        .dot(a, b, 1, n, addend);
  for (unsigned i = 0; i < n; ++i)
    addend = __builtin_fmaf(a[i], b[i], addend);
  return addend;
}

uint32_t SparseProduct::integerSum(unsigned row, unsigned col,
                                   uint32_t addend) const {
  int64_t sum = static_cast<int32_t>(addend);
  for (unsigned i = 0; i < mma.storedK(); ++i) {
    unsigned partA = 0, partB = 0;
    uint32_t x = wordOfA(row, i, partA),
             y = wordOfB(columns[row][i], col, partB);
    sum += int64_t(integerElement(x, partA, mma.a)) *
           integerElement(y, partB, mma.b);
  }
  if (inst.flags & MmaSaturate)
    sum = std::clamp<int64_t>(sum, INT32_MIN, INT32_MAX);
  return static_cast<uint32_t>(sum);
}

/// Rows whose metadata was never written.
uint32_t SparseProduct::dirtyRows() const {
  uint32_t rows = 0, n = metadataLanes(mma);
  forLanes(taintOf(warp, inst.s(inst.ns - 1u)), [&](unsigned l) {
    unsigned t = l % 4 - n * inst.aux;
    if (l % 4 < n * inst.aux || t >= n)
      return;
    if (typeBits(mma.a) >= 16)
      rows |= 0x101u << (l / 4);
    else
      rows |= 1u << (l / 4 + 8 * (t % 2));
  });
  return rows;
}

void SparseProduct::run() {
  for (unsigned row = 0; row < 16; ++row)
    for (unsigned i = 0; i < mma.storedK(); ++i)
      columns[row][i] = columnOf(row, i);
  unsigned c = mma.aRegisters() + mma.bRegisters();
  uint32_t out[4][32] = {};
  for (unsigned l = 0; l < 32; ++l)
    for (unsigned i = 0; i < 4; ++i) {
      unsigned row, col;
      accumulatorPlace(l, i, row, col);
      if (mma.d == Ty::S32) {
        out[i][l] = integerSum(row, col, word(c + i, l));
      } else if (mma.d == Ty::F32) {
        out[i][l] = canonicalBits(
            floatSum(row, col, std::bit_cast<float>(word(c + i, l))));
      } else {
        unsigned shift = 16 * (i % 2);
        F16 addend{static_cast<uint16_t>(word(c + i / 2, l) >> shift)};
        uint32_t sum = toF16(floatSum(row, col, toFloat(addend))).bits;
        out[i / 2][l] |= sum << shift;
      }
    }
  taintMma(warp, inst, mma, warp.taint ? dirtyRows() : 0);
  for (unsigned r = 0; r < inst.nd; ++r)
    std::copy_n(out[r], 32, warp.narrow(inst.d(r)));
}

} // namespace

unsigned metadataLanes(const Mma &mma) {
  // Four bits for storedPerGroup elements, 16 rows in 8 groups of lanes.
  unsigned bits = 2 * 4 * mma.storedK() / storedPerGroup(mma.a);
  return std::max(1u, bits / 32);
}

bool knownSparseShape(const Mma &mma) {
  if (mma.m != 16 || mma.c != mma.d)
    return false;
  unsigned bits = typeBits(mma.a);
  switch (mma.a) {
  case Ty::E4M3:
  case Ty::E5M2:
    return mma.k == 64;
  case Ty::F16:
  case Ty::BF16:
  case Ty::TF32:
  case Ty::S8:
  case Ty::U8:
  case Ty::S4:
  case Ty::U4:
    return mma.k * bits == 256 || mma.k * bits == 512;
  default:
    return false;
  }
}

void execSparseMma(Warp &warp, const Inst &inst, uint32_t) {
  SparseProduct(warp, inst).run();
}

} // namespace fovea::sim
