// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A kernel with its launch file: inputs, launch, expected outputs. The format
// is described in docs/simulator.md.
#ifndef FOVEA_TOOLS_FOVEA_SIM_CASE_H
#define FOVEA_TOOLS_FOVEA_SIM_CASE_H

#include "fovea/Sim/Sim.h"
#include <map>
#include <nlohmann/json.hpp>

namespace fovea::sim {

struct OutputResult {
  bool ok = false;
  double maxAbsError = 0;
  size_t mismatches = 0;
  uint64_t digest = 0; // of the bytes: equal outputs have equal ones
};

struct CaseResult {
  LaunchResult launch;
  std::map<std::string, OutputResult> outputs;
  double seconds = 0; // of the launch alone
  bool outputsOk() const;
};

struct CaseOptions {
  Checks checks;
  uint64_t seed = 0;
  bool exactTensorSums = false;
  bool perturbApprox = false;
  bool count = false;
  unsigned threads = 0;
  uint64_t limit = 0;          // of warp instructions
  std::FILE *printed = stdout; // where the kernel's printf goes
};

/// Runs the PTX text as the launch file says; names of buffers are files
/// beside it. Throws std::runtime_error.
CaseResult runCase(const std::string &ptx, const nlohmann::json &launch,
                   const std::string &folder, const CaseOptions &options);

/// The report of docs/simulator.md.
nlohmann::json reportOf(const CaseResult &result);

} // namespace fovea::sim

#endif // FOVEA_TOOLS_FOVEA_SIM_CASE_H
