// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Small helpers of the emitter: constants, addresses, warp operations, loops.
#include "Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace fovea::ptx;

/// Constants stand at the start of the function, each once: the unrolled tiles
/// would otherwise make thousands.
Value Emitter::constant(TypedAttr value) {
  Value &known = constants[value];
  if (!known) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(entryBlock);
    known = arith::ConstantOp::create(b, loc, value);
  }
  return known;
}

Value Emitter::i32(int64_t value) {
  return constant(b.getI32IntegerAttr(int32_t(value)));
}
Value Emitter::i64(int64_t value) {
  return constant(b.getI64IntegerAttr(value));
}
Value Emitter::f32(float value) { return constant(b.getF32FloatAttr(value)); }
Value Emitter::add(Value x, Value y) {
  return arith::AddIOp::create(b, loc, x, y);
}
Value Emitter::add(Value x, int64_t y) { return y ? add(x, i32(y)) : x; }
Value Emitter::mul(Value x, int64_t y) { return mul(x, i32(y)); }
Value Emitter::mul(Value x, Value y) {
  return arith::MulIOp::create(b, loc, x, y);
}
Value Emitter::less(Value x, Value y) {
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, x, y);
}
Value Emitter::equals(Value x, int64_t y) {
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, x, i32(y));
}
Value Emitter::select(Value cond, Value x, Value y) {
  return arith::SelectOp::create(b, loc, cond, x, y);
}
Value Emitter::extend(Value x) {
  return arith::ExtSIOp::create(b, loc, b.getI64Type(), x);
}

Value Emitter::sharedAt(Value offset, int64_t immediate) {
  Type type = shared.getType(), i8 = b.getI8Type();
  Value address = LLVM::GEPOp::create(b, loc, type, i8, shared,
                                      ArrayRef<LLVM::GEPArg>{offset});
  if (immediate == 0)
    return address;
  return LLVM::GEPOp::create(b, loc, type, i8, address,
                             ArrayRef<LLVM::GEPArg>{int32_t(immediate)});
}

Value Emitter::offsetIn(const SharedTile &tile, Value row, Value chunk) {
  Value rowOffset = mul(row, tile.slotBytes());
  if (!tile.paired)
    return add(mul(chunk, tile.pitch()), rowOffset);
  Value pair = arith::ShRUIOp::create(b, loc, chunk, i32(1));
  Value swap = arith::ShRUIOp::create(b, loc, row, i32(2));
  Value half = arith::AndIOp::create(
      b, loc, arith::XOrIOp::create(b, loc, chunk, swap), i32(1));
  return add(add(mul(pair, tile.pitch()), rowOffset), mul(half, 16));
}

Value Emitter::globalAt(Value base, Value bytes) {
  return LLVM::GEPOp::create(b, loc, base.getType(), b.getI8Type(), base,
                             ArrayRef<LLVM::GEPArg>{bytes});
}

Value Emitter::intrinsic(StringRef name, Type type, ValueRange args) {
  auto call =
      LLVM::CallIntrinsicOp::create(b, loc, type, b.getStringAttr(name), args);
  return call->getNumResults() ? call->getResult(0) : Value();
}

Value Emitter::shuffleXor(Value value, int64_t mask) {
  return NVVM::ShflOp::create(b, loc, value.getType(), i32(-1), value,
                              i32(mask), i32(31), NVVM::ShflKind::bfly,
                              UnitAttr());
}

void Emitter::barrier() { NVVM::Barrier0Op::create(b, loc); }
void Emitter::syncWarp() { NVVM::SyncWarpOp::create(b, loc, i32(-1)); }

void Emitter::onlyIf(Value cond, function_ref<void()> body) {
  auto branch = scf::IfOp::create(b, loc, cond, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  body();
}

void Emitter::rolledLoop(Value from, Value to, int64_t step,
                         function_ref<void(Value)> body) {
  rolledLoop(from, to, step, {}, [&](Value i, ValueRange) {
    body(i);
    return SmallVector<Value>();
  });
}

ValueRange
Emitter::rolledLoop(Value from, Value to, int64_t step, ValueRange init,
                    function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(b, loc, from, to, i32(step), init);
  auto off = LLVM::LoopUnrollAttr::get(b.getContext(), b.getBoolAttr(true), {},
                                       {}, {}, {}, {}, {});
  loop->setAttr("loop_annotation", LLVM::LoopAnnotationAttr::get(
                                       b.getContext(), {}, {}, {}, off, {}, {},
                                       {}, {}, {}, {}, {}, {}, {}, {}, {}));
  OpBuilder::InsertionGuard guard(b);
  Block *block = loop.getBody();
  if (init.empty())
    block->getTerminator()->erase();
  b.setInsertionPointToEnd(block);
  SmallVector<Value> next =
      body(loop.getInductionVar(), loop.getRegionIterArgs());
  scf::YieldOp::create(b, loc, next);
  return loop.getResults();
}

Fragment Emitter::matrix(int64_t cols, Columns columns) {
  Fragment fragment;
  fragment.kind = Fragment::Matrix;
  fragment.rows = fragmentRows();
  fragment.cols = cols;
  fragment.columns = columns;
  fragment.values.resize(fragment.rows * cols);
  return fragment;
}
