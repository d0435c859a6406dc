// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The formulas of manifests: values by hand, errors by name.

#include "fovea/Runtime/Expression.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace fovea::runtime;

namespace {

// NOLINTNEXTLINE(bugprone-throwing-static-initialization): a test may fail
const std::vector<Binding> names = {{"nq", false, 300, 0},
                                    {"w", false, -7, 0},
                                    {"c", true, 0, 0.5f},
                                    {"big", false, INT64_MAX, 0}};

int64_t integer(const std::string &text) {
  Result<int64_t> value = evaluateInteger(text, names);
  EXPECT_TRUE(value) << value.error().message;
  return value ? *value : -999;
}
float real(const std::string &text) {
  Result<float> value = evaluateReal(text, names);
  EXPECT_TRUE(value) << value.error().message;
  return value ? *value : -999;
}
std::string integerError(const std::string &text) {
  Result<int64_t> value = evaluateInteger(text, names);
  return value ? "no error" : value.error().message;
}

TEST(Expression, FollowsPrecedence) {
  EXPECT_EQ(integer("1 + 2 * 3 - 4"), 3);
  EXPECT_EQ(integer("(1 + 2) * -3"), -9);
  EXPECT_EQ(integer("10 - 3 - 2"), 5);
  EXPECT_EQ(integer("100 / 7 % 4 * 2"), 4);
  EXPECT_EQ(integer("--5"), 5);
}

TEST(Expression, DividesTowardMinusInfinity) {
  EXPECT_EQ(integer("-7 / 2"), -4);
  EXPECT_EQ(integer("7 / -2"), -4);
  EXPECT_EQ(integer("-7 / -2"), 3);
  EXPECT_EQ(integer("-7 % 2"), 1);
  EXPECT_EQ(integer("7 % -2"), -1);
  EXPECT_EQ(integer("w % 7"), 0);
  EXPECT_EQ(integer("(-big - 1) / -1 + big"), -1);
  EXPECT_EQ(integer("(-big - 1) % -1"), 0);
}

TEST(Expression, Wraps) {
  EXPECT_EQ(integer("big + 1"), INT64_MIN);
  EXPECT_EQ(integer("big * 2"), -2);
  EXPECT_EQ(integer("abs(-big - 1)"), INT64_MIN);
}

TEST(Expression, CallsFunctions) {
  EXPECT_EQ(integer("ceil(nq / 128)"), 3);
  EXPECT_EQ(integer("ceil((nq - 44) / 128)"), 2);
  EXPECT_EQ(integer("ceil(0 / 128)"), 0);
  EXPECT_EQ(integer("ceil(-1 / 128)"), 0);
  EXPECT_EQ(integer("min(3, w) + max(3, w) * 10"), 23);
  EXPECT_EQ(integer("abs(w)"), 7);
}

TEST(Expression, ComputesRealsInSinglePrecision) {
  EXPECT_EQ(real("1 / 2 + c"), 1.0f);
  EXPECT_EQ(real("0.1"), 0.1f);
  EXPECT_EQ(real("1.5e-3 * 2"), 1.5e-3f * 2);
  EXPECT_EQ(real("w / 2"), -3.5f);
  EXPECT_TRUE(std::isinf(real("1.0e30 * 1.0e30")));
  EXPECT_TRUE(std::isinf(real("1 / (c - c)")));
  EXPECT_TRUE(std::isnan(real("sqrt(-1)")));
  EXPECT_EQ(real("exp2(log2(8)) + tanh(0) + sqrt(16) + exp(log(1))"), 13.0f);
  EXPECT_EQ(real("min(c, 2) + max(c, 2) + abs(-c)"), 3.0f);
}

TEST(Expression, ReportsErrors) {
  EXPECT_EQ(integerError("w +"), "in the expression 'w +': expected a number, "
                                 "a name or '(' at column 4, found the end");
  EXPECT_EQ(integerError("1 2"), "in the expression '1 2': expected an "
                                 "operator or the end at column 3, found '2'");
  EXPECT_EQ(integerError("(1"),
            "in the expression '(1': expected ')' at column 3, found the end");
  EXPECT_EQ(integerError("x"), "in the expression 'x': unknown name 'x'");
  EXPECT_EQ(integerError("exp(1)"),
            "in the expression 'exp(1)': unknown function 'exp'");
  EXPECT_EQ(integerError("c"),
            "in the expression 'c': expected an integer, but 'c' is a float");
  EXPECT_EQ(integerError("1.5"), "in the expression '1.5': expected a 64-bit "
                                 "integer, found '1.5'");
  EXPECT_EQ(integerError("9223372036854775808"),
            "in the expression '9223372036854775808': expected a 64-bit "
            "integer, found '9223372036854775808'");
  EXPECT_EQ(integerError("4 / (w + 7)"),
            "in the expression '4 / (w + 7)': division by zero");
  EXPECT_EQ(integerError(""), "in the expression '': expected a number, a name "
                              "or '(' at column 1, found the end");
}

TEST(Expression, SurvivesDeepNesting) {
  EXPECT_NE(integerError(std::string(100000, '(')).find("nested more than"),
            std::string::npos);
  EXPECT_NE(integerError(std::string(100000, '-')).find("nested more than"),
            std::string::npos);
}

TEST(Expression, MentionsWholeNames) {
  EXPECT_TRUE(mentions("8 - h", "h"));
  EXPECT_TRUE(mentions("h", "h"));
  EXPECT_FALSE(mentions("hh + h1 + _h", "h"));
  EXPECT_FALSE(mentions("", "h"));
}

} // namespace
