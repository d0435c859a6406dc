// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Syntax trees without text. The depth of a tree is bounded while it is built,
// so that no later walk (nor a destructor) can recurse too far.

#include "fovea/Pattern/Builder.h"

#include "Sema.h"

#include "fovea/Pattern/Printer.h"

#include <algorithm>
#include <cmath>

namespace fovea::pattern::build {

/// Sets the depth, or gives the marker that the checks will report.
static Syntax bounded(Syntax node) {
  node.depth = 0;
  for (const Syntax &operand : node.operands)
    node.depth = std::max(node.depth, operand.depth + 1);
  if (node.depth < maxNesting)
    return node;
  Syntax tooDeep;
  tooDeep.kind = SyntaxKind::TooDeep;
  return tooDeep;
}

static Syntax name(std::string text) {
  Syntax node;
  node.text = std::move(text);
  return node;
}

static Syntax node(SyntaxKind kind, std::vector<Syntax> operands) {
  Syntax node;
  node.kind = kind;
  node.operands = std::move(operands);
  return bounded(std::move(node));
}

template <typename... Operands>
static Syntax call(std::string text, Operands... operands) {
  Syntax node = name(std::move(text));
  node.kind = SyntaxKind::Call;
  (node.operands.push_back(std::move(operands.syntax)), ...);
  node.names.resize(node.operands.size());
  return bounded(std::move(node));
}

static Syntax compare(SyntaxOp op, Expr x, Expr y) {
  Syntax compared =
      node(SyntaxKind::Compare, {std::move(x.syntax), std::move(y.syntax)});
  compared.parenthesized = true;
  compared.ops = {op};
  return compared;
}

static int precedence(SyntaxOp op) {
  switch (op) {
  case SyntaxOp::Add:
  case SyntaxOp::Sub:
    return 3;
  case SyntaxOp::Mul:
  case SyntaxOp::Div:
  case SyntaxOp::Rem:
    return 4;
  case SyntaxOp::And:
    return 2;
  case SyntaxOp::Xor:
    return 1;
  default:
    return 0;
  }
}

/// x op y; a chain on the left with the same precedence grows.
static Syntax chain(SyntaxOp op, Syntax x, Syntax y) {
  if (x.kind == SyntaxKind::Chain && precedence(x.ops[0]) == precedence(op)) {
    x.ops.push_back(op);
    x.depth = std::max(x.depth, y.depth + 1);
    x.operands.push_back(std::move(y));
    return x.depth < maxNesting ? std::move(x) : bounded(std::move(x));
  }
  std::vector<Syntax> operands;
  operands.push_back(std::move(x));
  operands.push_back(std::move(y));
  Syntax chained = node(SyntaxKind::Chain, std::move(operands));
  chained.ops = {op};
  return chained;
}

/// Literals have no sign.
static Syntax negated(bool negative, Syntax literal) {
  return negative ? node(SyntaxKind::Negate, {std::move(literal)}) : literal;
}

static Syntax integer(int64_t value) {
  Syntax literal;
  literal.kind = SyntaxKind::Integer;
  auto bits = static_cast<uint64_t>(value);
  literal.integer = value < 0 ? 0 - bits : bits;
  return negated(value < 0, std::move(literal));
}

static Syntax real(double value) {
  Syntax literal;
  literal.kind = SyntaxKind::Float;
  literal.real = static_cast<float>(std::fabs(value));
  return negated(std::signbit(value), std::move(literal));
}

Expr Expr::ofInteger(int64_t value) { return Expr(integer(value)); }
Expr::Expr(double value) : syntax(real(value)) {}

Expr param(std::string text) { return Expr(name(std::move(text))); }
Expr q() { return Expr(name("q")); }
Expr k() { return Expr(name("k")); }
Expr b() { return Expr(name("b")); }
Expr h() { return Expr(name("h")); }
Expr g() { return Expr(name("g")); }
Expr nq() { return Expr(name("nq")); }
Expr nk() { return Expr(name("nk")); }
Expr inf() { return Expr(name("inf")); }
Expr s() { return Expr(name("s")); }
Expr alibi() { return Expr(name("alibi")); }

static Expr arith(SyntaxOp op, Expr &x, Expr &y) {
  return Expr(chain(op, std::move(x.syntax), std::move(y.syntax)));
}
Expr operator+(Expr x, Expr y) { return arith(SyntaxOp::Add, x, y); }
Expr operator-(Expr x, Expr y) { return arith(SyntaxOp::Sub, x, y); }
Expr operator*(Expr x, Expr y) { return arith(SyntaxOp::Mul, x, y); }
Expr operator/(Expr x, Expr y) { return arith(SyntaxOp::Div, x, y); }
Expr operator%(Expr x, Expr y) { return arith(SyntaxOp::Rem, x, y); }
Expr operator-(Expr x) {
  return Expr(node(SyntaxKind::Negate, {std::move(x.syntax)}));
}

static Mask compared(SyntaxOp op, Expr &x, Expr &y) {
  return Mask(compare(op, std::move(x), std::move(y)));
}
Mask operator==(Expr x, Expr y) { return compared(SyntaxOp::Eq, x, y); }
Mask operator!=(Expr x, Expr y) { return compared(SyntaxOp::Ne, x, y); }
Mask operator<(Expr x, Expr y) { return compared(SyntaxOp::Lt, x, y); }
Mask operator<=(Expr x, Expr y) { return compared(SyntaxOp::Le, x, y); }
Mask operator>(Expr x, Expr y) { return compared(SyntaxOp::Gt, x, y); }
Mask operator>=(Expr x, Expr y) { return compared(SyntaxOp::Ge, x, y); }

static Mask combined(SyntaxOp op, Mask &x, Mask &y) {
  return Mask(chain(op, std::move(x.syntax), std::move(y.syntax)));
}
Mask operator&(Mask x, Mask y) { return combined(SyntaxOp::And, x, y); }
Mask operator^(Mask x, Mask y) { return combined(SyntaxOp::Xor, x, y); }
Mask operator|(Mask x, Mask y) { return combined(SyntaxOp::Or, x, y); }
Mask operator~(Mask x) {
  return Mask(node(SyntaxKind::Not, {std::move(x.syntax)}));
}

Mask all() { return Mask(name("all")); }
Mask none() { return Mask(name("none")); }
Mask causal() { return Mask(name("causal")); }
Mask window(Expr left, Expr right) {
  return Mask(call("window", std::move(left), std::move(right)));
}
Mask window(Expr both) { return Mask(call("window", std::move(both))); }
Mask dilated(Expr left, Expr right, Expr step) {
  return Mask(
      call("dilated", std::move(left), std::move(right), std::move(step)));
}
Mask global(Expr n) { return Mask(call("global", std::move(n))); }
Mask sink(Expr n) { return Mask(call("sink", std::move(n))); }
Mask prefix(Expr n) { return Mask(call("prefix", std::move(n))); }

Mask random(Expr n, Draw draw) {
  const char *per = draw.per == RandomPer::H   ? "h"
                    : draw.per == RandomPer::G ? "g"
                                               : "none";
  Syntax node = call("random", std::move(n), Expr(draw.block),
                     std::move(draw.seed), Expr(name(per)));
  if (node.kind != SyntaxKind::Call)
    return Mask(std::move(node)); // too deep
  node.names[1].text = "block";
  node.names[2].text = "seed";
  node.names[3].text = "per";
  if (draw.causal) {
    node.operands.push_back(name("causal"));
    node.names.emplace_back();
  }
  return Mask(std::move(node));
}

Expr min(Expr x, Expr y) {
  return Expr(call("min", std::move(x), std::move(y)));
}
Expr max(Expr x, Expr y) {
  return Expr(call("max", std::move(x), std::move(y)));
}
Expr abs(Expr x) { return Expr(call("abs", std::move(x))); }
Expr exp(Expr x) { return Expr(call("exp", std::move(x))); }
Expr exp2(Expr x) { return Expr(call("exp2", std::move(x))); }
Expr log(Expr x) { return Expr(call("log", std::move(x))); }
Expr log2(Expr x) { return Expr(call("log2", std::move(x))); }
Expr sqrt(Expr x) { return Expr(call("sqrt", std::move(x))); }
Expr tanh(Expr x) { return Expr(call("tanh", std::move(x))); }
Expr softcap(Expr x, Expr cap) {
  return Expr(call("softcap", std::move(x), std::move(cap)));
}
Expr select(Mask condition, Expr x, Expr y) {
  return Expr(call("select", std::move(condition), std::move(x), std::move(y)));
}

//===----------------------------------------------------------------------===//
// Statements
//===----------------------------------------------------------------------===//

PatternBuilder::PatternBuilder(std::string name) {
  syntax.name.text = std::move(name);
}

Statement &PatternBuilder::add(StatementKind kind) {
  syntax.statements.emplace_back();
  syntax.statements.back().kind = kind;
  return syntax.statements.back();
}

PatternBuilder &PatternBuilder::sizes(StatementKind kind, const char *first,
                                      const char *second, int64_t a,
                                      int64_t b) {
  Statement &statement = add(kind);
  statement.hasExpr = true;
  statement.expr = call("", Expr(a), Expr(b));
  statement.expr.names[0].text = first;
  statement.expr.names[1].text = second;
  return *this;
}

PatternBuilder &PatternBuilder::heads(int64_t count) {
  return heads(count, count);
}
PatternBuilder &PatternBuilder::heads(int64_t query, int64_t kv) {
  return sizes(StatementKind::Heads, "q", "kv", query, kv);
}
PatternBuilder &PatternBuilder::dim(int64_t both) { return dim(both, both); }
PatternBuilder &PatternBuilder::dim(int64_t qk, int64_t v) {
  return sizes(StatementKind::Dim, "qk", "v", qk, v);
}

PatternBuilder &PatternBuilder::type(ElementType type) {
  add(StatementKind::Type).word.text = spell(type);
  return *this;
}

PatternBuilder &PatternBuilder::align(Align align) {
  add(StatementKind::Align).word.text = align == Align::End ? "end" : "start";
  return *this;
}

static void setParam(Statement &statement, std::string name, const char *type,
                     std::optional<Syntax> value) {
  statement.name.text = std::move(name);
  statement.word.text = type;
  statement.hasExpr = value.has_value();
  if (value)
    statement.expr = std::move(*value);
}

PatternBuilder &PatternBuilder::intParam(std::string name,
                                         std::optional<int64_t> value) {
  setParam(add(StatementKind::Param), std::move(name), "int",
           value ? std::optional(integer(*value)) : std::nullopt);
  return *this;
}

PatternBuilder &PatternBuilder::floatParam(std::string name,
                                           std::optional<float> value) {
  setParam(add(StatementKind::Param), std::move(name), "float",
           value ? std::optional(real(*value)) : std::nullopt);
  return *this;
}

static void setExpr(Statement &statement, Syntax expr) {
  statement.hasExpr = true;
  statement.expr = std::move(expr);
}

PatternBuilder &PatternBuilder::scale(Expr expr) {
  setExpr(add(StatementKind::Scale), std::move(expr.syntax));
  return *this;
}
PatternBuilder &PatternBuilder::mask(Mask mask) {
  setExpr(add(StatementKind::Mask), std::move(mask.syntax));
  return *this;
}
PatternBuilder &PatternBuilder::score(Expr expr) {
  setExpr(add(StatementKind::Score), std::move(expr.syntax));
  return *this;
}

ParseResult PatternBuilder::build() const { return Sema(syntax).run(); }

} // namespace fovea::pattern::build
