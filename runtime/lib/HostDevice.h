// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The host device: work items on the CPU's cores.

#ifndef HOSTDEVICE_H
#define HOSTDEVICE_H

#include "Kernel.h"
#include "Launch.h"

namespace fovea::runtime {

/// Runs the kernel; sets launch.seconds.
Status launchOnHost(const fovea_kernel &kernel, const CheckedLaunch &checked,
                    fovea_launch &launch);

/// Sums the tile counts of every work item.
Result<fovea_tile_counts> countOnHost(const fovea_kernel &kernel,
                                      const CheckedLaunch &checked,
                                      const fovea_launch &launch);

} // namespace fovea::runtime

#endif // HOSTDEVICE_H
