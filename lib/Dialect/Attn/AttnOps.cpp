// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The kernel, and the integer ops that arith has no equal for.
#include "fovea/Dialect/Attn/Attn.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace fovea::attn;

#define GET_OP_CLASSES
#include "fovea/Dialect/Attn/AttnOps.cpp.inc"

//===----------------------------------------------------------------------===//
// attn.kernel
//===----------------------------------------------------------------------===//

static ParseResult parsePair(OpAsmParser &parser, StringRef keyword, int64_t &a,
                             int64_t &b) {
  return failure(parser.parseKeyword(keyword) || parser.parseLParen() ||
                 parser.parseInteger(a) || parser.parseComma() ||
                 parser.parseInteger(b) || parser.parseRParen());
}

// params(%w "w" : i64, %c "c" : f32)
static ParseResult parseParams(OpAsmParser &parser,
                               SmallVectorImpl<OpAsmParser::Argument> &args,
                               SmallVectorImpl<Attribute> &names) {
  if (failed(parser.parseOptionalKeyword("params")))
    return success();
  return parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, [&] {
    std::string name; // not an attribute: that would take the type as its own
    if (parser.parseArgument(args.emplace_back()) ||
        parser.parseString(&name) || parser.parseColonType(args.back().type))
      return failure();
    names.push_back(parser.getBuilder().getStringAttr(name));
    return success();
  });
}

ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &b = parser.getBuilder();
  int64_t heads, kvHeads, qkDim, vDim;
  Type element;
  StringRef alignment;
  StringAttr name;
  SmallVector<OpAsmParser::Argument> args;
  SmallVector<Attribute> names;
  if (parser.parseSymbolName(name, SymbolTable::getSymbolAttrName(),
                             result.attributes) ||
      parsePair(parser, "heads", heads, kvHeads) ||
      parsePair(parser, "dims", qkDim, vDim) || parser.parseKeyword("type") ||
      parser.parseLParen() || parser.parseType(element) ||
      parser.parseRParen() || parser.parseKeyword("align") ||
      parser.parseLParen() || parser.parseKeyword(&alignment) ||
      parser.parseRParen())
    return failure();
  std::optional<Alignment> align = symbolizeAlignment(alignment);
  if (!align)
    return parser.emitError(parser.getNameLoc(),
                            "expected align to be end or start, but got ")
           << alignment;
  if (parseParams(parser, args, names) ||
      parser.parseOptionalAttrDictWithKeyword(result.attributes) ||
      parser.parseRegion(*result.addRegion(), args))
    return failure();
  result.addAttribute(getQHeadsAttrName(result.name),
                      b.getI64IntegerAttr(heads));
  result.addAttribute(getKvHeadsAttrName(result.name),
                      b.getI64IntegerAttr(kvHeads));
  result.addAttribute(getQkDimAttrName(result.name),
                      b.getI64IntegerAttr(qkDim));
  result.addAttribute(getVDimAttrName(result.name), b.getI64IntegerAttr(vDim));
  result.addAttribute(getElementTypeAttrName(result.name),
                      TypeAttr::get(element));
  result.addAttribute(getAlignmentAttrName(result.name),
                      AlignmentAttr::get(b.getContext(), *align));
  result.addAttribute(getParamNamesAttrName(result.name),
                      b.getArrayAttr(names));
  return success();
}

void KernelOp::print(OpAsmPrinter &p) {
  p << ' ';
  p.printSymbolName(getSymName());
  p << " heads(" << getQHeads() << ", " << getKvHeads() << ") dims("
    << getQkDim() << ", " << getVDim() << ") type(" << getElementType()
    << ") align(" << stringifyAlignment(getAlignment()) << ") ";
  if (!getParamNames().empty()) {
    p << "params(";
    llvm::interleaveComma(
        llvm::zip_equal(getBody().getArguments(), getParamNames()), p,
        [&](auto pair) {
          auto [argument, name] = pair;
          p << argument << ' ' << name << " : " << argument.getType();
        });
    p << ") ";
  }
  p.printOptionalAttrDictWithKeyword(
      (*this)->getAttrs(),
      {getSymNameAttrName(), getQHeadsAttrName(), getKvHeadsAttrName(),
       getQkDimAttrName(), getVDimAttrName(), getElementTypeAttrName(),
       getAlignmentAttrName(), getParamNamesAttrName()});
  p.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

LogicalResult KernelOp::verify() {
  // The accessors give unsigned words.
  int64_t heads = getQHeads(), kvHeads = getKvHeads();
  int64_t qkDim = getQkDim(), vDim = getVDim();
  if (heads < 1 || kvHeads < 1 || heads % kvHeads != 0)
    return emitOpError("expected KV heads to divide query heads, but got ")
           << heads << " and " << kvHeads;
  if (qkDim < 1 || vDim < 1)
    return emitOpError("expected dimensions of at least 1, but got ")
           << qkDim << " and " << vDim;
  Type type = getElementType();
  if (!type.isF32() && !type.isF16() && !type.isBF16())
    return emitOpError("expected type f16, bf16 or f32, but got ") << type;
  return success();
}

LogicalResult KernelOp::verifyRegions() {
  Block &block = getBody().front();
  if (block.getNumArguments() != getParamNames().size())
    return emitOpError("expected as many block arguments as params, but got ")
           << block.getNumArguments() << " and " << getParamNames().size();
  for (BlockArgument argument : block.getArguments())
    if (!argument.getType().isInteger(64) && !argument.getType().isF32())
      return emitOpError("expected params of type i64 or f32, but got ")
             << argument.getType();
  if (!isa<YieldOp>(block.getTerminator()))
    return emitOpError("expected the body to end in 'attn.yield'");
  return success();
}

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

// Wrapping: MIN / -1 is MIN, computed on the bits.
static int64_t floorDivision(int64_t a, int64_t b) {
  if (b == -1)
    return static_cast<int64_t>(0 - static_cast<uint64_t>(a));
  int64_t quotient = a / b;
  return quotient - (a % b != 0 && (a < 0) != (b < 0));
}

/// The constant operands, unless unknown or the divisor is zero.
static std::optional<std::pair<int64_t, int64_t>> constants(Attribute lhs,
                                                            Attribute rhs) {
  auto a = dyn_cast_or_null<IntegerAttr>(lhs);
  auto b = dyn_cast_or_null<IntegerAttr>(rhs);
  if (!a || !b || b.getInt() == 0)
    return std::nullopt;
  return std::pair(a.getInt(), b.getInt());
}

OpFoldResult FloorDivOp::fold(FoldAdaptor adaptor) {
  auto pair = constants(adaptor.getLhs(), adaptor.getRhs());
  if (!pair)
    return {};
  return IntegerAttr::get(getType(), floorDivision(pair->first, pair->second));
}

OpFoldResult FloorModOp::fold(FoldAdaptor adaptor) {
  auto pair = constants(adaptor.getLhs(), adaptor.getRhs());
  if (!pair)
    return {};
  auto [a, b] = *pair;
  uint64_t multiple =
      static_cast<uint64_t>(floorDivision(a, b)) * static_cast<uint64_t>(b);
  return IntegerAttr::get(
      getType(), static_cast<int64_t>(static_cast<uint64_t>(a) - multiple));
}
