// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The one place that knows every dialect and pass.
#include "fovea/Pipelines/Registration.h"

#include "fovea/Conversion/AttnToTile.h"
#include "fovea/Conversion/TileToHost/Passes.h"
#include "fovea/Conversion/TileToNVVM.h"
#include "fovea/Dialect/Attn/Attn.h"
#include "fovea/Dialect/Tile/Tile.h"
#include "fovea/Dialect/Tile/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Transforms/Passes.h"

void fovea::registerAllDialects(mlir::DialectRegistry &registry) {
  registry.insert<attn::AttnDialect, tile::TileDialect,
                  mlir::arith::ArithDialect, mlir::func::FuncDialect,
                  mlir::LLVM::LLVMDialect, mlir::NVVM::NVVMDialect,
                  mlir::math::MathDialect, mlir::memref::MemRefDialect,
                  mlir::scf::SCFDialect, mlir::vector::VectorDialect>();
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
  mlir::registerNVVMDialectTranslation(registry);
}

void fovea::registerAllPasses() {
  registerConvertAttnToTilePass();
  tile::registerFoveaTilePasses();
  registerTileToHostPasses();
  registerFoveaTileToNVVMPasses();
  mlir::registerTransformsPasses();
  mlir::PassPipelineRegistration<>(
      "tile-to-nvvm-pipeline", "tile to the LLVM dialect, for PTX",
      [](mlir::OpPassManager &pm) { buildTileToNVVMPipeline(pm); });
}
