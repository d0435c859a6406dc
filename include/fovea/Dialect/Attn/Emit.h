// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writing integer and boolean arithmetic that folds as it is built, so that
// masks read like their formulas.
#ifndef FOVEA_DIALECT_ATTN_EMIT_H
#define FOVEA_DIALECT_ATTN_EMIT_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"

namespace fovea::attn {

/// A builder at one location. Operands of an operation have one type; a plain
/// number takes the type of the other operand.
class Emit {
public:
  Emit(mlir::OpBuilder &builder, mlir::Location loc)
      : builder(builder), loc(loc) {}

  mlir::Value i1(bool value);
  mlir::Value i32(int64_t value);
  mlir::Value i64(int64_t value);
  mlir::Value f32(double value);

  mlir::Value lt(mlir::Value a, mlir::Value b);
  mlir::Value le(mlir::Value a, mlir::Value b);
  mlir::Value eq(mlir::Value a, mlir::Value b);
  mlir::Value andi(mlir::Value a, mlir::Value b);
  mlir::Value ori(mlir::Value a, mlir::Value b);
  mlir::Value noti(mlir::Value a);
  mlir::Value xori(mlir::Value a, mlir::Value b);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value add(mlir::Value a, int64_t b);
  mlir::Value sub(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  mlir::Value min(mlir::Value a, mlir::Value b);
  mlir::Value max(mlir::Value a, mlir::Value b);
  mlir::Value select(mlir::Value condition, mlir::Value a, mlir::Value b);
  mlir::Value toI64(mlir::Value a); ///< sign extension of i32
  mlir::Value toI32(mlir::Value a); ///< truncation of i64

  /// Quotient and remainder rounded toward minus infinity. The divisor is not
  /// 0; -1 wraps instead of trapping. i64.
  mlir::Value floorDiv(mlir::Value a, mlir::Value b);
  mlir::Value floorMod(mlir::Value a, mlir::Value b);
  /// The same by a positive number, for i32 positions.
  mlir::Value floorDiv(mlir::Value a, int64_t b);

  /// High half of the 128-bit product of unsigned i64.
  mlir::Value mulHigh(mlir::Value a, mlir::Value b);
  /// One SplitMix64 step (docs/language.md, "random"). i64.
  mlir::Value mix(mlir::Value x);

  mlir::OpBuilder &builder;
  mlir::Location loc;
};

} // namespace fovea::attn

#endif // FOVEA_DIALECT_ATTN_EMIT_H
