// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// PTX text to tokens; the literals are those of the ISA text, section 4.5.
#include "Lexer.h"
#include <bit>
#include <cctype>
#include <charconv>

namespace fovea::sim {
namespace {

bool isWordStart(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) || c == '_' || c == '$' ||
         c == '%' || c == '.';
}
bool isWordPart(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' ||
         c == '.';
}

bool isDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)); }

class Lexer {
public:
  explicit Lexer(std::string_view text) : text(text) {}

  std::vector<Token> run() {
    std::vector<Token> tokens;
    tokens.reserve(text.size() / 4);
    while (skipSpace())
      tokens.push_back(next());
    Token end;
    end.line = line;
    tokens.push_back(end);
    return tokens;
  }

private:
  char at(size_t i) const { return i < text.size() ? text[i] : '\0'; }

  bool skipSpace() {
    while (pos < text.size()) {
      char c = text[pos];
      if (c == '\n') {
        ++line;
        ++pos;
      } else if (std::isspace(static_cast<unsigned char>(c)) || c == '\0') {
        ++pos;
      } else if (c == '/' && at(pos + 1) == '/') {
        while (pos < text.size() && text[pos] != '\n')
          ++pos;
      } else if (c == '/' && at(pos + 1) == '*') {
        skipBlockComment();
      } else {
        return true;
      }
    }
    return false;
  }

  void skipBlockComment() {
    unsigned start = line;
    for (pos += 2; pos < text.size(); ++pos) {
      if (text[pos] == '\n')
        ++line;
      if (text[pos] == '*' && at(pos + 1) == '/') {
        pos += 2;
        return;
      }
    }
    throw UnsupportedError(start, "comment does not end");
  }

  Token make(Token::Kind kind, size_t start, uint64_t value = 0) {
    Token token;
    token.kind = kind;
    token.line = line;
    token.text = text.substr(start, pos - start);
    token.value = value;
    return token;
  }

  Token next() {
    size_t start = pos;
    char c = text[pos];
    if (isDigit(c) || (c == '.' && isDigit(at(pos + 1))))
      return number();
    if (isWordStart(c))
      return word();
    if (c == '"') {
      for (++pos; pos < text.size() && text[pos] != '"'; ++pos)
        if (text[pos] == '\\')
          ++pos;
      ++pos;
      return make(Token::String, start);
    }
    ++pos;
    return make(Token::Punct, start);
  }

  Token word() {
    size_t start = pos++;
    while (pos < text.size()) {
      if (isWordPart(text[pos]))
        ++pos;
      else if (text[pos] == ':' && at(pos + 1) == ':' &&
               (isWordStart(at(pos + 2)) ||
                std::isdigit(static_cast<unsigned char>(at(pos + 2)))))
        pos += 2;
      else
        break;
    }
    return make(Token::Word, start);
  }

  /// The value of text[from, pos) in `base`.
  uint64_t integer(size_t from, int base) {
    uint64_t value = 0;
    auto [end, error] =
        std::from_chars(text.data() + from, text.data() + pos, value, base);
    if (error != std::errc() || end != text.data() + pos)
      throw UnsupportedError(
          line, "malformed number '" +
                    std::string(text.substr(from, pos - from)) + "'");
    return value;
  }

  void skipHex() {
    while (std::isxdigit(static_cast<unsigned char>(at(pos))))
      ++pos;
  }

  Token number() {
    size_t start = pos;
    char kind = static_cast<char>(std::tolower(at(pos + 1)));
    if (text[pos] == '0' && (kind == 'f' || kind == 'd' || kind == 'x')) {
      pos += 2;
      skipHex();
      uint64_t value = integer(start + 2, 16);
      if (kind == 'f')
        return make(Token::Float32, start, value);
      if (kind == 'd')
        return make(Token::Float64, start, value);
      return finishInteger(start, value);
    }
    if (text[pos] == '0' && kind == 'b') {
      pos += 2;
      while (at(pos) == '0' || at(pos) == '1')
        ++pos;
      return finishInteger(start, integer(start + 2, 2));
    }
    while (isDigit(at(pos)))
      ++pos;
    char c = at(pos);
    // `5.` is a number, too; what follows it is no name.
    if ((c == '.' && (isDigit(at(pos + 1)) || !isWordStart(at(pos + 1)))) ||
        c == 'e' || c == 'E')
      return decimalFloat(start);
    bool octal = text[start] == '0' && pos - start > 1;
    return finishInteger(start, integer(start, octal ? 8 : 10));
  }

  Token finishInteger(size_t start, uint64_t value) {
    if (at(pos) == 'U' || at(pos) == 'u')
      ++pos;
    return make(Token::Integer, start, value);
  }

  Token decimalFloat(size_t start) {
    double value = 0;
    auto [end, error] =
        std::from_chars(text.data() + start, text.data() + text.size(), value);
    if (error != std::errc())
      throw UnsupportedError(line, "malformed floating-point number");
    pos = static_cast<size_t>(end - text.data());
    return make(Token::Float64, start, std::bit_cast<uint64_t>(value));
  }

  std::string_view text;
  size_t pos = 0;
  unsigned line = 1;
};

} // namespace

std::vector<Token> lex(std::string_view text) { return Lexer(text).run(); }

} // namespace fovea::sim
