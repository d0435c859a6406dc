// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --verify-diagnostics --split-input-file

// Every message of the operations with element regions: tile.online_softmax,
// tile.map and tile.mask.

func.func @probabilities_of_another_shape(%s: !tile.tile<16x32xf32>, %m: !tile.tile<16x1xf32>, %n: i32, %yes: i1) {
  // expected-error @below {{'tile.online_softmax' op expected probabilities of the shape of the scores, but got '!tile.tile<16x64xf16>' and '!tile.tile<16x32xf32>'}}
  %p, %m1, %l1, %a = tile.online_softmax %s, %m, %m at(%n, %n) masked %yes
      : !tile.tile<16x32xf32>, !tile.tile<16x1xf32> -> !tile.tile<16x64xf16>
  score {
  ^bb0(%x: f32, %q: i32, %k: i32):
    tile.yield %x : f32
  } keep {
  ^bb0(%q: i32, %k: i32):
    tile.yield %yes : i1
  }
  return
}

// -----

func.func @softmax_max_of_other_rows(%s: !tile.tile<16x32xf32>, %m: !tile.tile<8x1xf32>, %n: i32, %yes: i1) {
  // expected-error @below {{'tile.online_softmax' op expected max of 16x1, but got 8x1}}
  %p, %m1, %l1, %a = tile.online_softmax %s, %m, %m at(%n, %n) masked %yes
      : !tile.tile<16x32xf32>, !tile.tile<8x1xf32> -> !tile.tile<16x32xf16>
  score {
  ^bb0(%x: f32, %q: i32, %k: i32):
    tile.yield %x : f32
  } keep {
  ^bb0(%q: i32, %k: i32):
    tile.yield %yes : i1
  }
  return
}

// -----

func.func @score_without_positions(%s: !tile.tile<16x32xf32>, %m: !tile.tile<16x1xf32>, %n: i32, %yes: i1) {
  // expected-error @below {{'tile.online_softmax' op expected the score region to take ('f32', 'i32', 'i32'), but got ('f32')}}
  %p, %m1, %l1, %a = tile.online_softmax %s, %m, %m at(%n, %n) masked %yes
      : !tile.tile<16x32xf32>, !tile.tile<16x1xf32> -> !tile.tile<16x32xf16>
  score {
  ^bb0(%x: f32):
    tile.yield %x : f32
  } keep {
  ^bb0(%q: i32, %k: i32):
    tile.yield %yes : i1
  }
  return
}

// -----

func.func @score_yields_nothing(%s: !tile.tile<16x32xf32>, %m: !tile.tile<16x1xf32>, %n: i32, %yes: i1) {
  // expected-error @below {{'tile.online_softmax' op expected the score region to yield 'f32'}}
  %p, %m1, %l1, %a = tile.online_softmax %s, %m, %m at(%n, %n) masked %yes
      : !tile.tile<16x32xf32>, !tile.tile<16x1xf32> -> !tile.tile<16x32xf16>
  score {
  ^bb0(%x: f32, %q: i32, %k: i32):
    tile.yield
  } keep {
  ^bb0(%q: i32, %k: i32):
    tile.yield %yes : i1
  }
  return
}

// -----

func.func @score_yields_a_position(%s: !tile.tile<16x32xf32>, %m: !tile.tile<16x1xf32>, %n: i32, %yes: i1) {
  // expected-error @below {{'tile.online_softmax' op expected the score region to yield 'f32'}}
  %p, %m1, %l1, %a = tile.online_softmax %s, %m, %m at(%n, %n) masked %yes
      : !tile.tile<16x32xf32>, !tile.tile<16x1xf32> -> !tile.tile<16x32xf16>
  score {
  ^bb0(%x: f32, %q: i32, %k: i32):
    tile.yield %q : i32
  } keep {
  ^bb0(%q: i32, %k: i32):
    tile.yield %yes : i1
  }
  return
}

// -----

