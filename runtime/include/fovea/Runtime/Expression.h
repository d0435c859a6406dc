// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The formulas of a manifest: grids and requirements (docs/bundle.md,
// "Expressions"). They are few, short and evaluated once a launch, so they are
// evaluated while they are parsed; no tree is built.

#ifndef FOVEA_RUNTIME_EXPRESSION_H
#define FOVEA_RUNTIME_EXPRESSION_H

#include "fovea/Runtime/Result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fovea::runtime {

/// A name that an expression may read.
struct Binding {
  std::string name;
  bool isFloat = false;
  int64_t intValue = 0;
  float floatValue = 0;
};

/// The value in 64-bit integers that wrap, / and % toward minus infinity. A
/// division by zero is an error, FOVEA_WRONG_INPUT as all of them: an unknown
/// name, a float in it, a syntax error with the place.
Result<int64_t> evaluateInteger(std::string_view text,
                                const std::vector<Binding> &bindings);

/// The value with every operation in f32.
Result<float> evaluateReal(std::string_view text,
                           const std::vector<Binding> &bindings);

/// Whether `name` occurs in the text as a name.
bool mentions(std::string_view text, std::string_view name);

} // namespace fovea::runtime

#endif // FOVEA_RUNTIME_EXPRESSION_H
