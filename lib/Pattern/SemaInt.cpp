// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer expressions. Where one occurs decides which names it may read; a
// divisor must never be zero, which is decided here or before the launch.

#include "Sema.h"
#include "Words.h"

#include "fovea/Pattern/Evaluate.h"
#include "fovea/Pattern/Printer.h"

#include <limits>

using namespace fovea::pattern;

static constexpr unsigned bit(Variable variable) {
  return 1U << static_cast<unsigned>(variable);
}

static std::optional<Variable> variableOf(std::string_view word) {
  for (Variable variable : {Variable::Q, Variable::K, Variable::B, Variable::H,
                            Variable::G, Variable::Nq, Variable::Nk})
    if (word == spell(variable))
      return variable;
  return std::nullopt;
}

/// Whether an operator of the arithmetic chains, and which.
static std::optional<ArithOp> arithOp(SyntaxOp op) {
  switch (op) {
  case SyntaxOp::Add:
    return ArithOp::Add;
  case SyntaxOp::Sub:
    return ArithOp::Sub;
  case SyntaxOp::Mul:
    return ArithOp::Mul;
  case SyntaxOp::Div:
    return ArithOp::Div;
  case SyntaxOp::Rem:
    return ArithOp::Rem;
  default:
    return std::nullopt;
  }
}

static bool isSum(ArithOp op) {
  return op == ArithOp::Add || op == ArithOp::Sub;
}

