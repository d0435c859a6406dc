// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every error of the checker, with its line and column. The text of the error
// is the interface: a change here is a change that users see. Longer than other
// tests because it is one table.

#include "PatternTest.h"

using namespace fovea::pattern;

namespace {
struct Case {
  const char *text;
  const char *error;
};

/// The body follows `wrap`'s first line, so that it starts at 2:1.
class BodyError : public testing::TestWithParam<Case> {};
TEST_P(BodyError, IsReportedAtItsPlace) {
  EXPECT_EQ(bodyError(GetParam().text), GetParam().error) << GetParam().text;
}

/// The whole text of a pattern.
class TextError : public testing::TestWithParam<Case> {};
TEST_P(TextError, IsReportedAtItsPlace) {
  EXPECT_EQ(firstError(GetParam().text), GetParam().error) << GetParam().text;
}
} // namespace

static const Case statementErrors[] = {
    {"mask all mask none",
     "2:10: expected one 'mask' statement, found another"},
    {"heads 3", "2:1: expected one 'heads' statement, found another"},
    {"align middle", "2:7: expected 'end' or 'start', found 'middle'"},
    {"param q : int",
     "2:7: expected a name for the param, found the reserved word 'q'"},
    {"param mask : int",
     "2:7: expected a name for the param, found the reserved word 'mask'"},
    {"param x : i32", "2:11: expected 'int' or 'float', found 'i32'"},
    {"param x : int\nparam x : float",
     "3:7: expected a new name, found 'x' again"},
    {"param x : int = 1.0",
     "2:17: expected an integer as the default of an int "
     "param, found a float"},
    {"param x : int = 9223372036854775808",
     "2:17: expected an integer of 64 bits, found '9223372036854775808'"},
};
INSTANTIATE_TEST_SUITE_P(Statements, BodyError,
                         testing::ValuesIn(statementErrors));

static const Case sizeErrors[] = {
    {"pattern t { dim 8 type f32 }",
     "1:9: expected a 'heads' statement in pattern 't', found none"},
    {"pattern t { heads 8 type f32 }",
     "1:9: expected a 'dim' statement in pattern 't', found none"},
    {"pattern t { heads 8 dim 8 }",
     "1:9: expected a 'type' statement in pattern 't', found none"},
    {"pattern window { heads 8 dim 8 type f32 }",
     "1:9: expected a name for the pattern, found the reserved word 'window'"},
    {"pattern t { heads q = 9, kv = 2 dim 8 type f32 }",
     "1:31: expected a number of KV heads that divides the 9 query heads, "
     "found "
     "2"},
    {"pattern t { heads 0 dim 8 type f32 }",
     "1:19: expected a number of heads from 1 to 1048576, found the integer 0"},
    {"pattern t { heads 4 dim qk = 0, v = 8 type f32 }",
     "1:30: expected a dimension from 1 to 1048576, found the integer 0"},
    {"pattern t { heads 4 dim 9000000000 type f32 }",
     "1:25: expected a dimension from 1 to 1048576, found the integer "
     "9000000000"},
    {"pattern t { heads q = 4 dim 8 type f32 }",
     "1:19: expected 'heads H' or 'heads q = H, kv = G', found other "
     "arguments"},
    {"pattern t { heads 4, kv = 2 dim 8 type f32 }",
     "1:19: expected 'heads H' or 'heads q = H, kv = G', found other "
     "arguments"},
    {"pattern t { heads q = 4, q = 2 dim 8 type f32 }",
     "1:19: expected 'heads H' or 'heads q = H, kv = G', found other "
     "arguments"},
    {"pattern t { heads 4 dim k = 2, v = 3 type f32 }",
     "1:25: expected 'dim D' or 'dim qk = D, v = E', found other arguments"},
    {"pattern t { heads 4 dim 8 type f64 }",
     "1:32: expected f16, bf16 or f32, found 'f64'"},
};
INSTANTIATE_TEST_SUITE_P(Sizes, TextError, testing::ValuesIn(sizeErrors));

