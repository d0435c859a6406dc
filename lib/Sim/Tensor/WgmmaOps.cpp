// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// wgmma as instructions (ISA text, section 9.7.15): issue, fence, commit, wait.
//
// A product is computed when its warp waits for its group: operands in shared
// memory and in registers are read then, and the accumulators count as
// unwritten until then. Registers that it takes must be as they were at the
// last wgmma.fence: the fence keeps a copy to compare with.
#include "Checks/Races.h"
#include "Machine/Lanes.h"
#include "Program/Decoder.h"
#include "Wgmma.h"
#include <algorithm>
#include <cstdio>
#include <cstring>

namespace fovea::sim {
namespace {

void execWgmma(Warp &warp, const Inst &inst, uint32_t);

WarpWgmma &stateOf(Warp &warp) {
  return warp.cta->cluster->async->wgmma[&warp];
}

// --- registers and the fence ------------------------------------------------

void keepCell(Warp &warp, WarpWgmma &state, uint32_t cell) {
  std::memcpy(state.fenced[cell].data(), warp.narrow(cell), 128);
}

void execWgmmaFence(Warp &warp, const Inst &, uint32_t) {
  if (!warp.launch->races)
    return;
  WarpWgmma &state = stateOf(warp);
  if (!state.hasFence)
    for (const Inst &inst : warp.program->code) {
      if (inst.exec != execWgmma)
        continue;
      for (unsigned r = 0; r < inst.nd; ++r)
        state.fenced[inst.d(r)];
      for (unsigned r = 0; r < 4 && (inst.flags & WgmmaRegisterA); ++r)
        state.fenced[inst.s(r)];
    }
  state.hasFence = true;
  for (auto &[cell, values] : state.fenced)
    std::memcpy(values.data(), warp.narrow(cell), 128);
}

void checkFence(Warp &warp, const Inst &inst, WarpWgmma &state,
                bool accumulates) {
  auto report = [&](const char *what) {
    warp.launch->report("race", warp, 0, 0, "",
                        std::string("no wgmma.fence orders the writes of ") +
                            what + " before this wgmma");
  };
  auto changed = [&](uint32_t cell) {
    return std::memcmp(state.fenced[cell].data(), warp.narrow(cell), 128) != 0;
  };
  if (!state.hasFence)
    return report("its registers");
  for (unsigned r = 0; r < inst.nd && accumulates; ++r)
    if (changed(inst.d(r)))
      return report("the accumulators");
  for (unsigned r = 0; r < 4 && (inst.flags & WgmmaRegisterA); ++r)
    if (changed(inst.s(r)))
      return report("the fragments of A");
}

// --- issue ------------------------------------------------------------------

void checkDescriptor(Warp &warp, uint64_t bits) {
  if (bits & WgmmaDescriptor::reserved)
    warp.launch->report("misaligned", warp, 0, bits, "",
                        "reserved bits of a matrix descriptor are set");
}

/// Tells the race detector what the product may read from now on.
void noteReads(Warp &warp, const PendingWgmma &job) {
  RaceDetector *races = warp.launch->races.get();
  const Inst &inst = *job.inst;
  WgmmaShape shape = WgmmaShape::of(inst);
  auto note = [&](uint32_t address, unsigned, unsigned) {
    Place place;
    if (locate(warp, inst, 0, Space::Shared, address, 16, 16, false, place))
      races->agentRead(warp, 0, job.agent, place, 16);
  };
  if (!(inst.flags & WgmmaRegisterA))
    forWgmmaPieces(job.a, shape.k, shape.a, 16 * (warp.id % 4), 16,
                   inst.flags & WgmmaTransA, note);
  forWgmmaPieces(job.b, shape.k, shape.b, 0, shape.n, inst.flags & WgmmaTransB,
                 note);
}

/// 32 bytes a row: of A each warp reads its 16 rows, B is read once for all.
void countOperands(Warp &warp, const Inst &inst) {
  if (!(inst.flags & WgmmaRegisterA))
    countAsync(warp, inst, 16 * 32);
  if (warp.id % 4 == 0)
    countAsync(warp, inst, WgmmaShape::of(inst).n * 32);
}

void execWgmma(Warp &warp, const Inst &inst, uint32_t) {
  WarpWgmma &state = stateOf(warp);
  PendingWgmma job;
  job.inst = &inst;
  job.pc = warp.pc;
  job.group = state.committed;
  job.accumulate =
      inst.kind == 2 ? warp.pred(inst.s(inst.ns - 1u)) & 1 : inst.kind;
  unsigned next = 4;
  if (!(inst.flags & WgmmaRegisterA)) {
    job.a = warp.wide(inst.s(0))[0];
    checkDescriptor(warp, job.a);
    next = 1;
  }
  job.b = warp.wide(inst.s(next))[0];
  checkDescriptor(warp, job.b);
  if (warp.taint)
    for (unsigned i = inst.flags & WgmmaRegisterA ? 4 : 0; i < inst.ns; ++i)
      reportTaint(warp, taintOf(warp, inst.s(i)), 0, "a wgmma's operand");
  if (RaceDetector *races = warp.launch->races.get()) {
    checkFence(warp, inst, state, job.accumulate);
    job.agent = races->newAgent(warp);
    noteReads(warp, job);
  }
  if (warp.taint) {
    bool chained = false;
    for (const PendingWgmma &other : state.pending)
      chained |= other.inst->d(0) == inst.d(0);
    for (unsigned r = 0; r < inst.nd; ++r) {
      job.dirty.push_back(chained ? allLanes : warp.taint[inst.d(r)]);
      warp.taint[inst.d(r)] = allLanes;
    }
  }
  state.pending.push_back(std::move(job));
  if (warp.counts)
    countOperands(warp, inst);
}

// --- waiting ----------------------------------------------------------------

void execWgmmaCommit(Warp &warp, const Inst &, uint32_t) {
  ++stateOf(warp).committed;
}

/// The next product in flight on the same accumulators starts from the taint
/// that this one leaves.
void passTaint(Warp &warp, WarpWgmma &state, const PendingWgmma &done) {
  if (!warp.taint)
    return;
  for (PendingWgmma &next : state.pending) {
    if (next.inst->d(0) != done.inst->d(0))
      continue;
    for (unsigned r = 0; r < next.dirty.size() && r < done.inst->nd; ++r) {
      next.dirty[r] = warp.taint[done.inst->d(r)];
      warp.taint[done.inst->d(r)] = allLanes;
    }
    return;
  }
}

void execWgmmaWait(Warp &warp, const Inst &inst, uint32_t mask) {
  WarpWgmma &state = stateOf(warp);
  World world;
  RaceDetector *races = warp.launch->races.get();
  while (!state.pending.empty()) {
    PendingWgmma &front = state.pending.front();
    if (int64_t(front.group) + inst.imm >= int64_t(state.committed))
      break;
    PendingWgmma job = std::move(front);
    state.pending.pop_front();
    computeWgmma(warp, job);
    passTaint(warp, state, job);
    if (!races)
      continue;
    for (unsigned r = 0; r < job.inst->nd && state.hasFence; ++r)
      keepCell(warp, state, job.inst->d(r));
    races->agentRelease(job.agent, world);
  }
  if (races && !world.empty())
    races->acquireLanes(warp, mask, world);
}

// --- decoding ---------------------------------------------------------------

WgmmaShape takeShape(Decoder &d) {
  WgmmaShape shape;
  std::string name(d.next("a shape"));
  unsigned m = 0;
  if (std::sscanf(name.c_str(), "m%un%uk%u", &m, &shape.n, &shape.k) != 3 ||
      m != 64 || shape.n < 8 || shape.n > 256 || shape.n % 8)
    d.fail("unknown shape '." + name + "' of '" + d.fullName() + "'");
  return shape;
}

bool isKnown(const WgmmaShape &shape) {
  if (shape.k * typeBits(shape.a == Ty::TF32 ? Ty::B32 : shape.a) != 256)
    return false;
  switch (shape.a) {
  case Ty::F16:
    return shape.b == Ty::F16 && (shape.d == Ty::F32 || shape.d == Ty::F16);
  case Ty::BF16:
  case Ty::TF32:
    return shape.b == shape.a && shape.d == Ty::F32;
  case Ty::E4M3:
  case Ty::E5M2:
    return (shape.b == Ty::E4M3 || shape.b == Ty::E5M2) &&
           (shape.d == Ty::F32 || shape.d == Ty::F16);
  case Ty::S8:
  case Ty::U8:
    return (shape.b == Ty::S8 || shape.b == Ty::U8) && shape.d == Ty::S32;
  case Ty::B1:
    return shape.b == Ty::B1 && shape.d == Ty::S32;
  default:
    return false;
  }
}

/// imm-scale-a, imm-scale-b of floats; imm-trans-a, imm-trans-b of 16 bits.
uint8_t takeImmediates(Decoder &d, const WgmmaShape &shape, bool registerA) {
  std::vector<uint8_t> meaning;
  if (isFloat(shape.d)) {
    meaning = {WgmmaNegateA, WgmmaNegateB};
    if (typeBits(shape.a) == 16) {
      if (!registerA)
        meaning.push_back(WgmmaTransA);
      meaning.push_back(WgmmaTransB);
    }
  }
  d.expectOperands(4 + meaning.size());
  uint8_t flags = 0;
  for (size_t i = 0; i < meaning.size(); ++i) {
    auto value = static_cast<int32_t>(d.immediate(d.op(4 + i)));
    bool isScale = i < 2;
    if (value == (isScale ? -1 : 1))
      flags |= meaning[i];
    else if (value != (isScale ? 1 : 0))
      d.fail("unexpected immediate " + std::to_string(value) + " of '" +
             d.fullName() + "'");
  }
  return flags;
}

void decodeProduct(Decoder &d) {
  if (!d.has("sync") || !d.has("aligned") || d.has("sp"))
    d.fail("'" + d.fullName() + "' is not supported");
  WgmmaShape shape = takeShape(d);
  bool saturate = d.has("satfinite");
  shape.d = d.type();
  shape.a = d.type();
  shape.b = d.type();
  if (!isKnown(shape) ||
      (shape.a == Ty::B1 && (!d.has("and") || !d.has("popc"))))
    d.fail("'" + d.fullName() + "' is not supported");
  d.expectOperands(4, 8);
  bool registerA = d.op(1).kind == Operand::List;
  std::vector<uint32_t> accumulators = d.dstList(d.op(0), Ty::B32);
  if (accumulators.size() != shape.accumulators())
    d.fail("'" + d.fullName() + "' expects " +
           std::to_string(shape.accumulators()) + " registers, but got " +
           std::to_string(accumulators.size()));
  std::vector<uint32_t> sources;
  if (registerA)
    sources = d.srcList(d.op(1), Ty::B32);
  else
    sources = {d.src(d.op(1), Ty::B64)};
  if (registerA && sources.size() != 4)
    d.fail("'" + d.fullName() + "' expects 4 registers of A, but got " +
           std::to_string(sources.size()));
  sources.push_back(d.src(d.op(2), Ty::B64));
  uint8_t scale = 2;
  if (d.op(3).kind == Operand::Int)
    scale = d.op(3).bits != 0;
  else
    sources.push_back(d.predSrc(d.op(3)));
  uint8_t flags = takeImmediates(d, shape, registerA);
  Inst &inst = d.emit(execWgmma, accumulators, sources, Pipe::Tensor);
  inst.imm = shape.pack();
  inst.flags =
      flags | (registerA ? WgmmaRegisterA : 0) | (saturate ? WgmmaSaturate : 0);
  inst.kind = scale;
  inst.flow = Flow::Aligned;
  inst.ownTaint = true;
}

void decodeWgmma(Decoder &d) {
  d.program.usesAsyncProxy = true;
  if (d.has("mma_async"))
    return decodeProduct(d);
  Exec exec = nullptr;
  bool waits = false;
  if (d.has("fence"))
    exec = execWgmmaFence;
  else if (d.has("commit_group"))
    exec = execWgmmaCommit;
  else if ((waits = d.has("wait_group")))
    exec = execWgmmaWait;
  if (!exec || !d.has("sync") || !d.has("aligned"))
    d.fail("unknown '" + d.fullName() + "'");
  d.expectOperands(waits ? 1 : 0);
  Inst &inst = d.emit(exec, {}, {}, Pipe::Control);
  inst.imm = waits ? static_cast<int64_t>(d.immediate(d.op(0))) : 0;
  inst.flow = Flow::Aligned;
  inst.ownTaint = true;
}

} // namespace

const Inst *wgmmaInFlight(const Warp &warp) {
  auto &all = warp.cta->cluster->async->wgmma;
  auto found = all.find(const_cast<Warp *>(&warp));
  return found == all.end() || found->second.pending.empty()
             ? nullptr
             : found->second.pending.front().inst;
}

void addWgmmaOps(OpcodeTable &t) { t["wgmma"] = decodeWgmma; }

} // namespace fovea::sim
