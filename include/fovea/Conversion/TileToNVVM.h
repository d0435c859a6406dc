// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// tile to NVVM, for sm_80 and later. See TileToNVVM/Passes.td.
#ifndef FOVEA_CONVERSION_TILETONVVM_H
#define FOVEA_CONVERSION_TILETONVVM_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir {
class OpPassManager;
}

namespace fovea {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "fovea/Conversion/TileToNVVM/Passes.h.inc"

/// Everything from tile.kernel (with tile.online_softmax) to the LLVM dialect.
/// `packedOnly`: where there is an entry for aligned rows, it is the only one.
void buildTileToNVVMPipeline(mlir::OpPassManager &pm, bool packedOnly = false);

} // namespace fovea

#endif // FOVEA_CONVERSION_TILETONVVM_H
