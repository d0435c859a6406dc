// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A checked pattern, as plain values. docs/language.md is its meaning; this is
// what is left once every name is resolved, every default filled in and every
// rule of that page checked, so that a consumer needs no error handling.
//
// There are three kinds of expression, because there are three meanings:
//   IntExpr    64-bit integers that wrap; / and % round toward minus infinity
//   FloatExpr  f32 arithmetic (scores and `scale`): `q / 64` is not rounded
//   MaskExpr   a predicate on (b, h, q, k)
// An IntExpr occurs only as an operand of a mask; a mask occurs in a score only
// as the condition of a `select`. So the context of `q - k` is never in doubt:
// in a score it is a FloatExpr over q and k, each converted to f32.
//
// Chains are flat: `a + b - c` is one node with operands a, b, c and operators
// +, -, applied from left to right. Depth is bounded by the nesting limit of
// the language (256), so recursive walks are safe however long the text is.
//
// Equality ignores locations.

#ifndef FOVEA_PATTERN_AST_H
#define FOVEA_PATTERN_AST_H

#include "fovea/Pattern/Location.h"

#include <cassert>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fovea::pattern {

enum class ElementType { F32, F16, BF16 };
enum class Align { End, Start };
enum class ParamType { Int, Float };

/// Position of the query and key, batch, query head, KV head, lengths.
enum class Variable { Q, K, B, H, G, Nq, Nk };

/// The operators of a chain: + and - make one chain, * / % another.
enum class ArithOp { Add, Sub, Mul, Div, Rem };

enum class CompareOp { Eq, Ne, Lt, Le, Gt, Ge };

/// `param name : type [= value]`. Kernels take params in declaration order, an
/// int as i64 and a float as f32.
struct Param {
  std::string name;
  ParamType type = ParamType::Int;
  /// The default, in the member that fits the type; none: it must be given.
  std::optional<int64_t> intDefault;
  std::optional<float> floatDefault;
  Location loc;

  bool hasDefault() const { return intDefault || floatDefault; }
};
bool operator==(const Param &a, const Param &b);

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

enum class IntKind {
  Number,   // value
  Infinity, // `inf`: only as the left or right bound of window and dilated
  Param,    // an int param: index
  Variable, // variable
  Negate,   // operands[0]
  Chain,    // operands[0] ops[0] operands[1] ops[1] …, left to right
  Min,      // two operands
  Max,      // two operands
  Abs,      // operands[0]
};

struct IntExpr {
  IntKind kind = IntKind::Number;
  Location loc;
  int64_t value = 0;
  unsigned index = 0;
  Variable variable = Variable::Q;
  std::vector<ArithOp> ops = {};
  std::vector<IntExpr> operands = {};

  bool isInfinite() const { return kind == IntKind::Infinity; }
};
bool operator==(const IntExpr &a, const IntExpr &b);

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

/// Names in brackets are accessors of MaskExpr.
enum class MaskKind {
  All,
  None,
  Causal,  // k <= q
  Window,  // [left, right]: q - left <= k <= q + right
  Dilated, // [left, right, step]: window and (q - k) % step == 0
  Global,  // [count]: q < n or k < n
  Sink,    // [count]: k < n
  Prefix,  // [count]: k < n or k <= q
  Random,  // [count, seed, block, per, causal]
  Compare, // [lhs, rhs, compare]: two integer expressions
  Not,     // operands[0]
  And,     // operands, two or more; never directly inside another And
  Xor,     // the same
  Or,      // the same
};

/// What has its own draw of random blocks: a query head, a KV head, or nothing.
enum class RandomPer { H, G, None };

struct MaskExpr {
  MaskKind kind = MaskKind::All;
  Location loc;
  /// Sub-masks of Not, And, Xor, Or.
  std::vector<MaskExpr> operands = {};
  /// Integer operands of an atom, in the order of the accessors below.
  std::vector<IntExpr> ints = {};
  CompareOp compare = CompareOp::Eq; // Compare
  int64_t block = 1;                 // Random, at least 1
  RandomPer per = RandomPer::H;      // Random
  bool causal = false; // Random: only blocks up to the query's own

