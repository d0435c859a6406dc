// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Counts of a launch as JSON, and the lower bounds of cycles that follow from
// them. They are bounds, not times.
#ifndef FOVEA_TOOLS_FOVEA_SIM_BOUNDS_H
#define FOVEA_TOOLS_FOVEA_SIM_BOUNDS_H

#include "fovea/Sim/Sim.h"
#include <nlohmann/json.hpp>

namespace fovea::sim {

/// Instructions by opcode, pipe, line and loop; traffic; barriers; divergence.
nlohmann::json countsOf(const LaunchResult &launch);

/// Lower bounds of cycles on A100 and H100, of the launch and of its loops.
nlohmann::json boundsOf(const LaunchResult &launch);

} // namespace fovea::sim

#endif // FOVEA_TOOLS_FOVEA_SIM_BOUNDS_H
