// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// window(left, right): q - left <= k <= q + right, a band around the diagonal.
// The keys of query q are [q - left, q + right + 1).
//
// Bands are closed under intersection, and the complement of a band is two
// bands; with that algebra (here, and `and` in Logic.cpp) `causal & ~window(w)`
// becomes one band, whose tiles are found exactly.
#include "fovea/Dialect/Attn/Attn.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace fovea::attn;

Value WindowOp::keeps(Emit &emit, const ElementContext &at, ValueRange) {
  Value distance = emit.sub(at.query, at.key);
  Value keep = emit.i1(true);
  if (getLeft())
    keep = emit.andi(keep, emit.le(distance, at.uniforms.bound(getLeft())));
  if (getRight()) {
    Value behind = emit.sub(at.key, at.query);
    keep = emit.andi(keep, emit.le(behind, at.uniforms.bound(getRight())));
  }
  return keep;
}

Run WindowOp::classify(Emit &emit, const TileContext &tile, ArrayRef<Run>) {
  Uniforms &u = tile.uniforms;
  return classifyBand(emit, tile, getLeft() ? u.bound(getLeft()) : Value(),
                      getRight() ? u.bound(getRight()) : Value());
}

// window(inf, inf) -> all; window(l, r) with l + r < 0 -> none
OpFoldResult WindowOp::fold(FoldAdaptor adaptor) {
  return foldBand(getContext(), getLeft(), getRight(), adaptor.getLeft(),
                  adaptor.getRight());
}

namespace {
// window(inf, 0) -> causal
struct WindowToCausal : OpRewritePattern<WindowOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(WindowOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getLeft() || !op.getRight() ||
        !matchPattern(op.getRight(), m_Zero()))
      return failure();
    rewriter.replaceOpWithNewOp<CausalOp>(op, op.getType());
    return success();
  }
};
} // namespace

void WindowOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                           MLIRContext *context) {
  patterns.add<WindowToCausal>(context);
}
