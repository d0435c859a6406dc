// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Text to checked pattern. Neither function exits, throws for a wrong pattern,
// prints or touches a global: they may be called from any number of threads.

#ifndef FOVEA_PATTERN_PARSER_H
#define FOVEA_PATTERN_PARSER_H

#include "fovea/Pattern/AST.h"
#include "fovea/Pattern/Diagnostic.h"

#include <optional>
#include <string_view>
#include <vector>

namespace fovea::pattern {

/// A pattern, or at least one diagnostic of severity Error. Warnings may come
/// with a pattern.
struct ParseResult {
  std::optional<Pattern> pattern;
  std::vector<Diagnostic> diagnostics;

  explicit operator bool() const { return pattern.has_value(); }
};

/// Parses and checks one `pattern name { … }`. `file` names the text in the
/// diagnostics ("<command line>" for inline text). Nothing of `text` is kept.
ParseResult parsePattern(std::string_view text, std::string_view file);

} // namespace fovea::pattern

#endif // FOVEA_PATTERN_PARSER_H
