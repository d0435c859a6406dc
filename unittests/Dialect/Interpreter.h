// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs the integer part of a tile.kernel on plain numbers, so that tests can
// ask the emitted code itself for the class of a run or the value of a mask.
//
// A block is translated once to steps on numbered slots; loops (scf.for,
// scf.while) hold blocks of their own. Values that are neither integers nor
// booleans are skipped: the positions of a mask never depend on them.
#ifndef FOVEA_UNITTESTS_DIALECT_INTERPRETER_H
#define FOVEA_UNITTESTS_DIALECT_INTERPRETER_H

#include "mlir/IR/Block.h"
#include "llvm/ADT/DenseMap.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace fovea {

class Interpreter {
public:
  struct Program;

  /// Translates the operations from `begin` up to `end`; an integer operation
  /// that it does not know is a failure of the test.
  std::shared_ptr<const Program> translate(mlir::Block::iterator begin,
                                           mlir::Block::iterator end);
  void run(const Program &program);

  /// Sign-extended to 64 bits; an i1 is 0 or 1.
  void set(mlir::Value value, int64_t number) { slots[slot(value)] = number; }
  int64_t get(mlir::Value value) { return slots[slot(value)]; }

private:
  friend struct Translator;
  unsigned slot(mlir::Value value);

  llvm::DenseMap<mlir::Value, unsigned> numbers;
  std::vector<int64_t> slots;
};

} // namespace fovea

#endif // FOVEA_UNITTESTS_DIALECT_INTERPRETER_H
