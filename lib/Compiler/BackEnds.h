// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the library asks of a back end: a schedule before the tile dialect, and
// from the tile dialect on either an artifact or a kernel to launch.
#ifndef FOVEA_LIB_COMPILER_BACKENDS_H
#define FOVEA_LIB_COMPILER_BACKENDS_H

#include "fovea/Compiler.h"
#include "fovea/Runtime/Manifest.h"
#include "fovea/Runtime/Result.h"
#include "fovea/Target/TargetDescription.h"
#include "mlir/IR/BuiltinOps.h"

namespace fovea {

/// One compilation under way. The module holds one kernel.
struct Compilation {
  const pattern::Pattern &pattern;
  const CompileOptions &options;
  mlir::ModuleOp module;
};

class BackEnd {
public:
  virtual ~BackEnd() = default;
  virtual runtime::Result<Schedule> schedule(const Compilation &job) = 0;
  /// From the tile dialect to `stage` (LLVM or later).
  virtual runtime::Result<Artifact> emit(const Compilation &job,
                                         Stage stage) = 0;
  /// From the tile dialect to a kernel that can be launched.
  virtual runtime::Result<Kernel> load(const Compilation &job) = 0;
};

std::unique_ptr<BackEnd> createHostBackEnd();
std::unique_ptr<BackEnd> createSM80BackEnd();

/// The manifest but for what the back end knows (files, entries, target, tile).
runtime::Manifest manifestOf(const pattern::Pattern &pattern);

/// The overrides among the options.
ScheduleOverrides overridesOf(const CompileOptions &options);

/// The message of an llvm::Error, as an error of the user's input.
runtime::Error wrongInput(llvm::Error error);
/// The same as our own fault.
runtime::Error internal(llvm::Error error);

} // namespace fovea

#endif // FOVEA_LIB_COMPILER_BACKENDS_H