IntExpr Sema::integer(const Syntax &node, const IntRule &rule) {
  IntExpr expr;
  expr.loc = node.loc;
  switch (node.kind) {
  case SyntaxKind::Integer:
    if (node.integer >
        static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
      error(node.loc, "expected an integer of 64 bits, found '" +
                          std::to_string(node.integer) + "'");
    expr.value = static_cast<int64_t>(node.integer);
    return expr;
  case SyntaxKind::Name:
    return intName(node, rule);
  case SyntaxKind::Call:
    return intCall(node, rule);
  case SyntaxKind::Subscript:
    subscript(node);
    return expr;
  case SyntaxKind::Negate:
    return intNegate(node, rule);
  case SyntaxKind::Chain:
    if (arithOp(node.ops[0]))
      return intChain(node, rule);
    break;
  default:
    break;
  }
  expected(node, "an integer expression");
  return expr;
}

IntExpr Sema::intName(const Syntax &node, const IntRule &rule) {
  IntExpr expr;
  expr.loc = node.loc;
  if (const Param *param = findParam(node.text, &expr.index)) {
    expr.kind = IntKind::Param;
    if (param->type != ParamType::Int)
      error(node.loc,
            "expected an integer expression, found the float param '" +
                node.text + "'");
    return expr;
  }
  std::optional<Variable> variable = variableOf(node.text);
  if (!variable) {
    if (node.text == "inf")
      error(node.loc,
            "expected 'inf' only as a bound of 'window' or 'dilated'");
    else
      expected(node, "an integer expression");
    return expr;
  }
  expr.kind = IntKind::Variable;
  expr.variable = *variable;
  for (const IntRule *r = &rule; r; r = r->outer)
    if (!r->allows(*variable)) {
      error(node.loc, "expected " + std::string(r->subject) + " made of " +
                          r->contents + ", found '" + node.text + "'");
      break;
    }
  return expr;
}

IntExpr Sema::intCall(const Syntax &node, const IntRule &rule) {
  IntExpr expr;
  expr.loc = node.loc;
  size_t arity = 2;
  if (node.text == "min") {
    expr.kind = IntKind::Min;
  } else if (node.text == "max") {
    expr.kind = IntKind::Max;
  } else if (node.text == "abs") {
    expr.kind = IntKind::Abs;
    arity = 1;
  } else {
    expected(node, "an integer expression");
    return expr;
  }
  Arguments arguments;
  if (!match(node, {arity, arity, {}, {}}, arguments))
    return IntExpr{IntKind::Number, node.loc};
  for (const Syntax *operand : arguments.positional)
    expr.operands.push_back(integer(*operand, rule));
  return expr;
}

IntExpr Sema::intNegate(const Syntax &node, const IntRule &rule) {
  // -2^63 is a number although 2^63 is none.
  const Syntax &inner = node.operands[0];
  IntExpr expr;
  expr.loc = node.loc;
  if (inner.kind == SyntaxKind::Integer) {
    expr.value = static_cast<int64_t>(0 - inner.integer);
    return expr;
  }
  IntExpr operand = integer(inner, rule);
  if (operand.kind == IntKind::Number) {
    expr.value = static_cast<int64_t>(0 - static_cast<uint64_t>(operand.value));
    return expr;
  }
  expr.kind = IntKind::Negate;
  expr.operands.push_back(std::move(operand));
  return expr;
}

IntExpr Sema::intChain(const Syntax &node, const IntRule &rule) {
  static constexpr unsigned heads = bit(Variable::H) | bit(Variable::G);
  IntRule divisor{"a divisor", "numbers, params, h and g", heads, &rule};
  IntExpr chain;
  chain.kind = IntKind::Chain;
  chain.loc = node.loc;
  chain.operands.push_back(integer(node.operands[0], rule));
  ArithOp first = *arithOp(node.ops[0]);
  // (a + b) + c is a + b + c: the first operand of a chain is no chain like it.
  if (IntExpr &head = chain.operands[0];
      head.kind == IntKind::Chain && isSum(head.ops[0]) == isSum(first)) {
    IntExpr inner = std::move(head);
    chain.ops = std::move(inner.ops);
    chain.operands = std::move(inner.operands);
  }
  for (size_t i = 0; i < node.ops.size(); ++i) {
    ArithOp op = *arithOp(node.ops[i]);
    bool divides = op == ArithOp::Div || op == ArithOp::Rem;
    size_t before = errors;
    IntExpr operand = integer(node.operands[i + 1], divides ? divisor : rule);
    if (divides && errors == before)
      require(RequirementKind::NonZero, operand, "divisor");
    chain.ops.push_back(op);
    chain.operands.push_back(std::move(operand));
  }
  return chain;
}

/// Whether an expression of the condition of a `select` is one of integers.
/// What is not known counts as one: the error will be the same.
bool Sema::isInteger(const Syntax &node) const {
  auto all = [&] {
    for (const Syntax &operand : node.operands)
      if (!isInteger(operand))
        return false;
    return true;
  };
  switch (node.kind) {
  case SyntaxKind::Float:
    return false;
  case SyntaxKind::Name: {
    if (const Param *param = findParam(node.text, nullptr))
      return param->type == ParamType::Int;
    return node.text != "s" && node.text != "alibi";
  }
  case SyntaxKind::Call:
    return (node.text == "min" || node.text == "max" || node.text == "abs") &&
           all();
  case SyntaxKind::Negate:
  case SyntaxKind::Chain:
    return all();
  default:
    return true;
  }
}

//===----------------------------------------------------------------------===//
// Requirements
//===----------------------------------------------------------------------===//

/// What decides whether an expression has a known value.
struct Reads {
  bool params = false;
  bool heads = false;
};

static void collect(const IntExpr &expr, Reads &reads) {
  reads.params |= expr.kind == IntKind::Param;
  reads.heads |= expr.kind == IntKind::Variable;
  for (const IntExpr &operand : expr.operands)
    collect(operand, reads);
}

void Sema::require(RequirementKind kind, const IntExpr &expr,
                   const char *what) {
  Reads reads;
  collect(expr, reads);
  Requirement requirement;
  requirement.kind = kind;
  requirement.integer = expr;
  requirement.expression = print(expr, pattern.params);
  requirement.perHead = reads.heads;
  requirement.loc = expr.loc;
  requirement.message =
      "expected the " + std::string(what) + " '" + requirement.expression +
      (kind == RequirementKind::NonZero ? "' not to be 0"
                                        : "' to be at least 1");
  auto [entry, isNew] =
      required.try_emplace({kind, requirement.expression}, std::nullopt);
  std::optional<std::string> &message = entry->second;
  // Heads are few: try them all. With very many it waits for the launch.
  constexpr int64_t manyHeads = 4096;
  bool known =
      !reads.params &&
      (!reads.heads || (headsKnown && pattern.queryHeads <= manyHeads));
  if (isNew && !known)
    pattern.requirements.push_back(std::move(requirement));
  else if (isNew)
    message = checkRequirement(requirement, pattern, {});
  if (isNew && message && expr.kind == IntKind::Number)
    message = "expected a " + std::string(what) +
              (kind == RequirementKind::NonZero ? " other than 0, found "
                                                : " of at least 1, found ") +
              std::to_string(expr.value);
  // Again at every place, for what holds it must not be evaluated.
  if (message)
    error(expr.loc, *message);
}
