// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// mbarrier (ISA text, section 9.7.13.15). A phase ends when no arrival and no
// transaction byte is pending; bytes may complete before they are expected,
// so that their count goes below zero for a while.
#include "Async.h"
#include "Checks/Races.h"
#include "Machine/Lanes.h"
#include "Program/Decoder.h"

namespace fovea::sim {

void settleMbarrier(Cluster &cluster, Mbarrier &mbarrier) {
  if (mbarrier.pending > 0 || mbarrier.transactions != 0)
    return;
  ++mbarrier.phase;
  mbarrier.pending = mbarrier.expected;
  // Arrivals of later phases come after those of earlier ones only if the
  // program orders them; what waiters learn accumulates nevertheless, since a
  // completed phase stays completed.
  mbarrier.completed = mbarrier.gathering;
  cluster.noteChange();
}

namespace {

enum MbarrierOp : uint8_t {
  Init,
  Inval,
  Arrive,
  ArriveExpect,
  ArriveDrop,
  ArriveDropExpect,
  ExpectTx,
  CompleteTx,
};

/// What the memory of an mbarrier holds, to notice that it was overwritten.
constexpr uint64_t live = 0x7265697272616221, dead = 0x6461656421;

bool resolve(Warp &warp, const Inst &inst, unsigned lane, Place &place,
             MbarrierRef &ref) {
  uint64_t address = laneAddress(warp, inst, inst.s(0), lane);
  if (!locate(warp, inst, lane, inst.space, address, 8, 8, true, place))
    return false;
  if (place.space != Space::Shared) {
    warp.launch->report("out-of-bounds", warp, static_cast<int>(lane), address,
                        "", "an mbarrier must lie in shared memory");
    return false;
  }
  ref = {place.owner, static_cast<uint32_t>(place.region->base + place.offset)};
  return true;
}

/// Finds the mbarrier of a lane. For the race detector the object is read: its
/// initialisation must come before, its end after.
Mbarrier *lookUp(Warp &warp, const Inst &inst, unsigned lane) {
  MbarrierRef ref;
  Place place;
  if (!resolve(warp, inst, lane, place, ref))
    return nullptr;
  uint64_t held = 0;
  readPlace(warp, lane, place, &held, 8, SyncScope::Device);
  Mbarrier *mbarrier = warp.cta->cluster->async->find(ref);
  if (mbarrier && held == live)
    return mbarrier;
  warp.launch->report("uninitialized", warp, static_cast<int>(lane), ref.offset,
                      place.region->name,
                      mbarrier ? "use of an mbarrier that was overwritten"
                               : "use of an mbarrier that is not initialised");
  return nullptr;
}

uint64_t token(const Mbarrier &mbarrier) {
  return mbarrier.phase << 32 | static_cast<uint32_t>(mbarrier.pending);
}

void initialise(Warp &warp, const Inst &inst, unsigned lane) {
  constexpr uint32_t maxCount = (1u << 20) - 1;
  MbarrierRef ref;
  Place place;
  if (!resolve(warp, inst, lane, place, ref))
    return;
  AsyncState &async = *warp.cta->cluster->async;
  bool ends = inst.kind == Inval;
  // Operations of a warp on the object go before its end though only one lane
  // of it releases: libcu++ elects that lane, and the last of all, by a match.
  if (RaceDetector *races = warp.launch->races.get(); races && ends)
    races->forgetWarpReads(warp, lane, place, 8);
  writePlace(warp, lane, place, ends ? &dead : &live, 8);
  if (ends) {
    async.mbarriers.erase(AsyncState::key(ref));
    return;
  }
  uint32_t count = warp.narrow(inst.s(1))[lane];
  if (count < 1 || count > maxCount)
    warp.launch->report("out-of-bounds", warp, static_cast<int>(lane),
                        ref.offset, place.region->name,
                        "an mbarrier counts 1 to 1048575 arrivals, not " +
                            std::to_string(count));
  Mbarrier made;
  made.expected = made.pending = count;
  async.mbarriers[AsyncState::key(ref)] = std::move(made);
}

void arriveLane(Warp &warp, const Inst &inst, unsigned lane,
                Mbarrier &mbarrier) {
  auto operand =
      static_cast<int64_t>(inst.ns > 1 ? warp.narrow(inst.s(1))[lane] : 1u);
  Cluster &cluster = *warp.cta->cluster;
  if (inst.nd)
    warp.wide(inst.d(0))[lane] = token(mbarrier);
  if (inst.kind == CompleteTx) {
    mbarrier.transactions -= operand;
  } else if (inst.kind == ExpectTx) {
    mbarrier.transactions += operand;
    return;
  } else {
    bool expects = inst.kind == ArriveExpect || inst.kind == ArriveDropExpect;
    if (expects)
      mbarrier.transactions += operand;
    RaceDetector *races = warp.launch->races.get();
    if (races && inst.flags)
      races->release(warp, lane, mbarrier.gathering);
    else if (races)
      races->relaxedRelease(warp, lane, mbarrier.gathering);
    int64_t count = expects ? 1 : operand;
    mbarrier.pending -= count;
    if (inst.kind == ArriveDrop || inst.kind == ArriveDropExpect)
      mbarrier.expected -= count;
    if (mbarrier.pending < 0)
      warp.launch->report("deadlock", warp, static_cast<int>(lane), 0, "",
                          "more arrivals at an mbarrier than it expects");
  }
  settleMbarrier(cluster, mbarrier);
}

void execMbarrier(Warp &warp, const Inst &inst, uint32_t mask) {
  forLanes(mask, [&](unsigned l) {
    if (inst.kind <= Inval)
      return initialise(warp, inst, l);
    if (Mbarrier *mbarrier = lookUp(warp, inst, l))
      arriveLane(warp, inst, l, *mbarrier);
  });
  warp.cta->cluster->noteChange();
}

/// Lanes whose phase has completed learn what its arrivals knew, at their next
/// fence if the wait is relaxed.
void learn(Warp &warp, uint32_t done, Mbarrier *const *mbarriers,
           bool isOrdered) {
  RaceDetector *races = warp.launch->races.get();
  if (races && !isOrdered)
    return forLanes(done, [&](unsigned l) {
      races->relaxedAcquire(warp, l, mbarriers[l]->completed);
    });
  while (races && done) {
    Mbarrier *mbarrier = mbarriers[std::countr_zero(done)];
    uint32_t same = 0;
    forLanes(done, [&](unsigned l) {
      same |= mbarriers[l] == mbarrier ? 1u << l : 0;
    });
    races->acquireLanes(warp, same, mbarrier->completed);
    done &= ~same;
  }
}

/// A wait may fail at any time before the phase ends, so the first attempt
/// does: code that ignores the result goes on too early. The next attempt at
/// the same phase waits.
bool refuseFirst(Warp &warp, const Mbarrier &mbarrier) {
  auto key =
      std::make_pair(reinterpret_cast<uint64_t>(&mbarrier), mbarrier.phase + 1);
  auto &last = warp.cta->cluster->async->refused[{&warp, warp.pc}];
  bool isFirst = last != key;
  last = key;
  return isFirst;
}

/// flags 1: parity.
bool pollMbarrier(Warp &warp, const Inst &inst, uint32_t mask) {
  Mbarrier *mbarriers[32], *open = nullptr;
  uint32_t done = 0;
  forLanes(mask, [&](unsigned l) {
    Mbarrier *mbarrier = mbarriers[l] = lookUp(warp, inst, l);
    if (!mbarrier)
      throw StopLaunch();
    bool passed = inst.flags & 1
                      ? (mbarrier->phase & 1) != (warp.narrow(inst.s(1))[l] & 1)
                      : mbarrier->phase > (warp.wide(inst.s(1))[l] >> 32);
    if (passed)
      done |= 1u << l;
    else
      open = mbarrier;
  });
  if (open && !warp.cta->cluster->timeout && !refuseFirst(warp, *open))
    return false;
  learn(warp, done, mbarriers, inst.kind);
  setPred(warp, inst.d(0), done, mask);
  setTaint(warp, inst.d(0), 0, mask);
  return true;
}

void execPendingCount(Warp &warp, const Inst &inst, uint32_t mask) {
  forLanes(mask, [&](unsigned l) {
    warp.narrow(inst.d(0))[l] = static_cast<uint32_t>(warp.wide(inst.s(0))[l]);
  });
}

Space takeSharedSpace(Decoder &d) {
  return d.oneOf({"shared::cta", "shared::cluster", "shared"}).empty()
             ? Space::Generic
             : Space::Shared;
}

void finish(Inst &inst, const Inst &at, Space space) {
  inst.imm = at.imm;
  inst.addrBits = at.addrBits;
  inst.space = space;
}

void decodeWait(Decoder &d, bool isTest) {
  uint8_t flags = d.has("parity") ? 1 : 0;
  bool ordered = d.oneOf({"acquire", "relaxed"}) != "relaxed";
  d.oneOf({"cta", "cluster"});
  Space space = takeSharedSpace(d);
  d.type();
  d.expectOperands(3, isTest ? 3 : 4); // the fourth: a time to wait
  uint32_t result = d.predDst(d.op(0));
  uint32_t phase = d.src(d.op(2), flags & 1 ? Ty::B32 : Ty::B64);
  Inst at;
  uint32_t base = d.address(at, d.op(1));
  Inst &inst = d.emitPoll(pollMbarrier, {result}, {base, phase}, Flow::Wait);
  inst.flags = flags;
  inst.kind = ordered;
  inst.ownTaint = true;
  finish(inst, at, space);
}

void decodeMbarrier(Decoder &d) {
  d.program.usesAsyncProxy = true;
  if (d.has("test_wait"))
    return decodeWait(d, true);
  if (d.has("try_wait"))
    return decodeWait(d, false);
  if (d.has("pending_count")) {
    d.type();
    d.expectOperands(2);
    uint32_t state = d.src(d.op(1), Ty::B64);
    d.emit(execPendingCount, {d.dst(d.op(0), Ty::B32)}, {state});
    return;
  }
  uint8_t op;
  if (d.has("init"))
    op = Init;
  else if (d.has("inval"))
    op = Inval;
  else if (d.has("arrive"))
    op = d.has("expect_tx") ? ArriveExpect : Arrive;
  else if (d.has("arrive_drop"))
    op = d.has("expect_tx") ? ArriveDropExpect : ArriveDrop;
  else if (d.has("expect_tx"))
    op = ExpectTx;
  else if (d.has("complete_tx"))
    op = CompleteTx;
  else
    d.fail("unknown operation of '" + d.fullName() + "'");
  d.has("noComplete");
  bool ordered = d.oneOf({"release", "relaxed"}) != "relaxed";
  d.oneOf({"cta", "cluster"});
  Space space = takeSharedSpace(d);
  d.type();
  bool hasState =
      op >= Arrive && op <= ArriveDropExpect && d.op(0).kind != Operand::Memory;
  size_t first = hasState ? 1 : 0;
  d.expectOperands(first + 1, first + 2);
  Inst at;
  std::vector<uint32_t> sources = {d.address(at, d.op(first))};
  if (d.count() > first + 1)
    sources.push_back(d.src(d.op(first + 1), Ty::B32));
  std::vector<uint32_t> dests;
  if (hasState && d.op(0).kind != Operand::Sink)
    dests.push_back(d.dst(d.op(0), Ty::B64));
  Inst &inst = d.emit(execMbarrier, dests, sources, Pipe::Lsu);
  inst.kind = op;
  inst.flags = ordered;
  finish(inst, at, space);
}

} // namespace

void addMbarrierOps(OpcodeTable &t) { t["mbarrier"] = decodeMbarrier; }

} // namespace fovea::sim
