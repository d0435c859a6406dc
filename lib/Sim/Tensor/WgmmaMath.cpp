// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The arithmetic of wgmma: D = A B + D for the 16 rows of one warp, which needs
// nothing of the other three. Integers go through floats, which hold their
// sums exactly: 32 products of 8 bits stay below 2^24.
#include "Machine/Lanes.h"
#include "TensorSum.h"
#include "Wgmma.h"
#include <algorithm>
#include <array>
#include <cstring>

namespace fovea::sim {
namespace {

std::array<float, 256> tableOf(FloatShape shape) {
  std::array<float, 256> table{};
  for (uint32_t i = 0; i < 256; ++i)
    table[i] = static_cast<float>(fromShape(i, shape));
  return table;
}

/// Element `i` of consecutive elements of a type.
float elementAt(const uint8_t *at, unsigned i, Ty ty) {
  static const std::array<float, 256> e4m3 = tableOf(shapeE4M3),
                                      e5m2 = tableOf(shapeE5M2);
  uint16_t half;
  uint32_t word;
  switch (ty) {
  case Ty::F16:
    std::memcpy(&half, at + 2 * i, 2);
    return toFloat(F16{half});
  case Ty::BF16:
    std::memcpy(&half, at + 2 * i, 2);
    return toFloat(BF16{half});
  case Ty::TF32:
    std::memcpy(&word, at + 4 * i, 4);
    return std::bit_cast<float>(word & 0xffffe000u);
  case Ty::E4M3:
    return e4m3[at[i]];
  case Ty::E5M2:
    return e5m2[at[i]];
  case Ty::S8:
    return static_cast<int8_t>(at[i]);
  case Ty::B1:
    return at[i / 8] >> (i % 8) & 1;
  default:
    return at[i];
  }
}

/// A is 16 x k, B k x n, C 16 x n, all row-major.
struct Tile {
  alignas(64) float a[16 * 256];
  alignas(64) float b[256 * 256];
  alignas(64) float c[16 * 256];
  bool dirtyRow[16], dirtyCol[256];
};

class Loader {
public:
  Loader(Warp &warp, const PendingWgmma &job, Tile &tile)
      : warp(warp), job(job), inst(*job.inst), shape(WgmmaShape::of(inst)),
        tile(tile) {}

  void loadA() {
    if (inst.flags & WgmmaRegisterA)
      return loadRegisters();
    unsigned k = shape.k;
    load(
        job.a, shape.a, 16 * (warp.id % 4), 16, inst.flags & WgmmaTransA,
        [&](unsigned row, unsigned x) -> float & {
          return tile.a[row * k + x];
        },
        tile.dirtyRow);
  }
  void loadB() {
    unsigned n = shape.n;
    load(
        job.b, shape.b, 0, n, inst.flags & WgmmaTransB,
        [&](unsigned col, unsigned x) -> float & {
          return tile.b[x * n + col];
        },
        tile.dirtyCol);
  }

private:
  void loadRegisters();

  template <class F>
  void load(uint64_t descriptor, Ty ty, unsigned first, unsigned rows,
            bool mnMajor, F at, bool *dirty) {
    unsigned n = 128 / typeBits(ty);
    forWgmmaPieces(
        descriptor, shape.k, ty, first, rows, mnMajor,
        [&](uint32_t address, unsigned row, unsigned k) {
          Place place;
          uint8_t bytes[16] = {};
          if (locate(warp, inst, 0, Space::Shared, address, 16, 16, false,
                     place))
            std::memcpy(bytes, place.data, 16);
          bool unwritten = place.init && std::memchr(place.init, 0, 16);
          for (unsigned i = 0; i < n; ++i) {
            unsigned r = mnMajor ? row + i : row, x = mnMajor ? k : k + i;
            at(r, x) = elementAt(bytes, i, ty);
            if (unwritten && std::memchr(place.init + i * typeBits(ty) / 8, 0,
                                         std::max(1u, typeBits(ty) / 8)))
              dirty[r] = true;
          }
        });
  }

