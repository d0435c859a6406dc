// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The way from text to a checked pattern: bytes, grammar, meaning. Each stage
// ends with its first error, but meaning shows all of its own.

#include "fovea/Pattern/Parser.h"

#include "Sema.h"
#include "SyntaxParser.h"

#include <limits>

using namespace fovea::pattern;

static ParseResult parseText(std::string_view text) {
  ParseResult result;
  if (text.size() > std::numeric_limits<uint32_t>::max()) {
    result.diagnostics.push_back({Severity::Error,
                                  "",
                                  {0, 0, 1, 1},
                                  "expected a text below 4 GiB, found " +
                                      std::to_string(text.size()) + " bytes",
                                  {}});
    return result;
  }
  if (std::optional<Diagnostic> bad = checkUtf8(text)) {
    result.diagnostics.push_back(std::move(*bad));
    return result;
  }
  SyntaxParser parser(text);
  SyntaxPattern syntax = parser.parse();
  if (parser.error()) {
    result.diagnostics.push_back(*parser.error());
    return result;
  }
  return Sema(syntax).run();
}

ParseResult fovea::pattern::parsePattern(std::string_view text,
                                         std::string_view file) {
  ParseResult result = parseText(text);
  for (Diagnostic &diagnostic : result.diagnostics)
    diagnostic.file = file;
  return result;
}
