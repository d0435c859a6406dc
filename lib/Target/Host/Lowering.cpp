// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// tile -> vector, scf, arith -> LLVM dialect -> LLVM IR.
#include "fovea/Conversion/TileToHost/Passes.h"
#include "fovea/Target/Host/Host.h"

#include "fovea/Dialect/Tile/Tile.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/IR/Instructions.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::host;

static llvm::Error makeError(const Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

void fovea::host::registerDialects(DialectRegistry &registry) {
  registry.insert<tile::TileDialect, LLVM::LLVMDialect>();
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
}

void fovea::host::buildPipeline(OpPassManager &pm, const InstructionSet &set) {
  ConvertTileToHostPassOptions options;
  options.lanes = set.getLanes();
  pm.addPass(createConvertTileToHostPass(options));
  pm.addPass(createExpandHostMathPass());
  pm.addPass(createCSEPass());
  pm.addPass(createConvertVectorToLLVMPass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
}

llvm::Expected<KernelCode> fovea::host::lower(ModuleOp module,
                                              const InstructionSet &set) {
  auto kernels = llvm::to_vector(module.getOps<tile::KernelOp>());
  if (kernels.size() != 1)
    return makeError("expected a module with one tile kernel, but got " +
                     Twine(kernels.size()));
  KernelCode code;
  code.entry = kernels.front().getSymName().str();
  code.tiles = code.entry + "_tiles";

  DialectRegistry registry;
  registerDialects(registry);
  module->getContext()->appendDialectRegistry(registry);
  PassManager pm(module->getContext());
  buildPipeline(pm, set);
  if (failed(pm.run(module)))
    return makeError("lowering '" + code.entry + "' for the host failed");
  auto function = module.lookupSymbol<LLVM::LLVMFuncOp>(code.entry);
  code.scratchBytes =
      function->getAttrOfType<IntegerAttr>("fovea.scratch_bytes").getInt();

  code.context = std::make_unique<llvm::LLVMContext>();
  code.module = translateModuleToLLVMIR(module, *code.context, code.entry);
  if (!code.module)
    return makeError("translating '" + code.entry + "' to LLVM IR failed");
  return code;
}

void fovea::host::keepOnlyTiles(KernelCode &code) {
  llvm::Function *entry = code.module->getFunction(code.entry);
  entry->deleteBody();
  auto *block = llvm::BasicBlock::Create(*code.context, "", entry);
  llvm::ReturnInst::Create(*code.context, block);
}
