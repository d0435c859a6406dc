// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --canonicalize --cse --canonicalize | FileCheck %s

// CHECK-LABEL: @double_negation_vanishes
// CHECK-SAME: params(%[[N:.*]] "n" : i64
attn.kernel @double_negation_vanishes heads(1, 1) dims(8, 8) type(f32) align(end) params(%n "n" : i64) {
  %m = attn.sink %n
  %a = attn.not %m
  %b = attn.not %a
  %score = attn.alibi
  // CHECK: %[[MASK:.*]] = attn.sink %[[N]]
  // CHECK: attn.yield %[[MASK]],
  attn.yield %b, %score
}

// CHECK-LABEL: @negated_all_is_none
attn.kernel @negated_all_is_none heads(1, 1) dims(8, 8) type(f32) align(end) {
  %m = attn.constant true
  %b = attn.not %m
  %score = attn.alibi
  // CHECK: %[[NONE:.*]] = attn.constant false
  // CHECK: attn.yield %[[NONE]],
  attn.yield %b, %score
}

// CHECK-LABEL: @or_with_all_is_all
// CHECK-SAME: params(%[[N:.*]] "n" : i64
attn.kernel @or_with_all_is_all heads(1, 1) dims(8, 8) type(f32) align(end) params(%n "n" : i64) {
  %m = attn.sink %n
  %a = attn.constant true
  %b = attn.or %m, %a
  %score = attn.alibi
  // CHECK: %[[ALL:.*]] = attn.constant true
  // CHECK: attn.yield %[[ALL]],
  attn.yield %b, %score
}

// CHECK-LABEL: @or_with_none_vanishes
// CHECK-SAME: params(%[[N:.*]] "n" : i64
attn.kernel @or_with_none_vanishes heads(1, 1) dims(8, 8) type(f32) align(end) params(%n "n" : i64) {
  %m = attn.sink %n
  %a = attn.constant false
  %b = attn.or %m, %a
  %score = attn.alibi
  // CHECK: %[[MASK:.*]] = attn.sink %[[N]]
  // CHECK: attn.yield %[[MASK]],
  attn.yield %b, %score
}

// CHECK-LABEL: @and_with_all_vanishes
// CHECK-SAME: params(%[[N:.*]] "n" : i64
attn.kernel @and_with_all_vanishes heads(1, 1) dims(8, 8) type(f32) align(end) params(%n "n" : i64) {
  %m = attn.sink %n
  %a = attn.constant true
  %b = attn.and %m, %a
  %score = attn.alibi
  // CHECK: %[[MASK:.*]] = attn.sink %[[N]]
  // CHECK: attn.yield %[[MASK]],
  attn.yield %b, %score
}

// CHECK-LABEL: @and_with_none_is_none
// CHECK-SAME: params(%[[N:.*]] "n" : i64
attn.kernel @and_with_none_is_none heads(1, 1) dims(8, 8) type(f32) align(end) params(%n "n" : i64) {
  %m = attn.sink %n
  %a = attn.constant false
  %b = attn.and %m, %a
  %score = attn.alibi
  // CHECK: %[[NONE:.*]] = attn.constant false
  // CHECK: attn.yield %[[NONE]],
  attn.yield %b, %score
}

// CHECK-LABEL: @mask_and_its_complement_are_none
// CHECK-SAME: params(%[[N:.*]] "n" : i64
attn.kernel @mask_and_its_complement_are_none heads(1, 1) dims(8, 8) type(f32) align(end) params(%n "n" : i64) {
  %m = attn.sink %n
  %x = attn.not %m
  %b = attn.and %m, %x
  %score = attn.alibi
  // CHECK: %[[NONE:.*]] = attn.constant false
  // CHECK: attn.yield %[[NONE]],
  attn.yield %b, %score
}

// CHECK-LABEL: @mask_or_its_complement_is_all
// CHECK-SAME: params(%[[N:.*]] "n" : i64
attn.kernel @mask_or_its_complement_is_all heads(1, 1) dims(8, 8) type(f32) align(end) params(%n "n" : i64) {
  %m = attn.sink %n
  %x = attn.not %m
  %b = attn.or %m, %x
  %score = attn.alibi
  // CHECK: %[[ALL:.*]] = attn.constant true
  // CHECK: attn.yield %[[ALL]],
  attn.yield %b, %score
}

// CHECK-LABEL: @chains_are_flat_and_without_repetition
// CHECK-SAME: params(%[[N:.*]] "n" : i64
attn.kernel @chains_are_flat_and_without_repetition heads(1, 1) dims(8, 8) type(f32) align(end) params(%n "n" : i64) {
  %x = attn.sink %n
  %y = attn.global %n
  %z = attn.queries below %n
  %a = attn.and %x, %y
  %b = attn.and %z, %a, %x
  %score = attn.alibi
  // CHECK: %[[SINK:.*]] = attn.sink %[[N]]
  // CHECK: %[[GLOBAL:.*]] = attn.global %[[N]]
  // CHECK: %[[QUERIES:.*]] = attn.queries below %[[N]]
  // CHECK: %[[CHAIN:.*]] = attn.and %[[QUERIES]], %[[SINK]], %[[GLOBAL]]{{$}}
  // CHECK: attn.yield %[[CHAIN]],
  attn.yield %b, %score
}

