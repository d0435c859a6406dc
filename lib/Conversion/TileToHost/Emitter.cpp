// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The verbs of Emitter.h; constants fold as they are built.
#include "Emitter.h"

using namespace mlir;
using namespace fovea::host;

Value Emitter::i64(int64_t value) {
  return arith::ConstantIntOp::create(*this, value, 64);
}
Value Emitter::i32(int64_t value) {
  return arith::ConstantIntOp::create(*this, value, 32);
}
Value Emitter::f32(float value) {
  return arith::ConstantFloatOp::create(*this, getF32Type(), APFloat(value));
}
Value Emitter::add(Value x, Value y) {
  return createOrFold<arith::AddIOp>(x, y);
}
Value Emitter::sub(Value x, Value y) {
  return createOrFold<arith::SubIOp>(x, y);
}
Value Emitter::mul(Value x, Value y) {
  return createOrFold<arith::MulIOp>(x, y);
}
Value Emitter::smaller(Value x, Value y) {
  return createOrFold<arith::MinSIOp>(x, y);
}
Value Emitter::toI64(Value x) {
  return createOrFold<arith::ExtSIOp>(getI64Type(), x);
}
Value Emitter::toI32(Value x) {
  return createOrFold<arith::TruncIOp>(getI32Type(), x);
}
Value Emitter::less(Value x, Value y) {
  return arith::CmpIOp::create(*this, arith::CmpIPredicate::slt, x, y);
}

Value Emitter::splat(Value scalar) {
  return vector::BroadcastOp::create(*this, vectorOf(scalar.getType()), scalar);
}
Value Emitter::iota() {
  auto lanes = llvm::to_vector(llvm::seq<int32_t>(0, geometry.lanes));
  return arith::ConstantOp::create(
      *this, DenseElementsAttr::get(i32Vector(), ArrayRef<int32_t>(lanes)));
}
Value Emitter::mulf(Value x, Value y) {
  return arith::MulFOp::create(*this, x, y);
}
Value Emitter::addf(Value x, Value y) {
  return arith::AddFOp::create(*this, x, y);
}
Value Emitter::subf(Value x, Value y) {
  return arith::SubFOp::create(*this, x, y);
}
Value Emitter::fma(Value x, Value y, Value z) {
  return vector::FMAOp::create(*this, x, y, z);
}
Value Emitter::select(Value condition, Value x, Value y) {
  return arith::SelectOp::create(*this, condition, x, y);
}
Value Emitter::cmpf(arith::CmpFPredicate p, Value x, Value y) {
  return arith::CmpFOp::create(*this, p, x, y);
}
Value Emitter::maxIgnoringNaN(Value x, Value y) {
  return select(cmpf(arith::CmpFPredicate::OGT, x, y), x, y);
}

Value Emitter::offset(Value pointer, Type element, Value index) {
  return LLVM::GEPOp::create(*this, ptrType(), element, pointer,
                             ArrayRef<LLVM::GEPArg>{index});
}
Value Emitter::offset(Value pointer, Type element, int64_t index) {
  if (index == 0)
    return pointer;
  return LLVM::GEPOp::create(*this, ptrType(), element, pointer,
                             ArrayRef<LLVM::GEPArg>{int32_t(index)});
}

static unsigned elementBytes(Type type) {
  return getElementTypeOrSelf(type).getIntOrFloatBitWidth() / 8;
}
Value Emitter::load(Type type, Value pointer) {
  unsigned align = isa<LLVM::LLVMPointerType>(type) ? 8 : elementBytes(type);
  return LLVM::LoadOp::create(*this, type, pointer, align);
}
void Emitter::store(Value value, Value pointer) {
  LLVM::StoreOp::create(*this, value, pointer, elementBytes(value.getType()));
}

ValueRange Emitter::loop(Value from, Value to, int64_t step, ValueRange init,
                         LoopBody body) {
  Value stepValue = i64(step);
  auto op =
      scf::ForOp::create(*this, from, to, stepValue, init,
                         [&](OpBuilder &, Location, Value i, ValueRange state) {
                           OpBuilder::InsertionGuard guard(*this);
                           setInsertionPointToEnd(i.getParentBlock());
                           SmallVector<Value> next = body(i, state);
                           scf::YieldOp::create(*this, next);
                         });
  return op.getResults();
}
void Emitter::loop(Value from, Value to, int64_t step,
                   function_ref<void(Value)> body) {
  loop(from, to, step, ValueRange{}, [&](Value i, ValueRange) {
    body(i);
    return SmallVector<Value>{};
  });
}
void Emitter::when(Value condition, function_ref<void()> body) {
  auto op = scf::IfOp::create(*this, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(op.thenBlock());
  body();
}
ValueRange Emitter::either(Value condition,
                           function_ref<SmallVector<Value>()> then,
                           function_ref<SmallVector<Value>()> otherwise) {
  auto branch = [&](function_ref<SmallVector<Value>()> side) {
    return [&, side](OpBuilder &b, Location) {
      OpBuilder::InsertionGuard guard(*this);
      setInsertionPointToEnd(b.getInsertionBlock());
      SmallVector<Value> values = side();
      scf::YieldOp::create(*this, values);
    };
  };
  auto op =
      scf::IfOp::create(*this, condition, branch(then), branch(otherwise));
  return op.getResults();
}
