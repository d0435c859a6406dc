// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cp.async, its groups and waits (ISA text, section 9.7.9.25.3).
//
// A copy takes place when its thread waits for it. Until then the destination
// holds a poison, so that a kernel that reads too early computes nonsense.
#include "Access.h"
#include "Async.h"
#include "Decoder.h"
#include "Lanes.h"
#include "Races.h"
#include <cstring>

namespace fovea::sim {

bool AsyncState::advance(Cluster &) { return false; }

void AsyncState::finish(Cluster &) { copies.clear(); }

namespace {

constexpr uint8_t poison = 0xff; // NaN in every float type

void complete(Warp &warp, const LaneCopy &copy) {
  if (warp.launch->races)
    warp.launch->races->copyDone(warp, copy);
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

void execCpAsync(Warp &warp, const Inst &inst, uint32_t mask) {
  WarpCopies &state = warp.cta->cluster->async->copies[&warp];
  if (warp.taint)
    for (unsigned i = 0; i < inst.ns; ++i)
      reportTaint(warp, taintOf(warp, inst.s(i)) & mask, 0, "an address");
  uint64_t sources[32], targets[32];
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
    LaneCopy copy;
    copy.group = state.committed[l];
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
    if (warp.launch->races)
      warp.launch->races->copyIssued(warp, copy, from);
    std::memset(copy.to, poison, copy.bytes);
    state.pending.push_back(copy);
  });
  if (warp.counts)
    countAccess(warp, inst, Space::Global, sources, mask, inst.bytes);
}

void execCommit(Warp &warp, const Inst &, uint32_t mask) {
  WarpCopies &state = warp.cta->cluster->async->copies[&warp];
  forLanes(mask, [&](unsigned l) { ++state.committed[l]; });
}

/// Completes the lanes' groups but the newest imm; imm -1: all copies.
void execWait(Warp &warp, const Inst &inst, uint32_t mask) {
  WarpCopies &state = warp.cta->cluster->async->copies[&warp];
  size_t kept = 0;
  for (LaneCopy &copy : state.pending) {
    bool waited = (mask >> copy.lane) & 1;
    if (waited && inst.imm >= 0)
      waited =
          int64_t(copy.group) + inst.imm < int64_t(state.committed[copy.lane]);
    if (waited)
      complete(warp, copy);
    else
      state.pending[kept++] = copy;
  }
  state.pending.resize(kept);
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
  if (!d.has("async"))
    d.fail("unknown opcode '" + d.fullName() + "'");
  for (std::string_view part : d.statement->opcode) {
    if (part == "bulk")
      d.fail("'" + d.fullName() + "' is not supported yet");
    if (part == "mbarrier")
      d.fail("'" + d.fullName() + "' is not supported yet");
  }
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
