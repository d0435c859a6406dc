// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef FOVEA_CONVERSION_ATTNTOTILE_TD
#define FOVEA_CONVERSION_ATTNTOTILE_TD

include "mlir/Pass/PassBase.td"

def ConvertAttnToTilePass : Pass<"convert-attn-to-tile", "::mlir::ModuleOp"> {
  let summary = "turn every attn.kernel into the tile.kernel of one work item";
  let description = [{
    The masks' classes of runs become the walk of `tile.keys`, their predicates the
    `keep` region of the online softmax, and the score, in base 2, its `score` region.
    The options are the schedule.
  }];
  let options = [
    Option<"rows", "rows", "int64_t", "64", "queries of a tile">,
    Option<"keys", "keys", "int64_t", "64", "keys of a tile">,
    Option<"stages", "stages", "int64_t", "2", "tiles of K and V in flight">,
    Option<"warps", "warps", "int64_t", "4", "warps that share the rows">];
  let dependentDialects = ["::fovea::tile::TileDialect", "::mlir::scf::SCFDialect",
                           "::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

#endif
