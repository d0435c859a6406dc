// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --convert-tile-to-host --split-input-file --verify-diagnostics
// RUN: not fovea-opt %s --convert-tile-to-host=lanes=12 2>&1 | FileCheck %s
// CHECK: error: expected 8 or 16 lanes, but got 12

// expected-error @below {{expected one 'tile.keys' for the host, but got 0}}
tile.kernel @no_loop heads(1, 1) schedule(<rows = 64, keys = 64, stages = 1, warps = 1>) params([])
    (%Q: !tile.view<4xf32>, %K: !tile.view<4xf32>, %V: !tile.view<4xf32>,
     %O: !tile.view<4xf32>, %LSE: !tile.view<1xf32>,
     %b: i32, %h: i32, %g: i32, %row: i32, %nq: i32, %nk: i32) {
  %q = tile.load %Q[%row of %nq] : !tile.view<4xf32> -> !tile.tile<64x4xf32>
}

// -----

tile.kernel @map heads(1, 1) schedule(<rows = 64, keys = 64, stages = 1, warps = 1>) params([])
    (%Q: !tile.view<4xf32>, %K: !tile.view<4xf32>, %V: !tile.view<4xf32>,
     %O: !tile.view<4xf32>, %LSE: !tile.view<1xf32>,
     %b: i32, %h: i32, %g: i32, %row: i32, %nq: i32, %nk: i32) {
  %q = tile.load %Q[%row of %nq] : !tile.view<4xf32> -> !tile.tile<64x4xf32>
  // expected-error @below {{'tile.map' op is not supported on the host}}
  %r = tile.map %q : !tile.tile<64x4xf32> -> !tile.tile<64x4xf32> {
  ^bb0(%x: f32):
    tile.yield %x : f32
  }
}
