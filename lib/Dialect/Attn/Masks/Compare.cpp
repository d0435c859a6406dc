// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A comparison of two integer expressions.
//
// Comparisons that are a band or a threshold in disguise, such as (q - k < w),
// become that atom, whose tiles are known exactly. A comparison without q and k
// is one bit a tile. Any other is evaluated for every pair.
#include "Linear.h"

#include "fovea/Dialect/Attn/Attn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace fovea::attn;

static Value emitCompare(Emit &emit, Predicate predicate, Value a, Value b) {
  switch (predicate) {
  case Predicate::EQ:
    return emit.eq(a, b);
  case Predicate::NE:
    return emit.noti(emit.eq(a, b));
  case Predicate::LT:
    return emit.lt(a, b);
  case Predicate::LE:
    return emit.le(a, b);
  case Predicate::GT:
    return emit.lt(b, a);
  case Predicate::GE:
    return emit.le(b, a);
  }
  llvm_unreachable("all predicates are handled");
}

/// An i64 that was extended from an i32, or a number that fits, as i32.
static Value asNarrow(Emit &emit, Value value) {
  if (auto extension = value.getDefiningOp<arith::ExtSIOp>())
    if (extension.getIn().getType().isInteger(32))
      return extension.getIn();
  APInt number;
  if (matchPattern(value, m_ConstantInt(&number)) && number.isSignedIntN(32))
    return emit.i32(number.getSExtValue());
  return Value();
}

Value CompareOp::keeps(Emit &emit, const ElementContext &at, ValueRange) {
  Value lhs = at.integer(getLhs()), rhs = at.integer(getRhs());
  // Vectors of i64 are slow on every target.
  Value left = asNarrow(emit, lhs), right = asNarrow(emit, rhs);
  if (left && right)
    return emitCompare(emit, getPredicate(), left, right);
  return emitCompare(emit, getPredicate(), lhs, rhs);
}

Run CompareOp::classify(Emit &emit, const TileContext &tile, ArrayRef<Run>) {
  Value end = emit.i32(endOfKeys);
  if (readsPosition(getLhs()) || readsPosition(getRhs()))
    return {emit.i1(true), emit.i1(false), end};
  Value holds =
      emitCompare(emit, getPredicate(), tile.uniforms.integer(getLhs()),
                  tile.uniforms.integer(getRhs()));
  return {holds, holds, end};
}

namespace {

Predicate swapped(Predicate predicate) {
  switch (predicate) {
  case Predicate::LT:
    return Predicate::GT;
  case Predicate::LE:
    return Predicate::GE;
  case Predicate::GT:
    return Predicate::LT;
  case Predicate::GE:
    return Predicate::LE;
  default:
    return predicate;
  }
}

/// value + by without passing the ends of 64 bits.
Value saturating(PatternRewriter &rewriter, Location loc, Value value,
                 int64_t by) {
  if (by == 0)
    return value;
  Emit emit(rewriter, loc);
  Value safe = by > 0 ? emit.min(value, emit.i64(INT64_MAX - by))
                      : emit.max(value, emit.i64(INT64_MIN - by));
  return emit.add(safe, by);
}

/// -value, or the largest number where that does not exist.
Value negated(PatternRewriter &rewriter, Location loc, Value value) {
  Emit emit(rewriter, loc);
  return emit.sub(emit.i64(0), emit.max(value, emit.i64(INT64_MIN + 1)));
}

/// x <= bound as an atom, x = q - k, k - q, q or k, of positions or of blocks;
/// x.constant is already part of the bound.
Value atMost(PatternRewriter &rewriter, CompareOp op, Linear x, Value bound) {
  Location loc = op.getLoc();
  Type mask = op.getType();
  if (x.isBand()) {
    Value left = x.queries == 1 || x.absolute ? bound : Value();
    Value right = x.keys == 1 || x.absolute ? bound : Value();
    if (x.block != 1)
      return BlockWindowOp::create(rewriter, loc, mask, left, right, x.block);
    return WindowOp::create(rewriter, loc, mask, left, right);
  }
  // floor(q / B) <= n is q < (n + 1) B, and n beyond 2^30 is as good as 2^30.
  Value count = saturating(rewriter, loc, bound, 1);
  if (x.block != 1) {
    Emit emit(rewriter, loc);
    Value small =
        emit.min(emit.max(count, emit.i64(-endOfKeys)), emit.i64(endOfKeys));
    count = emit.mul(small, emit.i64(x.block));
  }
  if (x.queries == 1)
    return QueriesOp::create(rewriter, loc, mask, count);
  return SinkOp::create(rewriter, loc, mask, count);
}

/// Positions, or blocks of positions, compared with something that is uniform:
///   q - k < w -> window(w - 1, inf);  k >= n -> ~sink(n);  q == n -> and of
///   two;  q / 64 == k / 64 -> block_window(0, 0, block = 64);
///   abs(q - k) <= w -> window(w, w).
struct CompareToAtom : OpRewritePattern<CompareOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(CompareOp op,
                                PatternRewriter &rewriter) const override {
    Value bound; // null: zero
    Predicate predicate = op.getPredicate();
    std::optional<Linear> x = difference(op.getLhs(), op.getRhs());
    if (!x && !readsPosition(op.getRhs())) {
      x = asLinear(op.getLhs());
      bound = op.getRhs();
    } else if (!x && !readsPosition(op.getLhs())) {
      x = asLinear(op.getRhs());
      bound = op.getLhs();
      predicate = swapped(predicate);
    }
    if (!x)
      return failure();
    // 4 < q is -q + 4 < 0, which is q - 4 > 0.
    if (x->queries + x->keys == -1) {
      *x = {-x->queries, -x->keys, -x->constant, x->block};
      predicate = swapped(predicate);
      bound = bound ? negated(rewriter, op.getLoc(), bound) : bound;
    }
    if (!x->isBand() && !x->isPosition()) // q + k <= n has no atom
      return failure();
    if (!bound)
      bound = arith::ConstantIntOp::create(rewriter, op.getLoc(), 0, 64);
    bound = saturating(rewriter, op.getLoc(), bound, -x->constant);
    return rewrite(op, rewriter, predicate, *x, bound);
  }

