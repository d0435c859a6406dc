// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calls: arguments move between places of the thread's frame or registers.
// Registers and frames of a function are static; a function that can reach
// itself has its lanes' state saved at the call and restored at the return.
#include "Lanes.h"
#include <cstring>

namespace fovea::sim {

namespace {

uint64_t loadValue(Warp &warp, const CallSite::Value &value, unsigned l,
                   uint32_t at, uint32_t bytes, bool &init) {
  uint64_t bits = 0;
  init = true;
  if (value.inFrame) {
    uint64_t offset = l * warp.program->localBytes + value.place + at;
    std::memcpy(&bits, warp.local + offset, bytes);
    if (warp.localInit)
      init = !std::memchr(warp.localInit + offset, 0, bytes);
  } else {
    bits = value.bytes == 8 ? warp.wide(value.place)[l]
                            : warp.narrow(value.place)[l];
    init = !((taintOf(warp, value.place) >> l) & 1);
  }
  return bits;
}

void storeValue(Warp &warp, const CallSite::Value &value, unsigned l,
                uint32_t at, uint32_t bytes, uint64_t bits, bool init) {
  if (value.inFrame) {
    uint64_t offset = l * warp.program->localBytes + value.place + at;
    std::memcpy(warp.local + offset, &bits, bytes);
    if (warp.localInit)
      std::memset(warp.localInit + offset, init, bytes);
    return;
  }
  if (value.bytes == 8)
    warp.wide(value.place)[l] = bits;
  else
    warp.narrow(value.place)[l] = static_cast<uint32_t>(bits);
  setTaint(warp, value.place, init ? 0 : 1u << l, 1u << l);
}

void moveValues(Warp &warp, const std::vector<CallSite::Value> &from,
                const std::vector<CallSite::Value> &to, uint32_t mask) {
  size_t n = std::min(from.size(), to.size());
  for (size_t i = 0; i < n; ++i) {
    uint32_t bytes = std::min(from[i].bytes, to[i].bytes);
    for (uint32_t at = 0; at < bytes; at += 8) {
      uint32_t part = std::min(8u, bytes - at);
      forLanes(mask, [&](unsigned l) {
        bool init;
        uint64_t bits = loadValue(warp, from[i], l, at, part, init);
        storeValue(warp, to[i], l, at, part, bits, init);
      });
    }
  }
}

/// Moves the lanes' cells and frame of a function to or from a buffer.
void transferState(Warp &warp, const FunctionCode &function, uint32_t mask,
                   std::vector<uint8_t> &buffer, bool save) {
  uint64_t frame = function.frameEnd - function.frameBase;
  uint64_t cellBytes = 128ull * (function.endCell - function.firstCell);
  if (save)
    buffer.resize(cellBytes + 32 * frame);
  auto *cells = reinterpret_cast<uint8_t *>(warp.narrow(function.firstCell));
  if (save) {
    std::memcpy(buffer.data(), cells, cellBytes);
  } else {
    // Lanes outside the mask keep what they have; predicates are a bit each.
    for (uint32_t c = function.firstCell; c < function.endCell; ++c) {
      const auto *saved = reinterpret_cast<const uint32_t *>(
          buffer.data() + 128ull * (c - function.firstCell));
      restoreCell(warp, c, saved, mask);
    }
  }
  forLanes(mask, [&](unsigned l) {
    uint8_t *at =
        warp.local + l * warp.program->localBytes + function.frameBase;
    uint8_t *slot = buffer.data() + cellBytes + l * frame;
    std::memcpy(save ? slot : at, save ? at : slot, frame);
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

bool Warp::call(size_t index, const Inst &inst, uint32_t active) {
  if (!settleGuard(index, active))
    return true;
  const CallSite &site = program->calls[inst.aux];
  uint32_t mask = fragments[index].mask;
  int callee = site.function;
  if (callee < 0) {
    // Lanes with other targets take their turn at this very instruction.
    const uint64_t *targets = wide(inst.s(0));
    uint64_t target = targets[std::countr_zero(mask)];
    uint32_t same = 0;
    forLanes(mask,
             [&](unsigned l) { same |= targets[l] == target ? 1u << l : 0; });
    if (same != mask)
      split(index, same, fragments[index].pc);
    mask = same;
    uint64_t number = (target - functionAddressBase) / 16;
    if (target < functionAddressBase || number >= program->functions.size() ||
        !program->functions[number].decoded) {
      launch->report("out-of-bounds", *this, std::countr_zero(mask), target, "",
                     "call through an address that is no function");
      throw StopLaunch();
    }
    callee = static_cast<int>(number);
  }
  const FunctionCode &function = program->functions[callee];
  Frame frame{fragments[index].pc + 1, fragments[index].pc, callee, nullptr};
  if (function.recursive) {
    if (fragments[index].stack.size() > 4096) {
      launch->report("out-of-bounds", *this, std::countr_zero(mask), 0, "",
                     "calls nest deeper than 4096");
      throw StopLaunch();
    }
    frame.saved = std::make_shared<std::vector<uint8_t>>();
    transferState(*this, function, mask, *frame.saved, true);
  }
  moveValues(*this, site.args, function.params, mask);
  Fragment &fragment = fragments[index];
  fragment.stack.push_back(std::move(frame));
  fragment.pc = function.entry;
  return fragments.size() == 1;
}

bool Warp::leave(size_t index) {
  Fragment &fragment = fragments[index];
  Frame frame = std::move(fragment.stack.back());
  fragment.stack.pop_back();
  const CallSite &site = program->calls[program->code[frame.callPc].aux];
  const FunctionCode &function = program->functions[frame.callee];
  if (frame.saved) {
    // Results move while the callee's frame is still in place, but their
    // destination may be restored over: keep them aside.
    std::vector<std::vector<uint64_t>> results;
    for (const CallSite::Value &value : function.results)
      for (uint32_t at = 0; at < value.bytes; at += 8) {
        std::vector<uint64_t> lanes(32);
        forLanes(fragment.mask, [&](unsigned l) {
          bool init;
          lanes[l] = loadValue(*this, value, l, at,
                               std::min(8u, value.bytes - at), init);
        });
        results.push_back(std::move(lanes));
      }
    transferState(*this, function, fragment.mask, *frame.saved, false);
    size_t next = 0;
    for (size_t i = 0; i < function.results.size(); ++i)
      for (uint32_t at = 0; at < function.results[i].bytes; at += 8, ++next) {
        if (i >= site.results.size())
          continue;
        const CallSite::Value &to = site.results[i];
        uint32_t bytes = std::min(8u, function.results[i].bytes - at);
        forLanes(fragment.mask, [&](unsigned l) {
          storeValue(*this, to, l, at, bytes, results[next][l], true);
        });
      }
  } else {
    moveValues(*this, function.results, site.results, fragment.mask);
  }
  fragment.pc = frame.returnPc;
  return fragments.size() == 1;
}

} // namespace fovea::sim
