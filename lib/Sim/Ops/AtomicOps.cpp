// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// atom and red (ISA text, sections 9.7.13.6 and 9.7.13.7). Lanes take turns;
// CTAs that run in parallel meet in the host's compare-and-exchange.
#include "Checks/Races.h"
#include "Machine/Access.h"
#include "Machine/Lanes.h"
#include "Nan.h"
#include "Program/Decoder.h"
#include <algorithm>
#include <cstring>

namespace fovea::sim {

void decodeRedAsync(Decoder &decoder);
void decodeWideAtomic(Decoder &decoder);

namespace {

enum AtomicOp : uint8_t {
  OpAnd,
  OpOr,
  OpXor,
  OpCas,
  OpExch,
  OpAdd,
  OpInc,
  OpDec,
  OpMin,
  OpMax,
};
enum AtomicFlags : uint8_t { AtomAcquire = 1, AtomRelease = 2, AtomRed = 4 };

template <class T> T combineInteger(uint8_t op, T a, T b) {
  switch (op) {
  case OpAnd:
    return a & b;
  case OpOr:
    return a | b;
  case OpXor:
    return a ^ b;
  case OpAdd:
    return T(std::make_unsigned_t<T>(a) + std::make_unsigned_t<T>(b));
  case OpInc:
    return a >= b ? T(0) : T(a + 1);
  case OpDec:
    return a == 0 || a > b ? b : T(a - 1);
  case OpMin:
    return std::min(a, b);
  case OpMax:
    return std::max(a, b);
  default:
    return b; // exch
  }
}

template <class H> uint16_t addHalf(uint16_t a, uint16_t b) {
  float sum = toFloat(H{a}) + toFloat(H{b});
  if constexpr (std::is_same_v<H, F16>)
    return toF16(sum).bits;
  else
    return toBF16(sum).bits;
}

template <class H> uint16_t extremeHalf(uint8_t op, uint16_t a, uint16_t b) {
  float x = toFloat(H{a}), y = toFloat(H{b});
  if (x != x)
    return y != y ? 0x7fff : b;
  if (y != y)
    return a;
  if (x == y) // -0 is less than +0
    return op == OpMin ? a | b : a & b;
  return (op == OpMin) == (x < y) ? a : b;
}

template <class H> uint32_t combineHalves(uint8_t op, uint32_t a, uint32_t b) {
  auto one = [op](uint16_t x, uint16_t y) {
    return op == OpAdd ? addHalf<H>(x, y) : extremeHalf<H>(op, x, y);
  };
  return one(uint16_t(a), uint16_t(b)) |
         uint32_t(one(uint16_t(a >> 16), uint16_t(b >> 16))) << 16;
}

/// Additions in global memory flush subnormal f32 (ISA text, 9.7.13.6).
uint32_t addF32(uint32_t a, uint32_t b, bool flushes) {
  auto x = std::bit_cast<float>(a), y = std::bit_cast<float>(b);
  return canonicalBits(flushes ? flush(flush(x) + flush(y)) : x + y);
}

/// NaN in global memory keeps its bits (measured, docs/hardware.md).
uint64_t addF64(uint64_t a, uint64_t b, bool inGlobal) {
  auto x = std::bit_cast<double>(a), y = std::bit_cast<double>(b);
  double sum = x + y;
  if (sum == sum)
    return std::bit_cast<uint64_t>(sum);
  if (inGlobal && (x != x || y != y))
    return y != y ? b : a;
  return std::bit_cast<uint64_t>(nanOf(y, x));
}

uint64_t combine(uint8_t op, Ty ty, uint64_t a, uint64_t b, bool inGlobal) {
  switch (ty) {
  case Ty::F32:
    return addF32(uint32_t(a), uint32_t(b), inGlobal);
  case Ty::F64:
    return addF64(a, b, inGlobal);
  case Ty::F16:
    return combineHalves<F16>(op, a & 0xffff, b & 0xffff) & 0xffff;
  case Ty::BF16:
    return combineHalves<BF16>(op, a & 0xffff, b & 0xffff) & 0xffff;
  case Ty::F16x2:
    return combineHalves<F16>(op, uint32_t(a), uint32_t(b));
  case Ty::BF16x2:
    return combineHalves<BF16>(op, uint32_t(a), uint32_t(b));
  case Ty::S32:
    return static_cast<uint32_t>(
        combineInteger<int32_t>(op, int32_t(a), int32_t(b)));
  case Ty::S64:
    return static_cast<uint64_t>(
        combineInteger<int64_t>(op, int64_t(a), int64_t(b)));
  case Ty::B64:
  case Ty::U64:
    return combineInteger<uint64_t>(op, a, b);
  case Ty::B16:
    return combineInteger<uint32_t>(op, uint32_t(a), uint32_t(b)) & 0xffff;
  default:
    return combineInteger<uint32_t>(op, uint32_t(a), uint32_t(b));
  }
}

template <class W>
uint64_t exchange(uint8_t *at, const Inst &inst, uint64_t b, uint64_t c,
                  bool inGlobal) {
  uint8_t op = inst.kind;
  Ty ty = static_cast<Ty>(inst.aux);
  auto *word = reinterpret_cast<W *>(at);
  W old = __atomic_load_n(word, __ATOMIC_RELAXED);
  for (;;) {
    W value = op == OpCas ? (old == W(b) ? W(c) : old)
                          : W(combine(op, ty, old, b, inGlobal));
    if (__atomic_compare_exchange_n(word, &old, value, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_RELAXED))
      return old;
  }
}

uint64_t apply(uint8_t *at, const Inst &inst, uint64_t b, uint64_t c,
               bool inGlobal) {
  switch (inst.bytes) {
  case 2:
    return exchange<uint16_t>(at, inst, b, c, inGlobal);
  case 4:
    return exchange<uint32_t>(at, inst, b, c, inGlobal);
  default:
    return exchange<uint64_t>(at, inst, b, c, inGlobal);
  }
}

/// Sources: address, then vec values, then for cas the new value. aux is the
/// type.
void execAtomic(Warp &warp, const Inst &inst, uint32_t mask) {
  bool wide = inst.bytes == 8;
  if (warp.taint) {
    reportTaint(warp, taintOf(warp, inst.s(0)) & mask, 0, "an address");
    for (unsigned i = 1; i < inst.ns; ++i)
      reportTaint(warp, taintOf(warp, inst.s(i)) & mask, 0,
                  "an atomic operation");
  }
  auto value = [&](uint32_t cell, unsigned l) -> uint64_t {
    return wide ? warp.wide(cell)[l] : warp.narrow(cell)[l];
  };
  uint64_t addresses[32];
  unsigned total = inst.bytes * inst.vec;
  RaceDetector *races = warp.launch->races.get();
  uint32_t dirty = 0;
  forLanes(mask, [&](unsigned l) {
    addresses[l] = laneAddress(warp, inst, inst.s(0), l);
    Place place;
    if (!locate(warp, inst, l, inst.space, addresses[l], total, total, true,
                place))
      return;
    if (races)
      races->atomic(warp, l, place, total, inst.scope, inst.flags & AtomAcquire,
                    inst.flags & AtomRelease);
    if (place.init && std::memchr(place.init, 0, total)) {
      dirty |= 1u << l;
      std::memset(place.init, 1, total);
    }
    for (unsigned e = 0; e < inst.vec; ++e) {
      uint64_t c = inst.kind == OpCas ? value(inst.s(2), l) : 0;
      uint64_t old =
          apply(place.data + e * inst.bytes, inst, value(inst.s(1 + e), l), c,
                place.space != Space::Shared);
      if (std::memcmp(place.data + e * inst.bytes, &old, inst.bytes))
        ++warp.cta->cluster->changes;
      if (inst.nd <= e)
        continue;
      if (wide)
        warp.wide(inst.d(e))[l] = old;
      else
        warp.narrow(inst.d(e))[l] = static_cast<uint32_t>(old);
    }
  });
  // exch and a plain store aside, the result depends on what was there.
  if (warp.taint && inst.kind != OpExch)
    reportTaint(warp, dirty, 0, "an atomic operation");
  for (unsigned e = 0; e < inst.nd; ++e)
    setTaint(warp, inst.d(e), inst.kind == OpExch ? dirty : 0, mask);
  ++warp.cta->cluster->events;
  if (warp.counts)
    countAccess(warp, inst, inst.space, addresses, mask, total);
}

bool allowed(uint8_t op, Ty ty) {
  if (isFloat(ty))
    return op == OpAdd || ((op == OpMin || op == OpMax) && typeBits(ty) <= 32 &&
                           ty != Ty::F32);
  if (typeBits(ty) == 16)
    return op == OpCas || op == OpExch;
  return typeBits(ty) == 32 || typeBits(ty) == 64;
}

void decodeAtomic(Decoder &d, bool isRed) {
  if (isRed && d.has("async"))
    return decodeRedAsync(d);
  if (!isRed && d.lastType() == Ty::B128)
    return decodeWideAtomic(d);
  uint8_t flags = isRed ? AtomRed : 0;
  std::string_view order =
      d.oneOf({"relaxed", "acquire", "release", "acq_rel"});
  if (order == "acquire" || order == "acq_rel")
    flags |= AtomAcquire;
  if (order == "release" || order == "acq_rel")
    flags |= AtomRelease;
  SyncScope scope = takeScope(d);
  std::string_view space =
      d.oneOf({"global", "shared::cta", "shared::cluster", "shared"});
  static const char *const ops[] = {"and", "or",  "xor", "cas", "exch",
                                    "add", "inc", "dec", "min", "max"};
  int op = -1;
  for (int i = 0; i < 10 && op < 0; ++i)
    if (d.has(ops[i]))
      op = i;
  if (op < 0)
    d.fail("'" + d.fullName() + "' lacks an operation");
  d.has("noftz");
  d.has("L2::cache_hint");
  std::string_view vec = d.oneOf({"v2", "v4", "v8"});
  Ty ty = d.type();
  if (!allowed(static_cast<uint8_t>(op), ty))
    d.fail("'" + d.fullName() + "' is not supported");
  size_t first = isRed ? 0 : 1, need = first + (op == OpCas ? 3 : 2);
  d.expectOperands(need, need + 1);
  unsigned n = vec.empty() ? 1 : static_cast<unsigned>(vec[1] - '0');
  std::vector<uint32_t> values = d.srcList(d.op(first + 1), ty);
  if (values.size() != n)
    d.fail("'" + d.fullName() + "' expects " + std::to_string(n) + " values");
  Inst at;
  values.insert(values.begin(), d.address(at, d.op(first)));
  if (op == OpCas)
    values.push_back(d.src(d.op(first + 2), ty));
  std::vector<uint32_t> dests;
  if (!isRed)
    dests = d.dstList(d.op(0), ty);
  Inst &inst = d.emit(execAtomic, dests, values, Pipe::Lsu);
  inst.imm = at.imm;
  inst.addrBits = at.addrBits;
  inst.space = space == "global" ? Space::Global
               : space.empty()   ? Space::Generic
                                 : Space::Shared;
  inst.bytes = static_cast<uint8_t>(typeBytes(ty));
  inst.vec = static_cast<uint8_t>(n);
  inst.kind = static_cast<uint8_t>(op);
  inst.flags = flags;
  inst.scope = scope;
  inst.aux = static_cast<uint32_t>(ty);
  inst.ownTaint = true;
}

} // namespace

uint64_t combineAtomic(BulkReduce op, Ty ty, uint64_t a, uint64_t b) {
  static const uint8_t ops[] = {OpExch, OpAdd, OpMin, OpMax, OpInc,
                                OpDec,  OpAnd, OpOr,  OpXor};
  if (ty == Ty::F32) // unlike atom, it does not flush
    return addF32(uint32_t(a), uint32_t(b), false);
  return combine(ops[static_cast<unsigned>(op)], ty, a, b, true);
}

void addAtomicOps(OpcodeTable &t) {
  t["atom"] = [](Decoder &d) { decodeAtomic(d, false); };
  t["red"] = [](Decoder &d) { decodeAtomic(d, true); };
}

} // namespace fovea::sim
