// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The state of a running launch: warps with their fragments, CTAs with shared
// memory and barriers, the launch with memory, checks and counters.
#ifndef FOVEA_LIB_SIM_MACHINE_H
#define FOVEA_LIB_SIM_MACHINE_H

#include "Memory.h"
#include "Program/Program.h"
#include "Stack.h"
#include "fovea/Sim/Sim.h"
#include <array>
#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <unordered_map>

namespace fovea::sim {

struct Cta;
struct Cluster;
struct Launch;
class RaceDetector;
struct Clocks;
struct CtaRaces;
struct AsyncState;
struct PcCount;
struct CtaCounts;
class LaunchCounts;

constexpr uint32_t allLanes = 0xffffffffu;
/// Warp instructions of a cluster without a change after which repeating loops
/// are looked for.
constexpr uint64_t quietLimit = 200'000;

struct Frame {
  uint32_t returnPc;
  uint32_t callPc;
  int callee;
  /// Saved cells and frame bytes of a recursive callee, by lane.
  std::shared_ptr<std::vector<uint8_t>> saved;
  bool operator==(const Frame &other) const {
    return returnPc == other.returnPc && callPc == other.callPc &&
           saved == other.saved;
  }
};

/// Lanes of a warp that are at the same place.
struct Fragment {
  enum State : uint8_t {
    Ready,
    Converging, // at an aligned instruction, for the other lanes
    Gathering,  // at a member instruction, for the lanes of the mask
    AtBarrier,
    Polling, // a Wait that said no
  };
  uint32_t pc = 0;
  uint32_t mask = 0;
  State state = Ready;
  uint64_t polledAt = 0; // events when it was refused
  uint32_t members = 0;  // while Gathering
  uint32_t turns = 0;    // slices used up without meeting another
  uint64_t used = 0;     // of the slice
  /// Changes of the cluster and progress of the launch when its loop was seen
  /// to repeat.
  uint64_t spinsAt = ~0ull, spinsProgress = 0;
  std::vector<Frame> stack;
};

/// A stream of pseudo-random numbers (splitmix64).
struct Random {
  uint64_t state = 0;
  uint64_t next() {
    uint64_t z = (state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  uint32_t below(uint32_t n) { return static_cast<uint32_t>(next() % n); }
};

struct Warp {
  Cta *cta = nullptr;
  Launch *launch = nullptr;
  const Program *program = nullptr;
  uint32_t *cells = nullptr; // 64-byte aligned
  uint32_t *taint = nullptr; // a word a cell, a bit a lane; null: unchecked
  /// Of tainted registers: the bytes of each lane that were written (Taint.h).
  std::unordered_map<uint32_t, std::array<uint16_t, 32>> partial;
  uint8_t *local = nullptr; // localBytes a lane
  uint8_t *localInit = nullptr;
  Region *lastGlobal = nullptr, *lastShared = nullptr;
  uint32_t id = 0;
  uint32_t registers = 0;       // a thread, after setmaxnreg; 0: .maxnreg
  uint32_t clusterArrivals = 0; // barrier.cluster.arrive executed
  uint32_t live = 0;            // lanes that have not exited
  Stack stack;                  // of alloca
  std::vector<Fragment> fragments;
  /// The fragment under execution.
  uint32_t pc = 0;
  /// Looks for a loop that repeats its state, see Spin.cpp.
  bool watching = false;
  uint64_t loopCount = 0, loopHash = 0, loopChanges = ~0ull, loopProgress = 0;
  uint32_t loopPc = ~0u;
  PcCount *counts = nullptr; // by pc; null: not counted
  uint64_t executed = 0;
  std::vector<uint32_t> storage;
  std::vector<uint8_t> localStorage;

  uint32_t *narrow(uint32_t cell) { return cells + size_t(cell) * 32; }
  uint64_t *wide(uint32_t cell) {
    return reinterpret_cast<uint64_t *>(cells + size_t(cell) * 32);
  }
  uint32_t &pred(uint32_t cell) { return cells[size_t(cell) * 32]; }

  uint32_t tid(unsigned lane) const { return id * 32 + lane; }
  /// Runs until every fragment waits, the budget is used up or all exited.
  void run(uint64_t budget);
  bool isDone() const { return live == 0; }
  bool canRun() const;

private:
  int pick();
  void merge();
  void wake();
  void gather(Fragment &fragment);
  void releaseGathered(uint32_t members, uint16_t opcode, uint32_t arrived);
  void split(size_t index, uint32_t keep, uint32_t otherPc);
  bool settleGuard(size_t index, uint32_t active);
  void runFragment(size_t index, uint64_t budget, uint32_t stop);
  bool control(size_t index, const Inst &inst, uint32_t active);
  bool waitOn(size_t index, const Inst &inst);
  bool atAligned(size_t index, const Inst &inst, uint32_t active);
  bool atBarrier(size_t index, const Inst &inst, uint32_t active);
  bool atMember(size_t index, const Inst &inst, uint32_t active);
  bool branchIndexed(size_t index, const Inst &inst, uint32_t active);
  bool exitLanes(size_t index, uint32_t active);
  int calleeOf(size_t index, const Inst &inst);
  bool call(size_t index, const Inst &inst, uint32_t active);
  bool leave(size_t index);
  void uncount(uint32_t lanes);
  void countParted(uint32_t same, uint32_t all);
  void noteLoop(size_t index, uint32_t target);
};

/// Copies the lanes of the mask of a cell from a saved copy.
void restoreCell(Warp &warp, uint32_t cell, const uint32_t *saved,
                 uint32_t mask);

struct Barrier {
  uint32_t expected = 0; // threads, 0: all of the CTA
  uint32_t votes = 0, voters = 0;
  /// Who has come in this phase.
  struct Arrival {
    Warp *warp;
    uint32_t mask;
    const Inst *inst;
    bool waits;
  };
  std::vector<Arrival> arrivals;
  /// Of the race detector: what the arrivals know together.
  std::shared_ptr<Clocks> clocks;
  const Clocks *lastJoined = nullptr;
  std::shared_ptr<const Clocks> keepAlive;
};

struct Cta {
  Launch *launch = nullptr;
  Cluster *cluster = nullptr;
  uint32_t linear = 0;
  uint32_t rank = 0; // in the cluster
  uint32_t x = 0, y = 0, z = 0;
  std::vector<uint8_t> sharedStorage;
  uint8_t *shared = nullptr;
  uint32_t sharedBytes = 0; // end of the last region
  std::vector<uint8_t> sharedInit;
  std::vector<Region> sharedRegions;
  std::deque<Warp> warps;
  Barrier barriers[16];
  CtaRaces *races = nullptr;
  std::unique_ptr<CtaCounts> counts;
  uint32_t liveThreads = 0;
  uint32_t freeRegisters = 0; // that setmaxnreg gave back, by warp

  Cta();
  ~Cta();

  /// The lanes, whose fragment is AtBarrier, arrive; they go on at once if
  /// they only arrive or complete the barrier.
  void arrive(Warp &warp, const Inst &inst, uint32_t mask);
  /// Exited lanes may complete a barrier.
  void recheckBarriers();
  void completeIfFull(unsigned index);
  bool isFull(const Barrier &barrier) const;
};

struct Cluster {
  Launch *launch = nullptr;
  std::deque<Cta> ctas;
  Random random;
  /// Counts everything that another fragment could be waiting for.
  uint64_t events = 0;
  /// Counts what memory and asynchronous operations went through. Barriers of
  /// a CTA are not among it, since a loop that waits for ever may hold one.
  uint64_t changes = 0;
  uint64_t executed = 0;
  uint64_t quietSince = 0; // executed at the last change seen
  uint64_t quietChanges = 0;
  uint64_t barrierAt = 0; // executed when a CTA barrier last completed
  /// barrier.cluster: threads that arrived in this phase, phases completed.
  uint32_t arrivedThreads = 0;
  uint32_t barrierPhase = 0;
  std::map<uint32_t, std::shared_ptr<const Clocks>> gathering, gathered;
  /// try_wait may give up now, because nothing else can go on.
  bool timeout = false;
  unsigned idleRounds = 0;
  uint64_t idleEvents = ~0ull;
  std::unique_ptr<AsyncState> async;
  enum Status : uint8_t { Running, Blocked, Done };
  Cluster();
  ~Cluster();
  Status run(uint64_t budget);
  void settleBarrier();
  /// Every warp waits or repeats a loop that changes nothing, some repeat, and
  /// no copy is in flight.
  bool onlySpins() const;
  void noteChange() {
    ++events;
    ++changes;
  }

private:
  bool letPollsGiveUp();
};

/// Stops a launch that cannot go on; its finding has been made.
struct StopLaunch {};

struct Launch {
  const Program *program = nullptr;
  DeviceMemory *memory = nullptr;
  LaunchConfig config;
  Dim3 cluster;
  uint64_t gridWorkspace = 0; // address of its own allocation, or 0
  /// What the kernel's malloc gave, by address; CTAs then run in turn.
  std::map<uint64_t, uint64_t> heap;
  uint64_t heapBytes = 0, heapAllocations = 0;
  std::vector<uint8_t> paramBytes;
  std::vector<Region> paramRegions; // by parameter
  std::vector<Region> localRegions; // of variables; data is a lane's own
  std::unique_ptr<RaceDetector> races;
  std::mutex mutex;
  std::vector<Finding> findings;
  std::map<std::string, size_t> findingIndex;
  std::atomic<uint64_t> executed{0};
  std::atomic<bool> stopped{false};
  std::unique_ptr<LaunchCounts> counts;
  std::atomic<uint64_t> progress{0}; // slices that changed something
  std::atomic<unsigned> workers{0}, idleWorkers{0};

  Launch();
  ~Launch();
  /// Makes a finding at the warp's instruction; later ones of the same kind
  /// and lines only count.
  void report(const char *kind, const Warp &warp, int lane, uint64_t address,
              const std::string &allocation, const std::string &message,
              uint32_t otherLine = 0);
  LaunchResult run();

private:
  void makeCluster(Cluster &cluster, uint64_t index);
  void makeCta(Cta &cta, uint32_t x, uint32_t y, uint32_t z);
  void makeWarp(Cta &cta, Warp &warp, uint32_t id);
  using Residents = std::deque<std::unique_ptr<Cluster>>;
  void worker(std::atomic<uint64_t> &next, uint64_t count);
  bool isStuck(const Residents &resident);
  void reportStuck(Cluster &cluster);
};

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_MACHINE_H
