// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --verify-diagnostics --split-input-file

// Every message of tile.keys.

func.func @keys_result_type(%K: !tile.view<64xf16>, %n: i32, %yes: i1, %m: !tile.tile<16x1xf32>) {
  // expected-error @below {{'tile.keys' op expected results of the types of init}}
  %r = tile.keys %K, %K to %n init(%m)
      : !tile.view<64xf16>, !tile.view<64xf16>, (!tile.tile<16x1xf32>) -> !tile.tile<8x1xf32>
  walk {
  ^bb0(%t: i32):
    tile.run %yes, %yes, %t
  } body {
  ^bb0(%col: i32, %masked: i1, %k: !tile.tile<32x64xf16>, %v: !tile.tile<32x64xf16>, %s: !tile.tile<16x1xf32>):
    tile.yield %s : !tile.tile<16x1xf32>
  }
  return
}

// -----

func.func @walk_over_i64(%K: !tile.view<64xf16>, %n: i32, %yes: i1, %m: !tile.tile<16x1xf32>) {
  // expected-error @below {{'tile.keys' op expected the walk to take one i32, the key}}
  %r = tile.keys %K, %K to %n init(%m)
      : !tile.view<64xf16>, !tile.view<64xf16>, (!tile.tile<16x1xf32>) -> !tile.tile<16x1xf32>
  walk {
  ^bb0(%t: i64):
    tile.run %yes, %yes, %n
  } body {
  ^bb0(%col: i32, %masked: i1, %k: !tile.tile<32x64xf16>, %v: !tile.tile<32x64xf16>, %s: !tile.tile<16x1xf32>):
    tile.yield %s : !tile.tile<16x1xf32>
  }
  return
}

// -----

func.func @walk_without_run(%K: !tile.view<64xf16>, %n: i32, %yes: i1, %m: !tile.tile<16x1xf32>) {
  // expected-error @below {{'tile.keys' op expected the walk to end in 'tile.run'}}
  %r = tile.keys %K, %K to %n init(%m)
      : !tile.view<64xf16>, !tile.view<64xf16>, (!tile.tile<16x1xf32>) -> !tile.tile<16x1xf32>
  walk {
  ^bb0(%t: i32):
    tile.yield
  } body {
  ^bb0(%col: i32, %masked: i1, %k: !tile.tile<32x64xf16>, %v: !tile.tile<32x64xf16>, %s: !tile.tile<16x1xf32>):
    tile.yield %s : !tile.tile<16x1xf32>
  }
  return
}

// -----

func.func @body_without_state(%K: !tile.view<64xf16>, %n: i32, %yes: i1, %m: !tile.tile<16x1xf32>) {
  // expected-error @below {{'tile.keys' op expected 5 arguments of the body, but got 4}}
  %r = tile.keys %K, %K to %n init(%m)
      : !tile.view<64xf16>, !tile.view<64xf16>, (!tile.tile<16x1xf32>) -> !tile.tile<16x1xf32>
  walk {
  ^bb0(%t: i32):
    tile.run %yes, %yes, %t
  } body {
  ^bb0(%col: i32, %masked: i1, %k: !tile.tile<32x64xf16>, %v: !tile.tile<32x64xf16>):
    tile.yield %m : !tile.tile<16x1xf32>
  }
  return
}

// -----

func.func @body_column_type(%K: !tile.view<64xf16>, %n: i32, %yes: i1, %m: !tile.tile<16x1xf32>) {
  // expected-error @below {{'tile.keys' op expected the body to take i32, i1 and two tiles first}}
  %r = tile.keys %K, %K to %n init(%m)
      : !tile.view<64xf16>, !tile.view<64xf16>, (!tile.tile<16x1xf32>) -> !tile.tile<16x1xf32>
  walk {
  ^bb0(%t: i32):
    tile.run %yes, %yes, %t
  } body {
  ^bb0(%col: i64, %masked: i1, %k: !tile.tile<32x64xf16>, %v: !tile.tile<32x64xf16>, %s: !tile.tile<16x1xf32>):
    tile.yield %s : !tile.tile<16x1xf32>
  }
  return
}

// -----

func.func @body_key_is_a_view(%K: !tile.view<64xf16>, %n: i32, %yes: i1, %m: !tile.tile<16x1xf32>) {
  // expected-error @below {{'tile.keys' op expected the body to take i32, i1 and two tiles first}}
  %r = tile.keys %K, %K to %n init(%m)
      : !tile.view<64xf16>, !tile.view<64xf16>, (!tile.tile<16x1xf32>) -> !tile.tile<16x1xf32>
  walk {
  ^bb0(%t: i32):
    tile.run %yes, %yes, %t
  } body {
  ^bb0(%col: i32, %masked: i1, %k: !tile.view<64xf16>, %v: !tile.tile<32x64xf16>, %s: !tile.tile<16x1xf32>):
    tile.yield %s : !tile.tile<16x1xf32>
  }
  return
}

// -----

func.func @fewer_values_than_keys(%K: !tile.view<64xf16>, %n: i32, %yes: i1, %m: !tile.tile<16x1xf32>) {
  // expected-error @below {{'tile.keys' op expected as many keys as values, but got 32 and 16}}
  %r = tile.keys %K, %K to %n init(%m)
      : !tile.view<64xf16>, !tile.view<64xf16>, (!tile.tile<16x1xf32>) -> !tile.tile<16x1xf32>
  walk {
  ^bb0(%t: i32):
    tile.run %yes, %yes, %t
  } body {
  ^bb0(%col: i32, %masked: i1, %k: !tile.tile<32x64xf16>, %v: !tile.tile<16x64xf16>, %s: !tile.tile<16x1xf32>):
    tile.yield %s : !tile.tile<16x1xf32>
  }
  return
}

// -----

func.func @value_tile_of_another_width(%K: !tile.view<64xf16>, %n: i32, %yes: i1, %m: !tile.tile<16x1xf32>) {
  // expected-error @below {{'tile.keys' op expected key and value tiles to hold rows of their views}}
  %r = tile.keys %K, %K to %n init(%m)
      : !tile.view<64xf16>, !tile.view<64xf16>, (!tile.tile<16x1xf32>) -> !tile.tile<16x1xf32>
  walk {
  ^bb0(%t: i32):
    tile.run %yes, %yes, %t
  } body {
  ^bb0(%col: i32, %masked: i1, %k: !tile.tile<32x64xf16>, %v: !tile.tile<32x128xf16>, %s: !tile.tile<16x1xf32>):
    tile.yield %s : !tile.tile<16x1xf32>
  }
  return
}

// -----

func.func @body_yields_another_type(%K: !tile.view<64xf16>, %n: i32, %yes: i1, %m: !tile.tile<16x1xf32>) {
  // expected-error @below {{'tile.keys' op expected the body to yield values of the types of init}}
  %r = tile.keys %K, %K to %n init(%m)
      : !tile.view<64xf16>, !tile.view<64xf16>, (!tile.tile<16x1xf32>) -> !tile.tile<16x1xf32>
  walk {
  ^bb0(%t: i32):
    tile.run %yes, %yes, %t
  } body {
  ^bb0(%col: i32, %masked: i1, %k: !tile.tile<32x64xf16>, %v: !tile.tile<32x64xf16>, %s: !tile.tile<16x1xf32>):
    tile.yield %k : !tile.tile<32x64xf16>
  }
  return
}
