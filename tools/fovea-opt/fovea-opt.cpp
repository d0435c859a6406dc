// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs passes on textual IR: both dialects, every pass, nothing else.
#include "fovea/Pipelines/Registration.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  fovea::registerAllDialects(registry);
  fovea::registerAllPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(
      argc, argv, "Fovea's pass driver: attn and tile dialects\n", registry));
}
