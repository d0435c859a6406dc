// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --convert-attn-to-tile="rows=64 warps=1" --canonicalize --cse | FileCheck %s

// Rows of a tile touch two blocks of 64 at most; with two draws each that makes
// four products before the loop, and comparisons in it.
// CHECK-LABEL: @few_draws_are_hoisted
attn.kernel @few_draws_are_hoisted heads(4, 2) dims(8, 8) type(f32) align(end) {
  // CHECK-COUNT-4: arith.mului_extended
  // CHECK-NOT: arith.mului_extended
  // CHECK: tile.load
  // CHECK: walk {
  // CHECK-NOT: scf.for
  // CHECK-NOT: arith.mului_extended
  // CHECK: tile.run
  // CHECK: keep {
  // CHECK-NOT: scf.for
  // CHECK-NOT: arith.mului_extended
  // CHECK: tile.yield
  %n = arith.constant 2 : i64
  %seed = arith.constant 7 : i64
  %mask = attn.random %n seed %seed block 64 per h
  %s = attn.alibi
  attn.yield %mask, %s
}

// Draws whose number is a param are made in loops. The loop of the predicate has
// the same bounds for every pair: n, at most the blocks of the last row.
// CHECK-LABEL: @draws_of_a_param_are_loops
// CHECK: %[[NQ:[^: ]*]]: i32, %{{[^: ]*}}: i32, %[[N:[^:]*]]: i64, %[[SEED:[^:]*]]: i64) {
attn.kernel @draws_of_a_param_are_loops heads(4, 2) dims(8, 8) type(f32) align(start) params(%n "n" : i64, %seed "seed" : i64) {
  // CHECK: %[[COUNT:.*]] = arith.maxsi %[[N]], %c0_i64
  // CHECK: %[[TRIPS:.*]] = arith.minsi %[[COUNT]], %{{.*}}
  // CHECK: tile.load
  // CHECK: walk {
  // CHECK: scf.for
  // CHECK: scf.for %{{.*}} = %c0_i64 to %[[TRIPS]]
  // CHECK: keep {
  // CHECK: scf.for %{{.*}} = %c0_i64 to %[[TRIPS]] step %c1_i64
  // CHECK: tile.yield
  %mask = attn.random %n seed %seed block 64 per none causal
  %s = attn.alibi
  attn.yield %mask, %s
}

// Who draws: h, g, or nobody.
// CHECK-LABEL: @one_draw_a_kv_head
// CHECK: %[[B:[^:( ]*]]: i32, %[[H:[^:]*]]: i32, %[[G:[^:]*]]: i32, %{{[^:]*}}: i32, %{{[^:]*}}: i32, %{{[^:]*}}: i32) {
attn.kernel @one_draw_a_kv_head heads(4, 2) dims(8, 8) type(f32) align(end) {
  // CHECK: arith.extsi %[[G]] : i32 to i64
  // CHECK-NOT: arith.extsi %[[H]] : i32
  // CHECK: tile.load
  %n = arith.constant 2 : i64
  %mask = attn.random %n seed %n block 64 per g
  %scale = arith.constant 1.0 : f32
  %s = attn.dot %scale
  attn.yield %mask, %s
}
