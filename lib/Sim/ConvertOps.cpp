// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cvt and cvt.pack (ISA text, section 9.7.9.21 and 9.7.9.22). The frequent
// conversions have executors of their own; all others go through an exact
// intermediate, an integer or a double, one lane at a time.
#include "Decoder.h"
#include "Lanes.h"
#include <algorithm>
#include <cmath>

namespace fovea::sim {
namespace {

enum CvtFlags : uint8_t { CvtFtz = 1, CvtSat = 2, CvtRelu = 4, CvtFinite = 8 };

/// Everything a general conversion needs, kept in the instruction: kind is the
/// source type, vec the destination type, flags as above, imm the rest.
struct Cvt {
  Ty from, to;
  uint8_t flags;
  Round round;
  bool toIntegral;
  bool srcWide, dstWide;

  int64_t pack() const {
    return int64_t(round) | int64_t(toIntegral) << 8 | int64_t(srcWide) << 9 |
           int64_t(dstWide) << 10;
  }
  static Cvt of(const Inst &inst) {
    return {static_cast<Ty>(inst.kind),
            static_cast<Ty>(inst.vec),
            inst.flags,
            static_cast<Round>(inst.imm & 0xff),
            bool(inst.imm >> 8 & 1),
            bool(inst.imm >> 9 & 1),
            bool(inst.imm >> 10 & 1)};
  }
};

uint64_t extend(uint64_t bits, Ty ty) {
  unsigned shift = 64 - typeBits(ty);
  if (isSigned(ty))
    return static_cast<uint64_t>(static_cast<int64_t>(bits << shift) >> shift);
  return bits << shift >> shift;
}

/// An integer of the source type clamped to the destination type.
uint64_t clampInteger(uint64_t value, Ty from, Ty to) {
  __int128 x =
      isSigned(from) ? __int128(static_cast<int64_t>(value)) : __int128(value);
  unsigned bits = typeBits(to);
  __int128 low = isSigned(to) ? -(__int128(1) << (bits - 1)) : 0;
  __int128 high = (__int128(1) << (isSigned(to) ? bits - 1 : bits)) - 1;
  return static_cast<uint64_t>(std::clamp(x, low, high));
}

double roundIntegral(double x, Round round) {
  switch (round) {
  case Round::Nearest:
    return std::nearbyint(x);
  case Round::Down:
    return std::floor(x);
  case Round::Up:
    return std::ceil(x);
  default:
    return std::trunc(x);
  }
}

/// Out of range clamps. NaN gives 0, or from f64 and to 64 bits the top bit.
uint64_t floatToInteger(double x, const Cvt &cvt) {
  unsigned bits = typeBits(cvt.to);
  if (x != x)
    return cvt.from == Ty::F64 || bits == 64
               ? extend(1ull << (bits - 1), cvt.to)
               : 0;
  double r = roundIntegral(x, cvt.round);
  if (isSigned(cvt.to)) {
    double limit = std::ldexp(1.0, static_cast<int>(bits) - 1);
    if (r >= limit)
      return (1ull << (bits - 1)) - 1;
    if (r < -limit)
      return extend(1ull << (bits - 1), cvt.to);
    return static_cast<uint64_t>(static_cast<int64_t>(r));
  }
  if (r <= 0)
    return 0;
  if (r >= std::ldexp(1.0, static_cast<int>(bits)))
    return bits == 64 ? ~0ull : (1ull << bits) - 1;
  return static_cast<uint64_t>(r);
}

/// An exact value to f32 or f64 in any mode: the nearest, then one step if it
/// lies on the wrong side.
template <class T> T roundTo(long double exact, Round round) {
  auto r = static_cast<T>(exact);
  long double back = r;
  if (back == exact || exact != exact)
    return r;
  T infinity = std::numeric_limits<T>::infinity();
  if (round == Round::Zero && std::fabs(back) > std::fabs(exact))
    return std::nextafter(r, T(0));
  if (round == Round::Down && back > exact)
    return std::nextafter(r, -infinity);
  if (round == Round::Up && back < exact)
    return std::nextafter(r, infinity);
  return r;
}

/// A 64-bit integer as a double with what does not fit in its last bit.
double stickyDouble(long double exact) {
  auto r = static_cast<double>(exact);
  long double back = r;
  if (back == exact)
    return r;
  auto u = std::bit_cast<uint64_t>(r);
  if (std::fabs(back) > std::fabs(exact))
    --u;
  return std::bit_cast<double>(u | 1);
}

uint64_t encodeFloat(long double exact, const Cvt &cvt) {
  bool finite = cvt.flags & CvtFinite;
  switch (cvt.to) {
  case Ty::F64: {
    auto r = roundTo<double>(exact, cvt.round);
    return r != r ? 0x7ff8000000000000ull : std::bit_cast<uint64_t>(r);
  }
  case Ty::F32: {
    auto r = roundTo<float>(exact, cvt.round);
    if (cvt.flags & CvtFtz)
      r = flush(r);
    return r != r ? 0x7fffffffu : std::bit_cast<uint32_t>(r);
  }
  case Ty::F16:
    return roundToShape(stickyDouble(exact), shapeF16, cvt.round, finite);
  case Ty::BF16:
    return roundToShape(stickyDouble(exact), shapeBF16, cvt.round, finite);
  case Ty::TF32:
    return uint64_t(
               roundToShape(stickyDouble(exact), shapeTF32, cvt.round, finite))
           << 13;
  case Ty::E4M3:
    return roundToShape(stickyDouble(exact), shapeE4M3, cvt.round, true);
  default:
    return roundToShape(stickyDouble(exact), shapeE5M2, cvt.round, true);
  }
}

double decodeFloat(uint64_t bits, Ty ty, bool ftz) {
  switch (ty) {
  case Ty::F64:
    return std::bit_cast<double>(bits);
  case Ty::F32: {
    auto x = std::bit_cast<float>(static_cast<uint32_t>(bits));
    return ftz ? flush(x) : x;
  }
  case Ty::F16:
    return toFloat(F16{static_cast<uint16_t>(bits)});
  case Ty::BF16:
    return toFloat(BF16{static_cast<uint16_t>(bits)});
  case Ty::E4M3:
    return fromShape(bits & 0xff, shapeE4M3);
  default:
    return fromShape(bits & 0xff, shapeE5M2);
  }
}

bool isFp(Ty ty) { return isFloat(ty) || ty == Ty::E4M3 || ty == Ty::E5M2; }

/// Float to float: rounding to an integral value, clamping, relu.
uint64_t floatToFloat(double x, const Cvt &cvt) {
  if (cvt.toIntegral)
    x = roundIntegral(x, cvt.round);
  if (cvt.flags & CvtSat)
    x = x > 0 ? std::min(x, 1.0) : 0.0;
  if ((cvt.flags & CvtRelu) && x <= 0)
    x = 0;
  return encodeFloat(x, cvt);
}

/// NaN to NaN. The ISA text leaves the payload open; this is what an H200
/// gives (docs/hardware.md). Conversions from and to f64 keep what fits of it.
uint64_t convertNan(uint64_t bits, const Cvt &cvt) {
  bool plain = !cvt.toIntegral && !cvt.flags;
  unsigned from = typeBits(cvt.from), to = typeBits(cvt.to);
  if (cvt.from == cvt.to && plain && from >= 32)
    return bits;
  if (cvt.from == Ty::BF16 && cvt.to == Ty::F32 && !cvt.flags)
    return bits << 16;
  bool keeps = (cvt.from == Ty::F64 || cvt.to == Ty::F64) &&
               !(cvt.from == Ty::F32 && cvt.flags & CvtFtz);
  auto fraction = [](Ty ty) {
    return ty == Ty::F64 ? 52 : ty == Ty::F32 ? 23 : ty == Ty::F16 ? 10 : 7;
  };
  unsigned ff = fraction(cvt.from), tf = fraction(cvt.to);
  if (!keeps) // as from the canonical NaN of the source
    return cvt.to == Ty::F64 ? 0x7fffffffe0000000ull : encodeFloat(NAN, cvt);
  uint64_t payload = bits & ((1ull << ff) - 1);
  payload = tf > ff ? payload << (tf - ff) : payload >> (ff - tf);
  uint64_t sign = bits >> (from - 1) & 1;
  uint64_t top = (1ull << (to - 1 - tf)) - 1;
  return sign << (to - 1) | top << tf | 1ull << (tf - 1) | payload;
}

uint64_t convert(uint64_t bits, const Cvt &cvt) {
  if (isFp(cvt.from)) {
    double x = decodeFloat(bits, cvt.from, cvt.flags & CvtFtz);
    if (x != x && isFloat(cvt.to) && isFloat(cvt.from) && cvt.to != Ty::TF32 &&
        !(cvt.flags & CvtSat))
      return convertNan(bits, cvt);
    return isFp(cvt.to) ? floatToFloat(x, cvt) : floatToInteger(x, cvt);
  }
  uint64_t value = extend(bits, cvt.from);
  if (!isFp(cvt.to))
    return extend(cvt.flags & CvtSat ? clampInteger(value, cvt.from, cvt.to)
                                     : value,
                  cvt.to);
  long double exact =
      isSigned(cvt.from) ? static_cast<long double>(static_cast<int64_t>(value))
                         : static_cast<long double>(value);
  if (cvt.flags & CvtSat)
    exact = std::clamp(exact, 0.0L, 1.0L);
  return encodeFloat(exact, cvt);
}

void execCvt(Warp &warp, const Inst &inst, uint32_t mask) {
  Cvt cvt = Cvt::of(inst);
  forLanes(mask, [&](unsigned l) {
    uint64_t bits =
        cvt.srcWide ? warp.wide(inst.s(0))[l] : warp.narrow(inst.s(0))[l];
    uint64_t r = convert(bits, cvt);
    if (cvt.dstWide)
      warp.wide(inst.d(0))[l] = r;
    else
      warp.narrow(inst.d(0))[l] =
          static_cast<uint32_t>(r) & (inst.bytes == 2 ? 0xffffu : 0xffffffffu);
  });
}

/// Two sources into one register, the second lowest; bytes: of a part.
void execCvtPair(Warp &warp, const Inst &inst, uint32_t mask) {
  Cvt cvt = Cvt::of(inst);
  unsigned bits = inst.bytes * 8u;
  forLanes(mask, [&](unsigned l) {
    uint64_t hi = convert(warp.narrow(inst.s(0))[l], cvt);
    uint64_t lo = convert(warp.narrow(inst.s(1))[l], cvt);
    warp.narrow(inst.d(0))[l] = static_cast<uint32_t>(lo | hi << bits);
  });
}

/// Each part of one register: f16x2 from e4m3x2 and back.
void execCvtParts(Warp &warp, const Inst &inst, uint32_t mask) {
  Cvt cvt = Cvt::of(inst);
  unsigned from = typeBits(cvt.from), to = typeBits(cvt.to);
  forLanes(mask, [&](unsigned l) {
    uint32_t in = warp.narrow(inst.s(0))[l], keep = (1u << from) - 1;
    uint64_t lo = convert(in & keep, cvt);
    uint64_t hi = convert((in >> from) & keep, cvt);
    warp.narrow(inst.d(0))[l] = static_cast<uint32_t>(lo | hi << to);
  });
}

// --- frequent conversions ---------------------------------------------------

struct Widen {
  static uint64_t apply(uint32_t a) { return a; }
};
struct WidenSigned {
  static int64_t apply(int32_t a) { return a; }
};
struct Narrow {
  static uint32_t apply(uint64_t a) { return static_cast<uint32_t>(a); }
};
struct Low16 {
  static uint32_t apply(uint32_t a) { return a & 0xffff; }
};
struct ToF32 {
  template <class T> static float apply(T a) { return static_cast<float>(a); }
};
struct HalfToF32 {
  template <class H> static float apply(H a) {
    float x = toFloat(a);
    return x != x ? std::bit_cast<float>(0x7fffffffu) : x;
  }
};
struct BHalfToF32 {
  static float apply(BF16 a) { return toFloat(a); } // NaN as it is
};
struct F32ToHalf {
  static F16 apply(float a) { return toF16(a); }
};
struct F32ToBHalf {
  static BF16 apply(float a) { return toBF16(a); }
};
struct PackHalves {
  static uint32_t apply(float a, float b) {
    return uint32_t(toF16(b).bits) | uint32_t(toF16(a).bits) << 16;
  }
};
struct PackBHalves {
  static uint32_t apply(float a, float b) {
    return uint32_t(toBF16(b).bits) | uint32_t(toBF16(a).bits) << 16;
  }
};

Exec fastCvt(const Cvt &cvt) {
  bool nearest = cvt.round == Round::Nearest && !cvt.flags && !cvt.toIntegral;
  auto is = [&](Ty to, Ty from) { return cvt.to == to && cvt.from == from; };
  if (!isFp(cvt.to) && !isFp(cvt.from) && !cvt.flags) {
    unsigned to = typeBits(cvt.to), from = typeBits(cvt.from);
    if (to == 64 && from == 32 && cvt.dstWide && !cvt.srcWide)
      return isSigned(cvt.from) ? execLanes<WidenSigned, int64_t, int32_t>
                                : execLanes<Widen, uint64_t, uint32_t>;
    if (to == 32 && from == 64 && !cvt.dstWide)
      return execLanes<Narrow, uint32_t, uint64_t>;
    if (to == 32 && cvt.from == Ty::U16 && !cvt.srcWide && !cvt.dstWide)
      return execLanes<Low16, uint32_t, uint32_t>;
    if (cvt.to == Ty::U16 && from == 32 && !cvt.srcWide && !cvt.dstWide)
      return execLanes<Low16, uint32_t, uint32_t>;
    return nullptr;
  }
  if (!nearest || cvt.srcWide || cvt.dstWide)
    return nullptr;
  if (is(Ty::F32, Ty::S32))
    return execLanes<ToF32, float, int32_t>;
  if (is(Ty::F32, Ty::U32))
    return execLanes<ToF32, float, uint32_t>;
  if (is(Ty::F32, Ty::F16))
    return execLanes<HalfToF32, float, F16>;
  if (is(Ty::F32, Ty::BF16))
    return execLanes<BHalfToF32, float, BF16>;
  if (is(Ty::F16, Ty::F32))
    return execLanes<F32ToHalf, F16, float>;
  if (is(Ty::BF16, Ty::F32))
    return execLanes<F32ToBHalf, BF16, float>;
  return nullptr;
}

// --- decoding ---------------------------------------------------------------

void takeRounding(Decoder &d, Cvt &cvt) {
  static const struct {
    const char *name;
    Round round;
    bool integral;
  } modes[] = {
      {"rni", Round::Nearest, true}, {"rzi", Round::Zero, true},
      {"rmi", Round::Down, true},    {"rpi", Round::Up, true},
      {"rn", Round::Nearest, false}, {"rna", Round::NearestAway, false},
      {"rz", Round::Zero, false},    {"rm", Round::Down, false},
      {"rp", Round::Up, false}};
  for (const auto &mode : modes)
    if (d.has(mode.name)) {
      cvt.round = mode.round;
      cvt.toIntegral = mode.integral;
    }
}

Inst &finishCvt(Decoder &d, Exec exec, const Cvt &cvt,
                std::vector<uint32_t> dsts, std::vector<uint32_t> srcs) {
  Inst &inst = d.emit(exec, std::move(dsts), std::move(srcs));
  inst.kind = static_cast<uint8_t>(cvt.from);
  inst.vec = static_cast<uint8_t>(cvt.to);
  inst.flags = cvt.flags;
  inst.imm = cvt.pack();
  return inst;
}

/// The element of a packed type, or None.
Ty elementOf(Ty ty) {
  switch (ty) {
  case Ty::F16x2:
    return Ty::F16;
  case Ty::BF16x2:
    return Ty::BF16;
  case Ty::E4M3x2:
    return Ty::E4M3;
  case Ty::E5M2x2:
    return Ty::E5M2;
  default:
    return Ty::None;
  }
}

void decodePacked(Decoder &d, Cvt cvt, Ty to, Ty from) {
  cvt.to = elementOf(to);
  if (from == Ty::F32) {
    d.expectOperands(3);
    cvt.from = from;
    uint32_t a = d.src(d.op(1), Ty::F32), b = d.src(d.op(2), Ty::F32);
    Exec exec = execCvtPair;
    if (!cvt.flags && cvt.round == Round::Nearest && to == Ty::F16x2)
      exec = execLanes<PackHalves, uint32_t, float, float>;
    if (!cvt.flags && cvt.round == Round::Nearest && to == Ty::BF16x2)
      exec = execLanes<PackBHalves, uint32_t, float, float>;
    Inst &pair = finishCvt(d, exec, cvt, {d.dst(d.op(0), to)}, {a, b});
    pair.bytes = static_cast<uint8_t>(typeBytes(cvt.to));
    pair.bytewise = Bytewise::Pack;
    return;
  }
  cvt.from = elementOf(from);
  if (cvt.from == Ty::None)
    d.fail("'" + d.fullName() + "' does not take ." + typeName(from));
  d.expectOperands(2);
  uint32_t a = d.src(d.op(1), from);
  finishCvt(d, execCvtParts, cvt, {d.dst(d.op(0), to)}, {a}).bytewise =
      typeBits(cvt.from) < typeBits(cvt.to)   ? Bytewise::Widen
      : typeBits(cvt.from) > typeBits(cvt.to) ? Bytewise::Narrow
                                              : Bytewise::None;
}

/// cvt.pack.sat.to.from{.b32}: two integers clamped and packed, the second
/// lowest, above the low part of a third operand.
void execCvtPack(Warp &warp, const Inst &inst, uint32_t mask) {
  Ty to = static_cast<Ty>(inst.vec), from = static_cast<Ty>(inst.kind);
  unsigned bits = typeBits(to);
  uint64_t keep = (1ull << bits) - 1;
  forLanes(mask, [&](unsigned l) {
    uint64_t a =
        clampInteger(extend(warp.narrow(inst.s(0))[l], from), from, to);
    uint64_t b =
        clampInteger(extend(warp.narrow(inst.s(1))[l], from), from, to);
    uint64_t r = (b & keep) | (a & keep) << bits;
    if (inst.ns > 2)
      r |= uint64_t(warp.narrow(inst.s(2))[l]) << (2 * bits);
    warp.narrow(inst.d(0))[l] = static_cast<uint32_t>(r);
  });
}

void decodeCvtPack(Decoder &d) {
  if (!d.has("sat"))
    d.fail("'cvt.pack' needs '.sat'");
  Ty to = d.type(), from = d.type();
  bool hasThird = d.tryType() == Ty::B32;
  d.expectOperands(hasThird ? 4 : 3);
  std::vector<uint32_t> sources = {d.src(d.op(1), from), d.src(d.op(2), from)};
  if (hasThird)
    sources.push_back(d.src(d.op(3), Ty::B32));
  Inst &inst = d.emit(execCvtPack, {d.dst(d.op(0), Ty::B32)}, sources);
  inst.kind = static_cast<uint8_t>(from);
  inst.vec = static_cast<uint8_t>(to);
}

/// A destination register may be wider than the type.
uint32_t relaxedDst(Decoder &d, const Operand &operand, Ty ty) {
  Ty declared = d.regType(operand);
  if (declared != Ty::None && declared != Ty::Pred &&
      typeBits(declared) > typeBits(ty))
    return d.dst(operand, declared);
  return d.dst(operand, ty);
}

void decodeCvt(Decoder &d) {
  if (d.has("pack"))
    return decodeCvtPack(d);
  Cvt cvt{Ty::None, Ty::None, 0, Round::Zero, false, false, false};
  cvt.round = Round::Nearest;
  takeRounding(d, cvt);
  cvt.flags = (d.has("ftz") ? CvtFtz : 0) |
              (d.has("satfinite") ? CvtFinite : 0) |
              (d.has("sat") ? CvtSat : 0) | (d.has("relu") ? CvtRelu : 0);
  Ty to = d.type(), from = d.type();
  if (elementOf(to) != Ty::None)
    return decodePacked(d, cvt, to, from);
  cvt.to = to;
  cvt.from = from;
  if (isFp(from) && !isFp(to) && !cvt.toIntegral)
    d.fail("'" + d.fullName() + "' lacks an integer rounding mode");
  d.expectOperands(2);
  // A constant source takes the type; a register may be wider.
  uint32_t a = d.src(d.op(1), from, true);
  cvt.srcWide =
      d.op(1).kind == Operand::Reg ? d.isWide(d.op(1)) : typeBits(from) == 64;
  uint32_t r = relaxedDst(d, d.op(0), to);
  cvt.dstWide = d.op(0).kind == Operand::Reg ? d.isWide(d.op(0)) : false;
  Exec exec = fastCvt(cvt);
  finishCvt(d, exec ? exec : execCvt, cvt, {r}, {a}).bytes =
      typeBits(d.regType(d.op(0))) == 16 ? 2 : 4;
}

} // namespace

void addConvertOps(OpcodeTable &t) { t["cvt"] = decodeCvt; }

} // namespace fovea::sim
