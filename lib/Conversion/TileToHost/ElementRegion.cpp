// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Cloning scalar regions as vectors over queries; the idea is in the header.
#include "ElementRegion.h"

using namespace mlir;
using namespace fovea::host;

ElementRegion::ElementRegion(Region &region, const IRMapping &outer,
                             Value length)
    : block(region.front()), length(length), scalars(outer) {
  auto args = block.getArguments();
  depends[args.back()] = OnKey;
  depends[args[args.size() - 2]] = OnLane;
  if (args.size() == 3)
    depends[args[0]] = OnLane | OnKey;
  classify(block);
}

/// key < length
bool ElementRegion::isBelowLength(Operation &op) const {
  auto compare = dyn_cast<arith::CmpIOp>(op);
  return compare && compare.getPredicate() == arith::CmpIPredicate::slt &&
         compare.getLhs() == block.getArguments().back() &&
         compare.getRhs() == length;
}

unsigned ElementRegion::dependence(Value value) const {
  return depends.lookup(value);
}

/// Of an operation: of all that it and its regions read.
unsigned ElementRegion::dependence(Operation &op) const {
  unsigned result = 0;
  if (isBelowLength(op))
    return result;
  op.walk([&](Operation *inner) {
    for (Value operand : inner->getOperands())
      result |= dependence(operand);
  });
  return result;
}

// A loop's carried values count as depending on all that the loop depends on.
void ElementRegion::classify(Block &body) {
  for (Operation &op : body) {
    unsigned result = dependence(op);
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      depends[loop.getInductionVar()] = dependence(loop.getLowerBound()) |
                                        dependence(loop.getUpperBound()) |
                                        dependence(loop.getStep());
      for (Value carried : loop.getRegionIterArgs())
        depends[carried] = result;
      classify(*loop.getBody());
    }
    for (Value value : op.getResults())
      depends[value] = result;
  }
}

ElementRegion::Lanes ElementRegion::lanesOf(Emitter &e, Value value) {
  if (auto it = vectors.find(value); it != vectors.end())
    return it->second;
  return Lanes(e.geometry.vectors, e.splat(scalars.lookupOrDefault(value)));
}

void ElementRegion::emitOp(Emitter &e, Operation &op) {
  if (isBelowLength(op)) {
    scalars.map(op.getResult(0), arith::ConstantIntOp::create(e, 1, 1));
    return;
  }
  if (!(dependence(op) & OnLane)) {
    e.clone(op, scalars);
    return;
  }
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return emitFor(e, loop);
  SmallVector<Lanes> operands;
  for (Value operand : op.getOperands())
    operands.push_back(lanesOf(e, operand));
  for (int64_t r = 0; r < e.geometry.vectors; ++r) {
    Operation *copy = op.cloneWithoutRegions();
    for (auto [i, operand] : llvm::enumerate(operands))
      copy->setOperand(i, operand[r]);
    for (OpResult result : copy->getResults())
      result.setType(e.vectorOf(result.getType()));
    e.insert(copy);
    for (auto [from, to] : llvm::zip(op.getResults(), copy->getResults()))
      vectors[from].push_back(to);
  }
}

/// One loop that carries every vector of every carried value.
void ElementRegion::emitFor(Emitter &e, scf::ForOp op) {
  SmallVector<Value> init;
  for (Value value : op.getInitArgs())
    llvm::append_range(init, lanesOf(e, value));
  auto split = [&](ValueRange flat, ValueRange values) {
    for (auto [i, value] : llvm::enumerate(values))
      vectors[value] = llvm::to_vector(
          flat.slice(i * e.geometry.vectors, e.geometry.vectors));
  };
  auto copy = scf::ForOp::create(
      e, scalars.lookupOrDefault(op.getLowerBound()),
      scalars.lookupOrDefault(op.getUpperBound()),
      scalars.lookupOrDefault(op.getStep()), init,
      [&](OpBuilder &, Location, Value i, ValueRange carried) {
        OpBuilder::InsertionGuard guard(e);
        e.setInsertionPointToEnd(i.getParentBlock());
        scalars.map(op.getInductionVar(), i);
        split(carried, op.getRegionIterArgs());
        for (Operation &inner : op.getBody()->without_terminator())
          emitOp(e, inner);
        SmallVector<Value> next;
        for (Value value : op.getBody()->getTerminator()->getOperands())
          llvm::append_range(next, lanesOf(e, value));
        scf::YieldOp::create(e, next);
      });
  split(copy.getResults(), op.getResults());
}

void ElementRegion::prepare(Emitter &e, ArrayRef<Value> queries) {
  vectors[block.getArgument(block.getNumArguments() - 2)] = Lanes(queries);
  for (Operation &op : block.without_terminator())
    if (!(dependence(op) & OnKey))
      emitOp(e, op);
}

SmallVector<Value> ElementRegion::emit(Emitter &e, Value key,
                                       ArrayRef<Value> scores) {
  scalars.map(block.getArguments().back(), key);
  if (!scores.empty())
    vectors[block.getArgument(0)] = Lanes(scores);
  for (Operation &op : block.without_terminator())
    if (dependence(op) & OnKey)
      emitOp(e, op);
  return lanesOf(e, block.getTerminator()->getOperand(0));
}
