// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The steps of a host kernel, each a function that emits one loop nest.
//
// Everything is transposed: lanes are queries. A panel holds `panel` queries
// (see Geometry) and a matrix over a panel is [columns][panel] f32, dense, so
// that a row's maximum, sum and rescaling are vertical vector operations, a
// broadcast scalar of K or V meets a vector of queries, and nothing is ever
// shuffled but the queries on the way in and the output on the way out:
//
//   S^T [keys][panel] = K [keys][D] Q^T [D][panel]
//   O^T [E][panel]   += V^T [E][keys] P^T [keys][panel]      (P^T overwrites
//   S^T)
//
// The keys of a tile are reached through a list of row numbers. Where the mask
// is not looked at it is 0, 1, 2, …; where it is, it holds the keys that some
// query of the panel keeps. Dropped keys then cost nothing, are not read (they
// may lie past the end, or hold NaN), and S^T and P^T have `count` rows.
#ifndef FOVEA_LIB_CONVERSION_TILETOHOST_STEPS_H
#define FOVEA_LIB_CONVERSION_TILETOHOST_STEPS_H

#include "Emitter.h"

namespace fovea::host {

/// Rows in memory: the element at (i, j) is base[i * stride + j].
struct Rows {
  mlir::Value base;   ///< pointer
  mlir::Value stride; ///< i64, in elements
  mlir::Type element; ///< f32, f16 or bf16
};

/// The rows of a key tile that matter, as i64 numbers, and how many (at least
/// 1).
struct KeyList {
  mlir::Value rows;
  mlir::Value count;
};

/// `count` rows [i0, …) of `from` as panels [ceil(count /
/// panel)][columns][panel] f32 in `to`; missing rows of the last panel repeat
/// the last one.
void emitPackQueries(Emitter &e, Rows from, mlir::Value count, int64_t columns,
                     mlir::Value to);

/// The first `count` rows of `from`, converted, as [count][columns] f32 in
/// `to`.
void emitWidenRows(Emitter &e, Rows from, mlir::Value count, int64_t columns,
                   mlir::Value to);

/// The first `count` rows of `to` become those of panels [columns][panel] at
/// `from`, each times its own factor (`factors`: f32 [rows]).
void emitUnpackOutput(Emitter &e, mlir::Value from, mlir::Value factors,
                      mlir::Value count, int64_t columns, Rows to);

/// S^T of one panel: scores[j] = <key list[j], queries>. Returns for each
/// vector of queries the largest score, NaN ignored (minus infinity if all are
/// NaN).
llvm::SmallVector<mlir::Value> emitScoreProduct(Emitter &e, Rows keys,
                                                KeyList list, int64_t columns,
                                                mlir::Value queries,
                                                mlir::Value scores);

/// O^T of one panel: output = output * rescale + V^T P^T, where row j of
/// `probabilities` belongs to row list[j] of `values`.
void emitOutputProduct(Emitter &e, Rows values, KeyList list, int64_t columns,
                       mlir::Value probabilities, mlir::Value output,
                       llvm::ArrayRef<mlir::Value> rescale);

/// 2^x for vectors of x below 127: relative error below 2e-7; 0 below -126.5
/// and at minus infinity, exactly 1 at 0, NaN at NaN.
mlir::Value emitExp2(Emitter &e, mlir::Value x);

} // namespace fovea::host

#endif // FOVEA_LIB_CONVERSION_TILETOHOST_STEPS_H
