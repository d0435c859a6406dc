// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every atom and operator against the formula of the language page, pair by
// pair, with queries before the first key and after the last.

#include "fovea/Reference/Reference.h"

#include "TestTensor.h"

#include <algorithm>
#include <functional>

using namespace fovea::pattern;
using namespace fovea::reference;

namespace {
struct Position {
  int64_t q, k, h, g;
};
using Formula = std::function<bool(Position)>;
} // namespace

static void check(const std::string &mask, const Formula &formula) {
  for (const char *align : {"end", "start"}) {
    Pattern p = parse(std::string("heads q = 4, kv = 2 dim 1 align ") + align +
                      " mask " + mask);
    for (auto [nq, nk] : {std::pair{9, 9}, {12, 5}, {4, 13}})
      for (int64_t h = 0; h < 4; ++h)
        for (int64_t i = 0; i < nq; ++i)
          for (int64_t j = 0; j < nk; ++j) {
            int64_t q = p.align == Align::End ? i + nk - nq : i;
            ASSERT_EQ(keeps(p, {}, {0, h, i, j, nq, nk}),
                      formula({q, j, h, h / 2}))
                << mask << " q = " << q << " k = " << j << " h = " << h;
          }
  }
}

TEST(Keeps, AtomsFollowThePage) {
  check("all", [](Position) { return true; });
  check("none", [](Position) { return false; });
  check("causal", [](Position p) { return p.k <= p.q; });
  check("window(3, 1)",
        [](Position p) { return p.q - 3 <= p.k && p.k <= p.q + 1; });
  check("window(2)",
        [](Position p) { return p.q - 2 <= p.k && p.k <= p.q + 2; });
  check("window(inf, 0)", [](Position p) { return p.k <= p.q; });
  check("window(0, inf)", [](Position p) { return p.k >= p.q; });
  check("window(0 - 2, 4)",
        [](Position p) { return p.q + 2 <= p.k && p.k <= p.q + 4; });
  check("dilated(5, 4, 3)", [](Position p) {
    return p.q - 5 <= p.k && p.k <= p.q + 4 && std::abs(p.q - p.k) % 3 == 0;
  });
  check("global(2)", [](Position p) { return p.q < 2 || p.k < 2; });
  check("sink(3)", [](Position p) { return p.k < 3; });
  check("prefix(4)", [](Position p) { return p.k < 4 || p.k <= p.q; });
  check("(q / 3 == k / 3)", [](Position p) {
    auto block = [](int64_t x) { return x < 0 ? (x - 2) / 3 : x / 3; };
    return block(p.q) == block(p.k);
  });
  check("(h < g + 1)", [](Position p) { return p.h < p.g + 1; });
}

TEST(Keeps, OperatorsFollowThePage) {
  auto a = [](Position p) { return p.k <= p.q; };
  auto b = [](Position p) { return p.k < 3; };
  auto c = [](Position p) { return p.k % 2 == 0; };
  check("causal & sink(3)", [&](Position p) { return a(p) && b(p); });
  check("causal | sink(3)", [&](Position p) { return a(p) || b(p); });
  check("causal ^ sink(3)", [&](Position p) { return a(p) != b(p); });
  check("~causal", [&](Position p) { return !a(p); });
  check("causal ^ sink(3) ^ (k % 2 == 0)",
        [&](Position p) { return (a(p) != b(p)) != c(p); });
  check("~causal & sink(3) | (k % 2 == 0)",
        [&](Position p) { return (!a(p) && b(p)) || c(p); });
}

/// Floyd's draw as the page words it.
static bool drawn(int64_t n, int64_t m, int64_t seed, int64_t who, int64_t row,
                  int64_t block) {
  std::vector<int64_t> blocks;
  for (int64_t t = 0; t < n; ++t) {
    uint64_t word = mix(mix(mix(seed + who) + row) + t);
    int64_t top = m - n + t;
    auto x = int64_t(static_cast<unsigned __int128>(word) * (top + 1) >> 64);
    blocks.push_back(std::count(blocks.begin(), blocks.end(), x) ? top : x);
  }
  return std::count(blocks.begin(), blocks.end(), block) != 0;
}

TEST(Keeps, RandomDrawsBlocks) {
  // One query row of block 2 and 11 keys in blocks of 2: M = 6.
  for (auto [per, h] : {std::pair{"h", 3}, {"g", 3}, {"none", 3}}) {
    Pattern p = parse(std::string("heads q = 4, kv = 2 dim 1 align start mask "
                                  "random(2, block = 2, seed = 5, per = ") +
                      per + ")");
    int64_t who = *per == 'h' ? h : *per == 'g' ? h / 2 : 0;
    int64_t kept = 0;
    for (int64_t j = 0; j < 11; ++j) {
      bool keep = keeps(p, {}, {0, h, 5, j, 11, 11});
      EXPECT_EQ(keep, drawn(2, 6, 5, who, 2, j / 2)) << per << j;
      kept += keep;
    }
    EXPECT_TRUE(kept == 4 || kept == 3); // the last block holds one key
  }
}

TEST(Keeps, CausalRandomDrawsFromThePast) {
  Pattern p =
      parse("heads 1 dim 1 mask random(2, block = 4, seed = 1, causal)");
  for (int64_t i = 0; i < 40; ++i)
    for (int64_t j = 0; j < 40; ++j) {
      int64_t m = i / 4 + 1;
      bool expected =
          m <= 2 ? j / 4 < m : j / 4 < m && drawn(2, m, 1, 0, i / 4, j / 4);
      EXPECT_EQ(keeps(p, {}, {0, 0, i, j, 40, 40}), expected) << i << " " << j;
      // Decoding draws what prefill drew.
      EXPECT_EQ(keeps(p, {}, {0, 0, 0, j, 1, i + 1}) && j <= i,
                expected && j <= i);
    }
  // Queries before the first key have no past.
  EXPECT_FALSE(keeps(p, {}, {0, 0, 0, 0, 9, 2}));
}

TEST(Keeps, RandomCountsAtTheEdges) {
  auto keptBy = [](const char *count) {
    Pattern p = parse(std::string("heads 1 dim 1 mask random(") + count +
                      ", block = 3, seed = 9)");
    int64_t kept = 0;
    for (int64_t j = 0; j < 9; ++j)
      kept += keeps(p, {}, {0, 0, 4, j, 9, 9});
    return kept;
  };
  EXPECT_EQ(keptBy("0"), 0);
  EXPECT_EQ(keptBy("0 - 4"), 0);
  EXPECT_EQ(keptBy("1"), 3);
  EXPECT_EQ(keptBy("2"), 6);
  EXPECT_EQ(keptBy("3"), 9);
  EXPECT_EQ(keptBy("nk"), 9);
}
