// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Wavefronts and sectors: see the header.
#include "Wavefronts.h"
#include <algorithm>

namespace fovea::sim {

namespace {

/// Different values of address / unit that the lanes touch, at most 32 * 8.
template <class F>
unsigned distinct(const uint64_t *addresses, uint32_t mask, unsigned bytes,
                  unsigned unit, F each) {
  uint64_t touched[32 * 9];
  unsigned n = 0;
  for (unsigned l = 0; l < 32; ++l) {
    if (!((mask >> l) & 1))
      continue;
    for (uint64_t at = addresses[l] / unit;
         at <= (addresses[l] + bytes - 1) / unit; ++at)
      touched[n++] = at;
  }
  std::sort(touched, touched + n);
  n = static_cast<unsigned>(std::unique(touched, touched + n) - touched);
  for (unsigned i = 0; i < n; ++i)
    each(touched[i]);
  return n;
}

unsigned busiestBank(const uint64_t *addresses, uint32_t mask, unsigned bytes) {
  unsigned inBank[32] = {}, worst = 0;
  distinct(addresses, mask, bytes, 4, [&](uint64_t word) {
    worst = std::max(worst, ++inBank[word % 32]);
  });
  return worst;
}

unsigned lanesAtOnce(unsigned bytes) {
  return bytes <= 4 ? 32 : bytes <= 8 ? 16 : 8;
}

uint32_t laneRange(unsigned first, unsigned count) {
  return (count == 32 ? ~0u : (1u << count) - 1) << first;
}

/// Lanes `distance` apart ask for the same, or one of them for nothing.
bool inPairs(const uint64_t *addresses, uint32_t mask, unsigned distance) {
  for (unsigned l = 0; l < 32; ++l) {
    unsigned other = l ^ distance;
    if (((mask >> l) & 1) && ((mask >> other) & 1) &&
        addresses[l] != addresses[other])
      return false;
  }
  return true;
}

/// The first lane of each address.
uint32_t differentLanes(const uint64_t *addresses, uint32_t mask) {
  uint32_t chosen = 0;
  for (unsigned l = 0; l < 32; ++l) {
    bool isNew = (mask >> l) & 1;
    for (unsigned other = 0; other < l && isNew; ++other)
      isNew = !((chosen >> other) & 1) || addresses[other] != addresses[l];
    chosen |= isNew ? 1u << l : 0;
  }
  return chosen;
}

} // namespace

SharedCost sharedCost(const uint64_t *addresses, uint32_t mask, unsigned bytes,
                      Traffic traffic) {
  SharedCost cost;
  unsigned lanes = lanesAtOnce(bytes);
  if (lanes < 32 && traffic == Traffic::Load &&
      (inPairs(addresses, mask, 1) || inPairs(addresses, mask, 2)))
    lanes *= 2;
  for (unsigned first = 0; first < 32; first += lanes)
    if (uint32_t part = mask & laneRange(first, lanes)) {
      cost.wavefronts += busiestBank(addresses, part, bytes);
      ++cost.least;
    }
  return cost;
}

GlobalCost globalCost(const uint64_t *addresses, uint32_t mask, unsigned bytes,
                      Traffic traffic) {
  GlobalCost cost;
  auto ignore = [](uint64_t) {};
  unsigned lanes = lanesAtOnce(bytes);
  while (mask) {
    uint32_t together =
        traffic == Traffic::Atomic ? differentLanes(addresses, mask) : mask;
    for (unsigned first = 0; first < 32; first += lanes)
      cost.wavefronts += distinct(addresses, together & laneRange(first, lanes),
                                  bytes, 128, ignore);
    cost.sectors += distinct(addresses, together, bytes, 32, ignore);
    mask &= ~together;
  }
  return cost;
}

unsigned copySectors(const uint64_t *from, const uint64_t *to, uint32_t mask) {
  uint64_t pairs[32];
  unsigned n = 0;
  for (unsigned l = 0; l < 32; ++l)
    if ((mask >> l) & 1)
      pairs[n++] = from[l] / 32 << 24 ^ (to[l] & 0xffffffff) / 32;
  std::sort(pairs, pairs + n);
  return static_cast<unsigned>(std::unique(pairs, pairs + n) - pairs);
}

} // namespace fovea::sim
