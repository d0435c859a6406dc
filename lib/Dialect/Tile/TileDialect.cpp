// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Registration, types and attributes of the tile dialect.
#include "fovea/Dialect/Tile/Tile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace fovea::tile;

#include "fovea/Dialect/Tile/TileDialect.cpp.inc"
#include "fovea/Dialect/Tile/TileEnums.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "fovea/Dialect/Tile/TileTypes.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "fovea/Dialect/Tile/TileAttrs.cpp.inc"

void TileDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "fovea/Dialect/Tile/TileTypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "fovea/Dialect/Tile/TileAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "fovea/Dialect/Tile/TileOps.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

Type TileType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type element;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseDimensionList(shape, false) ||
      parser.parseType(element) || parser.parseGreater())
    return {};
  if (shape.size() != 2) {
    parser.emitError(loc, "expected rows and columns of a tile, but got ")
        << shape.size() << " dimensions";
    return {};
  }
  return parser.getChecked<TileType>(loc, parser.getContext(), shape[0],
                                     shape[1], element);
}

void TileType::print(AsmPrinter &printer) const {
  printer << '<' << getRows() << 'x' << getCols() << 'x' << getElementType()
          << '>';
}

LogicalResult TileType::verify(function_ref<InFlightDiagnostic()> emitError,
                               int64_t rows, int64_t cols, Type element) {
  if (rows < 1 || cols < 1)
    return emitError() << "expected a tile of at least 1x1, but got " << rows
                       << 'x' << cols;
  if (!element.isIntOrFloat())
    return emitError() << "expected an integer or float element type, but got "
                       << element;
  return success();
}

Type ViewType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type element;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseDimensionList(shape, false) ||
      parser.parseType(element) || parser.parseGreater())
    return {};
  if (shape.size() != 1) {
    parser.emitError(loc, "expected one dimension of a view, but got ")
        << shape.size();
    return {};
  }
  return ViewType::get(parser.getContext(), shape[0], element);
}

void ViewType::print(AsmPrinter &printer) const {
  printer << '<' << getCols() << 'x' << getElementType() << '>';
}

LogicalResult ScheduleAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                   int64_t rows, int64_t keys, int64_t stages,
                                   int64_t warps) {
  if (rows < 1 || keys < 1 || stages < 1 || warps < 1)
    return emitError()
           << "expected rows, keys, stages and warps of at least 1, but got "
           << rows << ", " << keys << ", " << stages << " and " << warps;
  if (rows % warps != 0)
    return emitError() << "expected rows to be divisible by warps, but got "
                       << rows << " and " << warps;
  return success();
}
