// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tokens to a syntax tree, by recursive descent. Masks and arithmetic share one
// grammar of expressions; what is which is Sema's to say:
//
//   pattern  := 'pattern' name '{' statement* '}'
//   or       := xor ('|' xor)*         chains are flat: a loop, no recursion
//   xor      := and ('^' and)*
//   and      := not ('&' not)*
//   not      := '~' not | compare
//   compare  := sum [('==' | '!=' | '<' | '<=' | '>' | '>=') sum]
//   sum      := product (('+' | '-') product)*
//   product  := minus (('*' | '/' | '%') minus)*
//   minus    := '-' minus | primary
//   primary  := number | name ['(' arguments ')' | '[' list ']'] | '(' or ')'
//   argument := [name '='] (or | '[' list ']')
//   case     := or ':' or | 'else' ':' or       (arguments of per_head)

#ifndef FOVEA_LIB_PATTERN_SYNTAXPARSER_H
#define FOVEA_LIB_PATTERN_SYNTAXPARSER_H

#include "Lexer.h"
#include "fovea/Pattern/Diagnostic.h"
#include "fovea/Pattern/Syntax.h"

#include <optional>

namespace fovea::pattern {

/// Stops at the first error: from there on every token is End, which ends
/// every loop, so that no function has to pass a failure on.
class SyntaxParser {
public:
  explicit SyntaxParser(std::string_view text) : lexer(text) {}

  /// Parses the whole text; see `error()` for whether it worked.
  SyntaxPattern parse();
  const std::optional<Diagnostic> &error() const { return failure; }

private:
  class Nested;

  void advance();
  bool at(TokenKind kind) const { return token.kind == kind; }
  bool atWord(std::string_view word) const {
    return at(TokenKind::Name) && token.text == word;
  }
  bool accept(TokenKind kind);
  void expect(TokenKind kind, std::string_view what);
  void expectedError(std::string_view what);
  void fail(const Location &loc, std::string message);
  Word parseWord(std::string_view what);

  void parseStatement(SyntaxPattern &pattern);
  void parseBody(Statement &statement);
  void parseParam(Statement &statement);
  void parseInput(Statement &statement);
  void parseNamedNumbers(Statement &statement);
  void parseParenArguments(Statement &statement, bool optional);

  Syntax parseExpr() { return parseChain(0); }
  Syntax parseChain(unsigned level);
  Syntax parseNot();
  Syntax parseCompare();
  Syntax parseMinus();
  Syntax parsePrimary();
  Syntax parseNumber();
  Syntax parseName();
  void parseArguments(Syntax &call, TokenKind close);
  void parseArgument(Syntax &call);
  Syntax parseCase();
  Syntax parseList();
  Syntax close(Syntax node) const;

  Lexer lexer;
  Token token;       // the one to look at
  Token upcoming;    // the one after it, for `name =`
  Location previous; // of the last token taken
  unsigned depth = 0;
  std::optional<Diagnostic> failure;
};

} // namespace fovea::pattern

#endif // FOVEA_LIB_PATTERN_SYNTAXPARSER_H
