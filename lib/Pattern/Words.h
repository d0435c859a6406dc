// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The reserved words of the language, by what they are. A reserved word names
// nothing else; option words (`seed`, `block`, `end`, …) are not reserved.

#ifndef FOVEA_LIB_PATTERN_WORDS_H
#define FOVEA_LIB_PATTERN_WORDS_H

#include "fovea/Pattern/Syntax.h"

#include <optional>
#include <string>
#include <string_view>

namespace fovea::pattern {

enum class WordClass { None, Statement, Atom, Function, Type, Variable, Other };

WordClass classify(std::string_view word);

/// The statement that `word` opens.
std::optional<StatementKind> statementKind(std::string_view word);
const char *spell(StatementKind kind);
const char *spell(SyntaxOp op);

/// The word of class `wanted` nearest to a misspelt one, or nothing if none is
/// within two edits.
std::optional<std::string> nearestWord(std::string_view word, WordClass wanted);

} // namespace fovea::pattern

#endif // FOVEA_LIB_PATTERN_WORDS_H
