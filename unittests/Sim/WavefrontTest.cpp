// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Wavefronts and sectors of requests, counted by hand or measured on an H200.
#include "Counts/Wavefronts.h"
#include "MeasuredWavefronts.h"
#include <functional>
#include <gtest/gtest.h>

using namespace fovea::sim;
using namespace fovea::sim::test;

namespace {

struct Pattern {
  const char *what;
  unsigned bytes;
  std::function<int64_t(int)> address; // of a lane; negative: no access
  unsigned expected;
};

template <class F> unsigned costOf(const Pattern &pattern, F cost) {
  uint64_t addresses[32];
  uint32_t mask = 0;
  for (int lane = 0; lane < 32; ++lane) {
    int64_t at = pattern.address(lane);
    addresses[lane] = static_cast<uint64_t>(at);
    mask |= at >= 0 ? 1u << lane : 0;
  }
  return cost(addresses, mask, pattern.bytes);
}

TEST(Wavefronts, WavefrontsFollowBanks) {
  const Pattern patterns[] = {
      {"side by side", 4, [](int l) { return 4 * l; }, 1},
      {"every second word", 4, [](int l) { return 8 * l; }, 2},
      {"a column of a row of 32", 4, [](int l) { return 128 * l; }, 32},
      {"a column of a row of 33", 4, [](int l) { return 132 * l; }, 1},
      {"one word for all", 4, [](int) { return 64; }, 1},
      {"bytes of one word", 1, [](int l) { return l % 4; }, 1},
      {"one lane", 4, [](int l) { return l == 7 ? 4 : -1; }, 1},
      {"64 bits side by side", 8, [](int l) { return 8 * l; }, 2},
      {"128 bits side by side", 16, [](int l) { return 16 * l; }, 4},
      {"128 bits in one column", 16, [](int l) { return 512 * l; }, 32},
      // Measured on an H200.
      {"128 bits, one address", 16, [](int) { return 0; }, 2},
      {"128 bits in pairs", 16, [](int l) { return l / 2 * 16; }, 2},
      {"64 bits in pairs", 8, [](int l) { return l / 2 * 8; }, 1},
      {"a pair that differs", 16,
       [](int l) { return l == 31 ? 256 : l / 2 * 16; }, 4},
      {"128 bits, one lane", 16, [](int l) { return l ? -1 : 0; }, 1},
  };
  for (const Pattern &pattern : patterns)
    EXPECT_EQ(
        costOf(pattern,
               [](const uint64_t *a, uint32_t mask, unsigned bytes) {
                 return sharedCost(a, mask, bytes, Traffic::Load).wavefronts;
               }),
        pattern.expected)
        << pattern.what;
}

TEST(Wavefronts, SectorsAreSharedByLanes) {
  const Pattern patterns[] = {
      {"side by side", 4, [](int l) { return 4 * l; }, 4},
      {"not aligned", 4, [](int l) { return 4 * l + 16; }, 5},
      {"one word for all", 4, [](int) { return 0; }, 1},
      {"a line a lane", 4, [](int l) { return 128 * l; }, 32},
      {"128 bits side by side", 16, [](int l) { return 16 * l; }, 16},
      {"half of the lanes", 4, [](int l) { return l < 16 ? 4 * l : -1; }, 2},
      {"halves of sectors, 16 lanes apart", 16,
       [](int l) { return l % 16 * 128 + l / 16 * 16; }, 16},
  };
  for (const Pattern &pattern : patterns)
    EXPECT_EQ(costOf(pattern,
                     [](const uint64_t *a, uint32_t mask, unsigned bytes) {
                       return globalCost(a, mask, bytes, Traffic::Load).sectors;
                     }),
              pattern.expected)
        << pattern.what;
}

TEST(Wavefronts, WavefrontsAreThoseOfAnH200) {
  for (const MeasuredPattern &pattern : measuredPatterns) {
    uint64_t addresses[32];
    for (int lane = 0; lane < 32; ++lane)
      addresses[lane] = uint64_t(pattern.places[lane]) * pattern.bytes;
    Traffic traffic = pattern.isStore ? Traffic::Store : Traffic::Load;
    EXPECT_EQ(sharedCost(addresses, ~0u, pattern.bytes, traffic).wavefronts,
              pattern.wavefronts)
        << "pattern " << &pattern - measuredPatterns;
  }
}

// Measured on an H200 (sectors.csv of throughput.sh).
TEST(Wavefronts, StoresJoinNoParts) {
  auto wavefronts = [](const uint64_t *a, uint32_t mask, unsigned bytes) {
    return sharedCost(a, mask, bytes, Traffic::Store).wavefronts;
  };
  EXPECT_EQ(costOf({"", 16, [](int) { return 0; }, 0}, wavefronts), 4u);
  EXPECT_EQ(costOf({"", 8, [](int) { return 0; }, 0}, wavefronts), 2u);
}

TEST(Wavefronts, GlobalMemoryTakesALineAWavefront) {
  auto wavefronts = [](const uint64_t *a, uint32_t mask, unsigned bytes) {
    return globalCost(a, mask, bytes, Traffic::Load).wavefronts;
  };
  auto atomic = [](const uint64_t *a, uint32_t mask, unsigned bytes) {
    return globalCost(a, mask, bytes, Traffic::Atomic).sectors;
  };
  EXPECT_EQ(costOf({"", 4, [](int l) { return 32 * l; }, 0}, wavefronts), 8u);
  EXPECT_EQ(costOf({"", 8, [](int l) { return 8 * l; }, 0}, wavefronts), 2u);
  EXPECT_EQ(costOf({"", 16, [](int) { return 0; }, 0}, wavefronts), 4u);
  EXPECT_EQ(costOf({"", 4, [](int) { return 0; }, 0}, atomic), 32u);
  EXPECT_EQ(costOf({"", 4, [](int l) { return 4 * l; }, 0}, atomic), 4u);
}

TEST(Wavefronts, CopiesFetchASectorOnceAPlace) {
  struct Case {
    std::function<int64_t(int)> place;
    unsigned expected;
  };
  const Case cases[] = {
      {[](int l) { return 16 * l; }, 16},
      {[](int l) { return 16 * (l ^ 1); }, 16},
      {[](int l) { return l / 8 * 128 + (l % 8 ^ l / 8) * 16; }, 16}, // swizzle
      {[](int l) { return l % 8 * 2064 + l / 8 * 16; }, 32},
      {[](int l) { return 128 * l; }, 32},
      {[](int l) { return l / 2 * 128 + l % 2 * 16; }, 16},
      {[](int l) { return l / 2 % 4 * 2064 + l / 8 * 32 + l % 2 * 16; }, 24},
  };
  uint64_t from[32], to[32];
  for (const Case &c : cases) {
    for (int l = 0; l < 32; ++l) {
      from[l] = 4096 + static_cast<uint64_t>(16 * l);
      to[l] = static_cast<uint64_t>(c.place(l));
    }
    EXPECT_EQ(copySectors(from, to, ~0u), c.expected);
  }
}

} // namespace
