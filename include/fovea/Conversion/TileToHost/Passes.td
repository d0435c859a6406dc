// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Passes that make host code of the tile dialect.
#ifndef FOVEA_CONVERSION_TILETOHOST_PASSES_TD
#define FOVEA_CONVERSION_TILETOHOST_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertTileToHostPass : Pass<"convert-tile-to-host", "::mlir::ModuleOp"> {
  let summary = "lower tile kernels to vectors of queries and LLVM pointers";
  let description = [{
    Replaces each `tile.kernel @name` by two functions,

        void name(void *const *params, const int32_t *block, void *scratch)
        void name_tiles(void *const *params, const int32_t *block, int64_t *counts)

    as docs/bundle.md describes them. The bytes of scratch that the first one needs are its
    attribute `fovea.scratch_bytes`. See docs/host-backend.md for the shape of the code.
  }];
  let options = [
    Option<"lanes", "lanes", "int64_t", "8",
           "f32 lanes of a vector register: 8 (AVX2) or 16 (AVX-512)">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def ExpandHostMathPass : Pass<"expand-host-math"> {
  let summary = "expand functions and vector divisions that no instruction computes";
  let description = [{
    Expands exp, exp2, log, log2 and tanh of f32 into arithmetic, and divisions of i32
    vectors by a run-time divisor into those of f64.

    Host code calls no library, so that a kernel is one self-contained object, and a
    vector function stays a vector function. Relative errors are below 1e-6; zeros,
    infinities and NaN give what the C functions give (log takes subnormals for the
    smallest normal number).
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::vector::VectorDialect"];
}

#endif
