// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Four-way SIMD video instructions on bytes: vadd4, vsub4, vavrg4, vabsdiff4,
// vmin4, vmax4, vset4 without masks and byte selectors, as compilers emit them
// (ISA text, section 9.7.17).
#include "Decoder.h"
#include "Lanes.h"
#include <algorithm>
#include <cstdlib>

namespace fovea::sim {
namespace {

enum VideoOp : uint8_t { VAdd, VSub, VAvrg, VAbsDiff, VMin, VMax };
enum VideoFlags : uint8_t {
  SignedA = 1,
  SignedB = 2,
  SignedD = 4,
  Sat = 8,
  Sum = 16
};

int part(uint32_t word, unsigned i, unsigned bits, bool isSignedPart) {
  unsigned shift = 32 - bits;
  uint32_t up = word << (shift - i * bits);
  return isSignedPart ? int32_t(up) >> shift : int32_t(up >> shift);
}

int compute(uint8_t op, int a, int b) {
  switch (op) {
  case VAdd:
    return a + b;
  case VSub:
    return a - b;
  case VAvrg: // rounds halves up
    return (a + b + 1) >> 1;
  case VAbsDiff:
    return std::abs(a - b);
  case VMin:
    return std::min(a, b);
  default:
    return std::max(a, b);
  }
}

/// vec: parts of a register (2 or 4); with .add the parts' results are summed
/// onto c.
void execVideo(Warp &warp, const Inst &inst, uint32_t mask) {
  unsigned n = inst.vec, bits = 32 / n;
  uint32_t keep = n == 4 ? 0xff : 0xffff;
  int low = inst.flags & SignedD ? -(1 << (bits - 1)) : 0;
  int high = inst.flags & SignedD ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
  forLanes(mask, [&](unsigned l) {
    uint32_t a = warp.narrow(inst.s(0))[l], b = warp.narrow(inst.s(1))[l];
    uint32_t c = warp.narrow(inst.s(2))[l], packed = 0;
    for (unsigned i = 0; i < n; ++i) {
      int r = compute(inst.kind, part(a, i, bits, inst.flags & SignedA),
                      part(b, i, bits, inst.flags & SignedB));
      if (inst.flags & Sat)
        r = std::clamp(r, low, high);
      c += static_cast<uint32_t>(r);
      packed |= (uint32_t(r) & keep) << (i * bits);
    }
    warp.narrow(inst.d(0))[l] = inst.flags & Sum ? c : packed;
  });
}

void decodeVideo(Decoder &d, uint8_t op, uint8_t parts) {
  Ty dt = d.type(), at = d.type(), bt = d.type();
  bool sat = d.has("sat"), sum = d.has("add");
  for (Ty ty : {dt, at, bt})
    if (ty != Ty::U32 && ty != Ty::S32)
      d.fail("'" + d.fullName() + "' does not take ." + typeName(ty));
  d.expectOperands(4);
  uint32_t a = d.src(d.op(1), at), b = d.src(d.op(2), bt),
           c = d.src(d.op(3), dt);
  Inst &inst = d.emit(execVideo, {d.dst(d.op(0), dt)}, {a, b, c});
  inst.kind = op;
  inst.vec = parts;
  inst.flags = (isSigned(at) ? SignedA : 0) | (isSigned(bt) ? SignedB : 0) |
               (isSigned(dt) ? SignedD : 0) | (sat ? Sat : 0) | (sum ? Sum : 0);
}

} // namespace

void addVideoOps(OpcodeTable &t) {
  t["vadd4"] = [](Decoder &d) { decodeVideo(d, VAdd, 4); };
  t["vsub4"] = [](Decoder &d) { decodeVideo(d, VSub, 4); };
  t["vavrg4"] = [](Decoder &d) { decodeVideo(d, VAvrg, 4); };
  t["vabsdiff4"] = [](Decoder &d) { decodeVideo(d, VAbsDiff, 4); };
  t["vmin4"] = [](Decoder &d) { decodeVideo(d, VMin, 4); };
  t["vmax4"] = [](Decoder &d) { decodeVideo(d, VMax, 4); };
  t["vadd2"] = [](Decoder &d) { decodeVideo(d, VAdd, 2); };
  t["vsub2"] = [](Decoder &d) { decodeVideo(d, VSub, 2); };
  t["vavrg2"] = [](Decoder &d) { decodeVideo(d, VAvrg, 2); };
  t["vabsdiff2"] = [](Decoder &d) { decodeVideo(d, VAbsDiff, 2); };
  t["vmin2"] = [](Decoder &d) { decodeVideo(d, VMin, 2); };
  t["vmax2"] = [](Decoder &d) { decodeVideo(d, VMax, 2); };
}

} // namespace fovea::sim
