// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Masks: atoms with their arguments, comparisons, and the operators on them.

#include "Sema.h"
#include "Words.h"

#include <algorithm>

using namespace fovea::pattern;

static constexpr unsigned bit(Variable variable) {
  return 1U << static_cast<unsigned>(variable);
}

constexpr unsigned lengths = bit(Variable::Nq) | bit(Variable::Nk);
constexpr IntRule boundRule{"a bound", "numbers, params, nq and nk", lengths};
constexpr IntRule countRule{"a count", "numbers, params, nq and nk", lengths};
constexpr IntRule stepRule{"a step", "numbers and params", 0};
constexpr IntRule seedRule{"a seed", "numbers and params", 0};
constexpr IntRule comparisonRule{"a comparison", "all names", ~0U};

MaskExpr Sema::mask(const Syntax &node) {
  switch (node.kind) {
  case SyntaxKind::Name:
  case SyntaxKind::Call:
    return node.kind == SyntaxKind::Name ? maskName(node) : maskCall(node);
  case SyntaxKind::Not: {
    MaskExpr expr{MaskKind::Not, node.loc};
    expr.operands.push_back(mask(node.operands[0]));
    return expr;
  }
  case SyntaxKind::Compare:
    if (!node.parenthesized)
      error(node.loc, "expected parentheses around a comparison, found none");
    return comparison(node);
  case SyntaxKind::Chain:
    return maskChain(node);
  case SyntaxKind::Subscript:
    subscript(node);
    return {MaskKind::All, node.loc};
  default:
    return notAMask(node);
  }
}

MaskExpr Sema::notAMask(const Syntax &node) {
  expected(node, "a mask");
  return {MaskKind::All, node.loc};
}

MaskExpr Sema::maskChain(const Syntax &node) {
  MaskExpr expr;
  expr.loc = node.loc;
  switch (node.ops[0]) {
  case SyntaxOp::And:
    expr.kind = MaskKind::And;
    break;
  case SyntaxOp::Xor:
    expr.kind = MaskKind::Xor;
    break;
  case SyntaxOp::Or:
    expr.kind = MaskKind::Or;
    break;
  default:
    return notAMask(node);
  }
  for (const Syntax &operand : node.operands) {
    MaskExpr inner = mask(operand);
    if (inner.kind != expr.kind) {
      expr.operands.push_back(std::move(inner));
      continue;
    }
    // (a | b) | c is a | b | c.
    for (MaskExpr &part : inner.operands)
      expr.operands.push_back(std::move(part));
  }
  return expr;
}

static CompareOp compareOp(SyntaxOp op) {
  switch (op) {
  case SyntaxOp::Ne:
    return CompareOp::Ne;
  case SyntaxOp::Lt:
    return CompareOp::Lt;
  case SyntaxOp::Le:
    return CompareOp::Le;
  case SyntaxOp::Gt:
    return CompareOp::Gt;
  case SyntaxOp::Ge:
    return CompareOp::Ge;
  default:
    return CompareOp::Eq;
  }
}

MaskExpr Sema::comparison(const Syntax &node) {
  MaskExpr expr{MaskKind::Compare, node.loc};
  expr.compare = compareOp(node.ops[0]);
  expr.ints.push_back(integer(node.operands[0], comparisonRule));
  expr.ints.push_back(integer(node.operands[1], comparisonRule));
  return expr;
}

//===----------------------------------------------------------------------===//
// Atoms
//===----------------------------------------------------------------------===//

MaskExpr Sema::maskName(const Syntax &node) {
  MaskExpr expr;
  expr.loc = node.loc;
  if (node.text == "all")
    return expr;
  if (node.text == "none")
    expr.kind = MaskKind::None;
  else if (node.text == "causal")
    expr.kind = MaskKind::Causal;
  else if (classify(node.text) == WordClass::Atom)
    error(node.loc, "expected '(' after '" + node.text + "', found none");
  else
    return notAMask(node);
  return expr;
}

