// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shared by the tests of the front end: short ways to a pattern or its errors.

#ifndef FOVEA_UNITTESTS_PATTERN_PATTERNTEST_H
#define FOVEA_UNITTESTS_PATTERN_PATTERNTEST_H

#include "fovea/Pattern/Parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace fovea::pattern {

/// Line 1 holds what every pattern needs; `body` starts at line 2, column 1.
inline std::string wrap(std::string_view body) {
  return "pattern t { heads q = 4, kv = 2 dim 8 type f32\n" +
         std::string(body) + "\n}\n";
}

inline ParseResult parseBody(std::string_view body) {
  return parsePattern(wrap(body), "t.attn");
}

/// "line:column: message" of the first error, or "no error".
inline std::string firstError(std::string_view text) {
  ParseResult result = parsePattern(text, "t.attn");
  if (result)
    return "no error";
  const Diagnostic &first = result.diagnostics.at(0);
  return std::to_string(first.loc.line) + ":" +
         std::to_string(first.loc.column) + ": " + first.message;
}

inline std::string bodyError(std::string_view body) {
  return firstError(wrap(body));
}

/// The text that the first error points at.
inline std::string errorSpan(std::string_view text) {
  ParseResult result = parsePattern(text, "t.attn");
  if (result)
    return "no error";
  const Location &loc = result.diagnostics.at(0).loc;
  return std::string(text.substr(loc.offset, loc.length));
}

inline Pattern good(std::string_view body) {
  ParseResult result = parseBody(body);
  EXPECT_TRUE(result) << bodyError(body) << "\n" << body;
  return result ? *result.pattern : Pattern();
}

} // namespace fovea::pattern

#endif // FOVEA_UNITTESTS_PATTERN_PATTERNTEST_H
