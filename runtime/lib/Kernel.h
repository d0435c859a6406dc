// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A loaded kernel, behind the C ABI's opaque pointer. It never changes after
// loading, except for the module that the cuda device keeps for it.

#ifndef KERNEL_H
#define KERNEL_H

#include "fovea/Runtime/Files.h"
#include "fovea/Runtime/Manifest.h"

#include <memory>
#include <string>
#include <vector>

namespace fovea::runtime {

struct HostFunctions {
  fovea_host_entry entry = nullptr;
  fovea_host_tiles tiles = nullptr;
};

/// What the cuda device made of a kernel's files; defined there.
class CudaModuleCache;

} // namespace fovea::runtime

struct fovea_kernel {
  fovea::runtime::Manifest manifest;
  std::string text; // of the manifest

  /// Host: the functions of every entry, and what keeps them in memory.
  std::vector<fovea::runtime::HostFunctions> functions;
  std::shared_ptr<void> owner;

  /// GPU: the files that a driver may load, best first.
  std::vector<fovea::runtime::BundleFile> images;
  /// One cache for each device that runs them.
  std::shared_ptr<fovea::runtime::CudaModuleCache> cuda, sim;
};

namespace fovea::runtime {

Result<std::unique_ptr<fovea_kernel>> loadBundle(const std::string &path);
Result<std::unique_ptr<fovea_kernel>>
wrapFunctions(const char *manifest, HostFunctions functions,
              std::shared_ptr<void> owner);
Result<std::unique_ptr<fovea_kernel>> loadFiles(const char *manifest,
                                                std::vector<BundleFile> files);

/// "host" or "cuda": what runs kernels of this target. Those of "cuda" run on
/// the device "sim", too.
const char *deviceOf(const Manifest &manifest);

} // namespace fovea::runtime

#endif // KERNEL_H
