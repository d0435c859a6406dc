// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Values of attn's expressions: once a work item, or at a pair.
#include "Evaluate.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fovea;
using attn::Emit;

/// Clones an arith or math op on mapped operands, folding it if it can.
static Value cloneFolded(Emit &emit, Operation *op, ArrayRef<Value> operands) {
  IRMapping mapping;
  for (auto [from, to] : llvm::zip_equal(op->getOperands(), operands))
    mapping.map(from, to);
  Operation *clone = emit.builder.clone(*op, mapping);
  SmallVector<Value> folded;
  if (succeeded(emit.builder.tryFold(clone, folded)) && !folded.empty()) {
    clone->erase();
    return folded[0];
  }
  return clone->getResult(0);
}

//===----------------------------------------------------------------------===//
// Once a work item
//===----------------------------------------------------------------------===//

KernelUniforms::KernelUniforms(attn::KernelOp source, tile::KernelOp target,
                               Operation *anchor)
    : source(source), target(target), builder(anchor) {
  Emit emit = emitter();
  auto argument = [&](tile::KernelOp::Argument which) -> Value {
    return target.argument(which);
  };
  Value row = argument(tile::KernelOp::Row);
  Value numQueries = argument(tile::KernelOp::NumQueries);
  head = argument(tile::KernelOp::Head);
  kvHead = argument(tile::KernelOp::KVHead);
  numKeys = argument(tile::KernelOp::NumKeys);
  rows = target.getSchedule().getRows();
  Value offset = source.getAlignment() == attn::Alignment::End
                     ? emit.sub(numKeys, numQueries)
                     : emit.i32(0);
  firstQuery = emit.add(row, offset);
  Value past = emit.min(emit.add(row, rows), numQueries);
  lastQuery = emit.add(emit.add(past, -1), offset);
}

Emit KernelUniforms::emitter() { return Emit(builder, source.getLoc()); }

Value KernelUniforms::variable(attn::Variable variable) {
  Emit emit = emitter();
  switch (variable) {
  case attn::Variable::B:
    return emit.toI64(target.argument(tile::KernelOp::Batch));
  case attn::Variable::H:
    return emit.toI64(head);
  case attn::Variable::G:
    return emit.toI64(kvHead);
  case attn::Variable::NQ:
    return emit.toI64(target.argument(tile::KernelOp::NumQueries));
  case attn::Variable::NK:
    return emit.toI64(numKeys);
  case attn::Variable::Q:
  case attn::Variable::K:
    break;
  }
  llvm_unreachable("q and k are not the same for a whole tile");
}

Value KernelUniforms::integer(Value expression) {
  if (Value known = values.lookup(expression))
    return known;
  Emit emit = emitter();
  Value value;
  Operation *op = expression.getDefiningOp();
  if (!op) {
    unsigned index = cast<BlockArgument>(expression).getArgNumber();
    value = target.argument(tile::KernelOp::FirstParam + index);
  } else if (auto read = dyn_cast<attn::VariableOp>(op)) {
    value = variable(read.getVariable());
  } else {
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(integer(operand));
    if (isa<attn::FloorDivOp>(op))
      value = emit.floorDiv(operands[0], operands[1]);
    else if (isa<attn::FloorModOp>(op))
      value = emit.floorMod(operands[0], operands[1]);
    else
      value = cloneFolded(emit, op, operands);
  }
  return values[expression] = value;
}

Value KernelUniforms::bound(Value expression) {
  if (Value known = bounds.lookup(expression))
    return known;
  Emit emit = emitter();
  Value low = emit.i64(-attn::endOfKeys), high = emit.i64(attn::endOfKeys - 1);
  Value clamped = emit.min(emit.max(integer(expression), low), high);
  return bounds[expression] = emit.toI32(clamped);
}

ArrayRef<Value> KernelUniforms::once(
    Operation *op, llvm::function_ref<SmallVector<Value>(Emit &)> emitValues) {
  auto found = onces.find(op);
  if (found != onces.end())
    return found->second;
  Emit emit = emitter();
  SmallVector<Value> result = emitValues(emit);
  return onces[op] = std::move(result);
}

Value KernelUniforms::real(Value expression) {
  if (Value known = values.lookup(expression))
    return known;
  Emit emit = emitter();
  Value value;
  Operation *op = expression.getDefiningOp();
  if (!op) {
    unsigned index = cast<BlockArgument>(expression).getArgNumber();
    value = target.argument(tile::KernelOp::FirstParam + index);
  } else {
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(operand.getType().isInteger(64) ? integer(operand)
                                                         : real(operand));
    value = cloneFolded(emit, op, operands);
  }
  return values[expression] = value;
}

Value KernelUniforms::alibiSlope() {
  if (slope)
    return slope;
  Emit emit = emitter();
  // With P the largest power of two up to H: 2^(-8 (h+1) / P) for h < P, then
  // every second slope of 2 P: 2^(-8 (2 (h-P) + 1) / (2 P)).
  int64_t heads = source.getQHeads();
  int64_t power = llvm::bit_floor(static_cast<uint64_t>(heads));
  auto exponent = [&](Value numerator, int64_t denominator) {
    Value real = arith::SIToFPOp::create(builder, emit.loc,
                                         builder.getF32Type(), numerator);
    return arith::MulFOp::create(builder, emit.loc, real,
                                 emit.f32(-8.0 / double(denominator)))
        .getResult();
  };
  Value value = exponent(emit.add(head, 1), power);
  if (power != heads) {
    Value twice = emit.mul(emit.add(head, -power), emit.i32(2));
    Value beyond = exponent(emit.add(twice, 1), 2 * power);
    value = emit.select(emit.lt(head, emit.i32(power)), value, beyond);
  }
  return slope = math::Exp2Op::create(builder, emit.loc, value);
}