// CHECK-LABEL: @and_absorbs_or
// CHECK-SAME: params(%[[N:.*]] "n" : i64
attn.kernel @and_absorbs_or heads(1, 1) dims(8, 8) type(f32) align(end) params(%n "n" : i64) {
  %x = attn.sink %n
  %y = attn.global %n
  %a = attn.or %x, %y
  %b = attn.and %a, %x
  %score = attn.alibi
  // CHECK: %[[MASK:.*]] = attn.sink %[[N]]
  // CHECK: attn.yield %[[MASK]],
  attn.yield %b, %score
}

// CHECK-LABEL: @or_absorbs_and
// CHECK-SAME: params(%[[N:.*]] "n" : i64
attn.kernel @or_absorbs_and heads(1, 1) dims(8, 8) type(f32) align(end) params(%n "n" : i64) {
  %x = attn.sink %n
  %y = attn.global %n
  %a = attn.and %x, %y
  %b = attn.or %a, %x
  %score = attn.alibi
  // CHECK: %[[MASK:.*]] = attn.sink %[[N]]
  // CHECK: attn.yield %[[MASK]],
  attn.yield %b, %score
}

// CHECK-LABEL: @not_of_and_goes_to_the_atoms
// CHECK-SAME: params(%[[N:.*]] "n" : i64
attn.kernel @not_of_and_goes_to_the_atoms heads(1, 1) dims(8, 8) type(f32) align(end) params(%n "n" : i64) {
  %x = attn.sink %n
  %y = attn.global %n
  %a = attn.and %x, %y
  %b = attn.not %a
  %score = attn.alibi
  // CHECK: %[[SINK:.*]] = attn.sink %[[N]]
  // CHECK: %[[GLOBAL:.*]] = attn.global %[[N]]
  // CHECK: %[[NOT_SINK:.*]] = attn.not %[[SINK]]
  // CHECK: %[[NOT_GLOBAL:.*]] = attn.not %[[GLOBAL]]
  // CHECK: %[[OR:.*]] = attn.or %[[NOT_SINK]], %[[NOT_GLOBAL]]
  // CHECK: attn.yield %[[OR]],
  attn.yield %b, %score
}

// CHECK-LABEL: @not_of_or_goes_to_the_atoms
// CHECK-SAME: params(%[[N:.*]] "n" : i64
attn.kernel @not_of_or_goes_to_the_atoms heads(1, 1) dims(8, 8) type(f32) align(end) params(%n "n" : i64) {
  %x = attn.sink %n
  %y = attn.global %n
  %a = attn.or %x, %y
  %b = attn.not %a
  %score = attn.alibi
  // CHECK: %[[SINK:.*]] = attn.sink %[[N]]
  // CHECK: %[[GLOBAL:.*]] = attn.global %[[N]]
  // CHECK: %[[NOT_SINK:.*]] = attn.not %[[SINK]]
  // CHECK: %[[NOT_GLOBAL:.*]] = attn.not %[[GLOBAL]]
  // CHECK: %[[AND:.*]] = attn.and %[[NOT_SINK]], %[[NOT_GLOBAL]]
  // CHECK: attn.yield %[[AND]],
  attn.yield %b, %score
}

// CHECK-LABEL: @not_of_xor_goes_to_one_side
// CHECK-SAME: params(%[[N:.*]] "n" : i64
attn.kernel @not_of_xor_goes_to_one_side heads(1, 1) dims(8, 8) type(f32) align(end) params(%n "n" : i64) {
  %x = attn.sink %n
  %y = attn.global %n
  %a = attn.xor %x, %y
  %b = attn.not %a
  %score = attn.alibi
  // CHECK: %[[SINK:.*]] = attn.sink %[[N]]
  // CHECK: %[[GLOBAL:.*]] = attn.global %[[N]]
  // CHECK: %[[NOT_SINK:.*]] = attn.not %[[SINK]]
  // CHECK: %[[XOR:.*]] = attn.xor %[[NOT_SINK]], %[[GLOBAL]]
  // CHECK: attn.yield %[[XOR]],
  attn.yield %b, %score
}

// CHECK-LABEL: @xor_with_itself_is_none
// CHECK-SAME: params(%[[N:.*]] "n" : i64
attn.kernel @xor_with_itself_is_none heads(1, 1) dims(8, 8) type(f32) align(end) params(%n "n" : i64) {
  %x = attn.sink %n
  %b = attn.xor %x, %x
  %score = attn.alibi
  // CHECK: %[[NONE:.*]] = attn.constant false
  // CHECK: attn.yield %[[NONE]],
  attn.yield %b, %score
}

// CHECK-LABEL: @xor_with_none_vanishes
// CHECK-SAME: params(%[[N:.*]] "n" : i64
attn.kernel @xor_with_none_vanishes heads(1, 1) dims(8, 8) type(f32) align(end) params(%n "n" : i64) {
  %x = attn.sink %n
  %a = attn.constant false
  %b = attn.xor %a, %x
  %score = attn.alibi
  // CHECK: %[[MASK:.*]] = attn.sink %[[N]]
  // CHECK: attn.yield %[[MASK]],
  attn.yield %b, %score
}

// CHECK-LABEL: @xor_with_all_is_not
// CHECK-SAME: params(%[[N:.*]] "n" : i64
attn.kernel @xor_with_all_is_not heads(1, 1) dims(8, 8) type(f32) align(end) params(%n "n" : i64) {
  %x = attn.sink %n
  %a = attn.constant true
  %b = attn.xor %a, %x
  %score = attn.alibi
  // CHECK: %[[MASK:.*]] = attn.sink %[[N]]
  // CHECK: %[[NOT:.*]] = attn.not %[[MASK]]
  // CHECK: attn.yield %[[NOT]],
  attn.yield %b, %score
}
