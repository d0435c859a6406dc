// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Clones an element region (a score or a mask of one query and one key) for a
// panel of queries and one key.
//
// What an operation depends on decides its form. Of neither query nor key, or
// of the query alone: emitted once, before the loop over keys. Of the key
// alone: a scalar in the loop. Of both: one vector operation for each vector of
// queries. So for `k <= q + w` the loop holds a broadcast of k and a
// comparison.
#ifndef FOVEA_LIB_CONVERSION_TILETOHOST_ELEMENTREGION_H
#define FOVEA_LIB_CONVERSION_TILETOHOST_ELEMENTREGION_H

#include "Emitter.h"
#include "mlir/IR/IRMapping.h"

namespace fovea::host {

class ElementRegion {
public:
  /// `outer` maps what the region captures to scalars of the function. The
  /// region's arguments are [score,] query, key; every key is below `length`.
  ElementRegion(mlir::Region &region, const mlir::IRMapping &outer,
                mlir::Value length);

  /// Emits what does not depend on the key. `queries`: i32 vectors of the
  /// panel.
  void prepare(Emitter &e, llvm::ArrayRef<mlir::Value> queries);

  /// Emits the rest for `key` (i32), and `scores` if the region takes a score;
  /// returns what it yields, a vector for each vector of queries.
  llvm::SmallVector<mlir::Value> emit(Emitter &e, mlir::Value key,
                                      llvm::ArrayRef<mlir::Value> scores = {});

private:
  enum : unsigned { OnKey = 1, OnLane = 2 };
  using Lanes = llvm::SmallVector<mlir::Value>;

  unsigned dependence(mlir::Value value) const;
  unsigned dependence(mlir::Operation &op) const;
  void classify(mlir::Block &block);
  bool isBelowLength(mlir::Operation &op) const;
  void emitOp(Emitter &e, mlir::Operation &op);
  void emitFor(Emitter &e, mlir::scf::ForOp op);
  Lanes lanesOf(Emitter &e, mlir::Value value);

  mlir::Block &block;
  mlir::Value length;
  mlir::IRMapping scalars;
  llvm::DenseMap<mlir::Value, Lanes> vectors;
  llvm::DenseMap<mlir::Value, unsigned> depends;
};

} // namespace fovea::host

#endif // FOVEA_LIB_CONVERSION_TILETOHOST_ELEMENTREGION_H
