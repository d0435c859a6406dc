// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One lane's access of memory: from a space and an address to bytes, with the
// checks of bounds, alignment, initialisation and order on the way.
#ifndef FOVEA_LIB_SIM_ACCESS_H
#define FOVEA_LIB_SIM_ACCESS_H

#include "Machine.h"

namespace fovea::sim {

struct Place {
  uint8_t *data = nullptr;
  uint8_t *init = nullptr; // a byte each; null: all written
  Region *region = nullptr;
  uint64_t offset = 0; // in the region
  Space space = Space::Generic;
  Cta *owner = nullptr; // of shared memory
};

/// Finds [address, address + bytes) for one lane. On false the finding has
/// been made and the access must not happen.
bool locate(Warp &warp, const Inst &inst, unsigned lane, Space space,
            uint64_t address, unsigned bytes, unsigned align, bool write,
            Place &place);

/// The regular use: reads into `to`; true if some byte was never written.
bool readPlace(Warp &warp, unsigned lane, const Place &place, void *to,
               unsigned bytes, SyncScope scope = SyncScope::None);
void writePlace(Warp &warp, unsigned lane, const Place &place, const void *from,
                unsigned bytes, SyncScope scope = SyncScope::None);

/// The address of one lane by the instruction's base cell and offset.
inline uint64_t laneAddress(Warp &warp, const Inst &inst, uint32_t cell,
                            unsigned lane) {
  uint64_t base =
      inst.addrBits == 64 ? warp.wide(cell)[lane] : warp.narrow(cell)[lane];
  uint64_t address = base + static_cast<uint64_t>(inst.imm);
  return inst.addrBits == 64 ? address : address & 0xffffffff;
}

/// Reports tainted lanes of an address, a value stored, a branch, ...
void reportTaint(Warp &warp, uint32_t lanes, uint64_t address,
                 const char *where);

/// Adds what a warp's access costs: 32-byte sectors of global memory or
/// wavefronts of shared memory. Addresses of lanes outside the mask are
/// ignored.
void countAccess(Warp &warp, const Inst &inst, Space space,
                 const uint64_t *addresses, uint32_t mask, unsigned bytes);

/// The same of a run of global memory that an asynchronous copy reads or
/// writes, and of bytes of shared memory that are no access of a lane.
void countRun(Warp &warp, const Inst &inst, uint64_t address, uint64_t bytes,
              bool writes);
void countAsync(Warp &warp, const Inst &inst, unsigned bytes);

/// cp.async of `bytes` a lane.
void countCopy(Warp &warp, const Inst &inst, const uint64_t *from,
               const uint64_t *to, uint32_t mask, unsigned bytes);

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_ACCESS_H
