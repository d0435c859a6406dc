// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --canonicalize --cse --canonicalize | FileCheck %s

// CHECK-LABEL: @key_below
attn.kernel @key_below heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c5 = arith.constant 5 : i64
  %k = attn.variable k
  %b = attn.compare lt %k, %c5
  %score = attn.alibi
  // CHECK-DAG: %[[C5:.*]] = arith.constant 5 : i64
  // CHECK: %[[SINK:.*]] = attn.sink %[[C5]]
  // CHECK: attn.yield %[[SINK]],
  attn.yield %b, %score
}

// CHECK-LABEL: @key_at_most
attn.kernel @key_at_most heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c5 = arith.constant 5 : i64
  %k = attn.variable k
  %b = attn.compare le %k, %c5
  %score = attn.alibi
  // CHECK-DAG: %[[C6:.*]] = arith.constant 6 : i64
  // CHECK: %[[SINK:.*]] = attn.sink %[[C6]]
  // CHECK: attn.yield %[[SINK]],
  attn.yield %b, %score
}

// CHECK-LABEL: @key_above
attn.kernel @key_above heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c5 = arith.constant 5 : i64
  %k = attn.variable k
  %b = attn.compare gt %k, %c5
  %score = attn.alibi
  // CHECK-DAG: %[[C6:.*]] = arith.constant 6 : i64
  // CHECK: %[[SINK:.*]] = attn.sink %[[C6]]
  // CHECK: %[[REST:.*]] = attn.not %[[SINK]]
  // CHECK: attn.yield %[[REST]],
  attn.yield %b, %score
}

// CHECK-LABEL: @key_at_least
attn.kernel @key_at_least heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c5 = arith.constant 5 : i64
  %k = attn.variable k
  %b = attn.compare ge %k, %c5
  %score = attn.alibi
  // CHECK-DAG: %[[C5:.*]] = arith.constant 5 : i64
  // CHECK: %[[SINK:.*]] = attn.sink %[[C5]]
  // CHECK: %[[REST:.*]] = attn.not %[[SINK]]
  // CHECK: attn.yield %[[REST]],
  attn.yield %b, %score
}

// CHECK-LABEL: @key_is
attn.kernel @key_is heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c5 = arith.constant 5 : i64
  %k = attn.variable k
  %b = attn.compare eq %k, %c5
  %score = attn.alibi
  // CHECK-DAG: %[[C6:.*]] = arith.constant 6 : i64
  // CHECK-DAG: %[[C5:.*]] = arith.constant 5 : i64
  // CHECK: %[[UP_TO:.*]] = attn.sink %[[C6]]
  // CHECK: %[[BELOW:.*]] = attn.sink %[[C5]]
  // CHECK: %[[FROM:.*]] = attn.not %[[BELOW]]
  // CHECK: %[[AND:.*]] = attn.and %[[UP_TO]], %[[FROM]]
  // CHECK: attn.yield %[[AND]],
  attn.yield %b, %score
}

// CHECK-LABEL: @number_below_query
attn.kernel @number_below_query heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c5 = arith.constant 5 : i64
  %q = attn.variable q
  %b = attn.compare lt %c5, %q
  %score = attn.alibi
  // CHECK-DAG: %[[C6:.*]] = arith.constant 6 : i64
  // CHECK: %[[UP_TO:.*]] = attn.queries below %[[C6]]
  // CHECK: %[[REST:.*]] = attn.not %[[UP_TO]]
  // CHECK: attn.yield %[[REST]],
  attn.yield %b, %score
}

// CHECK-LABEL: @number_at_most_query
attn.kernel @number_at_most_query heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c5 = arith.constant 5 : i64
  %q = attn.variable q
  %b = attn.compare le %c5, %q
  %score = attn.alibi
  // CHECK-DAG: %[[C5:.*]] = arith.constant 5 : i64
  // CHECK: %[[BELOW:.*]] = attn.queries below %[[C5]]
  // CHECK: %[[REST:.*]] = attn.not %[[BELOW]]
  // CHECK: attn.yield %[[REST]],
  attn.yield %b, %score
}

// CHECK-LABEL: @number_above_query
attn.kernel @number_above_query heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c5 = arith.constant 5 : i64
  %q = attn.variable q
  %b = attn.compare gt %c5, %q
  %score = attn.alibi
  // CHECK-DAG: %[[C5:.*]] = arith.constant 5 : i64
  // CHECK: %[[BELOW:.*]] = attn.queries below %[[C5]]
  // CHECK: attn.yield %[[BELOW]],
  attn.yield %b, %score
}

