// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The way from tile to the LLVM dialect, as one list of passes.
#include "fovea/Conversion/TileToNVVM.h"
#include "fovea/Dialect/Tile/Transforms/Passes.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void fovea::buildTileToNVVMPipeline(OpPassManager &pm, bool packedOnly) {
  pm.addPass(tile::createExpandSoftmaxPass());
  ConvertTileToNVVMPassOptions options;
  options.packedOnly = packedOnly;
  pm.addPass(createConvertTileToNVVMPass(options));
  // Function by function, so that the two entries are lowered side by side.
  OpPassManager &functions = pm.nest<LLVM::LLVMFuncOp>();
  functions.addPass(createConvertMathToPTXPass());
  functions.addPass(createSCFToControlFlowPass());
  functions.addPass(createConvertMathToLLVMPass());
  functions.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
}
