// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Accesses against the shadow: see the header. The order is in Clocks.cpp.
#include "Races.h"
#include <bit>
#include <cstring>

namespace fovea::sim {

Region::Region() = default;
Region::~Region() = default;
Region::Region(Region &&) noexcept = default;
Region &Region::operator=(Region &&) noexcept = default;

void ShadowMemory::refine(ShadowPage &page, unsigned shift) {
  std::vector<ShadowCell> fine;
  fine.reserve(256u >> shift);
  for (unsigned i = 0; i < 256u >> shift; ++i)
    fine.push_back(page.cells[i >> (page.shift - shift)]);
  page.cells = std::move(fine);
  page.shift = shift;
}

ShadowMemory &RaceDetector::shadow(Region &region) {
  if (!region.shadow)
    region.shadow = std::make_unique<ShadowMemory>(region.size);
  return *region.shadow;
}

void RaceDetector::report(Warp &warp, unsigned lane, const Place &place,
                          uint64_t offset, uint32_t otherPc,
                          uint32_t otherThread, const char *what) {
  uint32_t cta = otherThread >> threadBits;
  uint32_t thread = otherThread & ((1u << threadBits) - 1);
  std::string who;
  if (thread >= firstAgent)
    who = "an asynchronous operation";
  else
    who = "warp " + std::to_string(thread / 32) + " lane " +
          std::to_string(thread % 32);
  if (cta != warp.cta->linear)
    who += " of cta " + std::to_string(cta);
  warp.launch->report("race", warp, static_cast<int>(lane),
                      place.region->base + offset, place.region->name,
                      std::string(what) + " by " + who + " at offset " +
                          std::to_string(offset) + " of '" +
                          place.region->name + "'",
                      warp.program->code[otherPc].line);
}

void RaceDetector::checkRead(Warp &warp, unsigned lane,
                             const Observer &observer, ShadowCell &cell,
                             const Place &place, uint64_t offset,
                             SyncScope scope) {
  if (cell.pending) {
    report(warp, lane, place, offset, cell.pc, cell.writer,
           "read of bytes that a copy in flight writes, issued");
    return;
  }
  if (cell.clock == 0 ||
      morallyStrong(scope, observer.thread, cell.scope, cell.writer) ||
      ordered(cell.writer, cell.clock, observer))
    return;
  report(warp, lane, place, offset, cell.pc, cell.writer,
         "read that nothing orders after the write");
}

void RaceDetector::checkWrite(Warp &warp, unsigned lane,
                              const Observer &observer, ShadowCell &cell,
                              const Place &place, uint64_t offset,
                              SyncScope scope, bool sameValue) {
  if (cell.pending) {
    report(warp, lane, place, offset, cell.pc, cell.writer,
           "write of bytes that a copy in flight writes, issued");
    return;
  }
  if (cell.clock &&
      !morallyStrong(scope, observer.thread, cell.scope, cell.writer) &&
      !sameValue && !ordered(cell.writer, cell.clock, observer)) {
    report(warp, lane, place, offset, cell.pc, cell.writer,
           "write that nothing orders after the write");
    return;
  }
  cell.reads.any([&](const ReadEntry &entry) {
    if (morallyStrong(scope, observer.thread, SyncScope(entry.scope),
                      entry.warp * 32))
      return false;
    for (uint32_t lanes = entry.mask; lanes; lanes &= lanes - 1) {
      uint32_t thread =
          entry.warp * 32 + static_cast<uint32_t>(std::countr_zero(lanes));
      if (ordered(thread, entry.clock, observer))
        continue;
      report(warp, lane, place, offset, entry.pc, thread,
             "write that nothing orders after the read");
      return true;
    }
    return false;
  });
}

/// A read that is ordered before this one cannot race with anything that
/// this one does not race with, so it is forgotten. Of other CTAs, whose
/// readers of an input are many, two suffice to find a conflicting write.
void RaceDetector::recordRead(ShadowCell &cell, const Observer &observer,
                              uint32_t thread, uint32_t clock, uint32_t pc,
                              SyncScope scope) {
  uint32_t warp = thread / 32;
  unsigned foreign = 0;
  auto keep = [&](ReadEntry &old) {
    for (uint32_t lanes = old.mask; lanes; lanes &= lanes - 1) {
      auto lane = static_cast<uint32_t>(std::countr_zero(lanes));
      if (ordered(old.warp * 32 + lane, old.clock, observer))
        old.mask &= ~(1u << lane);
    }
    bool other = (old.warp >> (threadBits - 5)) != (warp >> (threadBits - 5));
    return old.mask && !(other && ++foreign > 2);
  };
  cell.reads.add({warp, 1u << (thread % 32), clock, pc, uint32_t(scope)}, keep);
}

void RaceDetector::setWrite(ShadowCell &cell, uint32_t thread, uint32_t clock,
                            uint32_t pc, SyncScope scope) {
  cell.writer = thread;
  cell.clock = clock;
  cell.pc = pc;
  cell.scope = scope;
  cell.pending = false;
  cell.reads.clear();
}

void RaceDetector::read(Warp &warp, unsigned lane, const Place &place,
                        unsigned bytes, SyncScope scope) {
  Observer observer = observe(warp, lane);
  ThreadClock &me = state(warp, lane);
  shadow(*place.region)
      .forCells(place.offset, bytes,
                [&](ShadowCell &cell, uint64_t offset, unsigned) {
                  checkRead(warp, lane, observer, cell, place, offset, scope);
                  recordRead(cell, observer, observer.thread, me.clock, warp.pc,
                             scope);
                });
  if (scope == SyncScope::None)
    return;
  auto found = locations.find(place.data);
  if (found != locations.end())
    noteSeen(me, found->second, scope, warp.cta->linear);
}

void RaceDetector::write(Warp &warp, unsigned lane, const Place &place,
                         const void *value, unsigned bytes, SyncScope scope) {
  Observer observer = observe(warp, lane);
  ThreadClock &me = state(warp, lane);
  const auto *bytesIn = static_cast<const uint8_t *>(value);
  shadow(*place.region)
      .forCells(place.offset, bytes,
                [&](ShadowCell &cell, uint64_t offset, unsigned size) {
                  uint64_t at = offset - place.offset;
                  bool same = !sameValueStores &&
                              !std::memcmp(place.data + at, bytesIn + at, size);
                  checkWrite(warp, lane, observer, cell, place, offset, scope,
                             same);
                  setWrite(cell, observer.thread, me.clock, warp.pc, scope);
                });
  if (scope == SyncScope::None)
    return;
  Location &location = locations[place.data];
  location = {};
  publishFenced(warp, lane, location, scope);
}

void RaceDetector::forgetWarpReads(Warp &warp, unsigned lane,
                                   const Place &place, unsigned bytes) {
  uint32_t own = threadNumber(warp, 0) / 32;
  Observer observer = observe(warp, lane);
  auto isOther = [&](const ReadEntry &entry) {
    bool known = entry.warp == own;
    for (uint32_t l = 0; l < 32 && !known; ++l)
      known = ordered(entry.warp * 32 + l, entry.clock, observer);
    return !known;
  };
  shadow(*place.region)
      .forCells(place.offset, bytes, [&](ShadowCell &cell, uint64_t, unsigned) {
        cell.reads.filter(isOther);
      });
}

void RaceDetector::atomic(Warp &warp, unsigned lane, const Place &place,
                          unsigned bytes, SyncScope scope, bool isAcquire,
                          bool isRelease) {
  Observer observer = observe(warp, lane);
  ThreadClock &me = state(warp, lane);
  shadow(*place.region)
      .forCells(place.offset, bytes,
                [&](ShadowCell &cell, uint64_t offset, unsigned) {
                  checkWrite(warp, lane, observer, cell, place, offset, scope,
                             false);
                  setWrite(cell, observer.thread, me.clock, warp.pc, scope);
                });
  Location &location = locations[place.data];
  uint32_t cta = warp.cta->linear;
  noteSeen(me, location, scope, cta);
  if (isAcquire)
    acquire(warp, lane, seenBy(location, scope, cta));
  publishFenced(warp, lane, location, scope);
  if (isRelease)
    release(warp, lane, audience(location, scope, cta));
}

// --- asynchronous copies ----------------------------------------------------

bool RaceDetector::isPending(const Place &place, unsigned bytes) {
  bool pending = false;
  shadow(*place.region)
      .forCells(place.offset, bytes, [&](ShadowCell &cell, uint64_t, unsigned) {
        pending |= cell.pending;
      });
  return pending;
}

void RaceDetector::copyIssued(Warp &warp, const LaneCopy &copy,
                              const Place &from) {
  Observer observer = observe(warp, copy.lane);
  uint32_t clock = state(warp, copy.lane).clock;
  if (copy.sourceBytes && from.region)
    read(warp, copy.lane, from, copy.sourceBytes, SyncScope::None);
  if (copy.isRepeat)
    return;
  Place to;
  to.region = copy.region;
  to.offset = copy.offset;
  shadow(*copy.region)
      .forCells(copy.offset, copy.bytes,
                [&](ShadowCell &cell, uint64_t offset, unsigned) {
                  checkWrite(warp, copy.lane, observer, cell, to, offset,
                             SyncScope::None, false);
                  setWrite(cell, observer.thread, clock, copy.pc,
                           SyncScope::None);
                  cell.pending = true;
                });
}

void RaceDetector::copyDone(Warp &warp, const LaneCopy &copy) {
  uint32_t thread = threadNumber(warp, copy.lane);
  uint32_t clock = state(warp, copy.lane).clock;
  shadow(*copy.region)
      .forCells(copy.offset, copy.bytes,
                [&](ShadowCell &cell, uint64_t, unsigned) {
                  setWrite(cell, thread, clock, copy.pc, SyncScope::None);
                });
}

// --- the asynchronous proxy -------------------------------------------------

void RaceDetector::readAs(Proxy proxy, Warp &warp, unsigned lane, Agent agent,
                          const Place &place, unsigned bytes) {
  Observer observer = observe(warp, lane, proxy);
  observer.map = place.region->base + place.offset;
  shadow(*place.region)
      .forCells(place.offset, bytes,
                [&](ShadowCell &cell, uint64_t offset, unsigned) {
                  checkRead(warp, lane, observer, cell, place, offset,
                            SyncScope::None);
                  recordRead(cell, observer, agent.thread, agent.clock, warp.pc,
                             SyncScope::None);
                });
}

void RaceDetector::agentRead(Warp &warp, unsigned lane, Agent agent,
                             const Place &place, unsigned bytes) {
  readAs(Proxy::Async, warp, lane, agent, place, bytes);
}

void RaceDetector::agentReadMap(Warp &warp, unsigned lane, Agent agent,
                                const Place &place, unsigned bytes) {
  readAs(Proxy::TensorMap, warp, lane, agent, place, bytes);
}

void RaceDetector::agentAtomic(Warp &warp, unsigned lane, Agent agent,
                               const Place &place, unsigned bytes) {
  Observer observer = observe(warp, lane);
  shadow(*place.region)
      .forCells(place.offset, bytes,
                [&](ShadowCell &cell, uint64_t offset, unsigned) {
                  checkWrite(warp, lane, observer, cell, place, offset,
                             SyncScope::Device, false);
                  setWrite(cell, agent.thread, agent.clock, warp.pc,
                           SyncScope::Device);
                });
}

/// Whether memory holds these values, or will when the copy that is under way
/// to it has landed.
static bool holds(Warp &warp, const ShadowCell &cell, const uint8_t *memory,
                  const uint8_t *value, unsigned size) {
  if (!cell.pending)
    return !std::memcmp(memory, value, size);
  for (const BulkCopy &copy : warp.cta->cluster->async->bulk) {
    if (copy.agent.thread != cell.writer || copy.agent.clock != cell.clock)
      continue;
    if (copy.moved)
      return !std::memcmp(memory, value, size);
    for (const Segment &segment : copy.segments)
      if (memory >= segment.to.data + segment.before &&
          memory + size <= segment.to.data + segment.before + segment.bytes)
        return !std::memcmp(segment.from.data +
                                (memory - segment.to.data - segment.before),
                            value, size);
  }
  return false;
}

void RaceDetector::agentWrite(Warp &warp, unsigned lane, Agent agent,
                              const Place &place, unsigned bytes,
                              const uint8_t *value) {
  // Reads of the generic proxy need no proxy fence before the bytes are
  // written again: an execution order by barriers is enough in practice
  // (CUTLASS pipelines rely on it), so only the generic order is asked for.
  Observer observer = observe(warp, lane);
  if (sameValueStores)
    value = nullptr;
  shadow(*place.region)
      .forCells(
          place.offset, bytes,
          [&](ShadowCell &cell, uint64_t offset, unsigned size) {
            uint64_t at = offset - place.offset;
            bool conflicts =
                cell.pending ||
                (cell.clock && !ordered(cell.writer, cell.clock, observer));
            bool same = value && conflicts &&
                        holds(warp, cell, place.data + at, value + at, size);
            cell.pending &= !same;
            checkWrite(warp, lane, observer, cell, place, offset,
                       SyncScope::None, same);
            setWrite(cell, agent.thread, agent.clock, warp.pc, SyncScope::None);
            cell.pending = true;
          });
}

void RaceDetector::agentWriteDone(Agent agent, const Place &place,
                                  unsigned bytes) {
  shadow(*place.region)
      .forCells(place.offset, bytes, [&](ShadowCell &cell, uint64_t, unsigned) {
        if (cell.writer == agent.thread && cell.clock == agent.clock)
          cell.pending = false;
      });
}

} // namespace fovea::sim
