// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Execution of a warp: its fragments in turn, one instruction after another.
//
// Lanes that part at a branch become two fragments. The fragment deepest in
// calls, then with the lowest counter, runs first, and fragments at one place
// merge: in code laid out by a compiler that is where the paths meet again. A
// fragment that used up its slice without meeting another gives way to it, so
// a lane may wait in a loop for another lane of its warp.
#include "Access.h"
#include "Checks/Races.h"
#include "Checks/Taint.h"
#include "Counts/Counts.h"
#include "Lanes.h"
#include <algorithm>

namespace fovea::sim {

namespace {
constexpr uint64_t slice = 2048;

/// Before the instruction is executed: its destination may be a source.
void propagateTaint(Warp &warp, const Inst &inst, uint32_t mask) {
  // Packing makes a partly written register of written and unwritten ones.
  if (inst.bytewise != Bytewise::None &&
      (!warp.partial.empty() || inst.bytewise == Bytewise::Pack))
    return propagateBytes(warp, inst, mask);
  uint32_t lanes = 0;
  for (unsigned i = 0; i < inst.ns; ++i)
    lanes |= warp.taint[inst.s(i)];
  for (unsigned i = 0; i < inst.nd; ++i)
    setTaint(warp, inst.d(i), lanes, mask);
}

uint32_t guardMask(Warp &warp, const Inst &inst, uint32_t mask) {
  if (inst.guard < 0)
    return mask;
  auto cell = static_cast<uint32_t>(inst.guard);
  uint32_t p = warp.pred(cell);
  if (warp.taint && (warp.taint[cell] & mask)) {
    reportTaint(warp, warp.taint[cell] & mask, 0, "a branch or predicate");
    warp.taint[cell] &= ~mask;
  }
  return mask & (inst.guardNegated ? ~p : p);
}
} // namespace

bool Warp::canRun() const {
  for (const Fragment &fragment : fragments)
    if (fragment.state == Fragment::Ready ||
        (fragment.state == Fragment::Polling &&
         fragment.polledAt != cta->cluster->events))
      return true;
  return false;
}

/// Lets fragments go on whose reason to wait is gone.
void Warp::wake() {
  for (Fragment &fragment : fragments) {
    if (fragment.state == Fragment::Polling &&
        fragment.polledAt != cta->cluster->events)
      fragment.state = Fragment::Ready;
    if (fragment.state == Fragment::Converging && fragment.mask == live)
      fragment.state = Fragment::Ready;
    if (fragment.state == Fragment::Gathering)
      gather(fragment);
  }
}

/// All lanes that the mask names and that live have come: at one place they
/// have merged, at several the instruction must be bar.warp.sync.
void Warp::gather(Fragment &fragment) {
  uint32_t arrived = 0;
  uint16_t opcode = program->code[fragment.pc].opcode;
  bool samePlace = true;
  for (const Fragment &other : fragments) {
    if (other.state != Fragment::Gathering ||
        other.members != fragment.members ||
        program->code[other.pc].opcode != opcode)
      continue;
    arrived |= other.mask;
    samePlace &= other.pc == fragment.pc;
  }
  uint32_t needed = fragment.members & live;
  if ((arrived & needed) != needed)
    return;
  if (samePlace) {
    fragment.state = Fragment::Ready;
    return;
  }
  releaseGathered(fragment.members, opcode, arrived);
}

/// The instruction at several places: every place executes it for all the
/// lanes, which is right for bar.warp.sync.
void Warp::releaseGathered(uint32_t members, uint16_t opcode,
                           uint32_t arrived) {
  bool done = false;
  for (Fragment &other : fragments) {
    if (other.state != Fragment::Gathering || other.members != members ||
        program->code[other.pc].opcode != opcode)
      continue;
    const Inst &inst = program->code[other.pc];
    pc = other.pc;
    if (inst.nd)
      throw UnsupportedError(inst.line,
                             "'" + program->opcodes[inst.opcode] +
                                 "' that lanes reach at different places is "
                                 "not supported");
    if (!done)
      inst.exec(*this, inst, arrived);
    done = true;
    if (counts)
      counts[pc].add(other.mask);
    ++other.pc;
    other.state = Fragment::Ready;
  }
}

void Warp::merge() {
  for (size_t i = 0; i + 1 < fragments.size(); ++i)
    for (size_t j = i + 1; j < fragments.size();) {
      Fragment &a = fragments[i], &b = fragments[j];
      bool meet = a.pc == b.pc && a.state == b.state &&
                  a.state != Fragment::AtBarrier &&
                  (a.state != Fragment::Gathering || a.members == b.members) &&
                  a.stack == b.stack;
      if (!meet) {
        ++j;
        continue;
      }
      a.mask |= b.mask;
      a.turns = std::min(a.turns, b.turns);
      fragments.erase(fragments.begin() + static_cast<ptrdiff_t>(j));
    }
}

int Warp::pick() {
  if (fragments.size() == 1) {
    wake();
    return fragments[0].state == Fragment::Ready ? 0 : -1;
  }
  // A Ready fragment that is at an aligned or member instruction where others
  // wait becomes one of them when it runs; merging first saves that.
  merge();
  wake();
  int best = -1;
  for (size_t i = 0; i < fragments.size(); ++i) {
    const Fragment &f = fragments[i];
    if (f.state != Fragment::Ready)
      continue;
    if (best >= 0) {
      const Fragment &b = fragments[best];
      if (std::make_tuple(f.turns, -int64_t(f.stack.size()), f.pc) >=
          std::make_tuple(b.turns, -int64_t(b.stack.size()), b.pc))
        continue;
    }
    best = static_cast<int>(i);
  }
  return best;
}

void Warp::run(uint64_t budget) {
  uint64_t end = executed + budget;
  while (live) {
    // Picked before the budget is looked at: lanes that met with its last
    // instruction must not be left waiting for each other.
    int index = pick();
    if (index < 0 || executed >= end)
      return;
    uint64_t left = end - executed;
    if (fragments.size() == 1) {
      runFragment(0, left, ~0u);
      continue;
    }
    uint32_t at = fragments[index].pc, stop = ~0u;
    for (const Fragment &other : fragments)
      if (other.pc > at && other.state != Fragment::AtBarrier)
        stop = std::min(stop, other.pc);
    uint64_t before = executed;
    size_t count = fragments.size();
    runFragment(static_cast<size_t>(index), std::min(left, slice), stop);
    if (fragments.size() != count)
      continue;
    Fragment &ran = fragments[index];
    ran.used += executed - before;
    if (ran.used >= slice) {
      ran.used = 0;
      ++ran.turns;
    }
  }
}

/// Splits the lanes outside `keep` off the fragment; they go on at `pc`.
void Warp::split(size_t index, uint32_t keep, uint32_t otherPc) {
  Fragment other = fragments[index];
  other.mask &= ~keep;
  other.pc = otherPc;
  other.state = Fragment::Ready;
  fragments[index].mask &= keep;
  fragments.push_back(std::move(other));
}

/// Splits by guard where the whole fragment must do the same; true if the
/// fragment goes on with the instruction.
bool Warp::settleGuard(size_t index, uint32_t active) {
  Fragment &fragment = fragments[index];
  if (active == fragment.mask)
    return true;
  if (active == 0) {
    ++fragment.pc;
    return false;
  }
  split(index, active, fragment.pc + 1);
  return true;
}

void Warp::runFragment(size_t index, uint64_t budget, uint32_t stop) {
  const Inst *code = program->code.data();
  uint64_t end = executed + budget;
  while (executed < end) {
    Fragment &fragment = fragments[index];
    pc = fragment.pc;
    uint32_t mask = fragment.mask;
    // Straight-line code in a tight loop.
    const Inst *inst = code + pc;
    while (inst->flow == Flow::Plain) {
      uint32_t active = guardMask(*this, *inst, mask);
      ++executed;
      if (counts)
        counts[pc].add(active);
      if (active) {
        if (taint && !inst->ownTaint)
          propagateTaint(*this, *inst, active);
        inst->exec(*this, *inst, active);
      }
      ++pc;
      ++inst;
      if (pc >= stop)
        break;
    }
    fragment.pc = pc;
    if (pc >= stop && inst->flow == Flow::Plain)
      return;
    uint32_t active = guardMask(*this, *inst, mask);
    ++executed;
    if (counts)
      counts[pc].add(active);
    if (!control(index, *inst, active))
      return;
    if (fragments[index].pc >= stop)
      return;
  }
}

/// Executes an instruction that moves the counter; false if the fragment
/// stopped, ended or split, so that the next one must be picked.
bool Warp::control(size_t index, const Inst &inst, uint32_t active) {
  Fragment &fragment = fragments[index];
  switch (inst.flow) {
  case Flow::Bra:
    if (watching && active && inst.target <= fragment.pc)
      noteLoop(index, inst.target);
    if (active == fragment.mask) {
      fragment.pc = inst.target;
      return true;
    }
    ++fragment.pc;
    if (active == 0)
      return true;
    if (counts)
      ++counts[pc].divergent;
    split(index, ~active, inst.target);
    return false;
  case Flow::Brx:
    return branchIndexed(index, inst, active);
  case Flow::Call:
    return call(index, inst, active);
  case Flow::Ret:
    if (!fragment.stack.empty())
      return settleGuard(index, active) && leave(index);
    [[fallthrough]];
  case Flow::Exit:
    return exitLanes(index, active);
  case Flow::Trap:
    if (active) {
      launch->report("trap", *this, std::countr_zero(active), 0, "",
                     "the kernel executed 'trap'");
      throw StopLaunch();
    }
    ++fragment.pc;
    return true;
  case Flow::Barrier:
    return atBarrier(index, inst, active);
  case Flow::Member:
    return atMember(index, inst, active);
  case Flow::Aligned:
  case Flow::AlignedWait:
    return atAligned(index, inst, active);
  case Flow::Wait:
    if (!settleGuard(index, active))
      return true;
    return waitOn(index, inst);
  case Flow::Plain:
    break;
  }
  return true;
}

bool Warp::waitOn(size_t index, const Inst &inst) {
  Fragment &fragment = fragments[index];
  if (inst.poll(*this, inst, fragment.mask)) {
    if (taint && !inst.ownTaint)
      propagateTaint(*this, inst, fragment.mask);
    ++fragments[index].pc;
    return fragments.size() == 1;
  }
  fragment.state = Fragment::Polling;
  fragment.polledAt = cta->cluster->events;
  uncount(fragment.mask);
  return false;
}

/// The instruction has been counted, but its lanes wait, and execute it later.
void Warp::uncount(uint32_t lanes) {
  if (counts)
    counts[pc].remove(lanes);
}

bool Warp::atAligned(size_t index, const Inst &inst, uint32_t active) {
  if (!settleGuard(index, active))
    return true;
  Fragment &fragment = fragments[index];
  if (fragment.mask != live) {
    fragment.state = Fragment::Converging;
    uncount(fragment.mask);
    return false;
  }
  if (inst.flow == Flow::AlignedWait)
    return waitOn(index, inst);
  if (taint && !inst.ownTaint)
    propagateTaint(*this, inst, fragment.mask);
  inst.exec(*this, inst, fragment.mask);
  ++fragment.pc;
  return true;
}

bool Warp::atBarrier(size_t index, const Inst &inst, uint32_t active) {
  if (!settleGuard(index, active))
    return true;
  Fragment &fragment = fragments[index];
  const BarrierSite &site = program->barriers[inst.aux];
  if (site.aligned && fragment.mask != live) {
    fragment.state = Fragment::Converging;
    uncount(fragment.mask);
    return false;
  }
  fragment.state = Fragment::AtBarrier;
  cta->arrive(*this, inst, fragment.mask);
  return false;
}

bool Warp::atMember(size_t index, const Inst &inst, uint32_t active) {
  if (!settleGuard(index, active))
    return true;
  const uint32_t *members = narrow(inst.s(inst.ns - 1u));
  Fragment &fragment = fragments[index];
  uint32_t wanted = members[std::countr_zero(fragment.mask)], same = 0;
  forLanes(fragment.mask,
           [&](unsigned l) { same |= members[l] == wanted ? 1u << l : 0; });
  // Lanes with another mask stay here and take their turn.
  bool alone = same == fragment.mask;
  if (!alone) {
    countParted(same, fragment.mask);
    split(index, same, fragment.pc);
  }
  if ((same & wanted) != same)
    launch->report("deadlock", *this, std::countr_zero(same & ~wanted), 0, "",
                   "the member mask does not name the executing lane");
  uint32_t needed = wanted & live;
  if ((needed & ~same) == 0) {
    if (taint && !inst.ownTaint)
      propagateTaint(*this, inst, same);
    inst.exec(*this, inst, same);
    ++fragments[index].pc;
    return alone;
  }
  fragments[index].state = Fragment::Gathering;
  fragments[index].members = wanted;
  uncount(same);
  return false;
}

/// Only these of the lanes that were counted go on; the others come again.
void Warp::countParted(uint32_t same, uint32_t all) {
  if (!counts)
    return;
  counts[pc].remove(all);
  counts[pc].add(same);
}

bool Warp::branchIndexed(size_t index, const Inst &inst, uint32_t active) {
  if (!settleGuard(index, active))
    return true;
  const std::vector<uint32_t> &table = program->tables[inst.aux];
  const uint32_t *which = narrow(inst.s(0));
  uint32_t mask = fragments[index].mask;
  unsigned first = static_cast<unsigned>(std::countr_zero(mask));
  uint32_t same = 0;
  forLanes(mask,
           [&](unsigned l) { same |= which[l] == which[first] ? 1u << l : 0; });
  if (which[first] >= table.size()) {
    launch->report("out-of-bounds", *this, static_cast<int>(first),
                   which[first], "",
                   "branch index " + std::to_string(which[first]) +
                       " of a table of " + std::to_string(table.size()));
    throw StopLaunch();
  }
  if (same != mask) {
    countParted(same, mask);
    if (counts)
      ++counts[pc].divergent;
    split(index, same, fragments[index].pc);
  }
  fragments[index].pc = table[which[first]];
  return same == mask;
}

bool Warp::exitLanes(size_t index, uint32_t active) {
  Fragment &fragment = fragments[index];
  live &= ~active;
  fragment.mask &= ~active;
  cta->liveThreads -= static_cast<uint32_t>(std::popcount(active));
  ++fragment.pc;
  if (active) {
    cta->cluster->noteChange();
    cta->recheckBarriers();
    cta->cluster->settleBarrier();
  }
  if (fragment.mask)
    return true;
  fragments.erase(fragments.begin() + static_cast<ptrdiff_t>(index));
  return false;
}

} // namespace fovea::sim