func.func @keep_takes_the_score(%s: !tile.tile<16x32xf32>, %m: !tile.tile<16x1xf32>, %n: i32, %yes: i1) {
  // expected-error @below {{'tile.online_softmax' op expected the keep region to take ('i32', 'i32'), but got ('f32', 'i32', 'i32')}}
  %p, %m1, %l1, %a = tile.online_softmax %s, %m, %m at(%n, %n) masked %yes
      : !tile.tile<16x32xf32>, !tile.tile<16x1xf32> -> !tile.tile<16x32xf16>
  score {
  ^bb0(%x: f32, %q: i32, %k: i32):
    tile.yield %x : f32
  } keep {
  ^bb0(%x: f32, %q: i32, %k: i32):
    tile.yield %yes : i1
  }
  return
}

// -----

func.func @keep_yields_a_number(%s: !tile.tile<16x32xf32>, %m: !tile.tile<16x1xf32>, %n: i32, %yes: i1) {
  // expected-error @below {{'tile.online_softmax' op expected the keep region to yield 'i1'}}
  %p, %m1, %l1, %a = tile.online_softmax %s, %m, %m at(%n, %n) masked %yes
      : !tile.tile<16x32xf32>, !tile.tile<16x1xf32> -> !tile.tile<16x32xf16>
  score {
  ^bb0(%x: f32, %q: i32, %k: i32):
    tile.yield %x : f32
  } keep {
  ^bb0(%q: i32, %k: i32):
    tile.yield %q : i32
  }
  return
}

// -----

func.func @map_inputs_do_not_broadcast(%x: !tile.tile<16x64xf32>, %y: !tile.tile<16x2xf32>) {
  // expected-error @below {{'tile.map' op expected inputs that broadcast to '!tile.tile<16x64xf32>', but got '!tile.tile<16x2xf32>'}}
  %0 = tile.map %x, %y : !tile.tile<16x64xf32>, !tile.tile<16x2xf32> -> !tile.tile<16x64xf32> {
  ^bb0(%a: f32, %b: f32):
    tile.yield %a : f32
  }
  return
}

// -----

func.func @map_with_one_position(%x: !tile.tile<16x64xf32>, %n: i32) {
  // expected-error @below {{'tile.map' op expected both positions or none}}
  %0 = "tile.map"(%x, %n) <{operandSegmentSizes = array<i32: 1, 1, 0>}> ({
  ^bb0(%a: f32):
    "tile.yield"(%a) : (f32) -> ()
  }) : (!tile.tile<16x64xf32>, i32) -> !tile.tile<16x64xf32>
  return
}

// -----

func.func @map_without_the_positions(%x: !tile.tile<16x64xf32>, %n: i32) {
  // expected-error @below {{'tile.map' op expected the map region to take ('f32', 'i32', 'i32'), but got ('f32')}}
  %0 = tile.map %x at(%n, %n) : !tile.tile<16x64xf32> -> !tile.tile<16x64xf32> {
  ^bb0(%a: f32):
    tile.yield %a : f32
  }
  return
}

// -----

func.func @map_yields_another_type(%x: !tile.tile<16x64xf32>) {
  // expected-error @below {{'tile.map' op expected the map region to yield 'f16'}}
  %0 = tile.map %x : !tile.tile<16x64xf32> -> !tile.tile<16x64xf16> {
  ^bb0(%a: f32):
    tile.yield %a : f32
  }
  return
}

// -----

func.func @mask_of_other_values(%s: !tile.tile<16x32xf32>, %v: !tile.tile<16x64xf16>, %n: i32) {
  // expected-error @below {{'tile.mask' op expected one row of values a column of scores, but got '!tile.tile<16x64xf16>' and '!tile.tile<16x32xf32>'}}
  %0, %1 = tile.mask %s, %v at(%n, %n) : !tile.tile<16x32xf32>, !tile.tile<16x64xf16> keep {
  ^bb0(%q: i32, %k: i32):
    %c = arith.cmpi sle, %k, %q : i32
    tile.yield %c : i1
  }
  return
}

// -----

func.func @mask_yields_a_number(%s: !tile.tile<16x32xf32>, %v: !tile.tile<32x64xf16>, %n: i32) {
  // expected-error @below {{'tile.mask' op expected the keep region to yield 'i1'}}
  %0, %1 = tile.mask %s, %v at(%n, %n) : !tile.tile<16x32xf32>, !tile.tile<32x64xf16> keep {
  ^bb0(%q: i32, %k: i32):
    tile.yield %q : i32
  }
  return
}
