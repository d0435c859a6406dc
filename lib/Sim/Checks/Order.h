// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Vector clocks of the race detector, see Races.h.
#ifndef FOVEA_LIB_SIM_ORDER_H
#define FOVEA_LIB_SIM_ORDER_H

#include "Program/SyncScope.h"
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace fovea::sim {

struct Clocks;
using ClocksPtr = std::shared_ptr<const Clocks>;

/// What is known of the threads of one CTA, and of other CTAs. What is known
/// of those has nothing of others in turn.
struct Clocks {
  std::vector<uint32_t> at;
  std::vector<uint32_t> async; // empty without an asynchronous proxy
  /// Released to the tensormap proxy, and acquired there. Empty if all maps
  /// come from the host.
  std::vector<uint32_t> mapsReleased;
  std::map<uint64_t, std::vector<uint32_t>> mapsAcquired; // by address
  std::map<uint32_t, ClocksPtr> foreign;
};

/// What several CTAs know, by CTA: the state of a synchronising location.
using World = std::map<uint32_t, ClocksPtr>;

/// A synchronising location: what was released to all threads, and what only
/// to those of a cluster or a CTA.
struct Location {
  World device;
  std::map<uint32_t, World> cluster, cta; // by number
};

/// What a thread knew at a fence, and its clock there.
struct Fenced {
  ClocksPtr known;
  uint32_t clock = 0;
};

struct ThreadClock {
  uint32_t clock = 1;
  ClocksPtr known;
  /// By scope: state at the last fence of at least that scope, which a later
  /// strong write publishes.
  Fenced fenced[scopeCount];
  /// By scope: what strong reads have seen and a later fence of that scope
  /// makes known.
  World pending[scopeCount];
};

struct CtaRaces {
  uint32_t cta = 0;
  std::vector<ThreadClock> threads;
  uint32_t nextAgent = 0;
  std::vector<uint32_t> agentClocks;
};

/// One operation of the asynchronous proxy.
struct Agent {
  uint32_t thread = 0; // number across the grid
  uint32_t clock = 0;
};

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_ORDER_H
