// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// block_window(left, right, block = B): a window of blocks of positions. It is
// written as a comparison: (q / B == k / B) is block-diagonal attention, (q / B
// >= k / B) is causal by blocks.
//
// With c = floor(q / B) the keys of query q are
//   [(c - left) B, (c + right + 1) B).
// The next query has the same, or, at the end of a block, all of it moved by B,
// which meets or touches the last: runs are exact. No key is divided: a pair is
// decided by comparing its key with the two ends, which depend on the row
// alone.
#include "fovea/Dialect/Attn/Attn.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace fovea::attn;

namespace {

/// The interval of keys of one query; null is infinite.
class Ends {
public:
  Ends(BlockWindowOp op, Emit &emit, Uniforms &uniforms)
      : op(op), emit(emit), uniforms(uniforms),
        block(std::min<int64_t>(op.getBlock(), endOfKeys)) {}

  Value low(Value query) {
    if (!op.getLeft())
      return Value();
    Value left = uniforms.bound(op.getLeft());
    return start(emit.sub(emit.floorDiv(query, block), left));
  }
  Value high(Value query) {
    if (!op.getRight())
      return Value();
    Value past = emit.add(uniforms.bound(op.getRight()), 1);
    return start(emit.add(emit.floorDiv(query, block), past));
  }

  Value notEmpty() {
    if (!op.getLeft() || !op.getRight())
      return Value();
    return bandNotEmpty(emit, uniforms.bound(op.getLeft()),
                        uniforms.bound(op.getRight()));
  }

private:
  /// The first key of a block. Blocks before the first key or after the last
  /// may be taken for those at the ends, so that the product fits.
  Value start(Value index) {
    Value last = emit.i32((endOfKeys + block - 1) / block);
    Value clamped = emit.min(emit.max(index, emit.i32(0)), last);
    return emit.mul(clamped, emit.i32(block));
  }

  BlockWindowOp op;
  Emit &emit;
  Uniforms &uniforms;
  int64_t block;
};

} // namespace

Value BlockWindowOp::keeps(Emit &emit, const ElementContext &at, ValueRange) {
  Ends ends(*this, emit, at.uniforms);
  Value keep = emit.i1(true);
  if (Value low = ends.low(at.query))
    keep = emit.andi(keep, emit.le(low, at.key));
  if (Value high = ends.high(at.query))
    keep = emit.andi(keep, emit.lt(at.key, high));
  return keep;
}

Run BlockWindowOp::classify(Emit &emit, const TileContext &tile,
                            ArrayRef<Run>) {
  Ends ends(*this, emit, tile.uniforms);
  Value first = tile.uniforms.firstQuery, last = tile.uniforms.lastQuery;
  return classifyInterval(emit, tile.key,
                          {ends.low(first), ends.low(last), ends.high(first),
                           ends.high(last), ends.notEmpty()});
}

LogicalResult BlockWindowOp::verify() {
  int64_t block = getBlock(); // the accessor gives an unsigned word
  if (block < 1)
    return emitOpError("expected a block of at least 1, but got ") << block;
  return success();
}

OpFoldResult BlockWindowOp::fold(FoldAdaptor adaptor) {
  return foldBand(getContext(), getLeft(), getRight(), adaptor.getLeft(),
                  adaptor.getRight());
}

namespace {
// block_window(l, r, block = 1) -> window(l, r)
struct BlockOfOne : OpRewritePattern<BlockWindowOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BlockWindowOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getBlock() != 1)
      return failure();
    rewriter.replaceOpWithNewOp<WindowOp>(op, op.getType(), op.getLeft(),
                                          op.getRight());
    return success();
  }
};
} // namespace

void BlockWindowOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                                MLIRContext *context) {
  patterns.add<BlockOfOne>(context);
}
