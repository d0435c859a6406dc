// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a manifest must satisfy beyond having every key with the right type, so
// that a launch can rely on it without looking again.

#ifndef MANIFESTRULES_H
#define MANIFESTRULES_H

#include "fovea/Runtime/Manifest.h"

#include <string>

namespace fovea::runtime {

/// The first rule that does not hold, as an error text; empty if all do.
std::string findBrokenRule(const Manifest &manifest);

} // namespace fovea::runtime

#endif // MANIFESTRULES_H
