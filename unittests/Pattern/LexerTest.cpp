// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bytes and tokens: UTF-8, comments, names, numbers.

#include "PatternTest.h"

using namespace fovea::pattern;

TEST(Lexer, EmptyTextSaysWhatIsMissing) {
  EXPECT_EQ(firstError(""),
            "1:1: expected 'pattern', found the end of the text");
  EXPECT_EQ(firstError("\n\n  // nothing\n"),
            "4:1: expected 'pattern', found the end of the text");
}

TEST(Lexer, CommentsHoldUtf8AndNothingElseDoes) {
  EXPECT_TRUE(parseBody("mask causal // fenêtre glissante 窓 🪟"));
  EXPECT_EQ(bodyError("mask caus\u00e4l"),
            "2:10: expected only ASCII outside comments, found '\u00e4'");
  EXPECT_EQ(firstError("\uFEFFpattern t {}"),
            "1:1: expected only ASCII outside comments, found '\uFEFF'");
}

TEST(Lexer, InvalidUtf8IsFoundByLineAndCharacter) {
  EXPECT_EQ(bodyError("// \u00e9\xff"),
            "2:5: expected UTF-8, found the byte 0xFF");
  // Overlong, surrogate, above U+10FFFF, cut short, stray continuation.
  for (const char *bad : {"\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80",
                          "\xF4\x90\x80\x80", "\xE2\x82", "\x80"})
    EXPECT_THAT(bodyError("//" + std::string(bad)),
                testing::StartsWith("2:3: expected UTF-8"));
}

TEST(Lexer, ControlCharactersAndStrays) {
  EXPECT_EQ(firstError(std::string_view("pattern\0t", 9)),
            "1:8: unexpected control character 0x00");
  EXPECT_EQ(bodyError("mask causal; score s"),
            "2:12: unexpected character ';'");
  EXPECT_EQ(bodyError("mask !causal"), "2:6: unexpected character '!'");
  EXPECT_EQ(bodyError("mask causal && all"),
            "2:14: expected an expression, found '&'");
}

TEST(Lexer, LineEndsAndTabsAreBlank) {
  EXPECT_TRUE(parsePattern(
      "pattern t {\r\n\theads 1\r\n\tdim 1\r\n\ttype f32\r\n}", "t"));
}

TEST(Lexer, NamesHaveAtMost255Characters) {
  std::string longest(255, 'x');
  EXPECT_TRUE(parseBody("param " + longest + " : int"));
  EXPECT_EQ(bodyError("param " + longest + "x : int"),
            "2:7: expected a name of at most 255 characters, found one of 256");
}

TEST(Lexer, FloatsNeedDigitsOnBothSides) {
  EXPECT_TRUE(parseBody("score s * 1.0e-3 + 2.5E+2 - 10.25"));
  struct Case {
    const char *number;
    const char *found;
  } cases[] = {{"1e-3", "1e"},     {"1.", "1."},       {".5", ".5"},
               {"1.e3", "1.e3"},   {"1.0e", "1.0e"},   {"1.0e+", "1.0e+"},
               {"12abc", "12abc"}, {"1.2.3", "1.2.3"}, {"0x10", "0x10"}};
  for (const Case &c : cases)
    EXPECT_EQ(bodyError("scale " + std::string(c.number)),
              "2:7: expected a number such as 10 or 1.0e-3, found '" +
                  std::string(c.found) + "'");
}

TEST(Lexer, IntegersHave64Bits) {
  Pattern p = good("mask (q < 9223372036854775807) & "
                   "(q > -9223372036854775808)");
  EXPECT_EQ(p.mask->operands[0].rhs().value, INT64_MAX);
  EXPECT_EQ(p.mask->operands[1].rhs().value, INT64_MIN);
  EXPECT_EQ(
      bodyError("mask (q < 9223372036854775808)"),
      "2:11: expected an integer of 64 bits, found '9223372036854775808'");
  EXPECT_EQ(
      bodyError("mask (q < 99999999999999999999)"),
      "2:11: expected an integer of 64 bits, found '99999999999999999999'");
}

TEST(Lexer, FloatsAreF32) {
  EXPECT_FLOAT_EQ(good("scale 3.4e38").scale->value, 3.4e38);
  EXPECT_EQ(good("score s + 1.0e-999").score->operands[1].value, 0);
  EXPECT_EQ(good("score s + 1.0e-60").score->operands[1].value, 0);
  EXPECT_EQ(bodyError("scale 1.0e39"),
            "2:7: expected a float in the range of f32, found '1.0e39'");
  EXPECT_EQ(bodyError("scale 1.0e999"),
            "2:7: expected a float in the range of f32, found '1.0e999'");
}
