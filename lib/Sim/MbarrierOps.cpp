// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// mbarrier (ISA text, section 9.7.13.15). A phase ends when no arrival and no
// transaction byte is pending; bytes may complete before they are expected,
// so that their count goes below zero for a while.
#include "Async.h"
#include "Decoder.h"
#include "Lanes.h"
#include "Races.h"

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
  ++cluster.events;
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

bool resolve(Warp &warp, const Inst &inst, unsigned lane, MbarrierRef &ref) {
  Place place;
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

Mbarrier *lookUp(Warp &warp, const Inst &inst, unsigned lane) {
  MbarrierRef ref;
  if (!resolve(warp, inst, lane, ref))
    return nullptr;
  Mbarrier *mbarrier = warp.cta->cluster->async->find(ref);
  if (!mbarrier)
    warp.launch->report("uninitialized", warp, static_cast<int>(lane),
                        ref.offset, "",
                        "use of an mbarrier that is not "
                        "initialised");
  return mbarrier;
}

uint64_t token(const Mbarrier &mbarrier) {
  return mbarrier.phase << 32 | static_cast<uint32_t>(mbarrier.pending);
}

void initialise(Warp &warp, const Inst &inst, unsigned lane) {
  MbarrierRef ref;
  if (!resolve(warp, inst, lane, ref))
    return;
  AsyncState &async = *warp.cta->cluster->async;
  if (inst.kind == Inval) {
    async.mbarriers.erase(AsyncState::key(ref));
    return;
  }
  Mbarrier made;
  made.expected = made.pending = warp.narrow(inst.s(1))[lane];
  if (RaceDetector *races = warp.launch->races.get())
    races->release(warp, lane, made.gathering);
  made.gathering.clear();
  async.mbarriers[AsyncState::key(ref)] = std::move(made);
}

void arriveLane(Warp &warp, const Inst &inst, unsigned lane,
                Mbarrier &mbarrier) {
  auto operand =
      static_cast<int64_t>(inst.ns > 1 ? warp.narrow(inst.s(1))[lane] : 1u);
  Cluster &cluster = *warp.cta->cluster;
  if (inst.nd && inst.d(0) != warp.program->scratchCell)
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
    if (RaceDetector *races = warp.launch->races.get())
      races->release(warp, lane, mbarrier.gathering);
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
  ++warp.cta->cluster->events;
}

/// flags 1: parity, 2: test_wait, which never blocks here unless others can
/// go on.
bool pollMbarrier(Warp &warp, const Inst &inst, uint32_t mask) {
  uint32_t done = 0;
  bool broken = false;
  forLanes(mask, [&](unsigned l) {
    Mbarrier *mbarrier = lookUp(warp, inst, l);
    if (!mbarrier) {
      broken = true;
      return;
    }
    bool passed = inst.flags & 1
                      ? (mbarrier->phase & 1) != (warp.narrow(inst.s(1))[l] & 1)
                      : mbarrier->phase > (warp.wide(inst.s(1))[l] >> 32);
    done |= passed ? 1u << l : 0;
  });
  if (broken)
    throw StopLaunch();
  if (done != mask && !warp.cta->cluster->timeout)
    return false;
  if (RaceDetector *races = warp.launch->races.get()) {
    // Lanes that wait for the same barrier learn the same.
    uint32_t left = done;
    while (left) {
      auto first = static_cast<unsigned>(std::countr_zero(left));
      Mbarrier *mbarrier = lookUp(warp, inst, first);
      uint32_t same = 0;
      forLanes(left, [&](unsigned l) {
        same |= lookUp(warp, inst, l) == mbarrier ? 1u << l : 0;
      });
      races->acquireLanes(warp, same, mbarrier->completed);
      left &= ~same;
    }
  }
  setPred(warp, inst.d(0), done, mask);
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
  uint8_t flags = (d.has("parity") ? 1 : 0) | (isTest ? 2 : 0);
  d.oneOf({"acquire", "relaxed"});
  d.oneOf({"cta", "cluster"});
  Space space = takeSharedSpace(d);
  d.type();
  d.expectOperands(3, 4);
  uint32_t result = d.predDst(d.op(0));
  uint32_t phase = d.src(d.op(2), flags & 1 ? Ty::B32 : Ty::B64);
  Inst at;
  uint32_t base = d.address(at, d.op(1));
  Inst &inst = d.emitPoll(pollMbarrier, {result}, {base, phase}, Flow::Wait);
  inst.flags = flags;
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
  d.oneOf({"release", "relaxed"});
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
  finish(inst, at, space);
}

} // namespace

void addMbarrierOps(OpcodeTable &t) { t["mbarrier"] = decodeMbarrier; }

} // namespace fovea::sim
