// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Matrix products on tensor cores: mma.sync m16n8k16 for f16 and bf16.
//
// The left operand is in registers (Fragment::Packed, see Emitter.h) or, for a
// query tile too large for them, in shared memory. The right one is in shared
// memory: K [keys, d] is B transposed, so plain ldmatrix gives b0, b1; V [keys,
// d] is B itself and takes ldmatrix.trans. One x4 load serves two 8-column
// blocks:
//
//   K:  matrix 0, 1: keys 0-7, d 0-7 and 8-15    V:  matrix 0, 1: keys 0-7 and
//   8-15, d 0-7
//       matrix 2, 3: keys 8-15, the same             matrix 2, 3: the same, d
//       8-15
#include "Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::ptx;

/// ldmatrix.x4: four 8x8 matrices of 16-bit elements, one register each.
SmallVector<Value> Emitter::loadMatrices(Value address, bool transposed) {
  Type i32Type = b.getI32Type();
  auto type = LLVM::LLVMStructType::getLiteral(b.getContext(),
                                               SmallVector<Type>(4, i32Type));
  auto layout = transposed ? NVVM::MMALayout::col : NVVM::MMALayout::row;
  auto shape = NVVM::LdStMatrixShapeAttr::get(b.getContext(), 8, 8);
  Value loaded = NVVM::LdMatrixOp::create(b, loc, type, address, 4, layout,
                                          shape, NVVM::LdStMatrixEltType::B16);
  SmallVector<Value> values;
  for (int64_t i = 0; i < 4; ++i)
    values.push_back(LLVM::ExtractValueOp::create(b, loc, loaded, i));
  return values;
}

/// The A operand of every step and row block, from shared memory.
Fragment Emitter::loadQuery(const Fragment &query) {
  Fragment result;
  result.kind = Fragment::Packed;
  result.rows = fragmentRows();
  result.cols = plan.qkPadded / 4;
  result.values.resize(result.rows * result.cols / 2);
  for (int64_t step = 0; step < plan.qkPadded / 16; ++step) {
    Fragment part = packedStep(query, step);
    for (int64_t r = 0; r < result.rows; ++r)
      for (int64_t half = 0; half < 2; ++half)
        result.values[r * result.cols / 2 + 2 * step + half] =
            part.pair(r, half);
  }
  return result;
}

/// Columns 16 `step` .. + 15 of the left operand: a Packed fragment of two
/// pairs.
Fragment Emitter::packedStep(const Fragment &lhs, int64_t step) {
  Fragment part;
  part.kind = Fragment::Packed;
  part.rows = fragmentRows();
  part.cols = 4;
  part.values.resize(part.rows * 2);
  if (lhs.kind == Fragment::Packed) {
    for (int64_t r = 0; r < part.rows; ++r)
      for (int64_t half = 0; half < 2; ++half)
        part.values[2 * r + half] = lhs.pair(r, 2 * step + half);
    return part;
  }
  // Matrices 0, 1: rows 0-7 and 8-15, columns 0-7; 2, 3: columns 8-15.
  Value row = add(warpRow, arith::AndIOp::create(b, loc, lane, i32(15)));
  Value chunk = arith::ShRUIOp::create(b, loc, lane, i32(4));
  Value offset = add(lhs.values[0], offsetIn(lhs.tile, row, chunk));
  for (int64_t block = 0; block < plan.rowBlocks(); ++block) {
    int64_t immediate = step * lhs.tile.pitch() + block * 512;
    SmallVector<Value> a = loadMatrices(sharedAt(offset, immediate), false);
    for (int64_t i = 0; i < 4;
         ++i) // a0: (g, 0), a1: (g + 8, 0), a2: (g, 8), ...
      part.values[2 * (2 * block + i % 2) + i / 2] = a[i];
  }
  return part;
}

/// b0, b1 of column blocks 2 `pair` and 2 `pair` + 1 at inner step `step`.
SmallVector<Value> Emitter::operandB(const Fragment &rhs, Value base,
                                     int64_t step, int64_t pair,
                                     bool transposed) {
  int64_t pitch = rhs.tile.pitch();
  int64_t immediate =
      transposed ? step * pitch + pair * 512 : pair * pitch + step * 512;
  return loadMatrices(sharedAt(base, immediate), !transposed);
}

