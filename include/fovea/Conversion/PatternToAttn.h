// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From a checked pattern to one attn.kernel.
#ifndef FOVEA_CONVERSION_PATTERNTOATTN_H
#define FOVEA_CONVERSION_PATTERNTOATTN_H

#include "fovea/Pattern/AST.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <string_view>

namespace fovea {

/// A module with one attn.kernel named after the pattern. Operations carry the
/// pattern's locations in `file`. The context must have the attn dialect
/// loaded.
mlir::OwningOpRef<mlir::ModuleOp> importPattern(mlir::MLIRContext &context,
                                                const pattern::Pattern &pattern,
                                                std::string_view file);

} // namespace fovea

#endif // FOVEA_CONVERSION_PATTERNTOATTN_H
