// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The pass convert-attn-to-tile.
#ifndef FOVEA_CONVERSION_ATTNTOTILE_H
#define FOVEA_CONVERSION_ATTNTOTILE_H

#include "mlir/Pass/Pass.h"

namespace fovea {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "fovea/Conversion/AttnToTile.h.inc"

} // namespace fovea

#endif // FOVEA_CONVERSION_ATTNTOTILE_H
