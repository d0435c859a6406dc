// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where everything of one sm_80 kernel lives: the arithmetic shared by the
// chooser of schedules and the lowering, so that both agree to the byte.
//
// Shared memory, from offset 0:
//
//   | stage 0: K tile, V tile | ... | stage n-1 | query | probabilities | words
//   |
//
// * A tile is stored by 16-byte chunks: chunk c of row r at c * pitch + r * 16,
//   pitch = rows * 16 + 16. Eight rows of one chunk are 128 consecutive bytes
//   (ldmatrix reads without conflicts), and consecutive chunks of one row lie
//   16 bytes apart modulo 128 (so the copies write without conflicts). An
//   address is one register and an immediate. Source: measured, against an xor
//   swizzle.
// * Where the query tile goes to registers before the loop, it borrows the last
//   stage, which the loop does not fill before its first barrier.
// * The output is staged over all of it after the loop.
// * `probabilities` (f32 only): 16 rows a warp, read back by the same warp.
// * `words`: per key, whether any row of the query tile keeps it (masked
// tiles).
#ifndef FOVEA_TARGET_PTX_KERNELPLAN_H
#define FOVEA_TARGET_PTX_KERNELPLAN_H

#include "fovea/Target/TargetDescription.h"

namespace fovea::ptx {

/// A tile in shared memory. `chunks` counts 16-byte pieces of a row, padding
/// included; `dataChunks` those that hold data in the aligned entry.
struct SharedTile {
  int64_t rows = 0, chunks = 0, dataChunks = 0;

  int64_t pitch() const { return rows * 16 + 16; }
  int64_t bytes() const { return chunks * pitch(); }
};

struct KernelPlan {
  Schedule schedule;
  int64_t qkDim, vDim;       ///< elements of a row
  int64_t qkPadded, vPadded; ///< with the zeros that fill the last product
  int64_t elementBytes;      ///< 2 or 4
  bool queryInRegisters;     ///< Q is read from shared memory once
  SharedTile query, key, value;
  int64_t queryOffset, probabilitiesOffset, wordsOffset, sharedBytes;

  bool usesTensorCores() const { return elementBytes == 2; }
  int64_t threads() const { return schedule.warps * 32; }
  /// 16-row blocks of one warp.
  int64_t rowBlocks() const { return schedule.rows / schedule.warps / 16; }
  int64_t stageBytes() const { return key.bytes() + value.bytes(); }
  int64_t valueOffset() const { return key.bytes(); }
  /// Row pitches, in bytes, of the staged output and of the probabilities.
  int64_t outputPitch() const { return vPadded * elementBytes + 16; }
  int64_t probabilitiesPitch() const { return (schedule.keys + 8) * 4; }
  /// Whether rows can be copied by 16 bytes where the strides allow it.
  bool hasAlignedRows() const {
    return qkDim * elementBytes % 16 == 0 && vDim * elementBytes % 16 == 0;
  }
  /// Registers that hold tiles throughout the loop.
  int64_t tileRegisters() const;
};

/// Fails if the schedule does not fit the fragments or the target.
llvm::Expected<KernelPlan> planKernel(const TargetDescription &target,
                                      const Schedule &schedule, int64_t qkDim,
                                      int64_t vDim, unsigned elementBits);

} // namespace fovea::ptx

#endif // FOVEA_TARGET_PTX_KERNELPLAN_H
