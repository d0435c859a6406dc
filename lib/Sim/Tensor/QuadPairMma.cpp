// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// mma.m8n8k4 of f16 (ISA text, section 9.7.14.5.1): four products of 8 x 8 x 4
// at once, each of a quad pair, lanes 4 q .. 4 q + 3 and 16 more.
//
// With u = lane % 4, 4 more in the upper half of the warp, a lane holds
//   A: row u (row-major) or rows i + 0 or 4 of column lane % 4;
//   B: column u (column-major) or columns i + 0 or 4 of row lane % 4;
//   C, D of f16: row u; of f32: element i of row lane % 2 + (i & 2) + 0 or 4,
//   column (i & 4) + (lane & 2) + i % 2.
#include "Machine/Lanes.h"
#include "Program/Decoder.h"

namespace fovea::sim {
namespace {

enum QuadPairFlags : uint8_t { ARow = 1, BRow = 2, HalfC = 4, HalfD = 8 };

struct Spot {
  unsigned row, col;
};

unsigned upper(unsigned lane) { return lane < 16 ? 0 : 4; }

Spot spotOfA(unsigned lane, unsigned i, bool rowMajor) {
  return rowMajor ? Spot{lane % 4 + upper(lane), i}
                  : Spot{i + upper(lane), lane % 4};
}
Spot spotOfB(unsigned lane, unsigned i, bool rowMajor) {
  return rowMajor ? Spot{lane % 4, i + upper(lane)}
                  : Spot{i, lane % 4 + upper(lane)};
}
Spot spotOfC(unsigned lane, unsigned i, bool half) {
  return half ? Spot{lane % 4 + upper(lane), i}
              : Spot{lane % 2 + (i & 2) + upper(lane),
                     (i & 4) + (lane & 2) + i % 2};
}

float half(Warp &warp, uint32_t cell, unsigned lane, unsigned i) {
  return toFloat(
      F16{static_cast<uint16_t>(warp.narrow(cell)[lane] >> (16 * i))});
}

/// One quad pair's matrices, B as columns, and what was not written of them.
struct Product {
  float a[8][4] = {}, b[8][4] = {}, c[8][8] = {};
  bool dirtyRow[8] = {}, dirtyCol[8] = {}, dirty[8][8] = {};
};

void load(Warp &warp, const Inst &inst, unsigned lane, Product &p) {
  auto isDirty = [&](uint32_t cell) {
    return (taintOf(warp, cell) >> lane & 1) != 0;
  };
  for (unsigned i = 0; i < 4; ++i) {
    Spot a = spotOfA(lane, i, inst.flags & ARow);
    Spot b = spotOfB(lane, i, inst.flags & BRow);
    p.a[a.row][a.col] = half(warp, inst.s(i / 2), lane, i % 2);
    p.b[b.col][b.row] = half(warp, inst.s(2 + i / 2), lane, i % 2);
    p.dirtyRow[a.row] |= isDirty(inst.s(i / 2));
    p.dirtyCol[b.col] |= isDirty(inst.s(2 + i / 2));
  }
  bool isHalf = inst.flags & HalfC;
  for (unsigned i = 0; i < 8; ++i) {
    Spot at = spotOfC(lane, i, isHalf);
    uint32_t cell = inst.s(4 + (isHalf ? i / 2 : i));
    p.c[at.row][at.col] = isHalf
                              ? half(warp, cell, lane, i % 2)
                              : std::bit_cast<float>(warp.narrow(cell)[lane]);
    p.dirty[at.row][at.col] = isDirty(cell);
  }
}

void store(Warp &warp, const Inst &inst, unsigned lane, const Product &p) {
  bool isHalf = inst.flags & HalfD;
  for (unsigned i = 0; i < 8; ++i) {
    Spot at = spotOfC(lane, i, isHalf);
    uint32_t cell = inst.d(isHalf ? i / 2 : i);
    float value = p.c[at.row][at.col];
    uint32_t &word = warp.narrow(cell)[lane];
    if (!isHalf)
      word = canonicalBits(value);
    else if (i % 2)
      word = (word & 0xffff) | uint32_t(toF16(value).bits) << 16;
    else
      word = toF16(value).bits;
    bool dirty =
        p.dirty[at.row][at.col] || p.dirtyRow[at.row] || p.dirtyCol[at.col];
    uint32_t lanes = dirty ? 1u << lane : 0;
    if (isHalf && i % 2)
      lanes |= taintOf(warp, cell) & 1u << lane;
    setTaint(warp, cell, lanes, 1u << lane);
  }
}

void execQuadPairs(Warp &warp, const Inst &inst, uint32_t) {
  for (unsigned pair = 0; pair < 4; ++pair) {
    Product p;
    auto forPair = [&](auto f) {
      for (unsigned u = 0; u < 8; ++u)
        f(4 * pair + u % 4 + (u < 4 ? 0 : 16));
    };
    forPair([&](unsigned lane) { load(warp, inst, lane, p); });
    for (unsigned i = 0; i < 8; ++i)
      for (unsigned j = 0; j < 8; ++j) {
        // Hopper's tensor cores lack it: ptxas makes f32 operations in this
        // order (measured on an H200, docs/hardware.md).
        float sum = 0;
        for (unsigned k = 0; k < 4; ++k)
          sum = __builtin_fmaf(p.a[i][k], p.b[j][k], sum);
        p.c[i][j] += sum;
      }
    forPair([&](unsigned lane) { store(warp, inst, lane, p); });
  }
}

} // namespace

/// The opcode's .sync.aligned.m8n8k4 is taken; what follows must be of f16.
void decodeQuadPairs(Decoder &d) {
  std::string_view layouts[2];
  for (std::string_view &layout : layouts)
    layout = d.next("a layout");
  Ty dTy = d.type(), a = d.type(), b = d.type(), c = d.type();
  bool good = a == Ty::F16 && b == Ty::F16 && (c == Ty::F16 || c == Ty::F32) &&
              (dTy == Ty::F32 || (dTy == Ty::F16 && c == Ty::F16));
  for (std::string_view layout : layouts)
    good &= layout == "row" || layout == "col";
  if (!good)
    d.fail("'" + d.fullName() + "' is not supported");
  d.expectOperands(4);
  auto expect = [&](const std::vector<uint32_t> &cells, size_t n) {
    if (cells.size() != n)
      d.fail("'" + d.fullName() + "' expects " + std::to_string(n) +
             " registers, but got " + std::to_string(cells.size()));
  };
  std::vector<uint32_t> dests = d.dstList(d.op(0), Ty::B32), sources;
  expect(dests, dTy == Ty::F16 ? 4 : 8);
  const size_t counts[] = {2, 2, c == Ty::F16 ? 4u : 8u};
  for (size_t i = 0; i < 3; ++i) {
    std::vector<uint32_t> cells = d.srcList(d.op(i + 1), Ty::B32);
    expect(cells, counts[i]);
    sources.insert(sources.end(), cells.begin(), cells.end());
  }
  Inst &inst = d.emit(execQuadPairs, dests, sources, Pipe::Tensor);
  inst.flags = (layouts[0] == "row" ? ARow : 0) |
               (layouts[1] == "row" ? BRow : 0) | (c == Ty::F16 ? HalfC : 0) |
               (dTy == Ty::F16 ? HalfD : 0);
  inst.flow = Flow::Aligned;
  inst.ownTaint = true;
}

} // namespace fovea::sim
