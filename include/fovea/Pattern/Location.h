// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where something stands in a pattern's text. Every node keeps its location to
// the end, so that an error found late still points at what the user wrote.

#ifndef FOVEA_PATTERN_LOCATION_H
#define FOVEA_PATTERN_LOCATION_H

#include <cstdint>

namespace fovea::pattern {

/// A span of the text. Lines and columns count from 1, columns in characters
/// (not bytes); offset and length count bytes. Line 0 means "no text": the
/// pattern came from the builder.
struct Location {
  uint32_t offset = 0;
  uint32_t length = 0;
  uint32_t line = 0;
  uint32_t column = 0;

  bool isValid() const { return line != 0; }
};

} // namespace fovea::pattern

#endif // FOVEA_PATTERN_LOCATION_H
