// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Masks, scores, maximum, exponentials and sums of one panel; see the header.
#include "Softmax.h"
#include "ElementRegion.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fovea::host;
using namespace fovea::tile;

// 2^x = 2^n 2^f, n the integer nearest to x, |f| <= 1/2. Adding 1.5 * 2^23 +
// 127 to x leaves n + 127 in the low bits, which shifted left by 23 are the
// float 2^n. 2^f is a polynomial of degree 5 with constant term 1, so that 2^0
// is exactly 1, fitted for the least relative error (9.2e-8) by reweighted
// least squares.
Value fovea::host::emitExp2(Emitter &e, Value x) {
  Value clamped = e.maxIgnoringNaN(e.splatF32(-127.0f), x); // NaN stays NaN
  Value magic = e.splatF32(12582912.0f + 127.0f);
  Value shifted = e.addf(clamped, magic);
  Value fraction = e.subf(clamped, e.subf(shifted, magic));
  Value p = e.splatF32(0.001326472731307149f);
  for (float c : {0.009671512991189957f, 0.05550733581185341f,
                  0.24022242426872253f, 0.6931470036506653f, 1.0f})
    p = e.fma(p, fraction, e.splatF32(c));
  Value bits = arith::BitcastOp::create(e, e.i32Vector(), shifted);
  Value power = arith::ShLIOp::create(e, bits, e.splatI32(23));
  return e.mulf(p, arith::BitcastOp::create(e, e.f32Vector(), power));
}

namespace {

/// Pointer to vector r of row j of a [rows][panel] matrix of 32-bit elements.
Value panelVector(Emitter &e, Value base, Value j, int64_t r) {
  Value row =
      e.offset(base, e.getI32Type(), e.mul(j, e.i64(e.geometry.panel())));
  return e.offset(row, e.getI32Type(), r * e.geometry.lanes);
}

/// The number of the j-th key of the list, as a position.
Value keyAt(Emitter &e, KeyList list, Value column, Value j) {
  Type i64 = e.getI64Type();
  return e.add(column, e.toI32(e.load(i64, e.offset(list.rows, i64, j))));
}

/// The number of keys, as the kernel's regions know it.
Value lengthOf(OnlineSoftmaxOp op) {
  return op->getParentOfType<KeysOp>().getLength();
}

Value isSet(Emitter &e, Value mask) {
  return arith::CmpIOp::create(e, arith::CmpIPredicate::slt, mask,
                               e.splatI32(0));
}

/// Applies the score and, where `masked`, the mask to S^T; returns the maxima.
SmallVector<Value> emitScorePass(Emitter &e, OnlineSoftmaxOp op,
                                 const IRMapping &scalars,
                                 const SoftmaxInput &in) {
  ElementRegion score(op.getScore(), scalars, lengthOf(op));
  score.prepare(e, in.queries);
  Value always = e.splat(arith::ExtSIOp::create(
      e, e.getI32Type(),
      arith::XOrIOp::create(e, in.masked,
                            arith::ConstantIntOp::create(e, 1, 1))));
  Value dropped = e.splatF32(-INFINITY);
  SmallVector<Value> lowest(e.geometry.vectors, dropped);
  auto body = [&](Value j, ValueRange max) -> SmallVector<Value> {
    SmallVector<Value> pointers, raw, next(max);
    for (int64_t r = 0; r < e.geometry.vectors; ++r) {
      pointers.push_back(panelVector(e, in.scores, j, r));
      raw.push_back(e.load(e.f32Vector(), pointers.back()));
    }
    Value key = keyAt(e, in.keys.list, in.column, j);
    SmallVector<Value> logits = score.emit(e, key, raw);
    for (auto [r, logit] : llvm::enumerate(logits)) {
      Value mask = e.load(e.i32Vector(), panelVector(e, in.keys.masks, j, r));
      Value kept = isSet(e, arith::OrIOp::create(e, mask, always));
      Value x = e.select(kept, logit, dropped);
      e.store(x, pointers[r]);
      next[r] = e.maxIgnoringNaN(x, next[r]);
    }
    return next;
  };
  return llvm::to_vector(e.loop(e.i64(0), in.keys.list.count, 1, lowest, body));
}

/// Applies the mask alone to S^T; returns the maxima of what is kept.
SmallVector<Value> emitDropPass(Emitter &e, const SoftmaxInput &in) {
  Value dropped = e.splatF32(-INFINITY);
  SmallVector<Value> lowest(e.geometry.vectors, dropped);
  auto body = [&](Value j, ValueRange max) -> SmallVector<Value> {
    SmallVector<Value> next(max);
    for (int64_t r = 0; r < e.geometry.vectors; ++r) {
      Value pointer = panelVector(e, in.scores, j, r);
      Value mask = e.load(e.i32Vector(), panelVector(e, in.keys.masks, j, r));
      Value x =
          e.select(isSet(e, mask), e.load(e.f32Vector(), pointer), dropped);
      e.store(x, pointer);
      next[r] = e.maxIgnoringNaN(x, next[r]);
    }
    return next;
  };
  return llvm::to_vector(e.loop(e.i64(0), in.keys.list.count, 1, lowest, body));
}

/// 2^((x - reference) * factor). The difference comes first: it is exact where
/// it matters, near the maximum, and never positive, however large the scores.
Value emitProbability(Emitter &e, Value x, Value reference, Value factors) {
  Value difference = e.subf(x, reference);
  return emitExp2(e, factors ? e.mulf(difference, factors) : difference);
}

/// S^T becomes P^T; returns the sums over keys.
SmallVector<Value> emitExpPass(Emitter &e, const SoftmaxInput &in,
                               Value factors, ArrayRef<Value> reference) {
  SmallVector<Value> zeros(e.geometry.vectors, e.splatF32(0.0f));
  auto body = [&](Value j, ValueRange sums) -> SmallVector<Value> {
    SmallVector<Value> next(sums);
    for (int64_t r = 0; r < e.geometry.vectors; ++r) {
      Value pointer = panelVector(e, in.scores, j, r);
      Value x = e.load(e.f32Vector(), pointer);
      Value p = emitProbability(e, x, reference[r], factors);
      e.store(p, pointer);
      next[r] = e.addf(next[r], p);
    }
    return next;
  };
  return llvm::to_vector(e.loop(e.i64(0), in.keys.list.count, 1, zeros, body));
}

} // namespace

