// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// LLVM IR -> an ELF object. The vectors are there already, so the optimiser is
// only asked to tidy up: no vectorisers, no unrolling, and no library calls (a
// kernel stands alone).
#include "fovea/Target/Host/Host.h"

#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include <mutex>

using namespace llvm;
using namespace fovea::host;

static Expected<std::unique_ptr<TargetMachine>>
createMachine(const InstructionSet &set) {
  static std::once_flag once;
  std::call_once(once, [] {
    InitializeNativeTarget();
    InitializeNativeTargetAsmPrinter();
  });
  Triple triple("x86_64-unknown-linux-gnu");
  std::string message;
  const Target *target = TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return createStringError(inconvertibleErrorCode(), message);
  return std::unique_ptr<TargetMachine>(target->createTargetMachine(
      triple, set.getName(), /*Features=*/"", TargetOptions(), Reloc::PIC_,
      /*CM=*/std::nullopt, CodeGenOptLevel::Default));
}

static void prepare(Module &module, TargetMachine &machine) {
  module.setTargetTriple(machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", machine.getTargetCPU());
    function.addFnAttr("prefer-vector-width", "512");
    function.addFnAttr("no-builtins");
    function.addFnAttr(Attribute::NoUnwind);
  }
}

static void optimise(Module &module, TargetMachine &machine) {
  PipelineTuningOptions options;
  options.LoopVectorization = false;
  options.SLPVectorization = false;
  options.LoopUnrolling = false;
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager components;
  ModuleAnalysisManager modules;
  PassBuilder builder(&machine, options);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(OptimizationLevel::O2)
      .run(module, modules);
}

Expected<SmallVector<char, 0>>
fovea::host::emitObject(KernelCode &code, const InstructionSet &set) {
  Expected<std::unique_ptr<TargetMachine>> machine = createMachine(set);
  if (!machine)
    return machine.takeError();
  prepare(*code.module, **machine);
  optimise(*code.module, **machine);
  SmallVector<char, 0> object;
  raw_svector_ostream stream(object);
  legacy::PassManager passes;
  if ((*machine)->addPassesToEmitFile(passes, stream, nullptr,
                                      CodeGenFileType::ObjectFile))
    return createStringError(inconvertibleErrorCode(),
                             "LLVM cannot emit objects for this target");
  passes.run(*code.module);
  return object;
}
