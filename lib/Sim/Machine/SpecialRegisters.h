// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef FOVEA_LIB_SIM_SPECIALREGISTERS_H
#define FOVEA_LIB_SIM_SPECIALREGISTERS_H

#include "Machine.h"

namespace fovea::sim {

/// The value of a special register for a lane of a warp.
uint32_t specialValue(Special which, const Warp &warp, unsigned lane);

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_SPECIALREGISTERS_H
