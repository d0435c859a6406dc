// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Computing with bands: q - left <= k <= q + right, or the same of the blocks
// of q and k.
//
// A band's tiles are found exactly, but Kleene's logic does not see that the
// rows that keep a key in one band may be others than those that keep it in the
// next: causal & ~window(128, 0) would visit the tiles of the window. So masks
// made of bands are brought to a union of bands:
//   band & band    -> one band, of the smaller bounds
//   ~band          -> two bands
//   band ^ band    -> (a & ~b) | (~a & b)
//   unions & bands -> distributed, while they stay small
//   band | band    -> one band, if they are known to overlap or touch
#include "fovea/Dialect/Attn/Attn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fovea::attn;

namespace {

/// A null bound is infinite. Blocks of one position are positions.
struct Band {
  Value left, right;
  int64_t block = 1;
};

/// Bounds of bands at or beyond this are infinite: |q - k| < 2^30 - 1.
constexpr int64_t infiniteBound = endOfKeys - 1;

/// A union of bands is distributed over another while the result has no more
/// parts than this.
constexpr size_t maxParts = 4;

bool isBand(Value mask) {
  return isa_and_nonnull<CausalOp, WindowOp, BlockWindowOp>(
      mask.getDefiningOp());
}

Value number(RewriterBase &rewriter, Location loc, int64_t value) {
  return arith::ConstantIntOp::create(rewriter, loc, value, 64);
}

/// The bounds of a band; causal is the band with right = 0.
Band bandOf(RewriterBase &rewriter, Value mask) {
  if (auto window = mask.getDefiningOp<WindowOp>())
    return {window.getLeft(), window.getRight()};
  if (auto window = mask.getDefiningOp<BlockWindowOp>())
    return {window.getLeft(), window.getRight(), int64_t(window.getBlock())};
  return {Value(), number(rewriter, mask.getLoc(), 0)};
}

int64_t blockOf(Value mask) {
  auto window = mask.getDefiningOp<BlockWindowOp>();
  return window ? window.getBlock() : 1;
}

Value build(RewriterBase &rewriter, Location loc, const Band &band) {
  Type type = MaskType::get(rewriter.getContext());
  if (band.block == 1)
    return WindowOp::create(rewriter, loc, type, band.left, band.right);
  return BlockWindowOp::create(rewriter, loc, type, band.left, band.right,
                               band.block);
}

/// The number of bands whose union the mask is, or 0.
size_t countParts(Value mask) {
  if (isBand(mask))
    return 1;
  auto any = mask.getDefiningOp<OrOp>();
  return any && llvm::all_of(any.getOperands(), isBand)
             ? any.getOperands().size()
             : 0;
}

SmallVector<Value> partsOf(Value mask) {
  if (isBand(mask))
    return {mask};
  return llvm::to_vector(mask.getDefiningOp<OrOp>().getOperands());
}

// causal & window(8, 4) & m -> window(8, 0) & m
struct IntersectBands : OpRewritePattern<AndOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AndOp op,
                                PatternRewriter &rewriter) const override {
    for (auto [i, a] : llvm::enumerate(op.getOperands()))
      for (Value b : op.getOperands().drop_front(i + 1))
        if (isBand(a) && isBand(b) && blockOf(a) == blockOf(b))
          return intersect(op, rewriter, a, b);
    return failure();
  }

  static LogicalResult intersect(AndOp op, PatternRewriter &rewriter, Value a,
                                 Value b) {
    Location loc = op.getLoc();
    auto tighter = [&](Value x, Value y) {
      if (!x || !y || x == y)
        return x ? x : y;
      return rewriter.createOrFold<arith::MinSIOp>(loc, x, y);
    };
    Band one = bandOf(rewriter, a), other = bandOf(rewriter, b);
    SmallVector<Value> operands;
    for (Value operand : op.getOperands())
      if (operand != a && operand != b)
        operands.push_back(operand);
    operands.push_back(build(rewriter, loc,
                             {tighter(one.left, other.left),
                              tighter(one.right, other.right), one.block}));
    rewriter.replaceOpWithNewOp<AndOp>(op, op.getType(), operands);
    return success();
  }
};

// causal & (window(inf, r) | window(l, inf)) -> a union of two bands
struct DistributeBands : OpRewritePattern<AndOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AndOp op,
                                PatternRewriter &rewriter) const override {
    for (auto [i, a] : llvm::enumerate(op.getOperands()))
      for (Value b : op.getOperands().drop_front(i + 1)) {
        size_t parts = countParts(a) * countParts(b);
        if (parts > 1 && parts <= maxParts)
          return distribute(op, rewriter, a, b);
      }
    return failure();
  }

  static LogicalResult distribute(AndOp op, PatternRewriter &rewriter, Value a,
                                  Value b) {
    SmallVector<Value> parts, operands;
    for (Value x : partsOf(a))
      for (Value y : partsOf(b))
        parts.push_back(AndOp::create(rewriter, op.getLoc(), op.getType(),
                                      ValueRange{x, y}));
    for (Value operand : op.getOperands())
      if (operand != a && operand != b)
        operands.push_back(operand);
    operands.push_back(
        OrOp::create(rewriter, op.getLoc(), op.getType(), parts));
    rewriter.replaceOpWithNewOp<AndOp>(op, op.getType(), operands);
    return success();
  }
};

