// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What one request of a warp costs in memory, by its addresses. The rules were
// fitted to an H200 (tools/fovea-sim/hardware/throughput.py): all of 606
// patterns of shared memory take the wavefronts that follow.
//
// Shared memory has 32 banks of four bytes and serves one word of each in a
// wavefront; equal words are served together. A request of 4 bytes a lane is
// served for all lanes at once, one of 8 bytes in halves of the warp, one of
// 16 bytes in quarters, and it takes as many wavefronts as the busiest bank
// of each part has different words. A load joins two parts to one if all lanes
// that are neighbours, or all that are next but one, ask for the same or one
// of them for nothing:
//
//   ld.shared.b32   [base + 4 * lane]        1 wavefront
//   ld.shared.b32   [base + 8 * lane]        2: lanes 0 and 16 share a bank
//   ld.shared.v4    [base + 16 * lane]       4
//   ld.shared.v4    [base]                   2: quarters in pairs
//   st.shared.v4    [base]                   4
//   ld.shared.v4    [base + 512 * lane]      32
//
// Global memory passes through the same pipe, with a wavefront for each line of
// 128 bytes that a part touches, and is fetched in sectors of 32 bytes, which
// all lanes share. An atomic operation takes lanes of one address in turn.
#ifndef FOVEA_LIB_SIM_WAVEFRONTS_H
#define FOVEA_LIB_SIM_WAVEFRONTS_H

#include <cstdint>

namespace fovea::sim {

enum class Traffic : uint8_t { Load, Store, Atomic };

struct SharedCost {
  unsigned wavefronts = 0;
  unsigned least = 0; // the same without two words in one bank
};

/// `bytes` of each lane of the mask, from its address on.
SharedCost sharedCost(const uint64_t *addresses, uint32_t mask, unsigned bytes,
                      Traffic traffic);

struct GlobalCost {
  unsigned wavefronts = 0;
  unsigned sectors = 0;
};

GlobalCost globalCost(const uint64_t *addresses, uint32_t mask, unsigned bytes,
                      Traffic traffic);

/// Sectors of a cp.async that bypasses L1, which moves pieces of 16 bytes: the
/// halves of a sector that do not go to one 32-byte place of shared memory are
/// fetched each by itself.
unsigned copySectors(const uint64_t *from, const uint64_t *to, uint32_t mask);

/// Sectors of one run of bytes.
inline uint64_t sectorsOfRun(uint64_t address, uint64_t bytes) {
  return bytes ? (address + bytes - 1) / 32 - address / 32 + 1 : 0;
}

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_WAVEFRONTS_H
