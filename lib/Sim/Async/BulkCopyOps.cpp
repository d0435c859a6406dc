// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cp.async.bulk, cp.async.bulk.tensor, cp.reduce.async.bulk, their groups and
// waits (ISA text, section 9.7.9.25.4 and 9.7.9.25.5), as instructions.
//
// Sources of the instruction: addresses as pairs in the order shared side,
// global side or tensor map, mbarrier; then the size or the coordinates; then
// the mask of a multicast.
#include "Checks/AddressPairs.h"
#include "Checks/Races.h"
#include "Machine/Lanes.h"
#include "TensorMap.h"
#include <cstring>

namespace fovea::sim {
namespace {

enum BulkKind : uint8_t { GlobalToShared, SharedToGlobal, SharedToCluster };
enum BulkFlags : uint8_t { BulkMulticast = 8, BulkTensor = 16 };

constexpr uint32_t offsetMask = (1u << clusterShift) - 1;

unsigned pairsOf(const Inst &inst) {
  return inst.kind == SharedToGlobal ? 2 : 3;
}

void checkAligned(Warp &warp, unsigned l, uint64_t address, unsigned align,
                  const char *what) {
  if (address % align == 0 || !warp.launch->config.checks.alignment)
    return;
  warp.launch->report("misaligned", warp, static_cast<int>(l), address, "",
                      std::string(what) + " of a bulk copy needs alignment " +
                          std::to_string(align));
}

/// The space of the instruction's second address.
Space otherSpace(const Inst &inst) {
  return inst.kind == SharedToCluster ? Space::Shared : Space::Global;
}

void addRun(Warp &warp, const Inst &inst, BulkCopy &copy, uint64_t shared,
            const BoxRun &run) {
  bool store = inst.kind == SharedToGlobal;
  Segment segment;
  if (store) {
    // Bytes outside of the tensor are not written.
    if (!run.inside)
      return;
    if (!locate(warp, inst, copy.lane, Space::Shared, shared + run.before,
                run.inside, 1, false, segment.from) ||
        !locate(warp, inst, copy.lane, Space::Global, run.global, run.inside, 1,
                true, segment.to))
      return;
    segment.bytes = run.inside;
  } else {
    if (run.inside && !locate(warp, inst, copy.lane, otherSpace(inst),
                              run.global, run.inside, 1, false, segment.from))
      return;
    if (!locate(warp, inst, copy.lane, Space::Shared, shared, run.bytes, 1,
                true, segment.to))
      return;
    segment.before = run.before;
    segment.bytes = run.inside;
    segment.zeros = run.bytes - run.before - run.inside;
  }
  copy.segments.push_back(std::move(segment));
}

bool readMap(Warp &warp, const Inst &inst, unsigned l, TensorMapDesc &map,
             Place &place) {
  uint64_t address = addressOf(warp, inst, 1, l);
  if (!locate(warp, inst, l, Space::Generic, address, tensorMapBytes, 64, false,
              place))
    return false;
  if (!decodeTensorMap(place.data, map) || map.rank != inst.vec) {
    warp.launch->report("uninitialized", warp, static_cast<int>(l), address, "",
                        "the address holds no tensor map of rank " +
                            std::to_string(inst.vec));
    return false;
  }
  // Only a map that was changed on the device can be wrong.
  std::string problem = problemOf(map);
  if (!problem.empty())
    warp.launch->report("misaligned", warp, static_cast<int>(l), address, "",
                        "tensor map: " + problem);
  return problem.empty();
}

/// A box that is written may stick out at the ends, but must not start before
/// the tensor does (CUDA programming guide, tensor memory access); an H200
/// stops with an illegal instruction.
bool startsInside(Warp &warp, const Inst &inst, unsigned l, const int32_t *at) {
  for (unsigned i = 0; i < inst.vec && inst.kind == SharedToGlobal; ++i) {
    if (at[i] >= 0)
      continue;
    warp.launch->report("out-of-bounds", warp, static_cast<int>(l), 0, "",
                        "a box that is written starts at coordinate " +
                            std::to_string(at[i]) + " of dimension " +
                            std::to_string(i));
    return false;
  }
  return true;
}

/// The runs of the copy, the same for every destination.
bool findRuns(Warp &warp, const Inst &inst, unsigned l, TensorMapDesc &map,
              Place &mapPlace, std::vector<BoxRun> &runs) {
  unsigned next = 2 * pairsOf(inst);
  if (inst.flags & BulkTensor) {
    if (!readMap(warp, inst, l, map, mapPlace))
      return false;
    int32_t at[5] = {};
    for (unsigned i = 0; i < inst.vec; ++i)
      at[i] = static_cast<int32_t>(warp.narrow(inst.s(next + i))[l]);
    if (!startsInside(warp, inst, l, at))
      return false;
    checkAligned(warp, l, addressOf(warp, inst, 0, l), 128,
                 "the shared address");
    // ISA text, section 5.5.3.1; an H200 stops with an illegal instruction.
    checkAligned(warp, l,
                 map.address +
                     static_cast<uint64_t>(at[0]) * bytesOf(map.element),
                 16, "the box in the tensor");
    runs = boxRuns(map, at);
    return true;
  }
  uint32_t size = warp.narrow(inst.s(next))[l];
  checkAligned(warp, l, addressOf(warp, inst, 0, l), 16, "the shared address");
  checkAligned(warp, l, addressOf(warp, inst, 1, l), 16, "the other address");
  checkAligned(warp, l, size, 16, "the size");
  BoxRun run;
  run.bytes = run.inside = size;
  run.global = addressOf(warp, inst, 1, l);
  if (size)
    runs.push_back(run);
  return true;
}

/// Type of the elements that a reduction takes from a tensor map.
Ty reductionType(const Inst &inst, BulkReduce op, TensorElement element) {
  bool isBits = op >= BulkReduce::And,
       isExtreme = op == BulkReduce::Min || op == BulkReduce::Max;
  bool counts = op == BulkReduce::Inc || op == BulkReduce::Dec;
  switch (element) {
  case TensorElement::U32:
    return Ty::U32;
  case TensorElement::S32:
    if (!counts)
      return Ty::S32;
    break;
  case TensorElement::U64:
    if (!counts)
      return Ty::U64;
    break;
  case TensorElement::S64:
    if (isBits || isExtreme)
      return Ty::S64;
    break;
  case TensorElement::F32:
    if (op == BulkReduce::Add)
      return Ty::F32;
    break;
  case TensorElement::F16:
    if (op == BulkReduce::Add || isExtreme)
      return Ty::F16;
    break;
  case TensorElement::BF16:
    if (op == BulkReduce::Add || isExtreme)
      return Ty::BF16;
    break;
  default:
    break;
  }
  throw UnsupportedError(inst.line, "the tensor map's element type does not "
                                    "have this reduction");
}

/// `rank`: the CTA that a multicast goes to, or -1.
void issueTo(Warp &warp, const Inst &inst, unsigned l, int rank,
             const TensorMapDesc &map, const Place &mapPlace,
             const std::vector<BoxRun> &runs) {
  auto redirect = [&](uint64_t address) {
    if (rank < 0)
      return address;
    return (address & offsetMask) | uint64_t(rank + 1) << clusterShift;
  };
  BulkCopy copy;
  copy.warp = &warp;
  copy.lane = static_cast<uint8_t>(l);
  copy.pc = warp.pc;
  copy.nanOutside = map.oobNan;
  copy.reduce = static_cast<BulkReduce>(inst.aux & 0xff);
  copy.type = static_cast<Ty>(inst.aux >> 8);
  copy.map = mapPlace;
  if (inst.flags & BulkTensor && copy.reduce != BulkReduce::None)
    copy.type = reductionType(inst, copy.reduce, map.element);
  uint64_t shared = redirect(addressOf(warp, inst, 0, l) & 0xffffffff);
  for (const BoxRun &run : runs) {
    copy.transactionBytes += run.bytes;
    addRun(warp, inst, copy, swizzleAddress(shared + run.tile, map.swizzle),
           run);
  }
  AsyncState &async = *warp.cta->cluster->async;
  if (inst.kind == SharedToGlobal) {
    std::vector<uint32_t> &committed = async.bulkCommitted[&warp];
    committed.resize(32);
    copy.group = committed[l];
  } else {
    Place place;
    uint64_t at = redirect(addressOf(warp, inst, 2, l) & 0xffffffff);
    if (!locate(warp, inst, l, Space::Shared, at, 8, 8, true, place))
      return;
    copy.toMbarrier = true;
    copy.mbarrier = {place.owner,
                     static_cast<uint32_t>(place.region->base + place.offset)};
    if (!async.find(copy.mbarrier))
      warp.launch->report("uninitialized", warp, static_cast<int>(l), at, "",
                          "use of an mbarrier that is not initialised");
  }
  issueBulk(std::move(copy));
}

/// A multicast reads global memory once. What a swizzle cuts to pieces is one
/// run in global memory.
void countRuns(Warp &warp, const Inst &inst, const std::vector<BoxRun> &runs) {
  BoxRun joined;
  auto flush = [&] {
    if (inst.kind != SharedToCluster)
      countRun(warp, inst, joined.global, joined.inside,
               inst.kind == SharedToGlobal);
  };
  for (const BoxRun &run : runs) {
    countAsync(warp, inst, run.bytes);
    if (joined.inside && joined.global + joined.inside == run.global) {
      joined.inside += run.inside;
    } else {
      flush();
      joined = run;
    }
  }
  flush();
}

void execBulk(Warp &warp, const Inst &inst, uint32_t mask) {
  if (warp.taint)
    for (unsigned i = 0; i < inst.ns; ++i)
      reportTaint(warp, taintOf(warp, inst.s(i)) & mask, 0,
                  "an operand of a bulk copy");
  forLanes(mask, [&](unsigned l) {
    TensorMapDesc map;
    Place mapPlace;
    std::vector<BoxRun> runs;
    if (!findRuns(warp, inst, l, map, mapPlace, runs))
      return;
    if (warp.counts)
      countRuns(warp, inst, runs);
    if (!(inst.flags & BulkMulticast))
      return issueTo(warp, inst, l, -1, map, mapPlace, runs);
    uint32_t targets = warp.narrow(inst.s(inst.ns - 1u))[l] & 0xffff;
    forLanes(targets, [&](unsigned rank) {
      issueTo(warp, inst, l, static_cast<int>(rank), map, mapPlace, runs);
    });
  });
}

// --- groups -----------------------------------------------------------------

void execBulkCommit(Warp &warp, const Inst &, uint32_t mask) {
  std::vector<uint32_t> &committed =
      warp.cta->cluster->async->bulkCommitted[&warp];
  committed.resize(32);
  forLanes(mask, [&](unsigned l) { ++committed[l]; });
}

/// kind 1: waits only until the sources have been read.
void execBulkWait(Warp &warp, const Inst &inst, uint32_t mask) {
  AsyncState &async = *warp.cta->cluster->async;
  std::vector<uint32_t> &committed = async.bulkCommitted[&warp];
  committed.resize(32);
  RaceDetector *races = warp.launch->races.get();
  std::deque<BulkCopy> kept;
  for (BulkCopy &copy : async.bulk) {
    bool waited = !copy.toMbarrier && copy.warp == &warp &&
                  ((mask >> copy.lane) & 1) &&
                  int64_t(copy.group) + inst.imm < committed[copy.lane];
    if (!waited) {
      kept.push_back(std::move(copy));
      continue;
    }
    World world;
    if (races)
      races->agentRelease(copy.source, world);
    if (inst.kind) {
      moveBulk(copy);
    } else {
      completeBulk(copy);
      if (races)
        races->agentRelease(copy.agent, world);
    }
    if (races)
      races->acquireLanes(warp, 1u << copy.lane, world);
    if (inst.kind)
      kept.push_back(std::move(copy));
  }
  async.bulk = std::move(kept);
}

// --- decoding ---------------------------------------------------------------

void takePolicy(Decoder &d) {
  while (!d.oneOf({"L2::cache_hint", "noftz", "relaxed", "gpu", "cluster",
                   "cta_group::1", "tile"})
              .empty()) {
  }
}

BulkReduce takeReduction(Decoder &d) {
  static const char *const names[] = {"add", "min", "max", "inc",
                                      "dec", "and", "or",  "xor"};
  for (unsigned i = 0; i < 8; ++i)
    if (d.has(names[i]))
      return static_cast<BulkReduce>(i + 1);
  d.fail("'" + d.fullName() + "' lacks an operation");
}

/// Takes the two spaces in their order: destination, source.
BulkKind takeDirection(Decoder &d) {
  std::string_view spaces[2];
  unsigned n = 0;
  for (size_t i = 1; i < d.statement->opcode.size() && n < 2; ++i) {
    std::string_view part = d.statement->opcode[i];
    if (part == "global" || part == "shared::cta" || part == "shared::cluster")
      spaces[n++] = part;
  }
  if (n < 2)
    d.fail("'" + d.fullName() + "' lacks a state space");
  d.has(spaces[0]);
  d.has(spaces[1]);
  if (spaces[1] == "global" && spaces[0] != "global")
    return GlobalToShared;
  if (spaces[0] == "global" && spaces[1] == "shared::cta")
    return SharedToGlobal;
  if (spaces[0] == "shared::cluster" && spaces[1] == "shared::cta")
    return SharedToCluster;
  d.fail("'" + d.fullName() + "' is not supported");
}

class BulkDecoder {
public:
  explicit BulkDecoder(Decoder &d) : d(d) {}
  void run();

private:
  void address(const Operand &operand) {
    appendAddress(d, operand, sources, flags);
  }
  void coordinates(const Operand &map);

