// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The grammar: what is accepted, how it groups, where it stops.

#include "PatternTest.h"
#include "fovea/Pattern/Printer.h"

using namespace fovea::pattern;

static std::string maskText(std::string_view mask) {
  Pattern p = good("mask " + std::string(mask));
  return p.mask ? print(*p.mask, p.params) : "";
}

static std::string repeat(std::string_view text, size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  for (size_t i = 0; i < times; ++i)
    out += text;
  return out;
}

TEST(Parser, StatementsInAnyOrderOnOneLine) {
  ParseResult result = parsePattern(
      "pattern t{score s type bf16 mask causal dim v=4,qk=8 heads kv=1,q=3}",
      "t");
  ASSERT_TRUE(result);
  EXPECT_EQ(result.pattern->queryHeads, 3);
  EXPECT_EQ(result.pattern->kvHeads, 1);
  EXPECT_EQ(result.pattern->qkDim, 8);
  EXPECT_EQ(result.pattern->vDim, 4);
  EXPECT_EQ(result.pattern->type, ElementType::BF16);
}

TEST(Parser, OperatorsBindAsThePageSays) {
  EXPECT_EQ(maskText("(all | none) | causal"), "all | none | causal");
  EXPECT_EQ(maskText("all | (none ^ (causal & ~all))"),
            "all | none ^ causal & ~all");
  EXPECT_EQ(maskText("(all | none) & causal"), "(all | none) & causal");
  EXPECT_EQ(maskText("~(all & none)"), "~(all & none)");
  EXPECT_EQ(maskText("~~all"), "~~all");
  EXPECT_EQ(maskText("((q) - (k + 1) < 2*(3+k))"),
            "(q - (k + 1) < 2 * (3 + k))");
  EXPECT_EQ(maskText("(-7 / 2 == k)"), "(-7 / 2 == k)");
  EXPECT_EQ(maskText("(-(q - 1) < - -k)"), "(-(q - 1) < --k)");
}

TEST(Parser, ErrorsNameWhatWasExpected) {
  EXPECT_EQ(firstError("mask causal"), "1:1: expected 'pattern', found 'mask'");
  EXPECT_EQ(firstError("pattern { }"),
            "1:9: expected the pattern's name, found '{'");
  EXPECT_EQ(firstError("pattern t heads"), "1:11: expected '{', found 'heads'");
  EXPECT_EQ(firstError("pattern t { heads 4"),
            "1:20: expected a statement or '}', found the end of the text");
  EXPECT_EQ(firstError("pattern t { } x"),
            "1:15: expected the end of the text after the pattern, found 'x'");
  EXPECT_EQ(bodyError("heds 3"),
            "2:1: expected a statement or '}', found 'heds'");
  EXPECT_EQ(bodyError("mask (causal"), "3:1: expected ')', found '}'");
  EXPECT_EQ(bodyError("mask causal |"),
            "3:1: expected an expression, found '}'");
  EXPECT_EQ(bodyError("mask window(1, )"),
            "2:16: expected an expression, found ')'");
  EXPECT_EQ(bodyError("mask window(1 2)"),
            "2:15: expected ',' or ')', found '2'");
  EXPECT_EQ(bodyError("mask global([1, 2)"),
            "2:18: expected ',' or ']', found ')'");
  EXPECT_EQ(bodyError("mask (q < k < 3)"),
            "2:13: comparisons do not chain: expected one comparison, found "
            "another '<'");
  EXPECT_EQ(bodyError("param x int"), "2:9: expected ':', found 'int'");
  EXPECT_EQ(bodyError("param x : int = y"),
            "2:17: expected a number, found 'y'");
  EXPECT_EQ(bodyError("param : int"),
            "2:7: expected the param's name, found ':'");
  EXPECT_EQ(bodyError("input x : f32"), "3:1: expected '[', found '}'");
  EXPECT_EQ(bodyError("dropout 0.5"), "2:9: expected '(', found '0.5'");
  EXPECT_EQ(firstError("pattern t { heads q }"),
            "1:19: expected an integer, found 'q'");
  EXPECT_EQ(firstError("pattern t { heads -4 }"),
            "1:19: expected an integer, found '-'");
  EXPECT_EQ(firstError("pattern t { type 3 }"),
            "1:18: expected f16, bf16 or f32, found '3'");
}

TEST(Parser, MisspeltStatementGetsAHint) {
  ParseResult result = parseBody("maks causal");
  ASSERT_FALSE(result);
  ASSERT_EQ(result.diagnostics[0].notes.size(), 1u);
  EXPECT_EQ(result.diagnostics[0].notes[0].message, "did you mean 'mask'?");
}

