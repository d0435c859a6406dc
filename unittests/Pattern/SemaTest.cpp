// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the checker makes of a correct pattern: names, defaults, folded minus
// signs, the kinds of a select's condition, and what is left for the launch.

#include "PatternTest.h"

using namespace fovea::pattern;

TEST(Sema, DefaultsOfStatements) {
  Pattern p = good("");
  EXPECT_EQ(p.name, "t");
  EXPECT_EQ(p.queryHeads, 4);
  EXPECT_EQ(p.kvHeads, 2);
  EXPECT_EQ(p.groupSize(), 2);
  EXPECT_EQ(p.align, Align::End);
  EXPECT_FALSE(p.scale || p.mask || p.score);
  EXPECT_TRUE(p.requirements.empty());
}

TEST(Sema, ParamsInDeclarationOrderUsableBefore) {
  Pattern p = good("mask window(w, 0) scale c\n"
                   "param c : float = -2 param w : int = -9223372036854775808 "
                   "param z : int");
  ASSERT_EQ(p.params.size(), 3u);
  EXPECT_EQ(p.params[0].floatDefault, -2.0F);
  EXPECT_EQ(p.params[1].intDefault, INT64_MIN);
  EXPECT_FALSE(p.params[2].hasDefault());
  EXPECT_EQ(p.mask->left().kind, IntKind::Param);
  EXPECT_EQ(p.mask->left().index, 1u);
  EXPECT_EQ(p.scale->kind, FloatKind::FloatParam);
  EXPECT_EQ(p.scale->index, 0u);
}

TEST(Sema, AtomsGetTheirOperands) {
  Pattern p = good("mask window(3) | window(1, inf) | dilated(inf, 2, 3) | "
                   "random(nk / 2, seed = -5, block = 64, causal, per = g)");
  const auto &atoms = p.mask->operands;
  ASSERT_EQ(atoms.size(), 4u);
  EXPECT_EQ(atoms[0].left().value, 3);
  EXPECT_EQ(atoms[0].right().value, 3);
  EXPECT_TRUE(atoms[1].right().isInfinite());
  EXPECT_TRUE(atoms[2].left().isInfinite());
  EXPECT_EQ(atoms[2].step().value, 3);
  EXPECT_EQ(atoms[3].count().kind, IntKind::Chain);
  EXPECT_EQ(atoms[3].seed().kind, IntKind::Number);
  EXPECT_EQ(atoms[3].seed().value, -5);
  EXPECT_EQ(atoms[3].block, 64);
  EXPECT_EQ(atoms[3].per, RandomPer::G);
  EXPECT_TRUE(atoms[3].causal);
}

TEST(Sema, NegativeExpressionsAreLegalWhereNumbersAreNot) {
  EXPECT_TRUE(parseBody("mask window(0 - 3, w) param w : int = -1"));
  EXPECT_TRUE(parseBody("mask sink(nk - 100)"));
}

TEST(Sema, MinusBindsTightest) {
  Pattern p = good("mask (-7 / 2 == k)");
  ASSERT_EQ(p.mask->lhs().kind, IntKind::Chain);
  EXPECT_EQ(p.mask->lhs().operands[0].value, -7);
}

TEST(Sema, EqualChainsAreSpliced) {
  Pattern p = good("mask ((q + 1) - k < 0) | (all | none) | causal");
  ASSERT_EQ(p.mask->operands.size(), 4u);
  EXPECT_EQ(p.mask->operands[0].lhs().operands.size(), 3u);
  // … but not to the right of a minus.
  p = good("mask (q - (k - 1) < 0)");
  EXPECT_EQ(p.mask->lhs().operands.size(), 2u);
}

TEST(Sema, SelectComparesIntegersIfBothSidesAre) {
  auto condition = [](std::string_view text) {
    return *good("param n : int param c : float score select(" +
                 std::string(text) + ", s, 0.0)")
                .score;
  };
  for (const char *text :
       {"q / 2 == k % n", "(q / 2 == k)", "min(q, n) < 3", "-h < abs(q - k)"}) {
    FloatExpr e = condition(text);
    ASSERT_EQ(e.kind, FloatKind::Select) << text;
    EXPECT_EQ(e.condition().kind, MaskKind::Compare) << text;
  }
  for (const char *text : {"s > 0", "(s > 0)", "q / 2 < 0.5", "q < c",
                           "exp(q) != k", "max(q, c) < n", "alibi < q"}) {
    FloatExpr e = condition(text);
    EXPECT_EQ(e.kind, FloatKind::SelectCompare) << text;
    EXPECT_EQ(e.operands.size(), 4u) << text;
  }
  EXPECT_EQ(condition("causal & (q < k)").condition().kind, MaskKind::And);
}

TEST(Sema, ScoresAreFloatArithmetic) {
  FloatExpr e = *good("score s + q / 64").score;
  EXPECT_EQ(e.operands[1].kind, FloatKind::Chain);
  EXPECT_EQ(e.operands[1].operands[1].kind, FloatKind::Number);
  EXPECT_EQ(e.operands[1].operands[1].value, 64.0);
}

TEST(Sema, RequirementsOfParams) {
  Pattern p = good("param p : int param c : float\n"
                   "mask dilated(8, 8, p + 1) & (q / (p * h) == k % p)\n"
                   "scale 1 / c\n"
                   "score select(q / p == 1, s, 0)");
  ASSERT_EQ(p.requirements.size(), 4u);
  EXPECT_EQ(p.requirements[0].kind, RequirementKind::AtLeastOne);
  EXPECT_EQ(p.requirements[0].expression, "p + 1");
  EXPECT_EQ(p.requirements[0].message,
            "expected the step 'p + 1' to be at least 1");
  EXPECT_FALSE(p.requirements[0].perHead);
  EXPECT_EQ(p.requirements[1].kind, RequirementKind::NonZero);
  EXPECT_EQ(p.requirements[1].expression, "p * h");
  EXPECT_TRUE(p.requirements[1].perHead);
  EXPECT_EQ(p.requirements[1].loc.line, 3u);
  EXPECT_EQ(p.requirements[1].loc.column, 34u);
  EXPECT_EQ(p.requirements[2].expression, "p");
  EXPECT_EQ(p.requirements[2].message, "expected the divisor 'p' not to be 0");
  EXPECT_EQ(p.requirements[3].kind, RequirementKind::Finite);
  EXPECT_EQ(p.requirements[3].expression, "1.0 / c");
  EXPECT_EQ(p.requirements[3].message,
            "expected the scale '1.0 / c' to be finite");
}

TEST(Sema, KnownDivisorsLeaveNothingForTheLaunch) {
  Pattern p = good("mask (q / (h + 1) == k / 64)\nscale 1 / sqrt(64)");
  EXPECT_TRUE(p.requirements.empty());
  EXPECT_TRUE(parseBody("mask (q / -9223372036854775808 == k / -1)"));
}

TEST(Sema, MaskNoneIsAWarning) {
  ParseResult result = parseBody("mask none");
  ASSERT_TRUE(result);
  ASSERT_EQ(result.diagnostics.size(), 1u);
  EXPECT_EQ(result.diagnostics[0].severity, Severity::Warning);
  EXPECT_EQ(result.diagnostics[0].loc.column, 6u);
}
