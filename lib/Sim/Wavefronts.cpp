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

} // namespace

SharedCost sharedCost(const uint64_t *addresses, uint32_t mask,
                      unsigned bytes) {
  SharedCost cost;
  unsigned lanes = lanesAtOnce(bytes);
  auto serve = [&](uint32_t part) {
    if (!part)
      return;
    cost.wavefronts += busiestBank(addresses, part, bytes);
    ++cost.least;
  };
  for (unsigned first = 0; first < 32;) {
    uint32_t both = mask & laneRange(first, std::min(32u, 2 * lanes));
    if (lanes == 32 || inPairs(addresses, both, 1) ||
        inPairs(addresses, both, 2)) {
      serve(both);
    } else {
      serve(both & laneRange(first, lanes));
      serve(both & laneRange(first + lanes, lanes));
    }
    first += std::min(32u, 2 * lanes);
  }
  return cost;
}

SectorCost sectorCost(const uint64_t *addresses, uint32_t mask,
                      unsigned bytes) {
  SectorCost cost;
  auto ignore = [](uint64_t) {};
  unsigned lanes = lanesAtOnce(bytes);
  for (unsigned first = 0; first < 32; first += lanes)
    cost.sectors +=
        distinct(addresses, mask & laneRange(first, lanes), bytes, 32, ignore);
  cost.least = distinct(addresses, mask, bytes, 32, ignore);
  return cost;
}

} // namespace fovea::sim
