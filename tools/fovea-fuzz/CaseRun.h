// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One random case: compiled, run where it can be run, compared.

#ifndef FOVEA_TOOLS_CASERUN_H
#define FOVEA_TOOLS_CASERUN_H

#include "fovea/Reference/RandomPattern.h"

#include <string>

namespace fovea::fuzz {

/// What became of a case.
struct Verdict {
  std::string problem; ///< empty: right
  double error = 0;    ///< of O, as a share of the tolerance
};

/// Compiles for the host, runs and compares with the reference: O, LSE, the
/// count of kept pairs, and that nothing outside O was written.
Verdict runOnHost(reference::RandomCase &randomCase);

/// The same for sm_80 on the device "sim" or "cuda"; the pairs are not counted.
/// What the simulator finds is a problem like a wrong result.
Verdict runOnGpu(reference::RandomCase &randomCase, const char *device);

/// Compiles for sm_80 and hands the PTX to ptxas: messages are problems,
/// and spills where the head dimensions are 64 or 128. Nothing runs.
Verdict assemble(const reference::RandomCase &randomCase);

} // namespace fovea::fuzz

#endif // FOVEA_TOOLS_CASERUN_H
