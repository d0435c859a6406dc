// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --convert-attn-to-tile --canonicalize --cse | FileCheck %s

// The classes of runs of keys, for the 64 rows of a tile that begin at %row
// (alignment start keeps the positions plain).

// CHECK-LABEL: @all_keys
attn.kernel @all_keys heads(1, 1) dims(8, 8) type(f32) align(start) {
  // CHECK-DAG: %[[YES:.*]] = arith.constant true
  // CHECK-DAG: %[[END:.*]] = arith.constant 1073741824 : i32
  // CHECK: walk {
  // CHECK-NEXT: ^bb0
  // CHECK-NEXT: tile.run %[[YES]], %[[YES]], %[[END]]
  %mask = attn.constant true
  %s = attn.alibi
  attn.yield %mask, %s
}

// The first row keeps keys up to its own, the last up to its own.
// CHECK-LABEL: @causal
// CHECK: %[[ROW:[^:]*]]: i32, %[[NQ:[^:]*]]: i32, %{{[^:]*}}: i32) {
attn.kernel @causal heads(1, 1) dims(8, 8) type(f32) align(start) {
  // CHECK-DAG: %[[END:.*]] = arith.constant 1073741824 : i32
  // CHECK-DAG: %[[PAST:.*]] = arith.addi %[[ROW]], %c64
  // CHECK: %[[COVER_END:.*]] = arith.minsi %[[PAST]], %[[NQ]]
  // CHECK: walk {
  // CHECK-NEXT: ^bb0(%[[KEY:.*]]: i32):
  // CHECK-NEXT: %[[FULL_END:.*]] = arith.addi %[[ROW]], %c1
  // CHECK-NEXT: %[[ANY:.*]] = arith.cmpi slt, %[[KEY]], %[[COVER_END]]
  // CHECK-NEXT: %[[ALL:.*]] = arith.cmpi slt, %[[KEY]], %[[FULL_END]]
  // CHECK-DAG: %[[FULL_NEXT:.*]] = arith.select %[[ALL]], %[[FULL_END]], %[[END]]
  // CHECK-DAG: %[[COVER_NEXT:.*]] = arith.select %[[ANY]], %[[COVER_END]], %[[END]]
  // CHECK: %[[NEAR:.*]] = arith.minsi %[[FULL_NEXT]], %[[COVER_NEXT]]
  // CHECK: tile.run %[[ANY]], %[[ALL]], %{{.*}}
  %mask = attn.causal
  %s = attn.alibi
  attn.yield %mask, %s
}

// A bound of 64 bits is clamped once, before the loop.
// CHECK-LABEL: @sink_of_a_param
// CHECK: %[[N:[^:]*]]: i64) {
attn.kernel @sink_of_a_param heads(1, 1) dims(8, 8) type(f32) align(start) params(%n "n" : i64) {
  // CHECK-DAG: %[[LOW:.*]] = arith.maxsi %[[N]], %c-1073741824_i64
  // CHECK-DAG: %[[CLAMPED:.*]] = arith.minsi %[[LOW]], %c1073741823_i64
  // CHECK-DAG: %[[COUNT:.*]] = arith.trunci %[[CLAMPED]] : i64 to i32
  // CHECK: walk {
  // CHECK-NEXT: ^bb0(%[[KEY:.*]]: i32):
  // CHECK-NEXT: %[[KEPT:.*]] = arith.cmpi slt, %[[KEY]], %[[COUNT]]
  // CHECK: tile.run %[[KEPT]], %[[KEPT]], %{{.*}}
  %mask = attn.sink %n
  %s = attn.alibi
  attn.yield %mask, %s
}

// Kleene's logic: not swaps and negates, or is or, the nearer end wins.
// CHECK-LABEL: @compositions
// CHECK: %[[ROW:[^:]*]]: i32, %{{[^:]*}}: i32, %{{[^:]*}}: i32) {
attn.kernel @compositions heads(1, 1) dims(8, 8) type(f32) align(start) {
  // CHECK: walk {
  // CHECK-NEXT: ^bb0(%[[KEY:.*]]: i32):
  // CHECK: %[[SINK:.*]] = arith.cmpi slt, %[[KEY]], %c4_i32
  // CHECK: %[[SINK_END:.*]] = arith.select %[[SINK]], %c4_i32, %c1073741824_i32
  // CHECK: %[[SOME_OTHER:.*]] = arith.cmpi sge, %{{.*}}, %c7_i32
  // CHECK: %[[ONLY_OTHERS:.*]] = arith.cmpi sge, %[[ROW]], %c7_i32
  // CHECK: %[[ANY:.*]] = arith.ori %[[SINK]], %[[SOME_OTHER]]
  // CHECK: %[[ALL:.*]] = arith.ori %[[SINK]], %[[ONLY_OTHERS]]
  // CHECK: tile.run %[[ANY]], %[[ALL]], %{{.*}}
  %c4 = arith.constant 4 : i64
  %c7 = arith.constant 7 : i64
  %sink = attn.sink %c4
  %queries = attn.queries below %c7
  %others = attn.not %queries
  %mask = attn.or %sink, %others
  %s = attn.alibi
  attn.yield %mask, %s
}

// A comparison without q and k is one bit a tile.
// CHECK-LABEL: @heads_below_two
// CHECK: %[[B:[^:]*]]: i32, %[[H:[^:]*]]: i32, %[[G:[^:]*]]: i32, %{{.*}}: i32, %{{.*}}: i32, %{{.*}}: i32) {
attn.kernel @heads_below_two heads(4, 2) dims(8, 8) type(f32) align(start) {
  // CHECK: walk {
  // CHECK: %[[HOLDS:.*]] = arith.cmpi slt, %{{.*}}, %c2_i64
  // CHECK-NEXT: tile.run %[[HOLDS]], %[[HOLDS]], %c1073741824_i32
  %c2 = arith.constant 2 : i64
  %h = attn.variable h
  %mask = attn.compare lt %h, %c2
  %s = attn.alibi
  attn.yield %mask, %s
}

// Any other is looked at pair by pair.
// CHECK-LABEL: @product_of_positions
attn.kernel @product_of_positions heads(4, 2) dims(8, 8) type(f32) align(start) {
  // CHECK: walk {
  // CHECK-NEXT: ^bb0
  // CHECK-NEXT: tile.run %true, %false, %c1073741824_i32
  %q = attn.variable q
  %k = attn.variable k
  %product = arith.muli %q, %k : i64
  %mask = attn.compare lt %product, %q
  %s = attn.alibi
  attn.yield %mask, %s
}
