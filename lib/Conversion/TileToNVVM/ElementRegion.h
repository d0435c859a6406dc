// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Cloning an element region (one score, one mask bit) for every element of a
// fragment, each operation as seldom as it may be.
//
// An operation of the region depends on the element's row, its column, both or
// neither. It is cloned once a row, once a column, once an element or once: the
// analysis is a union over operands, and the clones are kept by (operation, row
// or none, column or none). So `q - window` costs one subtraction a row, and
// the draw of a random mask, which holds loops that no later pass would merge,
// once a query block.
#ifndef FOVEA_CONVERSION_TILETONVVM_ELEMENTREGION_H
#define FOVEA_CONVERSION_TILETONVVM_ELEMENTREGION_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/DenseMap.h"

namespace fovea::ptx {

class ElementRegion {
public:
  enum Dependence : unsigned { None = 0, Row = 1, Column = 2, Element = 3 };
  /// Gives argument `i` of the region at fragment row r and column c; it is
  /// asked once for each row, column or element that `i` depends on.
  using ArgumentBuilder =
      llvm::function_ref<mlir::Value(unsigned i, int64_t r, int64_t c)>;

  /// `outer` maps what the region captures, `arguments` says what each depends
  /// on.
  ElementRegion(mlir::OpBuilder &builder, mlir::Block &block,
                const mlir::IRMapping &outer,
                llvm::ArrayRef<Dependence> arguments);

  /// Clones what depends on no column, for row r.
  void emitRow(int64_t r, ArgumentBuilder argument);
  /// The value that the terminator yields, at (r, c). What exists is reused, so
  /// it must dominate the insertion point.
  mlir::Value emit(int64_t r, int64_t c, ArgumentBuilder argument);
  /// The same for another value of the block.
  mlir::Value emit(mlir::Value value, int64_t r, int64_t c,
                   ArgumentBuilder argument);

private:
  using Key = std::tuple<mlir::Value, int64_t, int64_t>;

  mlir::OpBuilder &b;
  mlir::Block &block;
  const mlir::IRMapping &outer;
  llvm::DenseMap<mlir::Value, unsigned> dependence; ///< of values of the block
  llvm::DenseMap<Key, mlir::Value> clones;

  unsigned dependenceOf(mlir::Operation &op);
  Key keyOf(mlir::Value value, int64_t r, int64_t c) const;
  mlir::Value lookup(mlir::Value value, int64_t r, int64_t c,
                     ArgumentBuilder argument);
  void cloneOnce(mlir::Operation &op, int64_t r, int64_t c,
                 ArgumentBuilder argument);
};

} // namespace fovea::ptx

#endif // FOVEA_CONVERSION_TILETONVVM_ELEMENTREGION_H
