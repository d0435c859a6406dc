// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Dependence of element operations, and their clones; see ElementRegion.h.
#include "ElementRegion.h"

#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace fovea::ptx;

/// Values that `op` or its regions read from outside of it.
static llvm::SetVector<Value> usedValues(Operation &op) {
  llvm::SetVector<Value> used;
  used.insert(op.operand_begin(), op.operand_end());
  for (Region &region : op.getRegions())
    getUsedValuesDefinedAbove(region, used);
  return used;
}

ElementRegion::ElementRegion(OpBuilder &builder, Block &block,
                             const IRMapping &outer,
                             ArrayRef<Dependence> arguments)
    : b(builder), block(block), outer(outer) {
  for (auto [argument, depends] :
       llvm::zip_equal(block.getArguments(), arguments))
    dependence[argument] = depends;
  for (Operation &op : block.without_terminator()) {
    unsigned depends = dependenceOf(op);
    for (Value result : op.getResults())
      dependence[result] = depends;
  }
}

unsigned ElementRegion::dependenceOf(Operation &op) {
  unsigned depends = None;
  for (Value value : usedValues(op))
    depends |= dependence.lookup(value);
  return depends;
}

ElementRegion::Key ElementRegion::keyOf(Value value, int64_t r,
                                        int64_t c) const {
  unsigned depends = dependence.lookup(value);
  return {value, depends & Row ? r : -1, depends & Column ? c : -1};
}

Value ElementRegion::lookup(Value value, int64_t r, int64_t c,
                            ArgumentBuilder argument) {
  if (value.getParentBlock() != &block)
    return outer.lookupOrDefault(value);
  Value &clone = clones[keyOf(value, r, c)];
  if (!clone)
    clone = argument(cast<BlockArgument>(value).getArgNumber(), r, c);
  return clone;
}

void ElementRegion::cloneOnce(Operation &op, int64_t r, int64_t c,
                              ArgumentBuilder argument) {
  if (op.getNumResults() == 0 || clones.contains(keyOf(op.getResult(0), r, c)))
    return;
  IRMapping mapping;
  for (Value value : usedValues(op))
    mapping.map(value, lookup(value, r, c, argument));
  Operation *clone = b.clone(op, mapping);
  for (auto [from, to] : llvm::zip_equal(op.getResults(), clone->getResults()))
    clones[keyOf(from, r, c)] = to;
}

void ElementRegion::emitRow(int64_t r, ArgumentBuilder argument) {
  for (Operation &op : block.without_terminator())
    if (op.getNumResults() && !(dependence[op.getResult(0)] & Column))
      cloneOnce(op, r, -1, argument);
}

Value ElementRegion::emit(int64_t r, int64_t c, ArgumentBuilder argument) {
  return emit(block.getTerminator()->getOperand(0), r, c, argument);
}

Value ElementRegion::emit(Value value, int64_t r, int64_t c,
                          ArgumentBuilder argument) {
  for (Operation &op : block.without_terminator())
    cloneOnce(op, r, c, argument);
  return lookup(value, r, c, argument);
}
