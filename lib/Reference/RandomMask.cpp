// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random masks: atoms with operands of every kind that the language allows
// them, comparisons of integer expressions, and operators over both.

#include "RandomSource.h"

namespace fovea::reference {

using namespace pattern::build;
using pattern::RandomPer;

Expr Draft::intParam(int64_t value) {
  std::string name = "p" + std::to_string(params.size());
  params.push_back({value, 0});
  // With the value as its default, another default, or none.
  switch (random.below(3)) {
  case 0:
    builder.intParam(name, value);
    break;
  case 1:
    builder.intParam(name, value + 1);
    break;
  default:
    builder.intParam(name);
  }
  return param(name);
}

Expr Draft::floatParam(float value) {
  std::string name = "c" + std::to_string(params.size());
  params.push_back({0, value});
  if (random.chance(0.5))
    builder.floatParam(name, value);
  else
    builder.floatParam(name);
  return param(name);
}

/// A length that matters for `n` keys: small, a tile's, or about n.
static int64_t someLength(RandomSource &random, int64_t n) {
  switch (random.below(4)) {
  case 0:
    return random.between(0, 4);
  case 1:
    return random.pick<int64_t>({7, 16, 31, 32, 33, 63, 64, 65});
  case 2:
    return random.between(0, n + 2);
  default:
    return random.between(0, n / 2 + 1);
  }
}

static Expr someCount(Draft &draft) {
  RandomSource &random = draft.random;
  switch (random.below(6)) {
  case 0:
    return draft.intParam(someLength(random, draft.nk) - 2);
  case 1:
    return nk() / random.between(1, 4);
  case 2:
    return nq() - random.between(0, 5);
  default:
    return someLength(random, draft.nk);
  }
}

static Expr someBound(Draft &draft) {
  return draft.random.chance(0.15) ? inf() : someCount(draft);
}

static Mask someWindow(Draft &draft) {
  if (draft.random.chance(0.2))
    return window(someBound(draft));
  Expr left = someBound(draft);
  return window(std::move(left),
                draft.random.chance(0.4) ? Expr(0) : someBound(draft));
}

static Mask someDilated(Draft &draft) {
  RandomSource &random = draft.random;
  Expr left = someBound(draft), right = someBound(draft);
  int64_t step = random.between(1, 9);
  return dilated(std::move(left), std::move(right),
                 random.chance(0.3) ? draft.intParam(step) : Expr(step));
}

static Mask someRandom(Draft &draft) {
  RandomSource &random = draft.random;
  int64_t count = random.between(0, 5);
  Expr n = random.chance(0.2) ? draft.intParam(count - 1) : Expr(count);
  auto seed = static_cast<int64_t>(random.next());
  if (random.chance(0.5))
    seed = random.between(-3, 9);
  return pattern::build::random(
      std::move(n),
      {.block = random.pick<int64_t>({1, 3, 8, 16, 32, 64, 100}),
       .seed = random.chance(0.2) ? draft.intParam(seed) : Expr(seed),
       .per = random.pick({RandomPer::H, RandomPer::G, RandomPer::None}),
       .causal = random.chance(0.4)});
}

//===----------------------------------------------------------------------===//
// Comparisons
//===----------------------------------------------------------------------===//

static Expr someDivisor(Draft &draft) {
  RandomSource &random = draft.random;
  switch (random.below(5)) {
  case 0:
    return draft.intParam(random.pick<int64_t>({1, 2, 5, 16, -4}));
  case 1:
    return random.chance(0.5) ? h() + 1 : g() * 2 + 3;
  default:
    return random.pick<int64_t>({1, 2, 3, 5, 8, 64, -3});
  }
}

static Expr someIntLeaf(Draft &draft) {
  RandomSource &random = draft.random;
  switch (random.below(10)) {
  case 0:
    return random.pick({b(), h(), g()});
  case 1:
    return random.pick({nq(), nk()});
  case 2:
    return draft.intParam(random.between(-4, draft.nk));
  case 3:
    // Now and then one that needs all of 64 bits.
    return random.chance(0.1) ? int64_t{3000000007} : random.between(-9, 99);
  default:
    return random.pick({q(), k()});
  }
}

static Expr someInteger(Draft &draft, int depth) {
  RandomSource &random = draft.random;
  if (depth == 0 || random.chance(0.25))
    return someIntLeaf(draft);
  Expr x = someInteger(draft, depth - 1);
  switch (random.below(8)) {
  case 0:
    return std::move(x) / someDivisor(draft);
  case 1:
    return std::move(x) % someDivisor(draft);
  case 2:
    return std::move(x) * random.between(-3, 5);
  case 3:
    return random.chance(0.5) ? abs(std::move(x)) : -std::move(x);
  case 4:
    return random.chance(0.5)
               ? min(std::move(x), someInteger(draft, depth - 1))
               : max(std::move(x), someInteger(draft, depth - 1));
  case 5:
    return std::move(x) + someInteger(draft, depth - 1);
  default:
    return std::move(x) - someInteger(draft, depth - 1);
  }
}

Mask randomComparison(Draft &draft) {
  Expr x = someInteger(draft, 2), y = someInteger(draft, 1);
  switch (draft.random.below(6)) {
  case 0:
    return std::move(x) == std::move(y);
  case 1:
    return std::move(x) != std::move(y);
  case 2:
    return std::move(x) < std::move(y);
  case 3:
    return std::move(x) <= std::move(y);
  case 4:
    return std::move(x) > std::move(y);
  default:
    return std::move(x) >= std::move(y);
  }
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

static Mask someAtom(Draft &draft) {
  RandomSource &random = draft.random;
  switch (random.below(16)) {
  case 0:
    return random.chance(0.5) ? all() : none();
  case 1:
  case 2:
  case 3:
    return causal();
  case 4:
  case 5:
  case 6:
    return someWindow(draft);
  case 7:
    return someDilated(draft);
  case 8:
  case 9:
    return global(someCount(draft));
  case 10:
    return sink(someCount(draft));
  case 11:
    return prefix(someCount(draft));
  case 12:
  case 13:
    return someRandom(draft);
  default:
    return randomComparison(draft);
  }
}

Mask randomMask(Draft &draft, int depth) {
  RandomSource &random = draft.random;
  if (depth == 0 || random.chance(0.25))
    return someAtom(draft);
  Mask x = randomMask(draft, depth - 1);
  switch (random.below(8)) {
  case 0:
    return ~std::move(x);
  case 1:
    return std::move(x) ^ randomMask(draft, depth - 1);
  case 2:
  case 3:
  case 4:
    return std::move(x) & randomMask(draft, depth - 1);
  default:
    return std::move(x) | randomMask(draft, depth - 1);
  }
}

} // namespace fovea::reference
