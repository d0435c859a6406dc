// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the target-independent passes may know of a target, and the tile sizes
// that suit it. Nothing above the tile dialect asks more than this.
#ifndef FOVEA_TARGET_TARGETDESCRIPTION_H
#define FOVEA_TARGET_TARGETDESCRIPTION_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <optional>

namespace fovea {

struct TargetDescription {
  llvm::StringRef name;       ///< "sm_80"
  int64_t sharedBytes;        ///< shared memory one block may use
  int64_t registersPerThread; ///< 32-bit registers one thread may use
  int64_t maxThreads;         ///< threads of a block
  int64_t maxHeadDim;         ///< largest qk or v dimension
};

/// A100 (and what runs its code): 163 KiB of shared memory a block, CUDA C++
/// Programming Guide, table "Technical Specifications per Compute Capability".
const TargetDescription &getSM80();

/// The numbers of tile.schedule: `rows` queries by `keys` keys a tile, `stages`
/// tiles of K and V in flight, `warps` that share the rows.
struct Schedule {
  int64_t rows, keys, stages, warps;
};

/// What the user asks for in place of the chooser's number.
struct ScheduleOverrides {
  std::optional<int64_t> rows, keys, stages, warps;
};

/// The schedule for one head shape on a GPU target: `qkDim` and `vDim` in
/// elements, `elementBits` 16 or 32; `elementRegisters` is what masks and
/// scores need a thread, beyond plain ones. Fails, with a message, on a head
/// dimension or an override that does not fit the target.
llvm::Expected<Schedule> chooseSchedule(const TargetDescription &target,
                                        int64_t qkDim, int64_t vDim,
                                        unsigned elementBits,
                                        const ScheduleOverrides &overrides = {},
                                        int64_t elementRegisters = 0);

} // namespace fovea

#endif // FOVEA_TARGET_TARGETDESCRIPTION_H
