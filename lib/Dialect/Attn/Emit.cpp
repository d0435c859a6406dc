// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arithmetic that folds as it is built.
#include "fovea/Dialect/Attn/Emit.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fovea::attn;

Value Emit::i1(bool value) {
  return arith::ConstantIntOp::create(builder, loc, value, 1);
}
Value Emit::i32(int64_t value) {
  return arith::ConstantIntOp::create(builder, loc, value, 32);
}
Value Emit::i64(int64_t value) {
  return arith::ConstantIntOp::create(builder, loc, value, 64);
}
Value Emit::f32(double value) {
  return arith::ConstantFloatOp::create(builder, loc, builder.getF32Type(),
                                        APFloat(static_cast<float>(value)));
}

Value Emit::lt(Value a, Value b) {
  return builder.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, a,
                                             b);
}
Value Emit::le(Value a, Value b) {
  return builder.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::sle, a,
                                             b);
}
Value Emit::eq(Value a, Value b) {
  return builder.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::eq, a,
                                             b);
}
Value Emit::andi(Value a, Value b) {
  return builder.createOrFold<arith::AndIOp>(loc, a, b);
}
Value Emit::ori(Value a, Value b) {
  return builder.createOrFold<arith::OrIOp>(loc, a, b);
}
Value Emit::xori(Value a, Value b) {
  return builder.createOrFold<arith::XOrIOp>(loc, a, b);
}
Value Emit::noti(Value a) { return xori(a, i1(true)); }
Value Emit::add(Value a, Value b) {
  return builder.createOrFold<arith::AddIOp>(loc, a, b);
}
Value Emit::add(Value a, int64_t b) {
  return add(a, a.getType().isInteger(64) ? i64(b) : i32(b));
}
Value Emit::sub(Value a, Value b) {
  return builder.createOrFold<arith::SubIOp>(loc, a, b);
}
Value Emit::mul(Value a, Value b) {
  return builder.createOrFold<arith::MulIOp>(loc, a, b);
}
Value Emit::min(Value a, Value b) {
  return builder.createOrFold<arith::MinSIOp>(loc, a, b);
}
Value Emit::max(Value a, Value b) {
  return builder.createOrFold<arith::MaxSIOp>(loc, a, b);
}
Value Emit::select(Value condition, Value a, Value b) {
  return builder.createOrFold<arith::SelectOp>(loc, condition, a, b);
}
Value Emit::toI64(Value a) {
  return builder.createOrFold<arith::ExtSIOp>(loc, builder.getI64Type(), a);
}
Value Emit::toI32(Value a) {
  return builder.createOrFold<arith::TruncIOp>(loc, builder.getI32Type(), a);
}

Value Emit::floorMod(Value a, Value b) {
  // The hardware's remainder has the dividend's sign and traps on MIN % -1: the
  // remainder by -1 is that by 1. Move it to the divisor's sign.
  Value minusOne = i64(-1), zero = i64(0);
  Value divisor = select(eq(b, minusOne), i64(1), b);
  Value rest = builder.createOrFold<arith::RemSIOp>(loc, a, divisor);
  Value otherSign = lt(xori(rest, b), zero);
  Value wrong = andi(noti(eq(rest, zero)), otherSign);
  return select(wrong, add(rest, b), rest);
}

Value Emit::floorDiv(Value a, Value b) {
  // a - a mod b is divisible by b, and MIN / -1 is -MIN, which wraps.
  Value isMinusOne = eq(b, i64(-1));
  Value divisor = select(isMinusOne, i64(1), b);
  Value multiple = sub(a, floorMod(a, divisor));
  Value quotient = builder.createOrFold<arith::DivSIOp>(loc, multiple, divisor);
  return select(isMinusOne, sub(i64(0), a), quotient);
}

Value Emit::floorDiv(Value a, int64_t b) {
  if (llvm::isPowerOf2_64(b))
    return builder.createOrFold<arith::ShRSIOp>(loc, a, i32(llvm::Log2_64(b)));
  // Shift the dividend into the positive numbers by a multiple of b; the sum is
  // below 2^32.
  int64_t lift = ((int64_t(1) << 30) + b - 1) / b;
  Value lifted = add(a, i32(static_cast<int32_t>(lift * b)));
  Value quotient = builder.createOrFold<arith::DivUIOp>(
      loc, lifted, i32(static_cast<int32_t>(b)));
  return add(quotient, -lift);
}

Value Emit::mulHigh(Value a, Value b) {
  auto product = arith::MulUIExtendedOp::create(builder, loc, a, b);
  return product.getHigh();
}

Value Emit::mix(Value x) {
  auto shiftXor = [&](Value v, int64_t by) {
    return xori(v, builder.createOrFold<arith::ShRUIOp>(loc, v, i64(by)));
  };
  x = add(x, i64(0x9E3779B97F4A7C15));
  x = mul(shiftXor(x, 30), i64(0xBF58476D1CE4E5B9));
  x = mul(shiftXor(x, 27), i64(0x94D049BB133111EB));
  return shiftXor(x, 31);
}
