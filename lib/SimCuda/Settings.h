// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the environment asks of a launch. A program written for a GPU has no
// options for a simulator, so everything is a variable; docs/simulator-cuda.md
// lists them.

#ifndef FOVEA_SIMCUDA_SETTINGS_H
#define FOVEA_SIMCUDA_SETTINGS_H

#include "fovea/Sim/Sim.h"

#include <string>

namespace fovea::simcuda {

struct Settings {
  sim::Checks checks;
  uint64_t seed = 0;
  bool exactSums = false, perturb = false;
  unsigned threads = 0;
  /// Where to write the report; empty: nowhere.
  std::string report;
  /// Whether a finding makes the launch fail.
  bool findingsFail = true;
};

/// Read anew at each launch, so that a program may change them between two.
/// Throws Failure, CUDA_ERROR_INVALID_VALUE, on a value that is not understood.
Settings readSettings();

/// A finding as one line: "race in kernel 'k' at line 12 and line 9: …".
std::string describe(const sim::Finding &finding);

/// Adds a launch to the report and writes the file anew. Throws Failure if it
/// cannot be written.
void reportLaunch(const Settings &settings, const std::string &kernel,
                  const sim::LaunchConfig &config,
                  const sim::LaunchResult &result, double seconds);

} // namespace fovea::simcuda

#endif // FOVEA_SIMCUDA_SETTINGS_H
