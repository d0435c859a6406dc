// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --convert-attn-to-tile --canonicalize --cse | FileCheck %s

// Scores in base 2: log2(e) = 1.44269502 goes into factors that are computed
// once a work item.

// CHECK-LABEL: @scale_alone
attn.kernel @scale_alone heads(1, 1) dims(8, 8) type(f32) align(end) {
  // CHECK: %[[FACTOR:.*]] = arith.constant 0.180336878 : f32
  // CHECK: score {
  // CHECK-NEXT: ^bb0(%[[DOT:.*]]: f32, %{{.*}}: i32, %{{.*}}: i32):
  // CHECK-NEXT: %[[X:.*]] = arith.mulf %[[DOT]], %[[FACTOR]]
  // CHECK-NEXT: tile.yield %[[X]]
  %mask = attn.causal
  %scale = arith.constant 0.125 : f32
  %s = attn.dot %scale
  attn.yield %mask, %s
}

// CHECK-LABEL: @scale_of_a_param
// CHECK: %[[T:[^:]*]]: f32) {
attn.kernel @scale_of_a_param heads(1, 1) dims(8, 8) type(f32) align(end) params(%t "t" : f32) {
  // CHECK: %[[FACTOR:.*]] = arith.mulf %[[T]], %{{.*}}
  // CHECK: tile.load
  // CHECK: score {
  // CHECK-NEXT: ^bb0(%[[DOT:.*]]: f32, %{{.*}}: i32, %{{.*}}: i32):
  // CHECK-NEXT: %[[X:.*]] = arith.mulf %[[DOT]], %[[FACTOR]]
  // CHECK-NEXT: tile.yield %[[X]]
  %mask = attn.causal
  %s = attn.dot %t
  attn.yield %mask, %s
}

// slope(h) = 2^(-8 (h + 1) / 8) for 8 heads.
// CHECK-LABEL: @alibi_of_a_power_of_two
// CHECK: %{{[^:]*}}: i32, %[[H:[^:]*]]: i32, %{{[^:]*}}: i32, %{{[^:]*}}: i32, %{{[^:]*}}: i32, %{{[^:]*}}: i32) {
attn.kernel @alibi_of_a_power_of_two heads(8, 8) dims(8, 8) type(f32) align(end) {
  // CHECK: %[[NEXT:.*]] = arith.addi %[[H]], %c1_i32
  // CHECK: %[[REAL:.*]] = arith.sitofp %[[NEXT]]
  // CHECK: %[[EXPONENT:.*]] = arith.mulf %[[REAL]], %cst{{.*}}
  // CHECK: %[[SLOPE:.*]] = math.exp2 %[[EXPONENT]]
  // CHECK: %[[MINUS:.*]] = arith.negf %[[SLOPE]]
  // CHECK: %[[FACTOR:.*]] = arith.mulf %[[MINUS]], %{{.*}}
  // CHECK: score {
  // CHECK-NEXT: ^bb0(%[[DOT:.*]]: f32, %[[Q:.*]]: i32, %[[K:.*]]: i32):
  // CHECK-NEXT: %[[SCALED:.*]] = arith.mulf %[[DOT]], %{{.*}}
  // CHECK-NEXT: %[[BEHIND:.*]] = arith.subi %[[Q]], %[[K]]
  // CHECK-NEXT: %[[DISTANCE:.*]] = math.absi %[[BEHIND]]
  // CHECK-NEXT: %[[FAR:.*]] = arith.sitofp %[[DISTANCE]]
  // CHECK-NEXT: %[[BIAS:.*]] = arith.mulf %[[FAR]], %[[FACTOR]]
  // CHECK-NEXT: %[[X:.*]] = arith.addf %[[SCALED]], %[[BIAS]]
  // CHECK-NEXT: tile.yield %[[X]]
  %mask = attn.causal
  %scale = arith.constant 0.125 : f32
  %s = attn.dot %scale
  %bias = attn.alibi
  %score = arith.addf %s, %bias : f32
  attn.yield %mask, %score
}

