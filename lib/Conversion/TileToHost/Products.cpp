// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The two matrix products, as blocked micro-kernels.
//
// A block is `block` keys (or value columns) times a panel of queries; its
// accumulators are loop-carried vectors, which LLVM keeps in registers. A step
// of the inner loop loads the panel's vectors once and broadcasts one scalar a
// key: 2 loads + 6 broadcasts for 12 multiply-adds with AVX2, which two load
// ports feed in 4 cycles of the 6 that two multipliers need.
#include "Steps.h"

using namespace mlir;
using namespace fovea::host;

namespace {

/// Accumulators of a block, [key or column][vector], flat.
using Accumulators = SmallVector<Value>;

/// acc[i][r] += scalars[i] * vectors[r].
void multiplyAdd(Emitter &e, Accumulators &acc, ArrayRef<Value> scalars,
                 ArrayRef<Value> vectors) {
  for (size_t i = 0; i < scalars.size(); ++i) {
    Value broadcast = e.splat(scalars[i]);
    for (size_t r = 0; r < vectors.size(); ++r) {
      Value &a = acc[i * vectors.size() + r];
      a = e.fma(broadcast, vectors[r], a);
    }
  }
}

/// The panel's vectors at row `row` (a multiple of 1) of a [rows][panel]
/// matrix.
SmallVector<Value> loadPanelRow(Emitter &e, Value pointer, int64_t row) {
  SmallVector<Value> vectors;
  for (int64_t r = 0; r < e.geometry.vectors; ++r)
    vectors.push_back(
        e.load(e.f32Vector(),
               e.offset(pointer, e.getF32Type(),
                        row * e.geometry.panel() + r * e.geometry.lanes)));
  return vectors;
}

/// The largest of 4, 2, 1 that divides n: how far an inner loop is unrolled.
int64_t unrollFor(int64_t n) { return n % 4 == 0 ? 4 : n % 2 == 0 ? 2 : 1; }

} // namespace

SmallVector<Value> fovea::host::emitScoreProduct(Emitter &e, Rows keys,
                                                 KeyList list, int64_t columns,
                                                 Value queries, Value scores) {
  const int64_t block = e.geometry.block, vectors = e.geometry.vectors;
  const int64_t panel = e.geometry.panel(), lanes = e.geometry.lanes;
  const int64_t unroll = unrollFor(columns);
  Type f32 = e.getF32Type(), i64 = e.getI64Type();
  Value zero = e.i64(0), last = e.sub(list.count, e.i64(1));
  Value zeros = e.splatF32(0.0f);
  SmallVector<Value> lowest(vectors, e.splatF32(-INFINITY));

  auto body = [&](Value first, ValueRange max) -> SmallVector<Value> {
    // The last block repeats its last key as often as needed: the same scores
    // are then stored again, and no smaller block has to be compiled.
    SmallVector<Value> rows, pointers;
    for (int64_t i = 0; i < block; ++i) {
      rows.push_back(e.smaller(e.add(first, e.i64(i)), last));
      Value key = e.load(i64, e.offset(list.rows, i64, rows.back()));
      pointers.push_back(e.offset(keys.base, f32, e.mul(key, keys.stride)));
    }
    auto inner = [&](Value d, ValueRange carried) -> SmallVector<Value> {
      Accumulators acc(carried);
      Value q = e.offset(queries, f32, e.mul(d, e.i64(panel)));
      SmallVector<Value> at;
      for (Value pointer : pointers)
        at.push_back(e.offset(pointer, f32, d));
      for (int64_t u = 0; u < unroll; ++u) {
        SmallVector<Value> scalars;
        for (Value pointer : at)
          scalars.push_back(e.load(f32, e.offset(pointer, f32, u)));
        multiplyAdd(e, acc, scalars, loadPanelRow(e, q, u));
      }
      return acc;
    };
    Accumulators acc(block * vectors, zeros);
    acc = llvm::to_vector(e.loop(zero, e.i64(columns), unroll, acc, inner));
    SmallVector<Value> next(max);
    for (int64_t i = 0; i < block; ++i) {
      Value row = e.offset(scores, f32, e.mul(rows[i], e.i64(panel)));
      for (int64_t r = 0; r < vectors; ++r) {
        Value score = acc[i * vectors + r];
        e.store(score, e.offset(row, f32, r * lanes));
        next[r] = e.maxIgnoringNaN(score, next[r]);
      }
    }
    return next;
  };
  return llvm::to_vector(e.loop(zero, list.count, block, lowest, body));
}

/// One block of `width` value columns from `column` (i64) on, all keys.
static void emitOutputBlock(Emitter &e, Rows values, KeyList list, Value column,
                            int64_t width, Value probabilities, Value output,
                            ArrayRef<Value> rescale) {
  const int64_t panel = e.geometry.panel(), lanes = e.geometry.lanes;
  const int64_t vectors = e.geometry.vectors;
  Type f32 = e.getF32Type(), i64 = e.getI64Type();
  Value out = e.offset(output, f32, e.mul(column, e.i64(panel)));
  Value base = e.offset(values.base, f32, column);
  Accumulators acc;
  for (int64_t i = 0; i < width; ++i)
    for (auto [r, value] : llvm::enumerate(loadPanelRow(e, out, i)))
      acc.push_back(e.mulf(value, rescale[r]));
  auto inner = [&](Value j, ValueRange carried) -> SmallVector<Value> {
    Accumulators next(carried);
    Value key = e.load(i64, e.offset(list.rows, i64, j));
    Value row = e.offset(base, f32, e.mul(key, values.stride));
    SmallVector<Value> scalars;
    for (int64_t i = 0; i < width; ++i)
      scalars.push_back(e.load(f32, e.offset(row, f32, i)));
    Value p = e.offset(probabilities, f32, e.mul(j, e.i64(panel)));
    multiplyAdd(e, next, scalars, loadPanelRow(e, p, 0));
    return next;
  };
  acc = llvm::to_vector(e.loop(e.i64(0), list.count, 1, acc, inner));
  for (int64_t i = 0; i < width; ++i)
    for (int64_t r = 0; r < vectors; ++r)
      e.store(acc[i * vectors + r], e.offset(out, f32, i * panel + r * lanes));
}

/// How `columns` splits into blocks of `block` and a few smaller ones: a rest
/// of 1 or 2 would leave the multipliers idle, so it shares with the last full
/// block.
static SmallVector<int64_t> splitRest(int64_t columns, int64_t block,
                                      int64_t &full) {
  full = columns / block;
  int64_t rest = columns % block;
  if (rest == 0)
    return {};
  if (rest > 2 || full == 0)
    return {rest};
  --full;
  rest += block;
  return {rest - rest / 2, rest / 2};
}

void fovea::host::emitOutputProduct(Emitter &e, Rows values, KeyList list,
                                    int64_t columns, Value probabilities,
                                    Value output, ArrayRef<Value> rescale) {
  const int64_t block = e.geometry.block;
  int64_t full = 0;
  SmallVector<int64_t> rest = splitRest(columns, block, full);
  if (full > 0)
    e.loop(e.i64(0), e.i64(full * block), block, [&](Value column) {
      emitOutputBlock(e, values, list, column, block, probabilities, output,
                      rescale);
    });
  int64_t column = full * block;
  for (int64_t width : rest) {
    emitOutputBlock(e, values, list, e.i64(column), width, probabilities,
                    output, rescale);
    column += width;
  }
}
