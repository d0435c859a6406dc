// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How a mask is asked about pairs and about runs of keys.
//
// For one tile of queries a mask is a step function over the keys with three
// values: empty (no row keeps the key), full (every row does), partial. It is
// represented by a probe: for a key, the value there and how far it holds (a
// "run"). Probes compose by Kleene's three-valued logic, with
//
//     any(a & b) = any a & any b      all(a & b) = all a & all b
//     any(a | b) = any a | any b      all(a | b) = all a | all b
//     any(~a)    = ~all a             all(~a)    = ~any a
//     until      = the smaller of the two
//
// so no list of ranges is ever built, sorted or stored, and a union of any
// number of ranges is walked in order by asking for the run at the end of the
// last one. Example: window(64, 0) | sink(4), rows 256..319. The run at key 0
// is full until 4, at 4 empty until 192 (jumped over), at 192 partial until 255
// (which all rows keep), at 255 full until 257, at 257 partial until 320, and
// then empty for ever.
//
// Positions are i32: lengths are below 2^30, so |q|, |k| and |q - k| are too,
// and bounds clamped to [-2^30, 2^30 - 1] compare as the 64-bit originals
// would.
#ifndef FOVEA_DIALECT_ATTN_MASKCONTEXT_H
#define FOVEA_DIALECT_ATTN_MASKCONTEXT_H

#include "fovea/Dialect/Attn/Emit.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"

namespace fovea::attn {

/// Past every key.
constexpr int64_t endOfKeys = int64_t(1) << 30;

/// The class of the keys from the one asked about to `until` (exclusive).
struct Run {
  mlir::Value any;   ///< i1: some row keeps some of them.
  mlir::Value all;   ///< i1: every row keeps every one.
  mlir::Value until; ///< i32
};

/// Values that are the same for a whole query tile.
class Uniforms {
public:
  virtual ~Uniforms() = default;
  /// The value (i64) of an expression without q and k; computed once a tile.
  virtual mlir::Value integer(mlir::Value expression) = 0;
  /// The same clamped to [-2^30, 2^30 - 1], i32.
  virtual mlir::Value bound(mlir::Value expression) = 0;
  /// Emits code once, before the walk; `emit` is positioned there. The values
  /// are remembered for `op`.
  virtual llvm::ArrayRef<mlir::Value>
  once(mlir::Operation *op,
       llvm::function_ref<llvm::SmallVector<mlir::Value>(Emit &)> emit) = 0;

  mlir::Value head, kvHead; ///< i32
  mlir::Value numKeys;      ///< i32
  mlir::Value firstQuery,
      lastQuery;    ///< i32: positions of the tile's valid rows.
  int64_t rows = 0; ///< rows of a tile, at most.
};

struct TileContext {
  Uniforms &uniforms;
  mlir::Value key; ///< i32: where the run begins.
};

struct ElementContext {
  Uniforms &uniforms;
  mlir::Value query, key; ///< i32
  /// The value (i64) of an expression at this pair.
  llvm::function_ref<mlir::Value(mlir::Value)> integer;
};

/// Does the expression (i64) read q or k?
bool readsPosition(mlir::Value expression);

/// The first of `boundaries` (i32) after the key, else the end of all keys.
mlir::Value nextBoundary(Emit &emit, mlir::Value key,
                         llvm::ArrayRef<mlir::Value> boundaries);

/// The run of a mask that keeps, for query q, the keys from lo(q) up to hi(q)
/// (exclusive), both not decreasing in q; given at the first and the last
/// query. A missing bound is infinite. Exact if the interval of a query meets
/// or touches that of the next; where all of them may be empty instead,
/// `notEmpty` (i1, or null for true) says that they are not.
struct Interval {
  mlir::Value loFirst, loLast, hiFirst, hiLast, notEmpty;
};
Run classifyInterval(Emit &emit, mlir::Value key, const Interval &interval);

/// The run of q - left <= k <= q + right (i32, clamped as Uniforms::bound
/// does); null is infinite.
Run classifyBand(Emit &emit, const TileContext &tile, mlir::Value left,
                 mlir::Value right);

/// left + right >= 0: whether a band (of positions or blocks) keeps something
/// for a query far from the ends; null where a bound is infinite.
mlir::Value bandNotEmpty(Emit &emit, mlir::Value left, mlir::Value right);

/// Folds a band of positions or blocks that keeps everything (no bounds) or
/// nothing (a constant bound of -2^30 or less, or constant bounds with left +
/// right < 0). `left` and `right` are the operands, null for infinite.
mlir::OpFoldResult foldBand(mlir::MLIRContext *context, mlir::Value left,
                            mlir::Value right, mlir::Attribute constantLeft,
                            mlir::Attribute constantRight);

} // namespace fovea::attn

#endif // FOVEA_DIALECT_ATTN_MASKCONTEXT_H
