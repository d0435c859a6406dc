// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is built equals what is parsed, and is checked like it.

#include "fovea/Pattern/Builder.h"

#include "PatternTest.h"

#include <limits>

using namespace fovea::pattern;
using namespace fovea::pattern::build;

static PatternBuilder base() {
  PatternBuilder builder("t");
  builder.heads(4, 2).dim(8).type(ElementType::F32);
  return builder;
}

static std::string error(const ParseResult &result) {
  if (result)
    return "no error";
  EXPECT_FALSE(result.diagnostics.at(0).loc.isValid());
  return result.diagnostics.at(0).message;
}

TEST(Builder, EqualsTheText) {
  ParseResult built =
      PatternBuilder("local")
          .heads(9, 3)
          .dim(64, 32)
          .type(ElementType::BF16)
          .align(Align::Start)
          .intParam("w", -256)
          .floatParam("c")
          .scale(param("c") / sqrt(Expr(64)))
          .mask((causal() & window(param("w"), 0)) | global(4) |
                dilated(inf(), 8, 2) |
                random(3, {.block = 64, .seed = 7, .causal = true}))
          .score(softcap(s(), 30.0) + alibi())
          .build();
  ParseResult parsed = parsePattern(
      "pattern local { heads q = 9, kv = 3 dim qk = 64, v = 32 type bf16 "
      "align start param w : int = -256 param c : float scale c / sqrt(64) "
      "mask causal & window(w, 0) | global(4) | dilated(inf, 8, 2) | "
      "random(3, block = 64, seed = 7, causal) "
      "score softcap(s, 30.0) + alibi }",
      "t");
  ASSERT_TRUE(built) << error(built);
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(*built.pattern == *parsed.pattern);
  EXPECT_EQ(built.pattern->requirements.size(), 1u);
}

TEST(Builder, EveryExpressionEqualsItsText) {
  auto same = [](PatternBuilder built, const char *text) {
    ParseResult result = built.build();
    ASSERT_TRUE(result) << text << ": " << error(result);
    EXPECT_TRUE(*result.pattern == good(text)) << text;
  };
  same(base().mask(all() ^ none() | ~sink(1) & prefix(2)),
       "mask all ^ none | ~sink(1) & prefix(2)");
  same(base().mask(q() / 64 == k() / 64), "mask (q / 64 == k / 64)");
  same(base().mask(q() - (k() - 1) != b() % 3), "mask (q - (k - 1) != b % 3)");
  same(base().mask(min(h(), g()) < max(nq(), -nk())),
       "mask (min(h, g) < max(nq, -nk))");
  same(base().mask((abs(q()) > -7) & (q() <= k()) & (q() >= k())),
       "mask (abs(q) > -7) & (q <= k) & (q >= k)");
  same(base().mask(window(3)), "mask window(3)");
  same(base().mask(random(2, {.block = 3, .seed = -1, .per = RandomPer::None})),
       "mask random(2, block = 3, seed = -1, per = none)");
  same(base().score(exp(s()) + exp2(s()) * log(s()) - log2(s()) / tanh(s())),
       "score exp(s) + exp2(s) * log(s) - log2(s) / tanh(s)");
  same(base().score(select(s() > 0.5, -s(), select(causal(), 1, -2.5))),
       "score select(s > 0.5, -s, select(causal, 1, -2.5))");
  same(base().mask(q() > INT64_MIN), "mask (q > -9223372036854775808)");
}

TEST(Builder, MistakesAreReportedWithoutALocation) {
  EXPECT_EQ(error(PatternBuilder("t").dim(8).type(ElementType::F32).build()),
            "expected a 'heads' statement in pattern 't', found none");
  EXPECT_EQ(error(base().mask(window(-1)).build()),
            "expected a bound of at least 0, found -1");
  EXPECT_EQ(error(base().mask(window(param("w"))).build()),
            "expected an integer expression, found 'w'");
  EXPECT_EQ(error(base().intParam("").build()),
            "expected a name for the param of letters, digits and '_', at most "
            "255, found ''");
  EXPECT_EQ(error(base().intParam("a b").build()),
            "expected a name for the param of letters, digits and '_', at most "
            "255, found 'a b'");
  EXPECT_EQ(error(base().intParam("nk").build()),
            "expected a name for the param, found the reserved word 'nk'");
  EXPECT_EQ(
      error(
          base().score(s() * std::numeric_limits<double>::infinity()).build()),
      "expected a finite number, found inf");
  EXPECT_EQ(error(base()
                      .floatParam("c", std::numeric_limits<float>::quiet_NaN())
                      .build()),
            "expected a finite number, found nan");
  EXPECT_EQ(
      error(
          PatternBuilder("t").heads(-4).dim(8).type(ElementType::F32).build()),
      "expected a number of heads from 1 to 1048576, found the integer -4");
}

TEST(Builder, DeepTreesAreAnErrorAndLongChainsAreNot) {
  Mask deep = causal(), wide = causal();
  Expr score = s();
  for (int i = 0; i < 20000; ++i) {
    deep = ~std::move(deep);
    score = exp(std::move(score));
    wide = std::move(wide) | sink(i);
  }
  const char *message = "expected at most 256 levels of nesting, found more";
  EXPECT_EQ(error(base().mask(deep).build()), message);
  EXPECT_EQ(error(base().score(score).build()), message);
  EXPECT_EQ(base().mask(wide).build().pattern->mask->operands.size(), 20001u);
}
