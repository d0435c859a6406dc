// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Matrix products in full f32 precision: FMAs, in loops that stay rolled so
// that the code stays small.
//
// Scores: a lane sums its rows by its columns (pairs) over the head dimension,
// four elements of each row of Q and K at a time. Output: probabilities go
// through shared memory, because a lane needs those of all keys and registers
// cannot be indexed by a loop; each warp reads back only what it wrote. The
// output is held in quads, so that V is read by 16 bytes.
#include "Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace fovea::ptx;

/// Four consecutive f32 of shared memory, 16-byte aligned.
SmallVector<Value> Emitter::loadFour(Value address) {
  auto type = VectorType::get(4, b.getF32Type());
  Value vector = LLVM::LoadOp::create(b, loc, type, address, 16);
  SmallVector<Value> values;
  for (int64_t i = 0; i < 4; ++i)
    values.push_back(LLVM::ExtractElementOp::create(b, loc, vector, i32(i)));
  return values;
}

Fragment Emitter::fmaScores(const Fragment &query, const Fragment &key) {
  Fragment result = matrix(plan.schedule.keys / 4, Columns::Pairs);
  std::fill(result.values.begin(), result.values.end(), f32(0));
  Value queryLane = add(query.values[0], mul(laneRow, 16));
  Value keyLane = add(key.values[0], mul(inGroup, 32));
  result.values = SmallVector<Value>(rolledLoop(
      i32(0), i32(plan.qkPadded / 4), 1, result.values,
      [&](Value chunk, ValueRange sums) {
        SmallVector<Value> next(sums);
        Value q = add(queryLane, mul(chunk, query.tile.pitch()));
        Value k = add(keyLane, mul(chunk, key.tile.pitch()));
        SmallVector<SmallVector<Value>> rows;
        for (int64_t r = 0; r < result.rows; ++r)
          rows.push_back(loadFour(sharedAt(q, rowOffset(r) * 16)));
        for (int64_t c = 0; c < result.cols; ++c) {
          int64_t column = columnOffset(Columns::Pairs, c);
          SmallVector<Value> keys = loadFour(sharedAt(k, column * 16));
          for (int64_t r = 0; r < result.rows; ++r)
            for (int64_t i = 0; i < 4; ++i) {
              Value &sum = next[r * result.cols + c];
              sum = math::FmaOp::create(b, loc, rows[r][i], keys[i], sum);
            }
        }
        return next;
      }));
  return result;
}

Fragment Emitter::fmaOutput(const Fragment &p, const Fragment &value,
                            Fragment acc) {
  int64_t pitch = plan.probabilitiesPitch();
  Value row = add(mul(laneRow, pitch), plan.probabilitiesOffset);
  Value writeTo = add(row, mul(inGroup, 8));
  auto pair = VectorType::get(2, b.getF32Type());
  for (int64_t r = 0; r < p.rows; ++r)
    for (int64_t c = 0; c < p.cols; c += 2) {
      Value vector = LLVM::PoisonOp::create(b, loc, pair);
      for (int64_t i = 0; i < 2; ++i)
        vector = LLVM::InsertElementOp::create(b, loc, vector, p.at(r, c + i),
                                               i32(i));
      int64_t immediate =
          rowOffset(r) * pitch + columnOffset(Columns::Pairs, c) * 4;
      LLVM::StoreOp::create(b, loc, vector, sharedAt(writeTo, immediate), 8);
    }
  syncWarp();
  Value valueLane = add(value.values[0], mul(inGroup, value.tile.pitch()));
  acc.values = SmallVector<Value>(rolledLoop(
      i32(0), i32(plan.schedule.keys / 4), 1, acc.values,
      [&](Value four, ValueRange sums) {
        SmallVector<Value> next(sums);
        Value at = add(row, mul(four, 16));
        Value v = add(valueLane, mul(four, 64));
        SmallVector<SmallVector<Value>> weights;
        for (int64_t r = 0; r < acc.rows; ++r)
          weights.push_back(loadFour(sharedAt(at, rowOffset(r) * pitch)));
        for (int64_t key = 0; key < 4; ++key)
          for (int64_t block = 0; block < acc.cols / 4; ++block) {
            int64_t immediate = block * 4 * value.tile.pitch() + key * 16;
            SmallVector<Value> elements = loadFour(sharedAt(v, immediate));
            for (int64_t r = 0; r < acc.rows; ++r)
              for (int64_t i = 0; i < 4; ++i) {
                Value &sum = next[r * acc.cols + block * 4 + i];
                sum = math::FmaOp::create(b, loc, weights[r][key], elements[i],
                                          sum);
              }
          }
        return next;
      }));
  return acc;
}
