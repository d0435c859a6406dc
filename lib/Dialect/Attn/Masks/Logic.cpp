// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// not, and, or, xor.
//
// Classes of runs compose by Kleene's logic (MaskContext.h), which is exact for
// a run unless two partial operands hide a relation between them. The canonical
// form removes the relations that patterns really have: `not` is pushed to the
// atoms here, and Bands.cpp computes with bands.
#include "fovea/Dialect/Attn/Attn.h"

#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace fovea::attn;

//===----------------------------------------------------------------------===//
// The two questions
//===----------------------------------------------------------------------===//

Value NotOp::keeps(Emit &emit, const ElementContext &, ValueRange masks) {
  return emit.noti(masks[0]);
}
Run NotOp::classify(Emit &emit, const TileContext &, ArrayRef<Run> masks) {
  return {emit.noti(masks[0].all), emit.noti(masks[0].any), masks[0].until};
}

/// Emit::andi or Emit::ori.
using Connective = Value (Emit::*)(Value, Value);

static Value joinKeeps(Emit &emit, Connective join, ValueRange masks) {
  Value keep = masks.front();
  for (Value mask : masks.drop_front())
    keep = (emit.*join)(keep, mask);
  return keep;
}
static Run joinRuns(Emit &emit, Connective join, ArrayRef<Run> masks) {
  Run run = masks.front();
  for (const Run &mask : masks.drop_front())
    run = {(emit.*join)(run.any, mask.any), (emit.*join)(run.all, mask.all),
           emit.min(run.until, mask.until)};
  return run;
}

Value AndOp::keeps(Emit &emit, const ElementContext &, ValueRange masks) {
  return joinKeeps(emit, &Emit::andi, masks);
}
Run AndOp::classify(Emit &emit, const TileContext &, ArrayRef<Run> masks) {
  return joinRuns(emit, &Emit::andi, masks);
}

Value OrOp::keeps(Emit &emit, const ElementContext &, ValueRange masks) {
  return joinKeeps(emit, &Emit::ori, masks);
}
Run OrOp::classify(Emit &emit, const TileContext &, ArrayRef<Run> masks) {
  return joinRuns(emit, &Emit::ori, masks);
}

Value XorOp::keeps(Emit &emit, const ElementContext &, ValueRange masks) {
  return emit.xori(masks[0], masks[1]);
}
Run XorOp::classify(Emit &emit, const TileContext &, ArrayRef<Run> masks) {
  const Run &a = masks[0], &b = masks[1];
  // Nothing is left where both are full or both empty; all where they are
  // opposite.
  Value bothFull = emit.andi(a.all, b.all);
  Value bothEmpty = emit.noti(emit.ori(a.any, b.any));
  Value onlyA = emit.andi(a.all, emit.noti(b.any));
  Value onlyB = emit.andi(b.all, emit.noti(a.any));
  return {emit.noti(emit.ori(bothFull, bothEmpty)), emit.ori(onlyA, onlyB),
          emit.min(a.until, b.until)};
}

//===----------------------------------------------------------------------===//
// Folding
//===----------------------------------------------------------------------===//

static std::optional<bool> asConstant(Value mask) {
  if (auto constant = mask.getDefiningOp<ConstantOp>())
    return constant.getValue();
  return std::nullopt;
}

// ~~m -> m; ~all -> none
OpFoldResult NotOp::fold(FoldAdaptor) {
  if (auto inner = getOperand().getDefiningOp<NotOp>())
    return inner.getOperand();
  if (std::optional<bool> constant = asConstant(getOperand()))
    return BoolAttr::get(getContext(), !*constant);
  return {};
}

/// Shared by and (`neutral` true) and or (false):
/// m & none -> none; m & ~m -> none; and(m) -> m; and() -> all
static OpFoldResult foldChain(Operation *op, bool neutral) {
  auto constant = [&](bool value) {
    return BoolAttr::get(op->getContext(), value);
  };
  for (Value operand : op->getOperands()) {
    if (asConstant(operand) == !neutral)
      return constant(!neutral);
    if (auto inverse = operand.getDefiningOp<NotOp>())
      if (llvm::is_contained(op->getOperands(), inverse.getOperand()))
        return constant(!neutral);
  }
  if (op->getNumOperands() == 1)
    return op->getOperand(0);
  if (op->getNumOperands() == 0)
    return constant(neutral);
  return {};
}
OpFoldResult AndOp::fold(FoldAdaptor) { return foldChain(*this, true); }
OpFoldResult OrOp::fold(FoldAdaptor) { return foldChain(*this, false); }

