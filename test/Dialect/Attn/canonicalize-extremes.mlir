// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --canonicalize --cse --canonicalize | FileCheck %s

// Positions against the ends of 64 bits: no predicate may wrap.

// CHECK-LABEL: @query
attn.kernel @query heads(1, 1) dims(8, 8) type(f32) align(end) {
  %min = arith.constant -9223372036854775808 : i64
  %max = arith.constant 9223372036854775807 : i64
  %x = attn.variable q
  %min_lt = attn.compare lt %x, %min
  %min_le = attn.compare le %x, %min
  %min_gt = attn.compare gt %x, %min
  %min_ge = attn.compare ge %x, %min
  %min_eq = attn.compare eq %x, %min
  %min_ne = attn.compare ne %x, %min
  %max_lt = attn.compare lt %x, %max
  %max_le = attn.compare le %x, %max
  %max_gt = attn.compare gt %x, %max
  %max_ge = attn.compare ge %x, %max
  %max_eq = attn.compare eq %x, %max
  %max_ne = attn.compare ne %x, %max
  %always = attn.and %min_gt, %min_ge, %min_ne, %max_lt, %max_le, %max_ne
  %never = attn.or %min_lt, %min_le, %min_eq, %max_gt, %max_ge, %max_eq
  %negated = attn.not %never
  %both = attn.and %always, %negated
  %score = attn.alibi
  // CHECK: %[[ALL:.*]] = attn.constant true
  // CHECK: attn.yield %[[ALL]],
  attn.yield %both, %score
}

// CHECK-LABEL: @key
attn.kernel @key heads(1, 1) dims(8, 8) type(f32) align(end) {
  %min = arith.constant -9223372036854775808 : i64
  %max = arith.constant 9223372036854775807 : i64
  %x = attn.variable k
  %min_lt = attn.compare lt %x, %min
  %min_le = attn.compare le %x, %min
  %min_gt = attn.compare gt %x, %min
  %min_ge = attn.compare ge %x, %min
  %min_eq = attn.compare eq %x, %min
  %min_ne = attn.compare ne %x, %min
  %max_lt = attn.compare lt %x, %max
  %max_le = attn.compare le %x, %max
  %max_gt = attn.compare gt %x, %max
  %max_ge = attn.compare ge %x, %max
  %max_eq = attn.compare eq %x, %max
  %max_ne = attn.compare ne %x, %max
  %always = attn.and %min_gt, %min_ge, %min_ne, %max_lt, %max_le, %max_ne
  %never = attn.or %min_lt, %min_le, %min_eq, %max_gt, %max_ge, %max_eq
  %negated = attn.not %never
  %both = attn.and %always, %negated
  %score = attn.alibi
  // CHECK: %[[ALL:.*]] = attn.constant true
  // CHECK: attn.yield %[[ALL]],
  attn.yield %both, %score
}

// CHECK-LABEL: @distance
attn.kernel @distance heads(1, 1) dims(8, 8) type(f32) align(end) {
  %min = arith.constant -9223372036854775808 : i64
  %max = arith.constant 9223372036854775807 : i64
  %q = attn.variable q
  %k = attn.variable k
  %x = arith.subi %q, %k : i64
  %min_lt = attn.compare lt %x, %min
  %min_le = attn.compare le %x, %min
  %min_gt = attn.compare gt %x, %min
  %min_ge = attn.compare ge %x, %min
  %min_eq = attn.compare eq %x, %min
  %min_ne = attn.compare ne %x, %min
  %max_lt = attn.compare lt %x, %max
  %max_le = attn.compare le %x, %max
  %max_gt = attn.compare gt %x, %max
  %max_ge = attn.compare ge %x, %max
  %max_eq = attn.compare eq %x, %max
  %max_ne = attn.compare ne %x, %max
  %always = attn.and %min_gt, %min_ge, %min_ne, %max_lt, %max_le, %max_ne
  %never = attn.or %min_lt, %min_le, %min_eq, %max_gt, %max_ge, %max_eq
  %negated = attn.not %never
  %both = attn.and %always, %negated
  %score = attn.alibi
  // CHECK: %[[ALL:.*]] = attn.constant true
  // CHECK: attn.yield %[[ALL]],
  attn.yield %both, %score
}
