// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The arithmetic of the language on plain numbers, shared by the checker
// (constant folding), the launch checks and the reference: integers that wrap
// and divide toward minus infinity, ALiBi's slopes, SplitMix64 and Floyd's
// draw.

#ifndef FOVEA_PATTERN_EVALUATE_H
#define FOVEA_PATTERN_EVALUATE_H

#include "fovea/Pattern/AST.h"

#include <optional>
#include <string>
#include <vector>

namespace fovea::pattern {

/// The value of one param: of `integer` or `real`, as its type says.
struct ParamValue {
  int64_t integer = 0;
  float real = 0;
};

/// Remembers the last draw of each `random` atom, since a row asks for the same
/// one for every key. One for each thread; the atoms must outlive it.
class DrawCache {
public:
  /// The drawn blocks, ascending; valid until the next call.
  const std::vector<int64_t> &blocks(const MaskExpr &atom, int64_t n,
                                     int64_t count, int64_t seed, int64_t who,
                                     int64_t row);

private:
  struct Entry {
    const MaskExpr *atom;
    int64_t n, count, seed, who, row;
    std::vector<int64_t> drawn;
  };
  std::vector<Entry> entries;
};

/// Everything an expression may read. Positions are those of the language: q is
/// i + Nk - Nq under `align end`.
struct Environment {
  const ParamValue *params = nullptr;
  int64_t q = 0, k = 0, b = 0, h = 0, g = 0, nq = 0, nk = 0;
  int64_t queryHeads = 1;     // `alibi`
  double dot = 0;             // `s`
  DrawCache *draws = nullptr; // optional, for speed
};

/// a / b and a % b toward minus infinity; b is not 0. INT64_MIN / -1 wraps.
int64_t floorDiv(int64_t a, int64_t b);
int64_t floorMod(int64_t a, int64_t b);

/// Wraps; `expr` holds no `inf` and no divisor that is 0 in `env`.
int64_t evaluate(const IntExpr &expr, const Environment &env);

/// In f64; a side that `select` does not choose is not evaluated, and min and
/// max give NaN if either operand is one.
double evaluate(const FloatExpr &expr, const Environment &env);

/// Whether the mask keeps the pair (env.q, env.k).
bool keeps(const MaskExpr &expr, const Environment &env);

/// The params' defaults, in order; a param without one is 0.
std::vector<ParamValue> defaultParams(const Pattern &pattern);

/// The message of a requirement that does not hold for these values, with what
/// was found; nothing if it holds.
std::optional<std::string>
checkRequirement(const Requirement &requirement, const Pattern &pattern,
                 const std::vector<ParamValue> &params);

/// The message of the first requirement that does not hold for these values, or
/// nothing. It names the failing head where the requirement is per head.
std::optional<std::string>
checkRequirements(const Pattern &pattern,
                  const std::vector<ParamValue> &params);

/// The scale on <q, k> for these params: the statement's, or 1/sqrt(D).
double evaluateScale(const Pattern &pattern,
                     const std::vector<ParamValue> &params);

/// The positive slope of query head `head` of `heads`, as published with ALiBi
/// (Press, Smith, Lewis 2022, get_slopes).
double alibiSlope(int64_t head, int64_t heads);

/// One SplitMix64 step on a state: `mix` of the language page.
uint64_t mix(uint64_t x);

/// The blocks that random(n, …) draws out of `blocks` for `who` (h, g or 0) and
/// the query's block `row`, ascending; all of them when n >= blocks.
std::vector<int64_t> drawBlocks(int64_t n, int64_t blocks, int64_t seed,
                                int64_t who, int64_t row);

} // namespace fovea::pattern

#endif // FOVEA_PATTERN_EVALUATE_H