//===----------------------------------------------------------------------===//
// At a pair
//===----------------------------------------------------------------------===//

namespace {

/// Bounds of an integer expression, if it is known to stay inside i32 at every
/// step.
struct Range {
  int64_t low, high;
};

std::optional<Range> fits(int64_t low, int64_t high) {
  if (low < INT32_MIN || high > INT32_MAX)
    return std::nullopt;
  return Range{low, high};
}

std::optional<Range> rangeOf(Value value) {
  constexpr int64_t length = attn::endOfKeys - 1;
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return fits(constant.getSExtValue(), constant.getSExtValue());
  Operation *op = value.getDefiningOp();
  if (!op)
    return std::nullopt;
  if (auto variable = dyn_cast<attn::VariableOp>(op)) {
    bool signedPosition = variable.getVariable() == attn::Variable::Q;
    return Range{signedPosition ? -length : 0, length};
  }
  if (op->getNumOperands() != 2)
    return std::nullopt;
  std::optional<Range> a = rangeOf(op->getOperand(0)),
                       b = rangeOf(op->getOperand(1));
  if (!a || !b)
    return std::nullopt;
  if (isa<arith::AddIOp>(op))
    return fits(a->low + b->low, a->high + b->high);
  if (isa<arith::SubIOp>(op))
    return fits(a->low - b->high, a->high - b->low);
  if (isa<arith::MulIOp>(op)) {
    auto [low, high] = std::minmax({a->low * b->low, a->low * b->high,
                                    a->high * b->low, a->high * b->high});
    return fits(low, high);
  }
  // A positive constant divisor; the quotient is no larger than the dividend.
  bool divides = b->low == b->high && b->low > 0 && b->low <= length &&
                 a->low >= -length && a->high <= length;
  if (isa<attn::FloorDivOp>(op) && divides)
    return fits(std::min<int64_t>(a->low, 0), std::max<int64_t>(a->high, 0));
  if (isa<attn::FloorModOp>(op) && divides)
    return fits(0, b->low - 1);
  return std::nullopt;
}

} // namespace

// An expression that rangeOf accepts, in i32.
Value PairEvaluator::narrow(Value expression) {
  if (Value known = narrowed.lookup(expression))
    return known;
  Value value;
  Operation *op = expression.getDefiningOp();
  auto variable = dyn_cast<attn::VariableOp>(op);
  if (variable && variable.getVariable() == attn::Variable::Q) {
    value = query;
  } else if (variable && variable.getVariable() == attn::Variable::K) {
    value = key;
  } else if (!attn::readsPosition(expression)) {
    Emit outside = uniforms.emitter();
    value = outside.toI32(uniforms.integer(expression));
  } else {
    Value a = narrow(op->getOperand(0));
    APInt divisor;
    bool constant = matchPattern(op->getOperand(1), m_ConstantInt(&divisor));
    if (isa<attn::FloorDivOp>(op) && constant)
      value = emit.floorDiv(a, divisor.getSExtValue());
    else if (isa<attn::FloorModOp>(op) && constant)
      value = emit.sub(a, emit.mul(emit.floorDiv(a, divisor.getSExtValue()),
                                   emit.i32(divisor.getSExtValue())));
    else if (isa<arith::AddIOp>(op))
      value = emit.add(a, narrow(op->getOperand(1)));
    else if (isa<arith::SubIOp>(op))
      value = emit.sub(a, narrow(op->getOperand(1)));
    else
      value = emit.mul(a, narrow(op->getOperand(1)));
  }
  return narrowed[expression] = value;
}

Value PairEvaluator::integer(Value expression) {
  if (!attn::readsPosition(expression))
    return uniforms.integer(expression);
  if (Value known = integers.lookup(expression))
    return known;
  Value value;
  if (rangeOf(expression)) {
    value = emit.toI64(narrow(expression));
  } else {
    Operation *op = expression.getDefiningOp();
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(integer(operand));
    if (isa<attn::FloorDivOp>(op))
      value = emit.floorDiv(operands[0], operands[1]);
    else if (isa<attn::FloorModOp>(op))
      value = emit.floorMod(operands[0], operands[1]);
    else
      value = cloneFolded(emit, op, operands);
  }
  return integers[expression] = value;
}

Value PairEvaluator::keeps(Value mask) {
  if (Value known = masks.lookup(mask))
    return known;
  auto op = cast<attn::MaskOpInterface>(mask.getDefiningOp());
  SmallVector<Value> parts;
  for (Value operand : op->getOperands())
    if (isa<attn::MaskType>(operand.getType()))
      parts.push_back(keeps(operand));
  auto integerAt = [&](Value expression) { return integer(expression); };
  attn::ElementContext at{uniforms, query, key, integerAt};
  return masks[mask] = op.keeps(emit, at, parts);
}
