// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loops of a kernel, for the counts: a branch back to a head, and everything
// from which that branch is reached without passing the head. Calls are
// stepped over.
#include "Counts.h"
#include <algorithm>

namespace fovea::sim {

namespace {

/// The instructions that may come after one.
std::vector<uint32_t> successors(const Program &program, uint32_t pc) {
  const Inst &inst = program.code[pc];
  std::vector<uint32_t> next;
  switch (inst.flow) {
  case Flow::Bra:
    next.push_back(inst.target);
    break;
  case Flow::Brx:
    next = program.tables[inst.aux];
    break;
  case Flow::Ret:
  case Flow::Exit:
  case Flow::Trap:
    break;
  default:
    next.push_back(pc + 1);
    return next;
  }
  if (inst.guard >= 0)
    next.push_back(pc + 1);
  return next;
}

} // namespace

std::vector<ProgramLoop> findLoops(const Program &program) {
  std::vector<std::vector<uint32_t>> before(program.code.size() + 1);
  std::vector<ProgramLoop> loops;
  for (uint32_t pc = 0; pc < program.code.size(); ++pc)
    for (uint32_t next : successors(program, pc)) {
      before[next].push_back(pc);
      if (next > pc)
        continue;
      auto known = std::find_if(
          loops.begin(), loops.end(),
          [&](const ProgramLoop &loop) { return loop.head == next; });
      if (known == loops.end())
        known = loops.insert(loops.end(), ProgramLoop{next, pc, {}, {}});
      known->branches.push_back(pc);
      known->back = std::max(known->back, pc);
    }
  for (ProgramLoop &loop : loops) {
    std::vector<bool> in(program.code.size());
    in[loop.head] = true;
    std::vector<uint32_t> open = loop.branches;
    while (!open.empty()) {
      uint32_t pc = open.back();
      open.pop_back();
      if (in[pc])
        continue;
      in[pc] = true;
      open.insert(open.end(), before[pc].begin(), before[pc].end());
    }
    for (uint32_t pc = 0; pc < program.code.size(); ++pc)
      if (in[pc])
        loop.members.push_back(pc);
  }
  return loops;
}

} // namespace fovea::sim
