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
  uint8_t rank, element, interleave, swizzle, oobNan;
};
static_assert(sizeof(Encoded) <= 128);

std::string notMultiple(const std::string &what, uint64_t value, uint64_t of) {
  if (value % of == 0)
    return "";
  return "expected " + what + " to be a multiple of " + std::to_string(of) +
         " bytes, but got " + std::to_string(value);
}

std::string outside(const std::string &what, uint64_t low, uint64_t high,
                    const std::string &range, uint64_t value) {
  if (value >= low && value <= high)
    return "";
  return "expected " + what + " to " + range + ", but got " +
         std::to_string(value);
}

/// Of one dimension.
std::string problemOf(const TensorMapDesc &desc, uint32_t i) {
  std::string n = std::to_string(i);
  std::string problem = outside("dimension " + n, 1, 1ull << 32,
                                "have 1 to 2^32 elements", desc.dims[i]);
  if (problem.empty())
    problem = outside("dimension " + n + " of the box", 1, 256,
                      "have 1 to 256 elements", desc.box[i]);
  if (problem.empty())
    problem = outside("element stride " + n, 1, 8, "be 1 to 8",
                      desc.elementStrides[i]);
  if (i == 0 || !problem.empty())
    return problem;
  problem = notMultiple("stride " + n, desc.strides[i], 16);
  if (problem.empty())
    problem = outside("stride " + n, 0, (1ull << 40) - 1, "be below 2^40 bytes",
                      desc.strides[i]);
  return problem;
}

} // namespace

unsigned bytesOf(TensorElement element) {
  switch (element) {
  case TensorElement::U8:
    return 1;
  case TensorElement::U16:
  case TensorElement::F16:
  case TensorElement::BF16:
    return 2;
  case TensorElement::U64:
  case TensorElement::S64:
  case TensorElement::F64:
    return 8;
  default:
    return 4;
  }
}

std::string problemOf(const TensorMapDesc &desc) {
  if (desc.rank < 1 || desc.rank > 5)
    return "expected a rank of 1 to 5, but got " + std::to_string(desc.rank);
  if (desc.interleave)
    return "interleaved layouts are not supported";
  if (desc.swizzle > 3)
    return "unknown swizzle " + std::to_string(desc.swizzle);
  if (desc.element > TensorElement::TF32Ftz)
    return "unknown element type " +
           std::to_string(static_cast<unsigned>(desc.element));
  std::string problem = notMultiple("the address", desc.address, 16);
  for (uint32_t i = 0; i < desc.rank && problem.empty(); ++i)
    problem = problemOf(desc, i);
  if (!problem.empty())
    return problem;
  uint32_t inner = desc.box[0] * bytesOf(desc.element);
  problem = notMultiple("the inner extent of the box", inner, 16);
  if (problem.empty() && desc.swizzle && inner > 16u << desc.swizzle)
    problem = "expected the inner extent of the box to be at most the "
              "swizzle's " +
              std::to_string(16u << desc.swizzle) + " bytes, but got " +
              std::to_string(inner);
  return problem;
}

void encodeTensorMap(const TensorMapDesc &desc, void *out128) {
  std::string problem = problemOf(desc);
  if (!problem.empty())
    throw std::runtime_error("tensor map: " + problem);
  Encoded out{};
  out.magic = magic;
  out.address = desc.address;
  out.rank = static_cast<uint8_t>(desc.rank);
  out.element = static_cast<uint8_t>(desc.element);
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
  desc.element = static_cast<TensorElement>(in.element);
  desc.interleave = in.interleave;
  desc.swizzle = in.swizzle;
  desc.oobNan = in.oobNan;
  for (uint32_t i = 0; i < std::min<uint32_t>(desc.rank, 5); ++i) {
    desc.dims[i] = uint64_t(in.lastIndex[i]) + 1;
    desc.box[i] = in.box[i];
    desc.elementStrides[i] = in.elementStrides[i];
    if (i)
      desc.strides[i] = in.strides[i - 1];
  }
  return true;
}

bool replaceTensorMapField(void *map128, TensorMapField field, unsigned ordinal,
                           uint64_t value) {
  Encoded map;
  std::memcpy(&map, map128, sizeof map);
  if (map.magic == 0) {
    const auto *bytes = static_cast<const uint8_t *>(map128);
    if (std::any_of(bytes, bytes + 128, [](uint8_t b) { return b != 0; }))
      return false;
    map.magic = magic;
  }
  if (map.magic != magic)
    return false;
  auto low = static_cast<uint8_t>(std::min<uint64_t>(value, 0xff));
  switch (field) {
  case TensorMapField::GlobalAddress:
    map.address = value;
    break;
  case TensorMapField::Rank: // counts from zero
    map.rank = static_cast<uint8_t>(std::min<uint64_t>(value, 0xfe) + 1);
    break;
  case TensorMapField::BoxDim:
    map.box[ordinal] = static_cast<uint16_t>(std::min<uint64_t>(value, 0xffff));
    break;
  case TensorMapField::GlobalDim: // 32 bits, 0 stands for 2^32
    map.lastIndex[ordinal] = static_cast<uint32_t>(value - 1);
    break;
  case TensorMapField::GlobalStride:
    map.strides[ordinal] = value;
    break;
  case TensorMapField::ElementStride:
    map.elementStrides[ordinal] = low;
    break;
  case TensorMapField::ElemType:
    map.element = low;
    break;
  case TensorMapField::InterleaveLayout:
    map.interleave = low;
    break;
  case TensorMapField::SwizzleMode:
    map.swizzle = low;
    break;
  case TensorMapField::FillMode:
    map.oobNan = low;
    break;
  }
  std::memcpy(map128, &map, sizeof map);
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
  int64_t bytes = bytesOf(map.element), rowBytes = map.box[0] * bytes;
  int64_t step = map.swizzle ? 16 : rowBytes;
  // A swizzle keeps a row to a line of its own, however narrow the box.
  int64_t pitch = map.swizzle ? 16ll << map.swizzle : rowBytes;
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
          row * static_cast<uint64_t>(pitch) + static_cast<uint64_t>(begin);
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
