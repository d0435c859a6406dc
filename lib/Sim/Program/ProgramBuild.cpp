// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From a module to the program of one kernel: cells for registers, places for
// variables, code for every function, targets of branches.
#include "Counts/Costs.h"
#include "Decoder.h"
#include "Machine/Memory.h"
#include "Machine/Stack.h"
#include <algorithm>

namespace fovea::sim {
namespace {

/// The next offset that is aligned as declared and not more, after a red zone.
uint64_t placeExactly(uint64_t after, uint64_t align, uint64_t redZone) {
  uint64_t from = after + redZone;
  uint64_t step = 2 * align;
  return (from + align + step - 1) / step * step - align;
}

uint64_t roundUp(uint64_t x, uint64_t to) { return (x + to - 1) / to * to; }

constexpr uint64_t firstShared = 1024;
constexpr uint64_t sharedRedZone = 64;
constexpr uint64_t localRedZone = 16;

class Builder {
public:
  Builder(const Module &module, const SymbolAddresses &symbols,
          Program &program)
      : module(module), symbols(symbols), shared(this->symbols),
        builder(module, this->symbols, program), program(program) {}

  void run(int entry);

private:
  struct Layout {
    std::vector<uint32_t> regCells;
    std::vector<uint64_t> varAddresses;
  };

  bool wanted(int index, int entry) const {
    const Function &function = module.functions[index];
    return function.hasBody && (index == entry || !function.isEntry);
  }
  void placeShared(const Variable &variable, uint64_t &address);
  void placeModuleShared();
  void layRegisters(const Function &function, Layout &layout,
                    FunctionCode &code);
  void layVariables(const Function &function, Layout &layout,
                    FunctionCode &code);
  void layParams(const Function &function, Layout &layout);
  CallSite::Value valueOf(const Function &function, const Layout &layout,
                          int variable) const;
  void decodeFunction(int index);
  void markRecursion();
  void markHelpers(uint32_t first);
  bool reaches(int from, int to, std::vector<bool> &seen) const;

