// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The tile dialect: the online-softmax loop on tiles. See TileOps.td.
#ifndef FOVEA_DIALECT_TILE_TILE_H
#define FOVEA_DIALECT_TILE_TILE_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "fovea/Dialect/Tile/TileDialect.h.inc"
#include "fovea/Dialect/Tile/TileEnums.h.inc"

#define GET_TYPEDEF_CLASSES
#include "fovea/Dialect/Tile/TileTypes.h.inc"
#define GET_ATTRDEF_CLASSES
#include "fovea/Dialect/Tile/TileAttrs.h.inc"
#define GET_OP_CLASSES
#include "fovea/Dialect/Tile/TileOps.h.inc"

namespace fovea::tile {

/// Past every key: lengths are below 2^30, so positions and this fit in i32
/// and so does the sum of any two of them.
constexpr int32_t endOfKeys = 1 << 30;

} // namespace fovea::tile

#endif // FOVEA_DIALECT_TILE_TILE_H
