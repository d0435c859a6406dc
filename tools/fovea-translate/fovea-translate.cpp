// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// IR in, target code out, for tests of the back ends: `--tile-to-ptx` lowers the
// tile.kernels of a module, `--tile-to-ptx-info` prints what a launch needs.
#include "fovea/Conversion/TileToNVVM.h"
#include "fovea/Pipelines/Registration.h"
#include "fovea/Target/PTX/PTX.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Tools/mlir-translate/MlirTranslateMain.h"
#include "mlir/Tools/mlir-translate/Translation.h"

using namespace mlir;

using Emitter = llvm::function_ref<llvm::Expected<std::string>(ModuleOp)>;

/// Lowers and prints what `emit` makes of the result.
static LogicalResult lowerAndPrint(Operation *op, raw_ostream &stream, Emitter emit) {
  auto module = dyn_cast<ModuleOp>(op);
  if (!module)
    return op->emitOpError("expected a module");
  PassManager passes(module.getContext());
  fovea::buildTileToNVVMPipeline(passes);
  if (failed(passes.run(module)))
    return failure();
  llvm::Expected<std::string> text = emit(module);
  if (!text)
    return module.emitOpError() << llvm::toString(text.takeError());
  stream << *text;
  return success();
}

static llvm::Expected<std::string> describeKernels(ModuleOp module) {
  std::string text;
  for (const fovea::ptx::KernelInfo &kernel : fovea::ptx::kernelsOf(module))
    text += kernel.name + ": " + std::to_string(kernel.threads) + " threads, " +
            std::to_string(kernel.sharedBytes) + " bytes of shared memory, " +
            std::to_string(kernel.rows) + " rows" + (kernel.general ? ", general\n" : "\n");
  return text;
}

int main(int argc, char **argv) {
  TranslateFromMLIRRegistration toPTX(
      "tile-to-ptx", "tile.kernel to PTX",
      [](Operation *op, raw_ostream &stream) {
        return lowerAndPrint(op, stream, [](ModuleOp m) { return fovea::ptx::emitPTX(m); });
      },
      fovea::registerAllDialects);
  TranslateFromMLIRRegistration toLLVM(
      "tile-to-llvm", "tile.kernel to LLVM IR for PTX",
      [](Operation *op, raw_ostream &stream) {
        return lowerAndPrint(op, stream, [](ModuleOp m) { return fovea::ptx::emitLLVM(m); });
      },
      fovea::registerAllDialects);
  TranslateFromMLIRRegistration toInfo(
      "tile-to-ptx-info", "launch requirements of tile.kernels",
      [](Operation *op, raw_ostream &stream) {
        return lowerAndPrint(op, stream, describeKernels);
      },
      fovea::registerAllDialects);
  return failed(mlirTranslateMain(argc, argv, "Fovea's back ends\n"));
}
