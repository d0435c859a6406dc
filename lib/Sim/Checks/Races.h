// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Data races by happens-before, with vector clocks.
//
// Every thread counts its releases. A thread knows of every other how far its
// releases have reached it; an access that happened at clock c of thread t is
// ordered before thread u if u knows c of t. What a thread knows is shared
// between threads and copied on change, because after a barrier all threads
// of a CTA know the same.
//
// The asynchronous proxy (bulk copies, wgmma) has agents of its own, threads
// without a program. Ordinary accesses reach them only through
// fence.proxy.async: a second clock vector says what has been fenced.
#ifndef FOVEA_LIB_SIM_RACES_H
#define FOVEA_LIB_SIM_RACES_H

#include "Async/Async.h"
#include "Machine/Access.h"
#include "Order.h"
#include "Shadow.h"

namespace fovea::sim {

class RaceDetector {
public:
  /// `grid` in CTAs, `cluster` in CTAs of one cluster.
  RaceDetector(const Program &program, bool sameValueStores, Dim3 grid,
               Dim3 cluster)
      : sameValueStores(sameValueStores), asyncProxy(program.usesAsyncProxy),
        tensorMapProxy(program.usesTensorMapProxy),
        narrowScopes(program.usesNarrowScopes), grid(grid), cluster(cluster) {}

  void addCta(Cta &cta);
  void removeCta(Cta &cta);

  // Accesses of the generic proxy.
  void read(Warp &warp, unsigned lane, const Place &place, unsigned bytes,
            SyncScope scope);
  void write(Warp &warp, unsigned lane, const Place &place, const void *value,
             unsigned bytes, SyncScope scope);
  /// Reads of these bytes by a warp of which the lane knows any lane to have
  /// got as far count as ordered before what the lane does next.
  void forgetWarpReads(Warp &warp, unsigned lane, const Place &place,
                       unsigned bytes);
  void atomic(Warp &warp, unsigned lane, const Place &place, unsigned bytes,
              SyncScope scope, bool acquire, bool release);

  // Order.
  void barrierArrive(Warp &warp, uint32_t mask, Barrier &barrier);
  void barrierComplete(Cta &cta, Barrier &barrier);
  void warpSync(Warp &warp, uint32_t mask);
  void fence(Warp &warp, uint32_t mask, SyncScope scope);
  void fenceProxy(Warp &warp, uint32_t mask);
  void releaseTensorMaps(Warp &warp, uint32_t mask);
  /// `addresses`: of the map that each lane acquires.
  void acquireTensorMaps(Warp &warp, uint32_t mask, const uint64_t *addresses);
  /// Publishes what a thread knows and did, and takes it in.
  void release(Warp &warp, unsigned lane, World &world);
  void acquire(Warp &warp, unsigned lane, const World &world);
  void releaseLanes(Warp &warp, uint32_t mask, World &world);
  void acquireLanes(Warp &warp, uint32_t mask, const World &world);
  /// An operation without order of its own passes on what the thread's last
  /// fence saw, and keeps what it takes in for the next one.
  void relaxedRelease(Warp &warp, unsigned lane, World &world);
  void relaxedAcquire(Warp &warp, unsigned lane, const World &world);

  // cp.async: in flight from issue to the wait.
  bool isPending(const Place &place, unsigned bytes);
  void copyIssued(Warp &warp, const LaneCopy &copy, const Place &from);
  void copyDone(Warp &warp, const LaneCopy &copy);

  // The asynchronous proxy.
  Agent newAgent(Warp &warp);
  void agentRead(Warp &warp, unsigned lane, Agent agent, const Place &place,
                 unsigned bytes);
  /// The same of a tensor map, in the tensormap proxy.
  void agentReadMap(Warp &warp, unsigned lane, Agent agent, const Place &place,
                    unsigned bytes);
  /// `value`: what will be written, if that is known; equal values are then
  /// no conflict.
  void agentWrite(Warp &warp, unsigned lane, Agent agent, const Place &place,
                  unsigned bytes, const uint8_t *value = nullptr);
  /// The copy into these bytes is over.
  void agentWriteDone(Agent agent, const Place &place, unsigned bytes);
  /// Makes the agent's work known through a world.
  void agentRelease(Agent agent, World &world);

