// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Expressions on plain numbers. Integers are computed as unsigned words, which
// wrap without undefined behaviour.

#include "fovea/Pattern/Evaluate.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fovea::pattern {

static int64_t word(uint64_t bits) { return static_cast<int64_t>(bits); }
static uint64_t bits(int64_t value) { return static_cast<uint64_t>(value); }

int64_t floorDiv(int64_t a, int64_t b) {
  if (b == -1)
    return word(0 - bits(a)); // INT64_MIN / -1 would trap
  int64_t quotient = a / b;
  return quotient - (a % b != 0 && (a < 0) != (b < 0));
}

int64_t floorMod(int64_t a, int64_t b) {
  return word(bits(a) - bits(floorDiv(a, b)) * bits(b));
}

static int64_t apply(ArithOp op, int64_t a, int64_t b) {
  switch (op) {
  case ArithOp::Add:
    return word(bits(a) + bits(b));
  case ArithOp::Sub:
    return word(bits(a) - bits(b));
  case ArithOp::Mul:
    return word(bits(a) * bits(b));
  case ArithOp::Div:
    return floorDiv(a, b);
  case ArithOp::Rem:
    return floorMod(a, b);
  }
  return 0;
}

static double apply(ArithOp op, double a, double b) {
  switch (op) {
  case ArithOp::Add:
    return a + b;
  case ArithOp::Sub:
    return a - b;
  case ArithOp::Mul:
    return a * b;
  case ArithOp::Div:
    return a / b;
  case ArithOp::Rem:
    break; // of integers only
  }
  return std::numeric_limits<double>::quiet_NaN();
}

static int64_t read(Variable variable, const Environment &env) {
  switch (variable) {
  case Variable::Q:
    return env.q;
  case Variable::K:
    return env.k;
  case Variable::B:
    return env.b;
  case Variable::H:
    return env.h;
  case Variable::G:
    return env.g;
  case Variable::Nq:
    return env.nq;
  case Variable::Nk:
    return env.nk;
  }
  return 0;
}

template <typename T> static bool holds(CompareOp op, T a, T b) {
  switch (op) {
  case CompareOp::Eq:
    return a == b;
  case CompareOp::Ne:
    return a != b;
  case CompareOp::Lt:
    return a < b;
  case CompareOp::Le:
    return a <= b;
  case CompareOp::Gt:
    return a > b;
  case CompareOp::Ge:
    return a >= b;
  }
  return false;
}

/// The chain's operands from left to right; the same for both kinds of number.
template <typename Expr>
static auto evaluateChain(const Expr &expr, const Environment &env) {
  auto value = evaluate(expr.operands[0], env);
  for (size_t i = 0; i < expr.ops.size(); ++i)
    value = apply(expr.ops[i], value, evaluate(expr.operands[i + 1], env));
  return value;
}

