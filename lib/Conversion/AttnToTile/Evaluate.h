// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Emitting the value of attn's expressions inside a tile.kernel.
//
// An expression without q and k has one value a work item and is computed
// before the walk (KernelUniforms). One with q or k is computed where a pair is
// at hand (PairEvaluator), reading the uniform parts from outside. In a pair,
// integers are i32 wherever every step provably fits, because vectors of i64
// are slow on every target; positions are below 2^30 in magnitude.
#ifndef FOVEA_LIB_CONVERSION_ATTNTOTILE_EVALUATE_H
#define FOVEA_LIB_CONVERSION_ATTNTOTILE_EVALUATE_H

#include "fovea/Dialect/Attn/Attn.h"
#include "fovea/Dialect/Tile/Tile.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

namespace fovea {

/// Visits `root` after all it is computed from, without recursion (a sum may
/// have any number of terms); `known` values and what is behind them are left
/// out. After visit(v), v is known.
void visitOperandsFirst(mlir::Value root,
                        llvm::function_ref<bool(mlir::Value)> known,
                        llvm::function_ref<void(mlir::Value)> visit);

/// What is known of every value in a kernel's body.
class Facts {
public:
  /// Bounds of an integer that stays inside i32 at every step.
  struct Range {
    int64_t low, high;
  };

  explicit Facts(attn::KernelOp kernel);

  /// Its value differs from pair to pair; otherwise it is uniform.
  bool needsPair(mlir::Value value) const { return pairs.contains(value); }
  std::optional<Range> range(mlir::Value value) const;

private:
  std::optional<Range> computeRange(mlir::Operation *op) const;

  llvm::DenseSet<mlir::Value> pairs;
  llvm::DenseMap<mlir::Value, Range> ranges;
};

/// Values of a work item, emitted before `anchor` in the tile.kernel.
class KernelUniforms : public attn::Uniforms {
public:
  KernelUniforms(attn::KernelOp source, tile::KernelOp target,
                 mlir::Operation *anchor);

  mlir::Value integer(mlir::Value expression) override;
  mlir::Value bound(mlir::Value expression) override;
  llvm::ArrayRef<mlir::Value>
  once(mlir::Operation *op,
       llvm::function_ref<llvm::SmallVector<mlir::Value>(attn::Emit &)> emit)
      override;

  /// The value of a uniform expression of any type.
  mlir::Value value(mlir::Value expression);
  /// slope(h) of attn.alibi, f32.
  mlir::Value alibiSlope();
  /// Emits at the anchor.
  attn::Emit emitter();

  const Facts facts;

private:
  mlir::Value variable(attn::Variable variable);
  mlir::Value emit(mlir::Value expression);

  attn::KernelOp source;
  tile::KernelOp target;
  mlir::OpBuilder builder;
  llvm::DenseMap<mlir::Value, mlir::Value> values, bounds;
  llvm::DenseMap<mlir::Operation *, llvm::SmallVector<mlir::Value>> onces;
  mlir::Value slope;
};

/// Values at one pair (q, k), emitted at `emit`. One for each region.
class PairEvaluator {
public:
  PairEvaluator(attn::Emit &emit, KernelUniforms &uniforms, mlir::Value query,
                mlir::Value key)
      : emit(emit), uniforms(uniforms), query(query), key(key) {}

  /// The value of an integer expression, i64.
  mlir::Value integer(mlir::Value expression);
  /// Whether the mask keeps the pair, i1.
  mlir::Value keeps(mlir::Value mask);

  attn::Emit &emit;
  KernelUniforms &uniforms;
  mlir::Value query, key; ///< i32

private:
  mlir::Value narrow(mlir::Value expression);
  mlir::Value emitNarrow(mlir::Value expression);
  mlir::Value emitWide(mlir::Value expression);

  llvm::DenseMap<mlir::Value, mlir::Value> integers, narrowed, masks;
};

/// The score times log2(e) at one pair; `dot` is the product without its scale.
mlir::Value emitScore(PairEvaluator &pair, mlir::Value score, mlir::Value dot);

} // namespace fovea

#endif // FOVEA_LIB_CONVERSION_ATTNTOTILE_EVALUATE_H
