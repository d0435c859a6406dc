// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Telling a loop that waits for ever from one that computes for long.
//
// If nothing in memory changes and a warp comes back to a loop's head with the
// registers that it had there before, it will do so for ever, unless a warp
// that it meets at barriers does not. After a while without a change the states
// at loop heads are compared with one kept from earlier; a new one is kept
// after 64, 128, 256, ... rounds, and only the 32 rounds after that are
// compared, so that a long computation costs little.
#include "Async/Async.h"
#include "Machine/Machine.h"
#include <bit>

namespace fovea::sim {

namespace {
uint64_t stateOf(const Warp &warp) {
  size_t n = size_t(warp.program->cellCount) * 16;
  const auto *words = reinterpret_cast<const uint64_t *>(warp.cells);
  uint64_t lanes[4] = {1, 2, 3, 4};
  for (size_t i = 0; i + 4 <= n; i += 4)
    for (size_t j = 0; j < 4; ++j)
      lanes[j] = (lanes[j] ^ words[i + j]) * 0x9e3779b97f4a7c15ull;
  uint64_t hash = warp.live;
  for (uint64_t lane : lanes)
    hash = (hash ^ std::rotl(lane, 29)) * 0x9e3779b97f4a7c15ull;
  for (const Fragment &fragment : warp.fragments)
    hash = (hash ^ fragment.mask) * 31 + fragment.state + fragment.pc;
  return hash;
}
} // namespace

void Warp::noteLoop(size_t index, uint32_t target) {
  if (loopChanges != cta->cluster->changes ||
      loopProgress != launch->progress) {
    loopChanges = cta->cluster->changes;
    loopProgress = launch->progress;
    loopCount = 0;
    loopPc = ~0u;
  }
  ++loopCount;
  if (loopCount < 64)
    return;
  if (std::has_single_bit(loopCount)) {
    loopHash = stateOf(*this);
    loopPc = target;
    return;
  }
  if (target == loopPc && loopCount - std::bit_floor(loopCount) <= 32 &&
      stateOf(*this) == loopHash) {
    fragments[index].spinsAt = loopChanges;
    fragments[index].spinsProgress = loopProgress;
  }
}

bool Cluster::onlySpins() const {
  if (async->canAdvance())
    return false;
  // Whoever stands at a barrier that no longer completes waits for good.
  bool barriersPass = executed - barrierAt <= quietLimit, any = false;
  for (const Cta &cta : ctas)
    for (const Warp &warp : cta.warps)
      for (const Fragment &fragment : warp.fragments) {
        bool ready = fragment.state == Fragment::Ready;
        any |= ready;
        bool runs =
            ready || (fragment.state == Fragment::AtBarrier && barriersPass);
        if (runs && (fragment.spinsAt != changes ||
                     fragment.spinsProgress != launch->progress))
          return false;
      }
  return any;
}

} // namespace fovea::sim
