// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The online softmax as arithmetic on tiles, with a lazy reference.
//
// The recurrence in TileOps.td keeps the exact maximum m and multiplies the sum
// and the output by exp2(m - m') in every tile, which is most of its cost. Yet
// m is only a reference: for any m, with
//     p = exp2(x - m),  l = sum p,  o = sum p v,
// O = o / l and LSE = m + log2 l hold. It need only be near the maximum, so
// that nothing overflows or vanishes. So m moves only when a score lies more
// than `slack` above it; exp2(x - m) <= 2^8 suits f16 as well. Source: the lazy
// rescaling of FlashAttention-4. m starts at minus infinity, which every score
// exceeds; rows that have seen none use 0 in its place, so that p = 0, not NaN.
//
//   %x = tile.map %s { score }   (unless the score is a pure scale c)
//   %x', %v' = scf.if %masked { tile.mask %x, %v { keep } } else { %x, %v }
//   %moved = tile.exceeds %x' scaled c, %m by slack
//   %m', %la, %oa = scf.if %moved { m' = max(m, c max x'), l a, o a }
//                   else { m, l, o }
//   %p = tile.map %x', %m' { exp2(fma(x, c, -m')) }
//   %l' = tile.row_sum %p, %la
#include "fovea/Dialect/Tile/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/IRMapping.h"

#include <limits>

namespace fovea::tile {
#define GEN_PASS_DEF_EXPANDSOFTMAXPASS
#include "fovea/Dialect/Tile/Transforms/Passes.h.inc"
} // namespace fovea::tile

using namespace mlir;
using namespace fovea::tile;

namespace {

using ElementBuilder = function_ref<Value(OpBuilder &, ValueRange)>;

/// Builds the parts of one expansion, in front of `op`.
class Expansion {
public:
  Expansion(OnlineSoftmaxOp op, KeysOp keys, float slack)
      : op(op), keys(keys), slack(slack), b(op), loc(op.getLoc()) {}

  void run();

private:
  OnlineSoftmaxOp op;
  KeysOp keys;
  float slack;
  OpBuilder b;
  Location loc;
  Value scale; ///< the factor still to be applied to the scores, or null

  Value f32(OpBuilder &builder, float value) {
    return arith::ConstantOp::create(builder, loc,
                                     builder.getF32FloatAttr(value));
  }
  Value map(ValueRange inputs, TileType type, ElementBuilder element);
  Value referenceOf(OpBuilder &builder, Value max);
  Value applyScore();
  std::pair<Value, Value> applyMask(Value scores, Value values);
  SmallVector<RescaleOp> rescalesToGuard();
  SmallVector<Value> moveReference(Value scores, ArrayRef<RescaleOp> rescales);
  Value probabilities(Value scores, Value max);
};

} // namespace

/// tile.map of `inputs`, whose region `element` fills.
Value Expansion::map(ValueRange inputs, TileType type, ElementBuilder element) {
  auto map = MapOp::create(b, loc, type, inputs, Value(), Value());
  OpBuilder::InsertionGuard guard(b);
  Block *block = b.createBlock(&map.getBody());
  for (Value input : inputs)
    block->addArgument(cast<TileType>(input.getType()).getElementType(), loc);
  YieldOp::create(b, loc, element(b, block->getArguments()));
  return map;
}

/// What is subtracted for a row whose maximum is `max`: 0 while it is
/// -infinity.
Value Expansion::referenceOf(OpBuilder &builder, Value max) {
  Value none = f32(builder, -std::numeric_limits<float>::infinity());
  Value empty =
      arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OEQ, max, none);
  return arith::SelectOp::create(builder, loc, empty, f32(builder, 0), max);
}

Value Expansion::applyScore() {
  if ((scale = op.getPureScale())) {
    if (scale.getParentRegion() == &op.getScore())
      scale = b.clone(*scale.getDefiningOp())->getResult(0);
    return op.getScores();
  }
  auto map = MapOp::create(b, loc, op.getScores().getType(), op.getScores(),
                           op.getFirstQuery(), op.getFirstKey());
  map.getBody().takeBody(op.getScore());
  return map;
}

std::pair<Value, Value> Expansion::applyMask(Value scores, Value values) {
  SmallVector<Type> types{scores.getType(), values.getType()};
  auto branch = scf::IfOp::create(b, loc, types, op.getMasked(), true, true);
  OpBuilder inside = branch.getThenBodyBuilder();
  auto mask =
      MaskOp::create(inside, loc, scores.getType(), values.getType(), scores,
                     values, op.getFirstQuery(), op.getFirstKey());
  mask.getKeep().takeBody(op.getKeep());
  scf::YieldOp::create(inside, loc, mask.getResults());
  OpBuilder outside = branch.getElseBodyBuilder();
  scf::YieldOp::create(outside, loc, ValueRange{scores, values});
  return {branch.getResult(0), branch.getResult(1)};
}

/// The rescales by our factor, if that is all it is used for and each can move
/// up to here; they then happen only when the reference moves.
SmallVector<RescaleOp> Expansion::rescalesToGuard() {
  DominanceInfo dominance(keys);
  SmallVector<RescaleOp> rescales;
  for (Operation *user : op.getRescale().getUsers()) {
    auto rescale = dyn_cast<RescaleOp>(user);
    if (!rescale || rescale.getFactor() != op.getRescale() ||
        !dominance.properlyDominates(rescale.getTile(), op))
      return {};
    rescales.push_back(rescale);
  }
  llvm::sort(rescales,
             [](RescaleOp x, RescaleOp y) { return x->isBeforeInBlock(y); });
  return rescales;
}

