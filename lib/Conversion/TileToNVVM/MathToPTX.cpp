// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// math on f32 by ex2.approx and lg2.approx (relative errors of 2^-22 and
// 2^-22.6, PTX ISA, "Floating Point Instructions"), with their limits: exp2 of
// -infinity is 0, of +infinity infinity, NaN stays NaN. The rest of math
// becomes LLVM intrinsics that the NVPTX back end knows (sqrt, fabs, fma, ...).
#include "fovea/Conversion/TileToNVVM.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

#include <cmath>
#include <numbers>

namespace fovea {
#define GEN_PASS_DEF_CONVERTMATHTOPTXPASS
#include "fovea/Conversion/TileToNVVM/Passes.h.inc"
} // namespace fovea

using namespace mlir;

namespace {

/// Builds f32 arithmetic at one place.
struct Builder32 {
  RewriterBase &b;
  Location loc;

  Value constant(float value) {
    return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
  }
  Value call(StringRef name, Value x) {
    return LLVM::CallIntrinsicOp::create(b, loc, b.getF32Type(),
                                         b.getStringAttr(name), x)
        .getResult(0);
  }
  Value exp2(Value x) { return call("llvm.nvvm.ex2.approx.ftz.f32", x); }
  Value reciprocal(Value x) { return call("llvm.nvvm.rcp.approx.ftz.f", x); }
  Value log2(Value x) { return call("llvm.nvvm.lg2.approx.ftz.f", x); }
  Value mul(Value x, float y) {
    return arith::MulFOp::create(b, loc, x, constant(y));
  }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, loc, x, y); }
};

/// exp(x) = exp2(x log2 e)
Value lowerExp(Builder32 f, Value x) {
  return f.exp2(f.mul(x, std::numbers::log2e_v<float>));
}

Value lowerLog(Builder32 f, Value x) {
  return f.mul(f.log2(x), std::numbers::ln2_v<float>);
}

/// tanh(x) = (1 - e) / (1 + e), e = exp(-2 |x|), with the sign of x: no
/// overflow, and infinity gives 1. Below 0.25 a series keeps the relative error
/// small.
Value accurateTanh(Builder32 f, Value x) {
  RewriterBase &b = f.b;
  Location loc = f.loc;
  Value magnitude = math::AbsFOp::create(b, loc, x);
  Value e = f.exp2(f.mul(magnitude, -2 * std::numbers::log2e_v<float>));
  Value one = f.constant(1);
  Value above = arith::SubFOp::create(b, loc, one, e);
  Value below = f.reciprocal(arith::AddFOp::create(b, loc, one, e));
  Value large = f.mul(above, below);
  // x - x^3/3 + 2 x^5/15 - 17 x^7/315 + 62 x^9/2835
  Value square = f.mul(magnitude, magnitude);
  Value series = f.constant(62.0f / 2835);
  for (float c : {-17.0f / 315, 2.0f / 15, -1.0f / 3})
    series = math::FmaOp::create(b, loc, series, square, f.constant(c));
  Value small =
      math::FmaOp::create(b, loc, f.mul(series, square), magnitude, magnitude);
  Value near = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT,
                                     magnitude, f.constant(0.25f));
  Value result = arith::SelectOp::create(b, loc, near, small, large);
  return math::CopySignOp::create(b, loc, result, x);
}

/// tanh(x) = 1 - 2 / (1 + exp(2 x)), to 2e-7 absolutely.
Value shortTanh(Builder32 f, Value x) {
  Value e = f.exp2(f.mul(x, 2 * std::numbers::log2e_v<float>));
  Value part =
      f.reciprocal(arith::AddFOp::create(f.b, f.loc, e, f.constant(1)));
  return math::FmaOp::create(f.b, f.loc, part, f.constant(-2), f.constant(1));
}

/// Whether an absolute error of 2e-7 is lost in the rounding of a 16-bit
/// kernel: the result is only multiplied by constants that are not large
/// (softcap).
bool toleratesShortTanh(math::TanhOp op) {
  auto function = op->getParentOfType<LLVM::LLVMFuncOp>();
  if (!function || !function->hasAttr("tile.half"))
    return false;
  return llvm::all_of(op->getUsers(), [&](Operation *user) {
    auto mul = dyn_cast<arith::MulFOp>(user);
    FloatAttr factor;
    return mul && mul.getLhs() == op.getResult() &&
           matchPattern(mul.getRhs(), m_Constant(&factor)) &&
           std::abs(factor.getValueAsDouble()) <= 256;
  });
}

/// tanh is smooth, so a quotient that only it reads need not be rounded
/// correctly, which would cost a branch.
Value quickQuotient(Builder32 f, arith::DivFOp quotient) {
  Value x = quotient.getLhs(), y = quotient.getRhs();
  FloatAttr divisor;
  if (matchPattern(y, m_Constant(&divisor))) {
    float inverse = 1 / float(divisor.getValueAsDouble());
    if (std::isnormal(inverse))
      return f.mul(x, inverse);
  }
  return LLVM::CallIntrinsicOp::create(f.b, f.loc, f.b.getF32Type(),
                                       f.b.getStringAttr("llvm.nvvm.div.full"),
                                       ValueRange{x, y})
      .getResult(0);
}

struct LowerTanh : OpRewritePattern<math::TanhOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::TanhOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.getType().isF32())
      return failure();
    Builder32 f{rewriter, op.getLoc()};
    Value x = op.getOperand();
    auto quotient = x.getDefiningOp<arith::DivFOp>();
    if (quotient && quotient->hasOneUse())
      x = quickQuotient(f, quotient);
    bool isShort = toleratesShortTanh(op);
    rewriter.replaceOp(op, isShort ? shortTanh(f, x) : accurateTanh(f, x));
    if (quotient && quotient->use_empty())
      rewriter.eraseOp(quotient);
    return success();
  }
};

template <typename OpTy> struct Lower : OpRewritePattern<OpTy> {
  using Function = Value (*)(Builder32, Value);
  Lower(MLIRContext *context, Function function)
      : OpRewritePattern<OpTy>(context), function(function) {}

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    if (!op.getType().isF32())
      return failure();
    rewriter.replaceOp(op, function({rewriter, op.getLoc()}, op.getOperand()));
    return success();
  }
  Function function;
};

struct ConvertMathToPTXPass
    : fovea::impl::ConvertMathToPTXPassBase<ConvertMathToPTXPass> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
    patterns.add<Lower<math::Exp2Op>>(
        context, +[](Builder32 f, Value x) { return f.exp2(x); });
    patterns.add<Lower<math::Log2Op>>(
        context, +[](Builder32 f, Value x) { return f.log2(x); });
    patterns.add<Lower<math::ExpOp>>(context, lowerExp);
    patterns.add<Lower<math::LogOp>>(context, lowerLog);
    patterns.add<LowerTanh>(context);
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};

} // namespace
