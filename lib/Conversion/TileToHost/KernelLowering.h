// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One tile.kernel becomes two functions: the kernel, and the one that counts
// its tiles. Both have the same prologue, which finds the work item and its
// views.
#ifndef FOVEA_LIB_CONVERSION_TILETOHOST_KERNELLOWERING_H
#define FOVEA_LIB_CONVERSION_TILETOHOST_KERNELLOWERING_H

#include "Softmax.h"
#include "fovea/Dialect/Tile/TileWalk.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace fovea::host {

/// The ops of a kernel in the one form that the host compiles: scores, softmax,
/// rescaled output. `match` reports what it finds instead.
struct KernelShape {
  tile::LoadOp queries;
  tile::KeysOp keys;
  tile::DotOp scores, output;
  tile::OnlineSoftmaxOp softmax;
  tile::RescaleOp rescale;
  tile::StoreResultOp store;

  static mlir::FailureOr<KernelShape> match(tile::KernelOp kernel);
};

/// Hands out scratch memory; every piece starts a cache line.
class ScratchLayout {
public:
  int64_t take(int64_t bytes) {
    int64_t at = size;
    size += llvm::alignTo(bytes, 64);
    return at;
  }
  int64_t bytes() const { return size; }

private:
  int64_t size = 0;
};

/// What the prologue of either function makes known.
struct WorkItem {
  mlir::IRMapping scalars; ///< of the kernel's scalar values
  Rows q, k, v, o;         ///< this head's views; q and o start at the tile
  mlir::Value lse;         ///< pointer to the tile's first LSE; null if absent
  mlir::Value hasLSE;      ///< i1
  mlir::Value rows;        ///< i64: how many rows of the tile are within nq
};

/// Emits `void name(params, block, scratch)`, and notes the bytes of scratch in
/// the attribute `fovea.scratch_bytes`.
void emitKernelFunction(Emitter &e, tile::KernelOp kernel,
                        const KernelShape &shape);

/// Emits `void name_tiles(params, block, counts)`.
void emitTilesFunction(Emitter &e, tile::KernelOp kernel,
                       const KernelShape &shape);

// Shared by both.
mlir::func::FuncOp emitFunctionHeader(Emitter &e, tile::KernelOp kernel,
                                      llvm::StringRef suffix);
WorkItem emitPrologue(Emitter &e, tile::KernelOp kernel,
                      mlir::func::FuncOp function);
/// Clones the scalar operations of `block` that are not tile ops.
void cloneScalars(Emitter &e, mlir::Block &block, mlir::IRMapping &scalars);
/// i32 vectors of `first` + the rows of a panel; rows past the item repeat the
/// last.
llvm::SmallVector<mlir::Value> emitPositions(Emitter &e, mlir::Value first,
                                             mlir::Value panelRow,
                                             mlir::Value rows);
/// for (tile : the walk) body(column, masked).
void emitWalk(Emitter &e, tile::KeysOp keys, const mlir::IRMapping &scalars,
              llvm::function_ref<void(mlir::Value, mlir::Value)> body);

} // namespace fovea::host

#endif // FOVEA_LIB_CONVERSION_TILETOHOST_KERNELLOWERING_H
