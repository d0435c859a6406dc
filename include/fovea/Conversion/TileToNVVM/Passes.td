// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From tile to NVVM.
#ifndef FOVEA_CONVERSION_TILETONVVM_PASSES_TD
#define FOVEA_CONVERSION_TILETONVVM_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertTileToNVVMPass : Pass<"convert-tile-to-nvvm", "::mlir::ModuleOp"> {
  let summary = "one tile.kernel to kernels of one block a query tile (sm_80)";
  let description = [{
    Tiles become the registers of a lane (the layouts of mma.sync) and shared memory;
    the online softmax has to be expanded before (tile-expand-softmax). The result is
    llvm.func with nvvm, llvm, arith, math and scf inside.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect",
                           "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::scf::SCFDialect"];
  let options = [
    Option<"packedOnly", "packed-only", "bool", /*default=*/"false",
           "Leave out the entry for any strides where there is one for aligned rows">
  ];
}

def ConvertMathToPTXPass : Pass<"convert-math-to-ptx"> {
  let summary = "math functions on f32 by the approximations of the special function unit";
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect"];
}

#endif
