// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The kernel, and the integers and floats that masks and scores are made of.
#ifndef FOVEA_DIALECT_ATTN_ATTNOPS_TD
#define FOVEA_DIALECT_ATTN_ATTNOPS_TD

include "fovea/Dialect/Attn/AttnMasks.td"
include "mlir/IR/SymbolInterfaces.td"

def KernelOp : AttnOp<"kernel", [IsolatedFromAbove, Symbol, SingleBlock]> {
  let summary = "one attention pattern";
  let description = [{
    ```mlir
    attn.kernel @local heads(32, 8) dims(128, 128) type(bf16) align(end) params(%w "w" : i64) {
      %near = attn.window left %w right %w
      %scale = arith.constant 0.0883883461 : f32
      %s = attn.dot %scale
      attn.yield %near, %s
    }
    ```
    `heads` are those of Q and of K and V, `dims` those of Q and K, and of V and O.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$q_heads, I64Attr:$kv_heads,
                       I64Attr:$qk_dim, I64Attr:$v_dim, TypeAttr:$element_type,
                       AlignmentAttr:$alignment, StrArrayAttr:$param_names);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def YieldOp : AttnOp<"yield", [Pure, Terminator, HasParent<"KernelOp">]> {
  let summary = "the mask and the score of the pattern";
  let arguments = (ins MaskType:$mask, F32:$score);
  let assemblyFormat = "$mask `,` $score attr-dict";
}

def VariableOp : AttnOp<"variable", [Pure]> {
  let summary = "a position (q, k), an index (b, h, g) or a length (nq, nk)";
  let arguments = (ins VariableAttr:$variable);
  let results = (outs I64:$value);
  let assemblyFormat = "`` $variable attr-dict";
}

class FloorOp<string mnemonic> : AttnOp<mnemonic, [Pure]> {
  let arguments = (ins I64:$lhs, I64:$rhs);
  let results = (outs I64:$value);
  let assemblyFormat = "$lhs `,` $rhs attr-dict";
  let hasFolder = 1;
}
def FloorDivOp : FloorOp<"floordiv"> {
  let summary = "quotient rounded toward minus infinity; wraps; the divisor is not 0";
}
def FloorModOp : FloorOp<"floormod"> {
  let summary = "lhs - rhs * floordiv(lhs, rhs)";
}

def DotOp : AttnOp<"dot", [Pure]> {
  let summary = "scale * <Q[i], K[j]>: the language's `s`";
  let arguments = (ins F32:$scale);
  let results = (outs F32:$score);
  let assemblyFormat = "$scale attr-dict";
}

def KeepsOp : AttnOp<"keeps", [Pure]> {
  let summary = "a mask's value at the pair, for `select`";
  let arguments = (ins MaskType:$mask);
  let results = (outs I1:$value);
  let assemblyFormat = "$mask attr-dict";
}

def AlibiOp : AttnOp<"alibi", [Pure]> {
  let summary = "-slope(h) * |q - k|";
  let description = [{
    slope(h) = 2^(-8 (h + 1) / H) for H query heads where H is a power of two;
    otherwise the slopes of the next lower power of two P for the first P heads, then
    every second slope of 2 P. Press, Smith and Lewis, "Train Short, Test Long", 2022.
  }];
  let results = (outs F32:$bias);
  let assemblyFormat = "attr-dict";
}

def SoftcapOp : AttnOp<"softcap", [Pure]> {
  let summary = "cap * tanh(x / cap)";
  let arguments = (ins F32:$value, F32:$cap);
  let results = (outs F32:$capped);
  let assemblyFormat = "$value `,` $cap attr-dict";
}

#endif
