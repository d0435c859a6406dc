// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// ldmatrix, stmatrix, movmatrix: 8 x 8 matrices of 16-bit elements between
// shared memory and a warp (ISA text, sections 9.7.14.5.15 to 9.7.14.5.17).
//
// Lane 8 i + r gives the address of row r of matrix i. Lane t holds elements
// (t / 4, 2 (t % 4)) and the next in the row; with .trans, of the transpose.
#include "Machine/Access.h"
#include "Machine/Lanes.h"
#include "Program/Decoder.h"
#include <cstring>

namespace fovea::sim {
namespace {

struct Matrix {
  uint16_t at[8][8];
};

/// Row and column of the two elements of a lane.
struct Elements {
  unsigned row[2], col[2];
};
Elements elementsOf(unsigned lane, bool trans) {
  unsigned g = lane / 4, c = 2 * (lane % 4);
  if (trans)
    return {{c, c + 1}, {g, g}};
  return {{g, g}, {c, c + 1}};
}

void execLdMatrix(Warp &warp, const Inst &inst, uint32_t) {
  Matrix matrices[4], dirty[4];
  std::memset(dirty, 0, sizeof dirty);
  uint64_t addresses[32];
  unsigned rows = 8u * inst.vec;
  uint32_t mask = rows == 32 ? allLanes : (1u << rows) - 1;
  if (warp.taint)
    reportTaint(warp, taintOf(warp, inst.s(0)) & mask, 0, "an address");
  bool anyDirty = false;
  for (unsigned l = 0; l < rows; ++l) {
    uint16_t *row = matrices[l / 8].at[l % 8];
    addresses[l] = laneAddress(warp, inst, inst.s(0), l);
    Place place;
    if (!locate(warp, inst, l, inst.space, addresses[l], 16, 16, false,
                place)) {
      std::memset(row, 0, 16);
      continue;
    }
    if (!readPlace(warp, l, place, row, 16))
      continue;
    anyDirty = true;
    for (unsigned c = 0; c < 8; ++c)
      dirty[l / 8].at[l % 8][c] = !place.init[2 * c] || !place.init[2 * c + 1];
  }
  if (warp.counts)
    countAccess(warp, inst, inst.space, addresses, mask, 16);
  bool trans = inst.flags & 1;
  for (unsigned m = 0; m < inst.vec; ++m) {
    uint32_t *d = warp.narrow(inst.d(m)), taint = 0;
    for (unsigned l = 0; l < 32; ++l) {
      Elements e = elementsOf(l, trans);
      d[l] = uint32_t(matrices[m].at[e.row[0]][e.col[0]]) |
             uint32_t(matrices[m].at[e.row[1]][e.col[1]]) << 16;
      if (anyDirty &&
          (dirty[m].at[e.row[0]][e.col[0]] || dirty[m].at[e.row[1]][e.col[1]]))
        taint |= 1u << l;
    }
    setTaint(warp, inst.d(m), taint, allLanes);
  }
}

void execStMatrix(Warp &warp, const Inst &inst, uint32_t) {
  bool trans = inst.flags & 1;
  unsigned rows = 8u * inst.vec;
  uint32_t mask = rows == 32 ? allLanes : (1u << rows) - 1;
  Matrix matrices[4];
  if (warp.taint)
    reportTaint(warp, taintOf(warp, inst.s(0)) & mask, 0, "an address");
  for (unsigned m = 0; m < inst.vec; ++m) {
    const uint32_t *s = warp.narrow(inst.s(1 + m));
    if (warp.taint)
      reportTaint(warp, taintOf(warp, inst.s(1 + m)), 0, "a store");
    for (unsigned l = 0; l < 32; ++l) {
      Elements e = elementsOf(l, trans);
      matrices[m].at[e.row[0]][e.col[0]] = static_cast<uint16_t>(s[l]);
      matrices[m].at[e.row[1]][e.col[1]] = static_cast<uint16_t>(s[l] >> 16);
    }
  }
  uint64_t addresses[32];
  for (unsigned l = 0; l < rows; ++l) {
    addresses[l] = laneAddress(warp, inst, inst.s(0), l);
    Place place;
    if (locate(warp, inst, l, inst.space, addresses[l], 16, 16, true, place))
      writePlace(warp, l, place, matrices[l / 8].at[l % 8], 16);
  }
  ++warp.cta->cluster->events;
  if (warp.counts)
    countAccess(warp, inst, inst.space, addresses, mask, 16);
}

void execMovMatrix(Warp &warp, const Inst &inst, uint32_t) {
  Matrix matrix;
  const uint32_t *s = warp.narrow(inst.s(0));
  for (unsigned l = 0; l < 32; ++l) {
    matrix.at[l / 4][2 * (l % 4)] = static_cast<uint16_t>(s[l]);
    matrix.at[l / 4][2 * (l % 4) + 1] = static_cast<uint16_t>(s[l] >> 16);
  }
  uint32_t *d = warp.narrow(inst.d(0));
  for (unsigned l = 0; l < 32; ++l) {
    Elements e = elementsOf(l, true);
    d[l] = uint32_t(matrix.at[e.row[0]][e.col[0]]) |
           uint32_t(matrix.at[e.row[1]][e.col[1]]) << 16;
  }
  if (warp.taint)
    setTaint(warp, inst.d(0), taintOf(warp, inst.s(0)) ? allLanes : 0,
             allLanes);
}

unsigned takeShape(Decoder &d) {
  if (!d.has("sync") || !d.has("aligned") || !d.has("m8n8"))
    d.fail("'" + d.fullName() + "' must be .sync.aligned.m8n8");
  std::string_view n = d.oneOf({"x1", "x2", "x4"});
  return n == "x4" ? 4 : n == "x2" ? 2 : 1;
}

void decodeLdSt(Decoder &d, bool isLoad) {
  unsigned n = takeShape(d);
  bool trans = d.has("trans");
  d.oneOf({"shared::cta", "shared"});
  Ty ty = d.type();
  if (ty != Ty::B16)
    d.fail("'" + d.fullName() + "' does not take ." + typeName(ty));
  d.expectOperands(2);
  const Operand &registers = d.op(isLoad ? 0 : 1);
  std::vector<uint32_t> cells =
      isLoad ? d.dstList(registers, Ty::B32) : d.srcList(registers, Ty::B32);
  if (cells.size() != n)
    d.fail("'" + d.fullName() + "' expects " + std::to_string(n) +
           " registers, but got " + std::to_string(cells.size()));
  Inst at;
  uint32_t base = d.address(at, d.op(isLoad ? 1 : 0));
  if (!isLoad)
    cells.insert(cells.begin(), base);
  Inst &inst = isLoad ? d.emit(execLdMatrix, cells, {base}, Pipe::Lsu)
                      : d.emit(execStMatrix, {}, cells, Pipe::Lsu);
  inst.flow = Flow::Aligned;
  inst.imm = at.imm;
  inst.addrBits = at.addrBits;
  inst.space = Space::Shared;
  inst.vec = static_cast<uint8_t>(n);
  inst.flags = trans;
  inst.ownTaint = true;
}

void decodeMovMatrix(Decoder &d) {
  takeShape(d);
  if (!d.has("trans"))
    d.fail("'" + d.fullName() + "' lacks '.trans'");
  Ty ty = d.type();
  if (ty != Ty::B16)
    d.fail("'" + d.fullName() + "' does not take ." + typeName(ty));
  d.expectOperands(2);
  uint32_t a = d.src(d.op(1), Ty::B32);
  Inst &inst = d.emit(execMovMatrix, {d.dst(d.op(0), Ty::B32)}, {a});
  inst.flow = Flow::Aligned;
  inst.ownTaint = true;
}

} // namespace

void addMatrixOps(OpcodeTable &t) {
  t["ldmatrix"] = [](Decoder &d) { decodeLdSt(d, true); };
  t["stmatrix"] = [](Decoder &d) { decodeLdSt(d, false); };
  t["movmatrix"] = decodeMovMatrix;
}

} // namespace fovea::sim
