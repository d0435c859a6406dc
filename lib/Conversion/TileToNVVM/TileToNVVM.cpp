// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The pass: every tile.kernel becomes one or two functions. `<name>` copies
// rows by 16 bytes and wants pointers and strides that are multiples of them;
// `<name>_general` takes any. A head dimension whose rows are no multiple of 16
// bytes has only the latter.
//
// Emission walks the kernel once, in order; what each op becomes is in the
// other files.
#include "fovea/Conversion/TileToNVVM.h"

#include "Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Pass/Pass.h"
#include "llvm/ADT/TypeSwitch.h"

namespace fovea {
#define GEN_PASS_DEF_CONVERTTILETONVVMPASS
#include "fovea/Conversion/TileToNVVM/Passes.h.inc"
} // namespace fovea

using namespace mlir;
using namespace fovea;
using namespace fovea::ptx;

static bool isTile(Value value) { return isa<tile::TileType>(value.getType()); }

LogicalResult Emitter::emitBlock(Block &block) {
  for (Operation &op : block)
    if (!op.hasTrait<OpTrait::IsTerminator>() && failed(emitOp(&op)))
      return failure();
  return success();
}

LogicalResult Emitter::emitOp(Operation *op) {
  if (isa<tile::TileDialect>(op->getDialect()))
    return emitTileOp(op);
  bool touchesTiles = false;
  op->walk([&](Operation *inner) {
    touchesTiles |= llvm::any_of(inner->getOperands(), isTile) ||
                    llvm::any_of(inner->getResults(), isTile);
  });
  if (!touchesTiles) {
    b.clone(*op, scalars);
    return success();
  }
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return emitIf(branch);
  return op->emitOpError("on tiles is not supported by this target");
}

/// Both branches are emitted first, since only they tell the fragments' shapes.
LogicalResult Emitter::emitIf(Operation *op) {
  auto branch = cast<scf::IfOp>(op);
  Region staging[2];
  SmallVector<Fragment> fragments[2];
  SmallVector<Value> yielded[2];
  OpBuilder::InsertPoint here = b.saveInsertionPoint();
  for (auto [i, region] : llvm::enumerate(branch->getRegions())) {
    b.createBlock(&staging[i]);
    if (!region.empty()) {
      if (failed(emitBlock(region.front())))
        return failure();
      for (Value value : region.front().getTerminator()->getOperands())
        if (isTile(value))
          fragments[i].push_back(tiles[value]);
        else
          yielded[i].push_back(lookup(value));
    }
    yielded[i].append(flatten(fragments[i]));
    scf::YieldOp::create(b, loc, yielded[i]);
  }
  b.restoreInsertionPoint(here);
  if (ValueRange(yielded[0]).getTypes() != ValueRange(yielded[1]).getTypes())
    return op->emitOpError("expected branches that give tiles of one layout");
  auto result = scf::IfOp::create(b, loc, ValueRange(yielded[0]).getTypes(),
                                  lookup(branch.getCondition()), false, false);
  result.getThenRegion().takeBody(staging[0]);
  result.getElseRegion().takeBody(staging[1]);

  ValueRange values = result.getResults();
  size_t scalarCount =
      llvm::count_if(branch.getResults(), [](Value v) { return !isTile(v); });
  SmallVector<Fragment> merged =
      like(fragments[0], values.drop_front(scalarCount));
  auto *fragment = merged.begin();
  for (Value value : branch.getResults()) {
    if (isTile(value)) {
      tiles[value] = *fragment++;
      continue;
    }
    scalars.map(value, values.front());
    values = values.drop_front();
  }
  return success();
}

LogicalResult Emitter::emitTileOp(Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](tile::LoadOp load) { return emitLoad(load); })
      .Case([&](tile::FillOp fill) { return emitFill(fill); })
      .Case([&](tile::KeysOp keys) { return emitKeys(keys); })
      .Case([&](tile::DotOp dot) { return emitDot(dot); })
      .Case([&](tile::MapOp map) { return emitMap(map); })
      .Case([&](tile::RowMaxOp max) { return emitRowMax(max), success(); })
      .Case([&](tile::RowSumOp sum) { return emitRowSum(sum), success(); })
      .Case([&](tile::ExceedsOp exceeds) {
        return emitExceeds(exceeds), success();
      })
      .Case([&](tile::RescaleOp rescale) {
        return emitRescale(rescale), success();
      })
      .Case([&](tile::MaskOp mask) { return emitMask(mask), success(); })
      .Case([&](tile::StoreResultOp store) {
        return emitStore(store), success();
      })
      .Default([](Operation *other) {
        return other->emitOpError("is not supported by this target");
      });
}

LogicalResult Emitter::emitLoad(tile::LoadOp op) {
  if (op.getView() != kernel.argument(tile::KernelOp::Q))
    return op.emitOpError(
        "expected only queries to be loaded outside of tile.keys");
  Fragment query;
  query.kind = Fragment::Shared;
  query.tile = plan.query;
  query.values = {i32(plan.queryOffset)};
  copyTile(views[op.getView()], lookup(op.getRow()), lookup(op.getLength()),
           plan.query, query.values[0], /*checked=*/true);
  tiles[op.getTile()] = query;
  pendingQueries.push_back(op.getTile());
  return success();
}

/// After the barrier that completes the copies of Q: to registers, if they
/// suffice.
void Emitter::loadQueries() {
  if (plan.queryInRegisters)
    for (Value query : pendingQueries)
      tiles[query] = loadQuery(tiles[query]);
  pendingQueries.clear();
}

namespace {

struct ConvertTileToNVVMPass
    : fovea::impl::ConvertTileToNVVMPassBase<ConvertTileToNVVMPass> {
  using ConvertTileToNVVMPassBase::ConvertTileToNVVMPassBase;
  LogicalResult convert(tile::KernelOp kernel) {
    tile::ScheduleAttr s = kernel.getSchedule();
    unsigned bits = kernel.getStorageType().getIntOrFloatBitWidth();
    auto plan = planKernel(
        getSM80(), {s.getRows(), s.getKeys(), s.getStages(), s.getWarps()},
        kernel.getQKDim(), kernel.getVDim(), bits);
    if (!plan)
      return kernel.emitOpError() << llvm::toString(plan.takeError());
    OpBuilder b(kernel);
    std::string name = kernel.getSymName().str();
    kernel.setSymName(name + ".tile");
    bool aligned = plan->hasAlignedRows();
    if (aligned && failed(Emitter(kernel, *plan, false, b).emit(name)))
      return failure();
    std::string generalName = aligned ? name + "_general" : name;
    if (!(aligned && packedOnly) &&
        failed(Emitter(kernel, *plan, true, b).emit(generalName)))
      return failure();
    kernel.erase();
    return success();
  }

  void runOnOperation() override {
    SmallVector<tile::KernelOp> kernels(
        getOperation().getOps<tile::KernelOp>());
    for (tile::KernelOp kernel : kernels)
      if (failed(convert(kernel)))
        return signalPassFailure();
  }
};

} // namespace
