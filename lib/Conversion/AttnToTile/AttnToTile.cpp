// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From a pattern to the program of one work item.
//
// The shape of the program is always the same (load Q, walk the key tiles,
// store); what the pattern decides is inside three regions: the walk, the
// score, the predicate.
#include "fovea/Conversion/AttnToTile.h"

#include "Evaluate.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace fovea;
using attn::Emit;

namespace fovea {
#define GEN_PASS_DEF_CONVERTATTNTOTILEPASS
#include "fovea/Conversion/AttnToTile.h.inc"
} // namespace fovea

namespace {

/// Converts one kernel.
class KernelConversion {
public:
  KernelConversion(attn::KernelOp source, tile::ScheduleAttr schedule)
      : source(source), schedule(schedule), loc(source.getLoc()),
        b(source.getContext()) {}

  void run();

private:
  tile::KernelOp createKernel();
  tile::TileType tileOf(int64_t rows, int64_t cols, Type element) {
    return tile::TileType::get(b.getContext(), rows, cols, element);
  }
  Value fill(double value, tile::TileType type) {
    Value scalar = arith::ConstantFloatOp::create(
        b, loc, b.getF32Type(), APFloat(static_cast<float>(value)));
    return tile::FillOp::create(b, loc, type, scalar);
  }
  void buildWalk(tile::KeysOp keys);
  void buildBody(tile::KeysOp keys, Value queries);
  void buildScore(tile::OnlineSoftmaxOp softmax);
  void buildKeep(tile::OnlineSoftmaxOp softmax);

