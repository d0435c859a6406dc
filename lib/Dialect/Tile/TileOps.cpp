// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Verifiers, parsing and small queries of the tile dialect.
#include "fovea/Dialect/Tile/Tile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/FunctionImplementation.h"

using namespace mlir;
using namespace fovea::tile;

#define GET_OP_CLASSES
#include "fovea/Dialect/Tile/TileOps.cpp.inc"

//===----------------------------------------------------------------------===//
// tile.kernel
//===----------------------------------------------------------------------===//

// tile.kernel @name heads(9, 3) schedule(<...>) params(["w"]) (%Q: type, ...) {
// }
ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &b = parser.getBuilder();
  StringAttr name;
  int64_t heads, kvHeads;
  ScheduleAttr schedule;
  ArrayAttr params;
  SmallVector<OpAsmParser::Argument> args;
  if (parser.parseSymbolName(name, SymbolTable::getSymbolAttrName(),
                             result.attributes) ||
      parser.parseKeyword("heads") || parser.parseLParen() ||
      parser.parseInteger(heads) || parser.parseComma() ||
      parser.parseInteger(kvHeads) || parser.parseRParen() ||
      parser.parseKeyword("schedule") || parser.parseLParen() ||
      parser.parseCustomAttributeWithFallback(schedule) ||
      parser.parseRParen() || parser.parseKeyword("params") ||
      parser.parseLParen() || parser.parseAttribute(params) ||
      parser.parseRParen() ||
      parser.parseArgumentList(args, OpAsmParser::Delimiter::Paren,
                               /*allowType=*/true) ||
      parser.parseOptionalAttrDictWithKeyword(result.attributes) ||
      parser.parseRegion(*result.addRegion(), args))
    return failure();
  result.addAttribute(getQHeadsAttrName(result.name),
                      b.getI64IntegerAttr(heads));
  result.addAttribute(getKvHeadsAttrName(result.name),
                      b.getI64IntegerAttr(kvHeads));
  result.addAttribute(getScheduleAttrName(result.name), schedule);
  result.addAttribute(getParamNamesAttrName(result.name), params);
  return success();
}

