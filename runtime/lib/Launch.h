// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a launch's arguments to what a device needs: everything is checked
// against the manifest here, once, so that devices only run.

#ifndef LAUNCH_H
#define LAUNCH_H

#include "fovea/Runtime/Expression.h"
#include "fovea/Runtime/Manifest.h"

#include <array>
#include <vector>

namespace fovea::runtime {

/// Arguments that passed every check.
struct CheckedLaunch {
  int64_t batch = 0, nq = 0, nk = 0;
  /// Values of the pattern's params, in their order.
  std::vector<Binding> params;
};

/// With `counting`, arrays are neither read nor written: only the shapes of q,
/// k and v and the params matter.
Result<CheckedLaunch> checkLaunch(const Manifest &manifest,
                                  const fovea_launch &launch, bool counting);

/// The params' values, in the manifest's order: the launch's or the defaults.
Result<std::vector<Binding>> bindParams(const Manifest &manifest,
                                        const fovea_launch &launch);
Status checkRequirements(const Manifest &manifest,
                         const std::vector<Binding> &params);

/// The index of the first entry whose alignment the arrays have.
Result<size_t> chooseEntry(const Manifest &manifest,
                           const fovea_launch &launch);

using Grid = std::array<int64_t, 3>;
/// The numbers of work items; each is at most 2^31 - 1.
Result<Grid> evaluateGrid(const Manifest &manifest, const ManifestEntry &entry,
                          const CheckedLaunch &checked);

/// The kernel's parameters as a kernel takes them: pointers to their values.
class ParameterBlock {
public:
  ParameterBlock(const Manifest &manifest, const fovea_launch &launch,
                 const CheckedLaunch &checked);
  ParameterBlock(const ParameterBlock &) = delete;
  ParameterBlock &operator=(const ParameterBlock &) = delete;

  void **data() { return pointers.data(); }

private:
  std::vector<uint64_t> values;
  std::vector<void *> pointers;
};

/// The elements that an array spans: [first, last) around its address, where
/// first is at most 0 (negative strides reach below). Both 0 if it is empty.
struct Span {
  int64_t first = 0, last = 0;
};
Result<Span> spanOf(const fovea_tensor &tensor, const char *name);

} // namespace fovea::runtime

#endif // LAUNCH_H