/// acc(all row blocks, columns of `block`) += lhs * (b0, b1).
void Emitter::multiply(Fragment &acc, const Fragment &lhs, int64_t block,
                       ValueRange rhs) {
  auto type = LLVM::LLVMStructType::getLiteral(
      b.getContext(), SmallVector<Type>(4, b.getF32Type()));
  bool bf16 = kernel.getStorageType().isBF16();
  auto ptxType = bf16 ? NVVM::MMATypes::bf16 : NVVM::MMATypes::f16;
  // nvvm.mma.sync wants pairs of f16 as vectors, pairs of bf16 as integers.
  auto pair = VectorType::get(2, b.getF16Type());
  auto operand = [&](Value v) -> Value {
    return bf16 ? v : LLVM::BitcastOp::create(b, loc, pair, v).getResult();
  };
  SmallVector<Value> right = llvm::map_to_vector(rhs, operand);
  for (int64_t rows = 0; rows < acc.rows; rows += 2) {
    SmallVector<Value> left, sums;
    for (int64_t i = 0; i < 4; ++i) {
      left.push_back(operand(lhs.pair(rows + i % 2, i / 2)));
      sums.push_back(acc.at(rows + i / 2, 2 * block + i % 2));
    }
    Value product = NVVM::MmaOp::create(
        b, loc, type, left, right, sums, ArrayRef<int64_t>{16, 8, 16},
        std::nullopt, std::nullopt,
        std::array<NVVM::MMATypes, 2>{ptxType, ptxType},
        std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row,
                                       NVVM::MMALayout::col});
    for (int64_t i = 0; i < 4; ++i)
      acc.values[(rows + i / 2) * acc.cols + 2 * block + i % 2] =
          LLVM::ExtractValueOp::create(b, loc, product, i);
  }
}

Fragment Emitter::tensorProduct(const Fragment &lhs, const Fragment &rhs,
                                Fragment acc, bool transposed) {
  Value l15 = arith::AndIOp::create(b, loc, lane, i32(15));
  Value l7 = arith::AndIOp::create(b, loc, lane, i32(7));
  Value high = arith::ShRUIOp::create(b, loc, lane, i32(4));
  Value middle = arith::AndIOp::create(
      b, loc, arith::ShRUIOp::create(b, loc, lane, i32(3)), i32(1));
  Value row = transposed ? add(mul(high, 8), l7) : l15;
  Value chunk = transposed ? middle : high;
  Value base = add(rhs.values[0], offsetIn(rhs.tile, row, chunk));
  int64_t inner = transposed ? plan.qkPadded : rhs.tile.rows;
  for (int64_t step = 0; step < inner / 16; ++step) {
    Fragment a = packedStep(lhs, step);
    for (int64_t pair = 0; pair < acc.cols / 4; ++pair) {
      SmallVector<Value> operands = operandB(rhs, base, step, pair, transposed);
      for (int64_t half = 0; half < 2; ++half)
        multiply(acc, a, 2 * pair + half,
                 ValueRange(operands).slice(2 * half, 2));
    }
  }
  return acc;
}

LogicalResult Emitter::emitDot(tile::DotOp op) {
  auto lhs = tiles.find(op.getLhs()), rhs = tiles.find(op.getRhs());
  bool transposed = op.getTransposed();
  if (rhs->second.kind != Fragment::Shared ||
      (lhs->second.kind == Fragment::Shared && !transposed))
    return op.emitOpError("expected the product of queries and keys or of "
                          "probabilities and values on this target");
  int64_t cols = (transposed ? plan.schedule.keys : plan.vPadded) / 4;
  bool quads = !plan.usesTensorCores() && !transposed;
  Fragment acc = matrix(cols, quads ? Columns::Quads : Columns::Pairs);
  std::fill(acc.values.begin(), acc.values.end(), f32(0));
  if (op.getAcc()) {
    const Fragment &given = tiles[op.getAcc()];
    if (given.columns != acc.columns ||
        given.values.size() != acc.values.size())
      return op.emitOpError(
          "expected an accumulator that is the result of the same "
          "kind of product on this target");
    acc = given;
  }
  if (plan.usesTensorCores())
    tiles[op.getResult()] =
        tensorProduct(lhs->second, rhs->second, acc, transposed);
  else if (transposed)
    tiles[op.getResult()] = fmaScores(lhs->second, rhs->second);
  else
    tiles[op.getResult()] = fmaOutput(lhs->second, rhs->second, acc);
  if (transposed)
    runAfterScores();
  return success();
}
