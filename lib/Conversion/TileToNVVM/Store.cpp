// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// tile.store_result: O = o / l and the log-sum-exp.
//
// The output goes through shared memory, over the K and V tiles that nobody
// reads any more, so that rows leave in 16-byte pieces (or by elements, where
// they are not aligned); a warp writes and reads only its own rows.
#include "Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/MathExtras.h"

#include <limits>
#include <numbers>

using namespace mlir;
using namespace fovea;
using namespace fovea::ptx;

/// o / l in the storage type, into the staging rows; rows with l = 0 give 0.
void Emitter::stageOutput(const Fragment &output, ValueRange sums) {
  int64_t group = output.columns == Columns::Pairs ? 2 : 4;
  Value base = add(mul(laneRow, plan.outputPitch()),
                   mul(inGroup, group * plan.elementBytes));
  Type f32Type = b.getF32Type();
  for (int64_t r = 0; r < output.rows; ++r) {
    Value empty = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ,
                                        sums[r], f32(0));
    Value inverse = intrinsic("llvm.nvvm.rcp.approx.ftz.f", f32Type, {sums[r]});
    auto scaled = [&](int64_t c) -> Value {
      Value product = arith::MulFOp::create(b, loc, output.at(r, c), inverse);
      return select(empty, f32(0), product);
    };
    for (int64_t c = 0; c < output.cols; c += group) {
      Value vector =
          LLVM::PoisonOp::create(b, loc, VectorType::get(group, f32Type));
      for (int64_t i = 0; i < group; ++i)
        vector = LLVM::InsertElementOp::create(b, loc, vector, scaled(c + i),
                                               i32(i));
      if (plan.elementBytes == 2)
        vector = arith::TruncFOp::create(
            b, loc, VectorType::get(group, kernel.getStorageType()), vector);
      int64_t immediate = rowOffset(r) * plan.outputPitch() +
                          columnOffset(output.columns, c) * plan.elementBytes;
      LLVM::StoreOp::create(b, loc, vector, sharedAt(base, immediate),
                            group * plan.elementBytes);
    }
  }
}

/// The staged rows of this warp, to global memory.
void Emitter::storeRows(const View &view, Value firstRow, Value length) {
  int64_t rows = 16 * plan.rowBlocks();
  int64_t unit = general ? plan.elementBytes : 16; // bytes a lane moves at once
  int64_t units = view.cols * plan.elementBytes / unit;
  int64_t padded = llvm::PowerOf2Ceil(units);
  Type type = general ? Type(b.getIntegerType(8 * unit))
                      : Type(VectorType::get(4, b.getI32Type()));
  rolledLoop(lane, i32(rows * padded), 32, [&](Value i) {
    Value row = add(warpRow, arith::DivUIOp::create(b, loc, i, i32(padded)));
    Value column = arith::RemUIOp::create(b, loc, i, i32(padded));
    Value position = add(firstRow, row);
    Value valid = less(position, length);
    if (padded != units)
      valid = arith::AndIOp::create(b, loc, valid, less(column, i32(units)));
    onlyIf(valid, [&] {
      Value bytes = mul(column, unit);
      Value from = sharedAt(add(mul(row, plan.outputPitch()), bytes));
      Value data = LLVM::LoadOp::create(b, loc, type, from, unit);
      Value to = globalAt(view.base, mul(extend(position), view.stride));
      LLVM::StoreOp::create(b, loc, data, globalAt(to, extend(bytes)), unit);
    });
  });
}

/// (m + log2 l) ln 2, by one lane of each row, unless the pointer is null.
void Emitter::storeLSE(tile::StoreResultOp op, ValueRange sums) {
  const Fragment &max = tiles[op.getMax()];
  Value base = views[op.getLseView()].base;
  Value null = LLVM::ZeroOp::create(b, loc, base.getType());
  Value given =
      LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::ne, base, null);
  Value length = lookup(op.getLength()), firstRow = lookup(op.getRow());
  onlyIf(given, [&] {
    Value headIndex = add(mul(batch, kernel.getQHeads()), head);
    Value item = mul(extend(headIndex), extend(length));
    for (int64_t r = 0; r < max.rows; ++r) {
      Value row = add(firstRow, add(laneRow, rowOffset(r)));
      Value mine =
          arith::AndIOp::create(b, loc, less(row, length), equals(inGroup, 0));
      onlyIf(mine, [&] {
        Value log =
            intrinsic("llvm.nvvm.lg2.approx.ftz.f", b.getF32Type(), {sums[r]});
        Value lse = arith::AddFOp::create(b, loc, max.values[r], log);
        lse =
            arith::MulFOp::create(b, loc, lse, f32(std::numbers::ln2_v<float>));
        // m may still be -infinity, or anything if l = 0.
        Value none = f32(-std::numeric_limits<float>::infinity());
        Value empty = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ,
                                            sums[r], f32(0));
        Value bytes = mul(add(item, extend(row)), i64(4));
        LLVM::StoreOp::create(b, loc, select(empty, none, lse),
                              globalAt(base, bytes), 4);
      });
    }
  });
}

void Emitter::emitStore(tile::StoreResultOp op) {
  const Fragment &sum = tiles[op.getSum()];
  SmallVector<Value> sums;
  for (Value value : sum.values)
    sums.push_back(sum.partial ? quadReduce(value, false) : value);
  storeLSE(op, sums);
  barrier(); // other warps may still read V
  stageOutput(tiles[op.getOutput()], sums);
  syncWarp();
  storeRows(views[op.getOutView()], lookup(op.getRow()),
            lookup(op.getLength()));
}
