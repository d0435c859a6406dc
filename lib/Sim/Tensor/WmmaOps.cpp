// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// wmma.load, wmma.mma, wmma.store (ISA text, section 9.7.14.4). Which lane
// holds which element is up to the implementation. Here element e of n that a
// lane holds is number lane * n + e of the tile in row-major order, for every
// type alike, so that code may work on accumulators of two types element by
// element. Where the ISA gives a fragment more registers than the tile fills,
// the rest is zero and unused.
#include "Machine/Access.h"
#include "Machine/Lanes.h"
#include "Program/Decoder.h"
#include "TensorSum.h"
#include <algorithm>
#include <cstring>

namespace fovea::sim {
namespace {

enum Matrix : uint8_t { MatrixA, MatrixB, MatrixC };

struct WmmaShape {
  unsigned m, n, k;
};

/// Rows, columns and elements of a 32-bit register of one fragment.
struct Fragment2D {
  unsigned rows, cols, perRegister, registers;
  Ty ty;
  unsigned perLane() const { return rows * cols / 32; }
};

Fragment2D fragmentOf(const WmmaShape &s, Matrix matrix, Ty ty) {
  Fragment2D f{};
  f.ty = ty;
  f.rows = matrix == MatrixB ? s.k : s.m;
  f.cols = matrix == MatrixA ? s.k : s.n;
  f.perRegister = ty == Ty::F64 ? 1 : std::max(1u, 32 / typeBits(ty));
  f.registers = std::max(1u, f.perLane() / f.perRegister);
  // The ISA gives f16 A and B fragments eight registers whatever the shape.
  if (ty == Ty::F16 && matrix != MatrixC)
    f.registers = 8;
  return f;
}

/// imm: leading dimension position etc. packed: rows, cols, registers, type,
/// column-major.
int64_t pack(const Fragment2D &f, bool colMajor) {
  return static_cast<int64_t>(uint64_t(f.rows) | uint64_t(f.cols) << 8 |
                              uint64_t(f.registers) << 16 |
                              uint64_t(f.ty) << 24 | uint64_t(colMajor) << 32);
}
Fragment2D unpack(uint64_t p, bool &colMajor) {
  Fragment2D f{};
  f.rows = p & 0xff;
  f.cols = p >> 8 & 0xff;
  f.registers = p >> 16 & 0xff;
  f.ty = static_cast<Ty>(p >> 24 & 0xff);
  f.perRegister = f.ty == Ty::F64 ? 1 : std::max(1u, 32 / typeBits(f.ty));
  colMajor = p >> 32 & 1;
  return f;
}

/// Element number of slot e of a lane; -1: a slot that repeats another.
int elementNumber(const Fragment2D &f, unsigned lane, unsigned e) {
  return e < f.perLane() ? static_cast<int>(lane * f.perLane() + e) : -1;
}

uint64_t getElement(Warp &warp, const uint32_t *cells, const Fragment2D &f,
                    unsigned lane, unsigned e) {
  if (f.ty == Ty::F64)
    return warp.wide(cells[e])[lane];
  unsigned bits = typeBits(f.ty);
  uint32_t word = warp.narrow(cells[e / f.perRegister])[lane];
  uint32_t value = word >> (bits * (e % f.perRegister));
  return bits == 32 ? value : value & ((1u << bits) - 1);
}

void setElement(Warp &warp, const uint32_t *cells, const Fragment2D &f,
                unsigned lane, unsigned e, uint64_t value) {
  if (f.ty == Ty::F64) {
    warp.wide(cells[e])[lane] = value;
    return;
  }
  unsigned bits = typeBits(f.ty), shift = bits * (e % f.perRegister);
  uint32_t &word = warp.narrow(cells[e / f.perRegister])[lane];
  uint32_t keep = bits == 32 ? 0 : ~(((1u << bits) - 1) << shift);
  word = (word & keep) | uint32_t(value) << shift;
}

/// Byte address of an element; sub-byte elements are addressed by their byte.
uint64_t elementAddress(const Fragment2D &f, bool colMajor, uint64_t base,
                        uint32_t leading, int number, unsigned &bitShift) {
  unsigned row = static_cast<unsigned>(number) / f.cols;
  unsigned col = static_cast<unsigned>(number) % f.cols;
  uint64_t index =
      colMajor ? uint64_t(col) * leading + row : uint64_t(row) * leading + col;
  uint64_t bits = index * typeBits(f.ty);
  bitShift = bits % 8;
  return base + bits / 8;
}

/// A tile costs what ldmatrix and stmatrix of it would: rows (or columns) in
/// pieces of 16 bytes, eight of them at once.
void countTile(Warp &warp, const Inst &inst, const Fragment2D &f,
               bool colMajor) {
  if (!warp.counts)
    return;
  uint64_t base = laneAddress(warp, inst, inst.s(0), 0);
  uint64_t pitch = uint64_t(warp.narrow(inst.s(1))[0]) * typeBits(f.ty) / 8;
  unsigned lines = colMajor ? f.cols : f.rows;
  unsigned lineBytes = (colMajor ? f.rows : f.cols) * typeBits(f.ty) / 8;
  unsigned piece = std::min(16u, lineBytes);
  uint64_t addresses[32];
  unsigned n = 0;
  for (unsigned at = 0; at < lineBytes; at += piece)
    for (unsigned line = 0; line < lines; ++line) {
      addresses[n++] = base + line * pitch + at;
      bool isLast = at + piece >= lineBytes && line + 1 == lines;
      if (n < 32 && !isLast)
        continue;
      countAccess(warp, inst, inst.space, addresses,
                  n == 32 ? allLanes : (1u << n) - 1, piece);
      n = 0;
    }
}

/// Sources: address, leading dimension.
void execLoad(Warp &warp, const Inst &inst, uint32_t) {
  bool colMajor;
  Fragment2D f = unpack(inst.target | uint64_t(inst.aux) << 32, colMajor);
  unsigned bytes = std::max(1u, typeBytes(f.ty));
  uint32_t leading = warp.narrow(inst.s(1))[0];
  std::vector<uint32_t> dirty(inst.nd, 0);
  for (unsigned l = 0; l < 32; ++l) {
    uint64_t base = laneAddress(warp, inst, inst.s(0), l);
    for (unsigned e = 0; e < f.registers * f.perRegister; ++e) {
      int number = elementNumber(f, l, e);
      uint64_t value = 0;
      bool unwritten = false;
      if (number >= 0) {
        unsigned shift;
        uint64_t at = elementAddress(f, colMajor, base, leading, number, shift);
        Place place;
        if (locate(warp, inst, l, inst.space, at, bytes, bytes, false, place))
          unwritten = readPlace(warp, l, place, &value, bytes);
        value >>= shift;
      }
      setElement(warp, inst.cells, f, l, e, value);
      if (unwritten)
        dirty[e / f.perRegister] |= 1u << l;
    }
  }
  for (unsigned r = 0; r < inst.nd; ++r)
    setTaint(warp, inst.d(r), dirty[r], allLanes);
  countTile(warp, inst, f, colMajor);
}

void execStore(Warp &warp, const Inst &inst, uint32_t) {
  bool colMajor;
  Fragment2D f = unpack(inst.target | uint64_t(inst.aux) << 32, colMajor);
  unsigned bytes = typeBytes(f.ty);
  uint32_t leading = warp.narrow(inst.s(1))[0];
  for (unsigned l = 0; l < 32; ++l) {
    uint64_t base = laneAddress(warp, inst, inst.s(0), l);
    for (unsigned e = 0; e < f.perLane(); ++e) {
      uint32_t cell = inst.s(2 + e / f.perRegister);
      if (warp.taint)
        reportTaint(warp, taintOf(warp, cell) & (1u << l), 0, "a store");
      unsigned shift;
      uint64_t at = elementAddress(f, colMajor, base, leading,
                                   elementNumber(f, l, e), shift);
      uint64_t value = getElement(warp, inst.cells + 2, f, l, e);
      Place place;
      if (locate(warp, inst, l, inst.space, at, bytes, bytes, true, place))
        writePlace(warp, l, place, &value, bytes);
    }
  }
  ++warp.cta->cluster->events;
  countTile(warp, inst, f, colMajor);
}

double numberOf(uint64_t bits, Ty ty) {
  switch (ty) {
  case Ty::F16:
    return toFloat(F16{static_cast<uint16_t>(bits)});
  case Ty::BF16:
    return toFloat(BF16{static_cast<uint16_t>(bits)});
  case Ty::TF32:
    return std::bit_cast<float>(static_cast<uint32_t>(bits) & 0xffffe000u);
  case Ty::F32:
    return std::bit_cast<float>(static_cast<uint32_t>(bits));
  case Ty::F64:
    return std::bit_cast<double>(bits);
  case Ty::S32:
    return static_cast<int32_t>(bits);
  case Ty::S8:
    return static_cast<int8_t>(bits);
  case Ty::S4:
    return static_cast<double>(static_cast<int64_t>(bits << 60) >> 60);
  default:
    return static_cast<double>(bits);
  }
}

/// Sources: A, B, C registers. imm: shape and types; kind: registers of A.
struct WmmaMath {
  WmmaShape shape;
  Ty d, a, b, c;
  bool isAnd = false;    // of bits; else xor
  unsigned rounding = 0; // of f64
};
int64_t packMath(const WmmaMath &x) {
  return static_cast<int64_t>(uint64_t(x.shape.m) | uint64_t(x.shape.n) << 8 |
                              uint64_t(x.shape.k) << 16 | uint64_t(x.d) << 24 |
                              uint64_t(x.a) << 32 | uint64_t(x.b) << 40 |
                              uint64_t(x.c) << 48);
}
WmmaMath mathOf(const Inst &inst) {
  auto p = static_cast<uint64_t>(inst.imm);
  auto ty = [p](unsigned i) { return static_cast<Ty>(p >> i & 0xff); };
  return {
      {unsigned(p & 0xff), unsigned(p >> 8 & 0xff), unsigned(p >> 16 & 0xff)},
      ty(24),
      ty(32),
      ty(40),
      ty(48)};
}

void gatherTile(Warp &warp, const uint32_t *cells, const Fragment2D &f,
                std::vector<double> &out) {
  out.assign(size_t(f.rows) * f.cols, 0);
  for (unsigned l = 0; l < 32; ++l)
    for (unsigned e = 0; e < f.perLane(); ++e)
      out[static_cast<size_t>(elementNumber(f, l, e))] =
          numberOf(getElement(warp, cells, f, l, e), f.ty);
}

uint64_t resultBits(double value, Ty ty, bool saturate) {
  switch (ty) {
  case Ty::F64:
    return std::bit_cast<uint64_t>(value);
  case Ty::F32:
    return canonicalBits(static_cast<float>(value));
  case Ty::F16:
    return toF16(static_cast<float>(value)).bits;
  default:
    if (saturate)
      value = std::clamp(value, -2147483648.0, 2147483647.0);
    return static_cast<uint32_t>(static_cast<int64_t>(value));
  }
}

double dot(const Launch &launch, const WmmaMath &math,
           const std::vector<double> &a, const std::vector<double> &b,
           unsigned i, unsigned j, double c) {
  unsigned n = math.shape.n, k = math.shape.k;
  if (math.a == Ty::B1) {
    for (unsigned x = 0; x < k; ++x)
      c += math.isAnd ? a[i * k + x] * b[x * n + j]
                      : a[i * k + x] != b[x * n + j];
    return c;
  }
  if (math.a == Ty::F64 || !isFloat(math.a)) {
    for (unsigned x = 0; x < k; ++x)
      c = fmaRounded(a[i * k + x], b[x * n + j], c, math.rounding);
    return c;
  }
  float fa[16], fb[16];
  for (unsigned x = 0; x < k; ++x) {
    fa[x] = static_cast<float>(a[i * k + x]);
    fb[x] = static_cast<float>(b[x * n + j]);
  }
  auto sum = static_cast<float>(c);
  if (launch.config.exactTensorSums)
    return TensorSum(launch.program->smVersion, math.a, math.b, math.d, false)
        .dot(fa, fb, 1, k, sum);
  for (unsigned x = 0; x < k; ++x)
    sum = __builtin_fmaf(fa[x], fb[x], sum);
  return sum;
}

void execMath(Warp &warp, const Inst &inst, uint32_t) {
  WmmaMath math = mathOf(inst);
  math.isAnd = inst.flags & 2;
  math.rounding = inst.flags >> 2;
  Fragment2D fa = fragmentOf(math.shape, MatrixA, math.a),
             fb = fragmentOf(math.shape, MatrixB, math.b),
             fc = fragmentOf(math.shape, MatrixC, math.c),
             fd = fragmentOf(math.shape, MatrixC, math.d);
  const uint32_t *sources = inst.cells + inst.nd;
  std::vector<double> a, b, c;
  gatherTile(warp, sources, fa, a);
  gatherTile(warp, sources + fa.registers, fb, b);
  gatherTile(warp, sources + fa.registers + fb.registers, fc, c);
  for (unsigned l = 0; l < 32; ++l)
    for (unsigned e = 0; e < fd.perLane(); ++e) {
      auto number = static_cast<unsigned>(elementNumber(fd, l, e));
      double value = dot(*warp.launch, math, a, b, number / fd.cols,
                         number % fd.cols, c[number]);
      setElement(warp, inst.cells, fd, l, e,
                 resultBits(value, math.d, inst.flags & 1));
    }
  if (!warp.taint)
    return;
  uint32_t dirty = 0;
  for (unsigned i = 0; i < inst.ns; ++i)
    dirty |= taintOf(warp, inst.s(i));
  for (unsigned r = 0; r < inst.nd; ++r)
    setTaint(warp, inst.d(r), dirty ? allLanes : 0, allLanes);
}

// --- decoding ---------------------------------------------------------------

WmmaShape takeShape(Decoder &d) {
  static const struct {
    const char *name;
    WmmaShape shape;
  } shapes[] = {{"m16n16k16", {16, 16, 16}}, {"m8n32k16", {8, 32, 16}},
                {"m32n8k16", {32, 8, 16}},   {"m16n16k8", {16, 16, 8}},
                {"m8n8k32", {8, 8, 32}},     {"m8n8k4", {8, 8, 4}},
                {"m8n8k128", {8, 8, 128}}};
  for (const auto &shape : shapes)
    if (d.has(shape.name))
      return shape.shape;
  d.fail("unknown shape of '" + d.fullName() + "'");
}

Ty wordOf(Ty ty) { return ty == Ty::F64 ? Ty::B64 : Ty::B32; }

void checkRegisters(Decoder &d, size_t got, const Fragment2D &f) {
  if (got != f.registers)
    d.fail("'" + d.fullName() + "' expects " + std::to_string(f.registers) +
           " registers, but got " + std::to_string(got));
}

void decodeTransfer(Decoder &d, bool isLoad) {
  std::string_view which = isLoad ? d.oneOf({"a", "b", "c"}) : d.oneOf({"d"});
  Matrix matrix = which == "a" ? MatrixA : which == "b" ? MatrixB : MatrixC;
  if (which.empty() || !d.has("sync") || !d.has("aligned"))
    d.fail("malformed '" + d.fullName() + "'");
  bool colMajor = d.oneOf({"row", "col"}) == "col";
  WmmaShape shape = takeShape(d);
  std::string_view space = d.oneOf({"global", "shared::cta", "shared"});
  Fragment2D f = fragmentOf(shape, matrix, d.type());
  d.expectOperands(2, 3);
  std::vector<uint32_t> cells = isLoad ? d.dstList(d.op(0), wordOf(f.ty))
                                       : d.srcList(d.op(1), wordOf(f.ty));
  checkRegisters(d, cells.size(), f);
  uint32_t leading = d.count() == 3 ? d.src(d.op(2), Ty::B32)
                                    : d.constant(colMajor ? f.rows : f.cols);
  Inst at;
  uint32_t base = d.address(at, d.op(isLoad ? 1 : 0));
  if (!isLoad)
    cells.insert(cells.begin(), {base, leading});
  Inst &inst = isLoad ? d.emit(execLoad, cells, {base, leading}, Pipe::Lsu)
                      : d.emit(execStore, {}, cells, Pipe::Lsu);
  auto packed = static_cast<uint64_t>(pack(f, colMajor));
  inst.target = static_cast<uint32_t>(packed);
  inst.aux = static_cast<uint32_t>(packed >> 32);
  inst.imm = at.imm;
  inst.addrBits = at.addrBits;
  inst.space = space == "global" ? Space::Global
               : space.empty()   ? Space::Generic
                                 : Space::Shared;
  inst.flow = Flow::Aligned;
  inst.ownTaint = true;
}

bool isKnown(const WmmaMath &x) {
  unsigned m = x.shape.m, n = x.shape.n, k = x.shape.k;
  bool wide = k == 16 && m * n == 256;
  if (x.a != x.b)
    return false;
  switch (x.a) {
  case Ty::F16:
    return wide && (x.c == Ty::F16 || x.c == Ty::F32) &&
           (x.d == Ty::F16 || x.d == Ty::F32);
  case Ty::BF16:
    return wide && x.c == Ty::F32 && x.d == Ty::F32;
  case Ty::TF32:
    return m == 16 && k == 8 && x.c == Ty::F32 && x.d == Ty::F32;
  case Ty::F64:
    return m == 8 && k == 4 && x.c == Ty::F64 && x.d == Ty::F64;
  case Ty::S8:
  case Ty::U8:
    return wide && x.c == Ty::S32 && x.d == Ty::S32;
  case Ty::S4:
  case Ty::U4:
    return m == 8 && k == 32 && x.c == Ty::S32 && x.d == Ty::S32;
  case Ty::B1:
    return m == 8 && k == 128 && x.c == Ty::S32 && x.d == Ty::S32;
  default:
    return false;
  }
}

void decodeMath(Decoder &d) {
  if (!d.has("sync") || !d.has("aligned"))
    d.fail("malformed '" + d.fullName() + "'");
  WmmaMath math{};
  for (int i = 0; i < 2; ++i)
    d.oneOf({"row", "col"});
  math.shape = takeShape(d);
  unsigned rounding = d.rounding();
  bool saturate = d.has("satfinite");
  bool isAnd = d.oneOf({"xor", "and"}) == "and";
  d.has("popc");
  // f16 operands are not named: .dtype.ctype only.
  math.d = d.type();
  Ty second = d.type(), third = d.tryType();
  if (third == Ty::None) {
    math.a = math.b = Ty::F16;
    math.c = second;
  } else {
    math.a = second;
    math.b = third;
    math.c = d.type();
  }
  if (!isKnown(math))
    d.fail("'" + d.fullName() + "' is not supported");
  d.expectOperands(4);
  Fragment2D f[4] = {fragmentOf(math.shape, MatrixC, math.d),
                     fragmentOf(math.shape, MatrixA, math.a),
                     fragmentOf(math.shape, MatrixB, math.b),
                     fragmentOf(math.shape, MatrixC, math.c)};
  std::vector<uint32_t> dests = d.dstList(d.op(0), wordOf(math.d)), sources;
  checkRegisters(d, dests.size(), f[0]);
  for (size_t i = 1; i < 4; ++i) {
    std::vector<uint32_t> cells = d.srcList(d.op(i), wordOf(f[i].ty));
    checkRegisters(d, cells.size(), f[i]);
    sources.insert(sources.end(), cells.begin(), cells.end());
  }
  Inst &inst = d.emit(execMath, dests, sources, Pipe::Tensor);
  inst.imm = packMath(math);
  inst.flags = static_cast<uint8_t>((saturate ? 1 : 0) | (isAnd ? 2 : 0) |
                                    rounding << 2);
  inst.flow = Flow::Aligned;
  inst.ownTaint = true;
}

void decodeWmma(Decoder &d) {
  if (d.has("load"))
    decodeTransfer(d, true);
  else if (d.has("store"))
    decodeTransfer(d, false);
  else if (d.has("mma"))
    decodeMath(d);
  else
    d.fail("unknown '" + d.fullName() + "'");
}

} // namespace

void addWmmaOps(OpcodeTable &t) { t["wmma"] = decodeWmma; }

} // namespace fovea::sim
