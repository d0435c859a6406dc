// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Data races by happens-before.
#ifndef FOVEA_LIB_SIM_RACES_H
#define FOVEA_LIB_SIM_RACES_H

#include "Access.h"
#include "Async.h"

namespace fovea::sim {

class RaceDetector {
public:
  void addCta(Cta &) {}
  void removeCta(Cta &) {}
  void copyIssued(Warp &, const LaneCopy &, const Place &) {}
  void copyDone(Warp &, const LaneCopy &) {}
  void atomic(Warp &, unsigned, const Place &, unsigned, bool, bool) {}
  void barrierArrive(Warp &, uint32_t, Barrier &) {}
  void barrierComplete(Cta &, Barrier &) {}
  void warpSync(Warp &, uint32_t) {}
  void fence(Warp &, uint32_t) {}
  void fenceProxy(Warp &, uint32_t) {}
  void read(Warp &, unsigned, const Place &, unsigned, bool) {}
  void write(Warp &, unsigned, const Place &, const void *, unsigned, bool) {}
};

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_RACES_H