  attn::KernelOp source;
  tile::ScheduleAttr schedule;
  Location loc;
  OpBuilder b;
  tile::KernelOp target;
  std::unique_ptr<KernelUniforms> uniforms;
};

tile::KernelOp KernelConversion::createKernel() {
  Type storage = source.getElementType(), f32 = b.getF32Type();
  Type i32 = b.getI32Type();
  auto view = [&](int64_t cols, Type element) -> Type {
    return tile::ViewType::get(b.getContext(), cols, element);
  };
  int64_t d = source.getQkDim(), e = source.getVDim();
  SmallVector<Type> types{view(d, storage), view(d, storage), view(e, storage),
                          view(e, storage), view(1, f32)};
  types.append(6, i32);
  llvm::append_range(types, source.getBody().getArgumentTypes());
  auto kernel = tile::KernelOp::create(
      b, loc, source.getSymNameAttr(), source.getQHeadsAttr(),
      source.getKvHeadsAttr(), schedule, source.getParamNamesAttr());
  Block &body = kernel.getBody().emplaceBlock();
  body.addArguments(types, SmallVector<Location>(types.size(), loc));
  return kernel;
}

void KernelConversion::run() {
  b.setInsertionPoint(source);
  target = createKernel();
  b.setInsertionPointToStart(&target.getBody().front());
  Value row = target.argument(tile::KernelOp::Row);
  Value numQueries = target.argument(tile::KernelOp::NumQueries);
  Value numKeys = target.argument(tile::KernelOp::NumKeys);
  int64_t rows = schedule.getRows();
  Value queries = tile::LoadOp::create(
      b, loc, tileOf(rows, source.getQkDim(), source.getElementType()),
      target.argument(tile::KernelOp::Q), row, numQueries);
  // Uniform values go before the first load.
  uniforms =
      std::make_unique<KernelUniforms>(source, target, queries.getDefiningOp());

  tile::TileType perRow = tileOf(rows, 1, b.getF32Type());
  tile::TileType output = tileOf(rows, source.getVDim(), b.getF32Type());
  SmallVector<Value> init{fill(-INFINITY, perRow), fill(0, perRow),
                          fill(0, output)};
  auto keys =
      tile::KeysOp::create(b, loc, TypeRange{perRow, perRow, output},
                           target.argument(tile::KernelOp::K),
                           target.argument(tile::KernelOp::V), numKeys, init);
  buildWalk(keys);
  buildBody(keys, queries);
  b.setInsertionPointToEnd(&target.getBody().front());
  tile::StoreResultOp::create(
      b, loc, keys.getResult(2), keys.getResult(0), keys.getResult(1),
      target.argument(tile::KernelOp::O), target.argument(tile::KernelOp::LSE),
      row, numQueries);
  source.erase();
}

void KernelConversion::buildWalk(tile::KeysOp keys) {
  OpBuilder::InsertionGuard guard(b);
  Block &block = keys.getWalk().emplaceBlock();
  Value key = block.addArgument(b.getI32Type(), loc);
  b.setInsertionPointToStart(&block);
  Emit emit(b, loc);
  attn::TileContext tile{*uniforms, key};
  auto yield = cast<attn::YieldOp>(source.getBody().front().getTerminator());
  llvm::DenseMap<Value, attn::Run> runs;
  auto known = [&](Value v) {
    return !isa<attn::MaskType>(v.getType()) || runs.contains(v);
  };
  visitOperandsFirst(yield.getMask(), known, [&](Value mask) {
    auto op = cast<attn::MaskOpInterface>(mask.getDefiningOp());
    SmallVector<attn::Run> parts;
    for (Value operand : op->getOperands())
      if (isa<attn::MaskType>(operand.getType()))
        parts.push_back(runs.lookup(operand));
    attn::Run run = op.classify(emit, tile, parts);
    runs[mask] = run;
  });
  attn::Run run = runs.lookup(yield.getMask());
  tile::RunOp::create(b, loc, run.any, run.all, run.until);
}

void KernelConversion::buildBody(tile::KeysOp keys, Value queries) {
  OpBuilder::InsertionGuard guard(b);
  Block &block = keys.getBody().emplaceBlock();
  Type storage = source.getElementType(), f32 = b.getF32Type();
  int64_t rows = schedule.getRows(), size = schedule.getKeys();
  Value column = block.addArgument(b.getI32Type(), loc);
  Value masked = block.addArgument(b.getI1Type(), loc);
  Value k = block.addArgument(tileOf(size, source.getQkDim(), storage), loc);
  Value v = block.addArgument(tileOf(size, source.getVDim(), storage), loc);
  SmallVector<Value> state;
  for (Value init : keys.getInit())
    state.push_back(block.addArgument(init.getType(), loc));
  b.setInsertionPointToStart(&block);

  tile::TileType scores = tileOf(rows, size, f32);
  Value s = tile::DotOp::create(b, loc, scores, queries, k, Value(), true);
  Type perRow = state[0].getType();
  auto softmax = tile::OnlineSoftmaxOp::create(
      b, loc, TypeRange{tileOf(rows, size, storage), perRow, perRow, perRow}, s,
      state[0], state[1], uniforms->firstQuery, column, masked);
  buildScore(softmax);
  buildKeep(softmax);
  b.setInsertionPointAfter(softmax);
  Value shrunk = tile::RescaleOp::create(b, loc, state[2].getType(), state[2],
                                         softmax.getRescale());
  Value output =
      tile::DotOp::create(b, loc, cast<tile::TileType>(state[2].getType()),
                          softmax.getProbabilities(), v, shrunk, false);
  tile::YieldOp::create(
      b, loc, ValueRange{softmax.getNewMax(), softmax.getNewSum(), output});
}

void KernelConversion::buildScore(tile::OnlineSoftmaxOp softmax) {
  Block &block = softmax.getScore().emplaceBlock();
  Type i32 = b.getI32Type();
  block.addArguments({b.getF32Type(), i32, i32}, {loc, loc, loc});
  b.setInsertionPointToStart(&block);
  Emit emit(b, loc);
  PairEvaluator pair(emit, *uniforms, block.getArgument(1),
                     block.getArgument(2));
  auto yield = cast<attn::YieldOp>(source.getBody().front().getTerminator());
  Value score = emitScore(pair, yield.getScore(), block.getArgument(0));
  tile::YieldOp::create(b, loc, score);
}

void KernelConversion::buildKeep(tile::OnlineSoftmaxOp softmax) {
  Block &block = softmax.getKeep().emplaceBlock();
  Type i32 = b.getI32Type();
  block.addArguments({i32, i32}, {loc, loc});
  b.setInsertionPointToStart(&block);
  Emit emit(b, loc);
  PairEvaluator pair(emit, *uniforms, block.getArgument(0),
                     block.getArgument(1));
  auto yield = cast<attn::YieldOp>(source.getBody().front().getTerminator());
  Value keep = emit.andi(pair.keeps(yield.getMask()),
                         emit.lt(pair.key, uniforms->numKeys));
  tile::YieldOp::create(b, loc, keep);
}

struct ConvertAttnToTilePass
    : fovea::impl::ConvertAttnToTilePassBase<ConvertAttnToTilePass> {
  using ConvertAttnToTilePassBase::ConvertAttnToTilePassBase;

  void runOnOperation() override {
    if (rows < 1 || keys < 1 || stages < 1 || warps < 1 || rows % warps != 0) {
      // Diagnostics know numbers, not options.
      getOperation().emitError(
          "expected a schedule of at least 1 row, key, stage and "
          "warp, with rows divisible by warps, but got ")
          << rows.getValue() << ", " << keys.getValue() << ", "
          << stages.getValue() << " and " << warps.getValue();
      return signalPassFailure();
    }
    auto schedule =
        tile::ScheduleAttr::get(&getContext(), rows, keys, stages, warps);
    SmallVector<attn::KernelOp> kernels(
        getOperation().getOps<attn::KernelOp>());
    for (attn::KernelOp kernel : kernels)
      KernelConversion(kernel, schedule).run();
  }
};

} // namespace
