// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cvt and cvt.pack (ISA text, section 9.7.9.21 and 9.7.9.22). The frequent
// conversions have executors of their own; all others go through an exact
// intermediate, an integer or a double, one lane at a time.
#include "Convert.h"
#include "Machine/Lanes.h"
#include "Program/Decoder.h"
#include <algorithm>
#include <cmath>

namespace fovea::sim {
namespace {

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
