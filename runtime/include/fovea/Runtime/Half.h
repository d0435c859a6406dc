// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// f16 and bf16 to f32 and back, on bit patterns, so that no compiler support
// for half types is needed. Widening is exact; narrowing rounds to nearest,
// ties to even, overflows to infinity, keeps the sign of zero, and keeps NaN a
// NaN: the upper payload bits stay and the quiet bit is set, as the hardware's
// vcvtps2ph and vcvtneps2bf16 do.

#ifndef FOVEA_RUNTIME_HALF_H
#define FOVEA_RUNTIME_HALF_H

#include "fovea/fovea_runtime.h"

#include <cstdint>

namespace fovea::runtime {

float f16ToFloat(uint16_t bits);
uint16_t floatToF16(float value);
float bf16ToFloat(uint16_t bits);
uint16_t floatToBF16(float value);

/// Converts `count` packed elements. Equal types copy; f16 and bf16 convert to
/// each other through f32. The arrays must not overlap.
void convertElements(const void *from, fovea_type fromType, void *to,
                     fovea_type toType, int64_t count);

} // namespace fovea::runtime

#endif // FOVEA_RUNTIME_HALF_H