// ~window(l, r) -> window(inf, -l - 1) | window(-r - 1, inf)
struct NotBand : OpRewritePattern<NotOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(NotOp op,
                                PatternRewriter &rewriter) const override {
    if (!isBand(op.getOperand()))
      return failure();
    Location loc = op.getLoc();
    Band band = bandOf(rewriter, op.getOperand());
    // -bound - 1, which cannot overflow as this.
    auto flip = [&](Value bound) -> Value {
      return rewriter.createOrFold<arith::XOrIOp>(loc, bound,
                                                  number(rewriter, loc, -1));
    };
    SmallVector<Value> parts;
    if (band.left)
      parts.push_back(
          build(rewriter, loc, {Value(), flip(band.left), band.block}));
    if (band.right)
      parts.push_back(
          build(rewriter, loc, {flip(band.right), Value(), band.block}));
    if (parts.size() == 1)
      rewriter.replaceOp(op, parts[0]);
    else if (parts.size() == 2)
      rewriter.replaceOpWithNewOp<OrOp>(op, op.getType(), parts);
    else // the complement of everything
      rewriter.replaceOpWithNewOp<ConstantOp>(op, op.getType(), false);
    return success();
  }
};

// causal | window(0, 3) -> window(inf, 3): offsets k - q in [-left, right] that
// overlap or touch, and bounds that are known.
struct MergeBands : OpRewritePattern<OrOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(OrOp op,
                                PatternRewriter &rewriter) const override {
    for (auto [i, a] : llvm::enumerate(op.getOperands()))
      for (Value b : op.getOperands().drop_front(i + 1))
        if (isBand(a) && isBand(b) && blockOf(a) == blockOf(b) &&
            succeeded(merge(op, rewriter, a, b)))
          return success();
    return failure();
  }

  /// A bound of a band as a number small enough to add.
  static std::optional<int64_t> known(Value bound) {
    if (!bound)
      return infiniteBound;
    APInt value;
    if (!matchPattern(bound, m_ConstantInt(&value)))
      return std::nullopt;
    return std::clamp(value.getSExtValue(), -infiniteBound, infiniteBound);
  }

  static LogicalResult merge(OrOp op, PatternRewriter &rewriter, Value a,
                             Value b) {
    Band one = bandOf(rewriter, a), other = bandOf(rewriter, b);
    std::optional<int64_t> left = known(one.left), right = known(one.right);
    std::optional<int64_t> otherLeft = known(other.left);
    std::optional<int64_t> otherRight = known(other.right);
    if (!left || !right || !otherLeft || !otherRight)
      return failure();
    // Empty ones fold by themselves.
    bool empty = *left + *right < 0 || *otherLeft + *otherRight < 0;
    bool apart = -*otherLeft > *right + 1 || -*left > *otherRight + 1;
    if (empty || apart)
      return failure();
    SmallVector<Value> operands;
    for (Value operand : op.getOperands())
      if (operand != a && operand != b)
        operands.push_back(operand);
    auto wider = [](Value x, int64_t xValue, Value y, int64_t yValue) {
      return xValue >= yValue ? x : y;
    };
    operands.push_back(
        build(rewriter, op.getLoc(),
              {wider(one.left, *left, other.left, *otherLeft),
               wider(one.right, *right, other.right, *otherRight), one.block}));
    rewriter.replaceOpWithNewOp<OrOp>(op, op.getType(), operands);
    return success();
  }
};

// window(l, 2^40) -> window(l, inf)
template <typename Window>
struct DropInfiniteBounds : OpRewritePattern<Window> {
  using OpRewritePattern<Window>::OpRewritePattern;
  LogicalResult matchAndRewrite(Window op,
                                PatternRewriter &rewriter) const override {
    auto infinite = [](Value bound) {
      APInt value;
      return bound && matchPattern(bound, m_ConstantInt(&value)) &&
             value.getSExtValue() >= infiniteBound;
    };
    if (!infinite(op.getLeft()) && !infinite(op.getRight()))
      return failure();
    rewriter.modifyOpInPlace(op, [&] {
      if (infinite(op.getLeft()))
        op.getLeftMutable().clear();
      if (infinite(op.getRight()))
        op.getRightMutable().clear();
    });
    return success();
  }
};

// a ^ b -> (a & ~b) | (~a & b), where that is a union of bands
struct XorBands : OpRewritePattern<XorOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(XorOp op,
                                PatternRewriter &rewriter) const override {
    if (!isBand(op.getLhs()) || !isBand(op.getRhs()))
      return failure();
    auto without = [&](Value a, Value b) -> Value {
      Value rest = NotOp::create(rewriter, op.getLoc(), op.getType(), b);
      return AndOp::create(rewriter, op.getLoc(), op.getType(),
                           ValueRange{a, rest});
    };
    Value left = without(op.getLhs(), op.getRhs());
    Value right = without(op.getRhs(), op.getLhs());
    rewriter.replaceOpWithNewOp<OrOp>(op, op.getType(),
                                      ValueRange{left, right});
    return success();
  }
};

} // namespace

void AttnDialect::getCanonicalizationPatterns(
    RewritePatternSet &patterns) const {
  patterns.add<IntersectBands, DistributeBands, NotBand, MergeBands, XorBands,
               DropInfiniteBounds<WindowOp>, DropInfiniteBounds<BlockWindowOp>>(
      patterns.getContext());
}
