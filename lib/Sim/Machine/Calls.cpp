// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calls: arguments move between places of the thread's frame or registers.
// Registers and frames of a function are static and start unwritten in each
// call; a function that can reach itself has its lanes' state saved at the call
// and restored at the return.
#include "Calls.h"
#include "Access.h"
#include <algorithm>
#include <cstring>

namespace fovea::sim {

CallValues::CallValues(Warp &warp, const std::vector<CallSite::Value> &from,
                       uint32_t mask) {
  for (const CallSite::Value &value : from) {
    Item item{value.bytes, std::vector<uint8_t>(32 * value.bytes),
              std::vector<uint8_t>(32 * value.bytes, 1)};
    forLanes(mask, [&](unsigned l) {
      uint8_t *data = item.data.data() + l * value.bytes;
      uint8_t *init = item.init.data() + l * value.bytes;
      if (value.inFrame) {
        uint64_t at = l * warp.program->localBytes + value.place;
        std::memcpy(data, warp.local + at, value.bytes);
        if (warp.localInit)
          std::memcpy(init, warp.localInit + at, value.bytes);
        return;
      }
      uint64_t bits = value.bytes == 8 ? warp.wide(value.place)[l]
                                       : warp.narrow(value.place)[l];
      std::memcpy(data, &bits, value.bytes);
      Written written = writtenBytes(warp, value.place, l);
      for (unsigned i = 0; i < value.bytes; ++i)
        init[i] = (written >> i) & 1;
    });
    items.push_back(std::move(item));
  }
}

CallValues::CallValues(const uint64_t (&results)[32],
                       const std::vector<CallSite::Value> &to) {
  if (to.empty())
    return;
  uint32_t bytes = std::min(to[0].bytes, 8u);
  Item item{bytes, std::vector<uint8_t>(32 * bytes),
            std::vector<uint8_t>(32 * bytes, 1)};
  for (unsigned l = 0; l < 32; ++l)
    std::memcpy(item.data.data() + l * bytes, &results[l], bytes);
  items.push_back(std::move(item));
}

void CallValues::store(Warp &warp, const std::vector<CallSite::Value> &to,
                       uint32_t mask) const {
  for (size_t i = 0; i < std::min(items.size(), to.size()); ++i) {
    const CallSite::Value &value = to[i];
    uint32_t bytes = std::min(items[i].bytes, value.bytes);
    forLanes(mask, [&](unsigned l) {
      const uint8_t *data = items[i].data.data() + l * items[i].bytes;
      const uint8_t *init = items[i].init.data() + l * items[i].bytes;
      if (value.inFrame) {
        uint64_t at = l * warp.program->localBytes + value.place;
        std::memcpy(warp.local + at, data, bytes);
        if (warp.localInit)
          std::memcpy(warp.localInit + at, init, bytes);
        return;
      }
      uint64_t bits = 0;
      std::memcpy(&bits, data, bytes);
      if (value.bytes == 8)
        warp.wide(value.place)[l] = bits;
      else
        warp.narrow(value.place)[l] = static_cast<uint32_t>(bits);
      Written written = allBytes;
      for (unsigned b = 0; b < bytes; ++b)
        written &= static_cast<Written>(~(init[b] ? 0u : 1u << b));
      setWritten(warp, value.place, l, written);
    });
  }
}

uint64_t CallValues::get(size_t i, unsigned lane) const {
  uint64_t bits = 0;
  if (i < items.size())
    std::memcpy(&bits, items[i].data.data() + lane * items[i].bytes,
                std::min(items[i].bytes, 8u));
  return bits;
}

bool CallValues::isWritten(size_t i, unsigned lane) const {
  return i >= items.size() ||
         !std::memchr(items[i].init.data() + lane * items[i].bytes, 0,
                      items[i].bytes);
}

namespace {

/// The lanes' cells, frame and what was written of both.
class SavedState {
public:
  SavedState(Warp &warp, const FunctionCode &function,
             std::vector<uint8_t> &buffer, uint32_t mask)
      : warp(warp), function(function), buffer(buffer), mask(mask) {
    buffer.resize(cellBytes() + 4 * cellCount() + 64 * frameBytes());
  }
  void save() {
    std::memcpy(buffer.data(), warp.narrow(function.firstCell), cellBytes());
    if (warp.taint)
      std::memcpy(taint(), warp.taint + function.firstCell, 4 * cellCount());
    forFrames([](uint8_t *slot, uint8_t *at, uint64_t n) {
      std::memcpy(slot, at, n);
    });
  }
  /// Lanes outside the mask keep what they have.
  void restore() {
    for (uint32_t c = function.firstCell; c < function.endCell; ++c) {
      uint32_t index = c - function.firstCell;
      restoreCell(
          warp, c,
          reinterpret_cast<const uint32_t *>(buffer.data()) + 32 * index, mask);
      setTaint(warp, c, taint()[index], mask);
    }
    forFrames([](uint8_t *slot, uint8_t *at, uint64_t n) {
      std::memcpy(at, slot, n);
    });
  }

private:
  uint64_t cellCount() const { return function.endCell - function.firstCell; }
  uint64_t cellBytes() const { return 128 * cellCount(); }
  uint64_t frameBytes() const { return function.frameEnd - function.frameBase; }
  uint32_t *taint() {
    return reinterpret_cast<uint32_t *>(buffer.data() + cellBytes());
  }
  /// f(saved, live, bytes) for the frame of each lane and its written bytes.
  template <class F> void forFrames(F f) {
    uint8_t *slots = buffer.data() + cellBytes() + 4 * cellCount();
    forLanes(mask, [&](unsigned l) {
      uint64_t at = l * warp.program->localBytes + function.frameBase;
      f(slots + l * frameBytes(), warp.local + at, frameBytes());
      if (warp.localInit)
        f(slots + (32 + l) * frameBytes(), warp.localInit + at, frameBytes());
    });
  }

