// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --canonicalize --cse --canonicalize | FileCheck %s

// CHECK-LABEL: @causal_and_window_are_one_window
attn.kernel @causal_and_window_are_one_window heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c8 = arith.constant 8 : i64
  %c4 = arith.constant 4 : i64
  %x = attn.causal
  %y = attn.window left %c8 right %c4
  %b = attn.and %x, %y
  %score = attn.alibi
  // CHECK-DAG: %[[C8:.*]] = arith.constant 8 : i64
  // CHECK-DAG: %[[C0:.*]] = arith.constant 0 : i64
  // CHECK: %[[WINDOW:.*]] = attn.window left %[[C8]] right %[[C0]]
  // CHECK: attn.yield %[[WINDOW]],
  attn.yield %b, %score
}

// CHECK-LABEL: @windows_of_params_take_the_smaller_bounds
// CHECK-SAME: params(%[[L:.*]] "l" : i64, %[[R:.*]] "r" : i64
attn.kernel @windows_of_params_take_the_smaller_bounds heads(1, 1) dims(8, 8) type(f32) align(end) params(%l "l" : i64, %r "r" : i64) {
  %x = attn.window left %l right %r
  %y = attn.window left %r
  %b = attn.and %x, %y
  %score = attn.alibi
  // CHECK: %[[LEFT:.*]] = arith.minsi %[[L]], %[[R]]
  // CHECK: %[[WINDOW:.*]] = attn.window left %[[LEFT]] right %[[R]]
  // CHECK: attn.yield %[[WINDOW]],
  attn.yield %b, %score
}

// CHECK-LABEL: @windows_meet_among_other_masks
// CHECK-SAME: params(%[[N:.*]] "n" : i64
attn.kernel @windows_meet_among_other_masks heads(1, 1) dims(8, 8) type(f32) align(end) params(%n "n" : i64) {
  %c8 = arith.constant 8 : i64
  %c4 = arith.constant 4 : i64
  %x = attn.causal
  %y = attn.window left %c8 right %c4
  %z = attn.sink %n
  %b = attn.and %x, %z, %y
  %score = attn.alibi
  // CHECK-DAG: %[[C8:.*]] = arith.constant 8 : i64
  // CHECK-DAG: %[[C0:.*]] = arith.constant 0 : i64
  // CHECK: %[[SINK:.*]] = attn.sink %[[N]]
  // CHECK: %[[WINDOW:.*]] = attn.window left %[[C8]] right %[[C0]]
  // CHECK: %[[AND:.*]] = attn.and %[[SINK]], %[[WINDOW]]
  // CHECK: attn.yield %[[AND]],
  attn.yield %b, %score
}

// CHECK-LABEL: @complement_of_a_window_is_two_windows
// CHECK-SAME: params(%[[L:.*]] "l" : i64, %[[R:.*]] "r" : i64
attn.kernel @complement_of_a_window_is_two_windows heads(1, 1) dims(8, 8) type(f32) align(end) params(%l "l" : i64, %r "r" : i64) {
  %x = attn.window left %l right %r
  %b = attn.not %x
  %score = attn.alibi
  // CHECK-DAG: %[[CM1:.*]] = arith.constant -1 : i64
  // CHECK: %[[BEFORE:.*]] = arith.xori %[[L]], %[[CM1]]
  // CHECK: %[[PAST:.*]] = attn.window right %[[BEFORE]]
  // CHECK: %[[AFTER:.*]] = arith.xori %[[R]], %[[CM1]]
  // CHECK: %[[FUTURE:.*]] = attn.window left %[[AFTER]]
  // CHECK: %[[OR:.*]] = attn.or %[[PAST]], %[[FUTURE]]
  // CHECK: attn.yield %[[OR]],
  attn.yield %b, %score
}

// CHECK-LABEL: @complement_of_causal_is_the_future
attn.kernel @complement_of_causal_is_the_future heads(1, 1) dims(8, 8) type(f32) align(end) {
  %x = attn.causal
  %b = attn.not %x
  %score = attn.alibi
  // CHECK-DAG: %[[CM1:.*]] = arith.constant -1 : i64
  // CHECK: %[[FUTURE:.*]] = attn.window left %[[CM1]]
  // CHECK: attn.yield %[[FUTURE]],
  attn.yield %b, %score
}

// CHECK-LABEL: @causal_without_a_window_is_the_far_past
attn.kernel @causal_without_a_window_is_the_far_past heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c128 = arith.constant 128 : i64
  %c0 = arith.constant 0 : i64
  %x = attn.causal
  %y = attn.window left %c128 right %c0
  %z = attn.not %y
  %b = attn.and %x, %z
  %score = attn.alibi
  // CHECK-DAG: %[[CM129:.*]] = arith.constant -129 : i64
  // CHECK: %[[PAST:.*]] = attn.window right %[[CM129]]
  // CHECK: attn.yield %[[PAST]],
  attn.yield %b, %score
}

// CHECK-LABEL: @window_without_a_window_is_two_windows
attn.kernel @window_without_a_window_is_two_windows heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c9 = arith.constant 9 : i64
  %c3 = arith.constant 3 : i64
  %x = attn.window left %c9 right %c9
  %y = attn.window left %c3 right %c3
  %z = attn.not %y
  %b = attn.and %x, %z
  %score = attn.alibi
  // CHECK-DAG: %[[C9:.*]] = arith.constant 9 : i64
  // CHECK-DAG: %[[CM4:.*]] = arith.constant -4 : i64
  // CHECK: %[[PAST:.*]] = attn.window left %[[C9]] right %[[CM4]]
  // CHECK: %[[FUTURE:.*]] = attn.window left %[[CM4]] right %[[C9]]
  // CHECK: %[[OR:.*]] = attn.or %[[PAST]], %[[FUTURE]]
  // CHECK: attn.yield %[[OR]],
  attn.yield %b, %score
}

// CHECK-LABEL: @two_complements_meet
attn.kernel @two_complements_meet heads(1, 1) dims(8, 8) type(f32) align(end) {
  %c9 = arith.constant 9 : i64
  %c3 = arith.constant 3 : i64
  %c20 = arith.constant 20 : i64
  %x = attn.window left %c9 right %c9
  %y = attn.window left %c3 right %c20
  %z = attn.not %y
  %w = attn.not %x
  %b = attn.and %w, %z
  %score = attn.alibi
  // CHECK-DAG: %[[CM10:.*]] = arith.constant -10 : i64
  // CHECK-DAG: %[[CM21:.*]] = arith.constant -21 : i64
  // CHECK: %[[PAST:.*]] = attn.window right %[[CM10]]
  // CHECK: %[[FUTURE:.*]] = attn.window left %[[CM21]]
  // CHECK: %[[OR:.*]] = attn.or %[[PAST]], %[[FUTURE]]
  // CHECK: attn.yield %[[OR]],
  attn.yield %b, %score
}
