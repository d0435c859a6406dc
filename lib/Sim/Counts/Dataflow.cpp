// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the registers of a program say about its instructions: which are the
// same for all lanes, and which compute nothing that is used. Control flow is
// not looked at, so that every definition of a register counts everywhere.
#include "Costs.h"
#include "Program/Opcode.h"

namespace fovea::sim {

namespace {

bool isPerLane(Special which) {
  switch (which) {
  case Special::TidX:
  case Special::TidY:
  case Special::TidZ:
  case Special::LaneId:
  case Special::LaneMaskEq:
  case Special::LaneMaskLe:
  case Special::LaneMaskLt:
  case Special::LaneMaskGe:
  case Special::LaneMaskGt:
    return true;
  default:
    return false;
  }
}

bool isPlain(const Inst &inst) {
  return inst.flow == Flow::Plain && inst.pipe != Pipe::Lsu &&
         inst.pipe != Pipe::Tensor && inst.pipe != Pipe::Control;
}

/// May be left out if nobody needs its results.
bool isRemovable(const Inst &inst, const Opcode &opcode) {
  if (!inst.nd)
    return false;
  bool isWeakLoad = opcode.base() == "ld" && !opcode.has("volatile") &&
                    !opcode.has("relaxed") && !opcode.has("acquire");
  return isPlain(inst) || isWeakLoad || opcode.isOneOf({"shfl", "ldmatrix"});
}

/// Registers by the lanes that may differ.
class Uniformity {
public:
  explicit Uniformity(const Program &program)
      : program(program), perLane(program.cellCount + 2) {
    for (const std::string &opcode : program.opcodes)
      opcodes.emplace_back(opcode);
    for (auto [which, packed] : program.specials)
      if (isPerLane(which))
        perLane[packed / 2] = true;
    for (const CallSite &call : program.calls)
      markCells(call.results);
    for (const FunctionCode &function : program.functions)
      markCells(function.params);
    while (spread()) {
    }
  }

  /// An integer instruction with the same result for all lanes.
  bool isUniform(const Inst &inst) const {
    Ty ty = opcodes[inst.opcode].type();
    bool isFloating = ty >= Ty::F16 && ty <= Ty::F64;
    return (inst.pipe == Pipe::Alu || inst.pipe == Pipe::Fma) && !isFloating &&
           !isVote(inst) && inst.nd && !varies(inst);
  }

private:
  void markCells(const std::vector<CallSite::Value> &values) {
    for (const CallSite::Value &value : values)
      if (!value.inFrame)
        perLane[value.place] = true;
  }

  bool isVote(const Inst &inst) const {
    return opcodes[inst.opcode].isOneOf({"vote", "redux", "activemask"});
  }

  /// Results that are the same for all lanes if the sources are.
  bool passesOn(const Inst &inst) const {
    if (opcodes[inst.opcode].base() == "ld")
      return inst.space == Space::Param || inst.space == Space::Const;
    return isPlain(inst);
  }

  bool varies(const Inst &inst) const {
    if (isVote(inst))
      return false;
    if (!passesOn(inst))
      return true;
    bool any = inst.guard >= 0 && perLane[static_cast<size_t>(inst.guard)];
    for (unsigned i = 0; i < inst.ns; ++i)
      any |= perLane[inst.s(i)];
    return any;
  }

  bool spread() {
    bool changed = false;
    for (const Inst &inst : program.code) {
      if (!inst.nd || !varies(inst))
        continue;
      for (unsigned i = 0; i < inst.nd; ++i) {
        changed |= !perLane[inst.d(i)];
        perLane[inst.d(i)] = true;
      }
    }
    return changed;
  }

  const Program &program;
  std::vector<bool> perLane; // by cell
  std::vector<Opcode> opcodes;
};

} // namespace

void settlePipes(Program &program) {
  for (Inst &inst : program.code)
    inst.pipe = pipeOf(program.opcodes[inst.opcode], inst.pipe);
  Uniformity uniformity(program);
  std::vector<bool> uniform;
  for (const Inst &inst : program.code)
    uniform.push_back(uniformity.isUniform(inst));
  for (size_t pc = 0; pc < program.code.size(); ++pc)
    if (uniform[pc])
      program.code[pc].pipe = Pipe::Uniform;
}

std::vector<bool> deadInstructions(const Program &program) {
  std::vector<bool> used(program.cellCount + 2), dead(program.code.size());
  auto useAll = [&](const std::vector<CallSite::Value> &values) {
    for (const CallSite::Value &value : values)
      if (!value.inFrame)
        used[value.place] = true;
  };
  for (const CallSite &call : program.calls)
    useAll(call.args);
  for (const FunctionCode &function : program.functions)
    useAll(function.results);
  for (size_t pc = 0; pc < dead.size(); ++pc) {
    const Inst &inst = program.code[pc];
    dead[pc] = isRemovable(inst, Opcode(program.opcodes[inst.opcode]));
  }
  auto use = [&](const Inst &inst) {
    if (inst.guard >= 0)
      used[static_cast<size_t>(inst.guard)] = true;
    for (unsigned i = 0; i < inst.ns; ++i)
      used[inst.s(i)] = true;
  };
  for (size_t pc = 0; pc < dead.size(); ++pc)
    if (!dead[pc])
      use(program.code[pc]);
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t pc = dead.size(); pc-- > 0;) {
      const Inst &inst = program.code[pc];
      if (!dead[pc])
        continue;
      for (unsigned i = 0; i < inst.nd; ++i)
        if (used[inst.d(i)])
          dead[pc] = false;
      if (dead[pc])
        continue;
      use(inst);
      changed = true;
    }
  }
  return dead;
}

} // namespace fovea::sim
