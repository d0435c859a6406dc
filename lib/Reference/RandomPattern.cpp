// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random cases: a pattern, lengths that are awkward for tiles, arrays with
// gaps, and data with the traps that the language page promises to survive.

#include "fovea/Reference/RandomPattern.h"

#include "RandomSource.h"

#include "fovea/Pattern/Printer.h"
#include "fovea/Reference/Reference.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

using namespace fovea::pattern;

namespace fovea::reference {

namespace {

/// What is drawn besides the pattern.
struct Plan {
  double gain = 1;         // of s in the score
  double scaleTimesRoot;   // scale * sqrt(D)
  bool plainScore = false; // the score is s
};

} // namespace

static int64_t someLength(RandomSource &random, int64_t most) {
  int64_t n =
      random.pick<int64_t>({0,  1,   2,   5,   16,  17,  31,  33,  63,  64,
                            65, 100, 127, 128, 129, 200, 255, 257, 300, 511});
  return std::min(random.chance(0.3) ? random.between(1, most) : n, most);
}

static int64_t someDim(RandomSource &random) {
  return random.pick<int64_t>(
      {1, 8, 16, 20, 32, 40, 64, 64, 64, 80, 96, 128, 128});
}

/// Lengths and batch within the limit of work.
static void drawShape(RandomCase &out, RandomSource &random, int64_t perPair,
                      const RandomOptions &options) {
  out.nq = someLength(random, options.maxLength);
  out.nk = someLength(random, options.maxLength);
  if (random.chance(0.15)) // decoding against a cache
    out.nq = random.pick<int64_t>({1, 1, 2, 4});
  else if (random.chance(0.3))
    out.nk = out.nq;
  out.batch = random.pick<int64_t>({1, 1, 1, 2, 2, 3});
  if (random.chance(0.01))
    out.batch = 0;
  auto work = [&] { return out.batch * out.nq * out.nk * perPair; };
  while (work() > options.maxWork && out.batch > 1)
    --out.batch;
  while (work() > options.maxWork)
    (out.nq > out.nk ? out.nq : out.nk) /= 2;
}

static void drawHeads(RandomSource &random, int64_t &query, int64_t &kv) {
  query = random.pick<int64_t>({1, 2, 3, 4, 6, 8});
  kv = query;
  if (random.chance(0.6))
    do
      kv = random.between(1, query);
    while (query % kv != 0);
}

/// `scale`, or none for 1 / sqrt(D). Gives scale * sqrt(D), at most 1.5.
static double drawScale(Draft &draft, int64_t dim) {
  RandomSource &random = draft.random;
  if (random.chance(0.5))
    return 1;
  double root = std::sqrt(static_cast<double>(dim));
  double factor = random.sixteenths(0.5, 1.5);
  auto scale = static_cast<float>(factor / root);
  switch (random.below(4)) {
  case 0:
    draft.builder.scale(static_cast<double>(scale));
    return factor;
  case 1:
    draft.builder.scale(draft.floatParam(scale));
    return factor;
  case 2:
    draft.builder.scale(draft.floatParam(static_cast<float>(factor)) /
                        build::sqrt(build::Expr(dim)));
    return factor;
  default:
    draft.builder.scale(1 / build::sqrt(draft.intParam(dim)));
    return 1;
  }
}

static Plan drawPattern(RandomCase &out, RandomSource &random,
                        const RandomOptions &options) {
  int64_t query, kv;
  drawHeads(random, query, kv);
  int64_t qk = someDim(random);
  int64_t v = random.chance(0.3) ? someDim(random) : qk;
  drawShape(out, random, query * (qk + v), options);
  Draft draft{random,
              out.nq,
              out.nk,
              out.batch,
              query,
              kv,
              build::PatternBuilder("case_" + std::to_string(out.seed)),
              {}};
  draft.builder.heads(query, kv).dim(qk, v).type(
      options.types[random.below(static_cast<int64_t>(options.types.size()))]);
  if (random.chance(0.4))
    draft.builder.align(Align::Start);
  Plan plan;
  plan.scaleTimesRoot = drawScale(draft, qk);
  if (random.chance(0.9))
    draft.builder.mask(randomMask(draft, static_cast<int>(random.below(4))));
  plan.plainScore = random.chance(0.45);
  if (!plan.plainScore)
    draft.builder.score(randomScore(draft, plan.gain));
  ParseResult built = draft.builder.build();
  assert(built && "the generator draws only correct patterns");
  out.pattern = std::move(*built.pattern);
  out.text = print(out.pattern);
  out.params = std::move(draft.params);
  return plan;
}

//===----------------------------------------------------------------------===//
// Data
//===----------------------------------------------------------------------===//

static fovea_type runtimeType(ElementType type) {
  switch (type) {
  case ElementType::F32:
    return FOVEA_F32;
  case ElementType::F16:
    return FOVEA_F16;
  case ElementType::BF16:
    return FOVEA_BF16;
  }
  return FOVEA_F32;
}

static StridedArray someArray(RandomSource &random, ElementType type,
                              int64_t batch, int64_t heads, int64_t rows,
                              int64_t dim) {
  bool packed = random.chance(0.4);
  int64_t padding = packed ? 0 : random.pick<int64_t>({0, 1, 8, 16, 24});
  int64_t offset = packed ? 0 : random.pick<int64_t>({0, 1, 8, 64});
  return {runtimeType(type),
          {batch, heads, rows, dim},
          static_cast<int>(random.below(2)),
          padding,
          offset};
}

/// Every element normal, some rows of the array times `large`.
static void fill(StridedArray &array, RandomSource &random, double large) {
  fovea_tensor view = array.view();
  for (int64_t b = 0; b < view.shape[0]; ++b)
    for (int64_t h = 0; h < view.shape[1]; ++h)
      for (int64_t n = 0; n < view.shape[2]; ++n) {
        double factor = random.chance(0.1) ? large : 1;
        for (int64_t d = 0; d < view.shape[3]; ++d)
          array.set(b, h, n, d, factor * random.normal());
      }
}

static void fillRow(StridedArray &array, int64_t b, int64_t h, int64_t n,
                    double value) {
  int64_t width = array.view().shape[3];
  for (int64_t d = 0; d < width; ++d)
    array.set(b, h, n, d, value);
}

/// Whether some query of (b, g) keeps key j.
static bool isKept(const RandomCase &c, int64_t b, int64_t g, int64_t j) {
  int64_t group = c.pattern.groupSize();
  for (int64_t h = g * group; h < (g + 1) * group; ++h)
    for (int64_t i = 0; i < c.nq; ++i)
      if (keeps(c.pattern, c.params, {b, h, i, j, c.nq, c.nk}))
        return true;
  return false;
}

/// Keys that no query keeps must not matter whatever they hold.
static void poisonKeys(RandomCase &c) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  for (int64_t b = 0; b < c.batch; ++b)
    for (int64_t g = 0; g < c.pattern.kvHeads; ++g)
      for (int64_t j = 0; j < c.nk; ++j)
        if (!isKept(c, b, g, j)) {
          fillRow(c.k, b, g, j, nan);
          fillRow(c.v, b, g, j, nan);
        }
}

