// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What one request of a warp costs in memory, by its addresses.
//
// Shared memory has 32 banks of four bytes and serves one word of each in a
// wavefront; equal words are served together. A request of 4 bytes a lane is
// served for all lanes at once, one of 8 bytes in halves of the warp, one of
// 16 bytes in quarters, and it takes as many wavefronts as the busiest bank
// of each part has different words. Two parts are served together if lanes
// that are neighbours, or next but one, all ask for the same or one of them
// for nothing:
//
//   ld.shared.b32   [base + 4 * lane]        1 wavefront
//   ld.shared.b32   [base + 8 * lane]        2: lanes 0 and 16 share a bank
//   ld.shared.v4    [base + 16 * lane]       4
//   ld.shared.v4    [base]                   2: quarters in pairs
//   ld.shared.v4    [base + 512 * lane]      32
//
// Global memory is fetched in sectors of 32 bytes. Lanes of one part share a
// sector, lanes of two parts fetch it twice.
#ifndef FOVEA_LIB_SIM_WAVEFRONTS_H
#define FOVEA_LIB_SIM_WAVEFRONTS_H

#include <cstdint>

namespace fovea::sim {

struct SharedCost {
  unsigned wavefronts = 0;
  unsigned least = 0; // the same without two words in one bank
};

/// `bytes` of each lane of the mask, from its address on.
SharedCost sharedCost(const uint64_t *addresses, uint32_t mask, unsigned bytes);

struct SectorCost {
  unsigned sectors = 0;
  unsigned least = 0; // different sectors of the whole request
};

SectorCost sectorCost(const uint64_t *addresses, uint32_t mask, unsigned bytes);

/// Sectors of one run of bytes.
inline uint64_t sectorsOfRun(uint64_t address, uint64_t bytes) {
  return bytes ? (address + bytes - 1) / 32 - address / 32 + 1 : 0;
}

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_WAVEFRONTS_H
