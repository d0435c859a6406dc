// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The order of the race detector: vector clocks and how synchronisation moves
// them. docs/simulator.md has the table of edges.
#include "Races.h"
#include <algorithm>
#include <bit>

namespace fovea::sim {

namespace {
constexpr uint32_t threadMask = (1u << threadBits) - 1;

void raise(std::vector<uint32_t> &to, const std::vector<uint32_t> &from) {
  if (to.size() < from.size())
    to.resize(from.size());
  for (size_t i = 0; i < from.size(); ++i)
    to[i] = std::max(to[i], from[i]);
}

/// Of the threads of one CTA.
void raise(Clocks &to, const Clocks &from) {
  raise(to.at, from.at);
  raise(to.async, from.async);
  raise(to.mapsReleased, from.mapsReleased);
  for (const auto &[map, clocks] : from.mapsAcquired)
    raise(to.mapsAcquired[map], clocks);
}
/// Whether all of b, other CTAs aside, is known to a.
bool covers(const std::vector<uint32_t> &a, const std::vector<uint32_t> &b) {
  for (size_t i = 0; i < b.size(); ++i)
    if ((i < a.size() ? a[i] : 0) < b[i])
      return false;
  return true;
}
bool coversMaps(const Clocks &a, const Clocks &b) {
  for (const auto &[map, clocks] : b.mapsAcquired) {
    auto found = a.mapsAcquired.find(map);
    if (found == a.mapsAcquired.end() || !covers(found->second, clocks))
      return false;
  }
  return true;
}
bool covers(const Clocks &a, const Clocks &b) {
  return &a == &b ||
         (covers(a.at, b.at) && covers(a.async, b.async) &&
          covers(a.mapsReleased, b.mapsReleased) && coversMaps(a, b));
}

ClocksPtr withoutForeign(const ClocksPtr &clocks) {
  if (clocks->foreign.empty())
    return clocks;
  auto result = std::make_shared<Clocks>(*clocks);
  result->foreign.clear();
  return result;
}
} // namespace

void RaceDetector::addCta(Cta &cta) {
  auto made = std::make_unique<CtaRaces>();
  made->cta = cta.linear;
  auto clocks = std::make_shared<Clocks>();
  size_t size = asyncProxy ? firstAgent + agentCount : cta.warps.size() * 32;
  clocks->at.assign(size, 0);
  if (asyncProxy)
    clocks->async.assign(size, 0);
  if (tensorMapProxy)
    clocks->mapsReleased = clocks->at;
  made->threads.resize(cta.warps.size() * 32);
  for (ThreadClock &thread : made->threads)
    thread.known = clocks;
  made->agentClocks.assign(agentCount, 0);
  cta.races = made.get();
  ctas[cta.linear] = std::move(made);
}

void RaceDetector::removeCta(Cta &cta) {
  ctas.erase(cta.linear);
  cta.races = nullptr;
}

uint32_t RaceDetector::threadNumber(const Warp &warp, unsigned lane) const {
  return warp.cta->linear << threadBits | warp.tid(lane);
}

ThreadClock &RaceDetector::state(Warp &warp, unsigned lane) {
  return warp.cta->races->threads[warp.tid(lane)];
}

RaceDetector::Observer RaceDetector::observe(Warp &warp, unsigned lane,
                                             Proxy proxy) {
  return {warp.cta->races, threadNumber(warp, lane),
          state(warp, lane).known.get(), proxy};
}

/// From another CTA, or to another proxy.
bool RaceDetector::orderedAfar(uint32_t thread, uint32_t clock,
                               const Observer &observer) const {
  const Clocks *known = observer.known;
  uint32_t cta = thread >> threadBits;
  if (cta != observer.cta->cta) {
    auto found = known->foreign.find(cta);
    if (found == known->foreign.end())
      return false;
    known = found->second.get();
  }
  if (observer.proxy != Proxy::TensorMap)
    return reaches(observer.proxy == Proxy::Generic ? known->at : known->async,
                   thread, clock);
  auto acquired = known->mapsAcquired.find(observer.map);
  return acquired != known->mapsAcquired.end() &&
         reaches(acquired->second, thread, clock);
}

ClocksPtr RaceDetector::join(const ClocksPtr &a, const ClocksPtr &b) const {
  if (a == b || !b)
    return a;
  if (!a)
    return b;
  auto result = std::make_shared<Clocks>(*a);
  raise(*result, *b);
  for (const auto &[cta, clocks] : b->foreign) {
    ClocksPtr &entry = result->foreign[cta];
    entry = join(entry, clocks);
  }
  return result;
}

ClocksPtr RaceDetector::snapshot(const ClocksPtr &known, uint32_t thread,
                                 uint32_t clock) const {
  auto result = std::make_shared<Clocks>(*known);
  result->at[thread] = std::max(result->at[thread], clock);
  return result;
}

void RaceDetector::publish(World &world, uint32_t cta,
                           const ClocksPtr &clocks) {
  ClocksPtr &entry = world[cta];
  entry = join(entry, clocks);
}

void RaceDetector::apply(ThreadClock &thread, uint32_t cta,
                         const World &world) {
  const Clocks &known = *thread.known;
  auto isNew = [&](uint32_t other, const Clocks &clocks) {
    if (other == cta)
      return !covers(known, clocks);
    auto entry = known.foreign.find(other);
    return entry == known.foreign.end() || !covers(*entry->second, clocks);
  };
  bool changes = false;
  for (const auto &[other, clocks] : world) {
    changes |= isNew(other, *clocks);
    for (const auto &[third, more] : clocks->foreign)
      changes |= isNew(third, *more);
  }
  if (!changes)
    return;
  auto result = std::make_shared<Clocks>(known);
  auto takeIn = [&](uint32_t other, const ClocksPtr &clocks) {
    if (other == cta) {
      raise(*result, *clocks);
      return;
    }
    ClocksPtr &entry = result->foreign[other];
    if (!entry || !covers(*entry, *clocks))
      entry =
          entry ? join(entry, withoutForeign(clocks)) : withoutForeign(clocks);
  };
  for (const auto &[other, clocks] : world) {
    takeIn(other, clocks);
    for (const auto &[third, more] : clocks->foreign)
      takeIn(third, more);
  }
  thread.known = std::move(result);
}

void RaceDetector::release(Warp &warp, unsigned lane, World &world) {
  ThreadClock &me = state(warp, lane);
  publish(world, warp.cta->linear,
          snapshot(me.known, warp.tid(lane), me.clock));
  ++me.clock;
}

void RaceDetector::acquire(Warp &warp, unsigned lane, const World &world) {
  apply(state(warp, lane), warp.cta->linear, world);
}

/// Threads that come with the same knowledge add only their own clocks.
void RaceDetector::barrierArrive(Warp &warp, uint32_t mask, Barrier &barrier) {
  if (!barrier.clocks)
    barrier.clocks = std::make_shared<Clocks>(
        *state(warp, static_cast<unsigned>(std::countr_zero(mask))).known);
  Clocks &joined = *barrier.clocks;
  for (uint32_t lanes = mask; lanes; lanes &= lanes - 1) {
    auto lane = static_cast<unsigned>(std::countr_zero(lanes));
    ThreadClock &me = state(warp, lane);
    if (me.known.get() != barrier.lastJoined) {
      raise(joined, *me.known);
      for (const auto &[cta, clocks] : me.known->foreign) {
        ClocksPtr &entry = joined.foreign[cta];
        entry = join(entry, clocks);
      }
      barrier.lastJoined = me.known.get();
      barrier.keepAlive = me.known;
    }
    joined.at[warp.tid(lane)] = me.clock++;
  }
}

void RaceDetector::barrierComplete(Cta &cta, Barrier &barrier) {
  ClocksPtr joined = barrier.clocks;
  if (!joined)
    return;
  for (const Barrier::Arrival &arrival : barrier.arrivals) {
    if (!arrival.waits)
      continue;
    // What each one knew went into the join.
    for (uint32_t lanes = arrival.mask; lanes; lanes &= lanes - 1)
      state(*arrival.warp, static_cast<unsigned>(std::countr_zero(lanes)))
          .known = joined;
  }
}

void RaceDetector::warpSync(Warp &warp, uint32_t mask) {
  Barrier all;
  barrierArrive(warp, mask, all);
  ClocksPtr joined = all.clocks;
  for (uint32_t lanes = mask; lanes; lanes &= lanes - 1)
    state(warp, static_cast<unsigned>(std::countr_zero(lanes))).known = joined;
}

/// Lanes that know the same share the join and the result.
void RaceDetector::releaseLanes(Warp &warp, uint32_t mask, World &world) {
  Barrier all;
  barrierArrive(warp, mask, all);
  publish(world, warp.cta->linear, all.clocks);
  for (const auto &[cta, clocks] : all.clocks->foreign)
    publish(world, cta, clocks);
}

void RaceDetector::acquireLanes(Warp &warp, uint32_t mask, const World &world) {
  ClocksPtr before, after;
  for (uint32_t lanes = mask; lanes; lanes &= lanes - 1) {
    auto lane = static_cast<unsigned>(std::countr_zero(lanes));
    ThreadClock &me = state(warp, lane);
    if (before && me.known == before) {
      me.known = after;
      continue;
    }
    before = me.known;
    apply(me, warp.cta->linear, world);
    after = me.known;
  }
}

void RaceDetector::relaxedRelease(Warp &warp, unsigned lane, World &world) {
  const Fenced &fenced = state(warp, lane).fenced[unsigned(SyncScope::Cta)];
  if (fenced.known)
    publish(world, warp.cta->linear,
            snapshot(fenced.known, warp.tid(lane), fenced.clock));
}

void RaceDetector::relaxedAcquire(Warp &warp, unsigned lane,
                                  const World &world) {
  for (World &pending : state(warp, lane).pending)
    for (const auto &[cta, clocks] : world)
      publish(pending, cta, clocks);
}

void RaceDetector::fence(Warp &warp, uint32_t mask, SyncScope scope) {
  for (uint32_t lanes = mask; lanes; lanes &= lanes - 1) {
    auto lane = static_cast<unsigned>(std::countr_zero(lanes));
    ThreadClock &me = state(warp, lane);
    World &seen = me.pending[unsigned(scope)];
    if (!seen.empty())
      apply(me, warp.cta->linear, seen);
    for (unsigned s = 1; s <= unsigned(scope); ++s) {
      me.pending[s].clear();
      me.fenced[s] = {me.known, me.clock};
    }
    ++me.clock;
  }
}

/// Gives each lane new knowledge: f(clocks, thread, clock) changes what is
/// known of a CTA, and of the lane itself if the thread is not negative.
template <class F>
void RaceDetector::passFence(Warp &warp, uint32_t mask, F f) {
  for (uint32_t lanes = mask; lanes; lanes &= lanes - 1) {
    auto lane = static_cast<unsigned>(std::countr_zero(lanes));
    ThreadClock &me = state(warp, lane);
    auto next = std::make_shared<Clocks>(*me.known);
    f(*next, static_cast<int64_t>(warp.tid(lane)), me.clock++);
    for (auto &[cta, clocks] : next->foreign) {
      auto other = std::make_shared<Clocks>(*clocks);
      f(*other, -1, 0);
      clocks = other;
    }
    me.known = std::move(next);
  }
}

void RaceDetector::fenceProxy(Warp &warp, uint32_t mask) {
  if (asyncProxy)
    passFence(warp, mask, [](Clocks &known, int64_t thread, uint32_t clock) {
      raise(known.async, known.at);
      if (thread >= 0)
        known.async[static_cast<size_t>(thread)] = clock;
    });
}

void RaceDetector::releaseTensorMaps(Warp &warp, uint32_t mask) {
  if (tensorMapProxy)
    passFence(warp, mask, [](Clocks &known, int64_t thread, uint32_t clock) {
      raise(known.mapsReleased, known.at);
      if (thread >= 0)
        known.mapsReleased[static_cast<size_t>(thread)] = clock;
    });
}

void RaceDetector::acquireTensorMaps(Warp &warp, uint32_t mask,
                                     const uint64_t *addresses) {
  uint64_t map = 0;
  if (tensorMapProxy)
    passFence(warp, mask, [&](Clocks &known, int64_t thread, uint32_t) {
      if (thread >= 0) // the lane's own clocks come first
        map = addresses[thread % 32];
      raise(known.mapsAcquired[map], known.mapsReleased);
    });
}

Agent RaceDetector::newAgent(Warp &warp) {
  CtaRaces &cta = *warp.cta->races;
  uint32_t slot = cta.nextAgent++ % agentCount;
  return {cta.cta << threadBits | (firstAgent + slot), ++cta.agentClocks[slot]};
}

void RaceDetector::agentRelease(Agent agent, World &world) {
  auto clocks = std::make_shared<Clocks>();
  clocks->at.assign(firstAgent + agentCount, 0);
  clocks->async.assign(firstAgent + agentCount, 0);
  clocks->at[agent.thread & threadMask] = agent.clock;
  clocks->async[agent.thread & threadMask] = agent.clock;
  publish(world, agent.thread >> threadBits, clocks);
}

} // namespace fovea::sim
