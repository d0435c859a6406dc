// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The target-independent part of the pipeline.
#include "fovea/Pipelines/Pipelines.h"

#include "fovea/Conversion/AttnToTile.h"
#include "mlir/Transforms/Passes.h"

void fovea::addAttnPasses(mlir::OpPassManager &passes) {
  passes.addPass(mlir::createCanonicalizerPass());
  passes.addPass(mlir::createCSEPass());
  // What CSE made equal can be absorbed.
  passes.addPass(mlir::createCanonicalizerPass());
}

void fovea::addTilePasses(mlir::OpPassManager &passes,
                          const Schedule &schedule) {
  ConvertAttnToTilePassOptions options;
  options.rows = schedule.rows;
  options.keys = schedule.keys;
  options.stages = schedule.stages;
  options.warps = schedule.warps;
  passes.addPass(createConvertAttnToTilePass(options));
  passes.addPass(mlir::createCanonicalizerPass());
  passes.addPass(mlir::createCSEPass());
}
