// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What several masks share: boundaries of runs, and intervals that follow the
// query.
#include "fovea/Dialect/Attn/MaskContext.h"

#include "fovea/Dialect/Attn/Attn.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace fovea::attn;

bool fovea::attn::readsPosition(Value expression) {
  // Without recursion: a sum may have any number of terms.
  llvm::SetVector<Value> reached;
  reached.insert(expression);
  for (size_t i = 0; i < reached.size(); ++i) {
    Operation *op = reached[i].getDefiningOp();
    if (!op)
      continue;
    if (auto variable = dyn_cast<VariableOp>(op))
      if (variable.getVariable() == Variable::Q ||
          variable.getVariable() == Variable::K)
        return true;
    reached.insert_range(op->getOperands());
  }
  return false;
}

Value fovea::attn::nextBoundary(Emit &emit, Value key,
                                ArrayRef<Value> boundaries) {
  Value end = emit.i32(endOfKeys), next;
  for (Value boundary : boundaries) {
    Value mine = emit.select(emit.lt(key, boundary), boundary, end);
    next = next ? emit.min(next, mine) : mine;
  }
  return next ? emit.min(next, end) : end; // a boundary may lie beyond the end
}

Run fovea::attn::classifyInterval(Emit &emit, Value key, const Interval &in) {
  Value any = emit.i1(true), all = emit.i1(true);
  SmallVector<Value> boundaries;
  if (in.loFirst) {
    any = emit.andi(any, emit.le(in.loFirst, key));
    all = emit.andi(all, emit.le(in.loLast, key));
    boundaries.append({in.loFirst, in.loLast});
  }
  if (in.hiFirst) {
    any = emit.andi(any, emit.lt(key, in.hiLast));
    all = emit.andi(all, emit.lt(key, in.hiFirst));
    boundaries.append({in.hiFirst, in.hiLast});
  }
  // Intervals that are all empty have nothing between the first and the last.
  if (in.notEmpty)
    any = emit.andi(any, in.notEmpty);
  return {any, all, nextBoundary(emit, key, boundaries)};
}

Value fovea::attn::bandNotEmpty(Emit &emit, Value left, Value right) {
  if (!left || !right)
    return Value();
  return emit.le(emit.i32(0), emit.add(left, right));
}

Run fovea::attn::classifyBand(Emit &emit, const TileContext &tile, Value left,
                              Value right) {
  Value first = tile.uniforms.firstQuery, last = tile.uniforms.lastQuery;
  Interval interval;
  if (left) {
    interval.loFirst = emit.sub(first, left);
    interval.loLast = emit.sub(last, left);
  }
  if (right) {
    Value past = emit.add(right, 1);
    interval.hiFirst = emit.add(first, past);
    interval.hiLast = emit.add(last, past);
  }
  interval.notEmpty = bandNotEmpty(emit, left, right);
  return classifyInterval(emit, tile.key, interval);
}

OpFoldResult fovea::attn::foldBand(MLIRContext *context, Value left,
                                   Value right, Attribute constantLeft,
                                   Attribute constantRight) {
  if (!left && !right)
    return BoolAttr::get(context, true);
  // Bounds as numbers small enough to add.
  auto known = [](Attribute bound) -> std::optional<int64_t> {
    if (auto number = dyn_cast_or_null<IntegerAttr>(bound))
      return std::clamp(number.getInt(), -endOfKeys, endOfKeys);
    return std::nullopt;
  };
  std::optional<int64_t> l = known(constantLeft), r = known(constantRight);
  if (l == -endOfKeys || r == -endOfKeys || (l && r && *l + *r < 0))
    return BoolAttr::get(context, false);
  return {};
}
