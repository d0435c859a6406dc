// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Scopes of the race detector. Two strong accesses are no conflict, and one
// synchronises with the other, only if each one's scope includes the other's
// thread (PTX ISA, "Morally strong operations"). So what is released at a
// location is kept by who may take it in, and what a thread has seen there
// by the scope of the fence that may come.
#include "Program/Decoder.h"
#include "Races.h"

namespace fovea::sim {

SyncScope takeScope(Decoder &d) {
  std::string_view name = d.oneOf({"cta", "cluster", "gpu", "sys", "gl"});
  SyncScope scope = name == "cta"       ? SyncScope::Cta
                    : name == "cluster" ? SyncScope::Cluster
                                        : SyncScope::Device;
  d.program.usesNarrowScopes |= scope != SyncScope::Device;
  return scope;
}

uint32_t RaceDetector::clusterOf(uint32_t cta) const {
  uint32_t x = cta % grid.x, y = cta / grid.x % grid.y,
           z = cta / grid.x / grid.y;
  uint32_t columns = grid.x / cluster.x, rows = grid.y / cluster.y;
  return x / cluster.x + columns * (y / cluster.y + rows * (z / cluster.z));
}

/// Whether an operation of `scope` by a thread of `cta` reaches `other`.
bool RaceDetector::includes(SyncScope scope, uint32_t cta,
                            uint32_t other) const {
  switch (scope) {
  case SyncScope::None:
    return false;
  case SyncScope::Cta:
    return cta == other;
  case SyncScope::Cluster:
    return cta == other || clusterOf(cta) == clusterOf(other);
  case SyncScope::Device:
    return true;
  }
  return false;
}

bool RaceDetector::morallyStrong(SyncScope a, uint32_t threadA, SyncScope b,
                                 uint32_t threadB) const {
  if (a == SyncScope::None || b == SyncScope::None)
    return false;
  uint32_t ctaA = threadA >> threadBits, ctaB = threadB >> threadBits;
  return includes(a, ctaA, ctaB) && includes(b, ctaB, ctaA);
}

/// Where a thread of `cta` puts what it releases at `scope`.
World &RaceDetector::audience(Location &location, SyncScope scope,
                              uint32_t cta) const {
  return scope == SyncScope::Device    ? location.device
         : scope == SyncScope::Cluster ? location.cluster[clusterOf(cta)]
                                       : location.cta[cta];
}

/// What an acquire of `scope` by a thread of `cta` takes in.
World RaceDetector::seenBy(const Location &location, SyncScope scope,
                           uint32_t cta) const {
  World seen;
  auto take = [&](const World &world) {
    for (const auto &[from, clocks] : world)
      if (includes(scope, cta, from)) {
        ClocksPtr &entry = seen[from];
        entry = join(entry, clocks);
      }
  };
  take(location.device);
  if (!narrowScopes)
    return seen;
  if (auto found = location.cluster.find(clusterOf(cta));
      found != location.cluster.end())
    take(found->second);
  if (auto found = location.cta.find(cta); found != location.cta.end())
    take(found->second);
  return seen;
}

/// Keeps what a strong read of `scope` has seen for fences to come; the
/// narrower of read and fence counts.
void RaceDetector::noteSeen(ThreadClock &thread, const Location &location,
                            SyncScope scope, uint32_t cta) {
  auto note = [&](SyncScope fence) {
    for (const auto &[from, clocks] :
         seenBy(location, std::min(scope, fence), cta))
      publish(thread.pending[unsigned(fence)], from, clocks);
  };
  note(SyncScope::Device);
  if (!narrowScopes)
    return;
  note(SyncScope::Cluster);
  note(SyncScope::Cta);
}

/// A strong write of `scope` publishes what its thread's fences saw, each as
/// far as both reach.
void RaceDetector::publishFenced(Warp &warp, unsigned lane, Location &location,
                                 SyncScope scope) {
  const ThreadClock &me = state(warp, lane);
  uint32_t cta = warp.cta->linear, published = 0;
  for (SyncScope s : {SyncScope::Device, SyncScope::Cluster, SyncScope::Cta}) {
    const Fenced &fenced = me.fenced[unsigned(s)];
    if (s > scope || !fenced.known || fenced.clock == published)
      continue;
    publish(audience(location, s, cta), cta,
            snapshot(fenced.known, warp.tid(lane), fenced.clock));
    published = fenced.clock;
  }
}

} // namespace fovea::sim
