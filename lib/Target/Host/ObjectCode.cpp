// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// LLVM IR -> an ELF object. The vectors and the unrolling are there already, so
// the optimiser is only asked to tidy up, and to add no library calls: a kernel
// stands alone.
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

// The passes that such code profits from, a fifth of the time of -O2: scf's
// loops test at the top, so rotate them, then move what is invariant out.
static const char *const pipeline =
    "function(early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>,"
    "loop-mssa(loop-rotate,licm),early-cse<memssa>,"
    "instcombine<no-verify-fixpoint>,simplifycfg)";

static Error optimise(Module &module, TargetMachine &machine) {
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager components;
  ModuleAnalysisManager modules;
  PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  ModulePassManager passes;
  if (Error error = builder.parsePassPipeline(passes, pipeline))
    return error;
  passes.run(module, modules);
  return Error::success();
}

Expected<SmallVector<char, 0>>
fovea::host::emitObject(KernelCode &code, const InstructionSet &set) {
  Expected<std::unique_ptr<TargetMachine>> machine = createMachine(set);
  if (!machine)
    return machine.takeError();
  prepare(*code.module, **machine);
  if (Error error = optimise(*code.module, **machine))
    return error;
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
