// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Asynchronous copies in flight. They complete as late as they legally may:
// when a thread waits for their group, or when nothing else can go on.
#ifndef FOVEA_LIB_SIM_ASYNC_H
#define FOVEA_LIB_SIM_ASYNC_H

#include "Checks/Order.h"
#include "Machine/Access.h"
#include <array>
#include <unordered_map>
#include <vector>

namespace fovea::sim {

/// One lane's cp.async: the bytes are read and written when it completes.
struct LaneCopy {
  uint32_t group = 0;  // number of groups that the lane had committed
  uint32_t serial = 0; // of the warp's copies
  uint32_t pc = 0;
  uint8_t lane = 0;
  uint8_t bytes = 0, sourceBytes = 0;
  const uint8_t *from = nullptr;
  const uint8_t *fromInit = nullptr;
  uint8_t *to = nullptr;
  uint8_t *toInit = nullptr;
  Region *region = nullptr; // of the destination
  uint64_t offset = 0;
  /// Another lane copies the same bytes to the same place.
  bool isRepeat = false;
};

/// cp.async of one warp; groups are counted by lane.
struct WarpCopies {
  uint32_t committed[32] = {};
  uint32_t issued = 0;
  std::vector<LaneCopy> pending;
};

/// A shared-memory barrier of the asynchronous kind. The memory that holds it
/// is opaque to the program; its state lives here.
struct Mbarrier {
  int64_t expected = 0, pending = 0;
  int64_t transactions = 0; // may be negative: bytes can come early
  uint64_t phase = 0;
  World gathering; // what arrivals of this phase know
  World completed; // what waiters of completed phases learn
};

/// Where an mbarrier lies.
struct MbarrierRef {
  Cta *cta = nullptr;
  uint32_t offset = 0;
};

/// A piece of a bulk copy.
struct Segment {
  Place from, to;
  uint32_t bytes = 0;  // copied from `from`
  uint32_t zeros = 0;  // then so many zero bytes
  uint32_t before = 0; // zero bytes in front
  uint32_t total() const { return before + bytes + zeros; }
};

enum class BulkReduce : uint8_t { None, Add, Min, Max, Inc, Dec, And, Or, Xor };

/// A bulk copy in flight, of one thread.
struct BulkCopy {
  Warp *warp = nullptr;
  uint8_t lane = 0;
  uint32_t pc = 0;
  Agent agent;  // that writes
  Agent source; // that reads
  Place map;    // the tensor map, if there is one
  std::vector<Segment> segments;
  /// What a store from registers writes.
  std::shared_ptr<std::array<uint8_t, 16>> staged;
  bool nanOutside = false; // of a tensor; else zeros
  bool moved = false;      // the source has been read
  bool toMbarrier = false;
  MbarrierRef mbarrier;
  int64_t transactionBytes = 0;
  uint32_t group = 0; // number of bulk groups the lane had committed
  BulkReduce reduce = BulkReduce::None;
  Ty type = Ty::None;
};

/// A wgmma of one warp, computed when the warp waits for it.
struct PendingWgmma {
  const Inst *inst = nullptr;
  uint32_t pc = 0;
  uint32_t group = 0;
  uint64_t a = 0, b = 0; // descriptors
  bool accumulate = false;
  Agent agent;
  /// Taint that the accumulators had before, by register.
  std::vector<uint32_t> dirty;
};

struct WarpWgmma {
  uint32_t committed = 0;
  std::deque<PendingWgmma> pending;
  /// Of the cells that products use, what they held at the last wgmma.fence.
  std::unordered_map<uint32_t, std::array<uint32_t, 32>> fenced;
  bool hasFence = false;
};

struct AsyncState {
  std::unordered_map<Warp *, WarpCopies> copies;
  std::unordered_map<Warp *, WarpWgmma> wgmma;
  std::unordered_map<Warp *, std::vector<uint32_t>> bulkCommitted; // by lane
  std::deque<BulkCopy> bulk;
  /// Lanes whose cp.async must complete before they arrive.
  struct CopyArrival {
    Warp *warp;
    uint8_t lane;
    MbarrierRef mbarrier;
    bool noIncrement;
    uint32_t before; // serial of the first copy that it does not wait for
  };
  std::deque<CopyArrival> copyArrivals;
  std::unordered_map<uint64_t, Mbarrier> mbarriers; // by CTA and offset
  /// Phase and place of the mbarrier that a try_wait of a warp at a counter
  /// has been refused for.
  std::map<std::pair<Warp *, uint32_t>, std::pair<uint64_t, uint64_t>> refused;

  static uint64_t key(const MbarrierRef &ref) {
    return uint64_t(ref.cta->linear) << 32 | ref.offset;
  }
  Mbarrier *find(const MbarrierRef &ref) {
    auto found = mbarriers.find(key(ref));
    return found == mbarriers.end() ? nullptr : &found->second;
  }

  /// Whether something is in flight that an mbarrier will observe.
  bool canAdvance() const;
  /// Completes something; false if nothing is in flight.
  bool advance(Cluster &cluster);
  /// At the end of the cluster.
  void finish(Cluster &cluster);
};

/// The oldest product of the warp that nobody has waited for, or null.
const Inst *wgmmaInFlight(const Warp &warp);
/// Completes the lane's cp.async copies: all, or those of groups before.
void completeCopies(Warp &warp, uint32_t lanes, int64_t keepGroups,
                    uint32_t before = ~0u);
/// What an atomic operation leaves in memory that held a.
uint64_t combineAtomic(BulkReduce op, Ty ty, uint64_t a, uint64_t b);
/// Puts a copy in flight: its agents, its checks, its poison.
void issueBulk(BulkCopy copy);
/// Reads the source and writes the bytes, though nobody may know yet.
void moveBulk(BulkCopy &copy);
void completeBulk(BulkCopy &copy);
/// Ends the phase if nothing is pending any more.
void settleMbarrier(Cluster &cluster, Mbarrier &mbarrier);

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_ASYNC_H
