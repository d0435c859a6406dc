// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading linear expressions.
#include "Linear.h"

#include "fovea/Dialect/Attn/Attn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fovea::attn;

namespace {

constexpr int64_t largestConstant = int64_t(1) << 60;

/// Operations one inside the other, at most: a sum may have any length.
constexpr int deepest = 32;

std::optional<Linear> sum(const std::optional<Linear> &a,
                          const std::optional<Linear> &b, int sign) {
  if (!a || !b || a->absolute || b->absolute)
    return std::nullopt;
  if (!a->isConstant() && !b->isConstant() && a->block != b->block)
    return std::nullopt;
  Linear result{a->queries + sign * b->queries, a->keys + sign * b->keys,
                a->constant + sign * b->constant,
                a->isConstant() ? b->block : a->block};
  if (std::abs(result.queries) > 1 || std::abs(result.keys) > 1 ||
      std::abs(result.constant) > largestConstant)
    return std::nullopt;
  return result;
}

std::optional<Linear> read(Value value, int depth) {
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant))) {
    int64_t number = constant.getSExtValue();
    if (number < -largestConstant || number > largestConstant)
      return std::nullopt;
    return Linear{0, 0, number};
  }
  Operation *op = value.getDefiningOp();
  if (!op || depth == deepest)
    return std::nullopt;
  auto operand = [&](unsigned i) { return read(op->getOperand(i), depth + 1); };
  if (auto variable = dyn_cast<VariableOp>(op)) {
    if (variable.getVariable() == Variable::Q)
      return Linear{1, 0};
    if (variable.getVariable() == Variable::K)
      return Linear{0, 1};
  } else if (isa<arith::AddIOp, arith::SubIOp>(op)) {
    return sum(operand(0), operand(1), isa<arith::AddIOp>(op) ? 1 : -1);
  } else if (isa<FloorDivOp>(op)) {
    // Only of q or k itself, by a positive number.
    std::optional<Linear> position = operand(0);
    if (!position || !position->isPosition() || position->constant != 0 ||
        position->block != 1 || position->absolute ||
        !matchPattern(op->getOperand(1), m_ConstantInt(&constant)) ||
        constant.getSExtValue() < 1 || constant.getSExtValue() > endOfKeys)
      return std::nullopt;
    position->block = constant.getSExtValue();
    return position;
  } else if (isa<math::AbsIOp>(op)) {
    std::optional<Linear> band = operand(0);
    if (!band || !band->isBand() || band->constant != 0)
      return std::nullopt;
    band->absolute = true;
    return band;
  }
  return std::nullopt;
}

} // namespace

std::optional<Linear> fovea::attn::asLinear(Value expression) {
  return read(expression, 0);
}

std::optional<Linear> fovea::attn::difference(Value a, Value b) {
  return sum(asLinear(a), asLinear(b), -1);
}
