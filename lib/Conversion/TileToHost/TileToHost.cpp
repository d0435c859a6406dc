// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The pass: every tile.kernel of a module becomes two functions.
#include "KernelLowering.h"
#include "fovea/Conversion/TileToHost/Passes.h"

#include "mlir/Dialect/Math/IR/Math.h"

namespace fovea {
#define GEN_PASS_DEF_CONVERTTILETOHOSTPASS
#include "fovea/Conversion/TileToHost/Passes.h.inc"
} // namespace fovea

using namespace mlir;
using namespace fovea;
using namespace fovea::host;

namespace {

struct ConvertTileToHostPass
    : fovea::impl::ConvertTileToHostPassBase<ConvertTileToHostPass> {
  using ConvertTileToHostPassBase::ConvertTileToHostPassBase;

  void runOnOperation() override {
    if (lanes != 8 && lanes != 16) {
      getOperation().emitError("expected 8 or 16 lanes, but got ")
          << lanes.getValue();
      return signalPassFailure();
    }
    auto kernels = llvm::to_vector(getOperation().getOps<tile::KernelOp>());
    for (tile::KernelOp kernel : kernels)
      if (failed(convert(kernel)))
        return signalPassFailure();
  }

  LogicalResult convert(tile::KernelOp kernel) {
    FailureOr<KernelShape> shape = KernelShape::match(kernel);
    if (failed(shape))
      return failure();
    Emitter e(kernel.getLoc(), &getContext(), Geometry::forLanes(lanes));
    e.setInsertionPoint(kernel);
    emitKernelFunction(e, kernel, *shape);
    e.setInsertionPoint(kernel);
    emitTilesFunction(e, kernel, *shape);
    kernel.erase();
    return success();
  }
};

} // namespace
