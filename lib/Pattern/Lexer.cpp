// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The lexer. Numbers are read without the locale; a float literal is rounded to
// f32 here, since f32 is all that the language computes with.

#include "Lexer.h"

#include "fovea/Pattern/Syntax.h"

#include <charconv>
#include <cmath>
#include <cstdio>

using namespace fovea::pattern;

static bool isDigit(char c) { return c >= '0' && c <= '9'; }
static bool isNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
static bool isNamePart(char c) { return isNameStart(c) || isDigit(c); }

//===----------------------------------------------------------------------===//
// UTF-8
//===----------------------------------------------------------------------===//

/// Smallest and largest second byte after `lead`, which excludes overlong
/// forms, surrogates and what lies above U+10FFFF (Unicode 15, table 3-7).
static void secondByteRange(unsigned char lead, unsigned char &low,
                            unsigned char &high) {
  low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
}

unsigned fovea::pattern::utf8Length(std::string_view text, size_t at) {
  auto byte = [&](size_t i) -> unsigned char {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0;
  };
  unsigned char lead = byte(0);
  if (lead < 0x80)
    return at < text.size();
  unsigned length = lead >= 0xC2 && lead <= 0xDF   ? 2
                    : lead >= 0xE0 && lead <= 0xEF ? 3
                    : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                   : 0;
  if (!length)
    return 0;
  unsigned char low, high;
  secondByteRange(lead, low, high);
  if (byte(1) < low || byte(1) > high)
    return 0;
  for (unsigned i = 2; i < length; ++i)
    if (byte(i) < 0x80 || byte(i) > 0xBF)
      return 0;
  return length;
}