void KernelOp::print(OpAsmPrinter &p) {
  p << ' ';
  p.printSymbolName(getSymName());
  p << " heads(" << getQHeads() << ", " << getKvHeads() << ") schedule(";
  p.printStrippedAttrOrType(getSchedule());
  p << ") params(" << getParamNames() << ")\n    (";
  llvm::interleaveComma(getBody().getArguments(), p,
                        [&](BlockArgument arg) { p.printRegionArgument(arg); });
  p << ") ";
  p.printOptionalAttrDictWithKeyword(
      (*this)->getAttrs(),
      {getSymNameAttrName(), getQHeadsAttrName(), getKvHeadsAttrName(),
       getScheduleAttrName(), getParamNamesAttrName()});
  p.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

LogicalResult KernelOp::verifyRegions() {
  if (getQHeads() < 1 || getKvHeads() < 1 || getQHeads() % getKvHeads() != 0)
    return emitOpError("expected KV heads to divide query heads, but got ")
           << getQHeads() << " and " << getKvHeads();
  Block &block = getBody().front();
  size_t expected = FirstParam + getParamNames().size();
  if (block.getNumArguments() != expected)
    return emitOpError("expected ") << expected << " block arguments, but got "
                                    << block.getNumArguments();
  for (unsigned i = 0; i < FirstParam; ++i) {
    Type type = block.getArgument(i).getType();
    bool good = i <= LSE ? isa<ViewType>(type) : type.isInteger(32);
    if (!good)
      return emitOpError("expected block argument ")
             << i << " to be " << (i <= LSE ? "a view" : "i32") << ", but got "
             << type;
  }
  for (unsigned i = FirstParam; i < block.getNumArguments(); ++i) {
    Type type = block.getArgument(i).getType();
    if (!type.isInteger(64) && !type.isF32())
      return emitOpError("expected param ")
             << i - FirstParam << " to be i64 or f32, but got " << type;
  }
  return success();
}

Type KernelOp::getStorageType() {
  return cast<ViewType>(argument(Q).getType()).getElementType();
}
int64_t KernelOp::getQKDim() {
  return cast<ViewType>(argument(Q).getType()).getCols();
}
int64_t KernelOp::getVDim() {
  return cast<ViewType>(argument(V).getType()).getCols();
}

//===----------------------------------------------------------------------===//
// Loads, fills and the loop over key tiles
//===----------------------------------------------------------------------===//

LogicalResult LoadOp::verify() {
  ViewType view = getView().getType();
  TileType tile = getTile().getType();
  if (view.getCols() != tile.getCols() ||
      view.getElementType() != tile.getElementType())
    return emitOpError("expected the tile to hold rows of ")
           << view << ", but got " << tile;
  return success();
}

LogicalResult FillOp::verify() {
  if (getValue().getType() != getTile().getType().getElementType())
    return emitOpError("expected a value of the tile's element type ")
           << getTile().getType().getElementType() << ", but got "
           << getValue().getType();
  return success();
}

LogicalResult KeysOp::verify() {
  if (getInit().getTypes() != getResults().getTypes())
    return emitOpError("expected results of the types of init");
  return success();
}

LogicalResult KeysOp::verifyRegions() {
  Block &walk = walkBlock();
  if (walk.getNumArguments() != 1 ||
      !walk.getArgument(0).getType().isInteger(32))
    return emitOpError("expected the walk to take one i32, the key");
  if (!isa<RunOp>(walk.getTerminator()))
    return emitOpError("expected the walk to end in 'tile.run'");
  Block &body = bodyBlock();
  if (body.getNumArguments() != FirstState + getInit().size())
    return emitOpError("expected ")
           << FirstState + getInit().size()
           << " arguments of the body, but got " << body.getNumArguments();
  auto keyTile = dyn_cast<TileType>(body.getArgument(KeyTile).getType());
  auto valueTile = dyn_cast<TileType>(body.getArgument(ValueTile).getType());
  if (!body.getArgument(Column).getType().isInteger(32) ||
      !body.getArgument(Masked).getType().isInteger(1) || !keyTile ||
      !valueTile)
    return emitOpError("expected the body to take i32, i1 and two tiles first");
  if (keyTile.getRows() != valueTile.getRows())
    return emitOpError("expected as many keys as values, but got ")
           << keyTile.getRows() << " and " << valueTile.getRows();
  if (keyTile.getCols() != getKeys().getType().getCols() ||
      valueTile.getCols() != getValues().getType().getCols())
    return emitOpError(
        "expected key and value tiles to hold rows of their views");
  auto yield = dyn_cast<YieldOp>(body.getTerminator());
  if (!yield || yield.getValues().getTypes() != getInit().getTypes())
    return emitOpError(
        "expected the body to yield values of the types of init");
  return success();
}

//===----------------------------------------------------------------------===//
// Arithmetic on tiles
//===----------------------------------------------------------------------===//

LogicalResult DotOp::verify() {
  TileType lhs = getLhs().getType(), rhs = getRhs().getType();
  TileType result = getResult().getType();
  int64_t inner = getTransposed() ? rhs.getCols() : rhs.getRows();
  int64_t outer = getTransposed() ? rhs.getRows() : rhs.getCols();
  if (lhs.getCols() != inner)
    return emitOpError("expected inner dimensions to match, but got ")
           << lhs.getCols() << " and " << inner;
  if (result.getRows() != lhs.getRows() || result.getCols() != outer ||
      !result.getElementType().isF32())
    return emitOpError("expected a result of ")
           << lhs.getRows() << 'x' << outer << "xf32, but got " << result;
  if (getAcc() && getAcc().getType() != result)
    return emitOpError("expected the accumulator to be ")
           << result << ", but got " << getAcc().getType();
  return success();
}

static LogicalResult verifyRowVector(Operation *op, TileType tile,
                                     TileType rows, StringRef what) {
  if (rows.getRows() != tile.getRows() || rows.getCols() != 1)
    return op->emitOpError("expected ")
           << what << " of " << tile.getRows() << "x1, but got "
           << rows.getRows() << 'x' << rows.getCols();
  return success();
}

LogicalResult RescaleOp::verify() {
  return verifyRowVector(*this, getTile().getType(), getFactor().getType(),
                         "factors");
}
LogicalResult RowMaxOp::verify() {
  return verifyRowVector(*this, getTile().getType(), getInit().getType(),
                         "init");
}
LogicalResult RowSumOp::verify() {
  return verifyRowVector(*this, getTile().getType(), getInit().getType(),
                         "init");
}

LogicalResult OnlineSoftmaxOp::verify() {
  TileType scores = getScores().getType();
  TileType probabilities = getProbabilities().getType();
  if (scores.getRows() != probabilities.getRows() ||
      scores.getCols() != probabilities.getCols())
    return emitOpError(
               "expected probabilities of the shape of the scores, but got ")
           << probabilities << " and " << scores;
  return verifyRowVector(*this, scores, getMax().getType(), "max");
}

/// An element region takes the types `expected` and yields one `result`.
static LogicalResult verifyElementRegion(Operation *op, Region &region,
                                         ArrayRef<Type> expected, Type result,
                                         StringRef name) {
  Block &block = region.front();
  if (TypeRange(block.getArgumentTypes()) != TypeRange(expected))
    return op->emitOpError("expected the ")
           << name << " region to take (" << expected << "), but got ("
           << block.getArgumentTypes() << ")";
  auto yield = dyn_cast<YieldOp>(block.getTerminator());
  if (!yield || yield.getValues().size() != 1 ||
      yield.getValues()[0].getType() != result)
    return op->emitOpError("expected the ")
           << name << " region to yield " << result;
  return success();
}

LogicalResult OnlineSoftmaxOp::verifyRegions() {
  Builder b(getContext());
  Type i32 = b.getI32Type(), f32 = b.getF32Type();
  if (failed(verifyElementRegion(*this, getScore(), {f32, i32, i32}, f32,
                                 "score")))
    return failure();
  return verifyElementRegion(*this, getKeep(), {i32, i32}, b.getI1Type(),
                             "keep");
}

Value OnlineSoftmaxOp::getPureScale() {
  Block &block = getScore().front();
  auto mul =
      block.getTerminator()->getOperand(0).getDefiningOp<arith::MulFOp>();
  if (!mul)
    return {};
  Value score = block.getArgument(Score);
  Value factor = mul.getLhs() == score ? mul.getRhs() : mul.getLhs();
  if (mul.getLhs() != score && mul.getRhs() != score)
    return {};
  FloatAttr constant;
  if (!matchPattern(factor, m_Constant(&constant)) ||
      !constant.getValue().isFinite() || constant.getValueAsDouble() <= 0)
    return {};
  return factor;
}

LogicalResult MapOp::verify() {
  TileType result = getResult().getType();
  for (Value input : getInputs()) {
    auto tile = cast<TileType>(input.getType());
    if (tile.getRows() != result.getRows() ||
        (tile.getCols() != result.getCols() && tile.getCols() != 1))
      return emitOpError("expected inputs that broadcast to ")
             << result << ", but got " << tile;
  }
  if (!getFirstQuery() != !getFirstKey())
    return emitOpError("expected both positions or none");
  return success();
}

LogicalResult MapOp::verifyRegions() {
  SmallVector<Type> expected;
  for (Value input : getInputs())
    expected.push_back(cast<TileType>(input.getType()).getElementType());
  if (getFirstQuery())
    expected.append(2, IntegerType::get(getContext(), 32));
  return verifyElementRegion(*this, getBody(), expected,
                             getResult().getType().getElementType(), "map");
}

LogicalResult StoreResultOp::verify() {
  if (getOutput().getType().getCols() != getOutView().getType().getCols())
    return emitOpError("expected the output to hold rows of ")
           << getOutView().getType() << ", but got " << getOutput().getType();
  return verifyRowVector(*this, getOutput().getType(), getMax().getType(),
                         "max");
}

LogicalResult ExceedsOp::verify() {
  return verifyRowVector(*this, getTile().getType(), getBound().getType(),
                         "bounds");
}

LogicalResult MaskOp::verify() {
  TileType scores = getScores().getType(), values = getValues().getType();
  if (scores.getCols() != values.getRows())
    return emitOpError(
               "expected one row of values a column of scores, but got ")
           << values << " and " << scores;
  return success();
}

LogicalResult MaskOp::verifyRegions() {
  Builder b(getContext());
  return verifyElementRegion(*this, getKeep(), {b.getI32Type(), b.getI32Type()},
                             b.getI1Type(), "keep");
}
