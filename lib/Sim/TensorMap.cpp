// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The simulator's own encoding of tensor maps: the hardware's is not
// documented, and a map is opaque to programs.
#include "TensorMap.h"
#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace fovea::sim {

namespace {

constexpr uint64_t magic = 0x70616d2d61766f66; // "fova-map"

struct Encoded {
  uint64_t magic;
  uint64_t address;
  uint64_t strides[4]; // bytes, of dimension 1, 2, ...
  uint32_t lastIndex[5];
  uint16_t box[5];
  uint8_t elementStrides[5];
  uint8_t rank, elementBytes, elementKind, swizzle, oobNan;
};
static_assert(sizeof(Encoded) <= 128);

[[noreturn]] void refuse(const std::string &what) {
  throw std::runtime_error("tensor map: " + what);
}

void expectMultiple(const std::string &what, uint64_t value, uint64_t of) {
  if (value % of)
    refuse("expected " + what + " to be a multiple of " + std::to_string(of) +
           " bytes, but got " + std::to_string(value));
}

/// The rules of cuTensorMapEncodeTiled.
void check(const TensorMapDesc &desc) {
  if (desc.rank < 1 || desc.rank > 5)
    refuse("expected a rank of 1 to 5, but got " + std::to_string(desc.rank));
  if (desc.interleave)
    refuse("interleaved layouts are not supported");
  if (desc.swizzle > 3)
    refuse("unknown swizzle " + std::to_string(desc.swizzle));
  uint32_t bytes = desc.elementBytes;
  if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8)
    refuse("expected elements of 1, 2, 4 or 8 bytes, but got " +
           std::to_string(bytes));
  expectMultiple("the address", desc.address, 16);
  for (uint32_t i = 0; i < desc.rank; ++i) {
    if (desc.dims[i] < 1 || desc.dims[i] > 1ull << 32)
      refuse("expected dimension " + std::to_string(i) +
             " to have 1 to 2^32 elements, but got " +
             std::to_string(desc.dims[i]));
    if (desc.box[i] < 1 || desc.box[i] > 256)
      refuse("expected dimension " + std::to_string(i) +
             " of the box to have 1 to 256 elements, but got " +
             std::to_string(desc.box[i]));
    if (desc.elementStrides[i] < 1 || desc.elementStrides[i] > 8)
      refuse("expected element stride " + std::to_string(i) +
             " to be 1 to 8, but got " +
             std::to_string(desc.elementStrides[i]));
    if (!i)
      continue;
    expectMultiple("stride " + std::to_string(i), desc.strides[i], 16);
    if (desc.strides[i] >= 1ull << 40)
      refuse("expected stride " + std::to_string(i) +
             " to be below 2^40 bytes, but got " +
             std::to_string(desc.strides[i]));
  }
  uint32_t inner = desc.box[0] * bytes;
  expectMultiple("the inner extent of the box", inner, 16);
  if (desc.swizzle && inner > 16u << desc.swizzle)
    refuse("expected the inner extent of the box to be at most the swizzle's " +
           std::to_string(16u << desc.swizzle) + " bytes, but got " +
           std::to_string(inner));
}

} // namespace

void encodeTensorMap(const TensorMapDesc &desc, void *out128) {
  check(desc);
  Encoded out{};
  out.magic = magic;
  out.address = desc.address;
  out.rank = static_cast<uint8_t>(desc.rank);
  out.elementBytes = static_cast<uint8_t>(desc.elementBytes);
  out.elementKind = static_cast<uint8_t>(desc.elementKind);
  out.swizzle = static_cast<uint8_t>(desc.swizzle);
  out.oobNan = desc.oobNan;
  for (uint32_t i = 0; i < desc.rank; ++i) {
    out.lastIndex[i] = static_cast<uint32_t>(desc.dims[i] - 1);
    out.box[i] = static_cast<uint16_t>(desc.box[i]);
    out.elementStrides[i] = static_cast<uint8_t>(desc.elementStrides[i]);
    if (i)
      out.strides[i - 1] = desc.strides[i];
  }
  std::memset(out128, 0, 128);
  std::memcpy(out128, &out, sizeof out);
}

bool decodeTensorMap(const void *from128, TensorMapDesc &desc) {
  Encoded in;
  std::memcpy(&in, from128, sizeof in);
  if (in.magic != magic)
    return false;
  desc = TensorMapDesc();
  desc.address = in.address;
  desc.rank = in.rank;
  desc.elementBytes = in.elementBytes;
  desc.elementKind = in.elementKind;
  desc.swizzle = in.swizzle;
  desc.oobNan = in.oobNan;
  for (uint32_t i = 0; i < desc.rank; ++i) {
    desc.dims[i] = uint64_t(in.lastIndex[i]) + 1;
    desc.box[i] = in.box[i];
    desc.elementStrides[i] = in.elementStrides[i];
    if (i)
      desc.strides[i] = in.strides[i - 1];
  }
  return true;
}

std::vector<BoxRun> boxRuns(const TensorMapDesc &map,
                            const int32_t *coordinates) {
  // Dimension 0 is dense: its element stride has no effect.
  uint32_t counts[5] = {1, 1, 1, 1, 1};
  uint64_t rows = 1;
  for (uint32_t i = 1; i < map.rank; ++i) {
    counts[i] =
        (map.box[i] + map.elementStrides[i] - 1) / map.elementStrides[i];
    rows *= counts[i];
  }
  int64_t bytes = map.elementBytes, rowBytes = map.box[0] * bytes;
  int64_t step = map.swizzle ? 16 : rowBytes;
  // Bytes of a row that lie inside.
  int64_t low =
      std::clamp<int64_t>(-int64_t(coordinates[0]) * bytes, 0, rowBytes);
  int64_t high = std::clamp<int64_t>(
      (int64_t(map.dims[0]) - coordinates[0]) * bytes, low, rowBytes);
  std::vector<BoxRun> runs;
  for (uint64_t row = 0; row < rows; ++row) {
    bool outside = false;
    uint64_t at = map.address, rest = row;
    for (uint32_t i = 1; i < map.rank; ++i) {
      int64_t index = int64_t(coordinates[i]) +
                      int64_t(rest % counts[i]) * map.elementStrides[i];
      rest /= counts[i];
      outside |= index < 0 || index >= int64_t(map.dims[i]);
      at += static_cast<uint64_t>(index) * map.strides[i];
    }
    for (int64_t begin = 0; begin < rowBytes; begin += step) {
      int64_t end = begin + step;
      int64_t first = outside ? end : std::clamp(low, begin, end);
      int64_t last = outside ? end : std::clamp(high, first, end);
      BoxRun run;
      run.tile =
          row * static_cast<uint64_t>(rowBytes) + static_cast<uint64_t>(begin);
      run.bytes = static_cast<uint32_t>(step);
      run.before = static_cast<uint32_t>(first - begin);
      run.inside = static_cast<uint32_t>(last - first);
      run.global = at + static_cast<uint64_t>(coordinates[0] * bytes + first);
      runs.push_back(run);
    }
  }
  return runs;
}

} // namespace fovea::sim