MaskExpr Sema::maskCall(const Syntax &node) {
  std::string_view name = node.text;
  if (name == "window")
    return windowAtom(node);
  if (name == "dilated")
    return dilatedAtom(node);
  if (name == "global" && !node.operands.empty() &&
      node.operands[0].kind == SyntaxKind::List)
    unsupported(nameOf(node), "global([...])");
  else if (name == "global")
    return countedAtom(node, MaskKind::Global);
  else if (name == "sink")
    return countedAtom(node, MaskKind::Sink);
  else if (name == "prefix")
    return countedAtom(node, MaskKind::Prefix);
  else if (name == "random")
    return randomAtom(node);
  else if (name == "all" || name == "none" || name == "causal")
    error(nameOf(node),
          "expected no arguments of '" + node.text + "', found parentheses");
  else if (classify(name) == WordClass::Atom)
    unsupported(nameOf(node), name);
  else
    return notAMask(node);
  return {MaskKind::All, node.loc};
}

MaskExpr Sema::windowAtom(const Syntax &node) {
  MaskExpr expr{MaskKind::Window, node.loc};
  Arguments arguments;
  if (!match(node, {1, 2, {}, {}}, arguments))
    return {MaskKind::All, node.loc};
  expr.ints.push_back(bound(*arguments.positional.front()));
  // window(w) is window(w, w).
  expr.ints.push_back(arguments.positional.size() == 1
                          ? expr.ints.front()
                          : bound(*arguments.positional[1]));
  return expr;
}

MaskExpr Sema::dilatedAtom(const Syntax &node) {
  MaskExpr expr{MaskKind::Dilated, node.loc};
  Arguments arguments;
  if (!match(node, {3, 3, {}, {}}, arguments))
    return {MaskKind::All, node.loc};
  expr.ints.push_back(bound(*arguments.positional[0]));
  expr.ints.push_back(bound(*arguments.positional[1]));
  expr.ints.push_back(step(*arguments.positional[2]));
  return expr;
}

MaskExpr Sema::countedAtom(const Syntax &node, MaskKind kind) {
  MaskExpr expr{kind, node.loc};
  Arguments arguments;
  if (!match(node, {1, 1, {}, {}}, arguments))
    return {MaskKind::All, node.loc};
  expr.ints.push_back(count(*arguments.positional[0]));
  return expr;
}

MaskExpr Sema::randomAtom(const Syntax &node) {
  MaskExpr expr{MaskKind::Random, node.loc};
  Arguments arguments;
  if (!match(node, {1, 1, {"block", "seed", "per"}, {"causal"}}, arguments))
    return {MaskKind::All, node.loc};
  expr.ints.push_back(count(*arguments.positional[0]));
  expr.ints.push_back(integer(*arguments.named["seed"], seedRule));
  expr.block = blockSize(*arguments.named["block"]);
  expr.causal = arguments.flags.count("causal") != 0;
  auto per = arguments.named.find("per");
  if (per == arguments.named.end())
    return expr;
  const Syntax &value = *per->second;
  if (value.kind == SyntaxKind::Name && value.text == "g")
    expr.per = RandomPer::G;
  else if (value.kind == SyntaxKind::Name && value.text == "none")
    expr.per = RandomPer::None;
  else if (value.kind != SyntaxKind::Name || value.text != "h")
    error(value.loc,
          "expected 'h', 'g' or 'none' for 'per', found " + describe(value));
  return expr;
}

IntExpr Sema::bound(const Syntax &node) {
  if (node.kind == SyntaxKind::Name && node.text == "inf")
    return {IntKind::Infinity, node.loc};
  IntExpr expr = integer(node, boundRule);
  if (expr.kind == IntKind::Number && expr.value < 0)
    error(node.loc, "expected a bound of at least 0, found " +
                        std::to_string(expr.value));
  return expr;
}

IntExpr Sema::count(const Syntax &node) {
  IntExpr expr = integer(node, countRule);
  if (expr.kind == IntKind::Number && expr.value < 0)
    error(node.loc, "expected a count of at least 0, found " +
                        std::to_string(expr.value));
  return expr;
}

IntExpr Sema::step(const Syntax &node) {
  size_t before = errors;
  IntExpr expr = integer(node, stepRule);
  if (errors == before)
    require(RequirementKind::AtLeastOne, expr, "step");
  return expr;
}

int64_t Sema::blockSize(const Syntax &node) {
  if (node.kind == SyntaxKind::Integer && node.integer >= 1)
    return std::max<int64_t>(integer(node, stepRule).value, 1);
  error(node.loc,
        "expected a block size that is a number of at least 1, found " +
            describe(node));
  return 1;
}
