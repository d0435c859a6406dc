// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Masks: one op an atom, and the operators.
#ifndef FOVEA_DIALECT_ATTN_ATTNMASKS_TD
#define FOVEA_DIALECT_ATTN_ATTNMASKS_TD

include "fovea/Dialect/Attn/AttnBase.td"
include "fovea/Dialect/Attn/AttnInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class MaskOp<string mnemonic, list<Trait> traits = []>
    : AttnOp<mnemonic, traits # [Pure, DeclareOpInterfaceMethods<MaskOpInterface>]> {
  let results = (outs MaskType:$mask);
}

def ConstantOp : MaskOp<"constant", [ConstantLike]> {
  let summary = "`all` or `none`";
  let arguments = (ins BoolAttr:$value);
  let assemblyFormat = "$value attr-dict";
  let hasFolder = 1;
}

def CausalOp : MaskOp<"causal"> {
  let summary = "k <= q";
  let assemblyFormat = "attr-dict";
}

def WindowOp : MaskOp<"window", [AttrSizedOperandSegments]> {
  let summary = "q - left <= k <= q + right; an absent bound is infinite";
  let arguments = (ins Optional<I64>:$left, Optional<I64>:$right);
  let assemblyFormat = "(`left` $left^)? (`right` $right^)? attr-dict";
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def BlockWindowOp : MaskOp<"block_window", [AttrSizedOperandSegments]> {
  let summary = "a window of blocks: what a comparison of q / B and k / B becomes";
  let description = [{
    floor(q / block) - left <= floor(k / block) <= floor(q / block) + right; an absent
    bound is infinite. `(q / 64 == k / 64)` is `block_window left 0 right 0 block 64`.
  }];
  let arguments = (ins Optional<I64>:$left, Optional<I64>:$right, I64Attr:$block);
  let assemblyFormat = "(`left` $left^)? (`right` $right^)? `block` $block attr-dict";
  let hasFolder = 1;
  let hasCanonicalizer = 1;
  let hasVerifier = 1;
}

def DilatedOp : MaskOp<"dilated", [AttrSizedOperandSegments]> {
  let summary = "window(left, right) and q - k divisible by step";
  let arguments = (ins Optional<I64>:$left, Optional<I64>:$right, I64:$step);
  let assemblyFormat = "(`left` $left^)? (`right` $right^)? `step` $step attr-dict";
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def GlobalOp : MaskOp<"global"> {
  let summary = "q < count or k < count; a negative count is 0";
  let arguments = (ins I64:$count);
  let assemblyFormat = "$count attr-dict";
}

def SinkOp : MaskOp<"sink"> {
  let summary = "k < count";
  let arguments = (ins I64:$count);
  let assemblyFormat = "$count attr-dict";
  let hasFolder = 1;
}

def QueriesOp : MaskOp<"queries"> {
  let summary = "q < count: what a comparison of q becomes";
  let arguments = (ins I64:$count);
  let assemblyFormat = "`below` $count attr-dict";
  let hasFolder = 1;
}

def PrefixOp : MaskOp<"prefix"> {
  let summary = "k < count or k <= q";
  let arguments = (ins I64:$count);
  let assemblyFormat = "$count attr-dict";
  let hasCanonicalizer = 1;
}

def RandomOp : MaskOp<"random"> {
  let summary = "k's block is one of `count` drawn for (head, q's block)";
  let description = [{
    Blocks are drawn by Floyd's method from SplitMix64, as docs/language.md says, so
    that no table exists. With `causal` only the blocks up to the query's own take part.
  }];
  let arguments = (ins I64:$count, I64:$seed, I64Attr:$block, PerAttr:$per, UnitAttr:$causal);
  let assemblyFormat = "$count `seed` $seed `block` $block `per` `` $per (`causal` $causal^)? attr-dict";
  let hasVerifier = 1;
}

def CompareOp : MaskOp<"compare"> {
  let summary = "a comparison of two integer expressions";
  let arguments = (ins CompareAttr:$predicate, I64:$lhs, I64:$rhs);
  let assemblyFormat = "`` $predicate $lhs `,` $rhs attr-dict";
  let hasCanonicalizer = 1;
}

def NotOp : MaskOp<"not"> {
  let summary = "the pairs that the mask drops";
  let arguments = (ins MaskType:$operand);
  let assemblyFormat = "$operand attr-dict";
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

class VariadicMaskOp<string mnemonic> : MaskOp<mnemonic, [Commutative]> {
  let arguments = (ins Variadic<MaskType>:$operands);
  let assemblyFormat = "$operands attr-dict";
  let hasFolder = 1;
  let hasCanonicalizer = 1;
  let hasVerifier = 1;
}
def AndOp : VariadicMaskOp<"and"> { let summary = "pairs that every mask keeps"; }
def OrOp : VariadicMaskOp<"or"> { let summary = "pairs that some mask keeps"; }

def XorOp : MaskOp<"xor", [Commutative]> {
  let summary = "pairs that exactly one of the two masks keeps";
  let arguments = (ins MaskType:$lhs, MaskType:$rhs);
  let assemblyFormat = "$lhs `,` $rhs attr-dict";
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

#endif
