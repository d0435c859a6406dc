// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Video instructions (ISA text, section 9.7.18): vadd, vsub, vabsdiff, vmin,
// vmax, vset on a byte, half-word or word; their forms on two and four parts at
// once; vshl, vshr, vmad.
//
// Operands may select parts: %r1.b2, %r1.h0 a part of one register, %r1.b3210
// four of the eight bytes of both sources. The mask of a destination says which
// parts of a result are taken, the others come from the last source.
#include "Machine/Lanes.h"
#include "Program/Decoder.h"
#include <algorithm>
#include <cstdlib>

namespace fovea::sim {
namespace {

enum VideoOp : uint8_t {
  VAdd,
  VSub,
  VAvrg,
  VAbsDiff,
  VMin,
  VMax,
  VShl,
  VShr,
  VSetEq,
  VSetNe,
  VSetLt,
  VSetLe,
  VSetGt,
  VSetGe,
};
enum VideoFlags : uint8_t {
  SignedA = 1,
  SignedB = 2,
  SignedD = 4,
  Sat = 8,
  Wrap = 16, // of shifts
};
/// What is done with the third source.
enum Second : uint8_t { NoSecond, AddSecond, MinSecond, MaxSecond, Merge };

/// A part of a word: `bits` from `shift` on.
int64_t part(uint32_t word, unsigned shift, unsigned bits, bool isSignedPart) {
  uint64_t up = uint64_t(word) << (64 - bits - shift);
  return isSignedPart ? int64_t(up) >> (64 - bits) : int64_t(up >> (64 - bits));
}

int64_t shift(uint8_t op, int64_t a, int64_t b, bool wrap) {
  int64_t n = wrap ? b & 31 : std::min<int64_t>(b, 32);
  return op == VShl ? static_cast<int64_t>(static_cast<uint64_t>(a) << n)
                    : a >> n;
}

int64_t compute(uint8_t op, int64_t a, int64_t b, uint8_t flags) {
  switch (op) {
  case VAdd:
    return a + b;
  case VSub:
    return a - b;
  case VAvrg: // halves go away from zero
    return (a + b + (a + b >= 0)) >> 1;
  case VAbsDiff:
    return std::abs(a - b);
  case VMin:
    return std::min(a, b);
  case VMax:
    return std::max(a, b);
  case VShl:
  case VShr:
    return shift(op, a, b, flags & Wrap);
  case VSetEq:
    return a == b;
  case VSetNe:
    return a != b;
  case VSetLt:
    return a < b;
  case VSetLe:
    return a <= b;
  case VSetGt:
    return a > b;
  default:
    return a >= b;
  }
}

int64_t saturate(int64_t x, unsigned bits, bool isSignedResult) {
  int64_t one = 1;
  return isSignedResult
             ? std::clamp(x, -(one << (bits - 1)), (one << (bits - 1)) - 1)
             : std::clamp<int64_t>(x, 0, (one << bits) - 1);
}

/// Where the parts of an instruction lie, packed into imm. A part of a word is
/// its shift over 8 and its bits over 8.
struct Parts {
  uint8_t aShift = 0, aBytes = 4, bShift = 0, bBytes = 4, dShift = 0,
          dBytes = 4;
  int64_t pack() const {
    return aShift | aBytes << 4 | bShift << 8 | bBytes << 12 | dShift << 16 |
           dBytes << 20;
  }
  static Parts of(const Inst &inst) {
    auto at = [&](unsigned i) { return uint8_t(inst.imm >> (4 * i) & 15); };
    return {at(0), at(1), at(2), at(3), at(4), at(5)};
  }
};

/// Sources a, b and, with a second operation or a merge, c.
void execScalar(Warp &warp, const Inst &inst, uint32_t mask) {
  Parts parts = Parts::of(inst);
  uint32_t *d = warp.narrow(inst.d(0));
  const uint32_t *a = warp.narrow(inst.s(0)), *b = warp.narrow(inst.s(1)),
                 *c = inst.ns > 2 ? warp.narrow(inst.s(2)) : nullptr;
  bool isSignedResult = inst.flags & SignedD;
  forLanes(mask, [&](unsigned l) {
    int64_t t = compute(
        inst.kind,
        part(a[l], 8 * parts.aShift, 8 * parts.aBytes, inst.flags & SignedA),
        part(b[l], 8 * parts.bShift, 8 * parts.bBytes, inst.flags & SignedB),
        inst.flags);
    if (inst.flags & Sat)
      t = saturate(t, 8 * parts.dBytes, isSignedResult);
    auto r = static_cast<uint32_t>(t);
    auto sr = static_cast<int32_t>(r), sc = static_cast<int32_t>(c ? c[l] : 0);
    uint32_t keep = parts.dBytes == 4 ? ~0u : (1u << 8 * parts.dBytes) - 1;
    switch (inst.aux) {
    case AddSecond:
      r += c[l];
      break;
    case MinSecond:
      r = isSignedResult ? uint32_t(std::min(sr, sc)) : std::min(r, c[l]);
      break;
    case MaxSecond:
      r = isSignedResult ? uint32_t(std::max(sr, sc)) : std::max(r, c[l]);
      break;
    case Merge:
      keep <<= 8 * parts.dShift;
      r = (c[l] & ~keep) | ((r << 8 * parts.dShift) & keep);
      break;
    default:
      break;
    }
    d[l] = r;
  });
}

/// vec: parts of a register (2 or 4). imm: for each part a nibble of a's and of
/// b's selectors (bits 0 and 16 on), then the mask.
void execSimd(Warp &warp, const Inst &inst, uint32_t mask) {
  unsigned n = inst.vec, bits = 32 / n;
  uint32_t keep = (1u << bits) - 1;
  auto selectors = static_cast<uint64_t>(inst.imm);
  forLanes(mask, [&](unsigned l) {
    uint32_t words[2] = {warp.narrow(inst.s(0))[l], warp.narrow(inst.s(1))[l]};
    uint32_t c = warp.narrow(inst.s(2))[l], packed = 0;
    for (unsigned i = 0; i < n; ++i) {
      auto select = [&](unsigned from, bool isSignedPart) {
        unsigned which = selectors >> (from + 4 * i) & 7;
        return part(words[which / n], which % n * bits, bits, isSignedPart);
      };
      bool isTaken = selectors >> (32 + i) & 1;
      int64_t r = compute(inst.kind, select(0, inst.flags & SignedA),
                          select(16, inst.flags & SignedB), inst.flags);
      if (inst.flags & Sat)
        r = saturate(r, bits, inst.flags & SignedD);
      uint32_t place = keep << (i * bits);
      if (inst.aux == AddSecond)
        packed += isTaken ? static_cast<uint32_t>(r) : 0;
      else
        packed |= isTaken ? static_cast<uint32_t>(r) << (i * bits) & place
                          : c & place;
    }
    warp.narrow(inst.d(0))[l] = inst.aux == AddSecond ? c + packed : packed;
  });
}

enum MadFlags : uint8_t { PlusOne = 16, NegateProduct = 32, NegateC = 64 };

/// (a * b) + c, scaled by aux bits.
void execVmad(Warp &warp, const Inst &inst, uint32_t mask) {
  Parts parts = Parts::of(inst);
  bool isSignedResult =
      (inst.flags & (SignedA | SignedB | NegateProduct | NegateC)) != 0;
  forLanes(mask, [&](unsigned l) {
    __int128 product =
        __int128(part(warp.narrow(inst.s(0))[l], 8 * parts.aShift,
                      8 * parts.aBytes, inst.flags & SignedA)) *
        part(warp.narrow(inst.s(1))[l], 8 * parts.bShift, 8 * parts.bBytes,
             inst.flags & SignedB);
    uint32_t c = warp.narrow(inst.s(2))[l];
    int one = 0;
    if (inst.flags & PlusOne)
      one = 1;
    else if (inst.flags & NegateProduct)
      product = ~product, one = 1;
    else if (inst.flags & NegateC)
      c = ~c, one = 1;
    product +=
        (isSignedResult ? __int128(static_cast<int32_t>(c)) : __int128(c)) +
        one;
    auto r = static_cast<int64_t>(product >> inst.aux);
    if (inst.flags & Sat)
      r = saturate(r, 32, isSignedResult);
    warp.narrow(inst.d(0))[l] = static_cast<uint32_t>(r);
  });
}

// --- decoding ---------------------------------------------------------------

Ty takeWord(Decoder &d) {
  Ty ty = d.type();
  if (ty != Ty::U32 && ty != Ty::S32)
    d.fail("'" + d.fullName() + "' does not take ." + typeName(ty));
  return ty;
}

/// Takes the selector off an operand.
Operand plain(Decoder &d, const Operand &operand, std::string &selector) {
  Operand result = operand;
  selector = operand.selector;
  result.selector.clear();
  if (result.kind == Operand::Reg && d.regType(result) == Ty::Pred)
    d.fail("'" + d.fullName() + "' does not take a predicate");
  return result;
}

/// .b0 to .b3, .h0, .h1, or all of the word.
void takePart(Decoder &d, const std::string &selector, uint8_t &shift,
              uint8_t &bytes) {
  if (selector.empty())
    return;
  bool isHalf = selector[0] == 'h';
  unsigned index = selector.size() == 2 ? unsigned(selector[1] - '0') : 9;
  if ((!isHalf && selector[0] != 'b') || index >= (isHalf ? 2 : 4))
    d.fail("unknown selector '." + selector + "' of '" + d.fullName() + "'");
  bytes = isHalf ? 2 : 1;
  shift = static_cast<uint8_t>(index * bytes);
}

uint8_t takeCompare(Decoder &d) {
  static const char *const names[] = {"eq", "ne", "lt", "le", "gt", "ge"};
  for (uint8_t i = 0; i < 6; ++i)
    if (d.has(names[i]))
      return static_cast<uint8_t>(VSetEq + i);
  d.fail("'" + d.fullName() + "' lacks a comparison");
}

uint8_t takeSigns(Decoder &d, uint8_t &op, bool isSet) {
  Ty result = isSet ? Ty::U32 : takeWord(d);
  Ty a = takeWord(d), b = takeWord(d);
  if (isSet)
    op = takeCompare(d);
  return (isSigned(a) ? SignedA : 0) | (isSigned(b) ? SignedB : 0) |
         (isSigned(result) ? SignedD : 0) | (d.has("sat") ? Sat : 0);
}

void decodeScalar(Decoder &d, uint8_t op) {
  uint8_t flags = takeSigns(d, op, op == VSetEq);
  if (op == VShl || op == VShr)
    flags |= d.oneOf({"clamp", "wrap"}) == "wrap" ? Wrap : 0;
  std::string_view second = d.oneOf({"add", "min", "max"});
  std::string selectors[3];
  Operand result = plain(d, d.op(0), selectors[0]);
  d.expectOperands(second.empty() && selectors[0].empty() ? 3 : 4);
  Parts parts;
  std::vector<uint32_t> sources;
  for (size_t i = 1; i < 3; ++i)
    sources.push_back(d.src(plain(d, d.op(i), selectors[i]), Ty::U32));
  takePart(d, selectors[1], parts.aShift, parts.aBytes);
  takePart(d, selectors[2], parts.bShift, parts.bBytes);
  takePart(d, selectors[0], parts.dShift, parts.dBytes);
  if (d.count() > 3)
    sources.push_back(d.src(d.op(3), Ty::U32));
  Inst &inst = d.emit(execScalar, {d.dst(result, Ty::U32)}, sources);
  inst.kind = op;
  inst.flags = flags;
  inst.imm = parts.pack();
  inst.aux = second == "add"         ? AddSecond
             : second == "min"       ? MinSecond
             : second == "max"       ? MaxSecond
             : !selectors[0].empty() ? Merge
                                     : NoSecond;
}

/// Four or two digits below `limit`, the last for part 0; or the default.
uint64_t takeSelectors(Decoder &d, const std::string &selector, unsigned n,
                       unsigned first) {
  char letter = n == 4 ? 'b' : 'h';
  uint64_t result = 0;
  for (unsigned i = 0; i < n; ++i) {
    unsigned which = first + i;
    if (!selector.empty()) {
      bool isGood = selector.size() == n + 1 && selector[0] == letter;
      which = isGood ? unsigned(selector[n - i] - '0') : 99;
    }
    if (which >= 2 * n)
      d.fail("unknown selector '." + selector + "' of '" + d.fullName() + "'");
    result |= uint64_t(which) << (4 * i);
  }
  return result;
}

/// The parts that a mask such as .b320 names.
uint64_t takeMask(Decoder &d, const std::string &selector, unsigned n) {
  uint64_t mask = 0;
  for (size_t i = 1; i < selector.size(); ++i) {
    unsigned which = unsigned(selector[i] - '0');
    if (selector[0] != (n == 4 ? 'b' : 'h') || which >= n)
      d.fail("unknown mask '." + selector + "' of '" + d.fullName() + "'");
    mask |= 1ull << which;
  }
  return selector.empty() ? (1u << n) - 1 : mask;
}

void decodeSimd(Decoder &d, uint8_t op, uint8_t n) {
  uint8_t flags = takeSigns(d, op, op == VSetEq);
  bool sum = d.has("add");
  d.expectOperands(4);
  std::string mask, a, b;
  Operand result = plain(d, d.op(0), mask);
  std::vector<uint32_t> sources = {d.src(plain(d, d.op(1), a), Ty::U32),
                                   d.src(plain(d, d.op(2), b), Ty::U32),
                                   d.src(d.op(3), Ty::U32)};
  Inst &inst = d.emit(execSimd, {d.dst(result, Ty::U32)}, sources);
  inst.kind = op;
  inst.vec = n;
  inst.flags = flags;
  inst.aux = sum ? AddSecond : Merge;
  inst.imm = static_cast<int64_t>(takeSelectors(d, a, n, 0) |
                                  takeSelectors(d, b, n, n) << 16 |
                                  takeMask(d, mask, n) << 32);
}

void decodeVmad(Decoder &d) {
  takeWord(d);
  Ty at = takeWord(d), bt = takeWord(d);
  bool plusOne = d.has("po"), sat = d.has("sat");
  std::string_view scale = d.oneOf({"shr7", "shr15"});
  d.expectOperands(4);
  std::string a, b, none;
  std::vector<uint32_t> sources = {d.src(plain(d, d.op(1), a), Ty::U32),
                                   d.src(plain(d, d.op(2), b), Ty::U32),
                                   d.src(plain(d, d.op(3), none), Ty::U32)};
  bool negateProduct = d.op(1).minus != d.op(2).minus;
  Parts parts;
  takePart(d, a, parts.aShift, parts.aBytes);
  takePart(d, b, parts.bShift, parts.bBytes);
  Inst &inst = d.emit(execVmad, {d.dst(d.op(0), Ty::U32)}, sources, Pipe::Fma);
  inst.flags = (isSigned(at) ? SignedA : 0) | (isSigned(bt) ? SignedB : 0) |
               (sat ? Sat : 0) | (plusOne ? PlusOne : 0) |
               (negateProduct ? NegateProduct : 0) |
               (d.op(3).minus ? NegateC : 0);
  inst.imm = parts.pack();
  inst.aux = scale == "shr7" ? 7 : scale == "shr15" ? 15 : 0;
}

template <uint8_t Op> void scalar(Decoder &d) { decodeScalar(d, Op); }
template <uint8_t Op, uint8_t N> void simd(Decoder &d) { decodeSimd(d, Op, N); }

} // namespace

void addVideoOps(OpcodeTable &t) {
  t["vadd"] = scalar<VAdd>;
  t["vsub"] = scalar<VSub>;
  t["vabsdiff"] = scalar<VAbsDiff>;
  t["vmin"] = scalar<VMin>;
  t["vmax"] = scalar<VMax>;
  t["vshl"] = scalar<VShl>;
  t["vshr"] = scalar<VShr>;
  t["vset"] = scalar<VSetEq>;
  t["vmad"] = decodeVmad;
  t["vadd2"] = simd<VAdd, 2>;
  t["vsub2"] = simd<VSub, 2>;
  t["vavrg2"] = simd<VAvrg, 2>;
  t["vabsdiff2"] = simd<VAbsDiff, 2>;
  t["vmin2"] = simd<VMin, 2>;
  t["vmax2"] = simd<VMax, 2>;
  t["vset2"] = simd<VSetEq, 2>;
  t["vadd4"] = simd<VAdd, 4>;
  t["vsub4"] = simd<VSub, 4>;
  t["vavrg4"] = simd<VAvrg, 4>;
  t["vabsdiff4"] = simd<VAbsDiff, 4>;
  t["vmin4"] = simd<VMin, 4>;
  t["vmax4"] = simd<VMax, 4>;
  t["vset4"] = simd<VSetEq, 4>;
}

} // namespace fovea::sim
