// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Counting, reversing and moving bits; dot products of packed integers (ISA
// text, sections 9.7.1.14 to 9.7.1.26).
#include "Machine/Lanes.h"
#include "Program/Decoder.h"
#include <algorithm>

namespace fovea::sim {
namespace {

template <class T> using U = std::make_unsigned_t<T>;

struct Popc {
  template <class T> static uint32_t apply(T a) {
    return static_cast<uint32_t>(std::popcount(U<T>(a)));
  }
};
struct Clz {
  template <class T> static uint32_t apply(T a) {
    return static_cast<uint32_t>(std::countl_zero(U<T>(a)));
  }
};
template <bool ShiftAmount> struct Bfind {
  template <class T> static uint32_t apply(T a) {
    U<T> x = U<T>(a);
    if constexpr (std::is_signed_v<T>)
      x = a < 0 ? ~x : x;
    if (x == 0)
      return 0xffffffff;
    auto lead = static_cast<uint32_t>(std::countl_zero(x));
    return ShiftAmount ? lead : 8 * uint32_t(sizeof(T)) - 1 - lead;
  }
};
struct Brev {
  template <class T> static T apply(T a) {
    U<T> r = 0;
    for (unsigned i = 0; i < 8 * sizeof(T); ++i)
      r |= ((U<T>(a) >> i) & 1) << (8 * sizeof(T) - 1 - i);
    return T(r);
  }
};
/// ISA text 9.7.1.20: bits past the top repeat the sign of the field.
struct Bfe {
  template <class T> static T apply(T a, uint32_t b, uint32_t c) {
    constexpr int msb = 8 * sizeof(T) - 1;
    int pos = b & 0xff, len = c & 0xff;
    bool sign = false;
    if (std::is_signed_v<T> && len)
      sign = (U<T>(a) >> std::min(pos + len - 1, msb)) & 1;
    if (len == 0)
      return 0;
    int in = std::max(0, std::min(len, msb + 1 - pos));
    U<T> field = pos > msb ? 0 : U<T>(a) >> pos;
    U<T> keep = in > msb ? ~U<T>(0) : (U<T>(1) << in) - 1;
    U<T> d = field & keep;
    if (sign && in <= msb)
      d |= ~keep;
    return T(d);
  }
};
struct Bfi {
  template <class T> static T apply(T a, T b, uint32_t c, uint32_t d) {
    constexpr int msb = 8 * sizeof(T) - 1;
    int pos = c & 0xff, len = d & 0xff;
    if (pos > msb || len == 0)
      return b;
    T ones = len > msb ? ~T(0) : (T(1) << len) - 1;
    T mask = ones << pos;
    return T((b & ~mask) | ((a << pos) & mask));
  }
};
/// ISA text 9.7.1.21: the n-th set bit from a base, up or down.
struct Fns {
  static uint32_t apply(uint32_t mask, uint32_t base, int32_t offset) {
    int pos = static_cast<int>(base & 31);
    if (offset == 0)
      return (mask >> pos) & 1 ? base : 0xffffffff;
    int step = offset > 0 ? 1 : -1, left = std::abs(offset);
    for (; pos >= 0 && pos < 32; pos += step)
      if (((mask >> pos) & 1) && --left == 0)
        return static_cast<uint32_t>(pos);
    return 0xffffffff;
  }
};
template <bool Clamp> struct Bmsk {
  static uint32_t apply(uint32_t a, uint32_t b) {
    if (!Clamp)
      a &= 31, b &= 31;
    uint64_t ones = b >= 32 ? 0xffffffff : (1ull << b) - 1;
    return a >= 32 ? 0 : static_cast<uint32_t>(ones << a);
  }
};
template <bool Clamp> struct Szext {
  template <class T> static T apply(T a, uint32_t b) {
    if (!Clamp)
      b &= 31;
    if (b >= 32)
      return a;
    if (b == 0)
      return 0;
    uint32_t shifted = uint32_t(a) << (32 - b);
    return std::is_signed_v<T> ? T(int32_t(shifted) >> (32 - b))
                               : T(shifted >> (32 - b));
  }
};
template <class A, class B> struct Dp4a {
  static uint32_t apply(uint32_t a, uint32_t b, uint32_t c) {
    for (unsigned i = 0; i < 4; ++i)
      c += uint32_t(int32_t(A(a >> (8 * i))) * int32_t(B(b >> (8 * i))));
    return c;
  }
};
template <class A, class B, bool Hi> struct Dp2a {
  static uint32_t apply(uint32_t a, uint32_t b, uint32_t c) {
    for (unsigned i = 0; i < 2; ++i)
      c += uint32_t(int32_t(A(a >> (16 * i))) *
                    int32_t(B(b >> (8 * i + (Hi ? 16 : 0)))));
    return c;
  }
};
// --- decoding ---------------------------------------------------------------

void need(Decoder &d, Exec exec, Ty ty) {
  if (!exec)
    d.fail("'" + d.fullName() + "' does not take ." + typeName(ty));
}

template <class Op> Exec countOf(Ty ty) {
  return pickInteger(
      ty, [](auto t) -> Exec { return execLanes<Op, uint32_t, decltype(t)>; });
}

template <class Op> Exec unaryOf(Ty ty) {
  return pickInteger(ty, [](auto t) { return unary<Op, decltype(t)>(); });
}

void emitBinary(Decoder &d, Exec exec, Ty ty) {
  need(d, exec, ty);
  d.expectOperands(3);
  uint32_t a = d.src(d.op(1), ty), b = d.src(d.op(2), ty);
  d.emit(exec, {d.dst(d.op(0), ty)}, {a, b});
}

void emitTernary(Decoder &d, Exec exec, Ty ty, Ty tb, Ty tc) {
  need(d, exec, ty);
  d.expectOperands(4);
  uint32_t a = d.src(d.op(1), ty), b = d.src(d.op(2), tb),
           c = d.src(d.op(3), tc);
  d.emit(exec, {d.dst(d.op(0), ty)}, {a, b, c});
}

void emitCount(Decoder &d, Exec exec, Ty ty) {
  need(d, exec, ty);
  d.expectOperands(2);
  uint32_t a = d.src(d.op(1), ty);
  d.emit(exec, {d.dst(d.op(0), Ty::B32)}, {a});
}

void decodePopc(Decoder &d) {
  Ty ty = d.type();
  emitCount(d, countOf<Popc>(ty), ty);
}
void decodeClz(Decoder &d) {
  Ty ty = d.type();
  emitCount(d, countOf<Clz>(ty), ty);
}
void decodeBfind(Decoder &d) {
  bool amount = d.has("shiftamt");
  Ty ty = d.type();
  emitCount(d, amount ? countOf<Bfind<true>>(ty) : countOf<Bfind<false>>(ty),
            ty);
}
void decodeBrev(Decoder &d) {
  Ty ty = d.type();
  Exec exec = unaryOf<Brev>(ty);
  need(d, exec, ty);
  d.expectOperands(2);
  uint32_t a = d.src(d.op(1), ty);
  d.emit(exec, {d.dst(d.op(0), ty)}, {a});
}
void decodeBfe(Decoder &d) {
  Ty ty = d.type();
  Exec exec = pickInteger(ty, [](auto t) -> Exec {
    using T = decltype(t);
    return execLanes<Bfe, T, T, uint32_t, uint32_t>;
  });
  emitTernary(d, exec, ty, Ty::B32, Ty::B32);
}
void decodeBfi(Decoder &d) {
  Ty ty = d.type();
  Exec exec =
      ty == Ty::B32
          ? execLanes<Bfi, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t>
      : ty == Ty::B64
          ? execLanes<Bfi, uint64_t, uint64_t, uint64_t, uint32_t, uint32_t>
          : Exec(nullptr);
  need(d, exec, ty);
  d.expectOperands(5);
  uint32_t a = d.src(d.op(1), ty), b = d.src(d.op(2), ty),
           c = d.src(d.op(3), Ty::B32), e = d.src(d.op(4), Ty::B32);
  d.emit(exec, {d.dst(d.op(0), ty)}, {a, b, c, e});
}
void decodeFns(Decoder &d) {
  Ty ty = d.type();
  emitTernary(d, execLanes<Fns, uint32_t, uint32_t, uint32_t, int32_t>, ty, ty,
              ty);
}
void decodeBmsk(Decoder &d) {
  bool clamp = d.oneOf({"clamp", "wrap"}) == "clamp";
  Ty ty = d.type();
  emitBinary(d,
             clamp ? binary<Bmsk<true>, uint32_t>()
                   : binary<Bmsk<false>, uint32_t>(),
             ty);
}
void decodeSzext(Decoder &d) {
  bool clamp = d.oneOf({"clamp", "wrap"}) == "clamp";
  Ty ty = d.type();
  Exec exec =
      ty == Ty::S32
          ? (clamp ? execLanes<Szext<true>, int32_t, int32_t, uint32_t>
                   : execLanes<Szext<false>, int32_t, int32_t, uint32_t>)
          : (clamp ? execLanes<Szext<true>, uint32_t, uint32_t, uint32_t>
                   : execLanes<Szext<false>, uint32_t, uint32_t, uint32_t>);
  emitBinary(d, exec, ty);
}

void decodeDp4a(Decoder &d) {
  Ty a = d.type(), b = d.type();
  bool sa = a == Ty::S32, sb = b == Ty::S32;
  Exec exec = sa ? (sb ? ternary<Dp4a<int8_t, int8_t>, uint32_t>()
                       : ternary<Dp4a<int8_t, uint8_t>, uint32_t>())
                 : (sb ? ternary<Dp4a<uint8_t, int8_t>, uint32_t>()
                       : ternary<Dp4a<uint8_t, uint8_t>, uint32_t>());
  emitTernary(d, exec, a, b, Ty::B32);
}

template <bool Hi> Exec pickDp2a(bool sa, bool sb) {
  if (sa)
    return sb ? ternary<Dp2a<int16_t, int8_t, Hi>, uint32_t>()
              : ternary<Dp2a<int16_t, uint8_t, Hi>, uint32_t>();
  return sb ? ternary<Dp2a<uint16_t, int8_t, Hi>, uint32_t>()
            : ternary<Dp2a<uint16_t, uint8_t, Hi>, uint32_t>();
}

void decodeDp2a(Decoder &d) {
  bool hi = d.oneOf({"lo", "hi"}) == "hi";
  Ty a = d.type(), b = d.type();
  bool sa = a == Ty::S32, sb = b == Ty::S32;
  emitTernary(d, hi ? pickDp2a<true>(sa, sb) : pickDp2a<false>(sa, sb), a, b,
              Ty::B32);
}

} // namespace

void addBitOps(OpcodeTable &t) {
  t["popc"] = decodePopc;
  t["clz"] = decodeClz;
  t["bfind"] = decodeBfind;
  t["brev"] = decodeBrev;
  t["bfe"] = decodeBfe;
  t["bfi"] = decodeBfi;
  t["fns"] = decodeFns;
  t["bmsk"] = decodeBmsk;
  t["szext"] = decodeSzext;
  t["dp4a"] = decodeDp4a;
  t["dp2a"] = decodeDp2a;
}

} // namespace fovea::sim
