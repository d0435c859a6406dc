// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --convert-attn-to-tile --canonicalize --cse | FileCheck %s

// The predicate of a pair, on 32-bit positions; keys past the end are dropped.

// CHECK-LABEL: @causal
// CHECK: %[[NK:[^: ]*]]: i32) {
attn.kernel @causal heads(1, 1) dims(8, 8) type(f32) align(end) {
  // CHECK: keep {
  // CHECK-NEXT: ^bb0(%[[Q:.*]]: i32, %[[K:.*]]: i32):
  // CHECK-NEXT: %[[KEPT:.*]] = arith.cmpi sle, %[[K]], %[[Q]]
  // CHECK-NEXT: %[[EXISTS:.*]] = arith.cmpi slt, %[[K]], %[[NK]]
  // CHECK-NEXT: %[[BOTH:.*]] = arith.andi %[[KEPT]], %[[EXISTS]]
  // CHECK-NEXT: tile.yield %[[BOTH]]
  %mask = attn.causal
  %s = attn.alibi
  attn.yield %mask, %s
}

// Blocks of positions fit in 32 bits: a shift for 64, and for 48 an unsigned
// division of the key, lifted by 22369622 blocks so that it is not negative.
// CHECK-LABEL: @blocks_are_narrow
attn.kernel @blocks_are_narrow heads(1, 1) dims(8, 8) type(f32) align(end) {
  // CHECK: keep {
  // CHECK-NEXT: ^bb0(%[[Q:.*]]: i32, %[[K:.*]]: i32):
  // CHECK-NEXT: %[[Q_BLOCK:.*]] = arith.shrsi %[[Q]], %c6_i32 : i32
  // CHECK-NEXT: %[[LIFTED:.*]] = arith.addi %[[K]], %c1073741856_i32 : i32
  // CHECK-NEXT: %[[QUOTIENT:.*]] = arith.divui %[[LIFTED]], %c48_i32 : i32
  // CHECK-NEXT: %[[K_BLOCK:.*]] = arith.addi %[[QUOTIENT]], %c-22369622_i32 : i32
  // CHECK-NEXT: arith.cmpi eq, %[[Q_BLOCK]], %[[K_BLOCK]] : i32
  %q = attn.variable q
  %k = attn.variable k
  %c64 = arith.constant 64 : i64
  %c48 = arith.constant 48 : i64
  %q_block = attn.floordiv %q, %c64
  %k_block = attn.floordiv %k, %c48
  %mask = attn.compare eq %q_block, %k_block
  %s = attn.alibi
  attn.yield %mask, %s
}

// What may need 64 bits is computed in 64.
// CHECK-LABEL: @products_are_wide
attn.kernel @products_are_wide heads(1, 1) dims(8, 8) type(f32) align(end) {
  // CHECK: keep {
  // CHECK-NEXT: ^bb0(%[[Q:.*]]: i32, %[[K:.*]]: i32):
  // CHECK-DAG: %[[WIDE_Q:.*]] = arith.extsi %[[Q]] : i32 to i64
  // CHECK-DAG: %[[WIDE_K:.*]] = arith.extsi %[[K]] : i32 to i64
  // CHECK: %[[PRODUCT:.*]] = arith.muli %[[WIDE_Q]], %[[WIDE_K]] : i64
  // CHECK: arith.cmpi slt, %[[PRODUCT]], %c99_i64
  %q = attn.variable q
  %k = attn.variable k
  %c99 = arith.constant 99 : i64
  %product = arith.muli %q, %k : i64
  %mask = attn.compare lt %product, %c99
  %s = attn.alibi
  attn.yield %mask, %s
}

// An expression of params and lengths is computed before the loop.
// CHECK-LABEL: @uniform_parts_are_outside
// CHECK: %[[NK:[^: ]*]]: i32, %[[W:[^:]*]]: i64) {
attn.kernel @uniform_parts_are_outside heads(1, 1) dims(8, 8) type(f32) align(end) params(%w "w" : i64) {
  // CHECK: %[[WIDE:.*]] = arith.extsi %[[NK]] : i32 to i64
  // CHECK: %[[SUM:.*]] = arith.addi %[[W]], %[[WIDE]] : i64
  // CHECK: tile.load
  // CHECK: keep {
  // CHECK: arith.cmpi slt, %{{.*}}, %[[SUM]] : i64
  %q = attn.variable q
  %k = attn.variable k
  %nk = attn.variable nk
  %sum = arith.addi %w, %nk : i64
  %product = arith.muli %q, %k : i64
  %mask = attn.compare lt %product, %sum
  %s = attn.alibi
  attn.yield %mask, %s
}

// A block window compares the key with two ends that depend on the row alone.
// CHECK-LABEL: @no_key_is_divided
attn.kernel @no_key_is_divided heads(1, 1) dims(8, 8) type(f32) align(end) {
  // CHECK: keep {
  // CHECK-NEXT: ^bb0(%[[Q:.*]]: i32, %[[K:.*]]: i32):
  // CHECK: %[[BLOCK:.*]] = arith.shrsi %[[Q]], %c6_i32
  // CHECK: %[[LOW:.*]] = arith.muli
  // CHECK-NEXT: %[[FROM:.*]] = arith.cmpi sle, %[[LOW]], %[[K]]
  // CHECK: %[[HIGH:.*]] = arith.muli
  // CHECK-NEXT: %[[TO:.*]] = arith.cmpi slt, %[[K]], %[[HIGH]]
  // CHECK-NEXT: arith.andi %[[FROM]], %[[TO]]
  // CHECK-NOT: arith.shrsi
  // CHECK: tile.yield
  %zero = arith.constant 0 : i64
  %mask = attn.block_window left %zero right %zero block 64
  %s = attn.alibi
  attn.yield %mask, %s
}

// Minima, maxima and distances fit in 32 bits too.
// CHECK-LABEL: @distances_are_narrow
attn.kernel @distances_are_narrow heads(1, 1) dims(8, 8) type(f32) align(end) {
  // CHECK: keep {
  // CHECK-NEXT: ^bb0(%[[Q:.*]]: i32, %[[K:.*]]: i32):
  // CHECK-NEXT: %[[BEHIND:.*]] = arith.subi %[[Q]], %[[K]] : i32
  // CHECK-NEXT: %[[DISTANCE:.*]] = math.absi %[[BEHIND]] : i32
  // CHECK-NEXT: %[[NEARER:.*]] = arith.minsi %[[DISTANCE]], %[[K]] : i32
  // CHECK-NEXT: arith.cmpi eq, %[[NEARER]], %c5_i32 : i32
  %q = attn.variable q
  %k = attn.variable k
  %c5 = arith.constant 5 : i64
  %behind = arith.subi %q, %k : i64
  %distance = math.absi %behind : i64
  %nearer = arith.minsi %distance, %k : i64
  %mask = attn.compare eq %nearer, %c5
  %s = attn.alibi
  attn.yield %mask, %s
}
