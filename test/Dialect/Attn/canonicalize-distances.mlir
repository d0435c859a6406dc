// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --canonicalize --cse --canonicalize | FileCheck %s

// CHECK-LABEL: @distance_below_a_number
attn.kernel @distance_below_a_number heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c5 = arith.constant 5 : i64
  %q = attn.variable q
  %k = attn.variable k
  %d = arith.subi %q, %k : i64
  %b = attn.compare lt %d, %c5
  %score = attn.alibi
  // CHECK-DAG: %[[C4:.*]] = arith.constant 4 : i64
  // CHECK: %[[BAND:.*]] = attn.window left %[[C4]]
  // CHECK: attn.yield %[[BAND]],
  attn.yield %b, %score
}

// CHECK-LABEL: @distance_at_most_a_param
// CHECK-SAME: params(%[[W:.*]] "w" : i64
attn.kernel @distance_at_most_a_param heads(1, 1) dims(8, 8) type(f32) align(end) params(%w "w" : i64) {
  %q = attn.variable q
  %k = attn.variable k
  %d = arith.subi %q, %k : i64
  %b = attn.compare le %d, %w
  %score = attn.alibi
  // CHECK: %[[BAND:.*]] = attn.window left %[[W]]
  // CHECK: attn.yield %[[BAND]],
  attn.yield %b, %score
}

// CHECK-LABEL: @distance_above_a_number
attn.kernel @distance_above_a_number heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c5 = arith.constant 5 : i64
  %q = attn.variable q
  %k = attn.variable k
  %d = arith.subi %q, %k : i64
  %b = attn.compare gt %d, %c5
  %score = attn.alibi
  // CHECK-DAG: %[[CM6:.*]] = arith.constant -6 : i64
  // CHECK: %[[BAND:.*]] = attn.window right %[[CM6]]
  // CHECK: attn.yield %[[BAND]],
  attn.yield %b, %score
}

// CHECK-LABEL: @distance_at_least_a_number
attn.kernel @distance_at_least_a_number heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c5 = arith.constant 5 : i64
  %q = attn.variable q
  %k = attn.variable k
  %d = arith.subi %q, %k : i64
  %b = attn.compare ge %d, %c5
  %score = attn.alibi
  // CHECK-DAG: %[[CM5:.*]] = arith.constant -5 : i64
  // CHECK: %[[BAND:.*]] = attn.window right %[[CM5]]
  // CHECK: attn.yield %[[BAND]],
  attn.yield %b, %score
}

// CHECK-LABEL: @distance_is_a_number
attn.kernel @distance_is_a_number heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c5 = arith.constant 5 : i64
  %q = attn.variable q
  %k = attn.variable k
  %d = arith.subi %q, %k : i64
  %b = attn.compare eq %d, %c5
  %score = attn.alibi
  // CHECK-DAG: %[[C5:.*]] = arith.constant 5 : i64
  // CHECK-DAG: %[[CM5:.*]] = arith.constant -5 : i64
  // CHECK: %[[DIAGONAL:.*]] = attn.window left %[[C5]] right %[[CM5]]
  // CHECK: attn.yield %[[DIAGONAL]],
  attn.yield %b, %score
}

// CHECK-LABEL: @distance_is_not_a_number
attn.kernel @distance_is_not_a_number heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c5 = arith.constant 5 : i64
  %q = attn.variable q
  %k = attn.variable k
  %d = arith.subi %q, %k : i64
  %b = attn.compare ne %d, %c5
  %score = attn.alibi
  // CHECK-DAG: %[[C4:.*]] = arith.constant 4 : i64
  // CHECK-DAG: %[[CM6:.*]] = arith.constant -6 : i64
  // CHECK: %[[FAR:.*]] = attn.window left %[[C4]]
  // CHECK: %[[NEAR:.*]] = attn.window right %[[CM6]]
  // CHECK: %[[OR:.*]] = attn.or %[[NEAR]], %[[FAR]]
  // CHECK: attn.yield %[[OR]],
  attn.yield %b, %score
}

// CHECK-LABEL: @distance_below_a_param_saturates
// CHECK-SAME: params(%[[W:.*]] "w" : i64
attn.kernel @distance_below_a_param_saturates heads(1, 1) dims(8, 8) type(f32) align(end) params(%w "w" : i64) {
  %q = attn.variable q
  %k = attn.variable k
  %d = arith.subi %q, %k : i64
  %b = attn.compare lt %d, %w
  %score = attn.alibi
  // CHECK-DAG: %[[CM9223372036854775807:.*]] = arith.constant -9223372036854775807 : i64
  // CHECK-DAG: %[[CM1:.*]] = arith.constant -1 : i64
  // CHECK: %[[SAFE:.*]] = arith.maxsi %[[W]], %[[CM9223372036854775807]]
  // CHECK: %[[LESS:.*]] = arith.addi %[[SAFE]], %[[CM1]]
  // CHECK: %[[BAND:.*]] = attn.window left %[[LESS]]
  // CHECK: attn.yield %[[BAND]],
  attn.yield %b, %score
}

