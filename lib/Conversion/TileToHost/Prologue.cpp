// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the kernel and its counting function share: the header, the work item's
// views and lengths out of the parameters, and the walk over key tiles.
#include "KernelLowering.h"

using namespace mlir;
using namespace fovea::host;
using namespace fovea::tile;

namespace {
/// Positions in the kernel's parameter list (docs/bundle.md).
enum Parameter {
  ParamQ,
  ParamK,
  ParamV,
  ParamO,
  ParamLSE,
  ParamQStrides,
  ParamKStrides = ParamQStrides + 3,
  ParamVStrides = ParamKStrides + 3,
  ParamOStrides = ParamVStrides + 3,
  ParamNumQueries = ParamOStrides + 3,
  ParamNumKeys,
  ParamFirst
};
} // namespace

func::FuncOp fovea::host::emitFunctionHeader(Emitter &e, KernelOp kernel,
                                             StringRef suffix) {
  SmallVector<Type> inputs(3, e.ptrType());
  auto function = func::FuncOp::create(e, (kernel.getSymName() + suffix).str(),
                                       e.getFunctionType(inputs, {}));
  e.setInsertionPointToStart(function.addEntryBlock());
  return function;
}

WorkItem fovea::host::emitPrologue(Emitter &e, KernelOp kernel,
                                   func::FuncOp function) {
  WorkItem item;
  Value params = function.getArgument(0), block = function.getArgument(1);
  Type i32 = e.getI32Type(), i64 = e.getI64Type();
  auto parameter = [&](int64_t i, Type type) {
    Value slot = e.load(e.ptrType(), e.offset(params, e.ptrType(), i));
    return e.load(type, slot);
  };
  auto blockIndex = [&](int64_t i) {
    return e.load(i32, e.offset(block, i32, i));
  };

  Value x = blockIndex(0), h = blockIndex(1), b = blockIndex(2);
  Value group = e.i32(kernel.getQHeads() / kernel.getKvHeads());
  Value g = arith::DivSIOp::create(e, h, group);
  Value row = e.mul(x, e.i32(kernel.getSchedule().getRows()));
  Value nq = parameter(ParamNumQueries, i64), nk = parameter(ParamNumKeys, i64);
  auto bind = [&](unsigned argument, Value value) {
    item.scalars.map(kernel.argument(argument), value);
  };
  bind(KernelOp::Batch, b);
  bind(KernelOp::Head, h);
  bind(KernelOp::KVHead, g);
  bind(KernelOp::Row, row);
  bind(KernelOp::NumQueries, e.toI32(nq));
  bind(KernelOp::NumKeys, e.toI32(nk));
  for (auto [i, name] : llvm::enumerate(kernel.getParamNames()))
    bind(KernelOp::FirstParam + i,
         parameter(ParamFirst + i,
                   kernel.argument(KernelOp::FirstParam + i).getType()));

  Value row64 = e.toI64(row), b64 = e.toI64(b);
  auto view = [&](int64_t pointer, int64_t strides, Value head, Value first) {
    Rows rows{parameter(pointer, e.ptrType()), parameter(strides + 2, i64),
              kernel.getStorageType()};
    Value at = e.add(e.mul(b64, parameter(strides, i64)),
                     e.mul(e.toI64(head), parameter(strides + 1, i64)));
    if (first)
      at = e.add(at, e.mul(first, rows.stride));
    rows.base = e.offset(rows.base, rows.element, at);
    return rows;
  };
  item.q = view(ParamQ, ParamQStrides, h, row64);
  item.k = view(ParamK, ParamKStrides, g, {});
  item.v = view(ParamV, ParamVStrides, g, {});
  item.o = view(ParamO, ParamOStrides, h, row64);
  Value lse = parameter(ParamLSE, e.ptrType());
  Value null = LLVM::ZeroOp::create(e, e.ptrType());
  item.hasLSE = LLVM::ICmpOp::create(e, LLVM::ICmpPredicate::ne, lse, null);
  Value head = e.add(e.mul(b64, e.i64(kernel.getQHeads())), e.toI64(h));
  item.lse = e.offset(lse, e.getF32Type(), e.add(e.mul(head, nq), row64));
  item.rows =
      e.smaller(e.i64(kernel.getSchedule().getRows()), e.sub(nq, row64));
  return item;
}

void fovea::host::cloneScalars(Emitter &e, Block &block, IRMapping &scalars) {
  for (Operation &op : block)
    if (!isa<TileDialect>(op.getDialect()))
      e.clone(op, scalars);
}

SmallVector<Value> fovea::host::emitPositions(Emitter &e, Value first,
                                              Value panelRow, Value rows) {
  SmallVector<Value> positions;
  Value last = e.splat(e.toI32(e.sub(rows, e.i64(1))));
  Value start = e.toI32(panelRow), lanes = e.iota();
  for (int64_t r = 0; r < e.geometry.vectors; ++r) {
    Value row = arith::AddIOp::create(
        e, e.splat(e.add(start, e.i32(r * e.geometry.lanes))), lanes);
    row = arith::MinSIOp::create(e, row, last);
    positions.push_back(arith::AddIOp::create(e, row, e.splat(first)));
  }
  return positions;
}

void fovea::host::emitWalk(Emitter &e, KeysOp keys, const IRMapping &scalars,
                           function_ref<void(Value, Value)> body) {
  Value length = scalars.lookupOrDefault(keys.getLength());
  int64_t size =
      cast<TileType>(keys.bodyBlock().getArgument(KeysOp::KeyTile).getType())
          .getRows();
  SmallVector<Type> types{e.getI32Type(), e.getI1Type()};
  scf::WhileOp::create(
      e, types, ValueRange{e.i32(0)},
      [&](OpBuilder &b, Location loc, ValueRange from) {
        NextTile next = emitNextTile(b, loc, keys, from[0], scalars);
        Value more = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt,
                                           next.column, length);
        scf::ConditionOp::create(b, loc, more,
                                 ValueRange{next.column, next.masked});
      },
      [&](OpBuilder &b, Location loc, ValueRange found) {
        OpBuilder::InsertionGuard guard(e);
        e.setInsertionPointToEnd(b.getInsertionBlock());
        body(found[0], found[1]);
        scf::YieldOp::create(e, ValueRange{e.add(found[0], e.i32(size))});
      });
}
