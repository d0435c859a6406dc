// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A pattern as it was written: the whole grammar of the language page, with no
// name resolved and nothing checked but the grammar. The parser and the builder
// both make it, so that both go through the same checks (Sema) on the way to
// the tree of AST.h. Consumers of patterns want that one instead.

#ifndef FOVEA_PATTERN_SYNTAX_H
#define FOVEA_PATTERN_SYNTAX_H

#include "fovea/Pattern/Location.h"

#include <cstdint>
#include <string>
#include <vector>

namespace fovea::pattern {

/// How deep parentheses, calls, subscripts, `~` and `-` may nest.
constexpr unsigned maxNesting = 256;
/// How long a name may be, in characters.
constexpr unsigned maxNameLength = 255;

enum class SyntaxKind {
  Integer,   // integer: up to 2^63, which only `-` may precede
  Float,     // real
  Name,      // text: a param, a variable, an atom without arguments …
  Call,      // text(operands), names beside the operands
  Subscript, // text[operands]
  List,      // [operands]
  Negate,    // -operands[0]
  Not,       // ~operands[0]
  Chain,     // operands joined by ops of one precedence, left to right
  Compare,   // operands[0] ops[0] operands[1]
  Case,      // of per_head: operands[0]: operands[1]
  ElseCase,  // of per_head: else: operands[0]
  TooDeep,   // of the builder: stands for what nests deeper than maxNesting
};

enum class SyntaxOp {
  Add,
  Sub,
  Mul,
  Div,
  Rem, // clang-format: keep the groups apart
  And,
  Xor,
  Or,
  Eq,
  Ne,
  Lt,
  Le,
  Gt,
  Ge,
};

/// The name of an argument; an empty one is positional.
struct ArgumentName {
  std::string text;
  Location loc;
};

struct Syntax {
  SyntaxKind kind = SyntaxKind::Name;
  Location loc;
  bool parenthesized = false;
  unsigned depth = 0; // of the builder: levels of nodes below
  std::string text;
  uint64_t integer = 0;
  double real = 0;
  std::vector<SyntaxOp> ops;
  std::vector<ArgumentName> names; // Call: one for each operand
  std::vector<Syntax> operands;
};

enum class StatementKind {
  Heads,     // arguments, as a Call
  Dim,       // arguments, as a Call
  Type,      // word
  Align,     // word
  Param,     // name : word [= expr]
  Input,     // name : word[expr], expr a List of axes
  Scale,     // expr
  Mask,      // expr
  Score,     // expr
  SinkLogit, // name
  Rope,      // arguments, as a Call
  Dropout,   // arguments, as a Call
};

struct Word {
  std::string text;
  Location loc;
};

struct Statement {
  StatementKind kind = StatementKind::Mask;
  Location loc; // of the statement's word
  Word name;
  Word word;
  bool hasExpr = false;
  Syntax expr;
};

struct SyntaxPattern {
  Word name;
  std::vector<Statement> statements;
};

} // namespace fovea::pattern

#endif // FOVEA_PATTERN_SYNTAX_H
