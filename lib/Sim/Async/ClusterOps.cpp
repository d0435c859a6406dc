// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// barrier.cluster, mapa, getctarank (ISA text, sections 9.7.13.3, 9.7.9.23).
// A shared address of another CTA carries its rank plus one above bit 24.
#include "Checks/Races.h"
#include "Machine/Lanes.h"
#include "Program/Decoder.h"

namespace fovea::sim {

/// Threads that have exited count as arrived.
void Cluster::settleBarrier() {
  if (!arrivedThreads)
    return;
  uint32_t living = 0;
  for (const Cta &cta : ctas)
    living += cta.liveThreads;
  if (arrivedThreads < living)
    return;
  arrivedThreads = 0;
  ++barrierPhase;
  gathered = std::move(gathering);
  gathering.clear();
  noteChange();
}

namespace {

void execArrive(Warp &warp, const Inst &inst, uint32_t mask) {
  Cluster &cluster = *warp.cta->cluster;
  if (RaceDetector *races = warp.launch->races.get()) {
    if (inst.kind)
      races->releaseLanes(warp, mask, cluster.gathering);
    else
      forLanes(mask, [&](unsigned l) {
        races->relaxedRelease(warp, l, cluster.gathering);
      });
  }
  warp.clusterArrivals = cluster.barrierPhase + 1;
  cluster.arrivedThreads += static_cast<uint32_t>(std::popcount(mask));
  cluster.settleBarrier();
}

bool pollWait(Warp &warp, const Inst &, uint32_t mask) {
  Cluster &cluster = *warp.cta->cluster;
  if (cluster.barrierPhase < warp.clusterArrivals)
    return false;
  if (warp.launch->races)
    warp.launch->races->acquireLanes(warp, mask, cluster.gathered);
  return true;
}

constexpr uint32_t offsetMask = (1u << clusterShift) - 1;

template <class W> void execMapa(Warp &warp, const Inst &inst, uint32_t mask) {
  W *d = cellsOf<W>(warp, inst.d(0));
  const W *a = cellsOf<W>(warp, inst.s(0));
  const uint32_t *rank = warp.narrow(inst.s(1));
  forLanes(mask, [&](unsigned l) {
    W high = a[l] >> 24 >> 8 << 8 << 24; // a window's base, if any
    d[l] = high | (a[l] & offsetMask) | W(rank[l] + 1) << clusterShift;
  });
}

template <class W> void execRank(Warp &warp, const Inst &inst, uint32_t mask) {
  const W *a = cellsOf<W>(warp, inst.s(0));
  forLanes(mask, [&](unsigned l) {
    auto rank = static_cast<uint32_t>(a[l]) >> clusterShift;
    warp.narrow(inst.d(0))[l] = rank ? rank - 1 : warp.cta->rank;
  });
}

void decodeMapa(Decoder &d) {
  d.has("shared::cluster");
  Ty ty = d.type();
  d.expectOperands(3);
  uint32_t a = d.src(d.op(1), ty), b = d.src(d.op(2), Ty::B32);
  d.emit(typeBits(ty) == 64 ? execMapa<uint64_t> : execMapa<uint32_t>,
         {d.dst(d.op(0), ty)}, {a, b});
}

void decodeRank(Decoder &d) {
  d.has("shared::cluster");
  Ty ty = d.type();
  d.expectOperands(2);
  uint32_t a = d.src(d.op(1), ty);
  d.emit(typeBits(ty) == 64 ? execRank<uint64_t> : execRank<uint32_t>,
         {d.dst(d.op(0), Ty::B32)}, {a});
}

} // namespace

void decodeClusterBarrier(Decoder &d) {
  d.has("cluster");
  bool arrive = d.has("arrive");
  if (!arrive && !d.has("wait"))
    d.fail("'" + d.fullName() + "' lacks '.arrive' or '.wait'");
  bool ordered = d.oneOf({"release", "acquire", "relaxed"}) != "relaxed";
  bool aligned = d.has("aligned");
  d.expectOperands(0);
  if (arrive) {
    Inst &inst = d.emit(execArrive, {}, {}, Pipe::Control);
    inst.kind = ordered;
    inst.flow = aligned ? Flow::Aligned : Flow::Plain;
    return;
  }
  d.emitPoll(pollWait, {}, {}, aligned ? Flow::AlignedWait : Flow::Wait);
}

void addClusterOps(OpcodeTable &t) {
  t["mapa"] = decodeMapa;
  t["getctarank"] = decodeRank;
}

} // namespace fovea::sim