  static LogicalResult rewrite(CompareOp op, PatternRewriter &rewriter,
                               Predicate predicate, Linear x, Value bound) {
    Location loc = op.getLoc();
    Type mask = op.getType();
    auto le = [&] { return atMost(rewriter, op, x, bound); };
    auto lt = [&] {
      return atMost(rewriter, op, x, saturating(rewriter, loc, bound, -1));
    };
    auto invert = [&](Value m) -> Value {
      return NotOp::create(rewriter, loc, mask, m);
    };
    switch (predicate) {
    case Predicate::LE:
      rewriter.replaceOp(op, le());
      break;
    case Predicate::LT:
      rewriter.replaceOp(op, lt());
      break;
    case Predicate::GT:
      rewriter.replaceOp(op, invert(le()));
      break;
    case Predicate::GE:
      rewriter.replaceOp(op, invert(lt()));
      break;
    case Predicate::EQ:
    case Predicate::NE: {
      Value equal =
          AndOp::create(rewriter, loc, mask, ValueRange{le(), invert(lt())});
      rewriter.replaceOp(op,
                         predicate == Predicate::EQ ? equal : invert(equal));
      break;
    }
    }
    return success();
  }
};

// (q - k) % 4 == 0 -> dilated(inf, inf, 4)
struct CompareToDilated : OpRewritePattern<CompareOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(CompareOp op,
                                PatternRewriter &rewriter) const override {
    bool equal = op.getPredicate() == Predicate::EQ;
    if (!equal && op.getPredicate() != Predicate::NE)
      return failure();
    Value lhs = op.getLhs(), rhs = op.getRhs();
    if (matchPattern(lhs, m_Zero()))
      std::swap(lhs, rhs);
    auto rest = lhs.getDefiningOp<FloorModOp>();
    APInt step;
    if (!rest || !matchPattern(rhs, m_Zero()) ||
        !matchPattern(rest.getRhs(), m_ConstantInt(&step)) ||
        step.getSExtValue() < 1)
      return failure();
    std::optional<Linear> distance = asLinear(rest.getLhs());
    if (!distance || !distance->isBand() || distance->block != 1 ||
        distance->constant != 0)
      return failure();
    Value diagonals = DilatedOp::create(rewriter, op.getLoc(), op.getType(),
                                        Value(), Value(), rest.getRhs());
    if (!equal)
      diagonals = NotOp::create(rewriter, op.getLoc(), op.getType(), diagonals);
    rewriter.replaceOp(op, diagonals);
    return success();
  }
};

} // namespace

void CompareOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                            MLIRContext *context) {
  patterns.add<CompareToAtom, CompareToDilated>(context);
}
