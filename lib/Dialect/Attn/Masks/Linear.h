// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Integer expressions that are linear in q and k: what a comparison needs to be
// a band or a threshold.
#ifndef FOVEA_LIB_DIALECT_ATTN_MASKS_LINEAR_H
#define FOVEA_LIB_DIALECT_ATTN_MASKS_LINEAR_H

#include "mlir/IR/Value.h"

#include <cstdint>
#include <optional>

namespace fovea::attn {

/// queries * q + keys * k + constant, with coefficients -1, 0 or 1, where q and
/// k stand for floor(q / block) and floor(k / block). It cannot wrap: positions
/// are below 2^30, the constant is at most 2^60.
struct Linear {
  int queries = 0, keys = 0;
  int64_t constant = 0;
  int64_t block = 1;
  bool absolute = false; ///< the absolute value of a band without constant

  bool isBand() const { return queries * keys == -1; } ///< q - k or k - q
  bool isPosition() const { return queries + keys == 1 && queries * keys == 0; }
  bool isConstant() const { return queries == 0 && keys == 0; }
};

/// The expression in that form, if it has it and is small enough to look at.
std::optional<Linear> asLinear(mlir::Value expression);

/// a - b, if both have that form and it has too.
std::optional<Linear> difference(mlir::Value a, mlir::Value b);

} // namespace fovea::attn

#endif // FOVEA_LIB_DIALECT_ATTN_MASKS_LINEAR_H
