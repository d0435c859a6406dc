// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The one pipeline, in the pieces at which it can be stopped. The command line,
// the library and the tests all use these.
#ifndef FOVEA_PIPELINES_PIPELINES_H
#define FOVEA_PIPELINES_PIPELINES_H

#include "fovea/Target/TargetDescription.h"
#include "mlir/Pass/PassManager.h"

namespace fovea {

/// The canonical attn form: what --emit attn prints.
void addAttnPasses(mlir::OpPassManager &passes);

/// attn to tile: what --emit tile prints.
void addTilePasses(mlir::OpPassManager &passes, const Schedule &schedule);

} // namespace fovea

#endif // FOVEA_PIPELINES_PIPELINES_H
