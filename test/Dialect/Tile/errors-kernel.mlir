// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --verify-diagnostics --split-input-file

// Every message of tile.kernel.

// expected-error @below {{'tile.kernel' op expected KV heads to divide query heads, but got 9 and 2}}
tile.kernel @heads_without_a_ratio heads(9, 2) schedule(<rows = 64, keys = 64, stages = 2, warps = 4>) params([])
    (%Q: !tile.view<64xf16>, %K: !tile.view<64xf16>, %V: !tile.view<64xf16>, %O: !tile.view<64xf16>, %LSE: !tile.view<1xf32>,
     %b: i32, %h: i32, %g: i32, %row: i32, %nq: i32, %nk: i32) {
}

// -----

// expected-error @below {{'tile.kernel' op expected KV heads to divide query heads, but got 0 and 1}}
tile.kernel @no_heads heads(0, 1) schedule(<rows = 64, keys = 64, stages = 2, warps = 4>) params([])
    (%Q: !tile.view<64xf16>, %K: !tile.view<64xf16>, %V: !tile.view<64xf16>, %O: !tile.view<64xf16>, %LSE: !tile.view<1xf32>,
     %b: i32, %h: i32, %g: i32, %row: i32, %nq: i32, %nk: i32) {
}

// -----

// expected-error @below {{'tile.kernel' op expected 11 block arguments, but got 10}}
tile.kernel @missing_length heads(9, 3) schedule(<rows = 64, keys = 64, stages = 2, warps = 4>) params([])
    (%Q: !tile.view<64xf16>, %K: !tile.view<64xf16>, %V: !tile.view<64xf16>, %O: !tile.view<64xf16>, %LSE: !tile.view<1xf32>,
     %b: i32, %h: i32, %g: i32, %row: i32, %nq: i32) {
}

// -----

// expected-error @below {{'tile.kernel' op expected 12 block arguments, but got 11}}
tile.kernel @missing_param heads(9, 3) schedule(<rows = 64, keys = 64, stages = 2, warps = 4>) params(["w"])
    (%Q: !tile.view<64xf16>, %K: !tile.view<64xf16>, %V: !tile.view<64xf16>, %O: !tile.view<64xf16>, %LSE: !tile.view<1xf32>,
     %b: i32, %h: i32, %g: i32, %row: i32, %nq: i32, %nk: i32) {
}

// -----

// expected-error @below {{'tile.kernel' op expected block argument 0 to be a view, but got '!tile.tile<64x64xf16>'}}
tile.kernel @query_is_a_tile heads(9, 3) schedule(<rows = 64, keys = 64, stages = 2, warps = 4>) params([])
    (%Q: !tile.tile<64x64xf16>, %K: !tile.view<64xf16>, %V: !tile.view<64xf16>, %O: !tile.view<64xf16>, %LSE: !tile.view<1xf32>,
     %b: i32, %h: i32, %g: i32, %row: i32, %nq: i32, %nk: i32) {
}

// -----

// expected-error @below {{'tile.kernel' op expected block argument 4 to be a view, but got 'f32'}}
tile.kernel @lse_is_a_number heads(9, 3) schedule(<rows = 64, keys = 64, stages = 2, warps = 4>) params([])
    (%Q: !tile.view<64xf16>, %K: !tile.view<64xf16>, %V: !tile.view<64xf16>, %O: !tile.view<64xf16>, %LSE: f32,
     %b: i32, %h: i32, %g: i32, %row: i32, %nq: i32, %nk: i32) {
}

// -----

// expected-error @below {{'tile.kernel' op expected block argument 8 to be i32, but got 'i64'}}
tile.kernel @row_is_i64 heads(9, 3) schedule(<rows = 64, keys = 64, stages = 2, warps = 4>) params([])
    (%Q: !tile.view<64xf16>, %K: !tile.view<64xf16>, %V: !tile.view<64xf16>, %O: !tile.view<64xf16>, %LSE: !tile.view<1xf32>,
     %b: i32, %h: i32, %g: i32, %row: i64, %nq: i32, %nk: i32) {
}

// -----

// expected-error @below {{'tile.kernel' op expected param 1 to be i64 or f32, but got 'i32'}}
tile.kernel @param_is_i32 heads(9, 3) schedule(<rows = 64, keys = 64, stages = 2, warps = 4>) params(["w", "n"])
    (%Q: !tile.view<64xf16>, %K: !tile.view<64xf16>, %V: !tile.view<64xf16>, %O: !tile.view<64xf16>, %LSE: !tile.view<1xf32>,
     %b: i32, %h: i32, %g: i32, %row: i32, %nq: i32, %nk: i32, %w: i64, %n: i32) {
}