  /// An atomic operation on these bytes, as each part of a reduction is.
  void agentAtomic(Warp &warp, unsigned lane, Agent agent, const Place &place,
                   unsigned bytes);

private:
  enum class Proxy : uint8_t { Generic, Async, TensorMap };
  struct Observer {
    const CtaRaces *cta;
    uint32_t thread; // number across the grid
    const Clocks *known;
    Proxy proxy;
    uint64_t map = 0; // address of a tensor map, in its proxy
  };
  /// Whether what the thread did at the clock comes before what the observer
  /// does now.
  bool ordered(uint32_t thread, uint32_t clock,
               const Observer &observer) const {
    // A thread's own accesses are in program order, but they reach other
    // proxies only through a fence.
    if (observer.proxy == Proxy::Generic) {
      if (thread == observer.thread)
        return true;
      if (thread >> threadBits == observer.cta->cta)
        return reaches(observer.known->at, thread, clock);
    }
    return orderedAfar(thread, clock, observer);
  }
  static bool reaches(const std::vector<uint32_t> &at, uint32_t thread,
                      uint32_t clock) {
    uint32_t local = thread & ((1u << threadBits) - 1);
    return local < at.size() && at[local] >= clock;
  }
  bool orderedAfar(uint32_t thread, uint32_t clock,
                   const Observer &observer) const;
  Observer observe(Warp &warp, unsigned lane, Proxy proxy = Proxy::Generic);
  uint32_t threadNumber(const Warp &warp, unsigned lane) const;
  ThreadClock &state(Warp &warp, unsigned lane);
  void recordRead(ShadowCell &cell, const Observer &observer, uint32_t thread,
                  uint32_t clock, uint32_t pc, SyncScope scope);
  void checkRead(Warp &warp, unsigned lane, const Observer &observer,
                 ShadowCell &cell, const Place &place, uint64_t offset,
                 SyncScope scope);
  void checkWrite(Warp &warp, unsigned lane, const Observer &observer,
                  ShadowCell &cell, const Place &place, uint64_t offset,
                  SyncScope scope, bool sameValue);
  void setWrite(ShadowCell &cell, uint32_t thread, uint32_t clock, uint32_t pc,
                SyncScope scope);
  void report(Warp &warp, unsigned lane, const Place &place, uint64_t offset,
              uint32_t otherPc, uint32_t otherThread, const char *what);
  ShadowMemory &shadow(Region &region);
  void apply(ThreadClock &thread, uint32_t cta, const World &world);
  ClocksPtr snapshot(const ClocksPtr &known, uint32_t thread,
                     uint32_t clock) const;
  void publish(World &world, uint32_t cta, const ClocksPtr &clocks);
  ClocksPtr join(const ClocksPtr &a, const ClocksPtr &b) const;
  void readAs(Proxy proxy, Warp &warp, unsigned lane, Agent agent,
              const Place &place, unsigned bytes);
  template <class F> void passFence(Warp &warp, uint32_t mask, F f);

  // Scopes.cpp.
  uint32_t clusterOf(uint32_t cta) const;
  bool includes(SyncScope scope, uint32_t cta, uint32_t other) const;
  bool morallyStrong(SyncScope a, uint32_t threadA, SyncScope b,
                     uint32_t threadB) const;
  World &audience(Location &location, SyncScope scope, uint32_t cta) const;
  World seenBy(const Location &location, SyncScope scope, uint32_t cta) const;
  void noteSeen(ThreadClock &thread, const Location &location, SyncScope scope,
                uint32_t cta);
  void publishFenced(Warp &warp, unsigned lane, Location &location,
                     SyncScope scope);

  bool sameValueStores, asyncProxy, tensorMapProxy;
  bool narrowScopes; ///< some access or fence is below device scope
  Dim3 grid, cluster;
  std::unordered_map<uint32_t, std::unique_ptr<CtaRaces>> ctas;
  std::unordered_map<const uint8_t *, Location> locations;
};

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_RACES_H
