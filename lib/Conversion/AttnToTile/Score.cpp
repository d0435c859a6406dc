// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The score of a pair, in base 2.
//
// exp(x - m) = exp2(x log2(e) - m log2(e)), and the machine has exp2. So every
// score is wanted times log2(e), and that factor should cost nothing: it is
// pushed down through sums, products with uniform factors and selections to
// places that are computed once a work item. `s` becomes dot * (scale log2(e)),
// one product as before.
#include "Evaluate.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace fovea;
using attn::Emit;

namespace {

/// How far the factor is pushed down; a sum may have any number of terms.
constexpr int deepest = 64;

class ScoreEmitter {
public:
  ScoreEmitter(PairEvaluator &pair, Value dot) : pair(pair), dot(dot) {}

  /// The value of a score expression times `factor` (uniform).
  Value scaled(Value expression, Value factor) {
    return push(expression, factor, 0);
  }

private:
  bool isUniform(Value expression) {
    return !pair.uniforms.facts.needsPair(expression);
  }
  Value push(Value expression, Value factor, int depth);
  Value plain(Value expression);
  Value plainOp(Operation *op);

  Value mulf(Value a, Value b) {
    return pair.emit.builder.createOrFold<arith::MulFOp>(pair.emit.loc, a, b);
  }
  /// A product of uniform values, computed before the walk.
  Value mulUniform(Value a, Value b) {
    Emit emit = pair.uniforms.emitter();
    return emit.builder.createOrFold<arith::MulFOp>(emit.loc, a, b);
  }
  Value distance();

  PairEvaluator &pair;
  Value dot;
  llvm::DenseMap<Value, Value> values;
};

/// |q - k| as f32.
Value ScoreEmitter::distance() {
  Emit &emit = pair.emit;
  Value difference = emit.sub(pair.query, pair.key);
  Value magnitude = math::AbsIOp::create(emit.builder, emit.loc, difference);
  return arith::SIToFPOp::create(emit.builder, emit.loc,
                                 emit.builder.getF32Type(), magnitude);
}

Value ScoreEmitter::push(Value expression, Value factor, int depth) {
  if (isUniform(expression))
    return mulUniform(pair.uniforms.value(expression), factor);
  if (depth == deepest)
    return mulf(plain(expression), factor);
  auto scaled = [&](Value part, Value by) { return push(part, by, depth + 1); };
  Operation *op = expression.getDefiningOp();
  Emit &emit = pair.emit;
  OpBuilder &b = emit.builder;
  if (auto product = dyn_cast<attn::DotOp>(op))
    return mulf(dot,
                mulUniform(pair.uniforms.value(product.getScale()), factor));
  if (isa<attn::AlibiOp>(op)) {
    Emit outside = pair.uniforms.emitter();
    Value slope = arith::NegFOp::create(outside.builder, outside.loc,
                                        pair.uniforms.alibiSlope());
    return mulf(distance(), mulUniform(slope, factor));
  }
  if (auto cap = dyn_cast<attn::SoftcapOp>(op);
      cap && isUniform(cap.getCap())) {
    Value limit = pair.uniforms.value(cap.getCap());
    Value ratio =
        arith::DivFOp::create(b, emit.loc, plain(cap.getValue()), limit);
    Value bent = math::TanhOp::create(b, emit.loc, ratio);
    return mulf(bent, mulUniform(limit, factor));
  }
  if (isa<arith::AddFOp, arith::SubFOp>(op)) {
    Value lhs = scaled(op->getOperand(0), factor);
    Value rhs = scaled(op->getOperand(1), factor);
    if (isa<arith::AddFOp>(op))
      return arith::AddFOp::create(b, emit.loc, lhs, rhs);
    return arith::SubFOp::create(b, emit.loc, lhs, rhs);
  }
  if (auto negative = dyn_cast<arith::NegFOp>(op))
    return arith::NegFOp::create(b, emit.loc,
                                 scaled(negative.getOperand(), factor));
  if (auto product = dyn_cast<arith::MulFOp>(op)) {
    if (isUniform(product.getRhs()))
      return scaled(product.getLhs(),
                    mulUniform(pair.uniforms.value(product.getRhs()), factor));
    if (isUniform(product.getLhs()))
      return scaled(product.getRhs(),
                    mulUniform(pair.uniforms.value(product.getLhs()), factor));
  }
  if (auto choice = dyn_cast<arith::SelectOp>(op))
    return emit.select(plain(choice.getCondition()),
                       scaled(choice.getTrueValue(), factor),
                       scaled(choice.getFalseValue(), factor));
  return mulf(plain(expression), factor);
}

Value ScoreEmitter::plain(Value expression) {
  // plainOp asks here for operands, which are known by then.
  visitOperandsFirst(
      expression,
      [&](Value v) {
        return isUniform(v) || values.contains(v) ||
               isa<attn::MaskType>(v.getType()) || v.getType().isInteger(64);
      },
      [&](Value v) { values[v] = plainOp(v.getDefiningOp()); });
  Value known = values.lookup(expression);
  return known ? known : pair.uniforms.value(expression);
}

Value ScoreEmitter::plainOp(Operation *op) {
  Emit &emit = pair.emit;
  OpBuilder &b = emit.builder;
  if (auto product = dyn_cast<attn::DotOp>(op))
    return mulf(dot, pair.uniforms.value(product.getScale()));
  if (isa<attn::AlibiOp>(op))
    return mulf(distance(),
                arith::NegFOp::create(b, emit.loc, pair.uniforms.alibiSlope()));
  if (auto keeps = dyn_cast<attn::KeepsOp>(op))
    return pair.keeps(keeps.getMask());
  if (auto cap = dyn_cast<attn::SoftcapOp>(op)) {
    Value limit = plain(cap.getCap());
    Value ratio =
        arith::DivFOp::create(b, emit.loc, plain(cap.getValue()), limit);
    return mulf(math::TanhOp::create(b, emit.loc, ratio), limit);
  }
  if (auto convert = dyn_cast<arith::SIToFPOp>(op)) {
    // Only q and k themselves become floats at a pair; both fit in i32.
    auto variable = convert.getIn().getDefiningOp<attn::VariableOp>();
    Value position =
        variable.getVariable() == attn::Variable::Q ? pair.query : pair.key;
    return arith::SIToFPOp::create(b, emit.loc, b.getF32Type(), position);
  }
  IRMapping mapping;
  for (Value operand : op->getOperands())
    mapping.map(operand, plain(operand));
  return b.clone(*op, mapping)->getResult(0);
}

} // namespace

Value fovea::emitScore(PairEvaluator &pair, Value score, Value dot) {
  Emit outside = pair.uniforms.emitter();
  Value log2e = outside.f32(1.0 / llvm::numbers::ln2);
  return ScoreEmitter(pair, dot).scaled(score, log2e);
}
