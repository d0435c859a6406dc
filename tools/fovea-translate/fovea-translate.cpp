// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// IR in, target code out, for tests of the back ends: `--tile-to-ptx` lowers
// the tile.kernels of a module, `--tile-to-ptxas` assembles the result and
// prints registers and spills, `--tile-to-ptx-info` prints what a launch needs.
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
static LogicalResult lowerAndPrint(Operation *op, raw_ostream &stream,
                                   Emitter emit) {
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
            std::to_string(kernel.rows) + " rows" +
            (kernel.general ? ", general\n" : "\n");
  return text;
}

static llvm::Expected<std::string> assemble(ModuleOp module) {
  llvm::Expected<std::string> text = fovea::ptx::emitPTX(module);
  if (!text)
    return text;
  auto result = fovea::ptx::runPtxas(*text);
  if (!result)
    return result.takeError();
  std::string report = result->messages;
  for (const fovea::ptx::PtxasEntry &entry : result->entries)
    report += entry.name + ": " + std::to_string(entry.registers) +
              " registers, " + std::to_string(entry.spillStores) +
              " bytes spilled\n";
  return report + (result->messages.empty() ? "no messages\n" : "");
}

int main(int argc, char **argv) {
  TranslateFromMLIRRegistration toPTX(
      "tile-to-ptx", "tile.kernel to PTX",
      [](Operation *op, raw_ostream &stream) {
        return lowerAndPrint(op, stream,
                             [](ModuleOp m) { return fovea::ptx::emitPTX(m); });
      },
      fovea::registerAllDialects);
  TranslateFromMLIRRegistration toLLVM(
      "tile-to-llvm", "tile.kernel to LLVM IR for PTX",
      [](Operation *op, raw_ostream &stream) {
        return lowerAndPrint(
            op, stream, [](ModuleOp m) { return fovea::ptx::emitLLVM(m); });
      },
      fovea::registerAllDialects);
  TranslateFromMLIRRegistration toReport(
      "tile-to-ptxas", "ptxas's report on tile.kernels",
      [](Operation *op, raw_ostream &stream) {
        return lowerAndPrint(op, stream, assemble);
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
