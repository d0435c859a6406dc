// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// dilated(left, right, step): a window of which every step-th diagonal is kept.
//
// Rows first..last keep key t through the step exactly if one of them is
// congruent to t: if r = (last - t) mod step is at most last - first. As t
// grows by one, r falls by one, so the next change is known: from r kept keys
// follow, or r - (last - first) dropped ones. With the band's run that
// classifies every key, and exactly so if left and right are multiples of step
// (they may be rounded down to one): where a row congruent to t lies beyond
// t + left, the row t + left is congruent too, and among the rows if any row of
// the band is.
#include "fovea/Dialect/Attn/Attn.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace fovea::attn;

namespace {

/// (a mod step) for an i32 position and a step of at least 1, in 32 bits: a is
/// above -2^30, so a larger step can be taken as 2^30 - 1 only if the result
/// stays right; it does, because then |a| < step and only 0 is divisible.
Value floorModStep(Emit &emit, Value a, Value step) {
  Value rest = emit.builder.createOrFold<arith::RemSIOp>(emit.loc, a, step);
  Value negative = emit.lt(rest, emit.i32(0));
  return emit.select(negative, emit.add(rest, step), rest);
}

/// A bound rounded down to a multiple of step; one below -2^30 keeps nothing
/// either way.
Value roundDown(Emit &emit, Value bound, Value step) {
  Value rounded = emit.sub(bound, floorModStep(emit, bound, step));
  return emit.max(rounded, emit.i32(-endOfKeys));
}

} // namespace

Value DilatedOp::keeps(Emit &emit, const ElementContext &at, ValueRange) {
  Value distance = emit.sub(at.query, at.key);
  Value step = at.uniforms.bound(getStep());
  Value rest =
      emit.builder.createOrFold<arith::RemSIOp>(emit.loc, distance, step);
  Value keep = emit.eq(rest, emit.i32(0));
  if (getLeft())
    keep = emit.andi(keep, emit.le(distance, at.uniforms.bound(getLeft())));
  if (getRight())
    keep = emit.andi(keep, emit.le(emit.sub(at.key, at.query),
                                   at.uniforms.bound(getRight())));
  return keep;
}

Run DilatedOp::classify(Emit &emit, const TileContext &tile, ArrayRef<Run>) {
  Uniforms &u = tile.uniforms;
  Value step = u.bound(getStep());
  ArrayRef<Value> bounds = u.once(*this, [&](Emit &outside) {
    SmallVector<Value> rounded;
    for (Value bound : {getLeft(), getRight()})
      rounded.push_back(bound ? roundDown(outside, u.bound(bound), step)
                              : Value());
    return rounded;
  });
  Run band = classifyBand(emit, tile, bounds[0], bounds[1]);

  Value span = emit.sub(u.lastQuery, u.firstQuery);
  Value rest = floorModStep(emit, emit.sub(u.lastQuery, tile.key), step);
  Value hit = emit.le(rest, span);
  // Every residue is hit when the rows span a whole step.
  Value always = emit.le(emit.add(step, -1), span);
  Value change = emit.add(
      tile.key, emit.select(hit, emit.add(rest, 1), emit.sub(rest, span)));
  Value until = emit.select(always, band.until, emit.min(band.until, change));
  Value every = emit.eq(step, emit.i32(1));
  Value single = emit.andi(emit.eq(span, emit.i32(0)), hit);
  return {emit.andi(band.any, hit),
          emit.andi(band.all, emit.ori(every, single)), until};
}

LogicalResult DilatedOp::verify() {
  APInt step;
  if (matchPattern(getStep(), m_ConstantInt(&step)) && step.getSExtValue() < 1)
    return emitOpError("expected a step of at least 1, but got ")
           << step.getSExtValue();
  return success();
}

namespace {
// dilated(l, r, 1) -> window(l, r)
struct DilatedByOne : OpRewritePattern<DilatedOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(DilatedOp op,
                                PatternRewriter &rewriter) const override {
    if (!matchPattern(op.getStep(), m_One()))
      return failure();
    rewriter.replaceOpWithNewOp<WindowOp>(op, op.getType(), op.getLeft(),
                                          op.getRight());
    return success();
  }
};
} // namespace

void DilatedOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                            MLIRContext *context) {
  patterns.add<DilatedByOne>(context);
}