  Warp &warp;
  const FunctionCode &function;
  std::vector<uint8_t> &buffer;
  uint32_t mask;
};

/// Registers and frame of a function as a call finds them.
void clearState(Warp &warp, const FunctionCode &function, uint32_t mask) {
  if (!warp.taint)
    return;
  for (uint32_t c = function.firstCell; c < function.endCell; ++c)
    setTaint(warp, c, allLanes, mask);
  forLanes(mask, [&](unsigned l) {
    std::memset(warp.localInit + l * warp.program->localBytes +
                    function.frameBase,
                0, function.frameEnd - function.frameBase);
  });
}

} // namespace

void restoreCell(Warp &warp, uint32_t cell, const uint32_t *saved,
                 uint32_t mask) {
  CellShape shape = warp.program->shapes[cell];
  uint32_t *to = warp.narrow(cell);
  if (shape == CellShape::Pred) {
    to[0] = (to[0] & ~mask) | (saved[0] & mask);
    return;
  }
  // A 64-bit value takes two cells: lanes 0 to 15 lie in the first.
  for (unsigned w = 0; w < 32; ++w) {
    unsigned lane = shape == CellShape::Narrow   ? w
                    : shape == CellShape::WideLo ? w / 2
                                                 : 16 + w / 2;
    if ((mask >> lane) & 1)
      to[w] = saved[w];
  }
}

/// The callee of a call; an indirect one takes the lanes with one target.
int Warp::calleeOf(size_t index, const Inst &inst) {
  int callee = program->calls[inst.aux].function;
  if (callee >= 0)
    return callee;
  // Lanes with other targets take their turn at this very instruction.
  uint32_t mask = fragments[index].mask, same = 0;
  const uint64_t *targets = wide(inst.s(0));
  uint64_t target = targets[std::countr_zero(mask)];
  forLanes(mask,
           [&](unsigned l) { same |= targets[l] == target ? 1u << l : 0; });
  if (same != mask)
    split(index, same, fragments[index].pc);
  uint64_t number = (target - functionAddressBase) / 16;
  if (target < functionAddressBase || number >= program->functions.size() ||
      !program->functions[number].decoded) {
    launch->report("out-of-bounds", *this, std::countr_zero(same), target, "",
                   "call through an address that is no function");
    throw StopLaunch();
  }
  return static_cast<int>(number);
}

bool Warp::call(size_t index, const Inst &inst, uint32_t active) {
  if (!settleGuard(index, active))
    return true;
  if (inst.ns && taint)
    reportTaint(*this, taint[inst.s(0)] & fragments[index].mask, 0,
                "the address of a call");
  int callee = calleeOf(index, inst);
  uint32_t mask = fragments[index].mask;
  const FunctionCode &function = program->functions[callee];
  Frame frame{fragments[index].pc + 1, fragments[index].pc, callee, nullptr};
  CallValues arguments(*this, program->calls[inst.aux].args, mask);
  if (function.recursive) {
    if (fragments[index].stack.size() > 4096) {
      launch->report("out-of-bounds", *this, std::countr_zero(mask), 0, "",
                     "calls nest deeper than 4096");
      throw StopLaunch();
    }
    frame.saved = std::make_shared<std::vector<uint8_t>>();
    SavedState(*this, function, *frame.saved, mask).save();
  }
  clearState(*this, function, mask);
  arguments.store(*this, function.params, mask);
  Fragment &fragment = fragments[index];
  stack.enter(fragment.stack.size(), mask);
  fragment.stack.push_back(std::move(frame));
  fragment.pc = function.entry;
  return fragments.size() == 1;
}

bool Warp::leave(size_t index) {
  Fragment &fragment = fragments[index];
  Frame frame = std::move(fragment.stack.back());
  fragment.stack.pop_back();
  stack.leave(fragment.stack.size(), fragment.mask);
  const CallSite &site = program->calls[program->code[frame.callPc].aux];
  const FunctionCode &function = program->functions[frame.callee];
  CallValues results(*this, function.results, fragment.mask);
  if (frame.saved)
    SavedState(*this, function, *frame.saved, fragment.mask).restore();
  results.store(*this, site.results, fragment.mask);
  fragment.pc = frame.returnPc;
  return fragments.size() == 1;
}

} // namespace fovea::sim
