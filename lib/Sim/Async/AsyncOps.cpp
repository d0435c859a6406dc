// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cp.async, its groups and waits (ISA text, section 9.7.9.25.3).
//
// A copy takes place when its thread waits for it. Until then the destination
// holds a poison, so that a kernel that reads too early computes nonsense.
#include "Async.h"
#include "Checks/Races.h"
#include "Machine/Access.h"
#include "Machine/Lanes.h"
#include "Program/Decoder.h"
#include <algorithm>
#include <cstring>

namespace fovea::sim {

/// Completes the oldest operation that an mbarrier observes, or with a seed any
/// of them.
bool AsyncState::advance(Cluster &cluster) {
  std::vector<size_t> observed;
  for (size_t i = 0; i < bulk.size(); ++i)
    if (bulk[i].toMbarrier)
      observed.push_back(i);
  size_t count = observed.size() + copyArrivals.size();
  if (count == 0)
    return false;
  size_t index = cluster.launch->config.seed
                     ? cluster.random.below(static_cast<uint32_t>(count))
                     : 0;
  cluster.noteChange();
  if (index < observed.size()) {
    auto at = bulk.begin() + static_cast<ptrdiff_t>(observed[index]);
    BulkCopy copy = std::move(*at);
    bulk.erase(at);
    completeBulk(copy);
    return true;
  }
  index -= observed.size();
  CopyArrival arrival = copyArrivals[index];
  copyArrivals.erase(copyArrivals.begin() + static_cast<ptrdiff_t>(index));
  completeCopies(*arrival.warp, 1u << arrival.lane, -1, arrival.before);
  if (Mbarrier *mbarrier = find(arrival.mbarrier)) {
    if (RaceDetector *races = cluster.launch->races.get())
      races->release(*arrival.warp, arrival.lane, mbarrier->gathering);
    --mbarrier->pending;
    settleMbarrier(cluster, *mbarrier);
  }
  return true;
}

bool AsyncState::canAdvance() const {
  return !copyArrivals.empty() ||
         std::any_of(bulk.begin(), bulk.end(),
                     [](const BulkCopy &copy) { return copy.toMbarrier; });
}

void AsyncState::finish(Cluster &cluster) {
  for (BulkCopy &copy : bulk) {
    const Segment *first = copy.segments.empty() ? nullptr : &copy.segments[0];
    if (!copy.toMbarrier && !copy.moved && cluster.launch->races && first) {
      copy.warp->pc = copy.pc;
      cluster.launch->report(
          "race", *copy.warp, copy.lane, first->from.offset,
          first->from.region->name,
          "the cta exits while a bulk copy may still read its shared memory");
    }
    completeBulk(copy);
  }
  bulk.clear();
  copies.clear();
}

namespace {

constexpr uint8_t poison = 0xff; // NaN in every float type

void complete(Warp &warp, const LaneCopy &copy) {
  if (warp.launch->races && !copy.isRepeat)
    warp.launch->races->copyDone(warp, copy);
  if (copy.sourceBytes > 0) // else there may be no source
    std::memcpy(copy.to, copy.from, copy.sourceBytes);
  std::memset(copy.to + copy.sourceBytes, 0, copy.bytes - copy.sourceBytes);
  if (!copy.toInit)
    return;
  if (copy.fromInit)
    std::memcpy(copy.toInit, copy.fromInit, copy.sourceBytes);
  else
    std::memset(copy.toInit, 1, copy.sourceBytes);
  std::memset(copy.toInit + copy.sourceBytes, 1, copy.bytes - copy.sourceBytes);
}

} // namespace

/// Completes the lanes' groups but the newest `keepGroups`; all copies,
/// committed or not, if it is negative.
void completeCopies(Warp &warp, uint32_t lanes, int64_t keepGroups,
                    uint32_t before) {
  WarpCopies &state = warp.cta->cluster->async->copies[&warp];
  size_t kept = 0;
  for (LaneCopy &copy : state.pending) {
    bool waited = ((lanes >> copy.lane) & 1) && copy.serial < before;
    if (waited && keepGroups >= 0)
      waited = int64_t(copy.group) + keepGroups <
               int64_t(state.committed[copy.lane]);
    if (waited)
      complete(warp, copy);
    else
      state.pending[kept++] = copy;
  }
  state.pending.resize(kept);
}

namespace {

/// Bytes that a lane copies: flags 1: s(2) is the source size, 2: s(2) is the
/// predicate that ignores the source.
unsigned sourceBytes(Warp &warp, const Inst &inst, unsigned l) {
  if (inst.flags & 2)
    return (warp.pred(inst.s(2)) >> l) & 1 ? 0 : inst.bytes;
  if (!(inst.flags & 1))
    return inst.bytes;
  uint32_t size = warp.narrow(inst.s(2))[l];
  if (size > inst.bytes)
    warp.launch->report("out-of-bounds", warp, static_cast<int>(l), 0, "",
                        "cp.async of " + std::to_string(inst.bytes) +
                            " bytes with a source size of " +
                            std::to_string(size));
  return std::min<uint32_t>(size, inst.bytes);
}

/// One base register and offset of two: the source's are in the instruction,
/// the destination's in aux (offset) and kind (width).
uint64_t destination(Warp &warp, const Inst &inst, unsigned l) {
  uint32_t cell = inst.s(0);
  uint64_t base = inst.kind == 64 ? warp.wide(cell)[l] : warp.narrow(cell)[l];
  return (base + static_cast<uint64_t>(static_cast<int32_t>(inst.aux))) &
         0xffffffff;
}

/// cooperative_groups::memcpy_async lets the lanes beyond the last chunk copy
/// that chunk again.
bool repeats(const WarpCopies &state, const LaneCopy &copy) {
  return std::any_of(
      state.pending.begin(), state.pending.end(), [&](const LaneCopy &other) {
        return other.to == copy.to && other.from == copy.from &&
               other.bytes == copy.bytes &&
               other.sourceBytes == copy.sourceBytes && other.pc == copy.pc;
      });
}

void execCpAsync(Warp &warp, const Inst &inst, uint32_t mask) {
  WarpCopies &state = warp.cta->cluster->async->copies[&warp];
  if (warp.taint)
    for (unsigned i = 0; i < inst.ns; ++i)
      reportTaint(warp, taintOf(warp, inst.s(i)) & mask, 0, "an address");
  uint64_t sources[32], targets[32], places[32] = {};
  forLanes(mask, [&](unsigned l) {
    unsigned size = sourceBytes(warp, inst, l);
    sources[l] = laneAddress(warp, inst, inst.s(1), l);
    targets[l] = destination(warp, inst, l);
    Place from, to;
    if (size && !locate(warp, inst, l, Space::Global, sources[l], size,
                        inst.bytes, false, from))
      return;
    if (!locate(warp, inst, l, Space::Shared, targets[l], inst.bytes,
                inst.bytes, true, to))
      return;
    places[l] = to.offset; // of a variable that the assembler aligns
    LaneCopy copy;
    copy.group = state.committed[l];
    copy.serial = state.issued++;
    copy.pc = warp.pc;
    copy.lane = static_cast<uint8_t>(l);
    copy.bytes = inst.bytes;
    copy.sourceBytes = static_cast<uint8_t>(size);
    copy.from = from.data;
    copy.fromInit = from.init;
    copy.to = to.data;
    copy.toInit = to.init;
    copy.region = to.region;
    copy.offset = to.offset;
    if (RaceDetector *races = warp.launch->races.get()) {
      copy.isRepeat = races->isPending(to, inst.bytes) && repeats(state, copy);
      races->copyIssued(warp, copy, from);
    }
    std::memset(copy.to, poison, copy.bytes);
    state.pending.push_back(copy);
  });
  if (warp.counts)
    countCopy(warp, inst, sources, places, mask, inst.bytes);
}

void execCommit(Warp &warp, const Inst &, uint32_t mask) {
  WarpCopies &state = warp.cta->cluster->async->copies[&warp];
  forLanes(mask, [&](unsigned l) { ++state.committed[l]; });
}

void execWait(Warp &warp, const Inst &inst, uint32_t mask) {
  completeCopies(warp, mask, inst.imm);
}

/// Arrives at an mbarrier once the lane's copies so far are complete.
void execCopyArrive(Warp &warp, const Inst &inst, uint32_t mask) {
  AsyncState &async = *warp.cta->cluster->async;
  forLanes(mask, [&](unsigned l) {
    Place place;
    if (!locate(warp, inst, l, inst.space,
                laneAddress(warp, inst, inst.s(0), l), 8, 8, false, place))
      return;
    MbarrierRef ref{place.owner,
                    static_cast<uint32_t>(place.region->base + place.offset)};
    Mbarrier *mbarrier = async.find(ref);
    if (!mbarrier) {
      reportTaint(warp, 1u << l, 0, "an mbarrier");
      return;
    }
    if (!inst.flags)
      ++mbarrier->pending;
    async.copyArrivals.push_back({&warp, static_cast<uint8_t>(l), ref,
                                  inst.flags != 0, async.copies[&warp].issued});
  });
}

void decodeCopyArrive(Decoder &d) {
  d.has("arrive");
  bool noIncrement = d.has("noinc");
  d.oneOf({"shared::cta", "shared"});
  d.type();
  d.expectOperands(1);
  Inst at;
  uint32_t base = d.address(at, d.op(0));
  Inst &inst = d.emit(execCopyArrive, {}, {base}, Pipe::Control);
  inst.imm = at.imm;
  inst.addrBits = at.addrBits;
  inst.space = Space::Shared;
  inst.flags = noIncrement;
}

void decodeCopy(Decoder &d) {
  std::string_view cache = d.oneOf({"ca", "cg"});
  if (cache.empty() || d.oneOf({"shared::cta", "shared"}).empty() ||
      !d.has("global"))
    d.fail("malformed '" + d.fullName() + "'");
  while (
      !d.oneOf({"L2::cache_hint", "L2::64B", "L2::128B", "L2::256B"}).empty()) {
  }
  d.expectOperands(3, 5);
  uint64_t bytes = d.immediate(d.op(2));
  if (bytes != 16 && (cache == "cg" || (bytes != 4 && bytes != 8)))
    d.fail("'" + d.fullName() + "' cannot copy " + std::to_string(bytes) +
           " bytes");
  Inst to, from;
  std::vector<uint32_t> sources = {d.address(to, d.op(0)),
                                   d.address(from, d.op(1))};
  uint8_t flags = 0;
  if (d.count() > 3) {
    const Operand &extra = d.op(3);
    if (d.regType(extra) == Ty::Pred) {
      flags = 2;
      sources.push_back(d.predSrc(extra));
    } else if (!d.isWide(extra)) {
      flags = 1;
      sources.push_back(d.src(extra, Ty::B32));
    }
  }
  Inst &inst = d.emit(execCpAsync, {}, sources, Pipe::Lsu);
  inst.bytes = static_cast<uint8_t>(bytes);
  inst.flags = flags;
  inst.imm = from.imm;
  inst.addrBits = from.addrBits;
  inst.aux = static_cast<uint32_t>(to.imm);
  inst.kind = to.addrBits;
  inst.space = Space::Shared;
  inst.ownTaint = true;
}

void decodeCp(Decoder &d) {
  if (d.statement->opcode.size() > 1 && d.statement->opcode[1] == "reduce") {
    d.has("async");
    d.has("bulk");
    return decodeBulk(d);
  }
  if (!d.has("async"))
    d.fail("unknown opcode '" + d.fullName() + "'");
  if (d.has("bulk"))
    return decodeBulk(d);
  if (d.has("mbarrier"))
    return decodeCopyArrive(d);
  if (d.has("commit_group")) {
    d.expectOperands(0);
    d.emit(execCommit, {}, {}, Pipe::Control);
  } else if (d.has("wait_group")) {
    d.expectOperands(1);
    d.emit(execWait, {}, {}, Pipe::Control).imm =
        static_cast<int64_t>(d.immediate(d.op(0)));
  } else if (d.has("wait_all")) {
    d.expectOperands(0);
    d.emit(execWait, {}, {}, Pipe::Control).imm = -1;
  } else {
    decodeCopy(d);
  }
}

} // namespace

void addAsyncOps(OpcodeTable &t) { t["cp"] = decodeCp; }

} // namespace fovea::sim
