// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// alloca, stacksave, stackrestore (ISA text, section 9.7.17): see the header.
#include "Stack.h"
#include "Access.h"
#include "Lanes.h"
#include "Program/Decoder.h"
#include <algorithm>
#include <cstring>

namespace fovea::sim {

namespace {
constexpr uint32_t gap = 16;
} // namespace

Stack::Tops &Stack::touch() {
  if (tops.empty()) {
    tops.emplace_back();
    tops[0].fill(0);
    blocks.resize(32);
  }
  return tops[0];
}

bool Stack::allocate(unsigned lane, uint64_t size, uint64_t align,
                     uint64_t &offset) {
  uint32_t &top = touch()[lane];
  offset = (top + gap + align - 1) / align * align;
  if (size > bytes || offset + size > bytes)
    return false;
  top = static_cast<uint32_t>(offset + size);
  blocks[lane].push_back({static_cast<uint32_t>(offset), top});
  return true;
}

void Stack::restore(unsigned lane, uint64_t offset) {
  touch()[lane] = static_cast<uint32_t>(offset);
  std::erase_if(blocks[lane],
                [offset](const Block &block) { return block.end > offset; });
}

bool Stack::holds(unsigned lane, uint64_t offset, uint64_t size) const {
  return isUsed() && std::any_of(blocks[lane].begin(), blocks[lane].end(),
                                 [&](const Block &block) {
                                   return offset >= block.begin &&
                                          offset + size <= block.end;
                                 });
}

void Stack::enter(size_t depth, uint32_t mask) {
  if (!isUsed())
    return;
  if (tops.size() < depth + 2)
    tops.resize(depth + 2);
  forLanes(mask, [&](unsigned l) { tops[depth + 1][l] = tops[0][l]; });
}

void Stack::leave(size_t depth, uint32_t mask) {
  if (!isUsed())
    return;
  // What was allocated before the first alloca of the program is nothing.
  forLanes(mask, [&](unsigned l) {
    restore(l, depth + 1 < tops.size() ? tops[depth + 1][l] : 0);
  });
}

namespace {

/// The window of the stack in local addresses.
uint64_t baseOf(const Warp &warp) { return warp.program->stackBase; }

template <class W>
void execAlloca(Warp &warp, const Inst &inst, uint32_t mask) {
  if (warp.taint)
    reportTaint(warp, taintOf(warp, inst.s(0)) & mask, 0, "the size of alloca");
  forLanes(mask, [&](unsigned l) {
    uint64_t size = cellsOf<W>(warp, inst.s(0))[l], offset = 0;
    if (!warp.stack.allocate(l, size, static_cast<uint64_t>(inst.imm),
                             offset)) {
      warp.launch->report("out-of-bounds", warp, static_cast<int>(l), 0, "",
                          "alloca of " + std::to_string(size) +
                              " bytes overflows the stack of " +
                              std::to_string(Stack::bytes));
      throw StopLaunch();
    }
    uint64_t address = baseOf(warp) + offset;
    if (warp.localInit)
      std::memset(warp.localInit + l * warp.program->localBytes + address, 0,
                  size);
    cellsOf<W>(warp, inst.d(0))[l] = static_cast<W>(address);
  });
  setTaint(warp, inst.d(0), 0, mask);
}

template <class W> void execSave(Warp &warp, const Inst &inst, uint32_t mask) {
  forLanes(mask, [&](unsigned l) {
    cellsOf<W>(warp, inst.d(0))[l] =
        static_cast<W>(baseOf(warp) + warp.stack.top(l));
  });
}

template <class W>
void execRestore(Warp &warp, const Inst &inst, uint32_t mask) {
  forLanes(mask, [&](unsigned l) {
    warp.stack.restore(l, cellsOf<W>(warp, inst.s(0))[l] - baseOf(warp));
  });
}

Ty takeType(Decoder &d) {
  d.program.usesStack = true;
  Ty ty = d.type();
  if (ty != Ty::U32 && ty != Ty::U64)
    d.fail("'" + d.fullName() + "' does not take ." + typeName(ty));
  return ty;
}

void decodeAlloca(Decoder &d) {
  Ty ty = takeType(d);
  d.expectOperands(2, 3);
  uint64_t align = d.count() > 2 ? d.immediate(d.op(2)) : 8;
  if (!std::has_single_bit(align) || align > 1u << 23)
    d.fail("'" + d.fullName() + "' cannot align to " + std::to_string(align));
  uint32_t size = d.src(d.op(1), ty);
  Inst &inst =
      d.emit(ty == Ty::U64 ? execAlloca<uint64_t> : execAlloca<uint32_t>,
             {d.dst(d.op(0), ty)}, {size});
  inst.imm = static_cast<int64_t>(std::max<uint64_t>(align, 8));
  inst.ownTaint = true;
}

void decodeSave(Decoder &d) {
  Ty ty = takeType(d);
  d.expectOperands(1);
  d.emit(ty == Ty::U64 ? execSave<uint64_t> : execSave<uint32_t>,
         {d.dst(d.op(0), ty)}, {});
}

void decodeRestore(Decoder &d) {
  Ty ty = takeType(d);
  d.expectOperands(1);
  uint32_t top = d.src(d.op(0), ty);
  d.emit(ty == Ty::U64 ? execRestore<uint64_t> : execRestore<uint32_t>, {},
         {top});
}

} // namespace

void addStackOps(OpcodeTable &t) {
  t["alloca"] = decodeAlloca;
  t["stacksave"] = decodeSave;
  t["stackrestore"] = decodeRestore;
}

} // namespace fovea::sim
