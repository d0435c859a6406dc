// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Between rows in memory and panels in scratch: the queries on the way in, the
// output on the way out, and half-precision keys and values widened to f32.
//
// Rows become lanes through a square transposition in registers. Rows are
// rarely a multiple of the vector long, so the last square of a row overlaps
// the one before; only rows shorter than a vector go element by element.
#include "Steps.h"

using namespace mlir;
using namespace fovea::host;

namespace {

/// Elements of storage type as f32: scalars or vectors.
Value widen(Emitter &e, Value value) {
  Type element = getElementTypeOrSelf(value.getType());
  auto like = [&](Type type) -> Type {
    if (auto vector = dyn_cast<VectorType>(value.getType()))
      return vector.clone(type);
    return type;
  };
  if (element.isF32())
    return value;
  if (element.isF16())
    return arith::ExtFOp::create(e, like(e.getF32Type()), value);
  // bf16 is the upper half of f32. Spelt out, for without AVX512-BF16 LLVM
  // calls a library function.
  Value bits = arith::BitcastOp::create(e, like(e.getI16Type()), value);
  Type word = like(e.getI32Type());
  Value wide = arith::ExtUIOp::create(e, word, bits);
  Value sixteen = arith::ConstantOp::create(
      e, isa<VectorType>(word) ? TypedAttr(DenseElementsAttr::get(
                                     cast<VectorType>(word), int32_t(16)))
                               : TypedAttr(e.getI32IntegerAttr(16)));
  return arith::BitcastOp::create(e, like(e.getF32Type()),
                                  arith::ShLIOp::create(e, wide, sixteen));
}

/// A vector of f32 rounded to the storage type, to nearest even.
Value narrow(Emitter &e, Value value, Type element) {
  if (element.isF32())
    return value;
  if (element.isF16())
    return arith::TruncFOp::create(e, e.vectorOf(element), value);
  Value bits = arith::BitcastOp::create(e, e.i32Vector(), value);
  Value sixteen = e.splatI32(16);
  Value upper = arith::ShRUIOp::create(e, bits, sixteen);
  Value odd = arith::AndIOp::create(e, upper, e.splatI32(1));
  Value bias = arith::AddIOp::create(e, odd, e.splatI32(0x7fff));
  Value rounded =
      arith::ShRUIOp::create(e, arith::AddIOp::create(e, bits, bias), sixteen);
  Value quiet = arith::OrIOp::create(e, upper, e.splatI32(0x40));
  Value isNaN = e.cmpf(arith::CmpFPredicate::UNO, value, value);
  Value half = arith::TruncIOp::create(e, e.vectorOf(e.getI16Type()),
                                       e.select(isNaN, quiet, rounded));
  return arith::BitcastOp::create(e, e.vectorOf(element), half);
}

/// Transposes a square of lanes x lanes. Each of log2(lanes) rounds interleaves
/// register i with register i + lanes/2; in terms of the bits of an element's
/// address (register, lane) a round rotates them by one, so all rounds swap
/// register and lane.
void transpose(Emitter &e, SmallVectorImpl<Value> &square) {
  const int64_t n = e.geometry.lanes;
  SmallVector<int64_t> low, high;
  for (int64_t i = 0; i < n / 2; ++i) {
    low.append({i, n + i});
    high.append({n / 2 + i, n + n / 2 + i});
  }
  for (int64_t round = 1; round < n; round *= 2) {
    SmallVector<Value> next;
    for (int64_t i = 0; i < n / 2; ++i)
      for (ArrayRef<int64_t> mask : {ArrayRef(low), ArrayRef(high)})
        next.push_back(
            vector::ShuffleOp::create(e, square[i], square[i + n / 2], mask));
    square = next;
  }
}

/// Calls `body` for the first column of each square that covers `columns`.
void forEachSquare(Emitter &e, int64_t columns,
                   function_ref<void(Value)> body) {
  const int64_t lanes = e.geometry.lanes;
  e.loop(e.i64(0), e.i64(columns), lanes, [&](Value column) {
    body(e.smaller(column, e.i64(columns - lanes)));
  });
}

Value rowPointer(Emitter &e, Rows rows, Value row) {
  return e.offset(rows.base, rows.element, e.mul(row, rows.stride));
}

/// Panel address of (row, column): [row / panel][column][row % panel].
Value panelPointer(Emitter &e, Value base, Value row, Value column,
                   int64_t columns) {
  Value panel = e.i64(e.geometry.panel());
  Value inside = arith::RemUIOp::create(e, row, panel);
  Value first = e.mul(e.sub(row, inside), e.i64(columns));
  return e.offset(base, e.getF32Type(),
                  e.add(e.add(first, inside), e.mul(column, panel)));
}

} // namespace