  const IntExpr &left() const { return at(isBand(), 0); }
  const IntExpr &right() const { return at(isBand(), 1); }
  const IntExpr &step() const { return at(kind == MaskKind::Dilated, 2); }
  const IntExpr &count() const { return at(isCounted(), 0); }
  const IntExpr &seed() const { return at(kind == MaskKind::Random, 1); }
  const IntExpr &lhs() const { return at(kind == MaskKind::Compare, 0); }
  const IntExpr &rhs() const { return at(kind == MaskKind::Compare, 1); }

private:
  bool isBand() const {
    return kind == MaskKind::Window || kind == MaskKind::Dilated;
  }
  bool isCounted() const {
    return kind == MaskKind::Global || kind == MaskKind::Sink ||
           kind == MaskKind::Prefix || kind == MaskKind::Random;
  }
  const IntExpr &at(bool has, size_t i) const {
    assert(has && "the atom has no such operand");
    (void)has;
    return ints[i];
  }
};
bool operator==(const MaskExpr &a, const MaskExpr &b);

//===----------------------------------------------------------------------===//
// Scores and scale
//===----------------------------------------------------------------------===//

enum class FloatKind {
  Number,     // value: a float or an integer literal
  IntParam,   // index of an int param, converted to f32
  FloatParam, // index of a float param
  Variable,   // variable, converted to f32
  Dot,        // `s`: scale * <Q[i], K[j]>
  Negate,     // operands[0]
  Chain,      // operands and ops (+ - or * /), left to right
  Min,        // two operands
  Max,        // two operands
  Abs,        // one operand, as all down to Tanh
  Exp,
  Exp2,
  Log,
  Log2,
  Sqrt,
  Tanh,
  Softcap,       // operands x, c: c * tanh(x / c)
  Alibi,         // -slope(h) * abs(q - k); alibiSlope() in Evaluate.h
  Select,        // condition() ? operands[0] : operands[1]
  SelectCompare, // operands[0] compare operands[1] ? operands[2] : operands[3]
};

struct FloatExpr {
  FloatKind kind = FloatKind::Number;
  Location loc;
  double value = 0;
  unsigned index = 0;
  Variable variable = Variable::Q;
  CompareOp compare = CompareOp::Eq; // SelectCompare: IEEE, as of floats
  std::vector<ArithOp> ops = {};
  std::vector<FloatExpr> operands = {};
  /// Select: one mask (an integer comparison is one too). Otherwise empty.
  std::vector<MaskExpr> conditions = {};

  const MaskExpr &condition() const {
    assert(kind == FloatKind::Select && "only select has a condition");
    return conditions.front();
  }
};
bool operator==(const FloatExpr &a, const FloatExpr &b);

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

/// What must hold before a launch and could not be decided from the text: the
/// params have no value yet. NonZero and AtLeastOne are of `integer` (over
/// numbers, params, h and g: they must hold for every head), Finite of `real`
/// (over numbers and params).
enum class RequirementKind { NonZero, AtLeastOne, Finite };

struct Requirement {
  RequirementKind kind = RequirementKind::NonZero;
  IntExpr integer;
  FloatExpr real;
  /// The expression as canonical text of the language, for the manifest.
  std::string expression;
  /// The error to give when it does not hold, such as "expected the divisor 'd'
  /// not to be 0".
  std::string message;
  /// Whether h or g occurs, so that it is to be checked for every head.
  bool perHead = false;
  Location loc;
};

struct Pattern {
  std::string name;
  Location loc;
  int64_t queryHeads = 1; // H
  int64_t kvHeads = 1;    // G, divides H
  int64_t qkDim = 1;      // D: last dimension of Q and K
  int64_t vDim = 1;       // E: last dimension of V and O
  ElementType type = ElementType::F32;
  Align align = Align::End;
  std::vector<Param> params;
  /// Absent: 1 / sqrt(qkDim).
  std::optional<FloatExpr> scale;
  /// Absent: all pairs.
  std::optional<MaskExpr> mask;
  /// Absent: `s`.
  std::optional<FloatExpr> score;
  /// Derived from the rest; no part of equality.
  std::vector<Requirement> requirements;

  int64_t groupSize() const { return queryHeads / kvHeads; }
};
bool operator==(const Pattern &a, const Pattern &b);

} // namespace fovea::pattern

#endif // FOVEA_PATTERN_AST_H
