// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The reference. One row at a time: which keys are kept, their logits, a
// softmax with the maximum taken out, the weighted sum of V.

#include "fovea/Reference/Reference.h"

#include "fovea/Runtime/Half.h"

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cmath>
#include <limits>

using namespace fovea::pattern;

namespace fovea::reference {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

double element(const fovea_tensor &tensor, int64_t b, int64_t h, int64_t n,
               int64_t d) {
  int64_t at = b * tensor.strides[0] + h * tensor.strides[1] +
               n * tensor.strides[2] + d * tensor.strides[3];
  switch (tensor.type) {
  case FOVEA_F32:
    return static_cast<const float *>(tensor.data)[at];
  case FOVEA_F16:
    return runtime::f16ToFloat(static_cast<const uint16_t *>(tensor.data)[at]);
  case FOVEA_BF16:
    return runtime::bf16ToFloat(static_cast<const uint16_t *>(tensor.data)[at]);
  }
  return nan;
}

/// Positions as expressions see them: k = j, and q by the alignment.
static Environment environmentOf(const Pattern &pattern,
                                 const std::vector<ParamValue> &params,
                                 const Pair &pair) {
  Environment env;
  env.params = params.data();
  env.q = pattern.align == Align::End ? pair.i + pair.nk - pair.nq : pair.i;
  env.k = pair.j;
  env.b = pair.b;
  env.h = pair.h;
  env.g = pair.h / pattern.groupSize();
  env.nq = pair.nq;
  env.nk = pair.nk;
  env.queryHeads = pattern.queryHeads;
  return env;
}

static bool keptIn(const Pattern &pattern, const Environment &env) {
  return !pattern.mask || pattern::keeps(*pattern.mask, env);
}

static double logitIn(const Pattern &pattern, const Environment &env) {
  return pattern.score ? evaluate(*pattern.score, env) : env.dot;
}

bool keeps(const Pattern &pattern, const std::vector<ParamValue> &params,
           const Pair &pair) {
  return keptIn(pattern, environmentOf(pattern, params, pair));
}

double logit(const Pattern &pattern, const std::vector<ParamValue> &params,
             const Pair &pair, double product) {
  Environment env = environmentOf(pattern, params, pair);
  env.dot = evaluateScale(pattern, params) * product;
  return logitIn(pattern, env);
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

/// A tensor as packed doubles.
static std::vector<double> widen(const fovea_tensor &tensor) {
  const int64_t *shape = tensor.shape;
  std::vector<double> values;
  values.reserve(shape[0] * shape[1] * shape[2] * shape[3]);
  for (int64_t b = 0; b < shape[0]; ++b)
    for (int64_t h = 0; h < shape[1]; ++h)
      for (int64_t n = 0; n < shape[2]; ++n)
        for (int64_t d = 0; d < shape[3]; ++d)
          values.push_back(element(tensor, b, h, n, d));
  return values;
}

namespace {

/// All that the rows share.
struct Problem {
  const Pattern &pattern;
  const std::vector<ParamValue> &params;
  int64_t batch, nq, nk;
  double scale;
  std::vector<double> q, k, v;

  int64_t rows() const { return batch * pattern.queryHeads * nq; }
};

} // namespace

static double dot(const double *a, const double *b, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i)
    sum += a[i] * b[i];
  return sum;
}

/// The kept keys of one row and their logits, in order. Gives the pairs kept,
/// which counts those of logit -infinity too, although they weigh nothing.
static int64_t rowLogits(const Problem &problem, int64_t row, DrawCache &draws,
                         std::vector<int64_t> &keys,
                         std::vector<double> &logits) {
  const Pattern &pattern = problem.pattern;
  Pair pair{row / problem.nq / pattern.queryHeads,
            row / problem.nq % pattern.queryHeads,
            row % problem.nq,
            0,
            problem.nq,
            problem.nk};
  Environment env = environmentOf(pattern, problem.params, pair);
  env.draws = &draws;
  const double *q = &problem.q[row * pattern.qkDim];
  const double *k = problem.k.data() + (pair.b * pattern.kvHeads + env.g) *
                                           problem.nk * pattern.qkDim;
  int64_t kept = 0;
  keys.clear();
  logits.clear();
  for (env.k = 0; env.k < problem.nk; ++env.k) {
    if (!keptIn(pattern, env))
      continue;
    ++kept;
    env.dot = problem.scale * dot(q, k + env.k * pattern.qkDim, pattern.qkDim);
    double logit = logitIn(pattern, env);
    if (logit == -infinity)
      continue;
    keys.push_back(env.k);
    logits.push_back(logit);
  }
  return kept;
}

/// softmax(logits) V into `o`, and the log of the sum of exponentials.
static double rowOutput(const Problem &problem, int64_t row,
                        const std::vector<int64_t> &keys,
                        const std::vector<double> &logits, double *o) {
  const Pattern &pattern = problem.pattern;
  int64_t width = pattern.vDim;
  int64_t b = row / problem.nq / pattern.queryHeads;
  int64_t g = row / problem.nq % pattern.queryHeads / pattern.groupSize();
  const double *v =
      problem.v.data() + (b * pattern.kvHeads + g) * problem.nk * width;
  std::fill(o, o + width, 0.0);
  if (keys.empty())
    return -infinity;
  double largest = *std::max_element(logits.begin(), logits.end());
  bool broken = std::any_of(logits.begin(), logits.end(), [](double logit) {
    return std::isnan(logit) || logit == infinity;
  });
  if (broken) {
    std::fill(o, o + width, nan);
    return nan;
  }
  double sum = 0;
  for (size_t n = 0; n < keys.size(); ++n) {
    double weight = std::exp(logits[n] - largest);
    sum += weight;
    for (int64_t d = 0; d < width; ++d)
      o[d] += weight * v[keys[n] * width + d];
  }
  for (int64_t d = 0; d < width; ++d)
    o[d] /= sum;
  return largest + std::log(sum);
}

Result attention(const Pattern &pattern, const std::vector<ParamValue> &params,
                 const fovea_tensor &q, const fovea_tensor &k,
                 const fovea_tensor &v) {
  assert(q.shape[1] == pattern.queryHeads && k.shape[1] == pattern.kvHeads &&
         v.shape[1] == pattern.kvHeads && "heads of the pattern");
  assert(q.shape[3] == pattern.qkDim && k.shape[3] == pattern.qkDim &&
         v.shape[3] == pattern.vDim && "dimensions of the pattern");
  assert(q.shape[0] == k.shape[0] && q.shape[0] == v.shape[0] &&
         k.shape[2] == v.shape[2] && "one batch, one number of keys");
  Problem problem{pattern,    params,     q.shape[0],
                  q.shape[2], k.shape[2], evaluateScale(pattern, params),
                  widen(q),   widen(k),   widen(v)};
  Result result;
  result.o.resize(problem.rows() * pattern.vDim);
  result.lse.resize(problem.rows());
  std::atomic<int64_t> kept = 0;
  tbb::parallel_for(
      tbb::blocked_range<int64_t>(0, problem.rows()), [&](const auto &range) {
        DrawCache draws;
        std::vector<int64_t> keys;
        std::vector<double> logits;
        for (int64_t row = range.begin(); row < range.end(); ++row) {
          kept += rowLogits(problem, row, draws, keys, logits);
          result.lse[row] = rowOutput(problem, row, keys, logits,
                                      result.o.data() + row * pattern.vDim);
        }
      });
  result.keptPairs = kept;
  return result;
}

//===----------------------------------------------------------------------===//
// Comparing
//===----------------------------------------------------------------------===//

static double difference(double expected, double found) {
  if (expected == found || (std::isnan(expected) && std::isnan(found)))
    return 0;
  double distance = std::fabs(expected - found);
  return std::isfinite(distance) ? distance : infinity;
}

/// Visits the elements in the order of a packed array.
template <typename Visit>
static void forEach(const fovea_tensor &tensor, Visit visit) {
  for (int64_t b = 0; b < tensor.shape[0]; ++b)
    for (int64_t h = 0; h < tensor.shape[1]; ++h)
      for (int64_t n = 0; n < tensor.shape[2]; ++n)
        for (int64_t d = 0; d < tensor.shape[3]; ++d)
          visit(element(tensor, b, h, n, d));
}

Difference compare(const Result &expected, const fovea_tensor &o,
                   const float *lse) {
  Difference largest;
  const double *next = expected.o.data();
  forEach(o, [&](double found) {
    largest.o = std::max(largest.o, difference(*next++, found));
  });
  for (size_t row = 0; lse && row < expected.lse.size(); ++row)
    largest.lse =
        std::max(largest.lse, difference(expected.lse[row], lse[row]));
  return largest;
}

double largestMagnitude(const fovea_tensor &tensor) {
  double largest = 0;
  forEach(tensor, [&](double value) {
    if (std::isfinite(value))
      largest = std::max(largest, std::fabs(value));
  });
  return largest;
}

} // namespace fovea::reference
