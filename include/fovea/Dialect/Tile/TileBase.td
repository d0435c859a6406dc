// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The tile dialect: how one query tile is computed, for every target.
#ifndef FOVEA_DIALECT_TILE_TILEBASE_TD
#define FOVEA_DIALECT_TILE_TILEBASE_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def TileDialect : Dialect {
  let name = "tile";
  let cppNamespace = "::fovea::tile";
  let summary = "The online-softmax loop on tiles, independent of the target";
  let description = [{
    One `tile.kernel` is the program of one work item: one tile of queries of one
    head of one batch. It loads the query tile, walks the key tiles that the mask
    can reach (`tile.keys`), folds each into the online softmax, and stores the
    output and the log-sum-exp. Where a tile lives (registers of a warp, L1 of a
    core) and how keys and values arrive (`cp.async`, packing) is decided below
    this dialect.

    Scalars are `i32` for positions and lengths (lengths are below 2^30, so no sum
    of two overflows), `i64` for the pattern's integers and `f32` for scores.
    Scores are base-2 logits: log2(e) is already in them.
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::scf::SCFDialect"];
}

class TileTypeDef<string name, string typeMnemonic> : TypeDef<TileDialect, name> {
  let mnemonic = typeMnemonic;
}

def TileType : TileTypeDef<"Tile", "tile"> {
  let summary = "a matrix of `rows` x `cols` elements that one work item holds";
  let description = [{
    `!tile.tile<128x64xf32>`. A value, not memory. `Rx1` is one number a row.
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$cols, "::mlir::Type":$elementType);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def ViewType : TileTypeDef<"View", "view"> {
  let summary = "the rows of one head in memory: [N, cols], last dimension dense";
  let description = [{
    `!tile.view<64xbf16>`. The length and the row stride are run-time values that
    belong to the kernel's parameters.
  }];
  let parameters = (ins "int64_t":$cols, "::mlir::Type":$elementType);
  let hasCustomAssemblyFormat = 1;
}

def AlignmentAttr : I32EnumAttr<"Alignment", "how unequal lengths line up", [
    I32EnumAttrCase<"End", 0, "end">, I32EnumAttrCase<"Start", 1, "start">]> {
  let cppNamespace = "::fovea::tile";
}

def ScheduleAttr : AttrDef<TileDialect, "Schedule"> {
  let mnemonic = "schedule";
  let summary = "sizes that the chooser picked for one target";
  let description = [{
    `rows` queries by `keys` keys a tile; `stages` tiles of K and V in flight;
    `warps` share the rows of a tile (1 on the host).
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$keys, "int64_t":$stages, "int64_t":$warps);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

#endif
