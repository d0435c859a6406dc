// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A folder that fovea-sim can run: launch.json and its arrays
// (docs/simulator.md, "launch.json").
#ifndef FOVEA_TOOLS_FOVEA_CASE_LAUNCHFILE_H
#define FOVEA_TOOLS_FOVEA_CASE_LAUNCHFILE_H

#include "Arrays.h"

#include "fovea/Runtime/Manifest.h"

#include <string>

namespace fovea::cases {

struct LaunchRequest {
  const runtime::Manifest &manifest;
  const runtime::ManifestEntry &entry;
  std::vector<pattern::ParamValue> params;
  Shape shape;
  int64_t heads = 1; // the first of the pattern's query heads
  bool hasLSE = true;
};

/// Writes launch.json and the arrays to `folder`, which exists.
runtime::Status writeLaunch(const LaunchRequest &request, Arrays &arrays,
                            const std::string &folder);

} // namespace fovea::cases

#endif // FOVEA_TOOLS_FOVEA_CASE_LAUNCHFILE_H
