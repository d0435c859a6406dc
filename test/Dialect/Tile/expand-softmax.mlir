// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --tile-expand-softmax --split-input-file --verify-diagnostics | FileCheck %s
// RUN: fovea-opt %s --tile-expand-softmax=slack=0 --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=EXACT

// A constant positive factor is folded into the exponent; the mask is evaluated and
// the reference moved only in branches.

// CHECK-LABEL: @pure_scale
// CHECK: %[[SCORES:.*]] = tile.dot
// CHECK-NOT: tile.online_softmax
// CHECK: %[[MASKED:.*]]:2 = scf.if %[[IS_MASKED:.*]] -> (!tile.tile<16x16xf32>, !tile.tile<16x16xf16>) {
// CHECK:   tile.mask %[[SCORES]], %[[VALUES:.*]] at(
// CHECK:     arith.cmpi sle
// CHECK: } else {
// CHECK:   scf.yield %[[SCORES]], %[[VALUES]]
// CHECK: %[[MOVED:.*]] = tile.exceeds %[[MASKED]]#0 scaled %[[FACTOR:.*]], %[[OLD_MAX:.*]] by 8.0
// CHECK: %[[STATE:.*]]:3 = scf.if %[[MOVED]]
// CHECK:   %[[ROW_MAX:.*]] = tile.row_max %[[MASKED]]#0
// CHECK:   tile.rescale
// CHECK: } else {
// CHECK: %[[F32_P:.*]] = tile.map %[[MASKED]]#0, %[[STATE]]#0
// CHECK:   math.fma %{{.*}}, %[[FACTOR]]
// CHECK:   math.exp2
// CHECK: tile.row_sum %[[F32_P]], %[[STATE]]#1
// CHECK: %[[ROUNDED:.*]] = tile.map %[[F32_P]]
// CHECK:   arith.truncf
// CHECK-NOT: tile.rescale
// CHECK: tile.dot %[[ROUNDED]], %[[MASKED]]#1 acc %[[STATE]]#2
// EXACT-LABEL: @pure_scale
// EXACT: tile.exceeds {{.*}} by 0.0
func.func @pure_scale(%K: !tile.view<16xf16>, %n: i32, %q: !tile.tile<16x16xf16>,
                      %m0: !tile.tile<16x1xf32>, %o0: !tile.tile<16x16xf32>) {
  %factor = arith.constant 0.5 : f32
  %0:3 = tile.keys %K, %K to %n init(%m0, %m0, %o0) : !tile.view<16xf16>, !tile.view<16xf16>,
      (!tile.tile<16x1xf32>, !tile.tile<16x1xf32>, !tile.tile<16x16xf32>)
      -> (!tile.tile<16x1xf32>, !tile.tile<16x1xf32>, !tile.tile<16x16xf32>)
  walk {
  ^bb0(%t: i32):
    %yes = arith.constant true
    tile.run %yes, %yes, %n
  } body {
  ^bb0(%col: i32, %masked: i1, %k: !tile.tile<16x16xf16>, %v: !tile.tile<16x16xf16>,
       %m: !tile.tile<16x1xf32>, %l: !tile.tile<16x1xf32>, %o: !tile.tile<16x16xf32>):
    %s = tile.dot %q, %k transposed : !tile.tile<16x16xf16>, !tile.tile<16x16xf16> -> !tile.tile<16x16xf32>
    %p, %m1, %l1, %a = tile.online_softmax %s, %m, %l at(%n, %col) masked %masked
        : !tile.tile<16x16xf32>, !tile.tile<16x1xf32> -> !tile.tile<16x16xf16>
    score {
    ^bb0(%x: f32, %i: i32, %j: i32):
      %y = arith.mulf %x, %factor : f32
      tile.yield %y : f32
    } keep {
    ^bb0(%i: i32, %j: i32):
      %kept = arith.cmpi sle, %j, %i : i32
      tile.yield %kept : i1
    }
    %o1 = tile.rescale %o by %a : !tile.tile<16x16xf32>, !tile.tile<16x1xf32>
    %o2 = tile.dot %p, %v acc %o1 : !tile.tile<16x16xf32> : !tile.tile<16x16xf16>, !tile.tile<16x16xf16> -> !tile.tile<16x16xf32>
    tile.yield %m1, %l1, %o2 : !tile.tile<16x1xf32>, !tile.tile<16x1xf32>, !tile.tile<16x16xf32>
  }
  return
}

