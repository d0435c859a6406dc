// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Passes that make host code of the tile dialect; Passes.td describes them.
#ifndef FOVEA_CONVERSION_TILETOHOST_PASSES_H
#define FOVEA_CONVERSION_TILETOHOST_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace fovea {

#define GEN_PASS_DECL
#include "fovea/Conversion/TileToHost/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "fovea/Conversion/TileToHost/Passes.h.inc"

} // namespace fovea

#endif // FOVEA_CONVERSION_TILETOHOST_PASSES_H
