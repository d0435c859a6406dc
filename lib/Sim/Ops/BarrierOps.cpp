// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// bar, barrier and fences (ISA text, sections 9.7.13.1 to 9.7.13.4).
//
// A barrier without a count waits for every thread of the CTA that has not
// exited; with a count, for so many threads, where a warp whose live lanes
// have all arrived counts as a whole one.
#include "Checks/Races.h"
#include "Machine/Access.h"
#include "Machine/Lanes.h"
#include "Program/Decoder.h"

namespace fovea::sim {

namespace {

uint32_t cellValue(Warp &warp, uint32_t cell, uint32_t mask) {
  return warp.narrow(cell)[std::countr_zero(mask)];
}

/// Lets the lanes of a completed barrier go on.
void release(const Barrier::Arrival &arrival, const Barrier &barrier,
             const Program &program) {
  Warp &warp = *arrival.warp;
  const Inst &inst = *arrival.inst;
  const BarrierSite &site = program.barriers[inst.aux];
  bool any = barrier.votes != 0, all = barrier.votes == barrier.voters;
  if (site.kind == BarrierSite::Popc)
    forLanes(arrival.mask,
             [&](unsigned l) { warp.narrow(inst.d(0))[l] = barrier.votes; });
  else if (site.kind == BarrierSite::And || site.kind == BarrierSite::Or)
    setPred(warp, inst.d(0),
            (site.kind == BarrierSite::And ? all : any) ? allLanes : 0,
            arrival.mask);
  if (inst.nd)
    setTaint(warp, inst.d(0), 0, arrival.mask);
  auto pc = static_cast<uint32_t>(&inst - program.code.data());
  for (Fragment &fragment : warp.fragments)
    if (fragment.state == Fragment::AtBarrier && fragment.pc == pc &&
        (fragment.mask & arrival.mask)) {
      fragment.state = Fragment::Ready;
      ++fragment.pc;
    }
}

} // namespace

bool Cta::isFull(const Barrier &barrier) const {
  if (barrier.arrivals.empty())
    return false;
  if (barrier.expected == 0) {
    for (const Warp &warp : warps) {
      uint32_t arrived = 0;
      for (const Barrier::Arrival &arrival : barrier.arrivals)
        if (arrival.warp == &warp)
          arrived |= arrival.mask;
      if ((warp.live & ~arrived) != 0)
        return false;
    }
    return true;
  }
  uint32_t count = 0;
  for (const Barrier::Arrival &arrival : barrier.arrivals)
    count += (arrival.warp->live & ~arrival.mask) == 0
                 ? 32
                 : static_cast<uint32_t>(std::popcount(arrival.mask));
  return count >= barrier.expected;
}

void Cta::completeIfFull(unsigned index) {
  Barrier &barrier = barriers[index];
  if (!isFull(barrier))
    return;
  Barrier done = std::move(barrier);
  barrier = Barrier();
  if (launch->races)
    launch->races->barrierComplete(*this, done);
  for (const Barrier::Arrival &arrival : done.arrivals)
    if (arrival.waits)
      release(arrival, done, *launch->program);
  ++cluster->events;
  cluster->barrierAt = cluster->executed;
}

void Cta::recheckBarriers() {
  for (unsigned i = 0; i < 16; ++i)
    if (!barriers[i].arrivals.empty())
      completeIfFull(i);
}

void Cta::arrive(Warp &warp, const Inst &inst, uint32_t mask) {
  const BarrierSite &site = launch->program->barriers[inst.aux];
  uint32_t id = cellValue(warp, inst.s(0), mask);
  uint32_t count = site.hasCount ? cellValue(warp, inst.s(1), mask) : 0;
  int lane = std::countr_zero(mask);
  if (id > 15) {
    launch->report("deadlock", warp, lane, id, "",
                   "barrier " + std::to_string(id) + " does not exist");
    throw StopLaunch();
  }
  if (warp.taint)
    reportTaint(warp, warp.taint[inst.s(0)] & mask, 0, "a barrier");
  if (site.hasCount && (count == 0 || count % 32)) {
    launch->report("deadlock", warp, lane, id, "",
                   "barrier " + std::to_string(id) + " counts " +
                       std::to_string(count) +
                       " threads, which is no multiple of the warp size");
    throw StopLaunch();
  }
  Barrier &barrier = barriers[id];
  if (!barrier.arrivals.empty() && barrier.expected != count) {
    launch->report("deadlock", warp, lane, id, "",
                   "barrier " + std::to_string(id) + " counts " +
                       std::to_string(count) + " threads here and " +
                       std::to_string(barrier.expected) +
                       " where others arrived",
                   barrier.arrivals[0].inst->line);
    throw StopLaunch();
  }
  barrier.expected = count;
  bool waits = site.kind != BarrierSite::Arrive;
  if (site.kind >= BarrierSite::Popc) {
    uint32_t p = warp.pred(inst.s(inst.ns - 1u));
    barrier.votes += static_cast<uint32_t>(std::popcount(p & mask));
    barrier.voters += static_cast<uint32_t>(std::popcount(mask));
  }
  barrier.arrivals.push_back({&warp, mask, &inst, waits});
  if (launch->races)
    launch->races->barrierArrive(warp, mask, barrier);
  if (!waits)
    release(barrier.arrivals.back(), barrier, *launch->program);
  completeIfFull(id);
}

namespace {

void decodeBarrier(Decoder &d) {
  if (d.base() == "barrier" && d.statement->opcode.size() > 1 &&
      d.statement->opcode[1] == "cluster")
    return decodeClusterBarrier(d);
  d.has("cta");
  if (d.has("warp")) {
    if (!d.has("sync"))
      d.fail("'" + d.fullName() + "' lacks '.sync'");
    d.expectOperands(1);
    uint32_t members = d.src(d.op(0), Ty::B32);
    Inst &inst = d.emit(
        [](Warp &warp, const Inst &, uint32_t mask) {
          if (warp.launch->races)
            warp.launch->races->warpSync(warp, mask);
        },
        {}, {members}, Pipe::Control);
    inst.flow = Flow::Member;
    return;
  }
  BarrierSite site;
  std::string_view what = d.oneOf({"sync", "arrive", "red"});
  std::string_view op;
  if (what == "red")
    op = d.oneOf({"popc", "and", "or"});
  site.kind = what == "arrive" ? BarrierSite::Arrive
              : op == "popc"   ? BarrierSite::Popc
              : op == "and"    ? BarrierSite::And
              : op == "or"     ? BarrierSite::Or
                               : BarrierSite::Sync;
  if (what.empty() || (what == "red" && op.empty()))
    d.fail("'" + d.fullName() + "' lacks an operation");
  bool aligned = d.has("aligned");
  site.aligned = aligned || d.base() == "bar";
  bool isRed = site.kind >= BarrierSite::Popc;
  if (isRed)
    d.type();
  size_t first = isRed ? 1 : 0, fixed = isRed ? 3 : 1;
  d.expectOperands(fixed, fixed + 1);
  site.hasCount = d.count() == fixed + 1;
  std::vector<uint32_t> sources = {d.src(d.op(first), Ty::B32)};
  if (site.hasCount)
    sources.push_back(d.src(d.op(first + 1), Ty::B32));
  if (isRed)
    sources.push_back(d.predSrc(d.op(d.count() - 1)));
  std::vector<uint32_t> dests;
  if (isRed)
    dests.push_back(
        d.dst(d.op(0), site.kind == BarrierSite::Popc ? Ty::B32 : Ty::Pred));
  Inst &inst = d.emit(nullptr, dests, sources, Pipe::Control);
  inst.flow = Flow::Barrier;
  inst.aux = static_cast<uint32_t>(d.program.barriers.size());
  d.program.barriers.push_back(site);
}

enum FenceKind : uint8_t {
  FenceMemory,
  FenceProxyAsync,
  FenceMapRelease,
  FenceMapAcquire,
  FenceOther
};

void execFence(Warp &warp, const Inst &inst, uint32_t mask) {
  RaceDetector *races = warp.launch->races.get();
  if (!races)
    return;
  if (inst.kind == FenceMemory)
    races->fence(warp, mask, inst.scope);
  else if (inst.kind == FenceProxyAsync)
    races->fenceProxy(warp, mask);
  else if (inst.kind == FenceMapRelease)
    races->releaseTensorMaps(warp, mask);
  else if (inst.kind == FenceMapAcquire) {
    uint64_t addresses[32] = {};
    forLanes(mask, [&](unsigned l) {
      addresses[l] = laneAddress(warp, inst, inst.s(0), l);
    });
    races->acquireTensorMaps(warp, mask, addresses);
  }
}

void decodeFence(Decoder &d) {
  uint8_t kind = FenceMemory;
  if (d.has("proxy")) {
    std::string_view which =
        d.oneOf({"async", "async::generic", "alias", "tensormap::generic"});
    if (which.empty())
      d.fail("unknown proxy of '" + d.fullName() + "'");
    kind = which == "alias"                ? FenceOther
           : which != "tensormap::generic" ? FenceProxyAsync
           : d.has("acquire")              ? FenceMapAcquire
                                           : FenceMapRelease;
    if (kind == FenceProxyAsync)
      d.program.usesAsyncProxy = true;
  }
  d.has("mbarrier_init");
  SyncScope scope = takeScope(d);
  while (
      !d.oneOf({"acq_rel", "sc", "acquire", "release", "global", "shared::cta",
                "shared::cluster", "sync_restrict::shared::cta",
                "sync_restrict::shared::cluster"})
           .empty()) {
  }
  Inst at;
  std::vector<uint32_t> sources;
  if (kind == FenceMapAcquire) { // [address], size
    d.expectOperands(2);
    sources.push_back(d.address(at, d.op(0)));
  }
  Inst &inst = d.emit(execFence, {}, sources, Pipe::Control);
  inst.kind = kind;
  inst.imm = at.imm;
  inst.addrBits = at.addrBits;
  inst.scope = scope;
  inst.ownTaint = true;
}

} // namespace

void addBarrierOps(OpcodeTable &t) {
  t["bar"] = decodeBarrier;
  t["barrier"] = decodeBarrier;
  t["membar"] = decodeFence;
  t["fence"] = decodeFence;
}

} // namespace fovea::sim
