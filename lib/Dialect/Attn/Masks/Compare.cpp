// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A comparison of two integer expressions.
//
// Comparisons that are a band or a threshold in disguise, such as (q - k < w),
// become that atom, whose tiles are known exactly. A comparison without q and k
// is one bit a tile. Any other is evaluated for every pair.
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

Value CompareOp::keeps(Emit &emit, const ElementContext &at, ValueRange) {
  return emitCompare(emit, getPredicate(), at.integer(getLhs()),
                     at.integer(getRhs()));
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

/// An expression q * queries + k * keys, with coefficients -1, 0 or 1.
struct Linear {
  int queries = 0, keys = 0;
};

std::optional<Linear> asLinear(Value value) {
  if (auto variable = value.getDefiningOp<VariableOp>()) {
    if (variable.getVariable() == Variable::Q)
      return Linear{1, 0};
    if (variable.getVariable() == Variable::K)
      return Linear{0, 1};
    return std::nullopt;
  }
  if (auto sub = value.getDefiningOp<arith::SubIOp>()) {
    auto lhs = asLinear(sub.getLhs()), rhs = asLinear(sub.getRhs());
    if (!lhs || !rhs)
      return std::nullopt;
    Linear sum{lhs->queries - rhs->queries, lhs->keys - rhs->keys};
    if (std::abs(sum.queries) > 1 || std::abs(sum.keys) > 1)
      return std::nullopt;
    return sum;
  }
  return std::nullopt;
}

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

/// value + 1 or - 1 without passing the ends of 64 bits.
Value saturating(PatternRewriter &rewriter, Location loc, Value value, int by) {
  Emit emit(rewriter, loc);
  Value safe = by > 0 ? emit.min(value, emit.i64(INT64_MAX - 1))
                      : emit.max(value, emit.i64(INT64_MIN + 1));
  return emit.add(safe, by);
}

/// x <= bound as an atom, x = q - k, k - q, q or k; null for other x.
Value atMost(PatternRewriter &rewriter, CompareOp op, Linear x, Value bound) {
  Location loc = op.getLoc();
  Type mask = op.getType();
  if (x.queries == 1 && x.keys == -1)
    return WindowOp::create(rewriter, loc, mask, bound, Value());
  if (x.queries == -1 && x.keys == 1)
    return WindowOp::create(rewriter, loc, mask, Value(), bound);
  Value count = saturating(rewriter, loc, bound, 1);
  if (x.queries == 1 && x.keys == 0)
    return QueriesOp::create(rewriter, loc, mask, count);
  return SinkOp::create(rewriter, loc, mask, count);
}

/// Positions compared with something that is not linear in them and has none:
///   q - k < w -> window(w - 1, inf);  k >= n -> ~sink(n);  q == n -> and of
///   two.
struct CompareToAtom : OpRewritePattern<CompareOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(CompareOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<Linear> x = asLinear(op.getLhs());
    std::optional<Linear> y = asLinear(op.getRhs());
    Value bound; // null: zero
    Predicate predicate = op.getPredicate();
    if (x && y) { // q < k is q - k < 0
      *x = {x->queries - y->queries, x->keys - y->keys};
    } else if (x && !readsPosition(op.getRhs())) {
      bound = op.getRhs();
    } else if (y && !readsPosition(op.getLhs())) {
      x = y;
      bound = op.getLhs();
      predicate = swapped(predicate);
    } else {
      return failure();
    }
    // -q <= n and q + k <= n have no atom.
    bool band = x->queries * x->keys == -1;
    bool threshold = x->queries + x->keys == 1 && x->queries * x->keys == 0;
    if (!band && !threshold)
      return failure();
    Value rhs = bound
                    ? bound
                    : arith::ConstantIntOp::create(rewriter, op.getLoc(), 0, 64)
                          .getResult();
    return rewrite(op, rewriter, predicate, *x, rhs);
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

} // namespace

void CompareOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                            MLIRContext *context) {
  patterns.add<CompareToAtom>(context);
}
