// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Registration of the attn dialect.
#include "fovea/Dialect/Attn/Attn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace fovea::attn;

#include "fovea/Dialect/Attn/AttnDialect.cpp.inc"
#include "fovea/Dialect/Attn/AttnEnums.cpp.inc"
#include "fovea/Dialect/Attn/AttnInterfaces.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "fovea/Dialect/Attn/AttnTypes.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "fovea/Dialect/Attn/AttnAttrs.cpp.inc"

void AttnDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "fovea/Dialect/Attn/AttnTypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "fovea/Dialect/Attn/AttnAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "fovea/Dialect/Attn/AttnOps.cpp.inc"
      >();
}

// Masks fold to a BoolAttr, integers and floats to their attributes.
Operation *AttnDialect::materializeConstant(OpBuilder &builder, Attribute value,
                                            Type type, Location loc) {
  if (isa<MaskType>(type))
    return ConstantOp::create(builder, loc, type, cast<BoolAttr>(value));
  return arith::ConstantOp::materialize(builder, value, type, loc);
}
