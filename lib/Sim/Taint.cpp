// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The bytes of partly written registers: see the header.
#include "Taint.h"

namespace fovea::sim {

void forgetPartial(Warp &warp, uint32_t cell, uint32_t mask) {
  auto known = warp.partial.find(cell);
  if (known == warp.partial.end())
    return;
  bool any = false;
  for (unsigned l = 0; l < 32; ++l) {
    if ((mask >> l) & 1)
      known->second[l] = 0;
    any |= known->second[l] != 0;
  }
  if (!any)
    warp.partial.erase(known);
}

void notePartial(Warp &warp, uint32_t cell, unsigned lane, uint8_t written) {
  if (!warp.taint)
    return;
  warp.taint[cell] |= 1u << lane;
  auto [known, isNew] = warp.partial.try_emplace(cell);
  if (isNew)
    known->second.fill(0);
  known->second[lane] = written;
}

void copyPartial(Warp &warp, uint32_t to, uint32_t from, uint32_t mask) {
  uint32_t lanes = taintOf(warp, from) & mask;
  uint8_t written[32] = {};
  forLanes(lanes,
           [&](unsigned l) { written[l] = writtenBytes(warp, from, l); });
  setTaint(warp, to, lanes, mask);
  forLanes(lanes, [&](unsigned l) {
    if (written[l])
      notePartial(warp, to, l, written[l]);
  });
}

} // namespace fovea::sim
