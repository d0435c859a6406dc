// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The host back end: from a module of tile kernels to code for this CPU, run in
// place or written as an object or a shared object.
//
//   lower       tile -> vectors -> LLVM IR (needs the instruction set)
//   emitObject  LLVM IR -> a relocatable object
//   then either JITKernel::create (ORC) or linkSharedObject (LLD, in process)
//
// All code is for a level of the x86-64 psABI and never for one CPU model, so
// the same input gives the same bytes on every machine.
#ifndef FOVEA_TARGET_HOST_HOST_H
#define FOVEA_TARGET_HOST_HOST_H

#include "fovea/Target/TargetDescription.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>
#include <vector>

namespace mlir {
class DialectRegistry;
class OpPassManager;
} // namespace mlir

namespace fovea::host {

/// What a CPU must have to run a kernel: a psABI level ("x86-64-v3": AVX2, FMA,
/// F16C; "x86-64-v4": AVX-512 F, BW, CD, DQ, VL), as `instruction_set` of a
/// manifest.
class InstructionSet {
public:
  /// The best level of this machine. Fails below x86-64-v3 and on other CPUs.
  static llvm::Expected<InstructionSet> detect();
  /// The level called `name`; "" and "native" mean detect(). Fails on other
  /// names.
  static llvm::Expected<InstructionSet> parse(llvm::StringRef name);

  llvm::StringRef getName() const { return name; }
  /// f32 elements in a vector register: 8 or 16.
  int64_t getLanes() const { return lanes; }
  /// The same instructions, but code for vectors of another length: LLVM splits
  /// what the registers cannot hold (for tests).
  InstructionSet withLanes(int64_t lanes) const { return {name, lanes}; }
  /// The names for a manifest.
  std::vector<std::string> manifestNames() const { return {name.str()}; }

private:
  InstructionSet(llvm::StringRef name, int64_t lanes)
      : name(name), lanes(lanes) {}
  llvm::StringRef name; // a literal
  int64_t lanes;
};

/// The tile sizes for a head shape. Fails if an override does not fit.
llvm::Expected<Schedule>
chooseSchedule(int64_t qkDim, int64_t vDim,
               const ScheduleOverrides &overrides = {});

/// Registers what lowering needs beyond the dialects themselves.
void registerDialects(mlir::DialectRegistry &registry);

/// The passes from tile to the LLVM dialect.
void buildPipeline(mlir::OpPassManager &pm, const InstructionSet &set);

/// LLVM IR of a module that held one tile.kernel.
struct KernelCode {
  std::unique_ptr<llvm::LLVMContext> context;
  std::unique_ptr<llvm::Module> module; ///< not yet optimised
  std::string entry;                    ///< symbol of the kernel
  std::string tiles;        ///< symbol of the function that counts tiles
  int64_t scratchBytes = 0; ///< per work item, 64-byte aligned
};

/// Lowers `module` (in place). Errors are reported as MLIR diagnostics too.
llvm::Expected<KernelCode> lower(mlir::ModuleOp module,
                                 const InstructionSet &set);

/// Empties the kernel, so that only the function that counts tiles is left.
void keepOnlyTiles(KernelCode &code);

/// Optimises the code (in place: print the module afterwards to see what is
/// emitted) and compiles it to an ELF object.
llvm::Expected<llvm::SmallVector<char, 0>>
emitObject(KernelCode &code, const InstructionSet &set);

/// Links an object into a shared object that exports what the object defines
/// and needs nothing.
llvm::Expected<llvm::SmallVector<char, 0>>
linkSharedObject(llvm::ArrayRef<char> object);

/// A kernel in memory; the functions live as long as this object.
class JITKernel {
public:
  using Function = void (*)(void *const *params, const int32_t *block,
                            void *scratch);
  using TilesFunction = void (*)(void *const *params, const int32_t *block,
                                 int64_t *counts);

  /// Loads an object made by emitObject; `entry` and `tiles` are its symbols.
  static llvm::Expected<std::unique_ptr<JITKernel>>
  create(llvm::ArrayRef<char> object, llvm::StringRef entry,
         llvm::StringRef tiles);
  ~JITKernel();

  Function getFunction() const { return function; }
  TilesFunction getTilesFunction() const { return tilesFunction; }

private:
  JITKernel();
  struct Implementation;
  std::unique_ptr<Implementation> implementation;
  Function function = nullptr;
  TilesFunction tilesFunction = nullptr;
};

} // namespace fovea::host

#endif // FOVEA_TARGET_HOST_HOST_H