void fovea::host::emitPackQueries(Emitter &e, Rows from, Value count,
                                  int64_t columns, Value to) {
  const int64_t lanes = e.geometry.lanes, panel = e.geometry.panel();
  Type f32 = e.getF32Type();
  Value last = e.sub(count, e.i64(1));
  // Whole panels: round up, or the last vectors of a panel would stay
  // undefined.
  Value panels =
      arith::DivUIOp::create(e, e.add(count, e.i64(panel - 1)), e.i64(panel));
  Value end = e.mul(panels, e.i64(panel));
  if (columns < lanes) {
    e.loop(e.i64(0), end, 1, [&](Value row) {
      Value source = rowPointer(e, from, e.smaller(row, last));
      e.loop(e.i64(0), e.i64(columns), 1, [&](Value column) {
        Value x = e.load(from.element, e.offset(source, from.element, column));
        e.store(widen(e, x), panelPointer(e, to, row, column, columns));
      });
    });
    return;
  }
  e.loop(e.i64(0), end, lanes, [&](Value row) {
    SmallVector<Value> sources;
    for (int64_t i = 0; i < lanes; ++i)
      sources.push_back(
          rowPointer(e, from, e.smaller(e.add(row, e.i64(i)), last)));
    forEachSquare(e, columns, [&](Value column) {
      SmallVector<Value> square;
      for (Value source : sources)
        square.push_back(
            widen(e, e.load(e.vectorOf(from.element),
                            e.offset(source, from.element, column))));
      transpose(e, square);
      Value target = panelPointer(e, to, row, column, columns);
      for (int64_t i = 0; i < lanes; ++i)
        e.store(square[i], e.offset(target, f32, i * panel));
    });
  });
}

void fovea::host::emitWidenRows(Emitter &e, Rows from, Value count,
                                int64_t columns, Value to) {
  Type f32 = e.getF32Type();
  bool vectors = columns >= e.geometry.lanes;
  Type type = vectors ? Type(e.vectorOf(from.element)) : from.element;
  e.loop(e.i64(0), count, 1, [&](Value row) {
    Value source = rowPointer(e, from, row);
    Value target = e.offset(to, f32, e.mul(row, e.i64(columns)));
    auto copy = [&](Value column) {
      Value x = e.load(type, e.offset(source, from.element, column));
      e.store(widen(e, x), e.offset(target, f32, column));
    };
    if (vectors)
      forEachSquare(e, columns, copy);
    else
      e.loop(e.i64(0), e.i64(columns), 1, copy);
  });
}

void fovea::host::emitUnpackOutput(Emitter &e, Value from, Value factors,
                                   Value count, int64_t columns, Rows to) {
  const int64_t lanes = e.geometry.lanes, panel = e.geometry.panel();
  Type f32 = e.getF32Type();
  if (columns < lanes) {
    // A vector whose first element alone is stored, so that rounding has one
    // form.
    e.loop(e.i64(0), count, 1, [&](Value row) {
      Value factor = e.load(f32, e.offset(factors, f32, row));
      e.loop(e.i64(0), e.i64(columns), 1, [&](Value column) {
        Value x = e.load(f32, panelPointer(e, from, row, column, columns));
        Value y = narrow(e, e.splat(e.mulf(x, factor)), to.element);
        Value first = vector::ExtractOp::create(e, y, 0);
        e.store(first, e.offset(rowPointer(e, to, row), to.element, column));
      });
    });
    return;
  }
  e.loop(e.i64(0), count, lanes, [&](Value row) {
    Value factor = e.load(e.f32Vector(), e.offset(factors, f32, row));
    forEachSquare(e, columns, [&](Value column) {
      Value source = panelPointer(e, from, row, column, columns);
      SmallVector<Value> square;
      for (int64_t i = 0; i < lanes; ++i)
        square.push_back(e.mulf(
            e.load(e.f32Vector(), e.offset(source, f32, i * panel)), factor));
      transpose(e, square);
      for (int64_t i = 0; i < lanes; ++i) {
        Value target = e.add(row, e.i64(i));
        e.when(e.less(target, count), [&] {
          e.store(narrow(e, square[i], to.element),
                  e.offset(rowPointer(e, to, target), to.element, column));
        });
      }
    });
  });
}