// CHECK-LABEL: @negative_query_at_most_a_number
attn.kernel @negative_query_at_most_a_number heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c0 = arith.constant 0 : i64
  %c5 = arith.constant 5 : i64
  %q = attn.variable q
  %m = arith.subi %c0, %q : i64
  %b = attn.compare le %m, %c5
  %score = attn.alibi
  // CHECK-DAG: %[[CM5:.*]] = arith.constant -5 : i64
  // CHECK: %[[BELOW:.*]] = attn.queries below %[[CM5]]
  // CHECK: %[[REST:.*]] = attn.not %[[BELOW]]
  // CHECK: attn.yield %[[REST]],
  attn.yield %b, %score
}

// CHECK-LABEL: @same_block
attn.kernel @same_block heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c64 = arith.constant 64 : i64
  %q = attn.variable q
  %k = attn.variable k
  %x = attn.floordiv %q, %c64
  %y = attn.floordiv %k, %c64
  %b = attn.compare eq %x, %y
  %score = attn.alibi
  // CHECK-DAG: %[[C0:.*]] = arith.constant 0 : i64
  // CHECK: %[[BLOCK:.*]] = attn.block_window left %[[C0]] right %[[C0]] block 64
  // CHECK: attn.yield %[[BLOCK]],
  attn.yield %b, %score
}

// CHECK-LABEL: @block_causal
attn.kernel @block_causal heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c64 = arith.constant 64 : i64
  %q = attn.variable q
  %k = attn.variable k
  %x = attn.floordiv %q, %c64
  %y = attn.floordiv %k, %c64
  %b = attn.compare ge %x, %y
  %score = attn.alibi
  // CHECK-DAG: %[[C0:.*]] = arith.constant 0 : i64
  // CHECK: %[[BLOCK:.*]] = attn.block_window right %[[C0]] block 64
  // CHECK: attn.yield %[[BLOCK]],
  attn.yield %b, %score
}

// CHECK-LABEL: @blocks_of_two_sizes_stay
attn.kernel @blocks_of_two_sizes_stay heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c64 = arith.constant 64 : i64
  %c32 = arith.constant 32 : i64
  %q = attn.variable q
  %k = attn.variable k
  %x = attn.floordiv %q, %c64
  %y = attn.floordiv %k, %c32
  %b = attn.compare eq %x, %y
  %score = attn.alibi
  // CHECK-DAG: %[[C64:.*]] = arith.constant 64 : i64
  // CHECK-DAG: %[[C32:.*]] = arith.constant 32 : i64
  // CHECK: %[[Q:.*]] = attn.variable q
  // CHECK: %[[K:.*]] = attn.variable k
  // CHECK: %[[X:.*]] = attn.floordiv %[[Q]], %[[C64]]
  // CHECK: %[[Y:.*]] = attn.floordiv %[[K]], %[[C32]]
  // CHECK: %[[REST:.*]] = attn.compare eq %[[X]], %[[Y]]
  // CHECK: attn.yield %[[REST]],
  attn.yield %b, %score
}

// CHECK-LABEL: @key_block_is_a_range_of_keys
attn.kernel @key_block_is_a_range_of_keys heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c64 = arith.constant 64 : i64
  %c3 = arith.constant 3 : i64
  %k = attn.variable k
  %y = attn.floordiv %k, %c64
  %b = attn.compare lt %y, %c3
  %score = attn.alibi
  // CHECK-DAG: %[[C192:.*]] = arith.constant 192 : i64
  // CHECK: %[[SINK:.*]] = attn.sink %[[C192]]
  // CHECK: attn.yield %[[SINK]],
  attn.yield %b, %score
}

// CHECK-LABEL: @sum_of_positions_stays
attn.kernel @sum_of_positions_stays heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c5 = arith.constant 5 : i64
  %q = attn.variable q
  %k = attn.variable k
  %x = arith.addi %q, %k : i64
  %b = attn.compare le %x, %c5
  %score = attn.alibi
  // CHECK-DAG: %[[C5:.*]] = arith.constant 5 : i64
  // CHECK: %[[Q:.*]] = attn.variable q
  // CHECK: %[[K:.*]] = attn.variable k
  // CHECK: %[[SUM:.*]] = arith.addi %[[Q]], %[[K]]
  // CHECK: %[[REST:.*]] = attn.compare le %[[SUM]], %[[C5]]
  // CHECK: attn.yield %[[REST]],
  attn.yield %b, %score
}
