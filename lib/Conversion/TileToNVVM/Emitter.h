// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The lowering of one tile.kernel: what every part of it shares.
//
// A tile is spread over the lanes of the warps. Warp w holds rows w R .. w R +
// R - 1 (R = 16 times `rowBlocks`), and of each tile every lane holds a few
// rows by a few columns, its *fragment*. With g = lane / 4 and t = lane % 4:
//
//   rows     fragment row r is g + 8 (r % 2) + 16 (r / 2) of the warp's rows;
//   columns  pairs: fragment column c is 2 t + c % 2 + 8 (c / 2);
//            quads: fragment column c is 4 t + c % 4 + 16 (c / 4).
//
// Pairs are the accumulator of mma.m16n8 (PTX ISA, "Matrix Fragments for
// mma.m16n8k16"): c0, c1 are row g, c2, c3 row g + 8. They are its A operand as
// well: the columns 16 k .. 16 k + 15 of rows g and g + 8, two to a register,
// are a0..a3 of step k. So the scores become the operand of P V without leaving
// the registers. Quads hold the f32 output, which is summed by FMAs and read
// and stored by 16 bytes.
#ifndef FOVEA_CONVERSION_TILETONVVM_EMITTER_H
#define FOVEA_CONVERSION_TILETONVVM_EMITTER_H

#include "fovea/Dialect/Tile/Tile.h"
#include "fovea/Target/PTX/KernelPlan.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/DenseMap.h"

namespace fovea::ptx {

enum class Columns { Pairs, Quads };

/// One lane's part of a tile value.
struct Fragment {
  enum Kind {
    Matrix, ///< f32, rows x cols values, row-major
    Packed, ///< i32 of two 16-bit elements, rows x cols / 2 values, row-major
    Vector, ///< f32, one a row; the four lanes of a row hold the same value,
            ///< or, if `partial`, parts whose sum is the value
    Shared, ///< a tile in shared memory, `values` = {byte offset of its start}
  };
  Kind kind = Matrix;
  int64_t rows = 0, cols = 0;
  Columns columns = Columns::Pairs;
  bool partial = false;
  SharedTile tile;
  llvm::SmallVector<mlir::Value> values;

  mlir::Value at(int64_t r, int64_t c) const { return values[r * cols + c]; }
  mlir::Value pair(int64_t r, int64_t p) const {
    return values[r * cols / 2 + p];
  }
};

/// A head of Q, K, V, O or LSE in global memory.
struct View {
  mlir::Value base;   ///< pointer to its first row
  mlir::Value stride; ///< i64, bytes from row to row
  int64_t cols = 0;
};

class Emitter {
public:
  Emitter(tile::KernelOp kernel, const KernelPlan &plan, bool general,
          mlir::OpBuilder &builder)
      : kernel(kernel), plan(plan), general(general), b(builder),
        loc(kernel.getLoc()) {}

  /// Emits the function of this entry at the builder's insertion point.
  mlir::LogicalResult emit(llvm::StringRef name);

private:
  friend class ElementRegion;

  tile::KernelOp kernel;
  const KernelPlan &plan;
  bool general; ///< rows are not 16-byte aligned: copy by elements
  mlir::OpBuilder &b;
  mlir::Location loc;

  mlir::Block *entryBlock = nullptr;
  llvm::DenseMap<mlir::Attribute, mlir::Value> constants; ///< see constant()
  mlir::IRMapping scalars; ///< values of the kernel that are not tiles
  llvm::DenseMap<mlir::Value, Fragment> tiles;
  llvm::DenseMap<mlir::Value, View> views;
  llvm::SmallVector<mlir::Value> pendingQueries; ///< loads not yet waited for
  llvm::DenseSet<mlir::Value> partialSums; ///< kept as parts until the end
  mlir::Value tid, lane, warp, group,
      inGroup;                         ///< i32; lane = 4 group + inGroup
  mlir::Value warpRow;                 ///< first row of this warp in the tile
  mlir::Value laneRow;                 ///< row of fragment row 0
  mlir::Value shared;                  ///< the dynamic shared memory
  mlir::Value batch, head, numQueries; ///< i32

