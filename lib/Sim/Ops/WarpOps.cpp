// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// shfl, vote, match, redux, activemask, elect (ISA text, sections 9.7.9.6 and
// 9.7.13.5 to 9.7.13.10). None of them orders memory.
#include "Checks/Taint.h"
#include "Machine/Access.h"
#include "Program/Decoder.h"
#include <algorithm>

namespace fovea::sim {
namespace {

enum ShflMode : uint8_t { Up, Down, Bfly, Idx };

/// The source lane and whether it is in range.
std::pair<unsigned, bool> shflSource(uint8_t mode, unsigned lane, uint32_t b,
                                     uint32_t c) {
  uint32_t value = b & 31, clamp = c & 31, segment = (c >> 8) & 31;
  uint32_t maxLane = (lane & segment) | (clamp & ~segment);
  uint32_t minLane = lane & segment;
  int j = 0;
  bool in = false;
  switch (mode) {
  case Up:
    j = static_cast<int>(lane) - static_cast<int>(value);
    in = j >= static_cast<int>(maxLane);
    break;
  case Down:
    j = static_cast<int>(lane + value);
    in = j <= static_cast<int>(maxLane);
    break;
  case Bfly:
    j = static_cast<int>(lane ^ value);
    in = j <= static_cast<int>(maxLane);
    break;
  default:
    j = static_cast<int>(minLane | (value & ~segment));
    in = j <= static_cast<int>(maxLane);
    break;
  }
  return {in ? static_cast<unsigned>(j) & 31 : lane, in};
}

void execShfl(Warp &warp, const Inst &inst, uint32_t mask) {
  uint32_t source[32], from[32];
  std::copy_n(warp.narrow(inst.s(0)), 32, source);
  const uint32_t *b = warp.narrow(inst.s(1)), *c = warp.narrow(inst.s(2));
  uint32_t inRange = 0, dirtySource = taintOf(warp, inst.s(0)), dirty = 0;
  uint32_t control = taintOf(warp, inst.s(1)) | taintOf(warp, inst.s(2));
  forLanes(mask, [&](unsigned l) {
    auto [j, in] = shflSource(inst.kind, l, b[l], c[l]);
    from[l] = j;
    inRange |= in ? 1u << l : 0;
    // The value of a lane that does not take part is unspecified.
    if (!((mask >> j) & 1) || ((dirtySource >> j) & 1))
      dirty |= 1u << l;
  });
  uint32_t *d = warp.narrow(inst.d(0));
  forLanes(mask, [&](unsigned l) { d[l] = source[from[l]]; });
  Written written[32];
  bool isPartial = !warp.partial.empty();
  uint32_t known = isPartial ? dirty & ~control : 0;
  forLanes(known, [&](unsigned l) {
    written[l] = (mask >> from[l]) & 1 ? writtenBytes(warp, inst.s(0), from[l])
                                       : wholeMissing;
  });
  setTaint(warp, inst.d(0), dirty | control, mask);
  forLanes(known,
           [&](unsigned l) { setWritten(warp, inst.d(0), l, written[l]); });
  if (inst.nd > 1) {
    setPred(warp, inst.d(1), inRange, mask);
    setTaint(warp, inst.d(1), control, mask);
  }
}

/// Before PTX 6.4 a member mask could be left out: the lanes that execute the
/// instruction together are its members.
bool takeSync(Decoder &d) {
  const Module &module = d.builder.module;
  bool sync = d.has("sync");
  if (!sync && std::make_pair(module.versionMajor, module.versionMinor) >=
                   std::make_pair(6u, 4u))
    d.fail("'" + std::string(d.base()) + "' needs '.sync' since PTX 6.4");
  return sync;
}

/// Which of the modes the instruction names, by its place in the list.
unsigned takeMode(Decoder &d, std::initializer_list<std::string_view> modes) {
  std::string_view mode = d.oneOf(modes);
  if (mode.empty())
    d.fail("'" + d.fullName() + "' lacks a mode");
  return static_cast<unsigned>(std::find(modes.begin(), modes.end(), mode) -
                               modes.begin());
}

void decodeShfl(Decoder &d) {
  bool sync = takeSync(d);
  unsigned mode = takeMode(d, {"up", "down", "bfly", "idx"});
  Ty ty = d.type();
  d.expectOperands(sync ? 5 : 4);
  std::vector<uint32_t> sources = {d.src(d.op(1), ty), d.src(d.op(2), Ty::B32),
                                   d.src(d.op(3), Ty::B32)};
  if (sync)
    sources.push_back(d.src(d.op(4), Ty::B32));
  std::vector<uint32_t> dests = {d.dst(d.op(0), ty)};
  if (!d.op(0).second.empty())
    dests.push_back(d.predDst(d.op(0).second[0]));
  Inst &inst = d.emit(execShfl, dests, sources, Pipe::Lsu);
  inst.kind = static_cast<uint8_t>(mode);
  inst.flow = sync ? Flow::Member : Flow::Plain;
  inst.ownTaint = true;
}

enum VoteMode : uint8_t { All, Any, Uni, Ballot };

void execVote(Warp &warp, const Inst &inst, uint32_t mask) {
  uint32_t p = warp.pred(inst.s(0)) & mask;
  if (inst.kind == Ballot) {
    forLanes(mask, [&](unsigned l) { warp.narrow(inst.d(0))[l] = p; });
  } else {
    bool all = p == mask, any = p != 0;
    bool r = inst.kind == All ? all : inst.kind == Any ? any : all || !any;
    setPred(warp, inst.d(0), r ? allLanes : 0, mask);
  }
  // Every lane depends on every predicate.
  if (warp.taint)
    setTaint(warp, inst.d(0), (taintOf(warp, inst.s(0)) & mask) ? allLanes : 0,
             mask);
}

void decodeVote(Decoder &d) {
  bool sync = takeSync(d);
  unsigned mode = takeMode(d, {"all", "any", "uni", "ballot"});
  d.type();
  d.expectOperands(sync ? 3 : 2);
  std::vector<uint32_t> sources = {d.predSrc(d.op(1))};
  if (sync)
    sources.push_back(d.src(d.op(2), Ty::B32));
  uint32_t r = mode == Ballot ? d.dst(d.op(0), Ty::B32) : d.predDst(d.op(0));
  Inst &inst = d.emit(execVote, {r}, sources);
  inst.kind = static_cast<uint8_t>(mode);
  inst.flow = sync ? Flow::Member : Flow::Plain;
  inst.ownTaint = true;
}

template <class W> void execMatch(Warp &warp, const Inst &inst, uint32_t mask) {
  const W *a = cellsOf<W>(warp, inst.s(0));
  W first = a[std::countr_zero(mask)];
  uint32_t result[32], all = mask;
  forLanes(mask, [&](unsigned l) {
    uint32_t same = 0;
    forLanes(mask, [&](unsigned k) { same |= a[k] == a[l] ? 1u << k : 0; });
    result[l] = same;
    if (a[l] != first)
      all = 0;
  });
  uint32_t *d = warp.narrow(inst.d(0));
  forLanes(mask, [&](unsigned l) { d[l] = inst.kind ? all : result[l]; });
  if (inst.nd > 1)
    setPred(warp, inst.d(1), all ? allLanes : 0, mask);
  if (warp.taint)
    for (unsigned i = 0; i < inst.nd; ++i)
      setTaint(warp, inst.d(i),
               (taintOf(warp, inst.s(0)) & mask) ? allLanes : 0, mask);
}

void decodeMatch(Decoder &d) {
  bool all = d.oneOf({"any", "all"}) == "all";
  if (!d.has("sync"))
    d.fail("'match' lacks '.sync'");
  Ty ty = d.type();
  d.expectOperands(3);
  uint32_t a = d.src(d.op(1), ty), members = d.src(d.op(2), Ty::B32);
  std::vector<uint32_t> dests = {d.dst(d.op(0), Ty::B32)};
  if (!d.op(0).second.empty())
    dests.push_back(d.predDst(d.op(0).second[0]));
  Inst &inst =
      d.emit(typeBits(ty) == 64 ? execMatch<uint64_t> : execMatch<uint32_t>,
             dests, {a, members});
  inst.kind = all;
  inst.flow = Flow::Member;
  inst.ownTaint = true;
}

enum ReduxOp : uint8_t { RAdd, RMin, RMax, RAnd, ROr, RXor };

uint32_t reduce(uint8_t op, bool isSignedOp, uint32_t x, uint32_t y) {
  auto sx = static_cast<int32_t>(x), sy = static_cast<int32_t>(y);
  switch (op) {
  case RAdd:
    return x + y;
  case RMin:
    return isSignedOp ? static_cast<uint32_t>(std::min(sx, sy))
                      : std::min(x, y);
  case RMax:
    return isSignedOp ? static_cast<uint32_t>(std::max(sx, sy))
                      : std::max(x, y);
  case RAnd:
    return x & y;
  case ROr:
    return x | y;
  default:
    return x ^ y;
  }
}

void execRedux(Warp &warp, const Inst &inst, uint32_t mask) {
  const uint32_t *a = warp.narrow(inst.s(0));
  auto first = static_cast<unsigned>(std::countr_zero(mask));
  uint32_t r = a[first];
  forLanes(mask & ~(1u << first),
           [&](unsigned l) { r = reduce(inst.kind, inst.flags, r, a[l]); });
  forLanes(mask, [&](unsigned l) { warp.narrow(inst.d(0))[l] = r; });
  if (warp.taint)
    setTaint(warp, inst.d(0), (taintOf(warp, inst.s(0)) & mask) ? allLanes : 0,
             mask);
}

void decodeRedux(Decoder &d) {
  if (!d.has("sync"))
    d.fail("'redux' lacks '.sync'");
  static const char *const ops[] = {"add", "min", "max", "and", "or", "xor"};
  int op = -1;
  for (int i = 0; i < 6; ++i)
    if (d.has(ops[i]))
      op = i;
  if (op < 0)
    d.fail("'" + d.fullName() + "' lacks an operation");
  Ty ty = d.type();
  if (isFloat(ty))
    d.fail("'" + d.fullName() + "' is not supported");
  d.expectOperands(3);
  uint32_t a = d.src(d.op(1), ty), members = d.src(d.op(2), Ty::B32);
  Inst &inst = d.emit(execRedux, {d.dst(d.op(0), ty)}, {a, members});
  inst.kind = static_cast<uint8_t>(op);
  inst.flags = isSigned(ty);
  inst.flow = Flow::Member;
  inst.ownTaint = true;
}

void execActiveMask(Warp &warp, const Inst &inst, uint32_t mask) {
  forLanes(mask, [&](unsigned l) { warp.narrow(inst.d(0))[l] = mask; });
}

void decodeActiveMask(Decoder &d) {
  d.type();
  d.expectOperands(1);
  d.emit(execActiveMask, {d.dst(d.op(0), Ty::B32)}, {});
}

void execElect(Warp &warp, const Inst &inst, uint32_t mask) {
  auto leader = static_cast<uint32_t>(std::countr_zero(mask));
  forLanes(mask, [&](unsigned l) { warp.narrow(inst.d(0))[l] = leader; });
  setPred(warp, inst.d(1), 1u << leader, mask);
}

void decodeElect(Decoder &d) {
  if (!d.has("sync"))
    d.fail("'elect' lacks '.sync'");
  d.expectOperands(2);
  if (d.op(0).second.empty())
    d.fail("'elect.sync' needs a destination 'd|p'");
  uint32_t members = d.src(d.op(1), Ty::B32);
  Inst &inst =
      d.emit(execElect, {d.dst(d.op(0), Ty::B32), d.predDst(d.op(0).second[0])},
             {members});
  inst.flow = Flow::Member;
}

} // namespace

void addWarpOps(OpcodeTable &t) {
  t["shfl"] = decodeShfl;
  t["vote"] = decodeVote;
  t["match"] = decodeMatch;
  t["redux"] = decodeRedux;
  t["activemask"] = decodeActiveMask;
  t["elect"] = decodeElect;
}

} // namespace fovea::sim