int64_t evaluate(const IntExpr &expr, const Environment &env) {
  auto operand = [&](size_t i) { return evaluate(expr.operands[i], env); };
  switch (expr.kind) {
  case IntKind::Number:
    return expr.value;
  case IntKind::Infinity:
    return std::numeric_limits<int64_t>::max();
  case IntKind::Param:
    return env.params[expr.index].integer;
  case IntKind::Variable:
    return read(expr.variable, env);
  case IntKind::Negate:
    return word(0 - bits(operand(0)));
  case IntKind::Chain:
    return evaluateChain(expr, env);
  case IntKind::Min:
    return std::min(operand(0), operand(1));
  case IntKind::Max:
    return std::max(operand(0), operand(1));
  case IntKind::Abs: {
    int64_t value = operand(0);
    return value < 0 ? word(0 - bits(value)) : value;
  }
  }
  return 0;
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

static double minimum(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? a + b : std::min(a, b);
}
static double maximum(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? a + b : std::max(a, b);
}

double alibiSlope(int64_t head, int64_t heads) {
  int64_t power = 1;
  while (power <= heads / 2)
    power *= 2;
  // Beyond the largest power of two: every second slope of twice as many heads.
  if (head >= power)
    return std::exp2(-8.0 * (2 * (head - power) + 1) / (2.0 * power));
  return std::exp2(-8.0 * (head + 1) / power);
}

double evaluate(const FloatExpr &expr, const Environment &env) {
  auto x = [&](size_t i = 0) { return evaluate(expr.operands[i], env); };
  switch (expr.kind) {
  case FloatKind::Number:
    return expr.value;
  case FloatKind::IntParam:
    return static_cast<double>(env.params[expr.index].integer);
  case FloatKind::FloatParam:
    return env.params[expr.index].real;
  case FloatKind::Variable:
    return static_cast<double>(read(expr.variable, env));
  case FloatKind::Dot:
    return env.dot;
  case FloatKind::Negate:
    return -x();
  case FloatKind::Chain:
    return evaluateChain(expr, env);
  case FloatKind::Min:
    return minimum(x(0), x(1));
  case FloatKind::Max:
    return maximum(x(0), x(1));
  case FloatKind::Abs:
    return std::fabs(x());
  case FloatKind::Exp:
    return std::exp(x());
  case FloatKind::Exp2:
    return std::exp2(x());
  case FloatKind::Log:
    return std::log(x());
  case FloatKind::Log2:
    return std::log2(x());
  case FloatKind::Sqrt:
    return std::sqrt(x());
  case FloatKind::Tanh:
    return std::tanh(x());
  case FloatKind::Softcap: {
    double cap = x(1);
    return cap * std::tanh(x(0) / cap);
  }
  case FloatKind::Alibi:
    return -alibiSlope(env.h, env.queryHeads) *
           static_cast<double>(std::abs(env.q - env.k));
  case FloatKind::Select:
    return keeps(expr.condition(), env) ? x(0) : x(1);
  case FloatKind::SelectCompare:
    return holds(expr.compare, x(0), x(1)) ? x(2) : x(3);
  }
  return 0;
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

/// q - left <= k <= q + right. Positions are far from the ends of int64, so
/// that their difference is exact and a bound of any size compares correctly.
static bool inWindow(const MaskExpr &expr, const Environment &env) {
  const IntExpr &left = expr.left(), &right = expr.right();
  return (left.isInfinite() || env.q - env.k <= evaluate(left, env)) &&
         (right.isInfinite() || env.k - env.q <= evaluate(right, env));
}

static bool inRandom(const MaskExpr &expr, const Environment &env) {
  int64_t row = floorDiv(env.q, expr.block);
  int64_t count = expr.causal ? std::max<int64_t>(row + 1, 0)
                              : -floorDiv(-env.nk, expr.block);
  int64_t who = expr.per == RandomPer::H   ? env.h
                : expr.per == RandomPer::G ? env.g
                                           : 0;
  int64_t n = evaluate(expr.count(), env), seed = evaluate(expr.seed(), env);
  DrawCache local;
  DrawCache &draws = env.draws ? *env.draws : local;
  int64_t block = floorDiv(env.k, expr.block);
  if (n >= count)
    return block < count;
  const auto &drawn = draws.blocks(expr, n, count, seed, who, row);
  return std::binary_search(drawn.begin(), drawn.end(), block);
}

bool keeps(const MaskExpr &expr, const Environment &env) {
  auto kept = [&](const MaskExpr &operand) { return keeps(operand, env); };
  const auto &operands = expr.operands;
  switch (expr.kind) {
  case MaskKind::All:
    return true;
  case MaskKind::None:
    return false;
  case MaskKind::Causal:
    return env.k <= env.q;
  case MaskKind::Window:
    return inWindow(expr, env);
  case MaskKind::Dilated:
    return inWindow(expr, env) &&
           floorMod(env.q - env.k, evaluate(expr.step(), env)) == 0;
  case MaskKind::Global: {
    // A negative count is 0: unlike a key, a query may be negative.
    int64_t n = std::max<int64_t>(evaluate(expr.count(), env), 0);
    return env.q < n || env.k < n;
  }
  case MaskKind::Sink:
    return env.k < evaluate(expr.count(), env);
  case MaskKind::Prefix:
    return env.k < evaluate(expr.count(), env) || env.k <= env.q;
  case MaskKind::Random:
    return inRandom(expr, env);
  case MaskKind::Compare:
    return holds(expr.compare, evaluate(expr.lhs(), env),
                 evaluate(expr.rhs(), env));
  case MaskKind::Not:
    return !kept(operands[0]);
  case MaskKind::And:
    return std::all_of(operands.begin(), operands.end(), kept);
  case MaskKind::Or:
    return std::any_of(operands.begin(), operands.end(), kept);
  case MaskKind::Xor:
    return std::count_if(operands.begin(), operands.end(), kept) % 2 == 1;
  }
  return false;
}

} // namespace fovea::pattern
