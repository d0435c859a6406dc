// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// LLVM's NVPTX back end, as a library.
//
// Two choices matter. Shared memory has 32-bit pointers (ABI "shortptr"), so
// that an address is one register. FMAs may be formed where a product is added
// to (fusion is `Fast`): that changes rounding, never NaN or infinity. Loops
// keep the shape the lowering gave them: what is rolled is cold, and unrolling
// it would spill the rest.
//
// LLVM takes most of a compilation's time, and a bundle has two kernels. Each
// is optimised and emitted by a thread with a module of its own, which is
// handed over as bitcode because a context belongs to one thread.
#include "fovea/Target/PTX/PTX.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

#include <future>
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
/// A module's LLVM IR and the machine that it is for.
struct Translation {
  llvm::LLVMContext context;
  std::unique_ptr<llvm::TargetMachine> machine;
  std::unique_ptr<llvm::Module> module; // goes before its context

  llvm::Error run(mlir::ModuleOp source, const PTXOptions &options) {
    module = mlir::translateModuleToLLVMIR(source, context, "fovea");
    if (!module)
      return llvm::createStringError(
          "the module cannot be translated to LLVM IR");
    return setMachine(options);
  }

  /// The kernel of that name of a module in bitcode.
  llvm::Error read(llvm::StringRef bitcode, llvm::StringRef kernel,
                   const PTXOptions &options) {
    auto read = llvm::getLazyBitcodeModule({bitcode, "fovea"}, context);
    if (!read)
      return read.takeError();
    module = std::move(*read);
    keepOnly(kernel);
    if (llvm::Error error = module->materializeAll())
      return error;
    return setMachine(options);
  }

  void keepOnly(llvm::StringRef kernel) {
    for (llvm::Function &function : llvm::make_early_inc_range(*module))
      if (!function.isDeclaration() && function.getName() != kernel)
        function.eraseFromParent();
  }

  llvm::Expected<std::string> emit(const PTXOptions &options) {
    if (options.optimize)
      optimize(*module, *machine);
    llvm::SmallString<0> text;
    llvm::raw_svector_ostream stream(text);
    llvm::legacy::PassManager passes;
    if (machine->addPassesToEmitFile(passes, stream, nullptr,
                                     llvm::CodeGenFileType::AssemblyFile))
      return llvm::createStringError(
          "the NVPTX back end cannot write assembly");
    passes.run(*module);
    return text.str().str();
  }

private:
  llvm::Error setMachine(const PTXOptions &options) {
    auto created = createMachine(options);
    if (!created)
      return created.takeError();
    machine = std::move(*created);
    module->setTargetTriple(machine->getTargetTriple());
    module->setDataLayout(machine->createDataLayout());
    return llvm::Error::success();
  }
};
} // namespace

/// Adds a module's text to another's: what stands before its kernel and is
/// there already (version, target, shared memory) is left out.
static void append(std::string &text, llvm::StringRef more) {
  llvm::StringRef entry = ".visible .entry";
  llvm::StringRef before = llvm::StringRef(text).split(entry).first;
  llvm::StringSet<> known;
  for (llvm::StringRef line : llvm::split(before, '\n'))
    known.insert(line);
  std::string added;
  for (llvm::StringRef line : llvm::split(more.split(entry).first, '\n'))
    if (!known.contains(line))
      added += (line + "\n").str();
  text += added + more.substr(more.find(entry)).str();
}

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
  if (options.optimize)
    optimize(*translation.module, *translation.machine);
  std::string text;
  llvm::raw_string_ostream stream(text);
  translation.module->print(stream, nullptr);
  return text;
}

/// The kernels of a module that has nothing else; none if they share code.
static std::vector<std::string> separateKernels(const llvm::Module &module) {
  std::vector<std::string> kernels;
  for (const llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    if (function.getCallingConv() != llvm::CallingConv::PTX_Kernel ||
        !function.use_empty())
      return {};
    kernels.push_back(function.getName().str());
  }
  return kernels;
}

llvm::Expected<std::string> fovea::ptx::emitPTX(mlir::ModuleOp module,
                                                const PTXOptions &options) {
  Translation translation;
  if (llvm::Error error = translation.run(module, options))
    return error;
  std::vector<std::string> kernels = separateKernels(*translation.module);
  if (kernels.size() < 2)
    return translation.emit(options);

  llvm::SmallString<0> bitcode;
  llvm::raw_svector_ostream stream(bitcode);
  llvm::WriteBitcodeToFile(*translation.module, stream);
  auto emitOne = [&](const std::string &kernel) -> llvm::Expected<std::string> {
    Translation one;
    if (llvm::Error error = one.read(bitcode, kernel, options))
      return error;
    return one.emit(options);
  };
  std::vector<std::future<llvm::Expected<std::string>>> others;
  for (size_t i = 1; i < kernels.size(); ++i)
    others.push_back(std::async(std::launch::async, emitOne, kernels[i]));
  translation.keepOnly(kernels[0]);
  std::vector<llvm::Expected<std::string>> texts;
  texts.push_back(translation.emit(options));
  for (auto &other : others)
    texts.push_back(other.get());

  std::string joined;
  llvm::Error error = llvm::Error::success();
  for (llvm::Expected<std::string> &text : texts)
    if (!text)
      error = llvm::joinErrors(std::move(error), text.takeError());
    else if (joined.empty())
      joined = std::move(*text);
    else
      append(joined, *text);
  if (error)
    return error;
  return joined;
}
