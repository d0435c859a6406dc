// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which values differ from pair to pair, and which fit in 32 bits: one pass
// over the body, in which definitions come before uses.
#include "Evaluate.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fovea;

void fovea::visitOperandsFirst(Value root,
                               llvm::function_ref<bool(Value)> known,
                               llvm::function_ref<void(Value)> visit) {
  SmallVector<Value> stack{root};
  while (!stack.empty()) {
    Value value = stack.back();
    if (known(value)) {
      stack.pop_back();
      continue;
    }
    size_t size = stack.size();
    if (Operation *op = value.getDefiningOp())
      for (Value operand : llvm::reverse(op->getOperands()))
        if (!known(operand))
          stack.push_back(operand);
    if (stack.size() == size)
      visit(value);
  }
}

static bool isPosition(Operation *op) {
  auto variable = dyn_cast<attn::VariableOp>(op);
  return variable && (variable.getVariable() == attn::Variable::Q ||
                      variable.getVariable() == attn::Variable::K);
}

Facts::Facts(attn::KernelOp kernel) {
  for (Operation &op : kernel.getBody().front()) {
    // A softcap could be uniform, but that is not worth a second path.
    bool pair =
        isPosition(&op) ||
        isa<attn::DotOp, attn::AlibiOp, attn::KeepsOp, attn::SoftcapOp>(op);
    for (Value operand : op.getOperands())
      pair |= needsPair(operand);
    for (Value result : op.getResults()) {
      if (pair)
        pairs.insert(result);
      if (result.getType().isInteger(64))
        if (std::optional<Range> range = computeRange(&op))
          ranges[result] = *range;
    }
  }
}

std::optional<Facts::Range> Facts::range(Value value) const {
  auto known = ranges.find(value);
  return known == ranges.end() ? std::nullopt : std::optional(known->second);
}

static std::optional<Facts::Range> fits(int64_t low, int64_t high) {
  if (low < INT32_MIN || high > INT32_MAX)
    return std::nullopt;
  return Facts::Range{low, high};
}

/// The range of an operation on two operands in `a` and `b`.
static std::optional<Facts::Range> rangeOf(Operation *op, Facts::Range a,
                                           Facts::Range b) {
  constexpr int64_t length = attn::endOfKeys - 1;
  if (isa<arith::AddIOp>(op))
    return fits(a.low + b.low, a.high + b.high);
  if (isa<arith::SubIOp>(op))
    return fits(a.low - b.high, a.high - b.low);
  if (isa<arith::MinSIOp>(op))
    return fits(std::min(a.low, b.low), std::min(a.high, b.high));
  if (isa<arith::MaxSIOp>(op))
    return fits(std::max(a.low, b.low), std::max(a.high, b.high));
  if (isa<arith::MulIOp>(op)) {
    auto [low, high] = std::minmax(
        {a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high});
    return fits(low, high);
  }
  // A positive constant divisor; the quotient is no larger than the dividend.
  bool divides = b.low == b.high && b.low > 0 && b.low <= length &&
                 a.low >= -length && a.high <= length;
  if (isa<attn::FloorDivOp>(op) && divides)
    return fits(std::min<int64_t>(a.low, 0), std::max<int64_t>(a.high, 0));
  if (isa<attn::FloorModOp>(op) && divides)
    return fits(0, b.low - 1);
  return std::nullopt;
}

std::optional<Facts::Range> Facts::computeRange(Operation *op) const {
  constexpr int64_t length = attn::endOfKeys - 1;
  APInt constant;
  if (matchPattern(op, m_ConstantInt(&constant)))
    return fits(constant.getSExtValue(), constant.getSExtValue());
  if (auto variable = dyn_cast<attn::VariableOp>(op)) {
    bool isSigned = variable.getVariable() == attn::Variable::Q;
    return Range{isSigned ? -length : 0, length};
  }
  SmallVector<Range> operands;
  for (Value operand : op->getOperands()) {
    std::optional<Range> known = range(operand);
    if (!known)
      return std::nullopt;
    operands.push_back(*known);
  }
  if (isa<math::AbsIOp>(op))
    return fits(
        0, std::max(std::abs(operands[0].low), std::abs(operands[0].high)));
  return operands.size() == 2 ? rangeOf(op, operands[0], operands[1])
                              : std::nullopt;
}
