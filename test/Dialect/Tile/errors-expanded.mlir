// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --verify-diagnostics --split-input-file

// Messages of the operations that the expansion of the softmax is made of.

func.func @exceeds_bounds(%s: !tile.tile<16x16xf32>, %m: !tile.tile<8x1xf32>) {
  // expected-error @below {{'tile.exceeds' op expected bounds of 16x1, but got 8x1}}
  %0 = tile.exceeds %s, %m by 8.0 : !tile.tile<16x16xf32>, !tile.tile<8x1xf32>
  return
}

// -----

func.func @mask_values(%s: !tile.tile<16x16xf32>, %v: !tile.tile<8x32xf16>, %i: i32) {
  // expected-error @below {{'tile.mask' op expected one row of values a column of scores, but got '!tile.tile<8x32xf16>' and '!tile.tile<16x16xf32>'}}
  %0:2 = tile.mask %s, %v at(%i, %i) : !tile.tile<16x16xf32>, !tile.tile<8x32xf16> keep {
  ^bb0(%q: i32, %k: i32):
    %kept = arith.cmpi sle, %k, %q : i32
    tile.yield %kept : i1
  }
  return
}

// -----

func.func @mask_region(%s: !tile.tile<16x16xf32>, %v: !tile.tile<16x32xf16>, %i: i32) {
  // expected-error @below {{'tile.mask' op expected the keep region to yield 'i1'}}
  %0:2 = tile.mask %s, %v at(%i, %i) : !tile.tile<16x16xf32>, !tile.tile<16x32xf16> keep {
  ^bb0(%q: i32, %k: i32):
    tile.yield %q : i32
  }
  return
}
