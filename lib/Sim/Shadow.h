// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the race detector remembers of each byte.
#ifndef FOVEA_LIB_SIM_SHADOW_H
#define FOVEA_LIB_SIM_SHADOW_H

#include <cstdint>
#include <memory>
#include <vector>

namespace fovea::sim {

struct ShadowMemory {};

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_SHADOW_H
