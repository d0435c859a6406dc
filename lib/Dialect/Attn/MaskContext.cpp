// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What several masks share: boundaries of runs, and intervals that follow the
// query.
#include "fovea/Dialect/Attn/MaskContext.h"

#include "fovea/Dialect/Attn/Attn.h"

using namespace mlir;
using namespace fovea::attn;

bool fovea::attn::readsPosition(Value expression) {
  Operation *op = expression.getDefiningOp();
  if (!op)
    return false;
  if (auto variable = dyn_cast<VariableOp>(op))
    return variable.getVariable() == Variable::Q ||
           variable.getVariable() == Variable::K;
  return llvm::any_of(op->getOperands(), readsPosition);
}

Value fovea::attn::nextBoundary(Emit &emit, Value key,
                                ArrayRef<Value> boundaries) {
  Value end = emit.i32(endOfKeys), next = end;
  for (Value boundary : boundaries)
    next = emit.min(next, emit.select(emit.lt(key, boundary), boundary, end));
  return next;
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
  // An interval that is empty for every query is no interval between queries.
  if (in.loFirst && in.hiFirst)
    any = emit.andi(any, emit.lt(in.loFirst, in.hiFirst));
  return {any, all, nextBoundary(emit, key, boundaries)};
}
