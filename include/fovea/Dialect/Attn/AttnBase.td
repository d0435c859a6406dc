// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The attn dialect: what an attention pattern means, without how it is computed.
#ifndef FOVEA_DIALECT_ATTN_ATTNBASE_TD
#define FOVEA_DIALECT_ATTN_ATTNBASE_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def AttnDialect : Dialect {
  let name = "attn";
  let cppNamespace = "::fovea::attn";
  let summary = "Attention patterns: masks and scores as SSA values";
  let description = [{
    An `attn.kernel` holds one pattern. Its block arguments are the run-time params;
    its body builds a mask from one op an atom and the logical operators, and a
    score from upstream `arith` and `math` ops on `f32`; `attn.yield` ends it.
    Integers are `i64` and wrap. What each op means is defined by docs/language.md.

    Every op that makes a mask implements `MaskOpInterface`: the predicate of one
    pair, and the class of a run of keys for one tile of queries. A new mask is one
    op with these two methods, and nothing else changes.
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let hasCanonicalizer = 1; // of bands: lib/Dialect/Attn/Masks/Bands.cpp
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def MaskType : TypeDef<AttnDialect, "Mask"> {
  let mnemonic = "mask";
  let summary = "a set of pairs (q, k), for every batch and head";
}

def AlignmentEnum : I32EnumAttr<"Alignment", "how unequal lengths line up", [
    I32EnumAttrCase<"End", 0, "end">, I32EnumAttrCase<"Start", 1, "start">]> {
  let cppNamespace = "::fovea::attn";
  let genSpecializedAttr = 0;
}
def AlignmentAttr : EnumAttr<AttnDialect, AlignmentEnum, "alignment">;

def VariableEnum : I32EnumAttr<"Variable", "what an expression can see", [
    I32EnumAttrCase<"Q", 0, "q">, I32EnumAttrCase<"K", 1, "k">,
    I32EnumAttrCase<"B", 2, "b">, I32EnumAttrCase<"H", 3, "h">,
    I32EnumAttrCase<"G", 4, "g">, I32EnumAttrCase<"NQ", 5, "nq">,
    I32EnumAttrCase<"NK", 6, "nk">]> {
  let cppNamespace = "::fovea::attn";
  let genSpecializedAttr = 0;
}
def VariableAttr : EnumAttr<AttnDialect, VariableEnum, "variable">;

def CompareEnum : I32EnumAttr<"Predicate", "comparison of integers", [
    I32EnumAttrCase<"EQ", 0, "eq">, I32EnumAttrCase<"NE", 1, "ne">,
    I32EnumAttrCase<"LT", 2, "lt">, I32EnumAttrCase<"LE", 3, "le">,
    I32EnumAttrCase<"GT", 4, "gt">, I32EnumAttrCase<"GE", 5, "ge">]> {
  let cppNamespace = "::fovea::attn";
  let genSpecializedAttr = 0;
}
def CompareAttr : EnumAttr<AttnDialect, CompareEnum, "predicate">;

def PerEnum : I32EnumAttr<"Per", "what has a draw of its own", [
    I32EnumAttrCase<"H", 0, "h">, I32EnumAttrCase<"G", 1, "g">,
    I32EnumAttrCase<"None", 2, "none">]> {
  let cppNamespace = "::fovea::attn";
  let genSpecializedAttr = 0;
}
def PerAttr : EnumAttr<AttnDialect, PerEnum, "per">;

class AttnOp<string mnemonic, list<Trait> traits = []> : Op<AttnDialect, mnemonic, traits>;

#endif
