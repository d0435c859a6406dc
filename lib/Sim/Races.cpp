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

void ShadowMemory::refine(ShadowPage &page) {
  std::vector<ShadowCell> fine(256);
  for (unsigned i = 0; i < 256; ++i) {
    const ShadowCell &from = page.cells[i / 4];
    ShadowCell &to = fine[i];
    to.writer = from.writer;
    to.clock = from.clock;
    to.pc = from.pc;
    to.scope = from.scope;
    to.pending = from.pending;
    to.inlineReads = from.inlineReads;
    std::memcpy(to.reads, from.reads, sizeof to.reads);
    if (from.more)
      to.more = std::make_unique<std::vector<ReadEntry>>(*from.more);
  }
  page.cells = std::move(fine);
  page.shift = 0;
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
  auto check = [&](const ReadEntry &entry) {
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
  };
  for (unsigned i = 0; i < cell.inlineReads; ++i)
    if (check(cell.reads[i]))
      return;
  if (cell.more)
    for (const ReadEntry &entry : *cell.more)
      if (check(entry))
        return;
}

/// A read that is ordered before this one cannot race with anything that
/// this one does not race with, so it is forgotten. Of other CTAs, whose
/// readers of an input are many, two suffice to find a conflicting write.
void RaceDetector::recordRead(ShadowCell &cell, const Observer &observer,
                              uint32_t thread, uint32_t clock, uint32_t pc,
                              SyncScope scope) {
  uint32_t warp = thread / 32, bit = 1u << (thread % 32);
  ReadEntry entry{warp, bit, clock, pc, uint32_t(scope)};
  // The common case: another lane of the last entry's warp and clock.
  if (cell.inlineReads) {
    ReadEntry &last = cell.reads[cell.inlineReads - 1];
    if (last.warp == warp && last.clock == clock &&
        last.scope == uint32_t(scope)) {
      last.mask |= bit;
      return;
    }
  }
  // On the stack: this is the hot path. Of more readers than that, which only
  // warps without a common barrier can be, the last ones are kept.
  constexpr unsigned capacity = 80;
  ReadEntry kept[capacity + 1];
  unsigned count = 0, foreign = 0;
  bool merged = false;
  auto keep = [&](ReadEntry old) {
    if (count == capacity)
      return;
    if (old.warp == warp) {
      if (old.clock == clock && old.scope == uint32_t(scope)) {
        old.mask |= bit;
        merged = true;
      } else {
        old.mask &= ~bit;
      }
      if (old.mask)
        kept[count++] = old;
      return;
    }
    uint32_t first =
        old.warp * 32 + static_cast<uint32_t>(std::countr_zero(old.mask));
    if (ordered(first, old.clock, observer))
      return;
    bool other = (old.warp >> (threadBits - 5)) != (warp >> (threadBits - 5));
    if (other && ++foreign > 2)
      return;
    kept[count++] = old;
  };
  for (unsigned i = 0; i < cell.inlineReads; ++i)
    keep(cell.reads[i]);
  if (cell.more)
    for (const ReadEntry &old : *cell.more)
      keep(old);
  if (!merged)
    kept[count++] = entry;
  // The newest stay inline, where the common case looks.
  cell.inlineReads = static_cast<uint8_t>(std::min(count, 2u));
  unsigned rest = count - cell.inlineReads;
  std::copy(kept + rest, kept + count, cell.reads);
  if (cell.more)
    cell.more->assign(kept, kept + rest);
  else if (rest)
    cell.more = std::make_unique<std::vector<ReadEntry>>(kept, kept + rest);
}

void RaceDetector::setWrite(ShadowCell &cell, uint32_t thread, uint32_t clock,
                            uint32_t pc, SyncScope scope) {
  cell.writer = thread;
  cell.clock = clock;
  cell.pc = pc;
  cell.scope = scope;
  cell.pending = false;
  cell.inlineReads = 0;
  if (cell.more)
    cell.more->clear();
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
  auto isOwn = [&](const ReadEntry &entry) {
    bool known = entry.warp == own;
    for (uint32_t l = 0; l < 32 && !known; ++l)
      known = ordered(entry.warp * 32 + l, entry.clock, observer);
    return known;
  };
  shadow(*place.region)
      .forCells(place.offset, bytes, [&](ShadowCell &cell, uint64_t, unsigned) {
        ReadEntry *end =
            std::remove_if(cell.reads, cell.reads + cell.inlineReads, isOwn);
        cell.inlineReads = static_cast<uint8_t>(end - cell.reads);
        if (cell.more)
          std::erase_if(*cell.more, isOwn);
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

bool RaceDetector::isPending(const Place &place) {
  bool pending = false;
  shadow(*place.region)
      .forCells(place.offset, 4, [&](ShadowCell &cell, uint64_t, unsigned) {
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
