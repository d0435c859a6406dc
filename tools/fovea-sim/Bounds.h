// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Counts of a launch for its report, and the cycles that they bound.
#ifndef FOVEA_TOOLS_FOVEA_SIM_BOUNDS_H
#define FOVEA_TOOLS_FOVEA_SIM_BOUNDS_H

#include "fovea/Sim/Sim.h"
#include <nlohmann/json.hpp>

namespace fovea::sim {

/// Instructions by opcode, pipe and loop; traffic; conflicts; divergence.
nlohmann::json countsOf(const LaunchResult &launch);

/// By device: the least cycles that each pipe needs on one multiprocessor for
/// all of the work and on the whole device, and which binds. Bounds, not times.
nlohmann::json boundsOf(const LaunchResult &launch);

} // namespace fovea::sim

#endif // FOVEA_TOOLS_FOVEA_SIM_BOUNDS_H