// CHECK-LABEL: @query_before_key
attn.kernel @query_before_key heads(1, 1) dims(8, 8) type(f32) align(end) {
  %q = attn.variable q
  %k = attn.variable k
  %b = attn.compare lt %q, %k
  %score = attn.alibi
  // CHECK-DAG: %[[CM1:.*]] = arith.constant -1 : i64
  // CHECK: %[[FUTURE:.*]] = attn.window left %[[CM1]]
  // CHECK: attn.yield %[[FUTURE]],
  attn.yield %b, %score
}

// CHECK-LABEL: @key_up_to_query_and_a_number
attn.kernel @key_up_to_query_and_a_number heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c3 = arith.constant 3 : i64
  %q = attn.variable q
  %k = attn.variable k
  %e = arith.addi %q, %c3 : i64
  %b = attn.compare le %k, %e
  %score = attn.alibi
  // CHECK-DAG: %[[C3:.*]] = arith.constant 3 : i64
  // CHECK: %[[BAND:.*]] = attn.window right %[[C3]]
  // CHECK: attn.yield %[[BAND]],
  attn.yield %b, %score
}

// CHECK-LABEL: @absolute_distance_is_a_window
// CHECK-SAME: params(%[[W:.*]] "w" : i64
attn.kernel @absolute_distance_is_a_window heads(1, 1) dims(8, 8) type(f32) align(end) params(%w "w" : i64) {
  %q = attn.variable q
  %k = attn.variable k
  %d = arith.subi %q, %k : i64
  %a = math.absi %d : i64
  %b = attn.compare le %a, %w
  %score = attn.alibi
  // CHECK: %[[BAND:.*]] = attn.window left %[[W]] right %[[W]]
  // CHECK: attn.yield %[[BAND]],
  attn.yield %b, %score
}

// CHECK-LABEL: @every_fourth_diagonal_is_dilated
attn.kernel @every_fourth_diagonal_is_dilated heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c4 = arith.constant 4 : i64
  %c0 = arith.constant 0 : i64
  %q = attn.variable q
  %k = attn.variable k
  %d = arith.subi %q, %k : i64
  %a = attn.floormod %d, %c4
  %b = attn.compare eq %a, %c0
  %score = attn.alibi
  // CHECK-DAG: %[[C4:.*]] = arith.constant 4 : i64
  // CHECK: %[[DIAGONALS:.*]] = attn.dilated step %[[C4]]
  // CHECK: attn.yield %[[DIAGONALS]],
  attn.yield %b, %score
}

// CHECK-LABEL: @other_diagonals_are_its_complement
attn.kernel @other_diagonals_are_its_complement heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c4 = arith.constant 4 : i64
  %c0 = arith.constant 0 : i64
  %q = attn.variable q
  %k = attn.variable k
  %d = arith.subi %q, %k : i64
  %a = attn.floormod %d, %c4
  %b = attn.compare ne %a, %c0
  %score = attn.alibi
  // CHECK-DAG: %[[C4:.*]] = arith.constant 4 : i64
  // CHECK: %[[DIAGONALS:.*]] = attn.dilated step %[[C4]]
  // CHECK: %[[REST:.*]] = attn.not %[[DIAGONALS]]
  // CHECK: attn.yield %[[REST]],
  attn.yield %b, %score
}

// The sum wraps for queries above MAX - w, if w is positive (it is then below
// every key), and below MIN - w, if w is negative (above every key).
// CHECK-LABEL: @key_up_to_query_and_a_param
// CHECK-SAME: params(%[[W:.*]] "w" : i64
attn.kernel @key_up_to_query_and_a_param heads(1, 1) dims(8, 8) type(f32) align(end) params(%w "w" : i64) {
  %q = attn.variable q
  %k = attn.variable k
  %e = arith.addi %q, %w : i64
  %b = attn.compare le %k, %e
  %score = attn.alibi
  // CHECK-DAG: %[[MAX:.*]] = arith.constant 9223372036854775807 : i64
  // CHECK-DAG: %[[MIN:.*]] = arith.constant -9223372036854775808 : i64
  // CHECK: %[[UP:.*]] = arith.maxsi %[[W]], %{{.*}}
  // CHECK: %[[ROOM:.*]] = arith.subi %[[MAX]], %[[UP]]
  // CHECK: %[[SAFE:.*]] = arith.minsi %[[ROOM]],
  // CHECK: %[[HIGH:.*]] = arith.addi %[[SAFE]],
  // CHECK: %[[DOWN:.*]] = arith.minsi %[[W]], %{{.*}}
  // CHECK: %[[LOW:.*]] = arith.subi %[[MIN]], %[[DOWN]]
  // CHECK: %[[BAND:.*]] = attn.window right %[[W]]
  // CHECK: %[[EXACT:.*]] = attn.queries below %[[HIGH]]
  // CHECK: %[[KEPT:.*]] = attn.and %[[BAND]], %[[EXACT]]
  // CHECK: %[[WRAPPED:.*]] = attn.queries below %[[LOW]]
  // CHECK: %[[OR:.*]] = attn.or %[[KEPT]], %[[WRAPPED]]
  // CHECK: attn.yield %[[OR]],
  attn.yield %b, %score
}
