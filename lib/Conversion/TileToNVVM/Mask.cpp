// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// tile.mask: the cold path of the loop, kept small.
//
// The mask is evaluated in a rolled loop over the column blocks, because it may
// be any arithmetic, loops included; it leaves one word of bits a fragment row,
// which unrolled selects then apply to the scores. What depends on the row
// alone is computed before that loop.
//
// A key that no row of the query tile keeps must not matter even where V is
// NaN, since 0 * NaN is NaN. The bits tell: or-ed over the rows of a lane, over
// the lanes of a column, and over the warps by an atomic, they name the columns
// that are kept. If any is not, its row of V in shared memory is cleared before
// it is used.
#include "ElementRegion.h"
#include "Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <limits>

using namespace mlir;
using namespace fovea;
using namespace fovea::ptx;

/// One word a fragment row: bit c says whether fragment column c is kept.
SmallVector<Value> Emitter::keepBits(tile::MaskOp op, int64_t cols) {
  using Region = ElementRegion;
  Region region(b, op.getKeep().front(), scalars,
                {Region::Row, Region::Column});
  Value firstColumn = add(lookup(op.getFirstKey()), mul(inGroup, 2));
  Value block;
  auto argument = [&](unsigned i, int64_t r, int64_t c) -> Value {
    if (i == 0)
      return add(lookup(op.getFirstQuery()), add(laneRow, rowOffset(r)));
    return add(add(firstColumn, mul(block, 8)), c);
  };
  for (int64_t r = 0; r < fragmentRows(); ++r)
    region.emitRow(r, argument);
  SmallVector<Value> init(fragmentRows(), i32(0));
  return SmallVector<Value>(rolledLoop(
      i32(0), i32(cols / 2), 1, init, [&](Value index, ValueRange words) {
        block = index;
        SmallVector<Value> next(words);
        Value shift = mul(index, 2);
        for (int64_t r = 0; r < fragmentRows(); ++r)
          for (int64_t c = 0; c < 2; ++c) {
            Value keep = region.emit(r, c, argument);
            Value bit = arith::ExtUIOp::create(b, loc, b.getI32Type(), keep);
            bit = arith::ShLIOp::create(b, loc, bit, add(shift, c));
            next[r] = arith::OrIOp::create(b, loc, next[r], bit);
          }
        return next;
      }));
}

void Emitter::clearWords() {
  Value zero = LLVM::ZeroOp::create(b, loc, VectorType::get(4, b.getI32Type()));
  LLVM::StoreOp::create(b, loc, zero, sharedAt(i32(plan.wordsOffset)), 16);
}

/// Clears the rows of V whose key no row of the tile keeps. All threads take
/// part.
void Emitter::clearDroppedValues(ValueRange bits, const Fragment &value) {
  Value any = bits[0];
  for (Value word : bits.drop_front())
    any = arith::OrIOp::create(b, loc, any, word);
  for (int64_t mask : {4, 8, 16}) // lanes that hold the same columns
    any = arith::OrIOp::create(b, loc, any, shuffleXor(any, mask));
  Value word = sharedAt(add(mul(inGroup, 4), plan.wordsOffset));
  onlyIf(equals(group, 0), [&] {
    LLVM::AtomicRMWOp::create(b, loc, LLVM::AtomicBinOp::_or, word, any,
                              LLVM::AtomicOrdering::monotonic, "block");
  });
  barrier();

  auto vector = VectorType::get(4, b.getI32Type());
  Value words =
      LLVM::LoadOp::create(b, loc, vector, sharedAt(i32(plan.wordsOffset)), 16);
  SmallVector<Value> parts;
  Value all;
  for (int64_t i = 0; i < 4; ++i) {
    parts.push_back(LLVM::ExtractElementOp::create(b, loc, words, i32(i)));
    all =
        i ? arith::AndIOp::create(b, loc, all, parts[i]).getResult() : parts[i];
  }
  int64_t keys = value.tile.rows;
  int64_t full = (int64_t(1) << (keys / 4)) - 1;
  Value dropped = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, all,
                                        i32(int32_t(full)));
  onlyIf(dropped, [&] {
    Value zero = LLVM::ZeroOp::create(b, loc, vector);
    rolledLoop(
        tid, i32(keys * value.tile.chunks), plan.threads(), [&](Value i) {
          Value key = arith::RemUIOp::create(b, loc, i, i32(keys));
          Value chunk = arith::DivUIOp::create(b, loc, i, i32(keys));
          // Key 8 n + 2 t + j is bit 2 n + j of word t.
          Value t = arith::AndIOp::create(
              b, loc, arith::ShRUIOp::create(b, loc, key, i32(1)), i32(3));
          Value bit = add(mul(arith::ShRUIOp::create(b, loc, key, i32(3)), 2),
                          arith::AndIOp::create(b, loc, key, i32(1)));
          Value mine = LLVM::LoadOp::create(
              b, loc, b.getI32Type(),
              sharedAt(add(mul(t, 4), plan.wordsOffset)), 4);
          mine = arith::AndIOp::create(
              b, loc, arith::ShRUIOp::create(b, loc, mine, bit), i32(1));
          Value offset = offsetIn(value.tile, key, chunk);
          onlyIf(equals(mine, 0), [&] {
            LLVM::StoreOp::create(b, loc, zero,
                                  sharedAt(add(value.values[0], offset)), 16);
          });
        });
  });
  barrier();
  // For the next masked tile, which lies behind the loop's barrier.
  onlyIf(equals(tid, 0), [&] { clearWords(); });
}

void Emitter::emitMask(tile::MaskOp op) {
  Fragment scores = tiles[op.getScores()];
  SmallVector<Value> bits = keepBits(op, scores.cols);
  // Rows past the end keep nothing: a key that only they would keep is dropped.
  Value tileRow = lookup(kernel.argument(tile::KernelOp::Row));
  for (auto [r, word] : llvm::enumerate(bits)) {
    Value row = add(tileRow, add(laneRow, rowOffset(r)));
    word = select(less(row, numQueries), word, i32(0));
  }
  Value none = f32(-std::numeric_limits<float>::infinity());
  for (int64_t r = 0; r < scores.rows; ++r)
    for (int64_t c = 0; c < scores.cols; ++c) {
      Value bit = arith::AndIOp::create(b, loc, bits[r], i32(int32_t(1u << c)));
      Value keep =
          arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, bit, i32(0));
      Value &score = scores.values[r * scores.cols + c];
      score = select(keep, score, none);
    }
  Fragment value = tiles[op.getValues()];
  clearDroppedValues(bits, value);
  tiles[op.getResult()] = scores;
  tiles[op.getCleanValues()] = value;
}
