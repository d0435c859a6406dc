// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Canonical text of a pattern: parsePattern(print(p)) equals p. One statement a
// line in the order of the language page, no superfluous parentheses, defaults
// of atoms left out.

#ifndef FOVEA_PATTERN_PRINTER_H
#define FOVEA_PATTERN_PRINTER_H

#include "fovea/Pattern/AST.h"

#include <string>

namespace fovea::pattern {

std::string print(const Pattern &pattern);

/// The expressions alone; `params` gives the names that they refer to.
std::string print(const IntExpr &expr, const std::vector<Param> &params);
std::string print(const FloatExpr &expr, const std::vector<Param> &params);
std::string print(const MaskExpr &expr, const std::vector<Param> &params);

/// "f32", "f16" or "bf16".
const char *spell(ElementType type);
/// "==", "<=" …
const char *spell(CompareOp op);
/// "+", "-", "*", "/" or "%".
const char *spell(ArithOp op);
/// "q", "k", "b", "h", "g", "nq" or "nk".
const char *spell(Variable variable);

} // namespace fovea::pattern

#endif // FOVEA_PATTERN_PRINTER_H
