// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Floating-point arithmetic of f32, f64, f16, bf16 and their pairs (ISA text,
// sections 9.7.3 and 9.7.4): add, sub, mul, fma, mad, min, max, neg, abs,
// copysign. NaN results are not x86's own: Nan.h.
#include "Machine/Lanes.h"
#include "Nan.h"
#include "Program/Decoder.h"
#include <cfenv>
#include <cmath>

namespace fovea::sim {

namespace {

inline float canonical(float x) {
  return x != x ? std::bit_cast<float>(0x7fffffffu) : x;
}

// The operations on the type that they are computed in. `nan` is the result
// if that is NaN. `scaled` is 2^64 times the result, for results so small that
// rounding to a subnormal number may have lifted them to a normal one.
struct AddF {
  template <class T> static T apply(T a, T b) { return a + b; }
  static double nan(double a, double b) { return nanOf(a, b); }
};
struct SubF {
  template <class T> static T apply(T a, T b) { return a - b; }
  static double nan(double a, double b) { return nanOf(a, b); }
};
struct MulF {
  template <class T> static T apply(T a, T b) { return a * b; }
  static double nan(double a, double b) { return nanOf(a, b); }
  static float scaled(float a, float b) { return a * 0x1p64f * b; }
};
struct FmaF {
  static double nan(double a, double b, double c) { return nanOf(a, c, b); }
  static float scaled(float a, float b, float c) {
    return __builtin_fmaf(a * 0x1p64f, b, c * 0x1p64f);
  }
  static float apply(float a, float b, float c) {
    return __builtin_fmaf(a, b, c);
  }
  static double apply(double a, double b, double c) {
    return __builtin_fma(a, b, c);
  }
};
template <bool IsMax, bool Nan, bool XorSign> struct MinMaxF {
  static double nan(double a, double b) { return nanOf(a, b); }
  template <class T> static T apply(T a, T b) {
    bool sign = std::signbit(a) != std::signbit(b);
    if (XorSign) {
      a = std::fabs(a);
      b = std::fabs(b);
    }
    T less = a < b ? a : b, more = a < b ? b : a;
    if (a == b) { // -0 is less than +0
      less = std::signbit(a) ? a : b;
      more = std::signbit(a) ? b : a;
    }
    T r = IsMax ? more : less;
    if (a != a || b != b)
      r = Nan || (a != a && b != b) ? std::numeric_limits<T>::quiet_NaN()
                                    : (a != a ? b : a);
    if (XorSign)
      r = sign ? -r : r;
    return r;
  }
};

template <bool Sat, class T> inline T clampUnit(T x) {
  if constexpr (Sat)
    x = x > 0 ? (x < 1 ? x : T(1)) : T(0); // NaN gives 0
  return x;
}

/// A result becomes 0 if it is subnormal when rounded as if exponents had no
/// limit.
template <class Op, class... S> inline float flushResult(float r, S... s) {
  r = flush(r);
  if constexpr (requires { Op::scaled(s...); }) {
    bool lifted =
        std::fabs(r) == 0x1p-126f && std::fabs(Op::scaled(s...)) < 0x1p-62f;
    r = lifted ? std::copysign(0.0f, r) : r;
  }
  return r;
}

template <class Op, bool Ftz, bool Sat> struct OnF32 {
  template <class... S> static float apply(S... s) {
    float r;
    if constexpr (Ftz)
      r = flushResult<Op>(Op::apply(flush(s)...), flush(s)...);
    else
      r = Op::apply(s...);
    return clampUnit<Sat>(canonical(r));
  }
};
template <class Op> struct OnF64 {
  template <class... S> static double apply(S... s) {
    double r = Op::apply(s...);
    return r != r ? Op::nan(s...) : r;
  }
};

template <class H> H fromFloat(float x);
template <> inline F16 fromFloat<F16>(float x) { return toF16(x); }
template <> inline BF16 fromFloat<BF16>(float x) { return toBF16(x); }

enum HalfFlags : uint8_t { HalfFtz = 1, HalfSat = 2, HalfRelu = 4 };

template <class H> H finishHalf(float x, uint8_t flags) {
  H r = fromFloat<H>(x);
  // Subnormal in f16 with rounding as if exponents had no limit.
  if ((flags & HalfFtz) && std::fabs(x) < 0x1p-14f * (1 - 0x1p-12f))
    r.bits &= 0x8000;
  if (flags & HalfSat)
    r = fromFloat<H>(clampUnit<true>(toFloat(r)));
  if ((flags & HalfRelu) && (r.bits & 0x8000) && toFloat(r) == toFloat(r))
    r.bits = 0;
  return r;
}

template <class Op> struct HalfOp {
  template <class H, class... S> static H apply(uint8_t flags, S... s) {
    return finishHalf<H>(
        Op::apply(toFloat((flags & HalfFtz) ? flush(s) : s)...), flags);
  }
};
template <> struct HalfOp<FmaF> {
  template <class H> static H apply(uint8_t flags, H a, H b, H c) {
    if (flags & HalfFtz)
      a = flush(a), b = flush(b), c = flush(c);
    double r = fmaToOdd(toFloat(a), toFloat(b), toFloat(c));
    return finishHalf<H>(oddFloat(r), flags);
  }
};

/// One or both halves of each lane; flags as HalfFlags.
template <class Op, class H, unsigned N>
void execHalf(Warp &warp, const Inst &inst, uint32_t mask) {
  uint32_t *d = warp.narrow(inst.d(0));
  const uint32_t *s[3] = {};
  for (unsigned i = 0; i < N; ++i)
    s[i] = warp.narrow(inst.s(i));
  uint32_t t[32];
  for (unsigned l = 0; l < 32; ++l) {
    t[l] = 0;
    for (unsigned h = 0; h < inst.vec; ++h) {
      auto part = [&](unsigned i) {
        return H{static_cast<uint16_t>(s[i][l] >> (16 * h))};
      };
      H r{};
      if constexpr (N == 2)
        r = HalfOp<Op>::template apply<H>(inst.flags, part(0), part(1));
      else
        r = HalfOp<Op>::template apply<H>(inst.flags, part(0), part(1),
                                          part(2));
      t[l] |= uint32_t(r.bits) << (16 * h);
    }
  }
  blend(d, t, mask);
}

template <unsigned N, class T, class F>
inline T onOperands(const volatile T *s, F f) {
  if constexpr (N == 3)
    return f(T(s[0]), T(s[1]), T(s[2]));
  else
    return f(T(s[0]), T(s[1]));
}

/// Rounding other than to nearest: the host's mode is changed around the loop.
/// kind: 0 toward zero, 1 down, 2 up; flags: 1 ftz, 2 sat.
template <class Op, class T, unsigned N>
__attribute__((noinline)) void execRounded(Warp &warp, const Inst &inst,
                                           uint32_t mask) {
  static const int modes[] = {FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};
  auto *d = cellsOf<T>(warp, inst.d(0));
  int before = std::fegetround();
  std::fesetround(modes[inst.kind]);
  forLanes(mask, [&](unsigned l) {
    volatile T s[3] = {};
    for (unsigned i = 0; i < N; ++i) {
      T x = fromCell<T>(cellsOf<T>(warp, inst.s(i))[l]);
      if constexpr (sizeof(T) == 4)
        x = (inst.flags & 1) ? flush(x) : x;
      s[i] = x;
    }
    T x = onOperands<N>(s, [&](auto... v) -> T {
      volatile T r = Op::apply(v...);
      if constexpr (sizeof(T) == 8)
        return r != r ? Op::nan(v...) : r;
      else
        return canonical((inst.flags & 1) ? flushResult<Op>(r, v...) : r);
    });
    if (inst.flags & 2)
      x = clampUnit<true>(x);
    d[l] = toCell<T>(x);
  });
  std::fesetround(before);
}

/// An f32 operation of n operands by its modifiers.
template <class Op, unsigned N> Exec f32Exec(bool ftz, bool sat) {
  auto pick = [](auto o) -> Exec {
    using O = decltype(o);
    if constexpr (N == 2)
      return execLanes<O, float, float, float>;
    else
      return execLanes<O, float, float, float, float>;
  };
  if (ftz)
    return sat ? pick(OnF32<Op, true, true>{}) : pick(OnF32<Op, true, false>{});
  return sat ? pick(OnF32<Op, false, true>{}) : pick(OnF32<Op, false, false>{});
}

template <class Op, unsigned N> Exec f64Exec() {
  if constexpr (N == 2)
    return execLanes<OnF64<Op>, double, double, double>;
  else
    return execLanes<OnF64<Op>, double, double, double, double>;
}

/// kind of execRounded, or -1 for to nearest.
int roundingOf(Decoder &d) {
  std::string_view mode = d.oneOf({"rn", "rz", "rm", "rp"});
  return mode == "rz" ? 0 : mode == "rm" ? 1 : mode == "rp" ? 2 : -1;
}

struct FloatMods {
  int rounding;
  bool ftz, sat, relu;
};
FloatMods takeMods(Decoder &d) {
  int rounding = roundingOf(d);
  bool ftz = d.has("ftz"), sat = d.has("sat"), relu = d.has("relu");
  return {rounding, ftz, sat, relu};
}

template <class Op, unsigned N> Exec pickFloat(Ty ty, const FloatMods &mods) {
  switch (ty) {
  case Ty::F32:
    return mods.rounding >= 0 ? execRounded<Op, float, N>
                              : f32Exec<Op, N>(mods.ftz, mods.sat);
  case Ty::F64:
    return mods.rounding >= 0 ? execRounded<Op, double, N> : f64Exec<Op, N>();
  case Ty::F16:
  case Ty::F16x2:
    return execHalf<Op, F16, N>;
  case Ty::BF16:
  case Ty::BF16x2:
    return execHalf<Op, BF16, N>;
  default:
    return nullptr;
  }
}

void emitFloat(Decoder &d, Exec exec, Ty ty, const FloatMods &mods, unsigned n,
               Pipe pipe = Pipe::Fma) {
  if (!exec)
    d.fail("'" + d.fullName() + "' does not take ." + typeName(ty));
  d.expectOperands(n + 1);
  std::vector<uint32_t> sources;
  for (unsigned i = 1; i <= n; ++i)
    sources.push_back(d.src(d.op(i), ty));
  Inst &inst = d.emit(exec, {d.dst(d.op(0), ty)}, sources, pipe);
  bool half = typeBits(ty) == 16 || ty == Ty::F16x2 || ty == Ty::BF16x2;
  inst.vec = ty == Ty::F16x2 || ty == Ty::BF16x2 ? 2 : 1;
  if (inst.vec == 2) {
    inst.bytewise = Bytewise::Each;
    inst.bytes = 2;
  }
  if (half) {
    inst.flags = (mods.ftz ? HalfFtz : 0) | (mods.sat ? HalfSat : 0) |
                 (mods.relu ? HalfRelu : 0);
  } else {
    inst.flags = (mods.ftz ? 1 : 0) | (mods.sat ? 2 : 0);
    inst.kind = static_cast<uint8_t>(std::max(mods.rounding, 0));
  }
}

} // namespace

void decodeFloatAdd(Decoder &d) {
  FloatMods mods = takeMods(d);
  Ty ty = d.type();
  emitFloat(d,
            d.base() == "add" ? pickFloat<AddF, 2>(ty, mods)
                              : pickFloat<SubF, 2>(ty, mods),
            ty, mods, 2);
}

void decodeFloatMul(Decoder &d) {
  FloatMods mods = takeMods(d);
  Ty ty = d.type();
  emitFloat(d, pickFloat<MulF, 2>(ty, mods), ty, mods, 2);
}

void decodeFloatMad(Decoder &d) {
  FloatMods mods = takeMods(d);
  Ty ty = d.type();
  emitFloat(d, pickFloat<FmaF, 3>(ty, mods), ty, mods, 3);
}

namespace {

template <bool IsMax> struct PickMinMax {
  template <bool Nan, bool Xor> static Exec of(Ty ty, const FloatMods &mods) {
    return pickFloat<MinMaxF<IsMax, Nan, Xor>, 2>(ty, mods);
  }
  static Exec pick(Ty ty, const FloatMods &mods, bool nan, bool xorSign) {
    if (nan)
      return xorSign ? of<true, true>(ty, mods) : of<true, false>(ty, mods);
    return xorSign ? of<false, true>(ty, mods) : of<false, false>(ty, mods);
  }
};

template <bool IsAbs, bool Ftz> struct SignF32 {
  static float apply(float a) {
    if constexpr (Ftz)
      a = flush(a);
    return canonical(IsAbs ? std::fabs(a) : -a);
  }
};
template <bool IsAbs> struct SignF64 {
  static double apply(double a) {
    return a != a ? quiet(a) : IsAbs ? std::fabs(a) : -a;
  }
};
template <bool IsAbs, class H, bool Ftz> struct SignHalf {
  static uint32_t apply(uint32_t a) {
    H h{static_cast<uint16_t>(a)};
    if constexpr (Ftz)
      h = flush(h);
    if (toFloat(h) != toFloat(h))
      return 0x7fff;
    return IsAbs ? h.bits & 0x7fff : h.bits ^ 0x8000;
  }
};
template <class One> struct InBothHalves {
  static uint32_t apply(uint32_t a) {
    return One::apply(a & 0xffff) | One::apply(a >> 16) << 16;
  }
};

template <bool IsAbs, bool Ftz> Exec pickSign(Ty ty) {
  using Half = SignHalf<IsAbs, F16, Ftz>;
  using BHalf = SignHalf<IsAbs, BF16, false>;
  switch (ty) {
  case Ty::F32:
    return unary<SignF32<IsAbs, Ftz>, float>();
  case Ty::F64:
    return unary<SignF64<IsAbs>, double>();
  case Ty::F16:
    return unary<Half, uint32_t>();
  case Ty::BF16:
    return unary<BHalf, uint32_t>();
  case Ty::F16x2:
    return unary<InBothHalves<Half>, uint32_t>();
  case Ty::BF16x2:
    return unary<InBothHalves<BHalf>, uint32_t>();
  default:
    return nullptr;
  }
}

template <class T, T Sign> struct CopySign {
  static T apply(T a, T b) { return T((b & ~Sign) | (a & Sign)); }
};

void decodeCopysign(Decoder &d) {
  Ty ty = d.type();
  emitFloat(d,
            ty == Ty::F32 ? binary<CopySign<uint32_t, 0x80000000u>, uint32_t>()
            : ty == Ty::F64 ? binary<CopySign<uint64_t, 1ull << 63>, uint64_t>()
                            : nullptr,
            ty, {-1, false, false, false}, 2, Pipe::Alu);
}

} // namespace

void decodeFloatMinMax(Decoder &d) {
  bool ftz = d.has("ftz"), nan = d.has("NaN"), xorSign = d.has("xorsign");
  if (xorSign && !d.has("abs"))
    d.fail("'.xorsign' of '" + d.fullName() + "' needs '.abs'");
  Ty ty = d.type();
  FloatMods mods{-1, ftz, false, false};
  Exec exec = d.base() == "max"
                  ? PickMinMax<true>::pick(ty, mods, nan, xorSign)
                  : PickMinMax<false>::pick(ty, mods, nan, xorSign);
  emitFloat(d, exec, ty, mods, 2, Pipe::Alu);
}

void decodeFloatSign(Decoder &d) {
  bool ftz = d.has("ftz");
  Ty ty = d.type();
  bool isAbs = d.base() == "abs";
  Exec exec =
      isAbs ? (ftz ? pickSign<true, true>(ty) : pickSign<true, false>(ty))
            : (ftz ? pickSign<false, true>(ty) : pickSign<false, false>(ty));
  emitFloat(d, exec, ty, {-1, false, false, false}, 1, Pipe::Alu);
}

void addFloatOps(OpcodeTable &t) {
  t["fma"] = decodeFloatMad;
  t["copysign"] = decodeCopysign;
}

} // namespace fovea::sim
