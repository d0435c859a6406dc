// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// wgmma (ISA text, section 9.7.15): D = A B + D of four warps, each with 16 of
// the 64 rows, so that a warp needs nothing of the others.
//
// A product is computed when its warp waits for its group: operands in shared
// memory are read then, and the accumulator counts as unwritten until then.
//
// Shared operands in pieces of 16 bytes, with W = 8, 4, 2 (swizzle 128, 64,
// 32 bytes) or 1 (none), leading offset L and stride offset S (CUTLASS,
// cute/arch/mma_sm90_desc.hpp). K-major, row m and piece p along K:
//   W > 1: 16 ((m % 8) W + p) + (m / 8) S;   W = 1: 16 (m % 8) + (m / 8) S + p
//   L.
// MN-major, piece p along M or N, row k:
//   W > 1: 16 (p % W + (k % 8) W) + (p / W) L + (k / 8) S;
//   W = 1: 16 (k % 8) + (k / 8) L + p S.
// The swizzle then permutes bits of the absolute address.
#include "Async.h"
#include "Decoder.h"
#include "Lanes.h"
#include "Races.h"
#include "TensorMap.h"
#include "TensorSum.h"
#include <algorithm>
#include <cstdio>
#include <cstring>

namespace fovea::sim {
namespace {

enum WgmmaFlags : uint8_t {
  AInRegisters = 1,
  TransA = 2,
  TransB = 4,
  NegateA = 8,
  NegateB = 16,
  Saturate = 32,
};

/// Shape and types of an instruction; aux holds them packed.
struct Shape {
  unsigned n, k;
  Ty d, a, b;
  static Shape of(const Inst &inst) {
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

struct Descriptor {
  uint64_t start, leading, stride;
  uint32_t swizzle; // as TensorMapDesc
  unsigned width;   // W

  static Descriptor of(uint64_t bits) {
    static const uint32_t swizzles[] = {0, 3, 2, 1};
    static const unsigned widths[] = {1, 2, 4, 8};
    uint32_t swizzle = swizzles[bits >> 62];
    return {(bits & 0x3fff) << 4, (bits >> 16 & 0x3fff) << 4,
            (bits >> 32 & 0x3fff) << 4, swizzle, widths[swizzle]};
  }
  uint64_t address(uint64_t offset) const {
    return swizzleAddress(start + offset, swizzle);
  }
  uint64_t kMajor(unsigned m, unsigned piece) const {
    if (width == 1)
      return address(16 * (m % 8) + (m / 8) * stride + piece * leading);
    return address(16 * ((m % 8) * width + piece) + (m / 8) * stride);
  }
  uint64_t mnMajor(unsigned piece, unsigned k) const {
    if (width == 1)
      return address(16 * (k % 8) + (k / 8) * leading + piece * stride);
    return address(16 * (piece % width + (k % 8) * width) +
                   (piece / width) * leading + (k / 8) * stride);
  }
};

float elementAt(const uint8_t *at, Ty ty) {
  switch (ty) {
  case Ty::F16: {
    uint16_t bits;
    std::memcpy(&bits, at, 2);
    return toFloat(F16{bits});
  }
  case Ty::BF16: {
    uint16_t bits;
    std::memcpy(&bits, at, 2);
    return toFloat(BF16{bits});
  }
  case Ty::TF32: {
    uint32_t bits;
    std::memcpy(&bits, at, 4);
    return std::bit_cast<float>(bits & 0xffffe000u);
  }
  case Ty::E4M3:
    return static_cast<float>(fromShape(*at, shapeE4M3));
  case Ty::E5M2:
    return static_cast<float>(fromShape(*at, shapeE5M2));
  case Ty::S8:
    return static_cast<int8_t>(*at);
  default:
    return *at;
  }
}

/// An operand of `rows` rows (of A or columns of B) by k elements, row-major.
struct OperandTile {
  std::vector<float> at;
  std::vector<bool> dirtyRow;
  unsigned k;
};

class Reader {
public:
  Reader(Warp &warp, const Inst &inst, const Shape &shape)
      : warp(warp), inst(inst), shape(shape) {}

  /// Rows [first, first + rows) of an operand in shared memory.
  OperandTile load(uint64_t descriptor, Ty ty, unsigned first, unsigned rows,
                   bool mnMajor) {
    OperandTile tile;
    tile.k = shape.k;
    tile.at.assign(size_t(rows) * shape.k, 0);
    tile.dirtyRow.assign(rows, false);
    forPieces(descriptor, ty, first, rows, mnMajor,
              [&](const Place &place, unsigned row, unsigned k) {
                unsigned size = typeBytes(ty), n = 16 / size;
                for (unsigned i = 0; i < n; ++i) {
                  unsigned r = mnMajor ? row + i : row;
                  unsigned c = mnMajor ? k : k + i;
                  tile.at[size_t(r) * shape.k + c] =
                      elementAt(place.data + i * size, ty);
                  if (place.init && std::memchr(place.init + i * size, 0, size))
                    tile.dirtyRow[r] = true;
                }
              });
    return tile;
  }

  /// Calls f(place, row, k) for the pieces of 16 bytes.
  template <class F>
  void forPieces(uint64_t bits, Ty ty, unsigned first, unsigned rows,
                 bool mnMajor, F f) {
    Descriptor descriptor = Descriptor::of(bits);
    unsigned n = 16 / typeBytes(ty);
    if (!mnMajor) {
      for (unsigned r = 0; r < rows; ++r)
        for (unsigned p = 0; p < shape.k / n; ++p)
          visit(descriptor.kMajor(first + r, p), r, p * n, f);
      return;
    }
    for (unsigned k = 0; k < shape.k; ++k)
      for (unsigned p = 0; p < rows / n; ++p)
        visit(descriptor.mnMajor(first / n + p, k), p * n, k, f);
  }

private:
  template <class F>
  void visit(uint64_t address, unsigned row, unsigned k, F f) {
    Place place;
    if (locate(warp, inst, 0, Space::Shared, address, 16, 16, false, place))
      f(place, row, k);
  }

  Warp &warp;
  const Inst &inst;
  const Shape &shape;
};

bool trans(const Inst &inst, uint8_t flag) { return inst.flags & flag; }

/// The 16 rows of A that the warp holds in registers.
OperandTile registerA(Warp &warp, const Inst &inst, const Shape &shape) {
  OperandTile tile;
  tile.k = shape.k;
  tile.at.assign(size_t(16) * shape.k, 0);
  tile.dirtyRow.assign(16, false);
  unsigned e = 32 / typeBits(shape.a), first = shape.accumulators();
  for (unsigned r = 0; r < 4; ++r) {
    const uint32_t *s = warp.narrow(inst.s(first + r));
    uint32_t dirty = taintOf(warp, inst.s(first + r));
    for (unsigned l = 0; l < 32; ++l) {
      unsigned row = l / 4 + 8 * (r % 2);
      unsigned col = e * (l % 4) + 4 * e * (r / 2);
      for (unsigned j = 0; j < e; ++j) {
        uint32_t word = s[l] >> (32 / e % 32 * j);
        uint8_t bytes[4];
        std::memcpy(bytes, &word, 4);
        tile.at[size_t(row) * shape.k + col + j] = elementAt(bytes, shape.a);
      }
      if ((dirty >> l) & 1)
        tile.dirtyRow[row] = true;
    }
  }
  return tile;
}

void place(unsigned lane, unsigned i, unsigned &row, unsigned &col) {
  row = lane / 4 + 8 * ((i / 2) % 2);
  col = 8 * (i / 4) + 2 * (lane % 4) + i % 2;
}

float accumulate(const Launch &launch, const float *a, const float *b,
                 const Shape &shape, float c) {
  if (launch.config.exactTensorSums)
    return TensorSum::ofTarget(launch.program->smVersion, shape.a)
        .dot(a, b, 1, shape.k, c);
  for (unsigned k = 0; k < shape.k; ++k)
    c = __builtin_fmaf(a[k], b[k], c);
  return c;
}

uint32_t oneResult(Warp &warp, const Inst &inst, const Shape &shape,
                   const float *a, const float *b, uint32_t old, bool keep) {
  if (shape.d == Ty::S32) {
    int64_t sum = keep ? static_cast<int32_t>(old) : 0;
    for (unsigned k = 0; k < shape.k; ++k)
      sum += static_cast<int64_t>(a[k]) * static_cast<int64_t>(b[k]);
    if (inst.flags & Saturate)
      sum = std::clamp<int64_t>(sum, INT32_MIN, INT32_MAX);
    return static_cast<uint32_t>(sum);
  }
  float c = 0;
  if (keep)
    c = shape.d == Ty::F16 ? toFloat(F16{static_cast<uint16_t>(old)})
                           : std::bit_cast<float>(old);
  c = accumulate(*warp.launch, a, b, shape, c);
  return shape.d == Ty::F16 ? toF16(c).bits : std::bit_cast<uint32_t>(c);
}

/// What the accumulators were before the products in flight: their taint is
/// kept aside while they count as unwritten.
void compute(Warp &warp, PendingWgmma &job) {
  const Inst &inst = *job.inst;
  Shape shape = Shape::of(inst);
  Reader reader(warp, inst, shape);
  unsigned rowBase = 16 * (warp.id % 4);
  OperandTile a =
      inst.flags & AInRegisters
          ? registerA(warp, inst, shape)
          : reader.load(job.a, shape.a, rowBase, 16, trans(inst, TransA));
  OperandTile b = reader.load(job.b, shape.b, 0, shape.n, trans(inst, TransB));
  bool negate = bool(inst.flags & NegateA) != bool(inst.flags & NegateB);
  if (negate)
    for (float &x : a.at)
      x = -x;
  bool half = shape.d == Ty::F16;
  for (unsigned i = 0; i < shape.n / 2; ++i) {
    uint32_t *d = warp.narrow(inst.d(half ? i / 2 : i)), dirty = 0;
    for (unsigned l = 0; l < 32; ++l) {
      unsigned row, col;
      place(l, i, row, col);
      uint32_t old = half ? d[l] >> (16 * (i % 2)) & 0xffff : d[l];
      uint32_t value =
          oneResult(warp, inst, shape, &a.at[size_t(row) * shape.k],
                    &b.at[size_t(col) * shape.k], old, job.accumulate);
      if (half)
        d[l] =
            i % 2 ? (d[l] & 0xffff) | value << 16 : (d[l] & 0xffff0000) | value;
      else
        d[l] = value;
      if (a.dirtyRow[row] || b.dirtyRow[col])
        dirty |= 1u << l;
    }
    if (warp.taint) {
      uint32_t &t = warp.taint[inst.d(half ? i / 2 : i)];
      uint32_t kept = job.accumulate ? job.dirty[half ? i / 2 : i] : 0;
      if (half && i % 2)
        t |= dirty | kept;
      else
        t = dirty | kept;
    }
  }
}

/// Accumulators of the next product in flight see the taint of this one.
void passTaint(Warp &warp, WarpWgmma &state, const PendingWgmma &done) {
  if (!warp.taint)
    return;
  for (PendingWgmma &next : state.pending) {
    if (next.inst->d(0) != done.inst->d(0))
      continue;
    for (unsigned r = 0; r < next.dirty.size() && r < done.inst->nd; ++r) {
      next.dirty[r] = warp.taint[done.inst->d(r)];
      warp.taint[done.inst->d(r)] = allLanes;
    }
    return;
  }
}

void checkDescriptor(Warp &warp, uint64_t bits) {
  constexpr uint64_t reserved =
      0x3ull << 14 | 0x3ull << 30 | 0x7ull << 46 | 0x3ffull << 52;
  if (bits & reserved)
    warp.launch->report("misaligned", warp, 0, bits, "",
                        "reserved bits of a matrix descriptor are set");
  if (bits >> 49 & 7)
    throw UnsupportedError(warp.program->code[warp.pc].line,
                           "base offsets of matrix descriptors are not "
                           "supported");
}

bool predicateOrOne(Warp &warp, const Inst &inst) {
  return inst.kind == 2 ? warp.pred(inst.s(inst.ns - 1u)) & 1 : inst.kind;
}

void execWgmma(Warp &warp, const Inst &inst, uint32_t) {
  Shape shape = Shape::of(inst);
  WarpWgmma &state = warp.cta->cluster->async->wgmma[&warp];
  PendingWgmma job;
  job.inst = &inst;
  job.pc = warp.pc;
  job.group = state.committed;
  unsigned n = shape.accumulators();
  unsigned firstDesc = inst.flags & AInRegisters ? n + 4 : n;
  job.accumulate = predicateOrOne(warp, inst);
  if (!(inst.flags & AInRegisters)) {
    job.a = warp.wide(inst.s(firstDesc++))[0];
    checkDescriptor(warp, job.a);
  }
  job.b = warp.wide(inst.s(firstDesc))[0];
  checkDescriptor(warp, job.b);
  if (RaceDetector *races = warp.launch->races.get()) {
    job.agent = races->newAgent(warp);
    Reader reader(warp, inst, shape);
    auto note = [&](const Place &p, unsigned, unsigned) {
      races->agentRead(warp, 0, job.agent, p, 16);
    };
    if (!(inst.flags & AInRegisters))
      reader.forPieces(job.a, shape.a, 16 * (warp.id % 4), 16,
                       trans(inst, TransA), note);
    reader.forPieces(job.b, shape.b, 0, shape.n, trans(inst, TransB), note);
  }
  if (warp.taint) {
    bool chained = false;
    for (const PendingWgmma &other : state.pending)
      chained |= other.inst->d(0) == inst.d(0);
    for (unsigned r = 0; r < inst.nd; ++r) {
      job.dirty.push_back(chained ? allLanes : warp.taint[inst.d(r)]);
      warp.taint[inst.d(r)] = allLanes;
    }
  }
  state.pending.push_back(std::move(job));
}

void execWgmmaCommit(Warp &warp, const Inst &, uint32_t) {
  ++warp.cta->cluster->async->wgmma[&warp].committed;
}

void execWgmmaWait(Warp &warp, const Inst &inst, uint32_t mask) {
  WarpWgmma &state = warp.cta->cluster->async->wgmma[&warp];
  World world;
  RaceDetector *races = warp.launch->races.get();
  while (!state.pending.empty()) {
    PendingWgmma &front = state.pending.front();
    if (int64_t(front.group) + inst.imm >= int64_t(state.committed))
      break;
    PendingWgmma job = std::move(front);
    state.pending.pop_front();
    compute(warp, job);
    passTaint(warp, state, job);
    if (races)
      races->agentRelease(job.agent, world);
  }
  if (races && !world.empty())
    races->acquireLanes(warp, mask, world);
}

void execWgmmaFence(Warp &, const Inst &, uint32_t) {}

// --- decoding ---------------------------------------------------------------

Shape takeShape(Decoder &d) {
  Shape shape{};
  std::string_view name = d.next("a shape");
  unsigned m = 0;
  if (std::sscanf(std::string(name).c_str(), "m%un%uk%u", &m, &shape.n,
                  &shape.k) != 3 ||
      m != 64 || shape.n < 8 || shape.n > 256 || shape.n % 8)
    d.fail("unknown shape '." + std::string(name) + "' of '" + d.fullName() +
           "'");
  return shape;
}

void checkTypes(Decoder &d, const Shape &shape) {
  unsigned k = 256 / typeBits(shape.a);
  bool integer = shape.a == Ty::S8 || shape.a == Ty::U8;
  bool known = shape.a == Ty::F16 || shape.a == Ty::BF16 ||
               shape.a == Ty::TF32 || shape.a == Ty::E4M3 ||
               shape.a == Ty::E5M2 || integer;
  bool result =
      integer ? shape.d == Ty::S32 : shape.d == Ty::F32 || shape.d == Ty::F16;
  if (!known || !result || shape.k != k ||
      typeBits(shape.a) != typeBits(shape.b))
    d.fail("'" + d.fullName() + "' is not supported");
}

/// imm-scale-a, imm-scale-b (floats), imm-trans-a, imm-trans-b (16 bits).
uint8_t takeImmediates(Decoder &d, size_t next, bool aInRegisters) {
  uint8_t flags = 0;
  std::vector<uint8_t> meaning = {NegateA, NegateB};
  if (!aInRegisters)
    meaning.push_back(TransA);
  meaning.push_back(TransB);
  for (size_t i = 0; next < d.count(); ++next, ++i) {
    if (i >= meaning.size())
      d.fail("too many operands of '" + d.fullName() + "'");
    auto value = static_cast<int64_t>(d.immediate(d.op(next)));
    bool isScale = i < 2;
    if (isScale ? value == -1 : value == 1)
      flags |= meaning[i];
    else if (value != (isScale ? 1 : 0))
      d.fail("unexpected immediate " + std::to_string(value) + " of '" +
             d.fullName() + "'");
  }
  return flags;
}

void decodeProduct(Decoder &d) {
  if (!d.has("sync") || !d.has("aligned"))
    d.fail("'" + d.fullName() + "' must be .sync.aligned");
  Shape shape = takeShape(d);
  shape.d = d.type();
  shape.a = d.type();
  shape.b = d.type();
  bool saturate = d.has("satfinite");
  checkTypes(d, shape);
  d.expectOperands(3, 8);
  bool aInRegisters = d.op(1).kind == Operand::List;
  Ty word = Ty::B32;
  std::vector<uint32_t> accumulators = d.dstList(d.op(0), word);
  if (accumulators.size() != shape.accumulators())
    d.fail("'" + d.fullName() + "' expects " +
           std::to_string(shape.accumulators()) + " registers, but got " +
           std::to_string(accumulators.size()));
  std::vector<uint32_t> sources = accumulators;
  std::vector<uint32_t> a =
      aInRegisters ? d.srcList(d.op(1), word)
                   : std::vector<uint32_t>{d.src(d.op(1), Ty::B64)};
  if (aInRegisters && a.size() != 4)
    d.fail("'" + d.fullName() + "' expects 4 registers of A, but got " +
           std::to_string(a.size()));
  sources.insert(sources.end(), a.begin(), a.end());
  sources.push_back(d.src(d.op(2), Ty::B64));
  // scale-d: a predicate, or a constant.
  uint8_t scale = 1;
  if (d.count() > 3) {
    if (d.regType(d.op(3)) == Ty::Pred) {
      scale = 2;
      sources.push_back(d.predSrc(d.op(3)));
    } else {
      scale = d.immediate(d.op(3)) != 0;
    }
  }
  uint8_t flags = takeImmediates(d, 4, aInRegisters);
  Inst &inst = d.emit(execWgmma, accumulators, sources, Pipe::Tensor);
  inst.imm = shape.pack();
  inst.flags =
      flags | (aInRegisters ? AInRegisters : 0) | (saturate ? Saturate : 0);
  inst.kind = scale;
  inst.flow = Flow::Aligned;
  inst.ownTaint = true;
}

void decodeWgmma(Decoder &d) {
  d.program.usesAsyncProxy = true;
  if (d.has("mma_async")) {
    if (d.has("sp"))
      d.fail("'" + d.fullName() + "' is not supported");
    return decodeProduct(d);
  }
  Exec exec = nullptr;
  bool waits = false;
  if (d.has("fence"))
    exec = execWgmmaFence;
  else if (d.has("commit_group"))
    exec = execWgmmaCommit;
  else if ((waits = d.has("wait_group")))
    exec = execWgmmaWait;
  if (!exec || !d.has("sync") || !d.has("aligned"))
    d.fail("unknown '" + d.fullName() + "'");
  d.expectOperands(waits ? 1 : 0);
  Inst &inst = d.emit(exec, {}, {}, Pipe::Control);
  inst.imm = waits ? static_cast<int64_t>(d.immediate(d.op(0))) : 0;
  inst.flow = Flow::Aligned;
  inst.ownTaint = true;
}

} // namespace

void addWgmmaOps(OpcodeTable &t) { t["wgmma"] = decodeWgmma; }

} // namespace fovea::sim
