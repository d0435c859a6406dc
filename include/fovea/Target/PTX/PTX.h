// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From the LLVM dialect to PTX, in process, and from PTX to a cubin by ptxas.
#ifndef FOVEA_TARGET_PTX_PTX_H
#define FOVEA_TARGET_PTX_PTX_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>
#include <vector>

namespace mlir {
class ModuleOp;
}

namespace fovea::ptx {

struct PTXOptions {
  std::string cpu = "sm_80";
  /// PTX ISA 8.0: every ptxas since CUDA 12.0 takes it.
  std::string features = "+ptx80";
  bool optimize = true;
};

/// What a launch of one entry needs beside the kernel contract.
struct KernelInfo {
  std::string name;
  int64_t threads;     ///< block size, one-dimensional
  int64_t sharedBytes; ///< dynamic shared memory
  int64_t rows;        ///< queries a block
  bool general; ///< takes any pointer and stride; otherwise both have to be
                ///< multiples of 16 bytes
};

/// The kernels of a module that buildTileToNVVMPipeline has lowered, in order.
std::vector<KernelInfo> kernelsOf(mlir::ModuleOp module);

/// LLVM IR of the module after LLVM's own passes, as text (for --emit llvm).
llvm::Expected<std::string> emitLLVM(mlir::ModuleOp module,
                                     const PTXOptions &options = {});

/// PTX text; the same module gives the same text. The module's context needs
/// the translations of registerAllDialects.
llvm::Expected<std::string> emitPTX(mlir::ModuleOp module,
                                    const PTXOptions &options = {});

struct PtxasEntry {
  std::string name;
  int64_t registers = 0;
  int64_t stackBytes = 0, spillStores = 0, spillLoads = 0; ///< bytes
};

struct PtxasResult {
  std::vector<char> cubin;
  std::vector<PtxasEntry> entries;
  std::string messages; ///< warnings and errors; empty for clean code
};

/// Path of ptxas: $FOVEA_PTXAS, then PATH, /usr/local/cuda/bin, and the PyPI
/// package nvidia-cuda-nvcc of the active virtual environment. Fails if none is
/// there.
llvm::Expected<std::string> findPtxas();

/// Assembles `ptx`. Fails if ptxas is missing or refuses the text.
llvm::Expected<PtxasResult> runPtxas(llvm::StringRef ptx,
                                     llvm::StringRef cpu = "sm_80");

/// Reads the report of `ptxas -v`: registers and spills an entry, messages
/// besides.
PtxasResult parsePtxasReport(llvm::StringRef report);

} // namespace fovea::ptx

#endif // FOVEA_TARGET_PTX_PTX_H
