// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tensor maps and swizzles against loops over elements.
#include "Async/TensorMap.h"
#include <gtest/gtest.h>
#include <map>

using namespace fovea::sim;

namespace {

TensorMapDesc mapOf(std::vector<uint64_t> dims, std::vector<uint32_t> box,
                    uint32_t swizzle = 0) {
  TensorMapDesc map;
  map.address = 0x10000;
  map.element = TensorElement::F16;
  map.rank = static_cast<uint32_t>(dims.size());
  uint64_t pitch = (dims[0] * 2 + 15) / 16 * 16;
  for (uint32_t i = 0; i < map.rank; ++i) {
    map.dims[i] = dims[i];
    map.box[i] = box[i];
    if (i) {
      map.strides[i] = pitch;
      pitch *= dims[i];
    }
  }
  map.swizzle = swizzle;
  return map;
}

std::string refusal(const TensorMapDesc &map) {
  uint8_t out[128];
  try {
    encodeTensorMap(map, out);
  } catch (const std::runtime_error &error) {
    return error.what();
  }
  return "";
}

/// The 128-byte swizzle as the ISA text draws it: line l of eight holds chunk c
/// at place c xor l; the narrower ones repeat over 2 and 4 lines pairs.
TEST(Swizzle, PermutesChunksByLine) {
  for (uint64_t line = 0; line < 16; ++line)
    for (uint64_t chunk = 0; chunk < 8; ++chunk) {
      uint64_t address = line * 128 + chunk * 16 + 5;
      EXPECT_EQ(swizzleAddress(address, 0), address);
      EXPECT_EQ(swizzleAddress(address, 3),
                line * 128 + (chunk ^ (line % 8)) * 16 + 5);
      EXPECT_EQ(swizzleAddress(address, 2),
                line * 128 + (chunk ^ (line % 4)) * 16 + 5);
      EXPECT_EQ(swizzleAddress(address, 1),
                line * 128 + (chunk ^ (line % 2)) * 16 + 5);
    }
}

TEST(TensorMap, KeepsEveryField) {
  TensorMapDesc map = mapOf({100, 30, 7}, {64, 8, 2}, 3), back;
  map.elementStrides[1] = 2;
  map.oobNan = true;
  uint8_t bytes[128];
  encodeTensorMap(map, bytes);
  ASSERT_TRUE(decodeTensorMap(bytes, back));
  EXPECT_EQ(back.address, map.address);
  EXPECT_EQ(back.rank, 3u);
  EXPECT_EQ(back.swizzle, 3u);
  EXPECT_TRUE(back.oobNan);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(back.dims[i], map.dims[i]);
    EXPECT_EQ(back.box[i], map.box[i]);
    EXPECT_EQ(back.elementStrides[i], map.elementStrides[i]);
    if (i) {
      EXPECT_EQ(back.strides[i], map.strides[i]);
    }
  }
  bytes[0] ^= 1;
  EXPECT_FALSE(decodeTensorMap(bytes, back));
}

TEST(TensorMap, RefusesWhatTheHardwareRefuses) {
  TensorMapDesc map = mapOf({64, 64}, {64, 8}, 3);
  EXPECT_EQ(refusal(map), "");
  TensorMapDesc bad = map;
  bad.address += 8;
  EXPECT_EQ(refusal(bad), "tensor map: expected the address to be a multiple "
                          "of 16 bytes, but got 65544");
  bad = map;
  bad.strides[1] = 130;
  EXPECT_EQ(refusal(bad), "tensor map: expected stride 1 to be a multiple of "
                          "16 bytes, but got 130");
  bad = map;
  bad.box[0] = 128;
  EXPECT_EQ(refusal(bad),
            "tensor map: expected the inner extent of the box to be at most "
            "the swizzle's 128 bytes, but got 256");
  bad = map;
  bad.box[1] = 257;
  EXPECT_EQ(refusal(bad), "tensor map: expected dimension 1 of the box to have "
                          "1 to 256 elements, but got 257");
}

/// Every byte of the box, by a loop over its elements: the address that it
/// comes from, or 0 outside of the tensor.
std::map<uint64_t, uint64_t> expectedBytes(const TensorMapDesc &map,
                                           const int32_t *at) {
  std::map<uint64_t, uint64_t> bytes;
  for (uint32_t z = 0; z < map.box[2]; ++z)
    for (uint32_t y = 0; y < map.box[1]; ++y)
      for (uint32_t x = 0; x < map.box[0]; ++x) {
        int64_t cx = at[0] + int64_t(x), cy = at[1] + int64_t(y),
                cz = at[2] + int64_t(z);
        bool in = cx >= 0 && cy >= 0 && cz >= 0 && cx < int64_t(map.dims[0]) &&
                  cy < int64_t(map.dims[1]) && cz < int64_t(map.dims[2]);
        uint64_t tile = ((z * map.box[1] + y) * map.box[0] + x) * 2ull;
        for (uint64_t b = 0; b < 2; ++b)
          bytes[tile + b] = !in ? 0
                                : map.address + uint64_t(cx) * 2 +
                                      uint64_t(cy) * map.strides[1] +
                                      uint64_t(cz) * map.strides[2] + b;
      }
  return bytes;
}

TEST(TensorMap, CutsBoxesAtTheEdges) {
  const int32_t corners[][3] = {{0, 0, 0},  {-3, -1, 0}, {60, 4, 1},
                                {95, 9, 2}, {200, 0, 0}, {-64, 0, 0}};
  for (uint32_t swizzle : {0u, 3u})
    for (const auto &corner : corners) {
      TensorMapDesc map = mapOf({100, 10, 3}, {64, 4, 2}, swizzle);
      std::map<uint64_t, uint64_t> got;
      for (const BoxRun &run : boxRuns(map, corner)) {
        EXPECT_EQ(run.bytes, swizzle ? 16u : 128u);
        for (uint32_t b = 0; b < run.bytes; ++b) {
          bool in = b >= run.before && b < run.before + run.inside;
          got[run.tile + b] = in ? run.global + (b - run.before) : 0;
        }
      }
      EXPECT_EQ(got, expectedBytes(map, corner)) << corner[0];
    }
}

// Measured on an H200 (docs/hardware.md): 32 bytes of each line of 128.
TEST(TensorMap, KeepsSwizzledRowsToLinesOfTheirOwn) {
  const int32_t corner[] = {8, 1, 0};
  TensorMapDesc map = mapOf({100, 10, 3}, {16, 4, 1}, 3);
  std::vector<uint64_t> tiles;
  for (const BoxRun &run : boxRuns(map, corner))
    tiles.push_back(run.tile);
  EXPECT_EQ(tiles,
            (std::vector<uint64_t>{0, 16, 128, 144, 256, 272, 384, 400}));
}

} // namespace
