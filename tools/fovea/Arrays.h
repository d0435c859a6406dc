// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The arrays of one run, whether read from files or drawn at random, and the
// params.

#ifndef FOVEA_TOOLS_ARRAYS_H
#define FOVEA_TOOLS_ARRAYS_H

#include "Options.h"

#include "fovea/Runtime/Npy.h"

namespace fovea::tool {

/// q, k and v in the kernel's type, o and lse to be written.
struct Arrays {
  runtime::Array q, k, v, o, lse;
  /// The type in which O is written: that of Q's file.
  fovea_type outputType = FOVEA_F32;
};

/// Reads --q, --k and --v; converts f32 where --convert allows it.
runtime::Result<Arrays> readArrays(const Options &options,
                                   const fovea_kernel_info &info);

/// Arrays of --shape, of independent values with mean 0 and variance 1; the
/// same in every run.
runtime::Result<Arrays> drawArrays(const Options &options,
                                   const fovea_kernel_info &info);

/// Values of --param. The names point into `texts`, which must outlive them.
runtime::Result<std::vector<fovea_param>>
readParams(std::vector<std::string> &texts);

} // namespace fovea::tool

#endif // FOVEA_TOOLS_ARRAYS_H
