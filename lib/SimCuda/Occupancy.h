// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How many blocks of a kernel a multiprocessor holds.

#ifndef FOVEA_SIMCUDA_OCCUPANCY_H
#define FOVEA_SIMCUDA_OCCUPANCY_H

#include "Driver.h"

namespace fovea::simcuda {

/// Registers of a thread. PTX does not tell what ptxas would allocate: it is
/// .maxnreg if the kernel has one, else 32, or fewer where the block is large.
int registersOf(const Function &function);

/// Shared memory that a block of the function may have: that of the device, or
/// of the function's target if that is a later one.
int64_t maxSharedOf(const Function &function);

/// 0 if not even one fits.
int blocksPerMultiprocessor(const Function &function, int64_t threads,
                            int64_t dynamicShared);

} // namespace fovea::simcuda

#endif // FOVEA_SIMCUDA_OCCUPANCY_H
