// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where everything of one sm_80 kernel lives: the arithmetic shared by the
// chooser of schedules and the lowering, so that both agree to the byte.
//
// Shared memory, from offset 0:
//
//   | stage 0: K tile, V tile | ... | stage n-1 | query | probabilities | words
//   |
//
// * A tile is stored by 16-byte chunks. For tensor cores two neighbouring ones
//   of a row share a slot of 32 bytes, pair p of row r at p * pitch + r * 32,
//   pitch = rows * 32 + 32, and rows 4 to 7 of every eight have the two
//   swapped. So a copy fetches a sector of 32 bytes once (measured on an H200:
//   twice if its halves do not share a slot), eight rows of one chunk are 128
//   different bytes modulo 128 (ldmatrix reads without conflicts), and so are
//   four consecutive pairs of one row (the copies write without conflicts).
//   What lies two chunks or eight rows further is an immediate away.
// * For FMAs chunk c of row r lies at c * pitch + r * 16, where pitch is
//   rows * 16 + 16.
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
  bool paired = false; ///< two chunks a slot; `chunks` is even

  int64_t slotBytes() const { return paired ? 32 : 16; }
  /// From one slot of a row to the next.
  int64_t pitch() const { return (rows + 1) * slotBytes(); }
  int64_t bytes() const { return chunks * 16 / slotBytes() * pitch(); }
  int64_t offsetOf(int64_t row, int64_t chunk) const {
    if (!paired)
      return chunk * pitch() + row * 16;
    return chunk / 2 * pitch() + row * 32 + ((chunk ^ (row >> 2)) & 1) * 16;
  }
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
