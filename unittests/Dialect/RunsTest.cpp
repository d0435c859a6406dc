// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The key-range analysis by brute force, on lengths small enough to look at
// every pair. For every run: nothing that a row keeps is called empty, nothing
// that a row drops is called full, and the answer holds until its end. For
// every pair: the predicate is the language's.
#include "MaskKernel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

using namespace fovea;

namespace {

/// A mask and the values of its int params.
struct Mask {
  std::string statements;
  std::vector<int64_t> params = {};
};

std::ostream &operator<<(std::ostream &os, const Mask &mask) {
  os << mask.statements;
  for (int64_t value : mask.params)
    os << " [" << value << "]";
  return os;
}

/// Keys at which a run promised less than is true.
struct Slack {
  int64_t any = 0; ///< called not empty, but no row keeps the key
  int64_t all = 0; ///< called not full, but every row keeps the key
};

/// Checks every run and pair of the entered tile.
void checkTile(MaskKernel &kernel, Lengths lengths, int64_t row, Slack &slack) {
  int64_t nk = lengths.keys;
  std::vector<bool> any(nk, false), all(nk, true);
  for (int64_t i = row; i <= kernel.lastRow; ++i)
    for (int64_t j = 0; j < nk; ++j) {
      bool kept = kernel.expected(i, j);
      any[j] = any[j] || kept;
      all[j] = all[j] && kept;
      ASSERT_EQ(kernel.keeps(i, j), kept) << "row " << i << ", key " << j;
    }
  std::vector<MaskKernel::Run> runs;
  for (int64_t j = 0; j < nk; ++j)
    runs.push_back(kernel.runAt(j));
  for (int64_t j = 0; j < nk; ++j) {
    SCOPED_TRACE("run at key " + std::to_string(j));
    const MaskKernel::Run &run = runs[j];
    ASSERT_GT(run.until, j);
    ASSERT_TRUE(run.any || !any[j]) << "a kept key is called empty";
    ASSERT_TRUE(!run.all || all[j]) << "a dropped key is called full";
    for (int64_t k = j; k < std::min(run.until, nk); ++k)
      ASSERT_TRUE(runs[k].any == run.any && runs[k].all == run.all)
          << "the answer changes at " << k << ", before " << run.until;
    slack.any += run.any && !any[j];
    slack.all += !run.all && all[j];
  }
}

constexpr Lengths shapes[] = {{1, 1},  {1, 23}, {23, 1},  {7, 7},  {24, 24},
                              {5, 24}, {24, 5}, {13, 17}, {17, 13}};

Slack check(const Mask &mask,
            std::initializer_list<int64_t> tileRows = {1, 3, 8}) {
  Slack slack;
  for (const char *align : {"end", "start"})
    for (int64_t rows : tileRows) {
      MaskKernel kernel("align " + std::string(align) + " " + mask.statements,
                        rows, 4, mask.params);
      for (Lengths lengths : shapes)
        for (int64_t row = 0; row < lengths.queries; row += rows) {
          testing::ScopedTrace trace(
              __FILE__, __LINE__,
              testing::Message() << mask << ", align " << align << ", lengths "
                                 << lengths.queries << " x " << lengths.keys
                                 << ", rows " << row << " of " << rows);
          kernel.enter(lengths, row, row % 4);
          checkTile(kernel, lengths, row, slack);
          if (testing::Test::HasFatalFailure())
            return slack;
        }
    }
  return slack;
}

//===----------------------------------------------------------------------===//
// Atoms: sound and tight
//===----------------------------------------------------------------------===//

const char two[] = "param x : int param y : int ";

std::vector<Mask> atoms() {
  std::vector<Mask> list = {
      {"mask all"},
      {"mask none"},
      {"mask causal"},
      {"mask window(0)"},
      {"mask window(3, 2)"},
      {"mask window(inf, 2)"},
      {"mask window(5, inf)"},
      {"mask window(nk / 3, nq / 4)"},
      {"mask dilated(4, 4, 2)"},
      {"mask dilated(7, 5, 3)"},
      {"mask dilated(inf, inf, 5)"},
      {"mask dilated(9, inf, 30)"},
      {"mask dilated(6, 6, 1)"},
      {"mask global(0)"},
      {"mask global(5)"},
      {"mask sink(0)"},
      {"mask sink(6)"},
      {"mask prefix(4)"},
      {"mask random(1, block = 1, seed = 1)"},
      {"mask random(2, block = 3, seed = 2)"},
      {"mask random(2, block = 8, seed = 3, per = g)"},
      {"mask random(0, block = 4, seed = 4)"},
      {"mask random(30, block = 4, seed = 5)"},
      {"mask random(2, block = 4, seed = 6, causal)"},
      {"mask random(1, block = 100, seed = 7, causal, per = none)"},
      {"mask random(9, block = 2, seed = 8, causal)"},
  };
  // Bounds of every sign and size.
  const int64_t extremes[] = {INT64_MIN, INT64_MIN + 1, -(1 << 30), -7, -1, 0,
                              3,         1 << 30,       INT64_MAX};
  for (int64_t a : extremes) {
    for (int64_t b :
         {int64_t(INT64_MIN), int64_t(-2), int64_t(4), int64_t(INT64_MAX)})
      list.push_back({two + std::string("mask window(x, y)"), {a, b}});
    list.push_back({"param n : int mask global(n)", {a}});
    list.push_back({"param n : int mask sink(n)", {a}});
    list.push_back({"param n : int mask prefix(n)", {a}});
    list.push_back({"param n : int mask random(n, block = 3, seed = 9)", {a}});
    list.push_back(
        {"param n : int mask random(n, block = 3, seed = n, causal)", {a}});
    for (int64_t step : {int64_t(1), int64_t(4), int64_t(INT64_MAX)})
      list.push_back({two + std::string("mask dilated(x, 9, y)"), {a, step}});
  }
  return list;
}

TEST(Runs, AtomsAreSoundAndTight) {
  for (const Mask &mask : atoms()) {
    Slack slack = check(mask);
    if (HasFatalFailure())
      return;
    EXPECT_EQ(slack.any, 0) << mask;
    EXPECT_EQ(slack.all, 0) << mask;
  }
}

//===----------------------------------------------------------------------===//
// Comparisons
//===----------------------------------------------------------------------===//

const char *const predicates[] = {"==", "!=", "<", "<=", ">", ">="};

TEST(Runs, ComparisonsThatAreAtomsAreTight) {
  for (const char *predicate : predicates) {
    auto compare = [&](std::string lhs, std::string rhs) {
      return "mask (" + lhs + " " + predicate + " " + rhs + ")";
    };
    std::vector<Mask> list = {{compare("q", "k")},
                              {compare("k", "q")},
                              {compare("q - k", "3")},
                              {compare("k - q", "2")},
                              {compare("5", "q - k")},
                              {compare("k", "6")},
                              {compare("q", "4")},
                              {compare("4", "q")},
                              {compare("q - k", "-2")},
                              {compare("nq", "nk")},
                              {compare("k", "q + 3")},
                              {compare("q - 2", "k + 1")},
                              {compare("-q", "-5")},
                              {compare("q / 4", "k / 4")},
                              {compare("q / 5 - k / 5", "2")},
                              {compare("k / 3", "q / 3 + 1")},
                              {compare("k / 3", "2")},
                              {compare("1", "q / 7")},
                              {compare("q / 1", "k")},
                              {compare("abs(q - k)", "3")},
                              {compare("2", "abs(k / 4 - q / 4)")},

                              {compare("k / 1000", "q / 1000")}};
    for (int64_t a :
         {int64_t(INT64_MIN), int64_t(-1), int64_t(3), int64_t(INT64_MAX)})
      for (const char *lhs : {"q - k", "k - q", "q", "k", "-q", "q / 3 - k / 3",
                              "k / 5", "q / 5", "k - q + 9"})
        list.push_back({"param x : int " + compare(lhs, "x"), {a}});
    for (const Mask &mask : list) {
      Slack slack = check(mask, {3});
      if (HasFatalFailure())
        return;
      EXPECT_EQ(slack.any, 0) << mask;
      EXPECT_EQ(slack.all, 0) << mask;
    }
  }
}

TEST(Runs, ShiftedComparisonsAreTight) {
  for (const char *predicate : predicates)
    for (int64_t w :
         {int64_t(INT64_MIN), int64_t(INT64_MIN + 5), int64_t(-4), int64_t(0),
          int64_t(3), int64_t(INT64_MAX - 7), int64_t(INT64_MAX)})
      for (const char *sides :
           {"k ? q + w", "q - w ? k", "w + k ? q", "q ? k - w"}) {
        std::string compare = sides;
        compare.replace(compare.find('?'), 1, predicate);
        Mask mask{"param w : int mask (" + compare + ")", {w}};
        Slack slack = check(mask, {3});
        if (HasFatalFailure())
          return;
        bool huge = w > 99 || w < -99; // two unions may hide an equality
        EXPECT_TRUE(huge || slack.any == 0) << mask << ": " << slack.any;
        EXPECT_TRUE(huge || slack.all == 0) << mask << ": " << slack.all;
      }
}

TEST(Runs, OtherComparisonsAreSound) {
  for (std::string mask :
       {"(q * k < 30)", "(q / 3 == k / 4)", "(q / 3 - k == 1)", "(q / -3 < k)",
        "((q + k) % 3 == 0)", "((q - k) % 3 != 0)", "(0 == (k - q) % 4)",
        "((q - k) % -4 == 0)", "(abs(q - k) - 1 <= 4)", "(abs(q) <= 4)",
        "(abs(q - k) < abs(k))", "(min(q, 9) > max(k, 3))",
        "(q * 1000000007 % 7 == k)", "(-q <= k)", "(q + k > 12)", "(h < 2)",
        "(h == g * 2)"})
    ASSERT_NO_FATAL_FAILURE(check({"mask " + mask}, {1, 8})) << mask;
}

//===----------------------------------------------------------------------===//
// Compositions
//===----------------------------------------------------------------------===//

TEST(Runs, CommonCompositionsAreTight) {
  for (Mask mask : std::vector<Mask>{
           {"mask causal & window(3, 8)"},
           {"mask causal & ~window(3, 1)"},
           {"mask causal & (window(3, 0) | sink(2))"},
           {"mask causal & (window(3, 0) | global(5))"},
           {"mask ~window(3, 2)"},
           {"mask ~causal"},
           {"mask ~prefix(5)"},
           {"mask ~global(5)"},
           {"mask causal & ~global(5)"},
           {"mask causal & ~sink(3)"},
           {"mask causal | window(0, 3)"},
           {"mask window(4, 1) | window(1, 4)"},
           {"mask window(7) & ~window(3)"},
           {"mask ~window(2) & ~window(4, 1)"},
           {"mask window(5, 5) ^ window(2, 2)"},
           {"mask causal ^ window(2, 2)"},
           {"mask prefix(6) & window(7, inf)"},
           {"mask prefix(6) & ~sink(2)"},
           {"mask (q / 4 == k / 4) & causal"},
           {"mask ~(q / 4 == k / 4)"},
           {"mask (q / 4 - k / 4 <= 1) & (k / 4 <= q / 4)"},
           {"mask causal & (q / 4 - k / 4 <= 1)"},
       }) {
    Slack slack = check(mask);
    if (HasFatalFailure())
      return;
    EXPECT_EQ(slack.any, 0) << mask;
    EXPECT_EQ(slack.all, 0) << mask;
  }
}

/// Draws a mask of the given depth.
std::string draw(std::mt19937_64 &random, int depth) {
  auto upTo = [&](int n) { return static_cast<int>(random() % (n + 1)); };
  auto number = [&](int n) { return std::to_string(upTo(n)); };
  if (depth > 0 && upTo(4) > 0) {
    const char *operators[] = {" & ", " | ", " ^ "};
    if (upTo(3) == 0)
      return "~" + draw(random, depth - 1);
    return "(" + draw(random, depth - 1) + operators[upTo(2)] +
           draw(random, depth - 1) + ")";
  }
  switch (upTo(9)) {
  case 0:
    return "causal";
  case 1:
  case 2:
    return "window(" + number(9) + ", " + number(9) + ")";
  case 3:
    return "dilated(" + number(12) + ", inf, " + std::to_string(1 + upTo(4)) +
           ")";
  case 4:
    return "global(" + number(9) + ")";
  case 5:
    return "sink(" + number(9) + ")";
  case 6:
    return "prefix(" + number(9) + ")";
  case 7:
    return "random(" + number(3) + ", block = " + std::to_string(1 + upTo(5)) +
           ", seed = " + number(99) + (upTo(1) ? ", causal)" : ")");
  case 8:
    return "(q - k < " + number(9) + ")";
  default:
    return "(q / 4 == k / 4)";
  }
}

TEST(Runs, RandomCompositionsAreSound) {
  std::mt19937_64 random(20261125);
  for (int trial = 0; trial < 150; ++trial) {
    Mask mask{"mask " + draw(random, 3)};
    ASSERT_NO_FATAL_FAILURE(check(mask, {trial % 2 ? 3 : 8})) << mask;
  }
}

} // namespace
