// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the front end has to say about a pattern, as data. Nothing here prints
// or exits; `render` makes the usual text with the line and an underline:
//
//   bigbird.attn:6:10: error: expected a mask, found 'windo'
//     mask   windo(192, 192)
//            ^~~~~

#ifndef FOVEA_PATTERN_DIAGNOSTIC_H
#define FOVEA_PATTERN_DIAGNOSTIC_H

#include "fovea/Pattern/Location.h"

#include <string>
#include <string_view>
#include <vector>

namespace fovea::pattern {

enum class Severity { Error, Warning };

/// A remark that belongs to a diagnostic, such as "first declared here". Its
/// location may be invalid; then only the message is shown.
struct Note {
  Location loc;
  std::string message;
};

/// One error or warning. Messages start in lower case and end without a full
/// stop. An invalid location means that there is no text to point at.
struct Diagnostic {
  Severity severity = Severity::Error;
  std::string file;
  Location loc;
  std::string message;
  std::vector<Note> notes;
};

/// "file:line:col: error: message", then, where `text` holds the line, the line
/// and an underline; notes follow in the same form. A span that runs over
/// several lines is underlined to the end of its first. Ends in a newline.
std::string render(const Diagnostic &diagnostic, std::string_view text);

/// All of them, one after the other.
std::string render(const std::vector<Diagnostic> &diagnostics,
                   std::string_view text);

} // namespace fovea::pattern

#endif // FOVEA_PATTERN_DIAGNOSTIC_H
