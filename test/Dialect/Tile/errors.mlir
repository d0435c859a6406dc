// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --verify-diagnostics --split-input-file

// Every message of the types, the attribute and the operations that hold no
// region.

// expected-error @below {{expected rows and columns of a tile, but got 3 dimensions}}
func.func private @tile_of_three_dimensions(!tile.tile<4x4x4xf32>)

// -----

// expected-error @below {{expected a tile of at least 1x1, but got 0x4}}
func.func private @tile_without_rows(!tile.tile<0x4xf32>)

// -----

// expected-error @below {{expected an integer or float element type, but got 'index'}}
func.func private @tile_of_index(!tile.tile<4x4xindex>)

// -----

// expected-error @below {{expected one dimension of a view, but got 2}}
func.func private @view_of_two_dimensions(!tile.view<4x64xf16>)

// -----

// expected-error @below {{expected rows, keys, stages and warps of at least 1, but got 64, 0, 2 and 4}}
module attributes {tile.s = #tile.schedule<rows = 64, keys = 0, stages = 2, warps = 4>} {}

// -----

// expected-error @below {{expected rows to be divisible by warps, but got 64 and 3}}
module attributes {tile.s = #tile.schedule<rows = 64, keys = 64, stages = 2, warps = 3>} {}

// -----

func.func @load_narrower_than_the_view(%view: !tile.view<64xf16>, %i: i32) {
  // expected-error @below {{'tile.load' op expected the tile to hold rows of '!tile.view<64xf16>', but got '!tile.tile<16x32xf16>'}}
  %0 = tile.load %view[%i of %i] : !tile.view<64xf16> -> !tile.tile<16x32xf16>
  return
}

// -----

func.func @load_of_another_type(%view: !tile.view<64xf16>, %i: i32) {
  // expected-error @below {{'tile.load' op expected the tile to hold rows of '!tile.view<64xf16>', but got '!tile.tile<16x64xbf16>'}}
  %0 = tile.load %view[%i of %i] : !tile.view<64xf16> -> !tile.tile<16x64xbf16>
  return
}

// -----

func.func @fill_of_another_type(%x: f32) {
  // expected-error @below {{'tile.fill' op expected a value of the tile's element type 'f16', but got 'f32'}}
  %0 = tile.fill %x : f32 -> !tile.tile<4x4xf16>
  return
}

// -----

func.func @dot_inner(%q: !tile.tile<16x64xf16>, %v: !tile.tile<32x64xf16>) {
  // expected-error @below {{'tile.dot' op expected inner dimensions to match, but got 64 and 32}}
  %0 = tile.dot %q, %v : !tile.tile<16x64xf16>, !tile.tile<32x64xf16> -> !tile.tile<16x64xf32>
  return
}

// -----

func.func @dot_inner_transposed(%q: !tile.tile<16x64xf16>, %k: !tile.tile<32x128xf16>) {
  // expected-error @below {{'tile.dot' op expected inner dimensions to match, but got 64 and 128}}
  %0 = tile.dot %q, %k transposed : !tile.tile<16x64xf16>, !tile.tile<32x128xf16> -> !tile.tile<16x32xf32>
  return
}

// -----

func.func @dot_result_shape(%q: !tile.tile<16x64xf16>, %k: !tile.tile<32x64xf16>) {
  // expected-error @below {{'tile.dot' op expected a result of 16x32xf32, but got '!tile.tile<16x64xf32>'}}
  %0 = tile.dot %q, %k transposed : !tile.tile<16x64xf16>, !tile.tile<32x64xf16> -> !tile.tile<16x64xf32>
  return
}

// -----

func.func @dot_result_type(%q: !tile.tile<16x64xf16>, %k: !tile.tile<32x64xf16>) {
  // expected-error @below {{'tile.dot' op expected a result of 16x32xf32, but got '!tile.tile<16x32xf16>'}}
  %0 = tile.dot %q, %k transposed : !tile.tile<16x64xf16>, !tile.tile<32x64xf16> -> !tile.tile<16x32xf16>
  return
}

// -----

func.func @dot_accumulator(%q: !tile.tile<16x64xf16>, %k: !tile.tile<32x64xf16>, %acc: !tile.tile<16x16xf32>) {
  // expected-error @below {{'tile.dot' op expected the accumulator to be '!tile.tile<16x32xf32>', but got '!tile.tile<16x16xf32>'}}
  %0 = tile.dot %q, %k transposed acc %acc : !tile.tile<16x16xf32> : !tile.tile<16x64xf16>, !tile.tile<32x64xf16> -> !tile.tile<16x32xf32>
  return
}

// -----

func.func @rescale_by_a_matrix(%o: !tile.tile<16x64xf32>, %a: !tile.tile<16x64xf32>) {
  // expected-error @below {{'tile.rescale' op expected factors of 16x1, but got 16x64}}
  %0 = tile.rescale %o by %a : !tile.tile<16x64xf32>, !tile.tile<16x64xf32>
  return
}

// -----

func.func @row_max_of_other_rows(%s: !tile.tile<16x64xf32>, %m: !tile.tile<8x1xf32>) {
  // expected-error @below {{'tile.row_max' op expected init of 16x1, but got 8x1}}
  %0 = tile.row_max %s, %m : !tile.tile<16x64xf32>, !tile.tile<8x1xf32>
  return
}

// -----

func.func @row_sum_of_other_rows(%s: !tile.tile<16x64xf32>, %l: !tile.tile<8x1xf32>) {
  // expected-error @below {{'tile.row_sum' op expected init of 16x1, but got 8x1}}
  %0 = tile.row_sum %s, %l : !tile.tile<16x64xf32>, !tile.tile<8x1xf32>
  return
}

// -----

func.func @store_of_other_rows(%o: !tile.tile<16x64xf32>, %m: !tile.tile<8x1xf32>,
                               %O: !tile.view<64xf16>, %LSE: !tile.view<1xf32>, %i: i32) {
  // expected-error @below {{'tile.store_result' op expected max of 16x1, but got 8x1}}
  tile.store_result %o, %m, %m to %O, %LSE[%i of %i]
      : !tile.tile<16x64xf32>, !tile.tile<8x1xf32>, !tile.view<64xf16>, !tile.view<1xf32>
  return
}

// -----

func.func @store_wider_than_the_view(%o: !tile.tile<16x128xf32>, %m: !tile.tile<16x1xf32>,
                                     %O: !tile.view<64xf16>, %LSE: !tile.view<1xf32>, %i: i32) {
  // expected-error @below {{'tile.store_result' op expected the output to hold rows of '!tile.view<64xf16>', but got '!tile.tile<16x128xf32>'}}
  tile.store_result %o, %m, %m to %O, %LSE[%i of %i]
      : !tile.tile<16x128xf32>, !tile.tile<16x1xf32>, !tile.view<64xf16>, !tile.view<1xf32>
  return
}

// -----

func.func @exceeds_bounds_of_other_rows(%s: !tile.tile<16x64xf32>, %m: !tile.tile<8x1xf32>) {
  // expected-error @below {{'tile.exceeds' op expected bounds of 16x1, but got 8x1}}
  %0 = tile.exceeds %s, %m by 8.0 : !tile.tile<16x64xf32>, !tile.tile<8x1xf32>
  return
}
