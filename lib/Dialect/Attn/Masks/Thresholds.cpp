// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Masks made of thresholds on q or k alone: sink, queries, global, prefix (with
// the diagonal) and the constants.
#include "fovea/Dialect/Attn/Attn.h"

#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace fovea::attn;

//===----------------------------------------------------------------------===//
// all, none
//===----------------------------------------------------------------------===//

Value ConstantOp::keeps(Emit &emit, const ElementContext &, ValueRange) {
  return emit.i1(getValue());
}
Run ConstantOp::classify(Emit &emit, const TileContext &, ArrayRef<Run>) {
  Value value = emit.i1(getValue());
  return {value, value, emit.i32(endOfKeys)};
}
OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValueAttr(); }

//===----------------------------------------------------------------------===//
// sink(n): k < n
//===----------------------------------------------------------------------===//

Value SinkOp::keeps(Emit &emit, const ElementContext &at, ValueRange) {
  return emit.lt(at.key, at.uniforms.bound(getCount()));
}

Run SinkOp::classify(Emit &emit, const TileContext &tile, ArrayRef<Run>) {
  Value count = tile.uniforms.bound(getCount());
  Value keep = emit.lt(tile.key, count);
  return {keep, keep, nextBoundary(emit, tile.key, count)};
}

/// x < count folds where count lies at or below `low`, the least x, or at 2^30,
/// past every position.
static OpFoldResult foldBelow(Attribute count, int64_t low) {
  auto number = dyn_cast_or_null<IntegerAttr>(count);
  if (number && number.getInt() <= low)
    return BoolAttr::get(count.getContext(), false);
  if (number && number.getInt() >= endOfKeys)
    return BoolAttr::get(count.getContext(), true);
  return {};
}

// sink(n) with n <= 0 -> none
OpFoldResult SinkOp::fold(FoldAdaptor adaptor) {
  return foldBelow(adaptor.getCount(), 0);
}

//===----------------------------------------------------------------------===//
// queries below n: q < n
//===----------------------------------------------------------------------===//

Value QueriesOp::keeps(Emit &emit, const ElementContext &at, ValueRange) {
  return emit.lt(at.query, at.uniforms.bound(getCount()));
}

Run QueriesOp::classify(Emit &emit, const TileContext &tile, ArrayRef<Run>) {
  Value count = tile.uniforms.bound(getCount());
  return {emit.lt(tile.uniforms.firstQuery, count),
          emit.lt(tile.uniforms.lastQuery, count), emit.i32(endOfKeys)};
}

OpFoldResult QueriesOp::fold(FoldAdaptor adaptor) {
  return foldBelow(adaptor.getCount(), -endOfKeys);
}

//===----------------------------------------------------------------------===//
// global(n): q < n or k < n. A negative count is 0: unlike a key, a query may
// be negative.
//===----------------------------------------------------------------------===//

static Value globalCount(GlobalOp op, Emit &emit, Uniforms &uniforms) {
  return emit.max(uniforms.bound(op.getCount()), emit.i32(0));
}

Value GlobalOp::keeps(Emit &emit, const ElementContext &at, ValueRange) {
  Value count = globalCount(*this, emit, at.uniforms);
  return emit.ori(emit.lt(at.query, count), emit.lt(at.key, count));
}

Run GlobalOp::classify(Emit &emit, const TileContext &tile, ArrayRef<Run>) {
  Value count = globalCount(*this, emit, tile.uniforms);
  Value column = emit.lt(tile.key, count);
  return {emit.ori(column, emit.lt(tile.uniforms.firstQuery, count)),
          emit.ori(column, emit.lt(tile.uniforms.lastQuery, count)),
          nextBoundary(emit, tile.key, count)};
}

//===----------------------------------------------------------------------===//
// prefix(n): k < n or k <= q. The keys of query q are [.., max(n, q + 1)).
//===----------------------------------------------------------------------===//

Value PrefixOp::keeps(Emit &emit, const ElementContext &at, ValueRange) {
  return emit.ori(emit.lt(at.key, at.uniforms.bound(getCount())),
                  emit.le(at.key, at.query));
}

Run PrefixOp::classify(Emit &emit, const TileContext &tile, ArrayRef<Run>) {
  Value count = tile.uniforms.bound(getCount());
  Interval interval;
  interval.hiFirst = emit.max(count, emit.add(tile.uniforms.firstQuery, 1));
  interval.hiLast = emit.max(count, emit.add(tile.uniforms.lastQuery, 1));
  return classifyInterval(emit, tile.key, interval);
}

namespace {
// prefix(n) -> causal | sink(n), where an `and` can then take it apart
struct PrefixInAnd : OpRewritePattern<PrefixOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(PrefixOp op,
                                PatternRewriter &rewriter) const override {
    auto combined = [](Operation *user) { return isa<AndOp, NotOp>(user); };
    if (!llvm::any_of(op->getUsers(), combined))
      return failure();
    Value causal = CausalOp::create(rewriter, op.getLoc(), op.getType());
    Value sink =
        SinkOp::create(rewriter, op.getLoc(), op.getType(), op.getCount());
    rewriter.replaceOpWithNewOp<OrOp>(op, op.getType(),
                                      ValueRange{causal, sink});
    return success();
  }
};
} // namespace

void PrefixOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                           MLIRContext *context) {
  patterns.add<PrefixInAnd>(context);
}
