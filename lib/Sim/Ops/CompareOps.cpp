// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// set, setp, testp (ISA text, sections 9.7.5 to 9.7.7).
#include "Checks/Taint.h"
#include "Program/Decoder.h"

namespace fovea::sim {
namespace {

enum Cmp : uint8_t {
  Eq,
  Ne,
  Lt,
  Le,
  Gt,
  Ge,
  Equ,
  Neu,
  Ltu,
  Leu,
  Gtu,
  Geu,
  Num,
  Nan,
};

template <Cmp C> struct Compare {
  template <class T> static bool apply(T a, T b) {
    bool unordered = false;
    if constexpr (std::is_floating_point_v<T>)
      unordered = a != a || b != b;
    switch (C) {
    case Eq:
      return a == b;
    case Ne:
      return !unordered && a != b;
    case Lt:
      return a < b;
    case Le:
      return a <= b;
    case Gt:
      return a > b;
    case Ge:
      return a >= b;
    case Equ:
      return unordered || a == b;
    case Neu:
      return unordered || a != b;
    case Ltu:
      return unordered || a < b;
    case Leu:
      return unordered || a <= b;
    case Gtu:
      return unordered || a > b;
    case Geu:
      return unordered || a >= b;
    case Num:
      return !unordered;
    case Nan:
      return unordered;
    }
    return false;
  }
};

/// Values of a type that is compared as another: halves as floats, both also
/// with subnormals flushed.
struct FlushedF32 {
  uint32_t bits;
};
struct FlushedF16 {
  uint16_t bits;
};
template <class T> T comparable(T a) { return a; }
inline float comparable(F16 a) { return toFloat(a); }
inline float comparable(BF16 a) { return toFloat(a); }
inline float comparable(FlushedF32 a) {
  return flush(std::bit_cast<float>(a.bits));
}
inline float comparable(FlushedF16 a) { return toFloat(flush(F16{a.bits})); }

template <Cmp C> struct CompareAs {
  template <class T> static bool apply(T a, T b) {
    return Compare<C>::apply(comparable(a), comparable(b));
  }
};

enum Combine : uint8_t { NoCombine, CAnd, COr, CXor };

uint32_t combine(uint8_t how, uint32_t t, uint32_t c) {
  switch (how) {
  case CAnd:
    return t & c;
  case COr:
    return t | c;
  case CXor:
    return t ^ c;
  default:
    return t;
  }
}

/// Lanes of a combination that depend on something unwritten.
uint32_t combineTaint(uint8_t how, uint32_t t, uint32_t tTaint, uint32_t c,
                      uint32_t cTaint) {
  switch (how) {
  case CAnd:
    return taintOfAnd(t, tTaint, c, cTaint);
  case COr:
    return taintOfOr(t, tTaint, c, cTaint);
  default:
    return tTaint | cTaint;
  }
}

/// Two predicates and their taint from a comparison and, if there is a third
/// source, a predicate.
void setBoth(Warp &warp, const Inst &inst, uint32_t t, uint32_t other,
             uint32_t mask) {
  uint32_t c = inst.ns > 2 ? warp.pred(inst.s(2)) : 0;
  uint32_t cTaint = inst.ns > 2 ? taintOf(warp, inst.s(2)) : 0;
  uint32_t tTaint = taintOf(warp, inst.s(0)) | taintOf(warp, inst.s(1));
  for (unsigned i = 0; i < inst.nd; ++i) {
    uint32_t bits = i ? other : t;
    setPred(warp, inst.d(i), combine(inst.kind, bits, c), mask);
    setTaint(warp, inst.d(i), combineTaint(inst.kind, bits, tTaint, c, cTaint),
             mask);
  }
}

/// The executor of one comparison of one type; kind is the Combine.
template <class T, Cmp C>
void execSetp(Warp &warp, const Inst &inst, uint32_t mask) {
  uint32_t t = testLanes<CompareAs<C>, T, T>(warp, inst.cells + inst.nd);
  setBoth(warp, inst, t, ~t, mask);
}

/// set: the destination is all ones or 1.0; flags 1: f32 result, 2: 16 bits.
template <class T, Cmp C>
void execSet(Warp &warp, const Inst &inst, uint32_t mask) {
  uint32_t t = testLanes<CompareAs<C>, T, T>(warp, inst.cells + inst.nd);
  uint32_t c = inst.ns > 2 ? warp.pred(inst.s(2)) : 0;
  uint32_t bits = combine(inst.kind, t, c);
  uint32_t *d = warp.narrow(inst.d(0));
  auto yes = static_cast<uint32_t>(inst.imm);
  forLanes(mask, [&](unsigned l) { d[l] = (bits >> l) & 1 ? yes : 0; });
}

/// setp.f16x2 p|q: one predicate a half; set.f16x2: one result a half.
template <class H, Cmp C>
void execHalves(Warp &warp, const Inst &inst, uint32_t mask) {
  const uint32_t *a = warp.narrow(inst.s(0)), *b = warp.narrow(inst.s(1));
  uint32_t t[2] = {0, 0};
  uint32_t c = inst.ns > 2 ? warp.pred(inst.s(2)) : 0;
  for (unsigned l = 0; l < 32; ++l)
    for (unsigned h = 0; h < 2; ++h) {
      H x{static_cast<uint16_t>(a[l] >> (16 * h))};
      H y{static_cast<uint16_t>(b[l] >> (16 * h))};
      t[h] |= CompareAs<C>::apply(x, y) ? 1u << l : 0;
    }
  if (inst.flags == 0)
    return setBoth(warp, inst, t[0], t[1], mask);
  uint32_t lo = combine(inst.kind, t[0], c), hi = combine(inst.kind, t[1], c);
  uint32_t *d = warp.narrow(inst.d(0));
  auto yes = static_cast<uint32_t>(inst.imm);
  forLanes(mask, [&](unsigned l) {
    d[l] = ((lo >> l) & 1 ? yes : 0) | ((hi >> l) & 1 ? yes << 16 : 0);
  });
}

enum Shape : uint8_t { ToPred, ToValue, ToHalves };

template <class T, Shape S> Exec pickCmp(Cmp c) {
#define FOVEA_CASE(C)                                                          \
  case C:                                                                      \
    if constexpr (S == ToPred)                                                 \
      return execSetp<T, C>;                                                   \
    else if constexpr (S == ToValue)                                           \
      return execSet<T, C>;                                                    \
    else                                                                       \
      return execHalves<T, C>;
  switch (c) {
    // clang-format does not settle on a form of these.
    // clang-format off
    FOVEA_CASE(Eq)
    FOVEA_CASE(Ne)
    FOVEA_CASE(Lt)
    FOVEA_CASE(Le)
    FOVEA_CASE(Gt)
    FOVEA_CASE(Ge)
    FOVEA_CASE(Equ)
    FOVEA_CASE(Neu)
    FOVEA_CASE(Ltu)
    FOVEA_CASE(Leu)
    FOVEA_CASE(Gtu)
    FOVEA_CASE(Geu)
    FOVEA_CASE(Num)
    FOVEA_CASE(Nan)
    // clang-format on
  }
#undef FOVEA_CASE
  return nullptr;
}

template <Shape S> Exec pickType(Ty ty, Cmp c, bool ftz) {
  if (ty == Ty::F16)
    return ftz ? pickCmp<FlushedF16, S>(c) : pickCmp<F16, S>(c);
  if (ty == Ty::BF16)
    return pickCmp<BF16, S>(c);
  if (ty == Ty::F32)
    return ftz ? pickCmp<FlushedF32, S>(c) : pickCmp<float, S>(c);
  if (ty == Ty::F64)
    return pickCmp<double, S>(c);
  return pickInteger(ty, [c](auto t) { return pickCmp<decltype(t), S>(c); });
}

Cmp parseCmp(Decoder &d) {
  static const char *const names[] = {"eq",  "ne",  "lt",  "le",  "gt",
                                      "ge",  "equ", "neu", "ltu", "leu",
                                      "gtu", "geu", "num", "nan"};
  for (uint8_t i = 0; i < 14; ++i)
    if (d.has(names[i]))
      return static_cast<Cmp>(i);
  // Unsigned names of the same comparisons.
  static const std::pair<const char *, Cmp> unsignedNames[] = {
      {"lo", Lt}, {"ls", Le}, {"hi", Gt}, {"hs", Ge}};
  for (const auto &[name, cmp] : unsignedNames)
    if (d.has(name))
      return cmp;
  d.fail("'" + d.fullName() + "' lacks a comparison");
}

Exec pickHalves(Ty ty, Cmp c, bool ftz) {
  if (ty == Ty::BF16x2)
    return pickCmp<BF16, ToHalves>(c);
  return ftz ? pickCmp<FlushedF16, ToHalves>(c) : pickCmp<F16, ToHalves>(c);
}

uint8_t parseCombine(Decoder &d) {
  if (d.has("and"))
    return CAnd;
  if (d.has("or"))
    return COr;
  return d.has("xor") ? CXor : NoCombine;
}

void decodeSetp(Decoder &d) {
  Cmp cmp = parseCmp(d);
  uint8_t how = parseCombine(d);
  bool ftz = d.has("ftz");
  Ty ty = d.type();
  d.expectOperands(how ? 4 : 3);
  std::vector<uint32_t> sources = {d.src(d.op(1), ty), d.src(d.op(2), ty)};
  if (how)
    sources.push_back(d.predSrc(d.op(3)));
  std::vector<uint32_t> dests = {d.predDst(d.op(0))};
  if (!d.op(0).second.empty())
    dests.push_back(d.predDst(d.op(0).second[0]));
  bool halves = ty == Ty::F16x2 || ty == Ty::BF16x2;
  Exec exec =
      halves ? pickHalves(ty, cmp, ftz) : pickType<ToPred>(ty, cmp, ftz);
  if (!exec)
    d.fail("'" + d.fullName() + "' does not take ." + typeName(ty));
  Inst &inst = d.emit(exec, dests, sources);
  inst.kind = how;
  inst.ownTaint = true;
}

int64_t trueValue(Decoder &d, Ty ty) {
  switch (ty) {
  case Ty::F32:
    return 0x3f800000;
  case Ty::F16:
  case Ty::F16x2:
    return 0x3c00;
  case Ty::BF16:
  case Ty::BF16x2:
    return 0x3f80;
  case Ty::U16:
  case Ty::S16:
    return 0xffff;
  case Ty::U32:
  case Ty::S32:
    return 0xffffffff;
  default:
    d.fail("'" + d.fullName() + "' cannot give ." + typeName(ty));
  }
}

void decodeSet(Decoder &d) {
  Cmp cmp = parseCmp(d);
  uint8_t how = parseCombine(d);
  bool ftz = d.has("ftz");
  Ty result = d.type(), ty = d.type();
  d.expectOperands(how ? 4 : 3);
  std::vector<uint32_t> sources = {d.src(d.op(1), ty), d.src(d.op(2), ty)};
  if (how)
    sources.push_back(d.predSrc(d.op(3)));
  bool halves = ty == Ty::F16x2 || ty == Ty::BF16x2;
  Exec exec =
      halves ? pickHalves(ty, cmp, ftz) : pickType<ToValue>(ty, cmp, ftz);
  if (!exec)
    d.fail("'" + d.fullName() + "' does not take ." + typeName(ty));
  Inst &inst = d.emit(exec, {d.dst(d.op(0), result)}, sources);
  inst.kind = how;
  inst.flags = halves;
  inst.imm = halves && (result == Ty::U32 || result == Ty::S32)
                 ? 0xffff
                 : trueValue(d, result);
}

// --- testp ------------------------------------------------------------------

template <class T> bool testProperty(T x, uint8_t property) {
  switch (property) {
  case 0:
    return std::isfinite(x);
  case 1:
    return std::isinf(x);
  case 2:
    return !std::isnan(x);
  case 3:
    return std::isnan(x);
  case 4:
    return std::isnormal(x) || x == 0;
  default:
    return std::fpclassify(x) == FP_SUBNORMAL;
  }
}

template <class T> void execTestp(Warp &warp, const Inst &inst, uint32_t mask) {
  const auto *a = cellsOf<T>(warp, inst.s(0));
  uint32_t bits = 0;
  for (unsigned l = 0; l < 32; ++l)
    bits |= testProperty(fromCell<T>(a[l]), inst.kind) ? 1u << l : 0;
  setPred(warp, inst.d(0), bits, mask);
}

void decodeTestp(Decoder &d) {
  static const char *const names[] = {"finite",     "infinite", "number",
                                      "notanumber", "normal",   "subnormal"};
  int property = -1;
  for (int i = 0; i < 6; ++i)
    if (d.has(names[i]))
      property = i;
  if (property < 0)
    d.fail("'" + d.fullName() + "' lacks a property");
  Ty ty = d.type();
  d.expectOperands(2);
  uint32_t a = d.src(d.op(1), ty);
  d.emit(ty == Ty::F64 ? execTestp<double> : execTestp<float>,
         {d.predDst(d.op(0))}, {a})
      .kind = static_cast<uint8_t>(property);
}

} // namespace

void addCompareOps(OpcodeTable &t) {
  t["setp"] = decodeSetp;
  t["set"] = decodeSet;
  t["testp"] = decodeTestp;
}

} // namespace fovea::sim
