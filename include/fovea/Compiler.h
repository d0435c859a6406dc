// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The compiler as a library: a pattern in, a kernel out.
//
//   const char *text = "pattern p { heads 8 dim 64 type f32 mask causal }";
//   auto kernel = fovea::compile(text);
//   if (!kernel)
//     std::cerr << fovea::pattern::render(kernel.diagnostics, text);
//   else
//     fovea_kernel_launch(kernel->get(), &launch); // fovea_runtime.h
//
// Every function may be called from any number of threads. None throws, prints
// or exits; what went wrong is in the result. This header needs neither MLIR
// nor LLVM.
#ifndef FOVEA_COMPILER_H
#define FOVEA_COMPILER_H

#include "fovea/Pattern/AST.h"
#include "fovea/Pattern/Diagnostic.h"
#include "fovea/fovea_runtime.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fovea {

struct CompileOptions {
  /// Names the text in diagnostics.
  std::string file = "<pattern>";
  /// "host" or "sm_80".
  std::string target = "host";
  /// Host: "x86-64-v3", "x86-64-v4"; empty for the best that this machine has.
  std::string instructionSet;
  /// Queries and keys of a tile, tiles of K and V in flight, warps that share a
  /// tile's rows; absent: chosen for the target (the host ignores stages,
  /// warps).
  std::optional<int64_t> rows, keys, stages, warps;
  /// compile() for sm_80: only for arrays that are packed and begin at
  /// multiples of 16 bytes; saves a third of the time. A launch with others
  /// fails.
  bool packedOnly = false;
  /// compile() for the host: only for fovea_count_tiles; a launch fails.
  bool countOnly = false;
};

/// A value, or why there is none: at least one diagnostic, and a status other
/// than FOVEA_OK. Warnings may come with a value.
template <typename T> struct Outcome {
  std::optional<T> value;
  fovea_status status = FOVEA_OK;
  std::vector<pattern::Diagnostic> diagnostics;

  explicit operator bool() const { return value.has_value(); }
  T &operator*() { return *value; }
  T *operator->() { return &*value; }
};

/// A compiled kernel, ready for fovea_kernel_launch.
class Kernel {
public:
  explicit Kernel(fovea_kernel *kernel) : kernel(kernel) {}

  const fovea_kernel *get() const { return kernel.get(); }
  std::string_view manifest() const {
    return fovea_kernel_manifest(kernel.get());
  }

private:
  struct Release {
    void operator()(fovea_kernel *k) const { fovea_kernel_release(k); }
  };
  std::unique_ptr<fovea_kernel, Release> kernel;
};

/// Compiles for options.target: the host's kernel is in memory and ready, a
/// GPU's is PTX that the driver compiles at the first launch.
Outcome<Kernel> compile(std::string_view text,
                        const CompileOptions &options = {});
Outcome<Kernel> compile(const pattern::Pattern &pattern,
                        const CompileOptions &options = {});

/// Where compilation can stop and be looked at.
enum class Stage {
  Attn,   ///< the attn dialect, canonical
  Tile,   ///< the tile dialect
  LLVM,   ///< LLVM IR as the back end gets it
  PTX,    ///< sm_80 only
  Cubin,  ///< sm_80 only; needs ptxas
  Object, ///< host only
  Bundle, ///< manifest.json and the files it names (docs/bundle.md)
};

/// "attn", "tile", "llvm", "ptx", "cubin", "obj" or "bundle".
std::optional<Stage> parseStage(std::string_view name);

/// What ptxas said of one entry.
struct AssemblerReport {
  std::string entry;
  int64_t registers = 0, spillStores = 0, spillLoads = 0, stackBytes = 0;
  int64_t sharedBytes = 0;
};

struct Artifact {
  /// Name and contents. One file, except for a bundle.
  std::vector<std::pair<std::string, std::string>> files;
  /// Of stages that run ptxas (cubin, and bundle where ptxas is found).
  std::vector<AssemblerReport> assembler;
  /// Anything else ptxas printed; empty for a good kernel.
  std::string assemblerMessages;
};

/// The same text and options give the same bytes.
Outcome<Artifact> emit(std::string_view text, Stage stage,
                       const CompileOptions &options = {});
Outcome<Artifact> emit(const pattern::Pattern &pattern, Stage stage,
                       const CompileOptions &options = {});

/// The compiler's version, for example "0.1.0".
const char *compilerVersion();

} // namespace fovea

#endif // FOVEA_COMPILER_H
