// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The online softmax of one panel of queries and one key tile.
//
// The recurrence is that of tile.online_softmax (TileOps.td): x a base-2 logit,
// m' = max(m, max x), a = 2^(m - m'), p = 2^(x - m'), l' = l a + sum p. Where
// m' is minus infinity the reference is 0, so that p and a are 0 and nothing is
// NaN. Rounding m' does no harm: it is only a reference, used alike everywhere.
//
// Passes over the scores, all on a slice that stays in L1: the product itself
// (which also takes the raw maximum), one that applies score and mask where
// there is either, and one that exponentiates and sums. If the score is a plain
// factor c, 2^(s c - m') is one multiply-add and the second pass is left out.
#ifndef FOVEA_LIB_CONVERSION_TILETOHOST_SOFTMAX_H
#define FOVEA_LIB_CONVERSION_TILETOHOST_SOFTMAX_H

#include "Steps.h"
#include "fovea/Dialect/Tile/Tile.h"
#include "mlir/IR/IRMapping.h"

namespace fovea::host {

/// The masks that belong to a key list: [count][panel] i32, all ones or zero.
struct MaskedKeys {
  KeyList list;
  mlir::Value masks;
};

/// Evaluates the mask of keys [`column`, `column` + `count`) for the `queries`
/// of a panel, and lists the keys that some query keeps. Returns their number.
mlir::Value emitMaskPass(Emitter &e, tile::OnlineSoftmaxOp op,
                         const mlir::IRMapping &scalars,
                         llvm::ArrayRef<mlir::Value> queries,
                         mlir::Value column, mlir::Value count, MaskedKeys to);

/// The factor c of a score that is a plain factor, as a vector; else null. The
/// state's maximum times c is the base-2 logit.
mlir::Value emitPureScale(Emitter &e, tile::OnlineSoftmaxOp op);

struct SoftmaxInput {
  llvm::ArrayRef<mlir::Value> queries; ///< i32 vectors: positions of the panel
  mlir::Value column;                  ///< i32: first key of the tile
  mlir::Value masked; ///< i1: whether the masks are to be applied
  MaskedKeys keys;
  mlir::Value scores; ///< pointer: S^T, becomes P^T
  llvm::ArrayRef<mlir::Value> rawMax;
  llvm::ArrayRef<mlir::Value> max, sum; ///< state before
};

struct SoftmaxResult {
  llvm::SmallVector<mlir::Value> max, sum, rescale;
};

SoftmaxResult emitSoftmax(Emitter &e, tile::OnlineSoftmaxOp op,
                          const mlir::IRMapping &scalars,
                          const SoftmaxInput &in);

/// Adds up the kept pairs of keys [`column`, `column` + `count`) over the rows
/// of a panel for which `valid` (i1 vectors) holds: i64.
mlir::Value emitCountKept(Emitter &e, tile::OnlineSoftmaxOp op,
                          const mlir::IRMapping &scalars,
                          llvm::ArrayRef<mlir::Value> queries,
                          llvm::ArrayRef<mlir::Value> valid, mlir::Value column,
                          mlir::Value count);

} // namespace fovea::host

#endif // FOVEA_LIB_CONVERSION_TILETOHOST_SOFTMAX_H
