// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random scores that rounding does not upset. A score is `gain * s` plus terms
// within about 4 each. Such a term is a tame function of tame arguments: each
// below keeps |f(x)| <= 4 and |f'(x)| <= 4 for |x| <= 4.

#include "RandomSource.h"

#include <algorithm>
#include <cmath>

namespace fovea::reference {

using namespace pattern::build;

static Expr someTerm(Draft &draft, int depth);

/// At most 4 in magnitude, exact or nearly so.
static Expr someLeaf(Draft &draft) {
  RandomSource &random = draft.random;
  double reach = static_cast<double>(draft.nq + draft.nk);
  switch (random.below(9)) {
  case 0:
    return random.sixteenths(-3, 3);
  case 1:
    return draft.floatParam(static_cast<float>(random.sixteenths(-3, 3)));
  case 2:
    return draft.intParam(random.between(-5, 5)) * 0.5;
  case 3:
    // A pair exists only if nk is not 0.
    return (random.chance(0.5) ? q() : k()) / (nk() + nq());
  case 4:
    return (q() - k()) / std::max(64.0, std::exp2(std::ceil(std::log2(reach))));
  case 5:
    return h() / static_cast<double>(draft.queryHeads) - g() * 0.0625;
  case 6:
    return 1 / (b() + 1.5);
  default:
    return tanh(s() * random.sixteenths(0.25, 1.5));
  }
}

/// A condition that no rounding flips.
static Expr someSelect(Draft &draft, Expr x, Expr y) {
  RandomSource &random = draft.random;
  double number = random.sixteenths(0, 40);
  switch (random.below(5)) {
  case 0:
    return select(randomMask(draft, 1), std::move(x), std::move(y));
  case 1:
    return select(randomComparison(draft), std::move(x), std::move(y));
  case 2: // halves and quarters of small integers are exact
    return select((random.chance(0.5) ? q() : k()) / 4.0 < number, std::move(x),
                  std::move(y));
  case 3:
    return select(draft.floatParam(0.25F) >= random.sixteenths(-1, 1),
                  std::move(x), std::move(y));
  default: // both choices are 0 where the condition flips
    return select(s() > 0.0, tanh(s() * 0.5), tanh(s() * 1.25));
  }
}

static Expr someFunction(Draft &draft, Expr x) {
  RandomSource &random = draft.random;
  switch (random.below(12)) {
  case 0:
    return exp(tanh(std::move(x)));
  case 1:
    return exp2(min(std::move(x), random.sixteenths(-1, 1)));
  case 2:
    return log(abs(std::move(x)) + 1);
  case 3:
    return log2(max(std::move(x), 0) + 1.5);
  case 4:
    return sqrt(abs(std::move(x)) + 0.5);
  case 5:
    return softcap(std::move(x), random.sixteenths(1, 4));
  case 6:
    return std::move(x) / (abs(someLeaf(draft)) + 1);
  case 7:
    return -std::move(x);
  case 8:
    return abs(std::move(x));
  case 9:
    return tanh(std::move(x)) * tanh(someLeaf(draft));
  case 10:
    return min(std::move(x), someLeaf(draft));
  default:
    return max(std::move(x), someLeaf(draft));
  }
}

static Expr someTerm(Draft &draft, int depth) {
  RandomSource &random = draft.random;
  if (depth == 0)
    return someLeaf(draft);
  Expr x = someTerm(draft, depth - 1);
  switch (random.below(5)) {
  case 0:
    return someSelect(draft, std::move(x), someTerm(draft, depth - 1));
  case 1:
    return std::move(x) * 0.5 - someTerm(draft, depth - 1) * 0.5;
  default:
    return someFunction(draft, std::move(x));
  }
}

/// `alibi`, made smaller where the sequences are so long that it would be huge.
static Expr someAlibi(Draft &draft) {
  double largest = pattern::alibiSlope(0, draft.queryHeads);
  for (int64_t head = 1; head < draft.queryHeads; ++head)
    largest = std::max(largest, pattern::alibiSlope(head, draft.queryHeads));
  double reach = largest * static_cast<double>(draft.nq + draft.nk);
  double factor = std::exp2(std::floor(std::log2(24 / std::max(reach, 1.0))));
  return factor >= 1 ? alibi() : alibi() * factor;
}

Expr randomScore(Draft &draft, double &gain) {
  RandomSource &random = draft.random;
  gain = random.pick({1.0, 1.0, 0.5, 1.25, -0.75});
  Expr score = gain == 1 ? s() : s() * gain;
  gain = std::fabs(gain);
  switch (random.below(6)) {
  case 0:
    score = softcap(std::move(score), random.pick({5.0, 20.0, 30.0}));
    break;
  case 1: // meets at 0
    score = select(s() > 0, std::move(score), s() * 0.25);
    break;
  case 2: // an error of s stays one: the slope is at most 1
    score = sqrt(abs(std::move(score)) + 1);
    break;
  default:
    break;
  }
  if (random.chance(0.35))
    score = std::move(score) + someAlibi(draft);
  if (random.chance(0.6))
    score = std::move(score) + someTerm(draft, 2);
  // A logit of -infinity drops the pair.
  if (random.chance(0.1))
    score = select(randomComparison(draft), std::move(score), log(Expr(0)));
  return score;
}

} // namespace fovea::reference
