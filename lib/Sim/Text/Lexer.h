// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// PTX text to tokens.
//
// A word keeps its dots (`ld.global.v4.u32`, `%tid.x`, `.reg`), so that an
// opcode is one token; `::` joins a word (`shared::cta`), a single `:` ends a
// label. Comments vanish; every token keeps its line.
#ifndef FOVEA_LIB_SIM_LEXER_H
#define FOVEA_LIB_SIM_LEXER_H

#include "Types.h"
#include <vector>

namespace fovea::sim {

struct Token {
  enum Kind : uint8_t { Word, Integer, Float32, Float64, String, Punct, End };
  Kind kind = End;
  unsigned line = 0;
  std::string_view text;
  /// The integer, or the bits of the float.
  uint64_t value = 0;

  bool is(char c) const { return kind == Punct && text[0] == c; }
  bool is(std::string_view word) const { return kind == Word && text == word; }
};

/// Tokens of `text`, which must outlive them; the last is End.
std::vector<Token> lex(std::string_view text);

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_LEXER_H
