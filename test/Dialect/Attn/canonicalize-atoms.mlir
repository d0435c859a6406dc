// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --canonicalize --cse --canonicalize | FileCheck %s

// CHECK-LABEL: @sink_of_no_keys_is_none
attn.kernel @sink_of_no_keys_is_none heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c0 = arith.constant 0 : i64
  %b = attn.sink %c0
  %score = attn.alibi
  // CHECK: %[[NONE:.*]] = attn.constant false
  // CHECK: attn.yield %[[NONE]],
  attn.yield %b, %score
}

// CHECK-LABEL: @sink_past_every_key_is_all
attn.kernel @sink_past_every_key_is_all heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c1073741824 = arith.constant 1073741824 : i64
  %b = attn.sink %c1073741824
  %score = attn.alibi
  // CHECK: %[[ALL:.*]] = attn.constant true
  // CHECK: attn.yield %[[ALL]],
  attn.yield %b, %score
}

// CHECK-LABEL: @queries_below_every_position_are_none
attn.kernel @queries_below_every_position_are_none heads(1, 1) dims(8, 8) type(f32) align(end) {
  %cm1073741824 = arith.constant -1073741824 : i64
  %b = attn.queries below %cm1073741824
  %score = attn.alibi
  // CHECK: %[[NONE:.*]] = attn.constant false
  // CHECK: attn.yield %[[NONE]],
  attn.yield %b, %score
}

// CHECK-LABEL: @queries_past_every_position_are_all
attn.kernel @queries_past_every_position_are_all heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c9223372036854775807 = arith.constant 9223372036854775807 : i64
  %b = attn.queries below %c9223372036854775807
  %score = attn.alibi
  // CHECK: %[[ALL:.*]] = attn.constant true
  // CHECK: attn.yield %[[ALL]],
  attn.yield %b, %score
}

// CHECK-LABEL: @dilated_by_one_is_a_window
// CHECK-SAME: params(%[[L:.*]] "l" : i64, %[[R:.*]] "r" : i64
attn.kernel @dilated_by_one_is_a_window heads(1, 1) dims(8, 8) type(f32) align(end) params(%l "l" : i64, %r "r" : i64) {
  %c1 = arith.constant 1 : i64
  %b = attn.dilated left %l right %r step %c1
  %score = attn.alibi
  // CHECK: %[[WINDOW:.*]] = attn.window left %[[L]] right %[[R]]
  // CHECK: attn.yield %[[WINDOW]],
  attn.yield %b, %score
}

// CHECK-LABEL: @prefix_under_causal_is_causal
attn.kernel @prefix_under_causal_is_causal heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c16 = arith.constant 16 : i64
  %x = attn.causal
  %y = attn.prefix %c16
  %b = attn.and %x, %y
  %score = attn.alibi
  // CHECK: %[[CAUSAL:.*]] = attn.causal
  // CHECK: attn.yield %[[CAUSAL]],
  attn.yield %b, %score
}

// CHECK-LABEL: @prefix_alone_stays
// CHECK-SAME: params(%[[N:.*]] "n" : i64
attn.kernel @prefix_alone_stays heads(1, 1) dims(8, 8) type(f32) align(end) params(%n "n" : i64) {
  %b = attn.prefix %n
  %score = attn.alibi
  // CHECK: %[[PREFIX:.*]] = attn.prefix %[[N]]
  // CHECK: attn.yield %[[PREFIX]],
  attn.yield %b, %score
}

// CHECK-LABEL: @division_rounds_toward_minus_infinity
attn.kernel @division_rounds_toward_minus_infinity heads(1, 1) dims(8, 8) type(f32) align(end) {
  %cm7 = arith.constant -7 : i64
  %c2 = arith.constant 2 : i64
  %cm2 = arith.constant -2 : i64
  %v = attn.floordiv %cm7, %c2
  %k = attn.floormod %cm7, %cm2
  %x = attn.window left %v
  %y = attn.global %k
  %b = attn.and %x, %y
  %score = attn.alibi
  // CHECK-DAG: %[[CM4:.*]] = arith.constant -4 : i64
  // CHECK-DAG: %[[CM1:.*]] = arith.constant -1 : i64
  // CHECK: %[[WINDOW:.*]] = attn.window left %[[CM4]]
  // CHECK: %[[GLOBAL:.*]] = attn.global %[[CM1]]
  // CHECK: %[[AND:.*]] = attn.and %[[WINDOW]], %[[GLOBAL]]
  // CHECK: attn.yield %[[AND]],
  attn.yield %b, %score
}

// CHECK-LABEL: @division_of_the_smallest_number_wraps
attn.kernel @division_of_the_smallest_number_wraps heads(1, 1) dims(8, 8) type(f32) align(end) {
  %cm9223372036854775808 = arith.constant -9223372036854775808 : i64
  %cm1 = arith.constant -1 : i64
  %v = attn.floordiv %cm9223372036854775808, %cm1
  %k = attn.floormod %cm9223372036854775808, %cm1
  %x = attn.global %v
  %y = attn.prefix %k
  %b = attn.or %x, %y
  %score = attn.alibi
  // CHECK-DAG: %[[CM9223372036854775808:.*]] = arith.constant -9223372036854775808 : i64
  // CHECK-DAG: %[[C0:.*]] = arith.constant 0 : i64
  // CHECK: %[[GLOBAL:.*]] = attn.global %[[CM9223372036854775808]]
  // CHECK: %[[PREFIX:.*]] = attn.prefix %[[C0]]
  // CHECK: %[[OR:.*]] = attn.or %[[GLOBAL]], %[[PREFIX]]
  // CHECK: attn.yield %[[OR]],
  attn.yield %b, %score
}

