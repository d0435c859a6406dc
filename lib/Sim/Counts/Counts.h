// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Counting while a launch runs: by CTA and instruction, added up at the end of
// each CTA, so that the busiest one is known as well.
#ifndef FOVEA_LIB_SIM_COUNTS_H
#define FOVEA_LIB_SIM_COUNTS_H

#include "Program/Program.h"
#include "fovea/Sim/Sim.h"

namespace fovea::sim {

struct Launch;

/// One instruction in one CTA, or in all.
struct PcCount {
  uint64_t warps = 0, active = 0, lanes = 0, divergent = 0;
  MemoryCount memory;

  void add(uint32_t activeLanes) {
    ++warps;
    active += activeLanes != 0;
    lanes += static_cast<unsigned>(__builtin_popcount(activeLanes));
  }
  /// Takes the last one back: the lanes wait, and will be counted then.
  void remove(uint32_t activeLanes) {
    --warps;
    active -= activeLanes != 0;
    lanes -= static_cast<unsigned>(__builtin_popcount(activeLanes));
  }
};

/// Of all CTAs that have ended.
class LaunchCounts {
public:
  explicit LaunchCounts(const Program &program);

  void takeIn(const std::vector<PcCount> &cta);
  void fill(LaunchResult &result) const;

  std::map<std::string, AllocationCount> allocations;

private:
  const Program &program;
  std::vector<PcCount> total;
  std::vector<UnitSums> least; // of one warp instruction
  UnitSums busiest{};
};

/// Of one CTA; adds itself to the launch's when the CTA ends.
struct CtaCounts {
  CtaCounts(LaunchCounts &launch, size_t instructions)
      : launch(launch), at(instructions) {}
  ~CtaCounts() { launch.takeIn(at); }
  CtaCounts(const CtaCounts &) = delete;
  CtaCounts &operator=(const CtaCounts &) = delete;

  LaunchCounts &launch;
  std::vector<PcCount> at;
};

/// The loops of a kernel, by the pcs of their instructions.
struct ProgramLoop {
  uint32_t head = 0, back = 0;
  std::vector<uint32_t> branches, members;
};
std::vector<ProgramLoop> findLoops(const Program &program);

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_COUNTS_H