/// m', l a, the guarded outputs times a, and a itself where it is used
/// otherwise.
SmallVector<Value> Expansion::moveReference(Value scores,
                                            ArrayRef<RescaleOp> rescales) {
  auto vector = cast<TileType>(op.getMax().getType());
  Value moved = ExceedsOp::create(b, loc, scores, op.getMax(), scale,
                                  b.getF32FloatAttr(slack));
  bool needsFactor = rescales.empty() && !op.getRescale().use_empty();
  SmallVector<Value> kept{op.getMax(), op.getSum()};
  for (RescaleOp rescale : rescales)
    kept.push_back(rescale.getTile());
  SmallVector<Type> types(ValueRange(kept).getTypes());
  if (needsFactor)
    types.push_back(vector);

  auto branch = scf::IfOp::create(b, loc, types, moved, true, true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  Value none = FillOp::create(b, loc, vector,
                              f32(b, -std::numeric_limits<float>::infinity()));
  Value rowMax = RowMaxOp::create(b, loc, scores, scale ? none : op.getMax());
  Value max = rowMax;
  if (scale)
    max =
        map({rowMax, op.getMax()}, vector, [&](OpBuilder &e, ValueRange args) {
          Value scaled = arith::MulFOp::create(e, loc, args[0], scale);
          return arith::MaxNumFOp::create(e, loc, scaled, args[1]).getResult();
        });
  Value factor =
      map({op.getMax(), max}, vector, [&](OpBuilder &e, ValueRange args) {
        Value less =
            arith::SubFOp::create(e, loc, args[0], referenceOf(e, args[1]));
        return math::Exp2Op::create(e, loc, less).getResult();
      });
  Value sum =
      map({op.getSum(), factor}, vector, [&](OpBuilder &e, ValueRange args) {
        return arith::MulFOp::create(e, loc, args[0], args[1]).getResult();
      });
  SmallVector<Value> results{max, sum};
  for (RescaleOp rescale : rescales)
    results.push_back(RescaleOp::create(b, loc, rescale.getTile(), factor));
  if (needsFactor)
    results.push_back(factor);
  scf::YieldOp::create(b, loc, results);

  b.setInsertionPointToStart(branch.elseBlock());
  if (needsFactor)
    kept.push_back(FillOp::create(b, loc, vector, f32(b, 1)));
  scf::YieldOp::create(b, loc, kept);
  return SmallVector<Value>(branch.getResults());
}

/// exp2(x c - m'), in f32.
Value Expansion::probabilities(Value scores, Value max) {
  return map({scores, max}, cast<TileType>(scores.getType()),
             [&](OpBuilder &e, ValueRange args) {
               Value reference = referenceOf(e, args[1]);
               Value exponent;
               if (scale) {
                 Value minus = arith::NegFOp::create(e, loc, reference);
                 exponent = math::FmaOp::create(e, loc, args[0], scale, minus);
               } else {
                 exponent = arith::SubFOp::create(e, loc, args[0], reference);
               }
               return math::Exp2Op::create(e, loc, exponent).getResult();
             });
}

void Expansion::run() {
  Value values = keys.bodyBlock().getArgument(KeysOp::ValueTile);
  Value scores = applyScore();
  auto [masked, cleanValues] = applyMask(scores, values);
  // Users of V behind the mask read the clean one.
  values.replaceUsesWithIf(cleanValues, [&](OpOperand &use) {
    Operation *owner = keys.bodyBlock().findAncestorOpInBlock(*use.getOwner());
    return op->isBeforeInBlock(owner);
  });
  SmallVector<RescaleOp> rescales = rescalesToGuard();
  SmallVector<Value> state = moveReference(masked, rescales);
  Value exact = probabilities(masked, state[0]);
  Value sum = RowSumOp::create(b, loc, exact, state[1]);
  TileType type = op.getProbabilities().getType();
  Value stored = exact;
  if (type != exact.getType())
    stored = map(exact, type, [&](OpBuilder &e, ValueRange args) {
      return arith::TruncFOp::create(e, loc, type.getElementType(), args[0])
          .getResult();
    });
  op.getProbabilities().replaceAllUsesWith(stored);
  op.getNewMax().replaceAllUsesWith(state[0]);
  op.getNewSum().replaceAllUsesWith(sum);
  for (auto [i, rescale] : llvm::enumerate(rescales)) {
    rescale.replaceAllUsesWith(state[2 + i]);
    rescale.erase();
  }
  if (!op.getRescale().use_empty())
    op.getRescale().replaceAllUsesWith(state.back());
  op.erase();
}

namespace {

struct ExpandSoftmaxPass
    : fovea::tile::impl::ExpandSoftmaxPassBase<ExpandSoftmaxPass> {
  using ExpandSoftmaxPassBase::ExpandSoftmaxPassBase;

  void runOnOperation() override {
    SmallVector<OnlineSoftmaxOp> ops;
    getOperation()->walk([&](OnlineSoftmaxOp op) { ops.push_back(op); });
    for (OnlineSoftmaxOp op : ops) {
      auto keys = dyn_cast<KeysOp>(op->getParentOp());
      if (!keys) {
        op.emitOpError("expected to be in the body of tile.keys");
        return signalPassFailure();
      }
      Expansion(op, keys, slack).run();
    }
  }
};

} // namespace
