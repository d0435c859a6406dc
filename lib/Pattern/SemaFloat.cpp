// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scores and `scale`: f32 arithmetic, in which integers are converted where
// they are read. Only the condition of a `select` goes back to masks and
// integers.

#include "Sema.h"
#include "Words.h"

#include "fovea/Pattern/Printer.h"

#include <cmath>
#include <utility>

using namespace fovea::pattern;

static std::optional<Variable> variableOf(std::string_view word) {
  for (Variable variable : {Variable::Q, Variable::K, Variable::B, Variable::H,
                            Variable::G, Variable::Nq, Variable::Nk})
    if (word == spell(variable))
      return variable;
  return std::nullopt;
}

FloatExpr Sema::real(const Syntax &node, FloatContext context) {
  FloatExpr expr;
  expr.loc = node.loc;
  switch (node.kind) {
  case SyntaxKind::Integer:
    expr.value = static_cast<float>(node.integer);
    return expr;
  case SyntaxKind::Float:
    // The lexer gives only finite numbers; the builder may give anything.
    if (!std::isfinite(node.real))
      error(node.loc,
            "expected a finite number, found " + std::to_string(node.real));
    expr.value = node.real;
    return expr;
  case SyntaxKind::Name:
    return realName(node, context);
  case SyntaxKind::Call:
    return realCall(node, context);
  case SyntaxKind::Subscript:
    subscript(node);
    return expr;
  case SyntaxKind::Negate: {
    FloatExpr operand = real(node.operands[0], context);
    if (operand.kind == FloatKind::Number) {
      expr.value = -operand.value;
      return expr;
    }
    expr.kind = FloatKind::Negate;
    expr.operands.push_back(std::move(operand));
    return expr;
  }
  case SyntaxKind::Chain:
    return realChain(node, context);
  default:
    expected(node, "a number");
    return expr;
  }
}

FloatExpr Sema::realName(const Syntax &node, FloatContext context) {
  FloatExpr expr;
  expr.loc = node.loc;
  if (const Param *param = findParam(node.text, &expr.index)) {
    expr.kind = param->type == ParamType::Int ? FloatKind::IntParam
                                              : FloatKind::FloatParam;
    return expr;
  }
  if (node.text == "inf") {
    error(node.loc, "expected 'inf' only as a bound of 'window' or 'dilated'");
    return expr;
  }
  std::optional<Variable> variable = variableOf(node.text);
  if (variable) {
    expr.kind = FloatKind::Variable;
    expr.variable = *variable;
  } else if (node.text == "s") {
    expr.kind = FloatKind::Dot;
  } else if (node.text == "alibi") {
    expr.kind = FloatKind::Alibi;
  } else {
    expected(node, "a number");
    return expr;
  }
  if (context == FloatContext::Scale)
    error(node.loc, "expected a scale made of numbers and params, found '" +
                        node.text + "'");
  return expr;
}

/// Functions of numbers alone: name, kind, number of operands.
struct Function {
  std::string_view name;
  FloatKind kind;
  size_t arity;
};
constexpr Function functions[] = {
    {"min", FloatKind::Min, 2},   {"max", FloatKind::Max, 2},
    {"abs", FloatKind::Abs, 1},   {"exp", FloatKind::Exp, 1},
    {"exp2", FloatKind::Exp2, 1}, {"log", FloatKind::Log, 1},
    {"log2", FloatKind::Log2, 1}, {"sqrt", FloatKind::Sqrt, 1},
    {"tanh", FloatKind::Tanh, 1}, {"softcap", FloatKind::Softcap, 2},
};

FloatExpr Sema::realCall(const Syntax &node, FloatContext context) {
  FloatExpr expr;
  expr.loc = node.loc;
  // The launch checks a scale by its text, in a smaller language
  // (docs/bundle.md).
  if (context == FloatContext::Scale &&
      (node.text == "select" || node.text == "softcap")) {
    error(nameOf(node), "'" + node.text + "' in a scale is not supported yet");
    return expr;
  }
  for (const Function &function : functions) {
    if (function.name != node.text)
      continue;
    Arguments arguments;
    if (!match(node, {function.arity, function.arity, {}, {}}, arguments))
      return expr;
    expr.kind = function.kind;
    for (const Syntax *operand : arguments.positional)
      expr.operands.push_back(real(*operand, context));
    return expr;
  }
  if (node.text == "select")
    return select(node, context);
  if (node.text == "alibi")
    unsupported(nameOf(node), "alibi(...)");
  else if (node.text == "relative")
    unsupported(nameOf(node), "relative");
  else
    expected(node, "a number");
  return expr;
}

/// The condition is a mask or one comparison, which may stand without its
/// parentheses: of integers if both sides are, else of floats.
FloatExpr Sema::select(const Syntax &node, FloatContext context) {
  FloatExpr expr;
  expr.loc = node.loc;
  Arguments arguments;
  if (!match(node, {3, 3, {}, {}}, arguments))
    return expr;
  const Syntax &condition = *arguments.positional[0];
  bool isComparison = condition.kind == SyntaxKind::Compare;
  if (isComparison &&
      !(isInteger(condition.operands[0]) && isInteger(condition.operands[1]))) {
    expr.kind = FloatKind::SelectCompare;
    // The six operators stand in the same order in both enums.
    expr.compare = static_cast<CompareOp>(static_cast<int>(condition.ops[0]) -
                                          static_cast<int>(SyntaxOp::Eq));
    expr.operands.push_back(real(condition.operands[0], context));
    expr.operands.push_back(real(condition.operands[1], context));
  } else {
    expr.kind = FloatKind::Select;
    expr.conditions.push_back(isComparison ? comparison(condition)
                                           : mask(condition));
  }
  expr.operands.push_back(real(*arguments.positional[1], context));
  expr.operands.push_back(real(*arguments.positional[2], context));
  return expr;
}

static bool isSum(ArithOp op) {
  return op == ArithOp::Add || op == ArithOp::Sub;
}

FloatExpr Sema::realChain(const Syntax &node, FloatContext context) {
  FloatExpr chain;
  chain.loc = node.loc;
  if (node.ops[0] >= SyntaxOp::And) {
    expected(node, "a number");
    return chain;
  }
  chain.kind = FloatKind::Chain;
  chain.operands.push_back(real(node.operands[0], context));
  FloatExpr &head = chain.operands[0];
  // The first five operators stand in the same order in both enums.
  auto arith = [](SyntaxOp op) { return static_cast<ArithOp>(op); };
  if (head.kind == FloatKind::Chain &&
      isSum(head.ops[0]) == isSum(arith(node.ops[0]))) {
    FloatExpr inner = std::move(head);
    chain.ops = std::move(inner.ops);
    chain.operands = std::move(inner.operands);
  }
  for (size_t i = 0; i < node.ops.size(); ++i) {
    if (node.ops[i] == SyntaxOp::Rem)
      error(node.operands[i + 1].loc,
            "expected '%' only between integers, found it in a score or scale");
    chain.ops.push_back(arith(node.ops[i]));
    chain.operands.push_back(real(node.operands[i + 1], context));
  }
  return chain;
}
