// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The kernel of one work item.
//
//   pack Q; m = -inf, l = 0, O = 0
//   for each key tile of the walk:
//     widen K and V, unless they are f32 already
//     for each panel of queries:
//       if masked: keys, masks = mask pass;  else all keys
//       S = K Q;  m, l, a, P = softmax(S);  O = O a + V P
//   store O / l, LSE
//
// The panel loop is inside the tile loop: K and V (16 KiB each at 64 keys of
// 64) are read from memory once and then four times from L1 or L2, beside a
// panel's slices of Q, S and O (4 KiB each).
#include "KernelLowering.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace fovea::host;
using namespace fovea::tile;

namespace {

class KernelFunction {
public:
  KernelFunction(Emitter &e, KernelOp kernel, const KernelShape &shape)
      : e(e), kernel(kernel), shape(shape), qkDim(kernel.getQKDim()),
        vDim(kernel.getVDim()), keys(kernel.getSchedule().getKeys()),
        panels(llvm::divideCeil(kernel.getSchedule().getRows(),
                                e.geometry.panel())) {}

  void emit();

private:
  /// Scratch memory at a fixed place.
  Value take(int64_t floats) {
    return e.offset(scratch, e.getI8Type(), e.i64(layout.take(4 * floats)));
  }
  Value slice(Value base, Value panel, int64_t columns) {
    return e.offset(base, e.getF32Type(),
                    e.mul(panel, e.i64(columns * e.geometry.panel())));
  }
  void allocate();
  void initialise();
  void emitTile(Value column, Value masked);
  void emitPanel(Value panel, Value column, Value masked, Value count, Rows k,
                 Rows v);
  void storeResults();

  /// One vector for each vector of a panel's rows, at a [rows] array.
  SmallVector<Value> loadRows(Value base, Value row);
  void storeRows(ArrayRef<Value> values, Value base, Value row);

