// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Finding the next key tile worth visiting.
//
// The walk region of tile.keys answers for one key: does any row of the query
// tile keep it, do all, and up to which key does that answer hold (a "run").
// Every target needs the same loop on top of it:
//
//   next(t):  while t < length:
//               any, all, u = false, true, t
//               do { r = walk(u); any |= r.any; all &= r.all; u = r.until }
//               while u < min(t + keys, length)
//               if any: return t, masked = not all or t + keys > length
//               t = u rounded down to a multiple of keys (past t, or the end)
//             return t (>= length)
//
// Example: causal, query rows 64..127, keys = 64, length 1000. next(0) = 0 not
// masked, next(64) = 64 masked, and next(128) jumps to 2^30 in one step,
// because the run that begins at key 128 is empty until the end.
#ifndef FOVEA_DIALECT_TILE_TILEWALK_H
#define FOVEA_DIALECT_TILE_TILEWALK_H

#include "fovea/Dialect/Tile/Tile.h"
#include "mlir/IR/Builders.h"

namespace fovea::tile {

struct NextTile {
  mlir::Value
      column; ///< i32: first key of the tile; at least `length` if none.
  mlir::Value masked; ///< i1: the mask has to be evaluated.
  mlir::Value until; ///< i32: where no mask is needed in [column, length), none
                     ///< is needed in [column, min(until, length)) either.
};

/// Emits next(`from`) for the walk of `keys` as scf.while loops. `from` is an
/// i32 multiple of the schedule's keys; `mapping` maps what the walk region
/// captures.
NextTile emitNextTile(mlir::OpBuilder &builder, mlir::Location loc, KeysOp keys,
                      mlir::Value from, const mlir::IRMapping &mapping);

} // namespace fovea::tile

#endif // FOVEA_DIALECT_TILE_TILEWALK_H
