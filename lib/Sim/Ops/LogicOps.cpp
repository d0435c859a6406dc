// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Logic and shifts (ISA text, section 9.7.8) and prmt.
#include "Checks/Taint.h"
#include "Program/Decoder.h"
#include <algorithm>

namespace fovea::sim {
namespace {

struct And {
  template <class T> static T apply(T a, T b) { return a & b; }
};
struct Or {
  template <class T> static T apply(T a, T b) { return a | b; }
};
struct Xor {
  template <class T> static T apply(T a, T b) { return a ^ b; }
};
struct Not {
  template <class T> static T apply(T a) { return T(~a); }
};
struct Cnot {
  template <class T> static T apply(T a) { return T(a == 0); }
};
// Amounts above the width are clamped to it.
struct Shl {
  template <class T> static T apply(T a, uint32_t b) {
    return b >= 8 * sizeof(T) ? T(0) : T(std::make_unsigned_t<T>(a) << b);
  }
};
struct Shr {
  template <class T> static T apply(T a, uint32_t b) {
    constexpr uint32_t bits = 8 * sizeof(T);
    if (std::is_signed_v<T>)
      return T(a >> std::min(b, bits - 1));
    return b >= bits ? T(0) : T(a >> b);
  }
};
template <bool Left, bool Clamp> struct Shf {
  static uint32_t apply(uint32_t lo, uint32_t hi, uint32_t c) {
    uint32_t n = Clamp ? std::min(c, 32u) : c & 31;
    uint64_t both = uint64_t(hi) << 32 | lo;
    return Left ? static_cast<uint32_t>((both << n) >> 32)
                : static_cast<uint32_t>(both >> n);
  }
};

void execLop3(Warp &warp, const Inst &inst, uint32_t mask) {
  uint32_t *d = warp.narrow(inst.d(0));
  const uint32_t *a = warp.narrow(inst.s(0)), *b = warp.narrow(inst.s(1)),
                 *c = warp.narrow(inst.s(2));
  uint32_t t[32] = {};
  for (unsigned k = 0; k < 8; ++k) {
    if (!((inst.imm >> k) & 1))
      continue;
    uint32_t fa = k & 4 ? 0 : ~0u, fb = k & 2 ? 0 : ~0u, fc = k & 1 ? 0 : ~0u;
    for (unsigned l = 0; l < 32; ++l)
      t[l] |= (a[l] ^ fa) & (b[l] ^ fb) & (c[l] ^ fc);
  }
  blend(d, t, mask);
}

/// lop3.BoolOp: p = (d != 0) BoolOp q.
template <bool IsAnd>
void execLop3Pred(Warp &warp, const Inst &inst, uint32_t mask) {
  const uint32_t *d = warp.narrow(inst.s(0));
  uint32_t q = warp.pred(inst.s(1)), bits = 0;
  for (unsigned l = 0; l < 32; ++l)
    bits |= d[l] ? 1u << l : 0;
  setPred(warp, inst.d(0), IsAnd ? bits & q : bits | q, mask);
}

/// The byte selectors of the modes of prmt, four bits a byte of the result.
uint32_t prmtSelectors(uint32_t mode, uint32_t c) {
  static const uint32_t f4e[] = {0x3210, 0x4321, 0x5432, 0x6543};
  static const uint32_t b4e[] = {0x5670, 0x6701, 0x7012, 0x0123};
  static const uint32_t rc8[] = {0x0000, 0x1111, 0x2222, 0x3333};
  static const uint32_t ecl[] = {0x3210, 0x3211, 0x3222, 0x3333};
  static const uint32_t ecr[] = {0x0000, 0x1110, 0x2210, 0x3210};
  static const uint32_t rc16[] = {0x1010, 0x3232, 0x1010, 0x3232};
  switch (mode) {
  case 1:
    return f4e[c & 3];
  case 2:
    return b4e[c & 3];
  case 3:
    return rc8[c & 3];
  case 4:
    return ecl[c & 3];
  case 5:
    return ecr[c & 3];
  case 6:
    return rc16[c & 3];
  default:
    return c;
  }
}

void execPrmt(Warp &warp, const Inst &inst, uint32_t mask) {
  uint32_t *d = warp.narrow(inst.d(0));
  const uint32_t *a = warp.narrow(inst.s(0)), *b = warp.narrow(inst.s(1)),
                 *c = warp.narrow(inst.s(2));
  forLanes(mask, [&](unsigned l) {
    uint64_t bytes = uint64_t(b[l]) << 32 | a[l];
    uint32_t selectors = prmtSelectors(inst.kind, c[l]), r = 0;
    for (unsigned i = 0; i < 4; ++i) {
      uint32_t selector = selectors >> (4 * i);
      uint32_t byte = (bytes >> (8 * (selector & 7))) & 0xff;
      if (inst.kind == 0 && (selector & 8)) // replicate the sign
        byte = byte & 0x80 ? 0xff : 0;
      r |= byte << (8 * i);
    }
    d[l] = r;
  });
}

enum PredOp : uint8_t { PAnd, POr, PXor, PNot };

void execPred(Warp &warp, const Inst &inst, uint32_t mask) {
  uint32_t a = warp.pred(inst.s(0));
  uint32_t b = inst.kind == PNot ? 0 : warp.pred(inst.s(1));
  if (warp.taint) {
    uint32_t ta = warp.taint[inst.s(0)];
    uint32_t tb = inst.kind == PNot ? 0 : warp.taint[inst.s(1)];
    setTaint(warp, inst.d(0),
             inst.kind == PAnd  ? taintOfAnd(a, ta, b, tb)
             : inst.kind == POr ? taintOfOr(a, ta, b, tb)
                                : ta | tb,
             mask);
  }
  uint32_t r = inst.kind == PAnd   ? a & b
               : inst.kind == POr  ? a | b
               : inst.kind == PXor ? a ^ b
                                   : ~a;
  setPred(warp, inst.d(0), r, mask);
}

/// Lanes of a word that are not `value`.
template <class T> uint32_t lanesBut(Warp &warp, uint32_t cell, T value) {
  const auto *words = cellsOf<T>(warp, cell);
  uint32_t bits = 0;
  for (unsigned l = 0; l < 32; ++l)
    bits |= uint32_t(T(words[l]) != value) << l;
  return bits;
}

/// and, or of words: a written 0, or one of all ones, decides alone.
template <class Op, class T, T Deciding>
void execDeciding(Warp &warp, const Inst &inst, uint32_t mask) {
  if (warp.taint && !warp.partial.empty()) {
    propagateBytes(warp, inst, mask);
    return execLanes<Op, T, T, T>(warp, inst, mask);
  }
  uint32_t ta = taintOf(warp, inst.s(0)), tb = taintOf(warp, inst.s(1));
  uint32_t lanes = (ta | tb) & mask;
  if (lanes)
    lanes = taintOfAnd(lanesBut<T>(warp, inst.s(0), Deciding), ta,
                       lanesBut<T>(warp, inst.s(1), Deciding), tb);
  execLanes<Op, T, T, T>(warp, inst, mask);
  setTaint(warp, inst.d(0), lanes, mask);
}

template <class Op, class T> Exec pickDeciding() {
  constexpr T value = std::is_same_v<Op, And> ? T(0) : T(~T(0));
  if constexpr (std::is_same_v<Op, Xor>)
    return binary<Op, T>();
  else
    return execDeciding<Op, T, value>;
}

template <class Op> Exec pickBits(Ty ty) {
  switch (typeBits(ty)) {
  case 16:
    return pickDeciding<Op, uint16_t>();
  case 32:
    return pickDeciding<Op, uint32_t>();
  case 64:
    return pickDeciding<Op, uint64_t>();
  default:
    return nullptr;
  }
}

template <class Op, PredOp Kind> void decodeBinary(Decoder &d) {
  Ty ty = d.type();
  d.expectOperands(3);
  uint32_t a = d.src(d.op(1), ty), b = d.src(d.op(2), ty);
  Exec exec = ty == Ty::Pred ? execPred : pickBits<Op>(ty);
  if (!exec)
    d.fail("'" + d.fullName() + "' does not take ." + typeName(ty));
  Inst &inst = d.emit(exec, {d.dst(d.op(0), ty)}, {a, b});
  inst.kind = Kind;
  inst.ownTaint = ty == Ty::Pred || Kind != PXor;
  inst.bytes = static_cast<uint8_t>(typeBytes(ty));
  if (ty != Ty::Pred && Kind != PXor) {
    inst.bytewise = Kind == PAnd ? Bytewise::And : Bytewise::Or;
  } else if (ty != Ty::Pred) {
    inst.bytewise = Bytewise::Each;
    inst.bytes = 1;
  }
}

void decodeNot(Decoder &d) {
  Ty ty = d.type();
  d.expectOperands(2);
  uint32_t a = d.src(d.op(1), ty);
  Exec exec = ty == Ty::Pred ? execPred : pickInteger(ty, [](auto t) {
    return unary<Not, decltype(t)>();
  });
  if (!exec)
    d.fail("'" + d.fullName() + "' does not take ." + typeName(ty));
  Inst &inst = d.emit(exec, {d.dst(d.op(0), ty)}, {a});
  inst.kind = PNot;
  inst.ownTaint = ty == Ty::Pred;
  if (ty != Ty::Pred) {
    inst.bytewise = Bytewise::Each;
    inst.bytes = 1;
  }
}

void decodeCnot(Decoder &d) {
  Ty ty = d.type();
  d.expectOperands(2);
  uint32_t a = d.src(d.op(1), ty);
  Exec exec =
      pickInteger(ty, [](auto t) { return unary<Cnot, decltype(t)>(); });
  if (!exec)
    d.fail("'" + d.fullName() + "' does not take ." + typeName(ty));
  d.emit(exec, {d.dst(d.op(0), ty)}, {a});
}

template <class Op> void decodeShift(Decoder &d) {
  Ty ty = d.type();
  d.expectOperands(3);
  uint32_t a = d.src(d.op(1), ty), b = d.src(d.op(2), Ty::B32);
  Exec exec = pickInteger(ty, [](auto t) -> Exec {
    using T = decltype(t);
    return execLanes<Op, T, T, uint32_t>;
  });
  if (!exec)
    d.fail("'" + d.fullName() + "' does not take ." + typeName(ty));
  Inst &inst = d.emit(exec, {d.dst(d.op(0), ty)}, {a, b});
  inst.bytes = static_cast<uint8_t>(typeBytes(ty));
  if (!isSigned(ty))
    inst.bytewise = std::is_same_v<Op, Shl> ? Bytewise::Shl : Bytewise::Shr;
}

void decodeShf(Decoder &d) {
  bool left = d.oneOf({"l", "r"}) == "l";
  bool clamp = d.oneOf({"clamp", "wrap"}) == "clamp";
  Ty ty = d.type();
  d.expectOperands(4);
  uint32_t a = d.src(d.op(1), ty), b = d.src(d.op(2), ty),
           c = d.src(d.op(3), ty);
  Exec exec = left ? (clamp ? ternary<Shf<true, true>, uint32_t>()
                            : ternary<Shf<true, false>, uint32_t>())
                   : (clamp ? ternary<Shf<false, true>, uint32_t>()
                            : ternary<Shf<false, false>, uint32_t>());
  d.emit(exec, {d.dst(d.op(0), ty)}, {a, b, c});
}

void decodeLop3(Decoder &d) {
  std::string_view boolOp = d.oneOf({"and", "or"});
  Ty ty = d.type();
  bool hasPred = !boolOp.empty();
  d.expectOperands(hasPred ? 6 : 5);
  uint32_t a = d.src(d.op(1), ty), b = d.src(d.op(2), ty),
           c = d.src(d.op(3), ty);
  int64_t lut = static_cast<int64_t>(d.immediate(d.op(4)) & 0xff);
  uint32_t q = hasPred ? d.predSrc(d.op(5)) : 0;
  uint32_t out =
      d.op(0).kind == Operand::Sink ? d.temporary(false) : d.dst(d.op(0), ty);
  Inst &lop = d.emit(execLop3, {out}, {a, b, c});
  lop.imm = lut;
  lop.bytewise = Bytewise::Each;
  lop.bytes = 1;
  if (!hasPred)
    return;
  if (d.op(0).second.empty())
    d.fail("'" + d.fullName() + "' needs a destination 'd|p'");
  d.emit(boolOp == "and" ? execLop3Pred<true> : execLop3Pred<false>,
         {d.predDst(d.op(0).second[0])}, {out, q});
}

void decodePrmt(Decoder &d) {
  Ty ty = d.type();
  static const char *const modes[] = {"f4e", "b4e", "rc8",
                                      "ecl", "ecr", "rc16"};
  uint8_t mode = 0;
  for (uint8_t i = 0; i < 6; ++i)
    if (d.has(modes[i]))
      mode = i + 1;
  d.expectOperands(4);
  uint32_t a = d.src(d.op(1), ty), b = d.src(d.op(2), ty),
           c = d.src(d.op(3), ty);
  Inst &inst = d.emit(execPrmt, {d.dst(d.op(0), ty)}, {a, b, c});
  inst.kind = mode;
  inst.bytes = 4;
  if (!mode)
    inst.bytewise = Bytewise::Permute;
}

} // namespace

void execInvertPred(Warp &warp, const Inst &inst, uint32_t mask) {
  setPred(warp, inst.d(0), ~warp.pred(inst.s(0)), mask);
}

void execNonZero(Warp &warp, const Inst &inst, uint32_t mask) {
  setPred(warp, inst.d(0), lanesBut<uint32_t>(warp, inst.s(0), 0), mask);
}

void addLogicOps(OpcodeTable &t) {
  t["and"] = decodeBinary<And, PAnd>;
  t["or"] = decodeBinary<Or, POr>;
  t["xor"] = decodeBinary<Xor, PXor>;
  t["not"] = decodeNot;
  t["cnot"] = decodeCnot;
  t["shl"] = decodeShift<Shl>;
  t["shr"] = decodeShift<Shr>;
  t["shf"] = decodeShf;
  t["lop3"] = decodeLop3;
  t["prmt"] = decodePrmt;
}

} // namespace fovea::sim
