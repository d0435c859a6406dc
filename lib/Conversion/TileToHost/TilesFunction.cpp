// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The function that counts what the kernel of one work item does: the key tiles
// that it visits, those for which it evaluates the mask, and the pairs that it
// keeps. It walks as the kernel walks, and reads no array.
#include "KernelLowering.h"

using namespace mlir;
using namespace fovea::host;
using namespace fovea::tile;

/// Kept pairs of one masked tile: all panels, `count` keys.
static Value emitMaskedTile(Emitter &e, const KernelShape &shape,
                            const WorkItem &item, Value count) {
  OnlineSoftmaxOp op = shape.softmax;
  Value first = item.scalars.lookup(op.getFirstQuery());
  Value firstKey = item.scalars.lookup(op.getFirstKey());
  Value rows = e.splat(e.toI32(item.rows));
  auto body = [&](Value row, ValueRange total) -> SmallVector<Value> {
    SmallVector<Value> valid;
    for (int64_t r = 0; r < e.geometry.vectors; ++r) {
      Value start = e.splat(e.add(e.toI32(row), e.i32(r * e.geometry.lanes)));
      valid.push_back(arith::CmpIOp::create(
          e, arith::CmpIPredicate::slt,
          arith::AddIOp::create(e, start, e.iota()), rows));
    }
    Value kept = emitCountKept(e, op, item.scalars,
                               emitPositions(e, first, row, item.rows), valid,
                               firstKey, count);
    return {e.add(total[0], kept)};
  };
  return e.loop(e.i64(0), item.rows, e.geometry.panel(), ValueRange{e.i64(0)},
                body)[0];
}

void fovea::host::emitTilesFunction(Emitter &e, KernelOp kernel,
                                    const KernelShape &shape) {
  func::FuncOp function = emitFunctionHeader(e, kernel, "_tiles");
  WorkItem item = emitPrologue(e, kernel, function);
  cloneScalars(e, kernel.getBody().front(), item.scalars);
  const int64_t keys = kernel.getSchedule().getKeys();
  Type i64 = e.getI64Type();
  auto addTo = [&](int64_t i, Value value) {
    Value slot = e.offset(function.getArgument(2), i64, i);
    e.store(e.add(e.load(i64, slot), value), slot);
  };
  KeysOp walk = shape.keys;
  Block &body = walk.bodyBlock();
  emitWalk(e, walk, item.scalars, [&](Value column, Value masked) {
    item.scalars.map(body.getArgument(KeysOp::Column), column);
    item.scalars.map(body.getArgument(KeysOp::Masked), masked);
    cloneScalars(e, body, item.scalars);
    Value length = item.scalars.lookup(walk.getLength());
    Value count = e.smaller(e.i64(keys), e.toI64(e.sub(length, column)));
    Value kept = e.either(
        masked,
        [&]() -> SmallVector<Value> {
          return {emitMaskedTile(e, shape, item, count)};
        },
        [&]() -> SmallVector<Value> {
          return {e.mul(item.rows, e.i64(keys))};
        })[0];
    addTo(0, e.i64(1));
    addTo(1, arith::ExtUIOp::create(e, i64, masked));
    addTo(2, kept);
  });
  func::ReturnOp::create(e);
}