  Decoder &d;
  std::vector<uint32_t> sources;
  uint8_t flags = 0, rank = 0;
};

void BulkDecoder::coordinates(const Operand &map) {
  if (map.elems.size() != 2 || map.elems[1].kind != Operand::List ||
      map.elems[1].elems.size() != rank)
    d.fail("'" + d.fullName() + "' expects " + std::to_string(rank) +
           " coordinates");
  for (const Operand &element : map.elems[1].elems)
    sources.push_back(d.src(element, Ty::B32));
}

void BulkDecoder::run() {
  d.program.usesAsyncProxy = true;
  bool reduces = d.has("reduce"), tensor = d.has("tensor");
  if (tensor) {
    std::string_view dim = d.oneOf({"1d", "2d", "3d", "4d", "5d"});
    if (dim.empty())
      d.fail("'" + d.fullName() + "' lacks a dimension");
    rank = static_cast<uint8_t>(dim[0] - '0');
  }
  BulkKind kind = takeDirection(d);
  bool toMbarrier = d.has("mbarrier::complete_tx::bytes");
  if (toMbarrier == (kind == SharedToGlobal) ||
      (!toMbarrier && !d.has("bulk_group")))
    d.fail("'" + d.fullName() + "' lacks its completion mechanism");
  bool multicast = d.has("multicast::cluster");
  takePolicy(d);
  uint32_t reduction = 0;
  if (reduces) {
    reduction = static_cast<uint32_t>(takeReduction(d));
    Ty ty = tensor ? Ty::None : d.type();
    reduction |= static_cast<uint32_t>(ty) << 8;
  }
  // Destination, source, [size], [mbarrier], [mask], [policy].
  size_t fixed = 2 + (tensor ? 0 : 1) + (toMbarrier ? 1 : 0) + multicast;
  d.expectOperands(fixed, fixed + 1);
  bool store = kind == SharedToGlobal;
  address(d.op(store ? 1 : 0));
  address(d.op(store ? 0 : 1));
  size_t next = 2;
  const Operand *size = tensor ? nullptr : &d.op(next++);
  if (toMbarrier)
    address(d.op(next++));
  if (tensor)
    coordinates(d.op(store ? 0 : 1));
  else
    sources.push_back(d.src(*size, Ty::B32));
  if (multicast)
    sources.push_back(d.src(d.op(next), Ty::B16, true));
  Inst &inst = d.emit(execBulk, {}, sources, Pipe::Lsu);
  inst.kind = kind;
  inst.vec = rank;
  inst.flags =
      flags | (multicast ? BulkMulticast : 0) | (tensor ? BulkTensor : 0);
  inst.aux = reduction;
  inst.ownTaint = true;
}

} // namespace

void decodeBulk(Decoder &d) {
  if (d.has("commit_group")) {
    d.expectOperands(0);
    d.emit(execBulkCommit, {}, {}, Pipe::Control);
  } else if (d.has("wait_group")) {
    bool read = d.has("read");
    d.expectOperands(1);
    Inst &inst = d.emit(execBulkWait, {}, {}, Pipe::Control);
    inst.imm = static_cast<int64_t>(d.immediate(d.op(0)));
    inst.kind = read;
  } else if (d.has("prefetch")) {
    // Into L2: no effect on values.
    for (size_t i = 4; i < d.statement->opcode.size(); ++i)
      while (!d.oneOf({d.statement->opcode[i]}).empty()) {
      }
    d.emit([](Warp &, const Inst &, uint32_t) {}, {}, {}, Pipe::Lsu);
  } else {
    BulkDecoder(d).run();
  }
}

} // namespace fovea::sim