  Warp &warp;
  const PendingWgmma &job;
  const Inst &inst;
  WgmmaShape shape;
  Tile &tile;
};

void Loader::loadRegisters() {
  unsigned e = 32 / typeBits(shape.a);
  for (unsigned r = 0; r < 4; ++r) {
    const uint32_t *s = warp.narrow(inst.s(r));
    uint32_t dirty = taintOf(warp, inst.s(r));
    for (unsigned l = 0; l < 32; ++l) {
      unsigned row, col;
      wgmmaFragmentA(l, r, e, row, col);
      uint8_t bytes[4];
      std::memcpy(bytes, &s[l], 4);
      for (unsigned j = 0; j < e; ++j)
        tile.a[row * shape.k + col + j] = elementAt(bytes, j, shape.a);
      if ((dirty >> l) & 1)
        tile.dirtyRow[row] = true;
    }
  }
}

/// Element i of D of a lane: its register and the bits there.
uint32_t getAccumulator(Warp &warp, const Inst &inst, bool half, unsigned lane,
                        unsigned i) {
  if (!half)
    return warp.narrow(inst.d(i))[lane];
  return warp.narrow(inst.d(i / 2))[lane] >> (16 * (i % 2)) & 0xffff;
}
void setAccumulator(Warp &warp, const Inst &inst, bool half, unsigned lane,
                    unsigned i, uint32_t value) {
  uint32_t &word = warp.narrow(inst.d(half ? i / 2 : i))[lane];
  if (!half)
    word = value;
  else if (i % 2)
    word = (word & 0xffff) | value << 16;
  else
    word = (word & 0xffff0000) | value;
}

void multiply(Tile &tile, const WgmmaShape &shape, const Launch &launch) {
  unsigned n = shape.n, k = shape.k;
  if (launch.config.exactTensorSums && isFloat(shape.d)) {
    TensorSum sum(launch.program->smVersion, shape.a, shape.b, shape.d, true);
    for (unsigned r = 0; r < 16; ++r)
      for (unsigned c = 0; c < n; ++c)
        tile.c[r * n + c] =
            sum.dot(tile.a + r * k, tile.b + c, n, k, tile.c[r * n + c]);
    return;
  }
  for (unsigned r = 0; r < 16; ++r) {
    float *c = tile.c + r * n;
    for (unsigned x = 0; x < k; ++x) {
      float a = tile.a[r * k + x];
      const float *b = tile.b + x * n;
      for (unsigned col = 0; col < n; ++col)
        c[col] = __builtin_fmaf(a, b[col], c[col]);
    }
  }
}

uint32_t resultBits(const Inst &inst, Ty ty, float sum, uint32_t old,
                    bool keep) {
  if (ty == Ty::F16)
    return toF16(sum).bits;
  if (ty == Ty::F32)
    return canonicalBits(sum);
  int64_t value =
      static_cast<int64_t>(sum) + (keep ? static_cast<int32_t>(old) : 0);
  if (inst.flags & WgmmaSaturate)
    value = std::clamp<int64_t>(value, INT32_MIN, INT32_MAX);
  return static_cast<uint32_t>(value);
}

void store(Warp &warp, const PendingWgmma &job, const WgmmaShape &shape,
           const Tile &tile) {
  const Inst &inst = *job.inst;
  bool half = shape.d == Ty::F16;
  std::vector<uint32_t> taint(inst.nd, 0);
  if (job.accumulate && warp.taint)
    taint.assign(job.dirty.begin(), job.dirty.end());
  for (unsigned i = 0; i < shape.n / 2; ++i)
    for (unsigned l = 0; l < 32; ++l) {
      unsigned row, col;
      wgmmaAccumulator(l, i, row, col);
      uint32_t old = getAccumulator(warp, inst, half, l, i);
      setAccumulator(warp, inst, half, l, i,
                     resultBits(inst, shape.d, tile.c[row * shape.n + col], old,
                                job.accumulate));
      if (tile.dirtyRow[row] || tile.dirtyCol[col])
        taint[half ? i / 2 : i] |= 1u << l;
    }
  for (unsigned r = 0; r < inst.nd; ++r)
    setTaint(warp, inst.d(r), taint[r], allLanes);
}

} // namespace

void computeWgmma(Warp &warp, const PendingWgmma &job) {
  static thread_local Tile tile;
  const Inst &inst = *job.inst;
  WgmmaShape shape = WgmmaShape::of(inst);
  std::fill(std::begin(tile.dirtyRow), std::end(tile.dirtyRow), false);
  std::fill(std::begin(tile.dirtyCol), std::end(tile.dirtyCol), false);
  Loader loader(warp, job, tile);
  loader.loadA();
  loader.loadB();
  if (bool(inst.flags & WgmmaNegateA) != bool(inst.flags & WgmmaNegateB))
    for (unsigned i = 0; i < 16 * shape.k; ++i)
      tile.a[i] = -tile.a[i];
  std::fill_n(tile.c, 16 * shape.n, 0.0f);
  if (job.accumulate && isFloat(shape.d))
    for (unsigned i = 0; i < shape.n / 2; ++i)
      for (unsigned l = 0; l < 32; ++l) {
        unsigned row, col;
        wgmmaAccumulator(l, i, row, col);
        uint32_t old = getAccumulator(warp, inst, shape.d == Ty::F16, l, i);
        tile.c[row * shape.n + col] =
            shape.d == Ty::F16 ? toFloat(F16{static_cast<uint16_t>(old)})
                               : std::bit_cast<float>(old);
      }
  multiply(tile, shape, *warp.launch);
  store(warp, job, shape, tile);
}

} // namespace fovea::sim
