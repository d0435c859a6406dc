// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Text to tokens, one at a time. Outside comments only ASCII occurs, so that
// bytes and characters are the same there; `//` comments are UTF-8 and only
// have to be valid. A malformed token is a token too (Error, with a message):
// the lexer reports nothing by itself.

#ifndef FOVEA_LIB_PATTERN_LEXER_H
#define FOVEA_LIB_PATTERN_LEXER_H

#include "fovea/Pattern/Diagnostic.h"

#include <optional>
#include <string>
#include <string_view>

namespace fovea::pattern {

enum class TokenKind {
  End,
  Error,
  Name,
  Integer,
  Float,
  LeftBrace,
  RightBrace,
  LeftParen,
  RightParen,
  LeftBracket,
  RightBracket,
  Comma,
  Colon,
  Assign,
  Plus,
  Minus,
  Star,
  Slash,
  Percent,
  Tilde,
  Ampersand,
  Caret,
  Pipe,
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
};

struct Token {
  TokenKind kind = TokenKind::End;
  Location loc;
  std::string_view text;
  uint64_t integer = 0; // Integer, at most 2^63
  double real = 0;      // Float, rounded to f32
  std::string message;  // Error
};

/// The first byte sequence of `text` that is not UTF-8, as an error.
std::optional<Diagnostic> checkUtf8(std::string_view text);

/// Length in bytes of the UTF-8 character at `text[at]`, or 0 if there is none.
unsigned utf8Length(std::string_view text, size_t at);

class Lexer {
public:
  /// `text` is valid UTF-8 and shorter than 4 GiB.
  explicit Lexer(std::string_view text) : text(text) {}

  Token next();

private:
  char peek(size_t ahead = 0) const {
    return at + ahead < text.size() ? text[at + ahead] : '\0';
  }
  void skipBlank();
  void skipComment();
  Token start() const;
  Token finish(Token token, TokenKind kind, size_t length);
  Token fail(Token token, size_t length, std::string message);
  Token lexName();
  Token lexNumber();
  Token lexInteger(Token token, size_t length);
  Token lexFloat(Token token, size_t length);
  Token lexPunctuation();

  std::string_view text;
  size_t at = 0;
  uint32_t line = 1;
  uint32_t column = 1;
};

} // namespace fovea::pattern

#endif // FOVEA_LIB_PATTERN_LEXER_H