TEST(Parser, NestingEndsAt256) {
  auto parens = [](size_t n) {
    return "mask " + repeat("(", n) + "causal" + repeat(")", n);
  };
  EXPECT_EQ(maskText("(" + parens(255).substr(5) + ")"), "causal");
  EXPECT_EQ(bodyError(parens(257)),
            "2:262: expected at most 256 levels of nesting, found more");
  EXPECT_TRUE(parseBody("mask " + repeat("~", 256) + "causal"));
  EXPECT_EQ(bodyError("mask " + repeat("~", 257) + "causal"),
            "2:262: expected at most 256 levels of nesting, found more");
  EXPECT_EQ(bodyError("score " + repeat("-", 257) + "s"),
            "2:263: expected at most 256 levels of nesting, found more");
  EXPECT_EQ(bodyError("score " + repeat("exp(", 257) + "s"),
            "2:1034: expected at most 256 levels of nesting, found more");
}

TEST(Parser, AHundredThousandParenthesesAreACleanError) {
  for (const char *opener : {"(", "~", "~(", "-(", "x[", "window("})
    EXPECT_THAT(bodyError("mask " + repeat(opener, 100000)),
                testing::HasSubstr("expected at most 256 levels of nesting"))
        << opener;
  EXPECT_EQ(bodyError("mask " + repeat(")", 100000)),
            "2:6: expected an expression, found ')'");
  EXPECT_THAT(bodyError("mask global(" + repeat("[", 100000)),
              testing::HasSubstr("expected an expression, found '['"));
}

TEST(Parser, LongChainsAreFlat) {
  Pattern p = good("mask causal" + repeat(" | window(1, 2)", 100000));
  EXPECT_EQ(p.mask->operands.size(), 100001u);
  EXPECT_EQ(*good("mask " + print(*p.mask, {})).mask, *p.mask);
  p = good("mask (q < k" + repeat(" + 1 - h", 50000) + ")");
  EXPECT_EQ(p.mask->rhs().operands.size(), 100001u);
  p = good("score s" + repeat(" * 2", 100000));
  EXPECT_EQ(p.score->operands.size(), 100001u);
}

TEST(Parser, OptionWordsMayBeNames) {
  EXPECT_TRUE(
      parsePattern("pattern end { heads 1 dim 1 type f32 param seed : int "
                   "param block : int param kv : float "
                   "mask random(block, block = 2, seed = seed) score s + kv }",
                   "t"));
}

/// All of the grammar parses; what has no meaning yet says so at its place.
TEST(Parser, WholeGrammarParsesAndTheRestIsNotSupportedYet) {
  struct Case {
    const char *body;
    const char *error;
  } cases[] = {
      {"input x : i32[b, k]", "2:1: 'input' is not supported yet"},
      {"input t : i1[b, h, q/64, k/32, 3]",
       "2:1: 'input' is not supported yet"},
      {"sink_logit x", "2:1: 'sink_logit' is not supported yet"},
      {"rope", "2:1: 'rope' is not supported yet"},
      {"rope()", "2:1: 'rope' is not supported yet"},
      {"rope(base = 500000.0, dim = 64, style = half)",
       "2:1: 'rope' is not supported yet"},
      {"dropout(0.1, seed = n)", "2:1: 'dropout' is not supported yet"},
      {"mask same(x)", "2:6: 'same' is not supported yet"},
      {"mask causal & same(x, sorted)", "2:15: 'same' is not supported yet"},
      {"mask padded(x)", "2:6: 'padded' is not supported yet"},
      {"mask blocks(t)", "2:6: 'blocks' is not supported yet"},
      {"mask neighbourhood([8, 8], [3, 3])",
       "2:6: 'neighbourhood' is not supported yet"},
      {"mask neighborhood([8], [3])",
       "2:6: 'neighborhood' is not supported yet"},
      {"mask swin([8, 8], [4, 4], shift = [2, 2])",
       "2:6: 'swin' is not supported yet"},
      {"mask tree(parent)", "2:6: 'tree' is not supported yet"},
      {"mask per_head(h < 2: causal, h == 2 | h == 3: all, else: none)",
       "2:6: 'per_head' is not supported yet"},
      {"mask global([0, -1, nk - 1])",
       "2:6: 'global([...])' is not supported yet"},
      {"score relative(t, buckets = 32, max = 128, causal)",
       "2:7: 'relative' is not supported yet"},
      {"score s + alibi(x)", "2:11: 'alibi(...)' is not supported yet"},
  };
  for (const Case &c : cases)
    EXPECT_EQ(bodyError(c.body), c.error);
}
