// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a tensor map says, and the swizzles of shared memory (ISA text, section
// 5.5).
//
// A swizzle permutes the 16-byte chunks of a line by address bits: with a line
// of 32, 64 or 128 bytes, chunk number (bits 4 and up) is xored with the line
// pair, quad, octet number (bits 7 and up). It works on absolute shared
// addresses, so a tile's pattern depends on where the tile lies.
#ifndef FOVEA_LIB_SIM_TENSORMAP_H
#define FOVEA_LIB_SIM_TENSORMAP_H

#include "fovea/Sim/Sim.h"

namespace fovea::sim {

/// `mode` as in TensorMapDesc: log2 of the chunks that change places.
constexpr uint64_t swizzleAddress(uint64_t address, unsigned mode) {
  uint64_t mask = (1ull << mode) - 1;
  return address ^ ((address >> 7 & mask) << 4);
}

constexpr unsigned tensorMapBytes = 128;

/// Reads what encodeTensorMap wrote; false if the bytes are no such map.
bool decodeTensorMap(const void *from128, TensorMapDesc &desc);

/// What the hardware would refuse of the map, or nothing: the rules of
/// cuTensorMapEncodeTiled.
std::string problemOf(const TensorMapDesc &desc);

/// What tensormap.replace can change.
enum class TensorMapField : uint8_t {
  GlobalAddress,
  Rank,
  BoxDim,
  GlobalDim,
  GlobalStride,
  ElementStride,
  ElemType,
  InterleaveLayout,
  SwizzleMode,
  FillMode,
};

/// Replaces a field of a map in place. Zeros count as a map with all fields
/// zero; false if the bytes are neither that nor a map.
bool replaceTensorMapField(void *map128, TensorMapField field, unsigned ordinal,
                           uint64_t value);

/// A run of consecutive bytes of one row of a box. Bytes of the tile before
/// and after it lie outside of the tensor.
struct BoxRun {
  uint64_t tile = 0;   // offset in the tile, before swizzling
  uint32_t bytes = 0;  // of the tile
  uint32_t before = 0; // outside, in front
  uint32_t inside = 0; // bytes within the tensor
  uint64_t global = 0; // address of the first byte inside
};

/// The runs of the box at `coordinates` (elements, innermost first), cut at
/// 16 bytes where the map swizzles, a row each otherwise.
std::vector<BoxRun> boxRuns(const TensorMapDesc &map,
                            const int32_t *coordinates);

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_TENSORMAP_H
