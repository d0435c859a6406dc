// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Taint beyond a bit for each register and lane: what is known of single bytes.
//
// A structure with padding is copied in words of which some bytes were never
// written. Such a load taints its register, and here is kept which bytes were
// written, so that a copy of the word can be stored again without a finding.
// Moves, selections and shuffles pass it on; every other instruction loses it
// and leaves the register unwritten as a whole.
#ifndef FOVEA_LIB_SIM_TAINT_H
#define FOVEA_LIB_SIM_TAINT_H

#include "Lanes.h"

namespace fovea::sim {

constexpr uint8_t allBytes = 0xff;

/// Bytes of a lane's register that were written, a bit a byte.
inline uint8_t writtenBytes(const Warp &warp, uint32_t cell, unsigned lane) {
  if (!((taintOf(warp, cell) >> lane) & 1))
    return allBytes;
  auto known = warp.partial.find(cell);
  return known == warp.partial.end() ? 0 : known->second[lane];
}

/// The register of a lane is tainted, but these bytes were written.
void notePartial(Warp &warp, uint32_t cell, unsigned lane, uint8_t written);
void copyPartial(Warp &warp, uint32_t to, uint32_t from, uint32_t mask);

/// `to` becomes a copy of `from`.
inline void copyTaint(Warp &warp, uint32_t to, uint32_t from, uint32_t mask) {
  if (!warp.taint)
    return;
  if (!warp.partial.empty())
    return copyPartial(warp, to, from, mask);
  warp.taint[to] = (warp.taint[to] & ~mask) | (warp.taint[from] & mask);
}

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
