// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The cuda device: loads a kernel's PTX or cubin, copies arrays, launches. The
// sim device is the same on the simulator's library.

#ifndef CUDADEVICE_H
#define CUDADEVICE_H

#include "CudaDriver.h"
#include "Kernel.h"
#include "Launch.h"

namespace fovea::runtime {

/// An empty cache; no driver is touched before the first launch.
std::shared_ptr<CudaModuleCache> makeCudaModuleCache();

/// Runs the kernel; sets launch.seconds unless it does not wait for the kernel
/// (launch.device_memory).
Status launchOnCuda(CudaLibrary library, const fovea_kernel &kernel,
                    const CheckedLaunch &checked, fovea_launch &launch);

/// Whether a driver and a GPU, or the simulator, are there.
Status checkCuda(CudaLibrary library);

} // namespace fovea::runtime

#endif // CUDADEVICE_H