// Of 12 heads the last four take every second slope of 16.
// CHECK-LABEL: @alibi_of_twelve_heads
// CHECK: %{{[^:]*}}: i32, %[[H:[^:]*]]: i32, %{{[^:]*}}: i32, %{{[^:]*}}: i32, %{{[^:]*}}: i32, %{{[^:]*}}: i32) {
attn.kernel @alibi_of_twelve_heads heads(12, 12) dims(8, 8) type(f32) align(end) {
  // CHECK-DAG: %[[WHOLE:.*]] = arith.constant -1.000000e+00 : f32
  // CHECK-DAG: %[[HALF:.*]] = arith.constant -5.000000e-01 : f32
  // CHECK: %[[FIRST:.*]] = arith.mulf %{{.*}}, %[[WHOLE]]
  // CHECK: %[[BEYOND:.*]] = arith.addi %[[H]], %c-8_i32
  // CHECK: %[[OTHER:.*]] = arith.mulf %{{.*}}, %[[HALF]]
  // CHECK: %[[IS_FIRST:.*]] = arith.cmpi slt, %[[H]], %c8_i32
  // CHECK: arith.select %[[IS_FIRST]], %[[FIRST]], %[[OTHER]]
  %mask = attn.causal
  %bias = attn.alibi
  attn.yield %mask, %bias
}

// cap tanh(s / cap) log2(e): only the outer factor changes.
// CHECK-LABEL: @softcap
attn.kernel @softcap heads(1, 1) dims(8, 8) type(f32) align(end) {
  // CHECK-DAG: %[[SCALE:.*]] = arith.constant 1.250000e-01 : f32
  // CHECK-DAG: %[[CAP:.*]] = arith.constant 3.000000e+01 : f32
  // CHECK-DAG: %[[OUTER:.*]] = arith.constant 43.2808495 : f32
  // CHECK: score {
  // CHECK-NEXT: ^bb0(%[[DOT:.*]]: f32, %{{.*}}: i32, %{{.*}}: i32):
  // CHECK-NEXT: %[[S:.*]] = arith.mulf %[[DOT]], %[[SCALE]]
  // CHECK-NEXT: %[[RATIO:.*]] = arith.divf %[[S]], %[[CAP]]
  // CHECK-NEXT: %[[BENT:.*]] = math.tanh %[[RATIO]]
  // CHECK-NEXT: %[[X:.*]] = arith.mulf %[[BENT]], %[[OUTER]]
  // CHECK-NEXT: tile.yield %[[X]]
  %mask = attn.causal
  %scale = arith.constant 0.125 : f32
  %cap = arith.constant 30.0 : f32
  %s = attn.dot %scale
  %score = attn.softcap %s, %cap
  attn.yield %mask, %score
}

// The factor goes into both sides of a selection, whose mask is a predicate.
// CHECK-LABEL: @select
attn.kernel @select heads(1, 1) dims(8, 8) type(f32) align(end) {
  // CHECK-DAG: %[[NEAR:.*]] = arith.constant 1.44269502 : f32
  // CHECK-DAG: %[[FAR:.*]] = arith.constant 2.885390e+00 : f32
  // CHECK: score {
  // CHECK-NEXT: ^bb0(%[[DOT:.*]]: f32, %[[Q:.*]]: i32, %[[K:.*]]: i32):
  // CHECK-NEXT: %[[KEPT:.*]] = arith.cmpi sle, %[[K]], %[[Q]]
  // CHECK-NEXT: %[[NEAR_X:.*]] = arith.mulf %[[DOT]], %[[NEAR]]
  // CHECK-NEXT: %[[FAR_X:.*]] = arith.mulf %[[DOT]], %[[FAR]]
  // CHECK-NEXT: %[[X:.*]] = arith.select %[[KEPT]], %[[NEAR_X]], %[[FAR_X]]
  // CHECK-NEXT: tile.yield %[[X]]
  %mask = attn.constant true
  %causal = attn.causal
  %keep = attn.keeps %causal
  %one = arith.constant 1.0 : f32
  %two = arith.constant 2.0 : f32
  %near = attn.dot %one
  %far = attn.dot %two
  %score = arith.select %keep, %near, %far : f32
  attn.yield %mask, %score
}

// A function of the score is computed as it is, then multiplied.
// CHECK-LABEL: @square
attn.kernel @square heads(1, 1) dims(8, 8) type(f32) align(end) {
  // CHECK-DAG: %[[LOG2E:.*]] = arith.constant 1.44269502 : f32
  // CHECK: score {
  // CHECK: %[[S:.*]] = arith.mulf
  // CHECK-NEXT: %[[SQUARE:.*]] = arith.mulf %[[S]], %[[S]]
  // CHECK-NEXT: %[[X:.*]] = arith.mulf %[[SQUARE]], %[[LOG2E]]
  // CHECK-NEXT: tile.yield %[[X]]
  %mask = attn.causal
  %scale = arith.constant 0.125 : f32
  %s = attn.dot %scale
  %score = arith.mulf %s, %s : f32
  attn.yield %mask, %score
}
