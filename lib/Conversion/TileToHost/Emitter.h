// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A builder with the few verbs that host code is made of: 64-bit index
// arithmetic, vectors of queries, loads and stores through plain pointers.
//
// Memory is addressed by !llvm.ptr and not by memref: a view is a base and a
// row stride that are known only at run time, so a memref's descriptor would
// add nothing but code to compile away.
#ifndef FOVEA_LIB_CONVERSION_TILETOHOST_EMITTER_H
#define FOVEA_LIB_CONVERSION_TILETOHOST_EMITTER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace fovea::host {

/// How queries map to registers. A panel is `vectors` registers of `lanes`
/// queries; products take `block` keys (or value columns) at a time, so that
/// vectors * block accumulators, the vectors themselves and a broadcast fit in
/// the register file: 12 + 2 + 1 of 16 (AVX2), 24 + 4 + 1 of 32 (AVX-512).
struct Geometry {
  int64_t lanes;
  int64_t vectors;
  int64_t block;

  static Geometry forLanes(int64_t lanes) {
    return lanes == 16 ? Geometry{16, 4, 6} : Geometry{lanes, 2, 6};
  }
  int64_t panel() const { return lanes * vectors; }
};

class Emitter : public mlir::ImplicitLocOpBuilder {
public:
  Emitter(mlir::Location loc, mlir::MLIRContext *context, Geometry geometry)
      : ImplicitLocOpBuilder(loc, context), geometry(geometry) {}

  const Geometry geometry;

  mlir::Type ptrType() {
    return mlir::LLVM::LLVMPointerType::get(getContext());
  }
  mlir::VectorType vectorOf(mlir::Type element) {
    return mlir::VectorType::get(geometry.lanes, element);
  }
  mlir::VectorType f32Vector() { return vectorOf(getF32Type()); }
  mlir::VectorType i32Vector() { return vectorOf(getI32Type()); }

  // Scalars. add, sub, mul and smaller take i32 or i64 of equal type.
  mlir::Value i64(int64_t value);
  mlir::Value i32(int64_t value);
  mlir::Value f32(float value);
  mlir::Value add(mlir::Value x, mlir::Value y);
  mlir::Value sub(mlir::Value x, mlir::Value y);
  mlir::Value mul(mlir::Value x, mlir::Value y);
  mlir::Value smaller(mlir::Value x, mlir::Value y);
  mlir::Value toI64(mlir::Value x);
  mlir::Value toI32(mlir::Value x);
  mlir::Value less(mlir::Value x, mlir::Value y);

  // Vectors.
  mlir::Value splat(mlir::Value scalar);
  mlir::Value splatF32(float value) { return splat(f32(value)); }
  mlir::Value splatI32(int64_t value) { return splat(i32(value)); }
  mlir::Value iota(); ///< i32 0, 1, …, lanes - 1
  mlir::Value mulf(mlir::Value x, mlir::Value y);
  mlir::Value addf(mlir::Value x, mlir::Value y);
  mlir::Value subf(mlir::Value x, mlir::Value y);
  mlir::Value fma(mlir::Value x, mlir::Value y, mlir::Value z);
  mlir::Value select(mlir::Value condition, mlir::Value x, mlir::Value y);
  mlir::Value cmpf(mlir::arith::CmpFPredicate p, mlir::Value x, mlir::Value y);
  /// The larger of x and y, or y if x is NaN: one vmaxps.
  mlir::Value maxIgnoringNaN(mlir::Value x, mlir::Value y);

  // Memory. Offsets count elements of `element`.
  mlir::Value offset(mlir::Value pointer, mlir::Type element,
                     mlir::Value index);
  mlir::Value offset(mlir::Value pointer, mlir::Type element, int64_t index);
  /// Alignment is that of the element: arrays promise no more.
  mlir::Value load(mlir::Type type, mlir::Value pointer);
  void store(mlir::Value value, mlir::Value pointer);

  /// for (i = from; i < to; i += step) on i64; `body` returns what it yields.
  using LoopBody = llvm::function_ref<llvm::SmallVector<mlir::Value>(
      mlir::Value, mlir::ValueRange)>;
  mlir::ValueRange loop(mlir::Value from, mlir::Value to, int64_t step,
                        mlir::ValueRange init, LoopBody body);
  void loop(mlir::Value from, mlir::Value to, int64_t step,
            llvm::function_ref<void(mlir::Value)> body);
  /// if (condition) body(); the conditional form without results.
  void when(mlir::Value condition, llvm::function_ref<void()> body);
  /// condition ? then() : otherwise(), evaluating only one side.
  mlir::ValueRange
  either(mlir::Value condition,
         llvm::function_ref<llvm::SmallVector<mlir::Value>()> then,
         llvm::function_ref<llvm::SmallVector<mlir::Value>()> otherwise);
};

} // namespace fovea::host

#endif // FOVEA_LIB_CONVERSION_TILETOHOST_EMITTER_H
