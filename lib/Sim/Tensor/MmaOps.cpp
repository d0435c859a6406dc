// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// mma.sync (ISA text, section 9.7.14.5): D = A B + C of one warp.
#include "Machine/Lanes.h"
#include "Mma.h"
#include "Ops/Nan.h"
#include "Program/Decoder.h"
#include "TensorSum.h"
#include <algorithm>
#include <cstring>

namespace fovea::sim {

void decodeQuadPairs(Decoder &decoder);

namespace {

/// Rows and columns that an unwritten register reaches.
struct Dirt {
  uint32_t rows = 0, cols = 0;
  uint32_t of(unsigned lane, unsigned i) const {
    unsigned row, col;
    accumulatorPlace(lane, i, row, col);
    return ((rows >> row) | (cols >> col)) & 1;
  }
};

} // namespace

void taintMma(Warp &warp, const Inst &inst, const Mma &mma,
              uint32_t dirtyRows) {
  if (!warp.taint)
    return;
  unsigned na = mma.aRegisters(), nb = mma.bRegisters();
  Dirt dirt;
  dirt.rows = dirtyRows;
  for (unsigned r = 0; r < na; ++r)
    forLanes(taintOf(warp, inst.s(r)), [&](unsigned l) {
      dirt.rows |= 1u << (l / 4 + (mma.m == 16 ? 8 * (r % 2) : 0));
    });
  for (unsigned r = 0; r < nb; ++r)
    forLanes(taintOf(warp, inst.s(na + r)),
             [&](unsigned l) { dirt.cols |= 1u << (l / 4); });
  unsigned perC = mma.c == Ty::F16 ? 2 : 1, perD = mma.d == Ty::F16 ? 2 : 1;
  uint32_t lanes[4] = {};
  for (unsigned i = 0; i < mma.m / 4; ++i) {
    lanes[i] = taintOf(warp, inst.s(na + nb + i / perC));
    if (dirt.rows | dirt.cols)
      for (unsigned l = 0; l < 32; ++l)
        lanes[i] |= dirt.of(l, i) << l;
  }
  for (unsigned r = 0; r < inst.nd; ++r)
    setTaint(warp, inst.d(r),
             perD == 2 ? lanes[2 * r] | lanes[2 * r + 1] : lanes[r], allLanes);
}

namespace {

struct FloatTile {
  float a[16][32];
  alignas(32) float b[32][8];
  alignas(32) float c[16][8];
};

/// Calls put(lane, j, value) for the elements of a register. The type is asked
/// for once, because most of an mma's time goes here.
template <Ty T, unsigned E, class F>
void forElementsOf(const uint32_t *s, F put) {
  for (unsigned l = 0; l < 32; ++l)
    for (unsigned j = 0; j < E; ++j)
      put(l, j, element(s[l], j, T));
}

template <class F> void forElements(const uint32_t *s, Ty ty, F put) {
  switch (ty) {
  case Ty::F16:
    return forElementsOf<Ty::F16, 2>(s, put);
  case Ty::BF16:
    return forElementsOf<Ty::BF16, 2>(s, put);
  case Ty::TF32:
    return forElementsOf<Ty::TF32, 1>(s, put);
  case Ty::E4M3:
    return forElementsOf<Ty::E4M3, 4>(s, put);
  default:
    return forElementsOf<Ty::E5M2, 4>(s, put);
  }
}

void loadFloat(Warp &warp, const Inst &inst, const Mma &mma, FloatTile &tile) {
  unsigned e = mma.perRegister(), na = mma.aRegisters(), nb = mma.bRegisters();
  for (unsigned r = 0; r < na; ++r) {
    unsigned row = mma.m == 16 ? 8 * (r % 2) : 0;
    unsigned col = 4 * e * (mma.m == 16 ? r / 2 : r);
    forElements(warp.narrow(inst.s(r)), mma.a,
                [&](unsigned l, unsigned j, float value) {
                  tile.a[row + l / 4][col + e * (l % 4) + j] = value;
                });
  }
  for (unsigned r = 0; r < nb; ++r)
    forElements(warp.narrow(inst.s(na + r)), mma.b,
                [&](unsigned l, unsigned j, float value) {
                  tile.b[4 * e * r + e * (l % 4) + j][l / 4] = value;
                });
  for (unsigned i = 0; i < mma.m / 4; ++i) {
    unsigned row = 8 * (i / 2), col = i % 2;
    if (mma.c == Ty::F16) {
      const uint32_t *s = warp.narrow(inst.s(na + nb + i / 2));
      for (unsigned l = 0; l < 32; ++l)
        tile.c[row + l / 4][col + 2 * (l % 4)] = element(s[l], i % 2, Ty::F16);
    } else {
      const uint32_t *s = warp.narrow(inst.s(na + nb + i));
      for (unsigned l = 0; l < 32; ++l)
        tile.c[row + l / 4][col + 2 * (l % 4)] = std::bit_cast<float>(s[l]);
    }
  }
}

void storeFloat(Warp &warp, const Inst &inst, const Mma &mma,
                const FloatTile &tile) {
  for (unsigned i = 0; i < mma.m / 4; ++i) {
    unsigned row = 8 * (i / 2), col = i % 2;
    uint32_t *d = warp.narrow(inst.d(mma.d == Ty::F16 ? i / 2 : i));
    if (mma.d != Ty::F16) {
      for (unsigned l = 0; l < 32; ++l)
        d[l] = canonicalBits(tile.c[row + l / 4][col + 2 * (l % 4)]);
      continue;
    }
    for (unsigned l = 0; l < 32; ++l) {
      uint32_t bits = toF16(tile.c[row + l / 4][col + 2 * (l % 4)]).bits;
      d[l] = i % 2 ? (d[l] & 0xffff) | bits << 16 : bits;
    }
  }
}

template <unsigned M, unsigned K> void multiply(FloatTile &tile) {
  for (unsigned i = 0; i < M; ++i) {
    float acc[8];
    for (unsigned n = 0; n < 8; ++n)
      acc[n] = tile.c[i][n];
    for (unsigned k = 0; k < K; ++k)
      for (unsigned n = 0; n < 8; ++n)
        acc[n] = __builtin_fmaf(tile.a[i][k], tile.b[k][n], acc[n]);
    for (unsigned n = 0; n < 8; ++n)
      tile.c[i][n] = acc[n];
  }
}

void multiplyFloat(FloatTile &tile, const Mma &mma, const Launch &launch) {
  if (launch.config.exactTensorSums) {
    TensorSum sum(launch.program->smVersion, mma.a, mma.b, mma.d, false);
    for (unsigned i = 0; i < mma.m; ++i)
      for (unsigned n = 0; n < 8; ++n)
        tile.c[i][n] =
            sum.dot(tile.a[i], &tile.b[0][n], 8, mma.k, tile.c[i][n]);
    return;
  }
  if (mma.m == 16 && mma.k == 16)
    return multiply<16, 16>(tile);
  if (mma.m == 16 && mma.k == 8)
    return multiply<16, 8>(tile);
  if (mma.m == 16 && mma.k == 32)
    return multiply<16, 32>(tile);
  multiply<16, 4>(tile);
}

void execMmaFloat(Warp &warp, const Inst &inst, uint32_t) {
  Mma mma = Mma::of(inst);
  FloatTile tile;
  loadFloat(warp, inst, mma, tile);
  multiplyFloat(tile, mma, *warp.launch);
  taintMma(warp, inst, mma);
  storeFloat(warp, inst, mma, tile);
}

// --- f64 --------------------------------------------------------------------

void execMmaF64(Warp &warp, const Inst &inst, uint32_t) {
  Mma mma = Mma::of(inst);
  unsigned na = mma.aRegisters(), nb = mma.bRegisters();
  unsigned mode = inst.flags >> MmaRoundingShift;
  double a[16][16], b[16][8], c[16][8];
  for (unsigned l = 0; l < 32; ++l) {
    for (unsigned r = 0; r < na; ++r)
      a[l / 4 + (mma.m == 16 ? 8 * (r % 2) : 0)]
       [l % 4 + 4 * (mma.m == 16 ? r / 2 : r)] =
           std::bit_cast<double>(warp.wide(inst.s(r))[l]);
    for (unsigned r = 0; r < nb; ++r)
      b[l % 4 + 4 * r][l / 4] =
          std::bit_cast<double>(warp.wide(inst.s(na + r))[l]);
    for (unsigned i = 0; i < mma.m / 4; ++i) {
      unsigned row, col;
      accumulatorPlace(l, i, row, col);
      c[row][col] = std::bit_cast<double>(warp.wide(inst.s(na + nb + i))[l]);
    }
  }
  for (unsigned i = 0; i < mma.m; ++i)
    for (unsigned n = 0; n < 8; ++n)
      for (unsigned k = 0; k < mma.k; ++k) {
        double sum = mode ? fmaRounded(a[i][k], b[k][n], c[i][n], mode)
                          : __builtin_fma(a[i][k], b[k][n], c[i][n]);
        c[i][n] = sum == sum ? sum : nanOf(a[i][k], c[i][n], b[k][n]);
      }
  taintMma(warp, inst, mma);
  for (unsigned l = 0; l < 32; ++l)
    for (unsigned i = 0; i < mma.m / 4; ++i) {
      unsigned row, col;
      accumulatorPlace(l, i, row, col);
      warp.wide(inst.d(i))[l] = std::bit_cast<uint64_t>(c[row][col]);
    }
}

// --- integers and bits ------------------------------------------------------

void execMmaInteger(Warp &warp, const Inst &inst, uint32_t) {
  Mma mma = Mma::of(inst);
  unsigned e = mma.perRegister(), na = mma.aRegisters(), nb = mma.bRegisters();
  static thread_local int32_t a[16][256], b[256][8];
  int64_t c[16][8];
  for (unsigned l = 0; l < 32; ++l) {
    for (unsigned r = 0; r < na; ++r)
      for (unsigned j = 0; j < e; ++j)
        a[l / 4 + (mma.m == 16 ? 8 * (r % 2) : 0)]
         [e * (l % 4) + j + 4 * e * (mma.m == 16 ? r / 2 : r)] =
             integerElement(warp.narrow(inst.s(r))[l], j, mma.a);
    for (unsigned r = 0; r < nb; ++r)
      for (unsigned j = 0; j < e; ++j)
        b[e * (l % 4) + j + 4 * e * r][l / 4] =
            integerElement(warp.narrow(inst.s(na + r))[l], j, mma.b);
    for (unsigned i = 0; i < mma.m / 4; ++i) {
      unsigned row, col;
      accumulatorPlace(l, i, row, col);
      c[row][col] = static_cast<int32_t>(warp.narrow(inst.s(na + nb + i))[l]);
    }
  }
  bool bitwise = mma.a == Ty::B1, isAnd = inst.flags & MmaAnd;
  for (unsigned i = 0; i < mma.m; ++i)
    for (unsigned n = 0; n < 8; ++n)
      for (unsigned k = 0; k < mma.k; ++k)
        c[i][n] += !bitwise ? int64_t(a[i][k]) * b[k][n]
                   : isAnd  ? (a[i][k] & b[k][n]) & 1
                            : (a[i][k] ^ b[k][n]) & 1;
  taintMma(warp, inst, mma);
  for (unsigned l = 0; l < 32; ++l)
    for (unsigned i = 0; i < mma.m / 4; ++i) {
      unsigned row, col;
      accumulatorPlace(l, i, row, col);
      int64_t value = c[row][col];
      if (inst.flags & MmaSaturate)
        value = std::clamp<int64_t>(value, INT32_MIN, INT32_MAX);
      warp.narrow(inst.d(i))[l] = static_cast<uint32_t>(value);
    }
}

// --- decoding ---------------------------------------------------------------

bool knownShape(const Mma &mma) {
  struct Row {
    Ty a;
    unsigned m, k;
  };
  static const Row rows[] = {
      {Ty::F16, 16, 8},   {Ty::F16, 16, 16},  {Ty::BF16, 16, 8},
      {Ty::BF16, 16, 16}, {Ty::TF32, 16, 4},  {Ty::TF32, 16, 8},
      {Ty::F64, 8, 4},    {Ty::F64, 16, 4},   {Ty::F64, 16, 8},
      {Ty::F64, 16, 16},  {Ty::S8, 8, 16},    {Ty::S8, 16, 16},
      {Ty::S8, 16, 32},   {Ty::U8, 8, 16},    {Ty::U8, 16, 16},
      {Ty::U8, 16, 32},   {Ty::S4, 8, 32},    {Ty::S4, 16, 32},
      {Ty::S4, 16, 64},   {Ty::U4, 8, 32},    {Ty::U4, 16, 32},
      {Ty::U4, 16, 64},   {Ty::B1, 8, 128},   {Ty::B1, 16, 128},
      {Ty::B1, 16, 256},  {Ty::E4M3, 16, 32}, {Ty::E5M2, 16, 32},
      {Ty::E4M3, 16, 16}, {Ty::E5M2, 16, 16}};
  for (const Row &row : rows)
    if (row.a == mma.a && row.m == mma.m && row.k == mma.k)
      return true;
  return false;
}

bool takeShape(Decoder &d, Mma &mma) {
  static const struct {
    const char *name;
    unsigned m, k;
  } shapes[] = {
      {"m16n8k4", 16, 4},     {"m16n8k8", 16, 8},   {"m16n8k16", 16, 16},
      {"m16n8k32", 16, 32},   {"m16n8k64", 16, 64}, {"m16n8k128", 16, 128},
      {"m16n8k256", 16, 256}, {"m8n8k4", 8, 4},     {"m8n8k16", 8, 16},
      {"m8n8k32", 8, 32},     {"m8n8k128", 8, 128}};
  for (const auto &shape : shapes)
    if (d.has(shape.name)) {
      mma.m = shape.m;
      mma.k = shape.k;
      return true;
    }
  return false;
}

void checkCount(Decoder &d, size_t got, size_t want, const char *what) {
  if (got != want)
    d.fail("'" + d.fullName() + "' expects " + std::to_string(want) +
           " registers of " + what + ", but got " + std::to_string(got));
}

/// The selector of the lanes that hold the metadata.
uint32_t takeSelector(Decoder &d, const Mma &mma) {
  uint64_t selector = d.immediate(d.op(5));
  if (selector >= 4 / metadataLanes(mma))
    d.fail("'" + d.fullName() + "' expects a selector below " +
           std::to_string(4 / metadataLanes(mma)) + ", but got " +
           std::to_string(selector));
  return static_cast<uint32_t>(selector);
}

void decodeMma(Decoder &d) {
  Mma mma{};
  mma.sparse = d.has("sp") || d.has("sp::ordered_metadata");
  if (!d.has("sync") || !d.has("aligned") || !takeShape(d, mma))
    d.fail("'" + d.fullName() + "' is not supported");
  if (mma.m == 8 && mma.k == 4 && d.lastType() != Ty::F64)
    return decodeQuadPairs(d);
  bool rowCol = d.has("row") && d.has("col");
  uint8_t flags = (d.has("satfinite") ? MmaSaturate : 0);
  flags |= static_cast<uint8_t>(d.rounding() << MmaRoundingShift);
  if (d.has("and"))
    flags |= MmaAnd;
  else
    d.has("xor");
  d.has("popc");
  mma.d = d.type();
  mma.a = d.type();
  mma.b = d.type();
  mma.c = d.type();
  if (!rowCol || !(mma.sparse ? knownSparseShape(mma) : knownShape(mma)) ||
      typeBits(mma.a) != typeBits(mma.b))
    d.fail("'" + d.fullName() + "' is not supported");
  d.expectOperands(mma.sparse ? 6 : 4);
  Ty word = mma.a == Ty::F64 ? Ty::B64 : Ty::B32;
  std::vector<uint32_t> dests = d.dstList(d.op(0), word);
  std::vector<uint32_t> a = d.srcList(d.op(1), word),
                        b = d.srcList(d.op(2), word),
                        c = d.srcList(d.op(3), word);
  checkCount(d, dests.size(), mma.cRegisters(mma.d), "D");
  checkCount(d, a.size(), mma.aRegisters(), "A");
  checkCount(d, b.size(), mma.bRegisters(), "B");
  checkCount(d, c.size(), mma.cRegisters(mma.c), "C");
  a.insert(a.end(), b.begin(), b.end());
  a.insert(a.end(), c.begin(), c.end());
  bool isInteger = mma.a >= Ty::B1 && mma.a <= Ty::S64;
  if (mma.sparse)
    a.push_back(d.src(d.op(4), Ty::B32));
  Exec exec = mma.sparse         ? execSparseMma
              : mma.a == Ty::F64 ? execMmaF64
              : isInteger        ? execMmaInteger
                                 : execMmaFloat;
  Inst &inst = d.emit(exec, dests, a, Pipe::Tensor);
  inst.flow = Flow::Aligned;
  inst.imm = mma.pack();
  inst.flags = flags;
  inst.aux = mma.sparse ? takeSelector(d, mma) : 0;
  inst.ownTaint = true;
}

} // namespace

void addMmaOps(OpcodeTable &t) { t["mma"] = decodeMma; }

} // namespace fovea::sim
