// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the walk makes of a mask: how many key tiles are visited for each that
// holds a kept pair, and how many are masked for each that is truly partial.
#include "MaskKernel.h"

#include <gtest/gtest.h>

#include <cstdio>

using namespace fovea;

namespace {

struct Tally {
  int64_t visited = 0; ///< tiles that the walk visits
  int64_t needed = 0;  ///< tiles with a kept pair
  int64_t masked = 0;  ///< tiles for which the walk asks for the mask
  int64_t partial = 0; ///< tiles with a dropped pair, columns past the end too
  int64_t ragged = 0;  ///< of these, tiles that only pass the end
};

struct TileTruth {
  bool any = false, all = true;
};

TileTruth truth(MaskKernel &kernel, Lengths lengths, int64_t row,
                int64_t column) {
  TileTruth tile;
  int64_t end = std::min(column + kernel.keys, lengths.keys);
  for (int64_t i = row; i <= kernel.lastRow; ++i)
    for (int64_t j = column; j < end; ++j) {
      bool kept = kernel.expected(i, j);
      tile.any |= kept;
      tile.all &= kept;
      if (tile.any && !tile.all)
        return tile;
    }
  return tile;
}

/// Walks every query tile of head 1 and compares with every pair.
Tally tally(MaskKernel &kernel, Lengths lengths) {
  Tally sum;
  for (int64_t row = 0; row < lengths.queries; row += kernel.rows) {
    kernel.enter(lengths, row, 1);
    MaskKernel::Next next = kernel.next(0);
    for (int64_t column = 0; column < lengths.keys; column += kernel.keys) {
      TileTruth tile = truth(kernel, lengths, row, column);
      bool ragged = column + kernel.keys > lengths.keys;
      bool visited = next.column == column;
      EXPECT_GE(next.column, column);
      EXPECT_TRUE(visited || !tile.any) << "tile " << row << ", " << column;
      sum.needed += tile.any;
      sum.partial += tile.any && (!tile.all || ragged);
      sum.ragged += tile.any && tile.all && ragged;
      if (!visited)
        continue;
      EXPECT_TRUE(next.masked || (tile.all && !ragged));
      ++sum.visited;
      sum.masked += next.masked;
      next = kernel.next(column + kernel.keys);
    }
    EXPECT_GE(next.column, lengths.keys);
  }
  return sum;
}

struct Case {
  const char *mask;
  /// Masked tiles that are full, at most, for each of the shapes below.
  int64_t slack = 0;
};

/// Every mask visits exactly the tiles it must. Rows of two drawn blocks in one
/// query tile (nq - nk no multiple of the block) may keep a key for different
/// reasons, which Kleene's logic calls partial.
const Case cases[] = {
    {"causal"},
    {"window(100, 28)"},
    {"causal & window(255, 0)"},
    {"causal & (window(127, 0) | sink(4))"},
    {"window(192, 192) | global(128)"},
    {"causal & (window(200, 0) | global(100))"},
    {"window(192, 192) | global(128) | random(3, block = 64, seed = 7)", 1},
    {"causal & (window(128, 0) | random(2, block = 64, seed = 7, causal))", 2},
    {"prefix(100)"},
    {"causal & ~window(128, 0)"},
    {"dilated(512, 512, 128)"},
    {"(q / 100 == k / 100)"},
    {"causal & (q / 128 - k / 128 <= 1)"},
};

std::string statements(const Case &test, const char *align) {
  return "align " + std::string(align) + " mask " + test.mask;
}

TEST(Tiles, VisitedAndMaskedAreExact) {
  for (const Case &test : cases)
    for (const char *align : {"end", "start"}) {
      MaskKernel kernel(statements(test, align), 64, 64);
      for (Lengths lengths : {Lengths{1000, 1000}, Lengths{300, 1000},
                              Lengths{1000, 300}, Lengths{1, 1000}}) {
        Tally sum = tally(kernel, lengths);
        testing::ScopedTrace trace(
            __FILE__, __LINE__,
            testing::Message() << test.mask << ", align " << align << ", "
                               << lengths.queries << " x " << lengths.keys);
        EXPECT_EQ(sum.visited, sum.needed);
        EXPECT_LE(sum.masked, sum.partial + test.slack);
      }
    }
}

// The figures of docs/key-ranges.md: run with
//   AttnTests --gtest_also_run_disabled_tests --gtest_filter='*Report*'
TEST(Tiles, DISABLED_Report) {
  for (const Case &test : cases) {
    MaskKernel kernel(statements(test, "end"), 64, 64);
    for (Lengths lengths :
         {Lengths{1000, 1000}, Lengths{4096, 4096}, Lengths{300, 1000}}) {
      Tally sum = tally(kernel, lengths);
      std::printf("| `%s` | %ld x %ld | %ld / %ld | %ld / %ld | %ld |\n",
                  test.mask, lengths.queries, lengths.keys, sum.visited,
                  sum.needed, sum.masked, sum.partial, sum.ragged);
    }
  }
}

} // namespace