Value fovea::host::emitMaskPass(Emitter &e, OnlineSoftmaxOp op,
                                const IRMapping &scalars,
                                ArrayRef<Value> queries, Value column,
                                Value count, MaskedKeys to) {
  ElementRegion keep(op.getKeep(), scalars, lengthOf(op));
  keep.prepare(e, queries);
  Type i64 = e.getI64Type();
  auto body = [&](Value j, ValueRange kept) -> SmallVector<Value> {
    SmallVector<Value> masks = keep.emit(e, e.add(column, e.toI32(j)));
    Value some = masks[0];
    for (auto [r, mask] : llvm::enumerate(masks)) {
      e.store(arith::ExtSIOp::create(e, e.i32Vector(), mask),
              panelVector(e, to.masks, kept[0], r));
      if (r > 0)
        some = arith::OrIOp::create(e, some, mask);
    }
    e.store(j, e.offset(to.list.rows, i64, kept[0]));
    Value any = vector::ReductionOp::create(e, vector::CombiningKind::OR, some);
    return {e.add(kept[0], arith::ExtUIOp::create(e, i64, any))};
  };
  return e.loop(e.i64(0), count, 1, ValueRange{e.i64(0)}, body)[0];
}

Value fovea::host::emitPureScale(Emitter &e, OnlineSoftmaxOp op) {
  FloatAttr constant; // perhaps inside the region: made anew
  if (Value pure = op.getPureScale();
      pure && matchPattern(pure, m_Constant(&constant)))
    return e.splat(arith::ConstantOp::create(e, constant));
  return {};
}

SoftmaxResult fovea::host::emitSoftmax(Emitter &e, OnlineSoftmaxOp op,
                                       const IRMapping &scalars,
                                       const SoftmaxInput &in) {
  Value factors = emitPureScale(e, op);
  SmallVector<Value> tileMax;
  if (factors)
    tileMax = llvm::to_vector(e.either(
        in.masked, [&] { return emitDropPass(e, in); },
        [&] { return SmallVector<Value>(in.rawMax); }));
  else
    tileMax = emitScorePass(e, op, scalars, in);

  SoftmaxResult result;
  SmallVector<Value> reference;
  for (auto [max, old] : llvm::zip(tileMax, in.max)) {
    Value lowest = e.splatF32(-INFINITY);
    result.max.push_back(e.maxIgnoringNaN(max, old));
    Value none = e.cmpf(arith::CmpFPredicate::OEQ, result.max.back(), lowest);
    reference.push_back(e.select(none, e.splatF32(0.0f), result.max.back()));
    result.rescale.push_back(
        emitProbability(e, old, reference.back(), factors));
  }
  SmallVector<Value> sums = emitExpPass(e, in, factors, reference);
  for (auto [r, sum] : llvm::enumerate(sums))
    result.sum.push_back(e.fma(in.sum[r], result.rescale[r], sum));
  return result;
}

Value fovea::host::emitCountKept(Emitter &e, OnlineSoftmaxOp op,
                                 const IRMapping &scalars,
                                 ArrayRef<Value> queries, ArrayRef<Value> valid,
                                 Value column, Value count) {
  ElementRegion keep(op.getKeep(), scalars, lengthOf(op));
  keep.prepare(e, queries);
  auto body = [&](Value j, ValueRange counts) -> SmallVector<Value> {
    SmallVector<Value> masks = keep.emit(e, e.add(column, e.toI32(j)));
    SmallVector<Value> next(counts);
    for (auto [r, mask] : llvm::enumerate(masks)) {
      Value kept = arith::AndIOp::create(e, mask, valid[r]);
      next[r] = arith::AddIOp::create(
          e, next[r], arith::ExtUIOp::create(e, e.i32Vector(), kept));
    }
    return next;
  };
  SmallVector<Value> zeros(e.geometry.vectors, e.splatI32(0));
  SmallVector<Value> counts =
      llvm::to_vector(e.loop(e.i64(0), count, 1, zeros, body));
  Value total = counts[0];
  for (size_t r = 1; r < counts.size(); ++r)
    total = arith::AddIOp::create(e, total, counts[r]);
  return e.toI64(
      vector::ReductionOp::create(e, vector::CombiningKind::ADD, total));
}
