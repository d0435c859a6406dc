// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The language as C++, for programs that make patterns without text:
//
//   using namespace fovea::pattern::build;
//   ParseResult local = PatternBuilder("local")
//                           .heads(9, 3)
//                           .dim(64)
//                           .type(ElementType::F32)
//                           .intParam("w", 256)
//                           .mask(causal() & window(param("w"), 0))
//                           .score(softcap(s(), 30.0))
//                           .build();
//
// Functions, operators and their precedence are those of docs/language.md; what
// is built passes the same checks as text and gives an equal Pattern. Errors
// have no location. Nothing is shared or global: values may be copied between
// threads.

#ifndef FOVEA_PATTERN_BUILDER_H
#define FOVEA_PATTERN_BUILDER_H

#include "fovea/Pattern/AST.h"
#include "fovea/Pattern/Parser.h"
#include "fovea/Pattern/Syntax.h"

#include <concepts>
#include <optional>
#include <string>

namespace fovea::pattern::build {

/// A number: an integer expression or a score, as its place will say.
class Expr {
public:
  template <std::integral T> Expr(T value) : Expr(ofInteger(value)) {}
  Expr(double value);
  explicit Expr(Syntax syntax) : syntax(std::move(syntax)) {}

  Syntax syntax;

private:
  static Expr ofInteger(int64_t value);
};

class Mask {
public:
  explicit Mask(Syntax syntax) : syntax(std::move(syntax)) {}

  Syntax syntax;
};

// Names.
Expr param(std::string name);
Expr q();
Expr k();
Expr b();
Expr h();
Expr g();
Expr nq();
Expr nk();
Expr inf(); // a bound of window or dilated
Expr s();   // scale * <Q[i], K[j]>

// Arithmetic. `%` is of integers only.
Expr operator+(Expr x, Expr y);
Expr operator-(Expr x, Expr y);
Expr operator*(Expr x, Expr y);
Expr operator/(Expr x, Expr y);
Expr operator%(Expr x, Expr y);
Expr operator-(Expr x);
Expr min(Expr x, Expr y);
Expr max(Expr x, Expr y);
Expr abs(Expr x);

// Comparisons.
Mask operator==(Expr x, Expr y);
Mask operator!=(Expr x, Expr y);
Mask operator<(Expr x, Expr y);
Mask operator<=(Expr x, Expr y);
Mask operator>(Expr x, Expr y);
Mask operator>=(Expr x, Expr y);

// Masks.
Mask all();
Mask none();
Mask causal();
Mask window(Expr left, Expr right);
Mask window(Expr both);
Mask dilated(Expr left, Expr right, Expr step);
Mask global(Expr n);
Mask sink(Expr n);
Mask prefix(Expr n);

/// The named arguments of `random`.
struct Draw {
  int64_t block;
  Expr seed;
  RandomPer per = RandomPer::H;
  bool causal = false;
};
Mask random(Expr n, Draw draw);

Mask operator~(Mask x);
Mask operator&(Mask x, Mask y);
Mask operator^(Mask x, Mask y);
Mask operator|(Mask x, Mask y);

// Scores. Of a plain C++ number these are the C library's: `sqrt(64)` is 8.0.
Expr exp(Expr x);
Expr exp2(Expr x);
Expr log(Expr x);
Expr log2(Expr x);
Expr sqrt(Expr x);
Expr tanh(Expr x);
Expr softcap(Expr x, Expr cap);
Expr select(Mask condition, Expr x, Expr y);
Expr alibi();

/// Collects statements; `build` checks them all at once.
class PatternBuilder {
public:
  explicit PatternBuilder(std::string name);

  PatternBuilder &heads(int64_t count);
  PatternBuilder &heads(int64_t query, int64_t kv);
  PatternBuilder &dim(int64_t both);
  PatternBuilder &dim(int64_t qk, int64_t v);
  PatternBuilder &type(ElementType type);
  PatternBuilder &align(Align align);
  PatternBuilder &intParam(std::string name,
                           std::optional<int64_t> value = std::nullopt);
  PatternBuilder &floatParam(std::string name,
                             std::optional<float> value = std::nullopt);
  PatternBuilder &scale(Expr expr);
  PatternBuilder &mask(Mask mask);
  PatternBuilder &score(Expr expr);

  ParseResult build() const;

private:
  Statement &add(StatementKind kind);
  PatternBuilder &sizes(StatementKind kind, const char *first,
                        const char *second, int64_t a, int64_t b);

  SyntaxPattern syntax;
};

} // namespace fovea::pattern::build

#endif // FOVEA_PATTERN_BUILDER_H
