// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operations of the tile dialect, in the order a kernel uses them.
#ifndef FOVEA_DIALECT_TILE_TILEOPS_TD
#define FOVEA_DIALECT_TILE_TILEOPS_TD

include "fovea/Dialect/Tile/TileBase.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class TileOp<string mnemonic, list<Trait> traits = []> : Op<TileDialect, mnemonic, traits>;

def KernelOp : TileOp<"kernel", [IsolatedFromAbove, Symbol, NoTerminator, SingleBlock]> {
  let summary = "the program of one work item: one query tile of one head";
  let description = [{
    The block's arguments are, in order: the views `%Q %K %V %O %LSE` of this
    head; `%b %h %g` (i32: batch, query head, KV head); `%row` (i32: first row of
    the tile); `%nq %nk` (i32: lengths); then the pattern's run-time params, i64
    or f32, in the order they were declared.

    ```mlir
    tile.kernel @causal heads(9, 3) schedule(<rows = 64, keys = 64, stages = 2, warps = 4>)
        (%Q: !tile.view<64xf16>, %K: !tile.view<64xf16>, ...) { ... }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$q_heads, I64Attr:$kv_heads,
                       ScheduleAttr:$schedule, StrArrayAttr:$param_names);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    enum Argument { Q, K, V, O, LSE, Batch, Head, KVHead, Row, NumQueries, NumKeys, FirstParam };
    ::mlir::BlockArgument argument(unsigned i) { return getBody().getArgument(i); }
    /// Element type of Q, K, V and O.
    ::mlir::Type getStorageType();
    int64_t getQKDim();
    int64_t getVDim();
  }];
}

def LoadOp : TileOp<"load", [MemoryEffects<[MemRead]>]> {
  let summary = "load a tile of rows; rows past the end are zero";
  let arguments = (ins ViewType:$view, I32:$row, I32:$length);
  let results = (outs TileType:$tile);
  let assemblyFormat = "$view `[` $row `of` $length `]` attr-dict `:` type($view) `->` type($tile)";
  let hasVerifier = 1;
}

def FillOp : TileOp<"fill", [Pure]> {
  let summary = "a tile whose elements are all the same scalar";
  let arguments = (ins AnyFloat:$value);
  let results = (outs TileType:$tile);
  let assemblyFormat = "$value attr-dict `:` type($value) `->` type($tile)";
  let hasVerifier = 1;
}

def KeysOp : TileOp<"keys", [SingleBlock, RecursiveMemoryEffects]> {
  let summary = "visit, in order, the key tiles that hold a kept pair";
  let description = [{
    Key tiles start at multiples of the schedule's `keys`. The `walk` region says
    what the mask does around a key: for key `%t` it yields whether `any` row of
    the query tile keeps the keys of the run that begins at `%t`, whether `all`
    rows keep all of them, and the key `until` (> `%t`) at which that answer may
    change. Tiles in which no run has `any` are not visited; runs without `any` are
    jumped over at once, so the walk costs as much as the mask has runs.

    The `body` runs once a visited tile: `%col` is its first key, `%masked` is
    false when every row keeps every one of its keys (and the tile does not pass
    the end), `%k` and `%v` are its keys and values (zero past the end). What
    follows is the loop's state, initially `init`, as `tile.yield` leaves it.

    How many tiles of K and V are in flight (`stages`) belongs to the loop: it is
    the schedule's.

    ```mlir
    %m, %l, %o = tile.keys %K, %V to %nk init(%m0, %l0, %o0) : ... 
      walk { ^bb0(%t: i32): ... tile.run %any, %all, %until }
      body { ^bb0(%col: i32, %masked: i1, %k: !tile.tile<64x64xf16>, %v: ..., %m: ..., ...): ... tile.yield ... }
    ```
  }];
  let arguments = (ins ViewType:$keys, ViewType:$values, I32:$length, Variadic<TileType>:$init);
  let results = (outs Variadic<TileType>:$results);
  let regions = (region SizedRegion<1>:$walk, SizedRegion<1>:$body);
  let assemblyFormat = [{
    $keys `,` $values `to` $length `init` `(` $init `)` attr-dict `:`
    type($keys) `,` type($values) `,` functional-type($init, $results) `walk` $walk `body` $body
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    enum BodyArgument { Column, Masked, KeyTile, ValueTile, FirstState };
    ::mlir::Block &walkBlock() { return getWalk().front(); }
    ::mlir::Block &bodyBlock() { return getBody().front(); }
  }];
}

def RunOp : TileOp<"run", [Pure, Terminator, HasParent<"KeysOp">]> {
  let summary = "what the mask does with the keys from `%t` to `until`";
  let arguments = (ins I1:$any, I1:$all, I32:$until);
  let assemblyFormat = "$any `,` $all `,` $until attr-dict";
}

def YieldOp : TileOp<"yield", [Pure, Terminator, ParentOneOf<["KeysOp", "OnlineSoftmaxOp", "MapOp", "MaskOp"]>]> {
  let summary = "what a region hands back";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

def DotOp : TileOp<"dot", [Pure]> {
  let summary = "matrix product, summed in f32";
  let description = [{
    `lhs` [M, K] times `rhs` ([N, K] if `transposed`, else [K, N]), plus `acc`.
  }];
  let arguments = (ins TileType:$lhs, TileType:$rhs, Optional<TileType>:$acc, UnitAttr:$transposed);
  let results = (outs TileType:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs (`transposed` $transposed^)? (`acc` $acc^ `:` type($acc))? attr-dict
    `:` type($lhs) `,` type($rhs) `->` type($result)
  }];
  let hasVerifier = 1;
}

def RescaleOp : TileOp<"rescale", [Pure, AllTypesMatch<["tile", "result"]>]> {
  let summary = "multiply every row of a tile by its own factor";
  let arguments = (ins TileType:$tile, TileType:$factor);
  let results = (outs TileType:$result);
  let assemblyFormat = "$tile `by` $factor attr-dict `:` type($tile) `,` type($factor)";
  let hasVerifier = 1;
}

def OnlineSoftmaxOp : TileOp<"online_softmax", [
    RecursiveMemoryEffects, RecursivelySpeculatable, SingleBlock,
    AllTypesMatch<["max", "sum", "new_max", "new_sum", "rescale"]>]> {
  let summary = "fold one tile of scores into the online softmax";
  let description = [{
    With x(i, j) = `score`(s(i, j), q, k), a base-2 logit, or minus infinity where
    `masked` and not `keep`(q, k):

        m' = max(m, max_j x)          (per row)
        a  = exp2(m - m')             `rescale`: what l and the output shrink by
        p  = exp2(x - m')             `probabilities`
        l' = l a + sum_j p

    and where m' is minus infinity (nothing kept yet) p = 0, a = 1 or 0, l' = 0.
    q = `first_query` + i, k = `first_key` + j. Element regions hold only arith and
    math operations (and scf.for with uniform bounds): a target clones them at its
    own width. Source: Milakov and Gimelshein, "Online normalizer calculation for
    softmax", 2018; Dao, "FlashAttention-2", 2023, section 3.1.

    A key that no row of the tile keeps must not matter, even if V holds NaN there:
    a target that multiplies p = 0 with V clears such rows of V (masked tiles only).

    This stays one op until a target expands it, because the best scheme differs.
  }];
  let arguments = (ins TileType:$scores, TileType:$max, TileType:$sum,
                       I32:$first_query, I32:$first_key, I1:$masked);
  let results = (outs TileType:$probabilities, TileType:$new_max, TileType:$new_sum, TileType:$rescale);
  let regions = (region SizedRegion<1>:$score, SizedRegion<1>:$keep);
  let assemblyFormat = [{
    $scores `,` $max `,` $sum `at` `(` $first_query `,` $first_key `)` `masked` $masked attr-dict
    `:` type($scores) `,` type($max) `->` type($probabilities)
    `score` $score `keep` $keep
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    enum ScoreArgument { Score, Query, Key };
    /// The factor c when the score is exactly s * c with a constant c > 0, so
    /// that the maximum may be taken before the product; otherwise null.
    ::mlir::Value getPureScale();
  }];
}

def MapOp : TileOp<"map", [
    RecursiveMemoryEffects, RecursivelySpeculatable, SingleBlock, AttrSizedOperandSegments]> {
  let summary = "elementwise arithmetic on tiles";
  let description = [{
    The region's arguments are one element of each operand, then q and k of the
    element if positions are given (`at`). Operands of one column are read at their row.
  }];
  let arguments = (ins Variadic<TileType>:$inputs, Optional<I32>:$first_query, Optional<I32>:$first_key);
  let results = (outs TileType:$result);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $inputs (`at` `(` $first_query^ `,` $first_key `)`)? attr-dict
    `:` type($inputs) `->` type($result) $body
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

class ReduceOp<string mnemonic> : TileOp<mnemonic, [Pure, AllTypesMatch<["init", "result"]>]> {
  let arguments = (ins TileType:$tile, TileType:$init);
  let results = (outs TileType:$result);
  let assemblyFormat = "$tile `,` $init attr-dict `:` type($tile) `,` type($init)";
  let hasVerifier = 1;
}
def RowMaxOp : ReduceOp<"row_max"> { let summary = "maximum of each row and of `init`, ignoring NaN"; }
def RowSumOp : ReduceOp<"row_sum"> { let summary = "sum of each row, plus `init`"; }

def ExceedsOp : TileOp<"exceeds", [Pure]> {
  let summary = "whether some element lies above its row's bound by more than a slack";
  let description = [{
    True if x `scale` > `bound` + `slack` for some element x of `tile` (NaN is above
    nothing). A target may answer for groups of rows, each warp for its own.
  }];
  let arguments = (ins TileType:$tile, TileType:$bound, Optional<F32>:$scale, F32Attr:$slack);
  let results = (outs I1:$result);
  let assemblyFormat = [{
    $tile (`scaled` $scale^)? `,` $bound `by` $slack attr-dict `:` type($tile) `,` type($bound)
  }];
  let hasVerifier = 1;
}

def MaskOp : TileOp<"mask", [
    RecursiveMemoryEffects, RecursivelySpeculatable, SingleBlock,
    AllTypesMatch<["scores", "result"]>, AllTypesMatch<["values", "clean_values"]>]> {
  let summary = "scores of dropped pairs become -infinity, values of dropped keys zero";
  let description = [{
    `result` is `scores` where `keep`(q, k), else minus infinity. `clean_values` is
    `values` with the rows of keys that no row of the query tile keeps set to
    zero, so that p = 0 times what lies there is 0 even for NaN.
  }];
  let arguments = (ins TileType:$scores, TileType:$values, I32:$first_query, I32:$first_key);
  let results = (outs TileType:$result, TileType:$clean_values);
  let regions = (region SizedRegion<1>:$keep);
  let assemblyFormat = [{
    $scores `,` $values `at` `(` $first_query `,` $first_key `)` attr-dict
    `:` type($scores) `,` type($values) `keep` $keep
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def StoreResultOp : TileOp<"store_result", [MemoryEffects<[MemWrite]>, AllTypesMatch<["max", "sum"]>]> {
  let summary = "store O = o / l and LSE = (m + log2 l) ln 2";
  let description = [{
    Rows from `row` to `length` are stored. A row with l = 0 gives O = 0 and
    LSE = -infinity. The LSE view may be absent at run time (a null pointer).
  }];
  let arguments = (ins TileType:$output, TileType:$max, TileType:$sum,
                       ViewType:$out_view, ViewType:$lse_view, I32:$row, I32:$length);
  let assemblyFormat = [{
    $output `,` $max `,` $sum `to` $out_view `,` $lse_view `[` $row `of` $length `]` attr-dict
    `:` type($output) `,` type($max) `,` type($out_view) `,` type($lse_view)
  }];
  let hasVerifier = 1;
}

#endif
