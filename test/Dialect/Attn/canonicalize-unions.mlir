// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --canonicalize --cse --canonicalize | FileCheck %s

// CHECK-LABEL: @touching_windows_merge
attn.kernel @touching_windows_merge heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c9 = arith.constant 9 : i64
  %c1 = arith.constant 1 : i64
  %cm2 = arith.constant -2 : i64
  %c5 = arith.constant 5 : i64
  %x = attn.window left %c9 right %c1
  %y = attn.window left %cm2 right %c5
  %b = attn.or %x, %y
  %score = attn.alibi
  // CHECK-DAG: %[[C9:.*]] = arith.constant 9 : i64
  // CHECK-DAG: %[[C5:.*]] = arith.constant 5 : i64
  // CHECK: %[[WINDOW:.*]] = attn.window left %[[C9]] right %[[C5]]
  // CHECK: attn.yield %[[WINDOW]],
  attn.yield %b, %score
}

// CHECK-LABEL: @causal_or_the_near_future_is_one_window
attn.kernel @causal_or_the_near_future_is_one_window heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c0 = arith.constant 0 : i64
  %c5 = arith.constant 5 : i64
  %x = attn.causal
  %y = attn.window left %c0 right %c5
  %b = attn.or %x, %y
  %score = attn.alibi
  // CHECK-DAG: %[[C5:.*]] = arith.constant 5 : i64
  // CHECK: %[[WINDOW:.*]] = attn.window right %[[C5]]
  // CHECK: attn.yield %[[WINDOW]],
  attn.yield %b, %score
}

// CHECK-LABEL: @windows_apart_stay_two
attn.kernel @windows_apart_stay_two heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c9 = arith.constant 9 : i64
  %c1 = arith.constant 1 : i64
  %cm3 = arith.constant -3 : i64
  %c5 = arith.constant 5 : i64
  %x = attn.window left %c9 right %c1
  %y = attn.window left %cm3 right %c5
  %b = attn.or %x, %y
  %score = attn.alibi
  // CHECK-DAG: %[[C9:.*]] = arith.constant 9 : i64
  // CHECK-DAG: %[[C1:.*]] = arith.constant 1 : i64
  // CHECK-DAG: %[[CM3:.*]] = arith.constant -3 : i64
  // CHECK-DAG: %[[C5:.*]] = arith.constant 5 : i64
  // CHECK: %[[ONE:.*]] = attn.window left %[[C9]] right %[[C1]]
  // CHECK: %[[TWO:.*]] = attn.window left %[[CM3]] right %[[C5]]
  // CHECK: %[[OR:.*]] = attn.or %[[ONE]], %[[TWO]]
  // CHECK: attn.yield %[[OR]],
  attn.yield %b, %score
}

// CHECK-LABEL: @windows_of_params_may_be_apart
// CHECK-SAME: params(%[[L:.*]] "l" : i64
attn.kernel @windows_of_params_may_be_apart heads(1, 1) dims(8, 8) type(f32) align(end) params(%l "l" : i64) {
  %c0 = arith.constant 0 : i64
  %c5 = arith.constant 5 : i64
  %x = attn.window left %l right %c0
  %y = attn.window left %c0 right %c5
  %b = attn.or %x, %y
  %score = attn.alibi
  // CHECK-DAG: %[[C0:.*]] = arith.constant 0 : i64
  // CHECK-DAG: %[[C5:.*]] = arith.constant 5 : i64
  // CHECK: %[[ONE:.*]] = attn.window left %[[L]] right %[[C0]]
  // CHECK: %[[TWO:.*]] = attn.window left %[[C0]] right %[[C5]]
  // CHECK: %[[OR:.*]] = attn.or %[[ONE]], %[[TWO]]
  // CHECK: attn.yield %[[OR]],
  attn.yield %b, %score
}

// CHECK-LABEL: @xor_of_windows_is_what_one_has
attn.kernel @xor_of_windows_is_what_one_has heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c9 = arith.constant 9 : i64
  %c2 = arith.constant 2 : i64
  %c4 = arith.constant 4 : i64
  %x = attn.window left %c9 right %c2
  %y = attn.window left %c4 right %c2
  %b = attn.xor %x, %y
  %score = attn.alibi
  // CHECK-DAG: %[[C9:.*]] = arith.constant 9 : i64
  // CHECK-DAG: %[[CM5:.*]] = arith.constant -5 : i64
  // CHECK: %[[REST:.*]] = attn.window left %[[C9]] right %[[CM5]]
  // CHECK: attn.yield %[[REST]],
  attn.yield %b, %score
}

// CHECK-LABEL: @windows_of_equal_blocks_meet
attn.kernel @windows_of_equal_blocks_meet heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c1 = arith.constant 1 : i64
  %c0 = arith.constant 0 : i64
  %x = attn.block_window left %c1 right %c1 block 64
  %y = attn.block_window right %c0 block 64
  %z = attn.block_window right %c0 block 32
  %b = attn.and %x, %y, %z
  %score = attn.alibi
  // CHECK-DAG: %[[C0:.*]] = arith.constant 0 : i64
  // CHECK-DAG: %[[C1:.*]] = arith.constant 1 : i64
  // CHECK: %[[OTHER:.*]] = attn.block_window right %[[C0]] block 32
  // CHECK: %[[WINDOW:.*]] = attn.block_window left %[[C1]] right %[[C0]] block 64
  // CHECK: %[[AND:.*]] = attn.and %[[OTHER]], %[[WINDOW]]
  // CHECK: attn.yield %[[AND]],
  attn.yield %b, %score
}

// CHECK-LABEL: @complement_of_a_block_is_two_block_windows
attn.kernel @complement_of_a_block_is_two_block_windows heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c0 = arith.constant 0 : i64
  %x = attn.block_window left %c0 right %c0 block 64
  %b = attn.not %x
  %score = attn.alibi
  // CHECK-DAG: %[[CM1:.*]] = arith.constant -1 : i64
  // CHECK: %[[PAST:.*]] = attn.block_window right %[[CM1]] block 64
  // CHECK: %[[FUTURE:.*]] = attn.block_window left %[[CM1]] block 64
  // CHECK: %[[OR:.*]] = attn.or %[[PAST]], %[[FUTURE]]
  // CHECK: attn.yield %[[OR]],
  attn.yield %b, %score
}
