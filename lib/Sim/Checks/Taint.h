// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Taint beyond a bit for each register and lane: what is known of single bytes.
//
// A structure with padding is copied in words of which some bytes were never
// written, and a compiler packs a register of which it needs one half only.
// Such a register is tainted, and here is kept which of its bytes were
// written. Moves, selections, shuffles and what moves whole bytes pass it on;
// every other instruction leaves its result unwritten as a whole. A store of
// such a word is no use of the missing bytes, unless they came from a register
// that was unwritten as a whole.
#ifndef FOVEA_LIB_SIM_TAINT_H
#define FOVEA_LIB_SIM_TAINT_H

#include "Machine/Lanes.h"

namespace fovea::sim {

/// Bytes that were written, a bit a byte, and whether a whole register is
/// missing.
using Written = uint16_t;
constexpr Written allBytes = 0xff, wholeMissing = 0x100;

/// Of a lane's register.
inline Written writtenBytes(const Warp &warp, uint32_t cell, unsigned lane) {
  if (!((taintOf(warp, cell) >> lane) & 1))
    return allBytes;
  auto known = warp.partial.find(cell);
  return known == warp.partial.end() || !known->second[lane]
             ? wholeMissing
             : known->second[lane];
}

/// Sets the taint of a lane's register to what is known of its bytes.
void setWritten(Warp &warp, uint32_t cell, unsigned lane, Written written);
void copyPartial(Warp &warp, uint32_t to, uint32_t from, uint32_t mask);

/// `to` becomes a copy of `from`.
inline void copyTaint(Warp &warp, uint32_t to, uint32_t from, uint32_t mask) {
  if (!warp.taint)
    return;
  if (!warp.partial.empty())
    return copyPartial(warp, to, from, mask);
  warp.taint[to] = (warp.taint[to] & ~mask) | (warp.taint[from] & mask);
}

/// The taint of an instruction with Inst::bytewise, before it is executed.
void propagateBytes(Warp &warp, const Inst &inst, uint32_t mask);

/// Lanes of a & b that depend on something unwritten: a written 0 decides.
inline uint32_t taintOfAnd(uint32_t a, uint32_t aTaint, uint32_t b,
                           uint32_t bTaint) {
  return (aTaint | bTaint) & (aTaint | a) & (bTaint | b);
}
/// Of a | b: a written 1 decides.
inline uint32_t taintOfOr(uint32_t a, uint32_t aTaint, uint32_t b,
                          uint32_t bTaint) {
  return taintOfAnd(~a, aTaint, ~b, bTaint);
}

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_TAINT_H