// CHECK-LABEL: @division_by_zero_is_left_to_the_launch
attn.kernel @division_by_zero_is_left_to_the_launch heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c7 = arith.constant 7 : i64
  %c0 = arith.constant 0 : i64
  %v = attn.floordiv %c7, %c0
  %b = attn.global %v
  %score = attn.alibi
  // CHECK-DAG: %[[C7:.*]] = arith.constant 7 : i64
  // CHECK-DAG: %[[C0:.*]] = arith.constant 0 : i64
  // CHECK: %[[DIV:.*]] = attn.floordiv %[[C7]], %[[C0]]
  // CHECK: %[[MASK:.*]] = attn.global %[[DIV]]
  // CHECK: attn.yield %[[MASK]],
  attn.yield %b, %score
}

// CHECK-LABEL: @window_without_bounds_is_all
attn.kernel @window_without_bounds_is_all heads(1, 1) dims(8, 8) type(f32) align(end) {
  %b = attn.window
  %score = attn.alibi
  // CHECK: %[[ALL:.*]] = attn.constant true
  // CHECK: attn.yield %[[ALL]],
  attn.yield %b, %score
}

// CHECK-LABEL: @window_up_to_the_query_is_causal
attn.kernel @window_up_to_the_query_is_causal heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c0 = arith.constant 0 : i64
  %b = attn.window right %c0
  %score = attn.alibi
  // CHECK: %[[CAUSAL:.*]] = attn.causal
  // CHECK: attn.yield %[[CAUSAL]],
  attn.yield %b, %score
}

// CHECK-LABEL: @window_with_crossed_bounds_is_none
attn.kernel @window_with_crossed_bounds_is_none heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c3 = arith.constant 3 : i64
  %cm4 = arith.constant -4 : i64
  %b = attn.window left %c3 right %cm4
  %score = attn.alibi
  // CHECK: %[[NONE:.*]] = attn.constant false
  // CHECK: attn.yield %[[NONE]],
  attn.yield %b, %score
}

// CHECK-LABEL: @window_far_from_every_pair_is_none
// CHECK-SAME: params(%[[R:.*]] "r" : i64
attn.kernel @window_far_from_every_pair_is_none heads(1, 1) dims(8, 8) type(f32) align(end) params(%r "r" : i64) {
  %cm9223372036854775808 = arith.constant -9223372036854775808 : i64
  %b = attn.window left %cm9223372036854775808 right %r
  %score = attn.alibi
  // CHECK: %[[NONE:.*]] = attn.constant false
  // CHECK: attn.yield %[[NONE]],
  attn.yield %b, %score
}

// CHECK-LABEL: @bounds_past_every_pair_are_infinite
// CHECK-SAME: params(%[[R:.*]] "r" : i64
attn.kernel @bounds_past_every_pair_are_infinite heads(1, 1) dims(8, 8) type(f32) align(end) params(%r "r" : i64) {
  %c9223372036854775807 = arith.constant 9223372036854775807 : i64
  %b = attn.window left %c9223372036854775807 right %r
  %score = attn.alibi
  // CHECK: %[[WINDOW:.*]] = attn.window right %[[R]]
  // CHECK: attn.yield %[[WINDOW]],
  attn.yield %b, %score
}

// CHECK-LABEL: @single_diagonal_stays
attn.kernel @single_diagonal_stays heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c3 = arith.constant 3 : i64
  %cm3 = arith.constant -3 : i64
  %b = attn.window left %c3 right %cm3
  %score = attn.alibi
  // CHECK-DAG: %[[C3:.*]] = arith.constant 3 : i64
  // CHECK-DAG: %[[CM3:.*]] = arith.constant -3 : i64
  // CHECK: %[[DIAGONAL:.*]] = attn.window left %[[C3]] right %[[CM3]]
  // CHECK: attn.yield %[[DIAGONAL]],
  attn.yield %b, %score
}

// CHECK-LABEL: @block_window_without_bounds_is_all
attn.kernel @block_window_without_bounds_is_all heads(1, 1) dims(8, 8) type(f32) align(end) {
  %b = attn.block_window block 64
  %score = attn.alibi
  // CHECK: %[[ALL:.*]] = attn.constant true
  // CHECK: attn.yield %[[ALL]],
  attn.yield %b, %score
}

// CHECK-LABEL: @block_bounds_past_every_pair_are_infinite
attn.kernel @block_bounds_past_every_pair_are_infinite heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c1073741823 = arith.constant 1073741823 : i64
  %c0 = arith.constant 0 : i64
  %b = attn.block_window left %c1073741823 right %c0 block 64
  %score = attn.alibi
  // CHECK-DAG: %[[C0:.*]] = arith.constant 0 : i64
  // CHECK: %[[WINDOW:.*]] = attn.block_window right %[[C0]] block 64
  // CHECK: attn.yield %[[WINDOW]],
  attn.yield %b, %score
}

// CHECK-LABEL: @blocks_of_one_position_are_a_window
// CHECK-SAME: params(%[[L:.*]] "l" : i64, %[[R:.*]] "r" : i64
attn.kernel @blocks_of_one_position_are_a_window heads(1, 1) dims(8, 8) type(f32) align(end) params(%l "l" : i64, %r "r" : i64) {
  %b = attn.block_window left %l right %r block 1
  %score = attn.alibi
  // CHECK: %[[WINDOW:.*]] = attn.window left %[[L]] right %[[R]]
  // CHECK: attn.yield %[[WINDOW]],
  attn.yield %b, %score
}
