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

/// An operation of an expression on the values of its operands.
static Value emitOp(Emit &emit, Operation *op, ArrayRef<Value> operands) {
  if (isa<attn::FloorDivOp>(op))
    return emit.floorDiv(operands[0], operands[1]);
  if (isa<attn::FloorModOp>(op))
    return emit.floorMod(operands[0], operands[1]);
  return cloneFolded(emit, op, operands);
}

//===----------------------------------------------------------------------===//
// Once a work item
//===----------------------------------------------------------------------===//

KernelUniforms::KernelUniforms(attn::KernelOp source, tile::KernelOp target,
                               Operation *anchor)
    : facts(source), source(source), target(target), builder(anchor) {
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

Value KernelUniforms::value(Value expression) {
  visitOperandsFirst(
      expression, [&](Value v) { return values.contains(v); },
      [&](Value v) { values[v] = emit(v); });
  return values.lookup(expression);
}

Value KernelUniforms::integer(Value expression) { return value(expression); }

Value KernelUniforms::emit(Value expression) {
  Emit emit = emitter();
  Operation *op = expression.getDefiningOp();
  if (!op) {
    unsigned index = cast<BlockArgument>(expression).getArgNumber();
    return target.argument(tile::KernelOp::FirstParam + index);
  }
  if (auto read = dyn_cast<attn::VariableOp>(op))
    return variable(read.getVariable());
  return emitOp(emit, op, llvm::map_to_vector(op->getOperands(), [&](Value v) {
                  return values.lookup(v);
                }));
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

// An expression whose range is known, in i32.
Value PairEvaluator::narrow(Value expression) {
  visitOperandsFirst(
      expression,
      [&](Value v) {
        return narrowed.contains(v) || !uniforms.facts.needsPair(v);
      },
      [&](Value v) { narrowed[v] = emitNarrow(v); });
  if (Value known = narrowed.lookup(expression))
    return known;
  Emit outside = uniforms.emitter();
  return outside.toI32(uniforms.integer(expression));
}

Value PairEvaluator::emitNarrow(Value expression) {
  Operation *op = expression.getDefiningOp();
  if (auto variable = dyn_cast<attn::VariableOp>(op))
    return variable.getVariable() == attn::Variable::Q ? query : key;
  Value a = narrow(op->getOperand(0));
  APInt divisor;
  if (isa<attn::FloorDivOp, attn::FloorModOp>(op) &&
      matchPattern(op->getOperand(1), m_ConstantInt(&divisor))) {
    Value quotient = emit.floorDiv(a, divisor.getSExtValue());
    if (isa<attn::FloorDivOp>(op))
      return quotient;
    return emit.sub(a, emit.mul(quotient, emit.i32(divisor.getSExtValue())));
  }
  if (isa<math::AbsIOp>(op))
    return math::AbsIOp::create(emit.builder, emit.loc, a);
  Value b = narrow(op->getOperand(1));
  if (isa<arith::AddIOp>(op))
    return emit.add(a, b);
  if (isa<arith::SubIOp>(op))
    return emit.sub(a, b);
  if (isa<arith::MinSIOp>(op))
    return emit.min(a, b);
  if (isa<arith::MaxSIOp>(op))
    return emit.max(a, b);
  return emit.mul(a, b);
}

Value PairEvaluator::integer(Value expression) {
  auto atHand = [&](Value v) {
    return integers.contains(v) || !uniforms.facts.needsPair(v);
  };
  visitOperandsFirst(
      expression,
      [&](Value v) {
        // Narrow parts are computed here: nothing behind them is wanted wide.
        if (!atHand(v) && uniforms.facts.range(v))
          integers[v] = emit.toI64(narrow(v));
        return atHand(v);
      },
      [&](Value v) { integers[v] = emitWide(v); });
  if (Value known = integers.lookup(expression))
    return known;
  return uniforms.integer(expression);
}

Value PairEvaluator::emitWide(Value expression) {
  Operation *op = expression.getDefiningOp();
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    Value known = integers.lookup(operand);
    operands.push_back(known ? known : uniforms.integer(operand));
  }
  return emitOp(emit, op, operands);
}

Value PairEvaluator::keeps(Value mask) {
  auto known = [&](Value v) {
    return !isa<attn::MaskType>(v.getType()) || masks.contains(v);
  };
  visitOperandsFirst(mask, known, [&](Value v) {
    auto op = cast<attn::MaskOpInterface>(v.getDefiningOp());
    SmallVector<Value> parts;
    for (Value operand : op->getOperands())
      if (isa<attn::MaskType>(operand.getType()))
        parts.push_back(masks.lookup(operand));
    auto integerAt = [&](Value expression) { return integer(expression); };
    attn::ElementContext at{uniforms, query, key, integerAt};
    masks[v] = op.keeps(emit, at, parts);
  });
  return masks.lookup(mask);
}