  Emitter &e;
  KernelOp kernel;
  const KernelShape &shape;
  const int64_t qkDim, vDim, keys, panels;
  ScratchLayout layout;
  WorkItem item;
  Value scratch, usedPanels;
  Value queries, output, max, sum, scores, masks; // pointers to f32 or i32
  Value everyKey, keptKeys;                       // pointers to i64 [keys]
  Value wideKeys, wideValues;                     // f16, bf16 only
};

void KernelFunction::allocate() {
  const int64_t rows = panels * e.geometry.panel();
  queries = take(rows * qkDim);
  output = take(rows * vDim);
  max = take(rows);
  sum = take(rows);
  scores = take(keys * e.geometry.panel());
  masks = take(keys * e.geometry.panel());
  everyKey = take(2 * keys);
  keptKeys = take(2 * keys);
  if (!kernel.getStorageType().isF32()) {
    wideKeys = take(keys * qkDim);
    wideValues = take(keys * vDim);
  }
}

SmallVector<Value> KernelFunction::loadRows(Value base, Value row) {
  SmallVector<Value> values;
  Value pointer = e.offset(base, e.getF32Type(), row);
  for (int64_t r = 0; r < e.geometry.vectors; ++r)
    values.push_back(e.load(e.f32Vector(), e.offset(pointer, e.getF32Type(),
                                                    r * e.geometry.lanes)));
  return values;
}
void KernelFunction::storeRows(ArrayRef<Value> values, Value base, Value row) {
  Value pointer = e.offset(base, e.getF32Type(), row);
  for (auto [r, value] : llvm::enumerate(values))
    e.store(value, e.offset(pointer, e.getF32Type(), r * e.geometry.lanes));
}

void KernelFunction::initialise() {
  const int64_t lanes = e.geometry.lanes, panel = e.geometry.panel();
  Type f32 = e.getF32Type(), i64 = e.getI64Type();
  emitPackQueries(e, item.q, item.rows, qkDim, queries);
  Value zeros = e.splatF32(0.0f), lowest = e.splatF32(-INFINITY);
  Value end = e.mul(usedPanels, e.i64(panel));
  e.loop(e.i64(0), end, lanes, [&](Value row) {
    e.store(lowest, e.offset(max, f32, row));
    e.store(zeros, e.offset(sum, f32, row));
  });
  e.loop(e.i64(0), e.mul(end, e.i64(vDim)), lanes,
         [&](Value i) { e.store(zeros, e.offset(output, f32, i)); });
  e.loop(e.i64(0), e.i64(keys), 1,
         [&](Value i) { e.store(i, e.offset(everyKey, i64, i)); });
}

void KernelFunction::emitTile(Value column, Value masked) {
  KeysOp op = shape.keys;
  item.scalars.map(op.bodyBlock().getArgument(KeysOp::Column), column);
  item.scalars.map(op.bodyBlock().getArgument(KeysOp::Masked), masked);
  cloneScalars(e, op.bodyBlock(), item.scalars);

  Value first = e.toI64(column);
  Value left = e.sub(e.toI64(item.scalars.lookup(op.getLength())), first);
  Value count = e.smaller(e.i64(keys), left);
  auto tileRows = [&](Rows view, Value wide, int64_t columns) {
    view.base = e.offset(view.base, view.element, e.mul(first, view.stride));
    if (!wide)
      return view;
    emitWidenRows(e, view, count, columns, wide);
    return Rows{wide, e.i64(columns), e.getF32Type()};
  };
  Rows k = tileRows(item.k, wideKeys, qkDim);
  Rows v = tileRows(item.v, wideValues, vDim);
  e.loop(e.i64(0), usedPanels, 1,
         [&](Value panel) { emitPanel(panel, column, masked, count, k, v); });
}

void KernelFunction::emitPanel(Value panel, Value column, Value masked,
                               Value count, Rows k, Rows v) {
  OnlineSoftmaxOp op = shape.softmax;
  Value row = e.mul(panel, e.i64(e.geometry.panel()));
  SmallVector<Value> positions =
      emitPositions(e, item.scalars.lookup(op.getFirstQuery()), row, item.rows);
  Value firstKey = item.scalars.lookup(op.getFirstKey());
  Value mask = item.scalars.lookup(op.getMasked());

  MaskedKeys kept{{keptKeys, {}}, masks};
  Value number = e.either(
      mask,
      [&]() -> SmallVector<Value> {
        return {emitMaskPass(e, op, item.scalars, positions, firstKey, count,
                             kept)};
      },
      [&]() -> SmallVector<Value> { return {e.i64(keys)}; })[0];
  kept.list = {e.select(mask, keptKeys, everyKey), number};

  e.when(e.less(e.i64(0), number), [&] {
    Value accumulator = slice(output, panel, vDim);
    SmallVector<Value> raw = emitScoreProduct(
        e, k, kept.list, qkDim, slice(queries, panel, qkDim), scores);
    SmallVector<Value> oldMax = loadRows(max, row), oldSum = loadRows(sum, row);
    SoftmaxResult next = emitSoftmax(
        e, op, item.scalars,
        {positions, firstKey, mask, kept, scores, raw, oldMax, oldSum});
    storeRows(next.max, max, row);
    storeRows(next.sum, sum, row);
    emitOutputProduct(e, v, kept.list, vDim, scores, accumulator, next.rescale);
  });
}

// O / l and LSE = (m + log2 l) ln 2. Where l = 0 nothing was kept: O is 0
// already, and m + log2 l is minus infinity by itself.
void KernelFunction::storeResults() {
  const int64_t lanes = e.geometry.lanes;
  Type f32 = e.getF32Type();
  Value one = e.splatF32(1.0f), zeros = e.splatF32(0.0f);
  Value ln2 = e.splatF32(0.693147180559945309f);
  Value factors = emitPureScale(e, shape.softmax);
  // max becomes the LSE and sum the factor of the output, in place.
  e.loop(e.i64(0), e.mul(usedPanels, e.i64(e.geometry.panel())), lanes,
         [&](Value row) {
           Value maxAt = e.offset(max, f32, row),
                 sumAt = e.offset(sum, f32, row);
           Value m = e.load(e.f32Vector(), maxAt),
                 l = e.load(e.f32Vector(), sumAt);
           if (factors)
             m = e.mulf(m, factors);
           Value log = math::Log2Op::create(e, l);
           e.store(e.mulf(e.addf(m, log), ln2), maxAt);
           Value none = e.cmpf(arith::CmpFPredicate::OEQ, l, zeros);
           Value inverse = arith::DivFOp::create(e, one, l);
           e.store(e.select(none, zeros, inverse), sumAt);
         });
  e.when(item.hasLSE, [&] {
    e.loop(e.i64(0), item.rows, 1, [&](Value row) {
      e.store(e.load(f32, e.offset(max, f32, row)),
              e.offset(item.lse, f32, row));
    });
  });
  emitUnpackOutput(e, output, sum, item.rows, vDim, item.o);
}

void KernelFunction::emit() {
  func::FuncOp function = emitFunctionHeader(e, kernel, "");
  scratch = function.getArgument(2);
  item = emitPrologue(e, kernel, function);
  cloneScalars(e, kernel.getBody().front(), item.scalars);
  allocate();
  Value panel = e.i64(e.geometry.panel());
  usedPanels = arith::DivUIOp::create(
      e, e.add(item.rows, e.i64(e.geometry.panel() - 1)), panel);
  initialise();
  emitWalk(e, shape.keys, item.scalars,
           [&](Value column, Value masked) { emitTile(column, masked); });
  storeResults();
  func::ReturnOp::create(e);
  function->setAttr("fovea.scratch_bytes", e.getI64IntegerAttr(layout.bytes()));
}

} // namespace

void fovea::host::emitKernelFunction(Emitter &e, KernelOp kernel,
                                     const KernelShape &shape) {
  KernelFunction(e, kernel, shape).emit();
}
