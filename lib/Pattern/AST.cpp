// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Equality of trees: everything that has a meaning, so not the locations.

#include "fovea/Pattern/AST.h"

#include <tuple>

namespace fovea::pattern {

bool operator==(const Param &a, const Param &b) {
  return std::tie(a.name, a.type, a.intDefault, a.floatDefault) ==
         std::tie(b.name, b.type, b.intDefault, b.floatDefault);
}

bool operator==(const IntExpr &a, const IntExpr &b) {
  return std::tie(a.kind, a.value, a.index, a.variable, a.ops, a.operands) ==
         std::tie(b.kind, b.value, b.index, b.variable, b.ops, b.operands);
}

bool operator==(const MaskExpr &a, const MaskExpr &b) {
  return std::tie(a.kind, a.operands, a.ints, a.compare, a.block, a.per,
                  a.causal) == std::tie(b.kind, b.operands, b.ints, b.compare,
                                        b.block, b.per, b.causal);
}

bool operator==(const FloatExpr &a, const FloatExpr &b) {
  return std::tie(a.kind, a.value, a.index, a.variable, a.compare, a.ops,
                  a.operands, a.conditions) ==
         std::tie(b.kind, b.value, b.index, b.variable, b.compare, b.ops,
                  b.operands, b.conditions);
}

bool operator==(const Pattern &a, const Pattern &b) {
  return std::tie(a.name, a.queryHeads, a.kvHeads, a.qkDim, a.vDim, a.type,
                  a.align, a.params, a.scale, a.mask, a.score) ==
         std::tie(b.name, b.queryHeads, b.kvHeads, b.qkDim, b.vDim, b.type,
                  b.align, b.params, b.scale, b.mask, b.score);
}

} // namespace fovea::pattern
