// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Asynchronous copies in flight. They complete as late as they legally may:
// when a thread waits for their group, or when nothing else can go on.
#ifndef FOVEA_LIB_SIM_ASYNC_H
#define FOVEA_LIB_SIM_ASYNC_H

#include "Machine.h"
#include <unordered_map>
#include <vector>

namespace fovea::sim {

/// One lane's cp.async: the bytes are read and written when it completes.
struct LaneCopy {
  uint32_t group = 0; // number of groups that the lane had committed
  uint32_t pc = 0;
  uint8_t lane = 0;
  uint8_t bytes = 0, sourceBytes = 0;
  const uint8_t *from = nullptr;
  const uint8_t *fromInit = nullptr;
  uint8_t *to = nullptr;
  uint8_t *toInit = nullptr;
  Region *region = nullptr; // of the destination
  uint64_t offset = 0;
};

/// cp.async of one warp; groups are counted by lane.
struct WarpCopies {
  uint32_t committed[32] = {};
  std::vector<LaneCopy> pending;
};

struct AsyncState {
  std::unordered_map<Warp *, WarpCopies> copies;

  /// Completes something; false if nothing is in flight.
  bool advance(Cluster &cluster);
  /// At the end of the cluster.
  void finish(Cluster &cluster);
};

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_ASYNC_H
