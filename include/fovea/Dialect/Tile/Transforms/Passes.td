// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Passes from tile to tile.
#ifndef FOVEA_DIALECT_TILE_TRANSFORMS_PASSES_TD
#define FOVEA_DIALECT_TILE_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def ExpandSoftmaxPass : Pass<"tile-expand-softmax"> {
  let summary = "spell tile.online_softmax out as arithmetic on tiles";
  let description = [{
    Rewrites the update with a lazy reference: m is not the exact maximum but one
    that no score exceeds by more than `slack` (in log2 units). Only when some
    score does are m, l and the output moved. exp2(x - m) stays below 2^slack, and
    O = o / l and LSE = m + log2 l do not depend on m.
  }];
  let options = [
    Option<"slack", "slack", "double", "8.0",
           "how far a score may lie above the reference (0: exact maximum)">
  ];
  let dependentDialects = ["mlir::arith::ArithDialect", "mlir::math::MathDialect",
                           "mlir::scf::SCFDialect"];
}

#endif
