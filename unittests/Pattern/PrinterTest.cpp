// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Printing and reading back: parse(print(p)) == p, and the canonical form
// itself.

#include "fovea/Pattern/Printer.h"

#include "PatternTest.h"

using namespace fovea::pattern;

TEST(Printer, CanonicalForm) {
  ParseResult result = parsePattern(
      "pattern big{type bf16 dim 128 heads q=32,kv=8 param w:int=192\n"
      "score (s+(alibi)) mask window(w,w)|global(128)|"
      "random(3,seed=7,block=64,per=h) align start param c : float = 3 }",
      "t");
  ASSERT_TRUE(result);
  EXPECT_EQ(print(*result.pattern),
            "pattern big {\n"
            "  heads q = 32, kv = 8\n"
            "  dim 128\n"
            "  type bf16\n"
            "  align start\n"
            "  param w : int = 192\n"
            "  param c : float = 3.0\n"
            "  mask window(w) | global(128) | random(3, block = 64, seed = 7)\n"
            "  score s + alibi\n"
            "}\n");
}

TEST(Printer, FloatsAreShortAndHaveAPoint) {
  auto text = [](const char *number) {
    return print(*good("scale " + std::string(number)).scale, {});
  };
  EXPECT_EQ(text("0.1"), "0.1");
  EXPECT_EQ(text("8"), "8.0");
  EXPECT_EQ(text("1.0e-20"), "1.0e-20");
  EXPECT_EQ(text("3.0e+30"), "3.0e+30");
  EXPECT_EQ(text("-2.50"), "-2.5");
  EXPECT_EQ(text("16777217"), "16777216.0"); // rounded to f32
}

TEST(Printer, RoundTrips) {
  const char *bodies[] = {
      "",
      "align start",
      "mask causal & ~window(3, inf) ^ (q / 64 == k / 64) | sink(4)",
      "mask (causal | all) & (none ^ all) & ~(causal & all)",
      "mask ~~causal ^ ~(q - (k - 1) != 3 * (q + -2))",
      "mask ((q * 2) / 3 % 4 - -5 + (1 - 2) >= -(q + 1))",
      "mask (q - -9223372036854775808 < min(k, max(h, abs(g - b))))",
      "mask (q / (2 * (h + 1)) * (k * 3) == (q / 2) * 3)",
      "param w : int = -3 param s0 : int mask window(w) | window(w, 0) | "
      "dilated(inf, 7, 3) | prefix(nq - nk) | global(w)",
      "param n : int mask random(n, block = 5, seed = n - 1, per = none, "
      "causal)"
      " | random(1, block = 1, seed = -1, per = g)",
      "param c : float = -1.5e-7 scale c / -sqrt(2) score -s * -2.0 - -c",
      "score softcap(s, 30.0) + alibi - (q - k) / (nq * nk)",
      "score s - (s - (s - 1)) / (2 / (3 / s))",
      "score min(max(exp(s), exp2(s)), abs(log(s)) + log2(s) * tanh(s))",
      "score select(causal & (q < k), select(q < k, s, 1), select(s < 1, s, "
      "k))",
      "score select(s + 1 >= q / 2.0, -s, --s)",
      "score select(~causal | window(2, 3), s * 1.0e-30, 12345678.9)",
      "param p : int scale min(p, 3) / sqrt(abs(p))",
  };
  for (const char *body : bodies) {
    Pattern first = good(body);
    std::string text = print(first);
    ParseResult second = parsePattern(text, "printed");
    ASSERT_TRUE(second) << text << firstError(text);
    EXPECT_TRUE(*second.pattern == first) << body << "\n" << text;
    EXPECT_EQ(print(*second.pattern), text);
  }
}

TEST(Printer, EqualityIsNotTrivial) {
  EXPECT_FALSE(good("mask window(3, 4)") == good("mask window(4, 3)"));
  EXPECT_FALSE(good("score s - 1") == good("score s + 1"));
  EXPECT_FALSE(good("mask (q < k)") == good("mask (q <= k)"));
  EXPECT_FALSE(good("align end") == good("align start"));
  EXPECT_TRUE(good("mask   causal") == good("mask causal"));
}
