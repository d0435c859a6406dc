// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What every tool registers: the dialects and passes of Fovea, and those of
// MLIR that it lowers to.
#ifndef FOVEA_PIPELINES_REGISTRATION_H
#define FOVEA_PIPELINES_REGISTRATION_H

namespace mlir {
class DialectRegistry;
}

namespace fovea {

/// Adds attn, tile and the upstream dialects that a pipeline may produce,
/// with their translations to LLVM IR.
void registerAllDialects(mlir::DialectRegistry &registry);

/// Registers Fovea's passes and the upstream passes that tests combine them
/// with.
void registerAllPasses();

} // namespace fovea

#endif // FOVEA_PIPELINES_REGISTRATION_H
