// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arithmetic on fragments: maps, row reductions, rescaling.
//
// A reduction over a row is a tree over a lane's elements and two shuffles
// within the four lanes of the row. Sums stay in parts (see Loop.cpp), and the
// question whether some score exceeds the reference needs no shuffle at all:
// each lane asks for its own elements, and the warp votes.
#include "ElementRegion.h"
#include "Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::ptx;

LogicalResult Emitter::emitFill(tile::FillOp op) {
  auto type = op.getTile().getType();
  if (!type.getElementType().isF32())
    return op.emitOpError("expected a tile of f32 on this target, but got ")
           << type;
  Fragment result;
  Value value = lookup(op.getValue());
  if (type.getCols() == 1) { // or the output of value dimension 1, see emitKeys
    result.kind = Fragment::Vector;
    result.rows = fragmentRows();
    result.values.assign(result.rows, value);
  } else { // an accumulator of the output
    result = matrix(llvm::alignTo(type.getCols(), 16) / 4,
                    plan.usesTensorCores() ? Columns::Pairs : Columns::Quads);
    std::fill(result.values.begin(), result.values.end(), value);
  }
  tiles[op.getTile()] = result;
  return success();
}

/// If the region only rounds its argument to the 16-bit storage type.
static bool isRounding(tile::MapOp op) {
  Block &block = op.getBody().front();
  auto trunc =
      block.getTerminator()->getOperand(0).getDefiningOp<arith::TruncFOp>();
  return trunc && trunc.getIn() == block.getArgument(0) &&
         trunc.getType().getIntOrFloatBitWidth() == 16;
}

/// Two neighbouring columns to one register.
Fragment Emitter::packedMap(tile::MapOp op, const Fragment &input) {
  Fragment result = input;
  result.kind = Fragment::Packed;
  result.values.clear();
  bool bf16 = op.getResult().getType().getElementType().isBF16();
  Type type =
      VectorType::get(2, bf16 ? Type(b.getBF16Type()) : Type(b.getF16Type()));
  StringRef name = bf16 ? "llvm.nvvm.ff2bf16x2.rn" : "llvm.nvvm.ff2f16x2.rn";
  for (int64_t r = 0; r < input.rows; ++r)
    for (int64_t c = 0; c < input.cols;
         c += 2) { // the first operand is the high half
      Value pair = intrinsic(name, type, {input.at(r, c + 1), input.at(r, c)});
      result.values.push_back(
          LLVM::BitcastOp::create(b, loc, b.getI32Type(), pair));
    }
  return result;
}

LogicalResult Emitter::emitMap(tile::MapOp op) {
  SmallVector<Fragment> inputs;
  SmallVector<ElementRegion::Dependence> depends;
  Fragment result;
  for (Value input : op.getInputs()) {
    const Fragment &fragment = tiles[input];
    if (fragment.kind != Fragment::Matrix && fragment.kind != Fragment::Vector)
      return op.emitOpError(
                 "expected maps of f32 tiles on this target, but got ")
             << input.getType();
    bool vector = fragment.kind == Fragment::Vector;
    depends.push_back(vector ? ElementRegion::Row : ElementRegion::Element);
    if (inputs.empty() || result.kind == Fragment::Vector)
      result = fragment;
    if (!vector && result.columns != fragment.columns)
      return op.emitOpError("expected inputs of one layout on this target");
    inputs.push_back(fragment);
  }
  result.partial = llvm::any_of(inputs, [](auto &f) { return f.partial; });
  if (inputs.size() == 1 && result.kind == Fragment::Matrix && isRounding(op)) {
    tiles[op.getResult()] = packedMap(op, result);
    return success();
  }
  if (!op.getResult().getType().getElementType().isF32())
    return op.emitOpError(
        "expected a map to f32, or one that only rounds, on this target");
  depends.append({ElementRegion::Row, ElementRegion::Column});
  ElementRegion region(
      b, op.getBody().front(), scalars,
      ArrayRef(depends).take_front(op.getBody().getNumArguments()));
  auto argument = [&](unsigned i, int64_t r, int64_t c) -> Value {
    if (i < inputs.size())
      return inputs[i].kind == Fragment::Vector ? inputs[i].values[r]
                                                : inputs[i].at(r, c);
    if (i == inputs.size())
      return add(lookup(op.getFirstQuery()), add(laneRow, rowOffset(r)));
    int64_t scale = result.columns == Columns::Pairs ? 2 : 4;
    return add(lookup(op.getFirstKey()),
               add(mul(inGroup, scale), columnOffset(result.columns, c)));
  };
  bool vector = result.kind == Fragment::Vector;
  for (int64_t r = 0; r < result.rows; ++r)
    for (int64_t c = 0, e = vector ? 1 : result.cols; c < e; ++c)
      result.values[vector ? r : r * result.cols + c] =
          region.emit(r, c, argument);
  tiles[op.getResult()] = result;
  return success();
}

