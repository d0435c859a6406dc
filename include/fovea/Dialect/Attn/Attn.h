// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The attn dialect: masks and scores as SSA values. See AttnBase.td.
#ifndef FOVEA_DIALECT_ATTN_ATTN_H
#define FOVEA_DIALECT_ATTN_ATTN_H

#include "fovea/Dialect/Attn/MaskContext.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "fovea/Dialect/Attn/AttnDialect.h.inc"
#include "fovea/Dialect/Attn/AttnEnums.h.inc"
#include "fovea/Dialect/Attn/AttnInterfaces.h.inc"

#define GET_TYPEDEF_CLASSES
#include "fovea/Dialect/Attn/AttnTypes.h.inc"
#define GET_ATTRDEF_CLASSES
#include "fovea/Dialect/Attn/AttnAttrs.h.inc"
#define GET_OP_CLASSES
#include "fovea/Dialect/Attn/AttnOps.h.inc"

#endif // FOVEA_DIALECT_ATTN_ATTN_H