  const Module &module;
  SymbolAddresses symbols; // with shared variables added
  SymbolAddresses &shared;
  ProgramBuilder builder;
  Program &program;
  std::vector<Layout> layouts;
  std::vector<std::vector<int>> callees;
  std::vector<std::pair<int, size_t>> dynamicVars; // function, variable
  std::vector<std::string> dynamicSymbols;
};

void Builder::placeShared(const Variable &variable, uint64_t &address) {
  if (!variable.init.empty())
    throw UnsupportedError(variable.line, "shared variable '" + variable.name +
                                              "' has an initialiser");
  address = placeExactly(std::max(program.staticShared, firstShared),
                         variable.align, sharedRedZone);
  program.staticShared = address + variable.bytes;
  program.declaredShared =
      roundUp(program.declaredShared, variable.align) + variable.bytes;
  program.shared.push_back(
      {variable.name, address, variable.bytes, variable.align});
}

void Builder::placeModuleShared() {
  for (const Variable &variable : module.vars) {
    if (variable.space != Space::Shared)
      continue;
    uint64_t address = 0;
    if (variable.isExtern) {
      dynamicSymbols.push_back(variable.name);
      program.dynamicAlign = std::max(program.dynamicAlign, variable.align);
      program.dynamicName = variable.name;
    } else {
      placeShared(variable, address);
    }
    shared.address[variable.name] = address;
  }
}

void Builder::layRegisters(const Function &function, Layout &layout,
                           FunctionCode &code) {
  code.firstCell = program.cellCount;
  for (const Register &reg : function.regs) {
    // 128 bits are two times 64.
    unsigned wides = typeBits(reg.type) / 64;
    uint32_t first = builder.newCells(wides ? 2 * wides : 1);
    layout.regCells.push_back(first);
    program.shapes.resize(program.cellCount, CellShape::Narrow);
    for (unsigned i = 0; i < wides; ++i) {
      program.shapes[first + 2 * i] = CellShape::WideLo;
      program.shapes[first + 2 * i + 1] = CellShape::WideHi;
    }
    if (reg.type == Ty::Pred)
      program.shapes[first] = CellShape::Pred;
  }
  code.endCell = program.cellCount;
}

void Builder::layParams(const Function &function, Layout &layout) {
  for (int index : function.params) {
    const Variable &variable = function.vars[index];
    uint64_t offset = roundUp(program.paramBytes, variable.align);
    program.params.push_back(
        {variable.name, offset, variable.bytes, variable.align});
    program.paramBytes = offset + variable.bytes;
    layout.varAddresses[index] = paramWindow + offset;
  }
}

void Builder::layVariables(const Function &function, Layout &layout,
                           FunctionCode &code) {
  layout.varAddresses.assign(function.vars.size(), 0);
  if (function.isEntry)
    layParams(function, layout);
  code.frameBase = static_cast<uint32_t>(program.localBytes);
  for (size_t i = 0; i < function.vars.size(); ++i) {
    const Variable &variable = function.vars[i];
    bool isEntryParam =
        function.isEntry &&
        std::count(function.params.begin(), function.params.end(), int(i));
    if (isEntryParam || variable.reg >= 0)
      continue;
    switch (variable.space) {
    case Space::Shared:
      if (variable.isExtern) {
        dynamicVars.emplace_back(
            static_cast<int>(&function - module.functions.data()), i);
        program.dynamicAlign = std::max(program.dynamicAlign, variable.align);
        program.dynamicName = variable.name;
      } else {
        placeShared(variable, layout.varAddresses[i]);
      }
      break;
    case Space::Local:
    case Space::Param: {
      uint64_t at =
          placeExactly(program.localBytes, variable.align, localRedZone);
      program.localBytes = at + variable.bytes;
      program.local.push_back(
          {variable.name, at, variable.bytes, variable.align});
      layout.varAddresses[i] =
          at + (variable.space == Space::Param ? localWindow : 0);
      break;
    }
    default:
      throw UnsupportedError(variable.line,
                             "variable '" + variable.name +
                                 "' in a function must be .shared, .local or "
                                 ".param");
    }
  }
  code.frameEnd = static_cast<uint32_t>(program.localBytes);
}

CallSite::Value Builder::valueOf(const Function &function, const Layout &layout,
                                 int variable) const {
  const Variable &v = function.vars[variable];
  if (v.reg >= 0)
    return {false, layout.regCells[v.reg], std::max(4u, typeBytes(v.type))};
  return {true, static_cast<uint32_t>(layout.varAddresses[variable]),
          static_cast<uint32_t>(v.bytes)};
}

void Builder::decodeFunction(int index) {
  const Function &function = module.functions[index];
  FunctionCode &code = program.functions[index];
  code.entry = static_cast<uint32_t>(program.code.size());
  code.decoded = true;
  size_t firstTable = program.tables.size(), firstCall = program.calls.size();
  std::vector<uint32_t> pcs;
  Decoder decoder(builder, function, layouts[index].regCells,
                  layouts[index].varAddresses);
  for (const Statement &statement : function.body) {
    pcs.push_back(static_cast<uint32_t>(program.code.size()));
    decoder.decode(statement);
    markHelpers(pcs.back());
  }
  // Falling off the end returns.
  pcs.push_back(static_cast<uint32_t>(program.code.size()));
  Inst end;
  end.flow = Flow::Ret;
  end.pipe = Pipe::Control;
  end.isHelper = true;
  end.opcode = builder.opcodeId("ret");
  end.line = function.body.empty() ? function.line : function.body.back().line;
  program.code.push_back(end);
  auto target = [&](uint32_t label) {
    return pcs[static_cast<size_t>(function.labels[label])];
  };
  for (size_t pc = code.entry; pc < program.code.size(); ++pc)
    if (program.code[pc].flow == Flow::Bra)
      program.code[pc].target = target(program.code[pc].target);
  for (size_t t = firstTable; t < program.tables.size(); ++t)
    for (uint32_t &label : program.tables[t])
      label = target(label);
  for (size_t c = firstCall; c < program.calls.size(); ++c)
    if (program.calls[c].function >= 0)
      callees[index].push_back(program.calls[c].function);
}

/// Of the instructions of one statement one is counted.
void Builder::markHelpers(uint32_t first) {
  bool counted = false;
  for (size_t pc = first; pc < program.code.size(); ++pc) {
    Inst &inst = program.code[pc];
    bool isLast = pc + 1 == program.code.size();
    inst.isHelper = counted || (inst.exec == execInvertPred && !isLast);
    counted |= !inst.isHelper;
  }
}

bool Builder::reaches(int from, int to, std::vector<bool> &seen) const {
  for (int next : callees[from]) {
    if (next == to)
      return true;
    if (seen[next])
      continue;
    seen[next] = true;
    if (reaches(next, to, seen))
      return true;
  }
  return false;
}

void Builder::markRecursion() {
  for (size_t i = 0; i < program.functions.size(); ++i) {
    std::vector<bool> seen(program.functions.size());
    program.functions[i].recursive =
        program.functions[i].decoded &&
        reaches(static_cast<int>(i), static_cast<int>(i), seen);
  }
}

void Builder::run(int entry) {
  const Function &kernel = module.functions[entry];
  program.name = kernel.name;
  program.functions.resize(module.functions.size());
  layouts.resize(module.functions.size());
  callees.resize(module.functions.size());
  std::copy(kernel.reqntid, kernel.reqntid + 3, program.reqntid);
  std::copy(kernel.maxntid, kernel.maxntid + 3, program.maxntid);
  std::copy(kernel.cluster, kernel.cluster + 3, program.cluster);
  program.maxnreg = kernel.maxnreg;
  program.scratchCell = builder.newCells(2);
  program.carryCell = builder.newCells(1);
  placeModuleShared();
  for (size_t i = 0; i < module.functions.size(); ++i) {
    if (!wanted(static_cast<int>(i), entry))
      continue;
    const Function &function = module.functions[i];
    program.functions[i].name = function.name;
    layRegisters(function, layouts[i], program.functions[i]);
    layVariables(function, layouts[i], program.functions[i]);
    if (!function.isEntry) {
      for (int v : function.params)
        program.functions[i].params.push_back(valueOf(function, layouts[i], v));
      for (int v : function.results)
        program.functions[i].results.push_back(
            valueOf(function, layouts[i], v));
    }
  }
  // Dynamic shared memory comes last; tiles in it rely on 1024 bytes.
  uint64_t dynamicBase =
      roundUp(std::max(program.staticShared, firstShared) + sharedRedZone,
              std::max<uint64_t>(program.dynamicAlign, 1024));
  program.staticShared = dynamicBase;
  for (auto [function, variable] : dynamicVars)
    layouts[function].varAddresses[variable] = dynamicBase;
  for (const std::string &name : dynamicSymbols)
    shared.address[name] = dynamicBase;
  program.localBytes = roundUp(program.localBytes + localRedZone, 16);
  for (size_t i = 0; i < module.functions.size(); ++i)
    if (wanted(static_cast<int>(i), entry))
      decodeFunction(static_cast<int>(i));
  markRecursion();
  if (program.usesStack) {
    program.stackBase = roundUp(program.localBytes, 1024);
    program.localBytes = program.stackBase + Stack::bytes;
    program.local.push_back(
        {"memory of alloca", program.stackBase, Stack::bytes, 8});
  }
  settlePipes(program);
  program.shapes.resize(program.cellCount, CellShape::Narrow);
}

unsigned smNumber(const Module &module) {
  const std::string &target = module.target;
  if (target.rfind("sm_", 0) != 0)
    throw UnsupportedError(1, "unknown target '" + target + "'");
  return static_cast<unsigned>(std::stoul(target.substr(3)));
}

} // namespace

std::unique_ptr<Program> decodeProgram(const Module &module,
                                       const std::string &entry,
                                       const SymbolAddresses &symbols) {
  auto found = module.functionIndex.find(entry);
  if (found == module.functionIndex.end() ||
      !module.functions[found->second].isEntry)
    throw UnsupportedError(1, "no kernel is named '" + entry + "'");
  auto program = std::make_unique<Program>();
  program->smVersion = smNumber(module);
  Builder(module, symbols, *program).run(found->second);
  return program;
}

} // namespace fovea::sim
