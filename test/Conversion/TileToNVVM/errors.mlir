// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --convert-tile-to-nvvm --split-input-file --verify-diagnostics

// What is valid IR and yet not this target's: one message each, no crash.

// expected-error @below {{'tile.kernel' op expected rows a multiple of 16 a warp and at most 64 a warp, but got 8 rows and 1 warps}}
tile.kernel @too_few_rows heads(1, 1) schedule(<rows = 8, keys = 16, stages = 2, warps = 1>) params([])
    (%Q: !tile.view<64xf16>, %K: !tile.view<64xf16>, %V: !tile.view<64xf16>,
     %O: !tile.view<64xf16>, %LSE: !tile.view<1xf32>,
     %b: i32, %h: i32, %g: i32, %row: i32, %nq: i32, %nk: i32) {
}

// -----

// expected-error @below {{'tile.kernel' op expected at most 166912 bytes of shared memory on sm_80, but 128 x 128 tiles in 3 stages need 462352}}
tile.kernel @too_large heads(1, 1) schedule(<rows = 128, keys = 128, stages = 3, warps = 8>) params([])
    (%Q: !tile.view<256xf16>, %K: !tile.view<256xf16>, %V: !tile.view<256xf16>,
     %O: !tile.view<256xf16>, %LSE: !tile.view<1xf32>,
     %b: i32, %h: i32, %g: i32, %row: i32, %nq: i32, %nk: i32) {
}

// -----

tile.kernel @loads_keys heads(1, 1) schedule(<rows = 16, keys = 16, stages = 2, warps = 1>) params([])
    (%Q: !tile.view<64xf16>, %K: !tile.view<64xf16>, %V: !tile.view<64xf16>,
     %O: !tile.view<64xf16>, %LSE: !tile.view<1xf32>,
     %b: i32, %h: i32, %g: i32, %row: i32, %nq: i32, %nk: i32) {
  // expected-error @below {{'tile.load' op expected only queries to be loaded outside of tile.keys}}
  %k = tile.load %K[%row of %nk] : !tile.view<64xf16> -> !tile.tile<16x64xf16>
}

// -----

tile.kernel @f16_arithmetic heads(1, 1) schedule(<rows = 16, keys = 16, stages = 2, warps = 1>) params([])
    (%Q: !tile.view<64xf16>, %K: !tile.view<64xf16>, %V: !tile.view<64xf16>,
     %O: !tile.view<64xf16>, %LSE: !tile.view<1xf32>,
     %b: i32, %h: i32, %g: i32, %row: i32, %nq: i32, %nk: i32) {
  %q = tile.load %Q[%row of %nq] : !tile.view<64xf16> -> !tile.tile<16x64xf16>
  // expected-error @below {{'tile.map' op expected maps of f32 tiles on this target, but got '!tile.tile<16x64xf16>'}}
  %0 = tile.map %q : !tile.tile<16x64xf16> -> !tile.tile<16x64xf16> {
  ^bb0(%x: f16):
    %y = arith.addf %x, %x : f16
    tile.yield %y : f16
  }
}

// -----

tile.kernel @product_of_queries heads(1, 1) schedule(<rows = 16, keys = 16, stages = 2, warps = 1>) params([])
    (%Q: !tile.view<16xf16>, %K: !tile.view<16xf16>, %V: !tile.view<16xf16>,
     %O: !tile.view<16xf16>, %LSE: !tile.view<1xf32>,
     %b: i32, %h: i32, %g: i32, %row: i32, %nq: i32, %nk: i32) {
  %q = tile.load %Q[%row of %nq] : !tile.view<16xf16> -> !tile.tile<16x16xf16>
  // expected-error @below {{'tile.dot' op expected the product of queries and keys or of probabilities and values on this target}}
  %0 = tile.dot %q, %q : !tile.tile<16x16xf16>, !tile.tile<16x16xf16> -> !tile.tile<16x16xf32>
}

// -----

tile.kernel @not_expanded heads(1, 1) schedule(<rows = 16, keys = 16, stages = 2, warps = 1>) params([])
    (%Q: !tile.view<16xf16>, %K: !tile.view<16xf16>, %V: !tile.view<16xf16>,
     %O: !tile.view<16xf16>, %LSE: !tile.view<1xf32>,
     %b: i32, %h: i32, %g: i32, %row: i32, %nq: i32, %nk: i32) {
  %zero = arith.constant 0.0 : f32
  %no = arith.constant false
  %m = tile.fill %zero : f32 -> !tile.tile<16x1xf32>
  %s = tile.fill %zero : f32 -> !tile.tile<16x16xf32>
  // expected-error @below {{'tile.online_softmax' op is not supported by this target}}
  %p, %m1, %l1, %a = tile.online_softmax %s, %m, %m at(%row, %row) masked %no
      : !tile.tile<16x16xf32>, !tile.tile<16x1xf32> -> !tile.tile<16x16xf32>
  score {
  ^bb0(%x: f32, %qi: i32, %ki: i32):
    tile.yield %x : f32
  } keep {
  ^bb0(%qi: i32, %ki: i32):
    %kept = arith.cmpi sle, %ki, %qi : i32
    tile.yield %kept : i1
  }
}

// -----

// expected-error @below {{'tile.kernel' op expected head dimensions from 1 to 256 on sm_80, but got 512 and 512}}
tile.kernel @wide_heads heads(1, 1) schedule(<rows = 16, keys = 16, stages = 2, warps = 1>) params([])
    (%Q: !tile.view<512xf16>, %K: !tile.view<512xf16>, %V: !tile.view<512xf16>,
     %O: !tile.view<512xf16>, %LSE: !tile.view<1xf32>,
     %b: i32, %h: i32, %g: i32, %row: i32, %nq: i32, %nk: i32) {
}
