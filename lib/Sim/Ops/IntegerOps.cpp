// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Integer arithmetic (ISA text, section 9.7.1 and 9.7.2); BitOps.cpp has what
// works on bits and dot products.
#include "Machine/Lanes.h"
#include "Program/Decoder.h"
#include <algorithm>
#include <limits>

namespace fovea::sim {
namespace {

template <class T> using U = std::make_unsigned_t<T>;
template <class T> struct WiderOf;
template <> struct WiderOf<uint16_t> {
  using type = uint32_t;
};
template <> struct WiderOf<int16_t> {
  using type = int32_t;
};
template <> struct WiderOf<uint32_t> {
  using type = uint64_t;
};
template <> struct WiderOf<int32_t> {
  using type = int64_t;
};
template <> struct WiderOf<uint64_t> {
  using type = unsigned __int128;
};
template <> struct WiderOf<int64_t> {
  using type = __int128;
};
template <class T> using Wider = typename WiderOf<T>::type;

struct Add {
  template <class T> static T apply(T a, T b) {
    return T(Wider<U<T>>(U<T>(a)) + U<T>(b));
  }
};
struct Sub {
  template <class T> static T apply(T a, T b) {
    return T(Wider<U<T>>(U<T>(a)) - U<T>(b));
  }
};
int32_t saturate(int64_t x) {
  return static_cast<int32_t>(std::clamp<int64_t>(x, INT32_MIN, INT32_MAX));
}
struct AddSat {
  static int32_t apply(int32_t a, int32_t b) {
    return saturate(int64_t(a) + b);
  }
};
struct SubSat {
  static int32_t apply(int32_t a, int32_t b) {
    return saturate(int64_t(a) - b);
  }
};
struct MulLo {
  template <class T> static T apply(T a, T b) {
    return T(Wider<U<T>>(U<T>(a)) * U<T>(b));
  }
};
struct MulHi {
  template <class T> static T apply(T a, T b) {
    return T((Wider<T>(a) * Wider<T>(b)) >> (8 * sizeof(T)));
  }
};
struct MulWide {
  template <class T> static Wider<T> apply(T a, T b) {
    return Wider<T>(Wider<U<Wider<T>>>(U<Wider<T>>(Wider<T>(a))) *
                    U<Wider<T>>(Wider<T>(b)));
  }
};
template <class Mul> struct Mad {
  template <class T> static T apply(T a, T b, T c) {
    return Add::apply(Mul::template apply<T>(a, b), c);
  }
};
struct MadHiSat {
  static int32_t apply(int32_t a, int32_t b, int32_t c) {
    return saturate(((int64_t(a) * b) >> 32) + c);
  }
};
struct MadWide {
  template <class T> static Wider<T> apply(T a, T b, Wider<T> c) {
    return Wider<T>(U<Wider<T>>(MulWide::apply<T>(a, b)) + U<Wider<T>>(c));
  }
};
/// The low 24 bits, sign- or zero-extended.
template <class T> int64_t low24(T a) {
  if constexpr (std::is_signed_v<T>)
    return int32_t(uint32_t(a) << 8) >> 8;
  else
    return int64_t(a & 0xffffff);
}
template <int Shift> struct Mul24 {
  template <class T> static T apply(T a, T b) {
    return T((low24(a) * low24(b)) >> Shift);
  }
};
struct Mad24HiSat {
  static int32_t apply(int32_t a, int32_t b, int32_t c) {
    return saturate(((low24(a) * low24(b)) >> 16) + c);
  }
};
template <int Shift> struct Mad24 {
  template <class T> static T apply(T a, T b, T c) {
    return T(uint32_t((low24(a) * low24(b)) >> Shift) + uint32_t(c));
  }
};
struct Sad {
  template <class T> static T apply(T a, T b, T c) {
    U<T> d = a > b ? U<T>(a) - U<T>(b) : U<T>(b) - U<T>(a);
    return T(U<T>(U<T>(c) + d));
  }
};
// Division by zero is unspecified; the hardware gives all ones, and for a
// remainder the dividend.
struct Div {
  template <class T> static T apply(T a, T b) {
    if (b == 0)
      return T(~U<T>(0));
    if constexpr (std::is_signed_v<T>)
      if (b == -1)
        return T(U<T>(0) - U<T>(a));
    return T(a / b);
  }
};
struct Rem {
  template <class T> static T apply(T a, T b) {
    if (b == 0)
      return a;
    if constexpr (std::is_signed_v<T>)
      if (b == -1)
        return 0;
    return T(a % b);
  }
};
struct Min {
  template <class T> static T apply(T a, T b) { return b < a ? b : a; }
};
struct Max {
  template <class T> static T apply(T a, T b) { return a < b ? b : a; }
};
struct Relu {
  template <class T> static T apply(T a) { return a < 0 ? T(0) : a; }
};
struct Abs {
  template <class T> static T apply(T a) {
    return a < 0 ? T(U<T>(0) - U<T>(a)) : a;
  }
};
struct Neg {
  template <class T> static T apply(T a) { return T(U<T>(0) - U<T>(a)); }
};
/// The operation on both halves of a 32-bit register.
template <class Op, class H> struct Halves {
  static uint32_t apply(uint32_t a, uint32_t b) {
    H lo = Op::template apply<H>(H(a), H(b));
    H hi = Op::template apply<H>(H(a >> 16), H(b >> 16));
    return uint16_t(lo) | uint32_t(uint16_t(hi)) << 16;
  }
};
template <class H> struct HalvesRelu {
  static uint32_t apply(uint32_t a) {
    H lo = Relu::apply<H>(H(a)), hi = Relu::apply<H>(H(a >> 16));
    return uint16_t(lo) | uint32_t(uint16_t(hi)) << 16;
  }
};

/// add.cc and its family (section 9.7.2). The condition code is the carry of an
/// adder: a difference is a + ~b + 1 and carries where it does not borrow. The
/// ISA text calls it a borrow, but lets code see the bit (sub.cc, then addc),
/// and nvcc's division of 128 bits relies on the adder's.
template <class T, bool Subtract, bool In, bool Out>
void execCarry(Warp &warp, const Inst &inst, uint32_t mask) {
  auto *d = cellsOf<T>(warp, inst.d(0));
  const auto *a = cellsOf<T>(warp, inst.s(0)), *b = cellsOf<T>(warp, inst.s(1));
  uint32_t &cc = warp.pred(warp.program->carryCell);
  uint32_t out = 0;
  forLanes(mask, [&](unsigned l) {
    uint64_t carry = In ? (cc >> l) & 1 : Subtract;
    unsigned __int128 r = T(a[l]);
    r += Subtract ? T(~T(b[l])) : T(b[l]);
    r += carry;
    out |= uint32_t((r >> (8 * sizeof(T))) & 1) << l;
    d[l] = T(r);
  });
  if (Out)
    setPred(warp, warp.program->carryCell, out, mask);
}

template <class T, bool Hi, bool In, bool Out>
void execMadCarry(Warp &warp, const Inst &inst, uint32_t mask) {
  auto *d = cellsOf<T>(warp, inst.d(0));
  const auto *a = cellsOf<T>(warp, inst.s(0)), *b = cellsOf<T>(warp, inst.s(1)),
             *c = cellsOf<T>(warp, inst.s(2));
  uint32_t &cc = warp.pred(warp.program->carryCell);
  uint32_t out = 0;
  forLanes(mask, [&](unsigned l) {
    using S = std::make_signed_t<T>;
    T product =
        inst.kind
            ? T((Wider<S>(S(a[l])) * S(b[l])) >> (Hi ? 8 * sizeof(T) : 0))
            : T((Wider<T>(T(a[l])) * T(b[l])) >> (Hi ? 8 * sizeof(T) : 0));
    unsigned __int128 r = product;
    r += T(c[l]);
    r += In ? (cc >> l) & 1 : 0;
    out |= uint32_t((r >> (8 * sizeof(T))) & 1) << l;
    d[l] = T(r);
  });
  if (Out)
    setPred(warp, warp.program->carryCell, out, mask);
}

// --- decoding ---------------------------------------------------------------

void need(Decoder &d, Exec exec, Ty ty) {
  if (!exec)
    d.fail("'" + d.fullName() + "' does not take ." + typeName(ty));
}

template <class Op> Exec binaryOf(Ty ty) {
  return pickInteger(ty, [](auto t) { return binary<Op, decltype(t)>(); });
}
template <class Op> Exec unaryOf(Ty ty) {
  return pickInteger(ty, [](auto t) { return unary<Op, decltype(t)>(); });
}
void emitBinary(Decoder &d, Exec exec, Ty ty) {
  need(d, exec, ty);
  d.expectOperands(3);
  uint32_t a = d.src(d.op(1), ty), b = d.src(d.op(2), ty);
  Inst &inst = d.emit(exec, {d.dst(d.op(0), ty)}, {a, b});
  if (ty == Ty::U16x2 || ty == Ty::S16x2) {
    inst.bytewise = Bytewise::Each;
    inst.bytes = 2;
  }
}

template <bool Subtract> void decodeCarryAdd(Decoder &d, bool in) {
  bool out = d.has("cc");
  Ty ty = d.type();
  Exec exec = nullptr;
  auto pick = [&](auto t) -> Exec {
    using T = decltype(t);
    if (in)
      return out ? execCarry<T, Subtract, true, true>
                 : execCarry<T, Subtract, true, false>;
    return execCarry<T, Subtract, false, true>;
  };
  if (typeBits(ty) == 32)
    exec = pick(uint32_t{});
  else if (typeBits(ty) == 64)
    exec = pick(uint64_t{});
  emitBinary(d, exec, ty);
}

} // namespace

// Defined with the floats; the opcodes are shared.
void decodeFloatAdd(Decoder &d);
void decodeFloatMul(Decoder &d);
void decodeFloatMad(Decoder &d);
void decodeFloatDiv(Decoder &d);
void decodeFloatMinMax(Decoder &d);
void decodeFloatSign(Decoder &d);

namespace {

bool isFloatOp(Decoder &d) { return isFloat(d.lastType()); }

template <class Op, class Saturating, bool Subtract>
void decodeAddSub(Decoder &d) {
  if (isFloatOp(d))
    return decodeFloatAdd(d);
  for (size_t i = 1; i < d.statement->opcode.size(); ++i)
    if (d.statement->opcode[i] == "cc")
      return decodeCarryAdd<Subtract>(d, false);
  bool sat = d.has("sat");
  Ty ty = d.type();
  if (ty == Ty::U16x2)
    return emitBinary(d, binary<Halves<Op, uint16_t>, uint32_t>(), ty);
  if (ty == Ty::S16x2)
    return emitBinary(d, binary<Halves<Op, int16_t>, uint32_t>(), ty);
  if (sat && ty != Ty::S32)
    d.fail("'.sat' of '" + d.fullName() + "' needs .s32");
  emitBinary(d, sat ? binary<Saturating, int32_t>() : binaryOf<Op>(ty), ty);
}

void decodeMul(Decoder &d) {
  if (isFloatOp(d))
    return decodeFloatMul(d);
  std::string_view mode = d.oneOf({"lo", "hi", "wide"});
  Ty ty = d.type();
  if (mode != "wide")
    return emitBinary(
        d, mode == "hi" ? binaryOf<MulHi>(ty) : binaryOf<MulLo>(ty), ty);
  Exec exec = nullptr;
  Ty wide = Ty::B64;
  if (typeBits(ty) == 16)
    wide = Ty::B32;
  exec = ty == Ty::U16   ? execLanes<MulWide, uint32_t, uint16_t, uint16_t>
         : ty == Ty::S16 ? execLanes<MulWide, int32_t, int16_t, int16_t>
         : ty == Ty::U32 ? execLanes<MulWide, uint64_t, uint32_t, uint32_t>
         : ty == Ty::S32 ? execLanes<MulWide, int64_t, int32_t, int32_t>
                         : Exec(nullptr);
  need(d, exec, ty);
  d.expectOperands(3);
  uint32_t a = d.src(d.op(1), ty), b = d.src(d.op(2), ty);
  d.emit(exec, {d.dst(d.op(0), wide)}, {a, b});
}

void decodeMadCarry(Decoder &d, bool in) {
  bool hi = d.has("hi");
  if (!hi)
    d.has("lo");
  bool out = d.has("cc");
  Ty ty = d.type();
  auto pick = [&](auto t) -> Exec {
    using T = decltype(t);
    if (in && out)
      return hi ? execMadCarry<T, true, true, true>
                : execMadCarry<T, false, true, true>;
    if (in)
      return hi ? execMadCarry<T, true, true, false>
                : execMadCarry<T, false, true, false>;
    return hi ? execMadCarry<T, true, false, true>
              : execMadCarry<T, false, false, true>;
  };
  Exec exec = typeBits(ty) == 64 ? pick(uint64_t{}) : pick(uint32_t{});
  d.expectOperands(4);
  uint32_t a = d.src(d.op(1), ty), b = d.src(d.op(2), ty),
           c = d.src(d.op(3), ty);
  d.emit(exec, {d.dst(d.op(0), ty)}, {a, b, c}).kind = isSigned(ty);
}

void decodeMad(Decoder &d) {
  if (isFloatOp(d))
    return decodeFloatMad(d);
  for (size_t i = 1; i < d.statement->opcode.size(); ++i)
    if (d.statement->opcode[i] == "cc")
      return decodeMadCarry(d, false);
  std::string_view mode = d.oneOf({"lo", "hi", "wide"});
  bool sat = d.has("sat");
  Ty ty = d.type(), result = ty;
  Exec exec = nullptr;
  if (mode == "wide") {
    result = typeBits(ty) == 16 ? Ty::B32 : Ty::B64;
    exec =
        ty == Ty::U16
            ? execLanes<MadWide, uint32_t, uint16_t, uint16_t, uint32_t>
        : ty == Ty::S16 ? execLanes<MadWide, int32_t, int16_t, int16_t, int32_t>
        : ty == Ty::U32
            ? execLanes<MadWide, uint64_t, uint32_t, uint32_t, uint64_t>
        : ty == Ty::S32 ? execLanes<MadWide, int64_t, int32_t, int32_t, int64_t>
                        : Exec(nullptr);
  } else if (sat) {
    exec = mode == "hi" && ty == Ty::S32 ? ternary<MadHiSat, int32_t>()
                                         : Exec(nullptr);
  } else if (mode == "hi") {
    exec = pickInteger(
        ty, [](auto t) { return ternary<Mad<MulHi>, decltype(t)>(); });
  } else {
    exec = pickInteger(
        ty, [](auto t) { return ternary<Mad<MulLo>, decltype(t)>(); });
  }
  need(d, exec, ty);
  d.expectOperands(4);
  uint32_t a = d.src(d.op(1), ty), b = d.src(d.op(2), ty),
           c = d.src(d.op(3), result);
  d.emit(exec, {d.dst(d.op(0), result)}, {a, b, c});
}

void decodeMul24(Decoder &d) {
  bool hi = d.oneOf({"lo", "hi"}) == "hi";
  Ty ty = d.type();
  Exec exec =
      ty == Ty::U32
          ? (hi ? binary<Mul24<16>, uint32_t>() : binary<Mul24<0>, uint32_t>())
      : ty == Ty::S32
          ? (hi ? binary<Mul24<16>, int32_t>() : binary<Mul24<0>, int32_t>())
          : nullptr;
  emitBinary(d, exec, ty);
}

void emitTernary(Decoder &d, Exec exec, Ty ty, Ty tb, Ty tc) {
  need(d, exec, ty);
  d.expectOperands(4);
  uint32_t a = d.src(d.op(1), ty), b = d.src(d.op(2), tb),
           c = d.src(d.op(3), tc);
  d.emit(exec, {d.dst(d.op(0), ty)}, {a, b, c});
}

void decodeMad24(Decoder &d) {
  bool hi = d.oneOf({"lo", "hi"}) == "hi";
  bool sat = d.has("sat");
  Ty ty = d.type();
  if (sat && (!hi || ty != Ty::S32))
    d.fail("'.sat' of '" + d.fullName() + "' needs .hi and .s32");
  if (sat)
    return emitTernary(d, ternary<Mad24HiSat, int32_t>(), ty, ty, ty);
  Exec exec = ty == Ty::U32   ? (hi ? ternary<Mad24<16>, uint32_t>()
                                    : ternary<Mad24<0>, uint32_t>())
              : ty == Ty::S32 ? (hi ? ternary<Mad24<16>, int32_t>()
                                    : ternary<Mad24<0>, int32_t>())
                              : nullptr;
  emitTernary(d, exec, ty, ty, ty);
}

void decodeSad(Decoder &d) {
  Ty ty = d.type();
  emitTernary(
      d, pickInteger(ty, [](auto t) { return ternary<Sad, decltype(t)>(); }),
      ty, ty, ty);
}

void decodeDiv(Decoder &d) {
  if (isFloatOp(d))
    return decodeFloatDiv(d);
  Ty ty = d.type();
  emitBinary(d, binaryOf<Div>(ty), ty);
}

void decodeRem(Decoder &d) {
  Ty ty = d.type();
  emitBinary(d, binaryOf<Rem>(ty), ty);
}

template <class Op> void decodeMinMax(Decoder &d) {
  if (isFloatOp(d))
    return decodeFloatMinMax(d);
  bool relu = d.has("relu");
  Ty ty = d.type();
  Exec exec = ty == Ty::U16x2   ? binary<Halves<Op, uint16_t>, uint32_t>()
              : ty == Ty::S16x2 ? binary<Halves<Op, int16_t>, uint32_t>()
                                : binaryOf<Op>(ty);
  emitBinary(d, exec, ty);
  if (!relu)
    return;
  uint32_t out = d.dst(d.op(0), ty);
  d.emit(ty == Ty::S16x2 ? unary<HalvesRelu<int16_t>, uint32_t>()
                         : unary<Relu, int32_t>(),
         {out}, {out});
}

template <class Op> void decodeSign(Decoder &d) {
  if (isFloatOp(d))
    return decodeFloatSign(d);
  Ty ty = d.type();
  Exec exec = isSigned(ty) ? unaryOf<Op>(ty) : nullptr;
  need(d, exec, ty);
  d.expectOperands(2);
  uint32_t a = d.src(d.op(1), ty);
  d.emit(exec, {d.dst(d.op(0), ty)}, {a});
}

} // namespace

void addIntegerOps(OpcodeTable &t) {
  t["add"] = decodeAddSub<Add, AddSat, false>;
  t["sub"] = decodeAddSub<Sub, SubSat, true>;
  t["addc"] = [](Decoder &d) { decodeCarryAdd<false>(d, true); };
  t["subc"] = [](Decoder &d) { decodeCarryAdd<true>(d, true); };
  t["madc"] = [](Decoder &d) { decodeMadCarry(d, true); };
  t["mul"] = decodeMul;
  t["mad"] = decodeMad;
  t["mul24"] = decodeMul24;
  t["mad24"] = decodeMad24;
  t["sad"] = decodeSad;
  t["div"] = decodeDiv;
  t["rem"] = decodeRem;
  t["min"] = decodeMinMax<Min>;
  t["max"] = decodeMinMax<Max>;
  t["abs"] = decodeSign<Abs>;
  t["neg"] = decodeSign<Neg>;
}

} // namespace fovea::sim
