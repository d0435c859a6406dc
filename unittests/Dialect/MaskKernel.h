// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One mask, taken through the pipeline to a tile.kernel and run on plain
// numbers; beside it the language's own meaning, as lib/Pattern evaluates it.
#ifndef FOVEA_UNITTESTS_DIALECT_MASKKERNEL_H
#define FOVEA_UNITTESTS_DIALECT_MASKKERNEL_H

#include "Interpreter.h"

#include "fovea/Pattern/Evaluate.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <ostream>
#include <string>

namespace fovea {

struct Lengths {
  int64_t queries, keys;
};

class MaskKernel {
public:
  /// `statements` are those of a pattern with 4 query and 2 KV heads, `rows`
  /// and `keys` the tile. The int params have the values in `params`.
  MaskKernel(const std::string &statements, int64_t rows, int64_t keys,
             const std::vector<int64_t> &params = {});

  /// Prepares for query head `head` and the query tile whose first row is
  /// `row`.
  void enter(Lengths lengths, int64_t row, int64_t head = 0);

  struct Run {
    bool any, all;
    int64_t until;
  };
  Run runAt(int64_t key);

  /// tile::emitNextTile at `from`.
  struct Next {
    int64_t column;
    bool masked;
  };
  Next next(int64_t from);

  /// The predicate that the kernel evaluates, for row i and key j.
  bool keeps(int64_t i, int64_t j);
  /// What it should be, by the language.
  bool expected(int64_t i, int64_t j);

  int64_t rows, keys;
  int64_t lastRow = 0; ///< of the entered tile

private:
  int64_t position(int64_t i) const { return i + environment.q; }

  mlir::MLIRContext &context;
  pattern::Pattern pattern;
  std::vector<pattern::ParamValue> params;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  Interpreter interpreter;
  std::shared_ptr<const Interpreter::Program> prologue, walk, search, predicate;
  mlir::Value from, column, masked;
  pattern::Environment environment; ///< its q is that of row 0
  pattern::DrawCache draws;
};

} // namespace fovea

#endif // FOVEA_UNITTESTS_DIALECT_MASKKERNEL_H