// m ^ m -> none; m ^ none -> m
OpFoldResult XorOp::fold(FoldAdaptor) {
  if (getLhs() == getRhs())
    return BoolAttr::get(getContext(), false);
  if (asConstant(getRhs()) == false)
    return getLhs();
  if (asConstant(getLhs()) == false)
    return getRhs();
  return {};
}

LogicalResult AndOp::verify() {
  if (getOperands().empty())
    return emitOpError("expected at least one mask");
  return success();
}
LogicalResult OrOp::verify() {
  if (getOperands().empty())
    return emitOpError("expected at least one mask");
  return success();
}

//===----------------------------------------------------------------------===//
// Canonicalization
//===----------------------------------------------------------------------===//

namespace {

// Operands in order, without repetition, neutral elements, nesting and whatever
// another operand absorbs: a & (b & a) & all -> a & b; a & (a | b) -> a
template <typename Op, typename Dual, bool neutral>
struct SimplifyChain : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;
  LogicalResult matchAndRewrite(Op op,
                                PatternRewriter &rewriter) const override {
    llvm::SetVector<Value> kept;
    for (Value operand : op.getOperands()) {
      if (asConstant(operand) == neutral)
        continue;
      if (auto nested = operand.getDefiningOp<Op>())
        kept.insert_range(nested.getOperands());
      else
        kept.insert(operand);
    }
    SmallVector<Value> operands;
    for (Value operand : kept) {
      auto dual = operand.getDefiningOp<Dual>();
      bool absorbed =
          dual && llvm::any_of(dual.getOperands(), [&](Value inner) {
            return kept.contains(inner);
          });
      if (!absorbed)
        operands.push_back(operand);
    }
    if (llvm::equal(operands, op.getOperands()))
      return failure();
    if (operands.empty())
      rewriter.replaceOpWithNewOp<ConstantOp>(op, op.getType(), neutral);
    else
      rewriter.replaceOpWithNewOp<Op>(op, op.getType(), operands);
    return success();
  }
};

// ~(a | b) -> ~a & ~b; ~(a & b) -> ~a | ~b; ~(a ^ b) -> ~a ^ b
struct PushNot : OpRewritePattern<NotOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(NotOp op,
                                PatternRewriter &rewriter) const override {
    Operation *inner = op.getOperand().getDefiningOp();
    if (!isa_and_nonnull<AndOp, OrOp, XorOp>(inner))
      return failure();
    auto invert = [&](Value mask) -> Value {
      return NotOp::create(rewriter, op.getLoc(), op.getType(), mask);
    };
    if (auto exclusive = dyn_cast<XorOp>(inner)) {
      rewriter.replaceOpWithNewOp<XorOp>(
          op, op.getType(), invert(exclusive.getLhs()), exclusive.getRhs());
      return success();
    }
    SmallVector<Value> inverted =
        llvm::map_to_vector(inner->getOperands(), invert);
    if (isa<AndOp>(inner))
      rewriter.replaceOpWithNewOp<OrOp>(op, op.getType(), inverted);
    else
      rewriter.replaceOpWithNewOp<AndOp>(op, op.getType(), inverted);
    return success();
  }
};

// m ^ all -> ~m
struct XorAll : OpRewritePattern<XorOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(XorOp op,
                                PatternRewriter &rewriter) const override {
    bool right = asConstant(op.getRhs()) == true;
    if (!right && asConstant(op.getLhs()) != true)
      return failure();
    rewriter.replaceOpWithNewOp<NotOp>(op, op.getType(),
                                       right ? op.getLhs() : op.getRhs());
    return success();
  }
};

} // namespace

void AndOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                        MLIRContext *context) {
  patterns.add<SimplifyChain<AndOp, OrOp, true>>(context);
}
void OrOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                       MLIRContext *context) {
  patterns.add<SimplifyChain<OrOp, AndOp, false>>(context);
}
void NotOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                        MLIRContext *context) {
  patterns.add<PushNot>(context);
}
void XorOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                        MLIRContext *context) {
  patterns.add<XorAll>(context);
}
