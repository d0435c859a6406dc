// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Elementary functions of f32 as arithmetic, for scalars and vectors alike.
//
// exp and exp2 share one scheme: x log2(e) = n + f with n an integer, |f| <=
// 1/2; the product is taken in two parts, for rounding it once would cost exp
// up to 2^-24 times |x|. 2^n is assembled in two halves, so that neither
// overflows early. The logarithms and tanh are MLIR's (Cephes and Eigen).
#include "fovea/Conversion/TileToHost/Passes.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace fovea {
#define GEN_PASS_DEF_EXPANDHOSTMATHPASS
#include "fovea/Conversion/TileToHost/Passes.h.inc"
} // namespace fovea

using namespace mlir;

namespace {

/// Arithmetic on one type, f32 or a vector of f32.
struct Arithmetic : ImplicitLocOpBuilder {
  Arithmetic(Location loc, OpBuilder &b, Type type)
      : ImplicitLocOpBuilder(loc, b), type(type) {}
  Type type;

  Type words() {
    if (auto vector = dyn_cast<VectorType>(type))
      return vector.clone(getI32Type());
    return getI32Type();
  }
  Value constant(double value) {
    TypedAttr attr = getF32FloatAttr(value);
    if (auto vector = dyn_cast<VectorType>(type))
      attr = DenseElementsAttr::get(vector, Attribute(attr));
    return arith::ConstantOp::create(*this, attr);
  }
  Value word(int32_t value) {
    TypedAttr attr = getI32IntegerAttr(value);
    if (auto vector = dyn_cast<VectorType>(words()))
      attr = DenseElementsAttr::get(vector, Attribute(attr));
    return arith::ConstantOp::create(*this, attr);
  }
  Value add(Value x, Value y) { return arith::AddFOp::create(*this, x, y); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(*this, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(*this, x, y); }
  Value fma(Value x, Value y, Value z) {
    return math::FmaOp::create(*this, x, y, z);
  }
  /// The larger or smaller of x and a bound, but NaN stays NaN.
  Value clamp(Value x, arith::CmpFPredicate outside, double bound) {
    Value limit = constant(bound);
    Value cond = arith::CmpFOp::create(*this, outside, x, limit);
    return arith::SelectOp::create(*this, cond, limit, x);
  }
};

/// 2^(x high + x low), where high + low is log2 of the base.
Value expandExp(Arithmetic &a, Value x, double logBase) {
  double high = float(logBase), low = logBase - high;
  // Far beyond either end of what f32 holds, and exact below.
  x = a.clamp(x, arith::CmpFPredicate::OLT, -160.0 / logBase);
  x = a.clamp(x, arith::CmpFPredicate::OGT, 160.0 / logBase);
  Value magic =
      a.constant(12582912.0); // 1.5 * 2^23: adding it rounds to integer
  Value shifted = a.fma(x, a.constant(high), magic);
  Value n = a.sub(shifted, magic);
  Value f = a.fma(x, a.constant(high), arith::NegFOp::create(a, n));
  if (low != 0)
    f = a.fma(x, a.constant(low), f);
  // The polynomial of emitExp2 (Softmax.cpp).
  Value p = a.constant(0.001326472731307149);
  for (double c : {0.009671512991189957, 0.05550733581185341,
                   0.24022242426872253, 0.6931470036506653, 1.0})
    p = a.fma(p, f, a.constant(c));
  // n = half + rest, each within the exponents of normal numbers.
  Value bits = arith::BitcastOp::create(a, a.words(), shifted);
  Value integer = arith::SubIOp::create(a, bits, a.word(0x4b400000));
  Value half = arith::ShRSIOp::create(a, integer, a.word(1));
  Value rest = arith::SubIOp::create(a, integer, half);
  for (Value part : {half, rest}) {
    Value biased = arith::AddIOp::create(a, part, a.word(127));
    Value power = arith::ShLIOp::create(a, biased, a.word(23));
    p = a.mul(p, arith::BitcastOp::create(a, a.type, power));
  }
  return p;
}

template <typename OpT> struct ExpandExp : OpRewritePattern<OpT> {
  ExpandExp(MLIRContext *context, double logBase)
      : OpRewritePattern<OpT>(context, /*benefit=*/2), logBase(logBase) {}
  double logBase;

  LogicalResult matchAndRewrite(OpT op,
                                PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getType()).isF32())
      return failure();
    Arithmetic a(op.getLoc(), rewriter, op.getType());
    rewriter.replaceOp(op, expandExp(a, op.getOperand(), logBase));
    return success();
  }
};

/// True if the divisor is the same number in every lane and known at compile
/// time: LLVM then multiplies instead.
bool isConstantDivisor(Value value) {
  if (auto splat = value.getDefiningOp<vector::BroadcastOp>())
    value = splat.getSource();
  return matchPattern(value, m_Constant());
}

// x / y -> fptosi(x as f64 / y as f64) and x % y -> x - (x / y) y, for vectors
// of i32. No CPU divides vectors of integers. The quotient is exact: where
// x / y is not an integer it is at least 2^-31 of itself away from one, and f64
// rounds by 2^-53.
template <typename OpT> struct DivideVectors : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpT op,
                                PatternRewriter &rewriter) const override {
    auto type = dyn_cast<VectorType>(op.getType());
    if (!type || !type.getElementType().isInteger(32) ||
        isConstantDivisor(op.getRhs()))
      return failure();
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Type wide = type.clone(b.getF64Type());
    Value x = arith::SIToFPOp::create(b, wide, op.getLhs());
    Value y = arith::SIToFPOp::create(b, wide, op.getRhs());
    Value result =
        arith::FPToSIOp::create(b, type, arith::DivFOp::create(b, x, y));
    if (std::is_same_v<OpT, arith::RemSIOp>)
      result = arith::SubIOp::create(
          b, op.getLhs(), arith::MulIOp::create(b, result, op.getRhs()));
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct ExpandHostMathPass
    : fovea::impl::ExpandHostMathPassBase<ExpandHostMathPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<DivideVectors<arith::DivSIOp>, DivideVectors<arith::RemSIOp>>(
        &getContext());
    patterns.add<ExpandExp<math::Exp2Op>>(&getContext(), 1.0);
    patterns.add<ExpandExp<math::ExpOp>>(&getContext(), 1.4426950408889634074);
    populateMathPolynomialApproximationPatterns(patterns, [](StringRef name) {
      return name == math::LogOp::getOperationName() ||
             name == math::Log2Op::getOperationName() ||
             name == math::TanhOp::getOperationName();
    });
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
