// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whether this CPU, and the system on it, runs what a host kernel was made of.

#ifndef CPUFEATURES_H
#define CPUFEATURES_H

#include "fovea/Runtime/Result.h"

#include <string>
#include <vector>

namespace fovea::runtime {

/// FOVEA_MACHINE_LACKS names the first of `needed` that is missing or unknown.
/// Where AMX is needed, asks the system for it.
Status checkInstructionSet(const std::vector<std::string> &needed);

/// The highest psABI level of this CPU, "x86-64-v3" for example.
std::string cpuLevel();

} // namespace fovea::runtime

#endif // CPUFEATURES_H