  /// What to do once the scores of a tile are computed: start the next copies.
  std::function<void()> afterScores;
  void runAfterScores();

  // Entry.cpp: the function, its parameters and what is known at its start.
  mlir::LLVM::LLVMFuncOp createFunction(llvm::StringRef name);
  void bindArguments(mlir::Block &entry);
  void placeThread(mlir::Value threadId);
  /// Derives the thread's place anew from its index, so that what follows from
  /// it is computed here rather than kept in registers.
  void placeThreadAgain();
  View viewOf(mlir::Block &entry, unsigned pointer, mlir::Value index,
              mlir::Type element);

  // TileToNVVM.cpp: one op after the other.
  mlir::LogicalResult emitBlock(mlir::Block &block);
  mlir::LogicalResult emitOp(mlir::Operation *op);
  mlir::LogicalResult emitTileOp(mlir::Operation *op);
  mlir::LogicalResult emitIf(mlir::Operation *op);
  mlir::LogicalResult emitLoad(tile::LoadOp op);
  mlir::Value lookup(mlir::Value scalar) {
    return scalars.lookupOrDefault(scalar);
  }

  // Values.cpp: small helpers.
  mlir::Value constant(mlir::TypedAttr value);
  mlir::Value i32(int64_t value);
  mlir::Value i64(int64_t value);
  mlir::Value f32(float value);
  mlir::Value add(mlir::Value x, mlir::Value y);
  mlir::Value add(mlir::Value x, int64_t y);
  mlir::Value mul(mlir::Value x, int64_t y);
  mlir::Value mul(mlir::Value x, mlir::Value y);
  mlir::Value less(mlir::Value x, mlir::Value y);
  mlir::Value equals(mlir::Value x, int64_t y);
  mlir::Value select(mlir::Value cond, mlir::Value x, mlir::Value y);
  mlir::Value extend(mlir::Value x); ///< i32 to i64
  /// The shared memory at `offset` (i32) + `immediate` bytes.
  mlir::Value sharedAt(mlir::Value offset, int64_t immediate = 0);
  /// SharedTile::offsetOf of values.
  mlir::Value offsetIn(const SharedTile &tile, mlir::Value row,
                       mlir::Value chunk);
  mlir::Value globalAt(mlir::Value base, mlir::Value bytes);
  mlir::Value intrinsic(llvm::StringRef name, mlir::Type type,
                        mlir::ValueRange args);
  mlir::Value shuffleXor(mlir::Value value, int64_t mask);
  void barrier();
  void syncWarp();
  /// Runs `body` under `cond`.
  void onlyIf(mlir::Value cond, llvm::function_ref<void()> body);
  /// for i = from; i < to; i += step, never unrolled.
  void rolledLoop(mlir::Value from, mlir::Value to, int64_t step,
                  llvm::function_ref<void(mlir::Value)> body);
  mlir::ValueRange rolledLoop(mlir::Value from, mlir::Value to, int64_t step,
                              mlir::ValueRange init,
                              llvm::function_ref<llvm::SmallVector<mlir::Value>(
                                  mlir::Value, mlir::ValueRange)>
                                  body);
  int64_t fragmentRows() const { return plan.rowBlocks() * 2; }
  /// Tile rows between fragment row 0 and fragment row r.
  static int64_t rowOffset(int64_t r) { return 8 * (r % 2) + 16 * (r / 2); }
  static int64_t columnOffset(Columns columns, int64_t c) {
    return columns == Columns::Pairs ? c % 2 + 8 * (c / 2)
                                     : c % 4 + 16 * (c / 4);
  }
  Fragment matrix(int64_t cols, Columns columns);

