// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef FOVEA_LIB_SIM_SYNCSCOPE_H
#define FOVEA_LIB_SIM_SYNCSCOPE_H

#include <cstdint>

namespace fovea::sim {

class Decoder;

/// Among which threads an access or fence orders (PTX ISA, "Scope"), from
/// narrow to wide. None is a weak access. The simulator has one device, so
/// .gpu and .sys are the same.
enum class SyncScope : uint8_t { None, Cta, Cluster, Device };
constexpr unsigned scopeCount = 4;

/// The scope among the modifiers; .gpu if there is none. Notes in the program
/// that it is below the device's.
SyncScope takeScope(Decoder &d);

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_SYNCSCOPE_H
