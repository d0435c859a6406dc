// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Recognises the ops of a kernel that the host compiles. The panels' loop is
// outside the body's ops, so the body is taken as a whole and not op by op.
#include "KernelLowering.h"

using namespace mlir;
using namespace fovea::host;
using namespace fovea::tile;

/// The only op of its kind in a block, or an error at `owner`.
template <typename OpT>
static LogicalResult findOne(Operation *owner, Block &block, OpT &found) {
  auto ops = llvm::to_vector(block.getOps<OpT>());
  if (ops.size() != 1)
    return owner->emitOpError("expected one '")
           << OpT::getOperationName() << "' for the host, but got "
           << ops.size();
  found = ops.front();
  return success();
}

static LogicalResult checkOthers(Block &block) {
  for (Operation &op : block)
    if (isa<TileDialect>(op.getDialect()) &&
        !isa<LoadOp, FillOp, KeysOp, StoreResultOp, DotOp, OnlineSoftmaxOp,
             RescaleOp, YieldOp>(op))
      return op.emitOpError("is not supported on the host");
  return success();
}

/// Checks that the state's values flow as max, sum and output must.
static LogicalResult checkFlow(KernelShape &s) {
  Block &body = s.keys.bodyBlock();
  Operation *yield = body.getTerminator();
  auto carried = [&](Value next, Value current) {
    for (auto [i, value] : llvm::enumerate(yield->getOperands()))
      if (value == next)
        return current == body.getArgument(KeysOp::FirstState + i);
    return false;
  };
  bool good = yield->getNumOperands() == 3 &&
              s.scores.getLhs() == s.queries.getTile() &&
              s.scores.getRhs() == body.getArgument(KeysOp::KeyTile) &&
              s.scores.getTransposed() && !s.scores.getAcc() &&
              s.softmax.getScores() == s.scores.getResult() &&
              s.rescale.getFactor() == s.softmax.getRescale() &&
              s.output.getLhs() == s.softmax.getProbabilities() &&
              s.output.getRhs() == body.getArgument(KeysOp::ValueTile) &&
              !s.output.getTransposed() &&
              s.output.getAcc() == s.rescale.getResult() &&
              carried(s.softmax.getNewMax(), s.softmax.getMax()) &&
              carried(s.softmax.getNewSum(), s.softmax.getSum()) &&
              carried(s.output.getResult(), s.rescale.getTile());
  if (!good)
    return s.keys.emitOpError(
        "expected scores, softmax, rescale and product to "
        "feed each other as the host compiles them");
  return success();
}

FailureOr<KernelShape> KernelShape::match(KernelOp kernel) {
  KernelShape s;
  Block &outer = kernel.getBody().front();
  if (failed(checkOthers(outer)) || failed(findOne(kernel, outer, s.queries)) ||
      failed(findOne(kernel, outer, s.keys)) ||
      failed(findOne(kernel, outer, s.store)))
    return failure();
  Block &body = s.keys.bodyBlock();
  if (failed(checkOthers(body)) || failed(findOne(s.keys, body, s.softmax)) ||
      failed(findOne(s.keys, body, s.rescale)))
    return failure();
  auto dots = llvm::to_vector(body.getOps<DotOp>());
  if (dots.size() != 2)
    return s.keys.emitOpError("expected two 'tile.dot' for the host, but got ")
           << dots.size();
  s.scores = dots[0];
  s.output = dots[1];
  if (failed(checkFlow(s)))
    return failure();
  return s;
}