static const Case maskErrors[] = {
    {"mask windo(3)", "2:6: expected a mask, found 'windo(...)'"},
    {"mask w\nparam w : int", "2:6: expected a mask, found 'w'"},
    {"mask 3", "2:6: expected a mask, found the integer 3"},
    {"mask causal & q + k", "2:15: expected a mask, found arithmetic"},
    {"mask s", "2:6: expected a mask, found 's'"},
    {"mask exp(q)", "2:6: expected a mask, found 'exp(...)'"},
    {"mask q < k", "2:6: expected parentheses around a comparison, found none"},
    {"mask (q < k & causal)",
     "2:7: expected parentheses around a comparison, found none"},
    {"mask ~q < k",
     "2:7: expected parentheses around a comparison, found none"},
    {"mask window", "2:6: expected '(' after 'window', found none"},
    {"mask causal()",
     "2:6: expected no arguments of 'causal', found parentheses"},
    {"mask window()", "2:6: expected 1 or 2 arguments of 'window', found 0"},
    {"mask window(1, 2, 3)",
     "2:19: expected 1 or 2 arguments of 'window', found another"},
    {"mask dilated(1, 2)", "2:6: expected 3 arguments of 'dilated', found 2"},
    {"mask window(w = 3)", "2:13: expected an argument of 'window', found 'w'"},
    {"mask window(-1, 0)", "2:13: expected a bound of at least 0, found -1"},
    {"mask window(0, -(2))", "2:16: expected a bound of at least 0, found -2"},
    {"mask global(-3)", "2:13: expected a count of at least 0, found -3"},
    {"mask sink(-3)", "2:11: expected a count of at least 0, found -3"},
    {"mask prefix(-3)", "2:13: expected a count of at least 0, found -3"},
    {"mask sink(inf)",
     "2:11: expected 'inf' only as a bound of 'window' or 'dilated'"},
    {"mask window(-inf, 0)",
     "2:14: expected 'inf' only as a bound of 'window' or 'dilated'"},
    {"mask window(q, 0)",
     "2:13: expected a bound made of numbers, params, nq and nk, found 'q'"},
    {"mask sink(nk - h)",
     "2:16: expected a count made of numbers, params, nq and nk, found 'h'"},
    {"mask dilated(1, 1, nk)",
     "2:20: expected a step made of numbers and params, found 'nk'"},
    {"mask dilated(1, 1, 0)", "2:20: expected a step of at least 1, found 0"},
    {"mask dilated(1, 1, -2)", "2:20: expected a step of at least 1, found -2"},
    {"mask dilated(1, 1, 2 - 3)",
     "2:20: expected the step '2 - 3' to be at least 1, found -1"},
    {"mask window(x)", "2:13: expected an integer expression, found 'x'"},
    {"mask window(1.5)", "2:13: expected an integer expression, found a float"},
    {"mask window(causal)",
     "2:13: expected an integer expression, found 'causal'"},
    {"mask window(x)\nparam x : float",
     "2:13: expected an integer expression, found the float param 'x'"},
    {"mask random(3, block = 64)",
     "2:6: expected the argument 'seed' of 'random', found none"},
    {"mask random(3, seed = 1)",
     "2:6: expected the argument 'block' of 'random', found none"},
    {"mask random(block = 64, seed = 1)",
     "2:6: expected 1 unnamed argument of 'random', found 0"},
    {"mask random(block = 64, 3, seed = 1)",
     "2:25: expected unnamed arguments before named ones"},
    {"mask random(3, block = 0, seed = 1)",
     "2:24: expected a block size that is a number of at least 1, found the "
     "integer 0"},
    {"mask random(3, block = n, seed = 1)\nparam n : int",
     "2:24: expected a block size that is a number of at least 1, found 'n'"},
    {"mask random(3, block = 4, seed = q)",
     "2:34: expected a seed made of numbers and params, found 'q'"},
    {"mask random(3, block = 4, block = 5, seed = 1)",
     "2:27: expected each argument once, found 'block' again"},
    {"mask random(3, block = 4, seed = 1, causal, causal)",
     "2:45: expected each argument once, found 'causal' again"},
    {"mask random(3, block = 4, seed = 1, per = b)",
     "2:43: expected 'h', 'g' or 'none' for 'per', found 'b'"},
    {"mask (x[q] == 3)",
     "2:7: expected an input, found 'x', which is not declared"},
    {"mask (w[q] == 3)\nparam w : int",
     "2:7: expected an input, found the param 'w'"},
};
INSTANTIATE_TEST_SUITE_P(Masks, BodyError, testing::ValuesIn(maskErrors));

static const Case integerErrors[] = {
    {"mask (q / 0 == k)", "2:11: expected a divisor other than 0, found 0"},
    {"mask (q % (3 - 3) == k)",
     "2:11: expected the divisor '3 - 3' not to be 0, found 0"},
    {"mask (q / (h - 3) == k)",
     "2:11: expected the divisor 'h - 3' not to be 0, found 0 for head 3"},
    {"mask (q / g == k)",
     "2:11: expected the divisor 'g' not to be 0, found 0 for head 0"},
    {"mask (q / k == 1)",
     "2:11: expected a divisor made of numbers, params, h and g, found 'k'"},
    {"mask sink(nk / nq)",
     "2:16: expected a divisor made of numbers, params, h and g, found 'nq'"},
    {"mask sink(nk / h)",
     "2:16: expected a count made of numbers, params, nq and nk, found 'h'"},
    {"mask (min(q) == 1)", "2:7: expected 2 arguments of 'min', found 1"},
    {"mask (abs(q, k) == 1)",
     "2:14: expected 1 argument of 'abs', found another"},
    {"mask (exp(q) == 1)",
     "2:7: expected an integer expression, found 'exp(...)'"},
    {"mask ((causal | all) == 1)",
     "2:7: expected an integer expression, found a mask"},
};
INSTANTIATE_TEST_SUITE_P(Integers, BodyError, testing::ValuesIn(integerErrors));