std::optional<Diagnostic> fovea::pattern::checkUtf8(std::string_view text) {
  uint32_t line = 1, column = 1;
  for (size_t at = 0; at < text.size();) {
    unsigned length = utf8Length(text, at);
    if (!length) {
      char hex[8];
      std::snprintf(hex, sizeof hex, "0x%02X",
                    static_cast<unsigned char>(text[at]));
      return Diagnostic{Severity::Error,
                        "",
                        {static_cast<uint32_t>(at), 1, line, column},
                        "expected UTF-8, found the byte " + std::string(hex),
                        {}};
    }
    if (text[at] == '\n') {
      ++line;
      column = 1;
    } else {
      ++column;
    }
    at += length;
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Tokens
//===----------------------------------------------------------------------===//

Token Lexer::start() const {
  Token token;
  token.loc = {static_cast<uint32_t>(at), 0, line, column};
  return token;
}

Token Lexer::finish(Token token, TokenKind kind, size_t length) {
  token.kind = kind;
  token.text = text.substr(at, length);
  token.loc.length = static_cast<uint32_t>(length);
  at += length;
  column += static_cast<uint32_t>(length);
  return token;
}

Token Lexer::fail(Token token, size_t length, std::string message) {
  token = finish(std::move(token), TokenKind::Error, length);
  token.message = std::move(message);
  return token;
}

void Lexer::skipComment() {
  while (at < text.size() && text[at] != '\n') {
    at += utf8Length(text, at);
    ++column;
  }
}

void Lexer::skipBlank() {
  for (;;) {
    char c = peek();
    if (c == '\n') {
      ++at;
      ++line;
      column = 1;
    } else if (c == ' ' || c == '\t' || c == '\r') {
      ++at;
      ++column;
    } else if (c == '/' && peek(1) == '/') {
      skipComment();
    } else {
      return;
    }
  }
}

Token Lexer::next() {
  skipBlank();
  if (at >= text.size())
    return start();
  char c = peek();
  if (isNameStart(c))
    return lexName();
  if (isDigit(c) || (c == '.' && isDigit(peek(1))))
    return lexNumber();
  return lexPunctuation();
}

Token Lexer::lexName() {
  size_t length = 1;
  while (isNamePart(peek(length)))
    ++length;
  if (length > maxNameLength)
    return fail(start(), length,
                "expected a name of at most " + std::to_string(maxNameLength) +
                    " characters, found one of " + std::to_string(length));
  return finish(start(), TokenKind::Name, length);
}

Token Lexer::lexNumber() {
  auto digits = [&](size_t from) {
    while (isDigit(peek(from)))
      ++from;
    return from;
  };
  size_t whole = digits(0);
  size_t length = whole;
  if (peek(whole) == '.') {
    length = digits(whole + 1);
    bool complete = whole > 0 && length > whole + 1;
    if (complete && (peek(length) == 'e' || peek(length) == 'E')) {
      size_t sign = peek(length + 1) == '+' || peek(length + 1) == '-';
      size_t end = digits(length + 1 + sign);
      complete = end > length + 1 + sign;
      length = end;
    }
    if (complete && !isNamePart(peek(length)) && peek(length) != '.')
      return lexFloat(start(), length);
  } else if (!isNamePart(peek(whole))) {
    return lexInteger(start(), whole);
  }
  // Show the whole word that was meant as a number.
  while (isNamePart(peek(length)) || peek(length) == '.')
    ++length;
  return fail(start(), length,
              "expected a number such as 10 or 1.0e-3, found '" +
                  std::string(text.substr(at, std::min<size_t>(length, 40))) +
                  "'");
}

Token Lexer::lexInteger(Token token, size_t length) {
  const char *begin = text.data() + at;
  uint64_t value = 0;
  auto [end, error] = std::from_chars(begin, begin + length, value);
  // 2^63 itself is kept for `-9223372036854775808`.
  if (error != std::errc() || value > uint64_t{1} << 63)
    return fail(std::move(token), length,
                "expected an integer of 64 bits, found '" +
                    std::string(begin, std::min<size_t>(length, 40)) + "'");
  token.integer = value;
  return finish(std::move(token), TokenKind::Integer, length);
}

Token Lexer::lexFloat(Token token, size_t length) {
  const char *begin = text.data() + at;
  float value = 0;
  auto [end, error] = std::from_chars(begin, begin + length, value);
  if (error == std::errc::result_out_of_range) {
    // Too small rounds to zero. Which of the two it is shows in double, or, if
    // that fails as well, in the exponent or the leading zero.
    double wide = 0;
    std::string_view literal(begin, length);
    bool tiny = false;
    if (std::from_chars(begin, begin + length, wide).ec == std::errc())
      tiny = std::fabs(wide) < 1;
    else if (literal.find_first_of("eE") != std::string_view::npos)
      tiny = literal.find('-') != std::string_view::npos;
    else
      tiny = literal[literal.find_first_not_of('0')] == '.';
    if (!tiny)
      return fail(std::move(token), length,
                  "expected a float in the range of f32, found '" +
                      std::string(begin, std::min<size_t>(length, 40)) + "'");
    value = static_cast<float>(wide);
  }
  token.real = value;
  return finish(std::move(token), TokenKind::Float, length);
}

Token Lexer::lexPunctuation() {
  struct Spelling {
    std::string_view text;
    TokenKind kind;
  };
  // Longer spellings first.
  static constexpr Spelling spellings[] = {
      {"==", TokenKind::Equal},       {"!=", TokenKind::NotEqual},
      {"<=", TokenKind::LessEqual},   {">=", TokenKind::GreaterEqual},
      {"<", TokenKind::Less},         {">", TokenKind::Greater},
      {"=", TokenKind::Assign},       {"{", TokenKind::LeftBrace},
      {"}", TokenKind::RightBrace},   {"(", TokenKind::LeftParen},
      {")", TokenKind::RightParen},   {"[", TokenKind::LeftBracket},
      {"]", TokenKind::RightBracket}, {",", TokenKind::Comma},
      {":", TokenKind::Colon},        {"+", TokenKind::Plus},
      {"-", TokenKind::Minus},        {"*", TokenKind::Star},
      {"/", TokenKind::Slash},        {"%", TokenKind::Percent},
      {"~", TokenKind::Tilde},        {"&", TokenKind::Ampersand},
      {"^", TokenKind::Caret},        {"|", TokenKind::Pipe},
  };
  std::string_view rest = text.substr(at);
  for (const Spelling &spelling : spellings)
    if (rest.substr(0, spelling.text.size()) == spelling.text)
      return finish(start(), spelling.kind, spelling.text.size());

  unsigned length = utf8Length(text, at);
  std::string character(rest.substr(0, length));
  auto byte = static_cast<unsigned char>(rest[0]);
  if (length > 1) {
    Token token =
        fail(start(), length,
             "expected only ASCII outside comments, found '" + character + "'");
    column -= length - 1;
    return token;
  }
  if (byte < 0x20 || byte == 0x7F) {
    char hex[8];
    std::snprintf(hex, sizeof hex, "0x%02X", byte);
    character = hex;
    return fail(start(), 1, "unexpected control character " + character);
  }
  return fail(start(), 1, "unexpected character '" + character + "'");
}
