// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// LLVM's NVPTX back end, as a library.
//
// Two choices matter. Shared memory has 32-bit pointers (ABI "shortptr"), so
// that an address is one register. FMAs may be formed where a product is added
// to (fusion is `Fast`): that changes rounding, never NaN or infinity. Loops
// keep the shape the lowering gave them: what is rolled is cold, and unrolling
// it would spill the rest.
#include "fovea/Target/PTX/PTX.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

#include <mutex>

using namespace fovea::ptx;

static llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createMachine(const PTXOptions &options) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
  });
  llvm::Triple triple("nvptx64-nvidia-cuda");
  std::string error;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return llvm::createStringError(error);
  llvm::TargetOptions targetOptions;
  targetOptions.MCOptions.ABIName = "shortptr";
  targetOptions.AllowFPOpFusion = llvm::FPOpFusion::Fast;
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, options.cpu, options.features, targetOptions, llvm::Reloc::PIC_,
      std::nullopt, llvm::CodeGenOptLevel::Default));
}

/// The lowering emits SSA form without stack slots or calls, so that most of O3
/// has nothing to do; this gives the same machine code in a third of the time.
static constexpr llvm::StringLiteral pipeline =
    "function(early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>,"
    "loop-mssa(loop-rotate,licm),gvn,instcombine<no-verify-fixpoint>,"
    "simplifycfg,adce)";

static void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::PipelineTuningOptions tuning;
  tuning.LoopUnrolling = false;
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  llvm::PassBuilder builder(&machine, tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  llvm::ModulePassManager passes;
  if (llvm::Error error = builder.parsePassPipeline(passes, pipeline))
    llvm::reportFatalInternalError(std::move(error)); // the text is ours
  passes.run(module, modules);
}

namespace {
/// A module's LLVM IR, optimised, and the machine that it is for.
struct Translation {
  llvm::LLVMContext context;
  std::unique_ptr<llvm::TargetMachine> machine;
  std::unique_ptr<llvm::Module> module; // goes before its context

  llvm::Error run(mlir::ModuleOp source, const PTXOptions &options) {
    auto created = createMachine(options);
    if (!created)
      return created.takeError();
    machine = std::move(*created);
    module = mlir::translateModuleToLLVMIR(source, context, "fovea");
    if (!module)
      return llvm::createStringError(
          "the module cannot be translated to LLVM IR");
    module->setTargetTriple(machine->getTargetTriple());
    module->setDataLayout(machine->createDataLayout());
    if (options.optimize)
      optimize(*module, *machine);
    return llvm::Error::success();
  }
};
} // namespace

std::vector<KernelInfo> fovea::ptx::kernelsOf(mlir::ModuleOp module) {
  std::vector<KernelInfo> kernels;
  for (auto function : module.getOps<mlir::LLVM::LLVMFuncOp>()) {
    auto number = [&](llvm::StringRef name) -> int64_t {
      auto attribute = function->getAttrOfType<mlir::IntegerAttr>(name);
      return attribute ? attribute.getInt() : 0;
    };
    if (function->hasAttr("tile.threads"))
      kernels.push_back({function.getName().str(), number("tile.threads"),
                         number("tile.shared_bytes"), number("tile.rows"),
                         function->hasAttr("tile.general")});
  }
  return kernels;
}

llvm::Expected<std::string> fovea::ptx::emitLLVM(mlir::ModuleOp module,
                                                 const PTXOptions &options) {
  Translation translation;
  if (llvm::Error error = translation.run(module, options))
    return error;
  std::string text;
  llvm::raw_string_ostream stream(text);
  translation.module->print(stream, nullptr);
  return text;
}

llvm::Expected<std::string> fovea::ptx::emitPTX(mlir::ModuleOp module,
                                                const PTXOptions &options) {
  Translation translation;
  if (llvm::Error error = translation.run(module, options))
    return error;
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager passes;
  if (translation.machine->addPassesToEmitFile(
          passes, stream, nullptr, llvm::CodeGenFileType::AssemblyFile))
    return llvm::createStringError("the NVPTX back end cannot write assembly");
  passes.run(*translation.module);
  return text.str().str();
}
