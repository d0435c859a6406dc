// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tiles from global to shared memory.
//
// Where rows are 16-byte aligned: cp.async by 16 bytes, neighbouring lanes on
// neighbouring chunks of a row. A thread keeps its chunk and steps over rows,
// so that a pass costs one pointer addition and the shared side is an
// immediate. Rows past the end and chunks past the data copy nothing and fill
// with zeros. Otherwise: element by element in a rolled loop, by plain loads
// and stores; the same barriers order both.
#include "Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace fovea::ptx;

void Emitter::copyTile(const View &view, Value firstRow, Value length,
                       const SharedTile &tile, Value offset, bool checked) {
  if (general)
    copyElements(view, firstRow, length, tile, offset);
  else
    copyAligned(view, firstRow, length, tile, offset, checked);
}

/// Chunks `firstChunk` .. `firstChunk` + `columns` - 1 of every row.
void Emitter::copyChunks(const View &view, Value firstRow, Value length,
                         const SharedTile &tile, Value offset, bool checked,
                         int64_t firstChunk, int64_t columns) {
  int64_t rowsPerPass = plan.threads() / columns;
  Value chunk =
      add(arith::RemUIOp::create(b, loc, tid, i32(columns)), firstChunk);
  Value row = arith::DivUIOp::create(b, loc, tid, i32(columns));
  Value to = add(offset, offsetIn(tile, row, chunk));
  Value position = extend(add(row, firstRow));
  Value from = globalAt(view.base, extend(mul(chunk, 16)));
  from = globalAt(from, mul(position, view.stride));
  Value step = mul(view.stride, i64(rowsPerPass));
  bool padded = firstChunk + columns > tile.dataChunks;
  Value hasData = padded ? less(chunk, i32(tile.dataChunks)) : Value();

  // Rows eight further are an immediate away, rows four further too, but for
  // the swap of the chunks.
  auto place = [&](int64_t first) -> Value {
    int64_t immediate = first * tile.slotBytes();
    if (!tile.paired || rowsPerPass % 8 == 0)
      return sharedAt(to, immediate);
    if (4 % rowsPerPass != 0)
      return sharedAt(add(offset, offsetIn(tile, add(row, first), chunk)));
    if ((first >> 2) % 2 == 0)
      return sharedAt(to, immediate);
    return sharedAt(arith::XOrIOp::create(b, loc, to, i32(16)), immediate);
  };
  auto copyRow = [&](int64_t first) {
    Value valid = hasData, source = from, size;
    if (checked) {
      Value inside = less(add(firstRow, add(row, first)), length);
      valid = valid ? arith::AndIOp::create(b, loc, valid, inside).getResult()
                    : inside;
    }
    if (valid) {
      size = select(valid, i32(16), i32(0));
      source = select(valid, source, view.base);
    }
    NVVM::CpAsyncOp::create(b, loc, place(first), source, 16,
                            NVVM::LoadCacheModifierKind::CG, size);
  };
  auto copyRows = [&] {
    for (int64_t first = 0; first < tile.rows; first += rowsPerPass) {
      if (first + rowsPerPass > tile.rows)
        onlyIf(less(row, i32(tile.rows - first)), [&] { copyRow(first); });
      else
        copyRow(first);
      from = globalAt(from, step);
    }
  };
  if (firstChunk + columns > tile.chunks)
    onlyIf(less(chunk, i32(tile.chunks)), copyRows);
  else
    copyRows();
}

void Emitter::copyAligned(const View &view, Value firstRow, Value length,
                          const SharedTile &tile, Value offset, bool checked) {
  int64_t columns =
      std::min<int64_t>(llvm::PowerOf2Ceil(tile.chunks), plan.threads());
  for (int64_t first = 0; first < tile.chunks; first += columns)
    copyChunks(view, firstRow, length, tile, offset, checked, first, columns);
}

void Emitter::copyElements(const View &view, Value firstRow, Value length,
                           const SharedTile &tile, Value offset) {
  int64_t perChunk = 16 / plan.elementBytes;
  int64_t columns = tile.chunks * perChunk;
  Type type = b.getIntegerType(plan.elementBytes * 8);
  rolledLoop(tid, i32(tile.rows * columns), plan.threads(), [&](Value i) {
    Value row = arith::DivUIOp::create(b, loc, i, i32(columns));
    Value column = arith::RemUIOp::create(b, loc, i, i32(columns));
    Value position = add(firstRow, row);
    Value valid = arith::AndIOp::create(b, loc, less(position, length),
                                        less(column, i32(view.cols)));
    Value bytes = add(mul(extend(position), view.stride),
                      extend(mul(column, plan.elementBytes)));
    Value zero = arith::ConstantIntOp::create(b, loc, type, 0);
    auto load =
        scf::IfOp::create(b, loc, TypeRange(type), valid, /*addThenBlock=*/true,
                          /*addElseBlock=*/true);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(load.thenBlock());
      Value element = LLVM::LoadOp::create(
          b, loc, type, globalAt(view.base, bytes), plan.elementBytes);
      scf::YieldOp::create(b, loc, element);
      b.setInsertionPointToStart(load.elseBlock());
      scf::YieldOp::create(b, loc, zero);
    }
    Value chunk = arith::DivUIOp::create(b, loc, column, i32(perChunk));
    Value inChunk = arith::RemUIOp::create(b, loc, column, i32(perChunk));
    Value to = add(offsetIn(tile, row, chunk), mul(inChunk, plan.elementBytes));
    LLVM::StoreOp::create(b, loc, load.getResult(0), sharedAt(add(offset, to)),
                          plan.elementBytes);
  });
}

void Emitter::commitCopies() {
  if (!general)
    NVVM::CpAsyncCommitGroupOp::create(b, loc);
}

void Emitter::waitForCopies(int64_t pending) {
  if (!general)
    NVVM::CpAsyncWaitGroupOp::create(b, loc, pending);
}
