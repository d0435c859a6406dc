// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// mov with packing and unpacking, cvta, isspacep, selp and slct (ISA text,
// sections 9.7.9.1 to 9.7.9.20 and 9.7.6).
#include "Checks/Taint.h"
#include "Program/Decoder.h"
#include <chrono>

namespace fovea::sim {
namespace {

template <class W> void execMov(Warp &warp, const Inst &inst, uint32_t mask) {
  blend(cellsOf<W>(warp, inst.d(0)), cellsOf<W>(warp, inst.s(0)), mask);
  copyTaint(warp, inst.d(0), inst.s(0), mask);
}

void execMovPred(Warp &warp, const Inst &inst, uint32_t mask) {
  setPred(warp, inst.d(0), warp.pred(inst.s(0)), mask);
}

void taintPacked(Warp &warp, const Inst &inst, uint32_t mask) {
  if (!warp.taint)
    return;
  uint32_t dirty = 0;
  for (unsigned i = 0; i < inst.ns; ++i)
    dirty |= warp.taint[inst.s(i)];
  unsigned keep = (1u << inst.bytes) - 1, above = ~0u << (inst.ns * inst.bytes);
  Written written[32];
  forLanes(dirty & mask, [&](unsigned l) {
    unsigned packed = above & allBytes;
    for (unsigned i = 0; i < inst.ns; ++i) {
      Written part = writtenBytes(warp, inst.s(i), l);
      packed |= (part & keep) << (i * inst.bytes) | (part & wholeMissing);
    }
    written[l] = static_cast<Written>(packed);
  });
  setTaint(warp, inst.d(0), 0, mask);
  forLanes(dirty & mask,
           [&](unsigned l) { setWritten(warp, inst.d(0), l, written[l]); });
}

/// An element takes the taint of its own bytes.
void taintUnpacked(Warp &warp, const Inst &inst, uint32_t mask) {
  if (!warp.taint)
    return;
  uint32_t dirty = warp.taint[inst.s(0)] & mask;
  unsigned keep = (1u << inst.bytes) - 1;
  Written written[32];
  forLanes(dirty,
           [&](unsigned l) { written[l] = writtenBytes(warp, inst.s(0), l); });
  for (unsigned i = 0; i < inst.nd; ++i) {
    setTaint(warp, inst.d(i), 0, mask);
    forLanes(dirty, [&](unsigned l) {
      unsigned part = (written[l] & allBytes) >> (i * inst.bytes) & keep;
      setWritten(
          warp, inst.d(i), l,
          Written(part | (allBytes & ~keep) | (written[l] & wholeMissing)));
    });
  }
}

/// d = {s0, s1, ...}, the first lowest; inst.bytes is an element's size.
void execPack(Warp &warp, const Inst &inst, uint32_t mask) {
  unsigned bits = inst.bytes * 8u;
  auto element = [&](unsigned i, unsigned l) -> uint64_t {
    return bits == 64 ? warp.wide(inst.s(i))[l] : warp.narrow(inst.s(i))[l];
  };
  bool wide = bits * inst.ns == 64;
  taintPacked(warp, inst, mask);
  forLanes(mask, [&](unsigned l) {
    uint64_t value = 0;
    for (unsigned i = 0; i < inst.ns; ++i)
      value |= element(i, l) << (i * bits);
    if (wide)
      warp.wide(inst.d(0))[l] = value;
    else
      warp.narrow(inst.d(0))[l] = static_cast<uint32_t>(value);
  });
}

/// {d0, d1, ...} = s; a destination that nobody wants is the scratch cell.
void execUnpack(Warp &warp, const Inst &inst, uint32_t mask) {
  unsigned bits = inst.bytes * 8u;
  bool wide = bits * inst.nd == 64;
  uint64_t keep = (1ull << bits) - 1;
  uint64_t source[32];
  for (unsigned l = 0; l < 32; ++l)
    source[l] = wide ? warp.wide(inst.s(0))[l] : warp.narrow(inst.s(0))[l];
  taintUnpacked(warp, inst, mask);
  for (unsigned i = 0; i < inst.nd; ++i) {
    uint32_t *d = warp.narrow(inst.d(i));
    uint32_t t[32];
    for (unsigned l = 0; l < 32; ++l)
      t[l] = static_cast<uint32_t>((source[l] >> (i * bits)) & keep);
    blend(d, t, mask);
  }
}

/// %clock and its like: kind 0 a count of instructions, 1 nanoseconds.
void execClock(Warp &warp, const Inst &inst, uint32_t mask) {
  uint64_t now = warp.executed;
  if (inst.kind == 1)
    now = static_cast<uint64_t>(
        std::chrono::steady_clock::now().time_since_epoch().count());
  now >>= inst.imm;
  forLanes(mask, [&](unsigned l) {
    if (inst.bytes == 8)
      warp.wide(inst.d(0))[l] = now;
    else
      warp.narrow(inst.d(0))[l] = static_cast<uint32_t>(now);
  });
}

bool decodeClock(Decoder &d, Ty ty) {
  static const struct {
    const char *name;
    uint8_t kind;
    int64_t shift;
  } clocks[] = {{"%clock", 0, 0},          {"%clock_hi", 0, 32},
                {"%clock64", 0, 0},        {"%globaltimer", 1, 0},
                {"%globaltimer_lo", 1, 0}, {"%globaltimer_hi", 1, 32}};
  for (const auto &clock : clocks) {
    if (d.op(1).kind != Operand::Special || d.op(1).name != clock.name)
      continue;
    Inst &inst = d.emit(execClock, {d.dst(d.op(0), ty)}, {});
    inst.kind = clock.kind;
    inst.imm = clock.shift;
    inst.bytes = static_cast<uint8_t>(typeBytes(ty));
    return true;
  }
  return false;
}

void decodePack(Decoder &d, Ty ty) {
  auto n = static_cast<unsigned>(d.op(1).elems.size());
  unsigned bits = n ? typeBits(ty) / n : 0;
  Ty part = bits == 64   ? Ty::B64
            : bits == 32 ? Ty::B32
            : bits == 16 ? Ty::B16
            : bits == 8  ? Ty::B8
                         : Ty::None;
  if (part == Ty::None)
    d.fail("'" + d.fullName() + "' cannot pack " + std::to_string(n) +
           " elements");
  std::vector<uint32_t> sources = d.srcList(d.op(1), part);
  Inst &inst = d.emit(execPack, {d.dst(d.op(0), ty)}, sources);
  inst.bytes = static_cast<uint8_t>(bits / 8);
  inst.ownTaint = true;
}

void decodeUnpack(Decoder &d, Ty ty) {
  auto n = static_cast<unsigned>(d.op(0).elems.size());
  unsigned bits = n ? typeBits(ty) / n : 0;
  Ty part = bits == 32   ? Ty::B32
            : bits == 16 ? Ty::B16
            : bits == 8  ? Ty::B8
                         : Ty::None;
  if (part == Ty::None)
    d.fail("'" + d.fullName() + "' cannot unpack " + std::to_string(n) +
           " elements");
  uint32_t source = d.src(d.op(1), ty);
  Inst &inst = d.emit(execUnpack, d.dstList(d.op(0), part), {source});
  inst.bytes = static_cast<uint8_t>(bits / 8);
  inst.ownTaint = true;
}

void emitMov(Decoder &d, uint32_t to, uint32_t from, bool wide) {
  d.emit(wide ? execMov<uint64_t> : execMov<uint32_t>, {to}, {from},
         Pipe::Uniform)
      .ownTaint = true;
}

/// The halves of a b128 operand: of a register or of a vector of two.
std::vector<uint32_t> halvesOf(Decoder &d, const Operand &operand, bool isDst) {
  if (operand.kind == Operand::List)
    return isDst ? d.dstList(operand, Ty::B64) : d.srcList(operand, Ty::B64);
  uint32_t cell = isDst ? d.dst(operand, Ty::B128) : d.src(operand, Ty::B128);
  return {cell, cell + 2};
}

void decodeMov128(Decoder &d) {
  std::vector<uint32_t> to = halvesOf(d, d.op(0), true),
                        from = halvesOf(d, d.op(1), false);
  if (to.size() != 2 || from.size() != 2)
    d.fail("'" + d.fullName() + "' moves two halves of 64 bits");
  for (unsigned i = 0; i < 2; ++i)
    emitMov(d, to[i], from[i], true);
}

/// mov.v4.u32 {a, b, c, d}, %tid: a special register of four elements.
void decodeMovVector(Decoder &d, size_t n) {
  Ty ty = d.type();
  d.expectOperands(2);
  std::vector<uint32_t> to = d.dstList(d.op(0), ty);
  if (to.size() != n || d.op(1).kind != Operand::Special)
    d.fail("'" + d.fullName() + "' is not supported");
  static const char *const elements[] = {".x", ".y", ".z", ".w"};
  for (size_t i = 0; i < n; ++i) {
    Operand element = d.op(1);
    element.name += elements[i];
    emitMov(d, to[i], d.src(element, ty), typeBits(ty) == 64);
  }
}

void decodeMov(Decoder &d) {
  std::string_view vec = d.oneOf({"v2", "v4"});
  if (!vec.empty())
    return decodeMovVector(d, static_cast<size_t>(vec[1] - '0'));
  Ty ty = d.type();
  d.expectOperands(2);
  if (ty == Ty::B128)
    return decodeMov128(d);
  if (ty == Ty::Pred) {
    uint32_t a = d.predSrc(d.op(1));
    d.emit(execMovPred, {d.predDst(d.op(0))}, {a});
    return;
  }
  if (decodeClock(d, ty))
    return;
  if (d.op(1).kind == Operand::List)
    return decodePack(d, ty);
  if (d.op(0).kind == Operand::List)
    return decodeUnpack(d, ty);
  uint32_t a = d.src(d.op(1), ty);
  emitMov(d, d.dst(d.op(0), ty), a, typeBits(ty) == 64);
}

// --- cvta, isspacep ---------------------------------------------------------

/// The base of a space's window in generic addresses; global and constant
/// memory have none, parameters are addressed generically throughout.
uint64_t windowOf(std::string_view space) {
  if (space == "shared" || space == "shared::cta" || space == "shared::cluster")
    return sharedWindow;
  return space == "local" ? localWindow : 0;
}

struct OrWords {
  static uint64_t apply(uint64_t a, uint64_t b) { return a | b; }
};
struct AddWords {
  static uint64_t apply(uint64_t a, uint64_t b) { return a + b; }
};

void decodeCvta(Decoder &d) {
  bool to = d.has("to");
  std::string_view space =
      d.oneOf({"global", "shared::cta", "shared::cluster", "shared", "local",
               "const", "param::entry", "param"});
  if (space.empty())
    d.fail("'" + d.fullName() + "' lacks a state space");
  Ty ty = d.type();
  d.expectOperands(2);
  uint64_t base = windowOf(space);
  if (typeBits(ty) != 64)
    d.fail("'" + d.fullName() + "' needs .u64");
  uint32_t a = d.src(d.op(1), ty);
  if (space.substr(0, 5) == "param") {
    // The name of a parameter is its generic address already, unless it went
    // through a 32-bit register.
    uint32_t window = d.constant(to ? 0 : paramWindow, true);
    d.emit(binary<OrWords, uint64_t>(), {d.dst(d.op(0), ty)}, {a, window},
           Pipe::Uniform);
    return;
  }
  uint32_t offset = d.constant(to ? 0 - base : base, true);
  d.emit(binary<AddWords, uint64_t>(), {d.dst(d.op(0), ty)}, {a, offset},
         Pipe::Uniform);
}

/// kind: 0 global, 1 shared, 2 local, 3 const, 4 param; imm 1: of the cluster.
void execIsSpace(Warp &warp, const Inst &inst, uint32_t mask) {
  const uint64_t *a = warp.wide(inst.s(0));
  uint32_t bits = 0;
  for (unsigned l = 0; l < 32; ++l) {
    auto window = static_cast<unsigned>(a[l] >> 48);
    unsigned space = window == 1 ? 1 : window == 2 ? 2 : window == 3 ? 4 : 0;
    bool in = window <= 3 && space == inst.kind;
    bits |= in ? 1u << l : 0;
  }
  setPred(warp, inst.d(0), bits, mask);
}

void decodeIsSpacep(Decoder &d) {
  std::string_view space =
      d.oneOf({"global", "shared::cta", "shared::cluster", "shared", "local",
               "const", "param::entry", "param"});
  d.expectOperands(2);
  uint32_t a = d.src(d.op(1), Ty::B64);
  Inst &inst = d.emit(execIsSpace, {d.predDst(d.op(0))}, {a});
  inst.kind = space == "global"                 ? 0
              : windowOf(space) == sharedWindow ? 1
              : space == "local"                ? 2
              : space == "const"                ? 3
                                                : 4;
}

// --- selp, slct -------------------------------------------------------------

template <class W> void execSelp(Warp &warp, const Inst &inst, uint32_t mask) {
  W *d = cellsOf<W>(warp, inst.d(0));
  const W *a = cellsOf<W>(warp, inst.s(0)), *b = cellsOf<W>(warp, inst.s(1));
  uint32_t p = warp.pred(inst.s(2));
  W t[32];
  for (unsigned l = 0; l < 32; ++l)
    t[l] = (p >> l) & 1 ? a[l] : b[l];
  blend(d, t, mask);
  if (!warp.taint)
    return;
  uint32_t choice = taintOf(warp, inst.s(2));
  if (warp.partial.empty())
    return setTaint(warp, inst.d(0),
                    (taintOf(warp, inst.s(0)) & p) |
                        (taintOf(warp, inst.s(1)) & ~p) | choice,
                    mask);
  // A source that is the destination must be looked at first.
  unsigned first = inst.s(1) == inst.d(0);
  for (unsigned i : {first, 1 - first})
    copyTaint(warp, inst.d(0), inst.s(i), mask & (i ? ~p : p));
  setTaint(warp, inst.d(0), allLanes, mask & choice);
}

void decodeSelp(Decoder &d) {
  Ty ty = d.type();
  d.expectOperands(4);
  uint32_t a = d.src(d.op(1), ty), b = d.src(d.op(2), ty),
           p = d.predSrc(d.op(3));
  d.emit(typeBits(ty) == 64 ? execSelp<uint64_t> : execSelp<uint32_t>,
         {d.dst(d.op(0), ty)}, {a, b, p})
      .ownTaint = true;
}

/// flags: 1 flushes the float that decides.
template <class W, class C>
void execSlct(Warp &warp, const Inst &inst, uint32_t mask) {
  W *d = cellsOf<W>(warp, inst.d(0));
  const W *a = cellsOf<W>(warp, inst.s(0)), *b = cellsOf<W>(warp, inst.s(1));
  const uint32_t *c = warp.narrow(inst.s(2));
  W t[32];
  for (unsigned l = 0; l < 32; ++l) {
    C x = fromCell<C>(c[l]);
    if constexpr (std::is_floating_point_v<C>)
      x = inst.flags & 1 ? flush(x) : x;
    t[l] = x >= 0 ? a[l] : b[l];
  }
  blend(d, t, mask);
}

void decodeSlct(Decoder &d) {
  bool ftz = d.has("ftz");
  Ty ty = d.type(), c = d.type();
  d.expectOperands(4);
  uint32_t x = d.src(d.op(1), ty), y = d.src(d.op(2), ty),
           z = d.src(d.op(3), c);
  bool wide = typeBits(ty) == 64;
  Exec exec =
      c == Ty::F32
          ? (wide ? execSlct<uint64_t, float> : execSlct<uint32_t, float>)
          : (wide ? execSlct<uint64_t, int32_t> : execSlct<uint32_t, int32_t>);
  d.emit(exec, {d.dst(d.op(0), ty)}, {x, y, z}).flags = ftz;
}

} // namespace

void addMoveOps(OpcodeTable &t) {
  t["mov"] = decodeMov;
  t["cvta"] = decodeCvta;
  t["isspacep"] = decodeIsSpacep;
  t["selp"] = decodeSelp;
  t["slct"] = decodeSlct;
}

} // namespace fovea::sim
