// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From the syntax tree to the checked one: every name resolved, every rule of
// the language page enforced, what may fail at run time collected.
//
// After an error the walk goes on with a stand-in, so that one run shows all
// mistakes; only the tree without any error leaves. What is legal but not yet
// implemented is an error at its place.

#ifndef FOVEA_LIB_PATTERN_SEMA_H
#define FOVEA_LIB_PATTERN_SEMA_H

#include "fovea/Pattern/Parser.h"
#include "fovea/Pattern/Syntax.h"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace fovea::pattern {

/// Which names an integer expression may read, and how to say so. Rules nest: a
/// divisor inside a bound obeys both.
struct IntRule {
  const char *subject;  // "a bound"
  const char *contents; // "numbers, params, nq and nk"
  unsigned variables;   // set of 1 << Variable
  const IntRule *outer = nullptr;

  bool allows(Variable variable) const {
    return variables >> static_cast<unsigned>(variable) & 1;
  }
};

/// How the arguments of one atom or function look.
struct ArgumentRule {
  size_t minPositional;
  size_t maxPositional;
  std::vector<std::string_view> named; // all required but `per`
  std::vector<std::string_view> flags;
};

/// The arguments of one call, sorted out. Pointers are into the call.
struct Arguments {
  std::vector<const Syntax *> positional;
  std::map<std::string_view, const Syntax *> named;
  std::set<std::string_view> flags;
};

class Sema {
public:
  explicit Sema(const SyntaxPattern &syntax) : syntax(syntax) {}

  ParseResult run();

private:
  /// What a score may hold that a scale may not, and the reverse.
  enum class FloatContext { Score, Scale };

  // Statements (Sema.cpp).
  void checkDuplicates();
  void declareNames();
  void declareParam(const Statement &statement);
  void setDefault(Param &param, const Syntax &value);
  bool checkName(const Word &name, const char *what);
  void checkStatement(const Statement &statement);
  void checkRequired();
  void checkHeads(const Syntax &call);
  void checkDims(const Syntax &call);
  int64_t size(const Syntax *value, const char *what);
  void checkType(const Word &word);
  void checkAlign(const Word &word);
  void checkScale(const Syntax &expr);
  void warnings();

  // Masks (SemaMask.cpp).
  MaskExpr mask(const Syntax &node);
  MaskExpr maskName(const Syntax &node);
  MaskExpr maskCall(const Syntax &node);
  MaskExpr maskChain(const Syntax &node);
  MaskExpr comparison(const Syntax &node);
  MaskExpr windowAtom(const Syntax &node);
  MaskExpr dilatedAtom(const Syntax &node);
  MaskExpr countedAtom(const Syntax &node, MaskKind kind);
  MaskExpr randomAtom(const Syntax &node);
  MaskExpr notAMask(const Syntax &node);
  IntExpr bound(const Syntax &node);
  IntExpr count(const Syntax &node);
  IntExpr step(const Syntax &node);
  int64_t blockSize(const Syntax &node);

  // Integers (SemaInt.cpp).
  IntExpr integer(const Syntax &node, const IntRule &rule);
  IntExpr intName(const Syntax &node, const IntRule &rule);
  IntExpr intCall(const Syntax &node, const IntRule &rule);
  IntExpr intChain(const Syntax &node, const IntRule &rule);
  IntExpr intNegate(const Syntax &node, const IntRule &rule);
  bool isInteger(const Syntax &node) const;
  /// Reports an integer that is known to break `kind`; asks for a check at run
  /// time where it is not known.
  void require(RequirementKind kind, const IntExpr &expr, const char *what);

  // Scores (SemaFloat.cpp).
  FloatExpr real(const Syntax &node, FloatContext context);
  FloatExpr realName(const Syntax &node, FloatContext context);
  FloatExpr realCall(const Syntax &node, FloatContext context);
  FloatExpr realChain(const Syntax &node, FloatContext context);
  FloatExpr select(const Syntax &node, FloatContext context);

  // Arguments (SemaArguments.cpp).
  bool match(const Syntax &call, const ArgumentRule &rule, Arguments &found);
  bool matchNamed(const Syntax &call, size_t index, const ArgumentRule &rule,
                  Arguments &found);

  // Errors (SemaArguments.cpp).
  void error(const Location &loc, std::string message,
             std::vector<Note> notes = {});
  void unsupported(const Location &loc, std::string_view what);
  /// The error for a name or call that nothing above recognised.
  void expected(const Syntax &node, std::string_view what);
  void subscript(const Syntax &node);
  static std::string describe(const Syntax &node);
  static Location nameOf(const Syntax &node);

  const Param *findParam(std::string_view name, unsigned *index) const;

  const SyntaxPattern &syntax;
  Pattern pattern;
  ParseResult result;
  size_t errors = 0;
  bool headsKnown = false;
  std::set<std::string, std::less<>> inputs;
  std::map<std::string, Location, std::less<>> declared;
  std::map<std::string, unsigned, std::less<>> paramIndex;
  /// What is known of each requirement so far: its error, or nothing.
  std::map<std::pair<RequirementKind, std::string>, std::optional<std::string>>
      required;
};

} // namespace fovea::pattern

#endif // FOVEA_LIB_PATTERN_SEMA_H