/// The lane's own maximum (ignoring NaN) or sum of fragment row `row`.
Value Emitter::laneReduce(const Fragment &tile, int64_t row, bool max) {
  SmallVector<Value> values;
  for (int64_t c = 0; c < tile.cols; ++c)
    values.push_back(tile.at(row, c));
  while (values.size() > 1) {
    SmallVector<Value> next;
    for (size_t i = 0; i + 1 < values.size(); i += 2)
      next.push_back(
          max ? arith::MaxNumFOp::create(b, loc, values[i], values[i + 1])
                    .getResult()
              : arith::AddFOp::create(b, loc, values[i], values[i + 1])
                    .getResult());
    if (values.size() % 2)
      next.push_back(values.back());
    values = std::move(next);
  }
  return values.front();
}

/// Over the four lanes that share a row.
Value Emitter::quadReduce(Value value, bool max) {
  for (int64_t mask : {1, 2}) {
    Value other = shuffleXor(value, mask);
    value = max ? arith::MaxNumFOp::create(b, loc, value, other).getResult()
                : arith::AddFOp::create(b, loc, value, other).getResult();
  }
  return value;
}

void Emitter::emitRowMax(tile::RowMaxOp op) {
  const Fragment &tile = tiles[op.getTile()];
  Fragment result = tiles[op.getInit()];
  for (int64_t r = 0; r < result.rows; ++r) {
    Value max = quadReduce(laneReduce(tile, r, true), true);
    result.values[r] = arith::MaxNumFOp::create(b, loc, max, result.values[r]);
  }
  tiles[op.getResult()] = result;
}

void Emitter::emitRowSum(tile::RowSumOp op) {
  const Fragment &tile = tiles[op.getTile()];
  Fragment result = tiles[op.getInit()];
  for (int64_t r = 0; r < result.rows; ++r) {
    Value sum = laneReduce(tile, r, false);
    if (!result.partial)
      sum = quadReduce(sum, false);
    result.values[r] = arith::AddFOp::create(b, loc, sum, result.values[r]);
  }
  tiles[op.getResult()] = result;
}

void Emitter::emitExceeds(tile::ExceedsOp op) {
  const Fragment &tile = tiles[op.getTile()], &bound = tiles[op.getBound()];
  Value slack = f32(op.getSlack().convertToFloat());
  Value any;
  for (int64_t r = 0; r < tile.rows; ++r) {
    Value max = laneReduce(tile, r, true);
    if (op.getScale())
      max = arith::MulFOp::create(b, loc, max, lookup(op.getScale()));
    Value limit = arith::AddFOp::create(b, loc, bound.values[r], slack);
    Value above =
        arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, max, limit);
    any = any ? arith::OrIOp::create(b, loc, any, above).getResult() : above;
  }
  Value vote = NVVM::VoteSyncOp::create(b, loc, b.getI1Type(), i32(-1), any,
                                        NVVM::VoteSyncKind::any);
  scalars.map(op.getResult(), vote);
}

void Emitter::emitRescale(tile::RescaleOp op) {
  Fragment result = tiles[op.getTile()];
  const Fragment &factor = tiles[op.getFactor()];
  for (int64_t r = 0; r < result.rows; ++r)
    for (int64_t c = 0; c < result.cols; ++c) {
      Value &value = result.values[r * result.cols + c];
      value = arith::MulFOp::create(b, loc, value, factor.values[r]);
    }
  tiles[op.getResult()] = result;
}
