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

/// Replaces a comparison with a bound by masks for "at most" it and "less".
void replaceByBounds(PatternRewriter &rewriter, CompareOp op,
                     Predicate predicate,
                     llvm::function_ref<Value(bool less)> below) {
  auto invert = [&](Value mask) -> Value {
    return NotOp::create(rewriter, op.getLoc(), op.getType(), mask);
  };
  Value result;
  switch (predicate) {
  case Predicate::LE:
  case Predicate::LT:
    result = below(predicate == Predicate::LT);
    break;
  case Predicate::GT:
  case Predicate::GE:
    result = invert(below(predicate == Predicate::GE));
    break;
  case Predicate::EQ:
  case Predicate::NE:
    result = AndOp::create(rewriter, op.getLoc(), op.getType(),
                           ValueRange{below(false), invert(below(true))});
    if (predicate == Predicate::NE)
      result = invert(result);
    break;
  }
  rewriter.replaceOp(op, result);
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
    replaceByBounds(rewriter, op, predicate, [&](bool less) {
      Value most = less ? saturating(rewriter, op.getLoc(), bound, -1) : bound;
      return atMost(rewriter, op, *x, most);
    });
    return success();
  }
};

// k <= q + w -> window(inf, w), and the same with q and k exchanged, for a w
// that is known at run time only: q + w may wrap. If w is not negative, then
// for q above MAX - w, and the sum is below every key; otherwise for q below
// MIN - w, and it is above every key.
struct CompareShifted : OpRewritePattern<CompareOp> {
  using OpRewritePattern::OpRewritePattern;

  static std::optional<Variable> position(Value value) {
    auto variable = value.getDefiningOp<VariableOp>();
    if (!variable || !readsPosition(value))
      return std::nullopt;
    return variable.getVariable();
  }

  LogicalResult matchAndRewrite(CompareOp op,
                                PatternRewriter &rewriter) const override {
    Value plain = op.getLhs(), moved = op.getRhs();
    Predicate predicate = op.getPredicate();
    if (!position(plain)) {
      std::swap(plain, moved);
      predicate = swapped(predicate);
    }
    Operation *sum = moved.getDefiningOp();
    if (!position(plain) || !isa_and_nonnull<arith::AddIOp, arith::SubIOp>(sum))
      return failure();
    Value base = sum->getOperand(0), shift = sum->getOperand(1);
    if (isa<arith::AddIOp>(sum) && !position(base))
      std::swap(base, shift);
    if (!position(base) || position(base) == position(plain) ||
        readsPosition(shift))
      return failure();
    Emit emit(rewriter, op.getLoc());
    if (isa<arith::SubIOp>(sum))
      shift = emit.sub(emit.i64(0), shift); // wraps as the whole does
    replaceByBounds(rewriter, op, predicate, [&](bool less) {
      return atMost(rewriter, op, *position(base), shift, less);
    });
    return success();
  }

  /// plain <= base + shift, or with `less` the same with <.
  static Value atMost(PatternRewriter &rewriter, CompareOp op, Variable base,
                      Value shift, bool less) {
    Location loc = op.getLoc();
    Type mask = op.getType();
    Emit emit(rewriter, loc);
    Value bound = less ? saturating(rewriter, loc, shift, -1) : shift;
    Value zero = emit.i64(0);
    Value room = emit.sub(emit.i64(INT64_MAX), emit.max(shift, zero));
    Value high = saturating(rewriter, loc, room, 1);
    Value low = emit.sub(emit.i64(INT64_MIN), emit.min(shift, zero));
    auto below = [&](Value count) -> Value {
      if (base == Variable::Q)
        return QueriesOp::create(rewriter, loc, mask, count);
      return SinkOp::create(rewriter, loc, mask, count);
    };
    bool left = base == Variable::K;
    Value band = WindowOp::create(rewriter, loc, mask, left ? bound : Value(),
                                  left ? Value() : bound);
    Value exact =
        AndOp::create(rewriter, loc, mask, ValueRange{band, below(high)});
    return OrOp::create(rewriter, loc, mask, ValueRange{exact, below(low)});
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
  patterns.add<CompareToAtom, CompareShifted, CompareToDilated>(context);
}