static void drawData(RandomCase &c, RandomSource &random, const Plan &plan) {
  const Pattern &p = c.pattern;
  c.q = someArray(random, p.type, c.batch, p.queryHeads, c.nq, p.qkDim);
  c.k = someArray(random, p.type, c.batch, p.kvHeads, c.nk, p.qkDim);
  c.v = someArray(random, p.type, c.batch, p.kvHeads, c.nk, p.vDim);
  c.o = someArray(random, p.type, c.batch, p.queryHeads, c.nq, p.vDim);
  // The product of two rows of normals is about 5 sqrt(D) at most; where D is
  // small, 9 D. Large rows bring logits to 30.
  double product = std::min(9 * std::sqrt(static_cast<double>(p.qkDim)), 9.0);
  if (p.qkDim >= 16)
    product = 5;
  double large = 30 / (product * plan.scaleTimesRoot * plan.gain);
  fill(c.q, random, std::max(large, 1.0));
  fill(c.k, random, 1);
  fill(c.v, random, 1);
  if (random.chance(0.3))
    poisonKeys(c);
  // A NaN in Q stays in its row. Which of min(NaN, x) is meant is another
  // question, so only the plain score meets one.
  if (plan.plainScore && c.batch && c.nq && random.chance(0.1))
    c.q.set(random.below(c.batch), random.below(p.queryHeads),
            random.below(c.nq), random.below(p.qkDim),
            std::numeric_limits<double>::quiet_NaN());
}

RandomCase makeRandomCase(uint64_t seed, const RandomOptions &options) {
  RandomSource random(seed);
  RandomCase out;
  out.seed = seed;
  Plan plan = drawPattern(out, random, options);
  drawData(out, random, plan);
  switch (out.pattern.type) {
  case ElementType::F32:
    out.tolerance = 2e-5;
    out.lseTolerance = 1e-4;
    break;
  case ElementType::F16:
    out.tolerance = 2e-3;
    out.lseTolerance = 2e-3;
    break;
  case ElementType::BF16:
    out.tolerance = out.lseTolerance = 1e-2;
    break;
  }
  return out;
}

std::string describe(const RandomCase &c) {
  std::string text = "seed " + std::to_string(c.seed) + "\n" + c.text +
                     "B = " + std::to_string(c.batch) +
                     ", Nq = " + std::to_string(c.nq) +
                     ", Nk = " + std::to_string(c.nk);
  for (size_t i = 0; i < c.params.size(); ++i) {
    const Param &param = c.pattern.params[i];
    text += ", " + param.name + " = ";
    text += param.type == ParamType::Int ? std::to_string(c.params[i].integer)
                                         : std::to_string(c.params[i].real);
  }
  return text + "\n";
}

} // namespace fovea::reference