// -----

// Any other score is a map of its own, before the mask; f32 needs no rounding; and
// where the factor is used otherwise it is 1 unless the reference moves.

// CHECK-LABEL: @other_score
// CHECK: %[[SCORES:.*]] = tile.map %{{.*}} at(%{{.*}}, %{{.*}})
// CHECK:   arith.addf
// CHECK: tile.mask %[[SCORES]]
// CHECK: tile.exceeds %{{.*}}#0, %{{.*}} by 8.0
// CHECK: %[[STATE:.*]]:3 = scf.if
// CHECK: } else {
// CHECK:   %[[ONE:.*]] = arith.constant 1.0
// CHECK:   %[[KEPT:.*]] = tile.fill %[[ONE]]
// CHECK:   scf.yield %{{.*}}, %{{.*}}, %[[KEPT]]
// CHECK: arith.subf
// CHECK-NOT: arith.truncf
// CHECK: tile.yield %[[STATE]]#0, %[[STATE]]#2
func.func @other_score(%K: !tile.view<16xf32>, %n: i32, %s: !tile.tile<16x16xf32>,
                       %m0: !tile.tile<16x1xf32>) {
  %0:2 = tile.keys %K, %K to %n init(%m0, %m0) : !tile.view<16xf32>, !tile.view<16xf32>,
      (!tile.tile<16x1xf32>, !tile.tile<16x1xf32>) -> (!tile.tile<16x1xf32>, !tile.tile<16x1xf32>)
  walk {
  ^bb0(%t: i32):
    %yes = arith.constant true
    tile.run %yes, %yes, %n
  } body {
  ^bb0(%col: i32, %masked: i1, %k: !tile.tile<16x16xf32>, %v: !tile.tile<16x16xf32>,
       %m: !tile.tile<16x1xf32>, %l: !tile.tile<16x1xf32>):
    %p, %m1, %l1, %a = tile.online_softmax %s, %m, %l at(%n, %col) masked %masked
        : !tile.tile<16x16xf32>, !tile.tile<16x1xf32> -> !tile.tile<16x16xf32>
    score {
    ^bb0(%x: f32, %i: i32, %j: i32):
      %y = arith.addf %x, %x : f32
      tile.yield %y : f32
    } keep {
    ^bb0(%i: i32, %j: i32):
      %kept = arith.cmpi sle, %j, %i : i32
      tile.yield %kept : i1
    }
    tile.yield %m1, %a : !tile.tile<16x1xf32>, !tile.tile<16x1xf32>
  }
  return
}

// -----

func.func @outside_of_the_loop(%s: !tile.tile<16x16xf32>, %m: !tile.tile<16x1xf32>,
                               %i: i32, %masked: i1) {
  // expected-error @below {{'tile.online_softmax' op expected to be in the body of tile.keys}}
  %p, %m1, %l1, %a = tile.online_softmax %s, %m, %m at(%i, %i) masked %masked
      : !tile.tile<16x16xf32>, !tile.tile<16x1xf32> -> !tile.tile<16x16xf32>
  score {
  ^bb0(%x: f32, %q: i32, %k: i32):
    tile.yield %x : f32
  } keep {
  ^bb0(%q: i32, %k: i32):
    %kept = arith.cmpi sle, %k, %q : i32
    tile.yield %kept : i1
  }
  return
}
