// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A PTX module after parsing, before anything is known about what its
// instructions mean: names are resolved to registers, variables and labels of
// their scope, and every statement keeps its line.
#ifndef FOVEA_LIB_SIM_MODULE_H
#define FOVEA_LIB_SIM_MODULE_H

#include "Types.h"
#include <bit>
#include <map>
#include <memory>
#include <vector>

namespace fovea::sim {

struct Operand {
  enum Kind : uint8_t {
    None,
    Reg,     // register `index` of the function; `negated` for !p
    Special, // %tid.x and its like, by `name`
    Int,     // `bits`
    Flt32,   // `bits` of an f32 literal
    Flt64,   // `bits` of an f64 literal
    Var,     // variable `index` of the function, plus `offset`
    Symbol,  // module-scope variable or function `name`, plus `offset`
    Label,   // label `index` of the function
    Table,   // table `index` of the function
    List,    // {a, b, ...} or (a, b, ...): `elems`
    Memory,  // [base + offset, ...]: elems[0] is the base, then coordinates
    Sink,    // _
  };
  Kind kind = None;
  bool negated = false;
  bool minus = false;   // -%r1, of vmad only
  std::string selector; // of %r1.b0: b0
  int index = -1;
  uint64_t bits = 0;
  int64_t offset = 0;
  std::string name;
  std::vector<Operand> elems;
  /// The second of `a|b`, at most one.
  std::vector<Operand> second;
};

struct Statement {
  unsigned line = 0;
  int guard = -1; // register
  bool guardNegated = false;
  /// Opcode and modifiers, split at the dots.
  std::vector<std::string_view> opcode;
  std::vector<Operand> operands;
};

struct Register {
  std::string name;
  Ty type;
};

struct Initialiser {
  uint64_t at;    // byte offset
  unsigned bytes; // of the value
  uint64_t value; // or, with a symbol, an addend
  std::string symbol;
  uint64_t mask = 0; // takes these bits, moved to the right end; 0: all

  uint64_t masked(uint64_t whole) const {
    return mask ? (whole & mask) >> std::countr_zero(mask) : whole;
  }
};

struct Variable {
  std::string name;
  unsigned line = 0;
  Space space = Space::Global;
  Ty type = Ty::B8;
  uint64_t bytes = 0;
  uint64_t align = 1;
  bool isExtern = false; // .extern .shared: the dynamic array
  /// A parameter kept in a register (.reg in a .func's list): its index.
  int reg = -1;
  std::vector<Initialiser> init;
};

struct LabelTable {
  std::string name;
  std::vector<int> labels;
  std::vector<std::string> functions; // .calltargets
  /// .callprototype: sizes are taken from the call's arguments.
  bool isPrototype = false;
};

struct Function {
  std::string name;
  unsigned line = 0;
  bool isEntry = false;
  bool hasBody = false;
  std::vector<int> params;  // variables
  std::vector<int> results; // variables
  std::vector<Register> regs;
  std::vector<Variable> vars;
  std::vector<Statement> body;
  std::vector<int64_t> labels; // label -> index in body; -1 while unseen
  std::vector<std::string> labelNames;
  std::vector<LabelTable> tables;
  unsigned reqntid[3] = {0, 0, 0};
  unsigned maxntid[3] = {0, 0, 0};
  unsigned cluster[3] = {0, 0, 0};
  unsigned maxnreg = 0;
};

struct Module {
  /// The text that the opcode views point into.
  std::shared_ptr<const std::string> text;
  std::string target; // sm_80
  unsigned versionMajor = 0, versionMinor = 0;
  std::vector<Variable> vars;
  std::vector<Function> functions;
  std::map<std::string, int, std::less<>> varIndex, functionIndex;
};

/// Throws UnsupportedError.
Module parseModule(std::string text);

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_MODULE_H