static const Case scoreErrors[] = {
    {"score s + causal", "2:11: expected a number, found 'causal'"},
    {"score s & causal", "2:7: expected a number, found a mask"},
    {"score (q < k)", "2:7: expected a number, found a comparison"},
    {"score ~s", "2:7: expected a number, found a mask"},
    {"score s + inf",
     "2:11: expected 'inf' only as a bound of 'window' or 'dilated'"},
    {"score q % 2",
     "2:11: expected '%' only between integers, found it in a score or scale"},
    {"score tanh(s, 2)", "2:15: expected 1 argument of 'tanh', found another"},
    {"score sin(s)", "2:7: expected a number, found 'sin(...)'"},
    {"score softcap(s)", "2:7: expected 2 arguments of 'softcap', found 1"},
    {"score select(causal, s)",
     "2:7: expected 3 arguments of 'select', found 2"},
    {"score select(s, s, s)", "2:14: expected a mask, found 's'"},
    {"score select((s < 1.0) & causal, s, s)",
     "2:15: expected an integer expression, found 's'"},
    {"score s + bias[h]",
     "2:11: expected an input, found 'bias', which is not declared"},
    {"scale q", "2:7: expected a scale made of numbers and params, found 'q'"},
    {"scale s", "2:7: expected a scale made of numbers and params, found 's'"},
    {"scale alibi",
     "2:7: expected a scale made of numbers and params, found 'alibi'"},
    {"scale select(causal, 1, 2)",
     "2:7: 'select' in a scale is not supported yet"},
    {"scale 2 * softcap(1, 2)",
     "2:11: 'softcap' in a scale is not supported yet"},
    {"scale 1 / 0",
     "2:7: expected the scale '1.0 / 0.0' to be finite, found inf"},
    {"scale 1.0e38 * 100",
     "2:7: expected the scale '1.0e+38 * 100.0' to be finite, found inf"},
};
INSTANTIATE_TEST_SUITE_P(Scores, BodyError, testing::ValuesIn(scoreErrors));

TEST(SemaErrors, AllAreShownInTheOrderOfTheText) {
  ParseResult result =
      parseBody("score s + causal\nmask window(-1) & sink(q)\nalign x");
  ASSERT_EQ(result.diagnostics.size(), 4u);
  uint32_t lines[] = {2, 3, 3, 4};
  for (size_t i = 0; i < 4; ++i)
    EXPECT_EQ(result.diagnostics[i].loc.line, lines[i]);
  EXPECT_EQ(result.diagnostics[0].file, "t.attn");
}

/// The second one lies in a divisor, which must not be evaluated then.
TEST(SemaErrors, TheSameDivisorIsReportedEveryTime) {
  ParseResult result = parseBody("mask (q / (1 - 1) == k / (7 / (1 - 1)))");
  ASSERT_EQ(result.diagnostics.size(), 2u);
  EXPECT_EQ(result.diagnostics[1].loc.column, 31u);
}

TEST(SemaErrors, WrongHeadsDoNotStopTheRest) {
  EXPECT_EQ(
      firstError("pattern t { heads q = 1, kv = 4 dim 8 type f32 "
                 "mask (q / 3 == k / (h + 1)) }"),
      "1:31: expected a number of KV heads that divides the 1 query heads, "
      "found 4");
}

TEST(SemaErrors, ManyErrorsAreCutShort) {
  std::string body = "mask none";
  for (int i = 0; i < 1000; ++i)
    body += " | nonsense";
  EXPECT_EQ(parseBody(body).diagnostics.size(), 20u);
}

TEST(SemaErrors, NotesPointAtTheFirstAndAtTheNearest) {
  ParseResult twice = parseBody("param x : int\nparam x : float");
  ASSERT_EQ(twice.diagnostics.at(0).notes.size(), 1u);
  EXPECT_EQ(twice.diagnostics[0].notes[0].loc.line, 2u);
  EXPECT_EQ(twice.diagnostics[0].notes[0].loc.column, 7u);
  ParseResult misspelt = parseBody("mask windo(3)");
  ASSERT_EQ(misspelt.diagnostics.at(0).notes.size(), 1u);
  EXPECT_EQ(misspelt.diagnostics[0].notes[0].message, "did you mean 'window'?");
}

TEST(SemaErrors, SpansCoverWhatIsMeant) {
  EXPECT_EQ(errorSpan(wrap("mask window(2, -17)")), "-17");
  EXPECT_EQ(errorSpan(wrap("mask q + 1 < k")), "q + 1 < k");
  EXPECT_EQ(errorSpan(wrap("mask causal & same(x)")), "same");
  EXPECT_EQ(errorSpan(wrap("mask (q / (h - 3) == k)")), "(h - 3)");
}