  // Copy.cpp: global to shared memory.
  void copyTile(const View &view, mlir::Value firstRow, mlir::Value length,
                const SharedTile &tile, mlir::Value offset, bool checked);
  void copyAligned(const View &view, mlir::Value firstRow, mlir::Value length,
                   const SharedTile &tile, mlir::Value offset, bool checked);
  void copyChunks(const View &view, mlir::Value firstRow, mlir::Value length,
                  const SharedTile &tile, mlir::Value offset, bool checked,
                  int64_t firstChunk, int64_t columns);
  void copyElements(const View &view, mlir::Value firstRow, mlir::Value length,
                    const SharedTile &tile, mlir::Value offset);
  void commitCopies();
  void waitForCopies(int64_t pending);

  // Products.cpp and FmaProducts.cpp.
  mlir::LogicalResult emitDot(tile::DotOp op);
  Fragment tensorProduct(const Fragment &lhs, const Fragment &rhs, Fragment acc,
                         bool transposed);
  Fragment packedStep(const Fragment &lhs, int64_t step);
  llvm::SmallVector<mlir::Value> operandB(const Fragment &rhs, mlir::Value base,
                                          int64_t step, int64_t pair,
                                          bool transposed);
  void multiply(Fragment &acc, const Fragment &lhs, int64_t block,
                mlir::ValueRange rhs);
  Fragment loadQuery(const Fragment &query);
  void loadQueries();
  llvm::SmallVector<mlir::Value> loadMatrices(mlir::Value address,
                                              bool transposed);
  Fragment fmaScores(const Fragment &query, const Fragment &key);
  Fragment fmaOutput(const Fragment &p, const Fragment &value, Fragment acc);
  llvm::SmallVector<mlir::Value> loadFour(mlir::Value address);

  // Elements.cpp: arithmetic on fragments.
  mlir::LogicalResult emitMap(tile::MapOp op);
  mlir::LogicalResult emitFill(tile::FillOp op);
  Fragment packedMap(tile::MapOp op, const Fragment &input);
  mlir::Value laneReduce(const Fragment &tile, int64_t row, bool max);
  void emitRowMax(tile::RowMaxOp op);
  void emitRowSum(tile::RowSumOp op);
  void emitExceeds(tile::ExceedsOp op);
  void emitRescale(tile::RescaleOp op);
  mlir::Value quadReduce(mlir::Value value, bool max);

  // Mask.cpp.
  void emitMask(tile::MaskOp op);
  llvm::SmallVector<mlir::Value> keepBits(tile::MaskOp op, int64_t cols);
  void clearWords();
  void clearDroppedValues(mlir::ValueRange bits, const Fragment &value);

  // Loop.cpp: tile.keys.
  struct KeyTile {
    mlir::Value column, masked;
  };
  mlir::LogicalResult emitKeys(tile::KeysOp op);
  mlir::LogicalResult emitLoopBody(tile::KeysOp op, mlir::ValueRange in,
                                   llvm::SmallVectorImpl<Fragment> &state,
                                   llvm::SmallVectorImpl<mlir::Value> &next);
  void findPartialSums(tile::KeysOp op);
  Fragment initialState(tile::KeysOp op, unsigned i);
  std::pair<KeyTile, mlir::Value> nextTile(tile::KeysOp op, mlir::Value from,
                                           mlir::Value until);
  void copyKeys(tile::KeysOp op, const KeyTile &next, mlir::Value stage);
  llvm::SmallVector<mlir::Value> flatten(llvm::ArrayRef<Fragment> fragments);
  llvm::SmallVector<Fragment> like(llvm::ArrayRef<Fragment> fragments,
                                   mlir::ValueRange values);
  mlir::LogicalResult emitIteration(tile::KeysOp op, const KeyTile &tile,
                                    mlir::Value stage,
                                    llvm::SmallVectorImpl<Fragment> &state);

  // Store.cpp: tile.store_result.
  void emitStore(tile::StoreResultOp op);
  void stageOutput(const Fragment &output, mlir::ValueRange sums);
  void storeRows(const View &view, mlir::Value firstRow, mlir::Value length);
  void storeLSE(tile::StoreResultOp op, mlir::ValueRange sums);
};

} // namespace fovea::ptx

#endif // FOVEA_CONVERSION_TILETONVVM_EMITTER_H
