// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s | FileCheck %s
// RUN: fovea-opt %s --mlir-print-op-generic | fovea-opt | FileCheck %s

// CHECK-LABEL: attn.kernel @no_params heads(9, 3) dims(64, 128) type(f16) align(start) {
attn.kernel @no_params heads(9, 3) dims(64, 128) type(f16) align(start) {
  // CHECK: %[[ALL:.*]] = attn.constant true
  %all = attn.constant true
  %scale = arith.constant 0.125 : f32
  // CHECK: %[[S:.*]] = attn.dot %{{.*}}
  %s = attn.dot %scale
  // CHECK: attn.yield %[[ALL]], %[[S]]
  attn.yield %all, %s
}

// CHECK-LABEL: attn.kernel @masks heads(1, 1) dims(8, 8) type(bf16) align(end)
// CHECK-SAME: params(%[[N:.*]] "n" : i64, %[[SCALE:.*]] "scale" : f32)
attn.kernel @masks heads(1, 1) dims(8, 8) type(bf16) align(end) params(%n "n" : i64, %scale "scale" : f32) {
  // CHECK: %[[CAUSAL:.*]] = attn.causal
  %causal = attn.causal
  // CHECK: attn.window left %[[N]] right %[[N]]
  %window = attn.window left %n right %n
  // CHECK: attn.window left %[[N]]{{$}}
  %left = attn.window left %n
  // CHECK: attn.window right %[[N]]
  %right = attn.window right %n
  // CHECK: attn.window{{$}}
  %everywhere = attn.window
  // CHECK: attn.block_window left %[[N]] right %[[N]] block 64
  %blocks = attn.block_window left %n right %n block 64
  // CHECK: attn.block_window right %[[N]] block 2
  %blocks_right = attn.block_window right %n block 2
  // CHECK: attn.dilated left %[[N]] right %[[N]] step %[[N]]
  %dilated = attn.dilated left %n right %n step %n
  // CHECK: attn.dilated step %[[N]]
  %dilated_everywhere = attn.dilated step %n
  // CHECK: attn.global %[[N]]
  %global = attn.global %n
  // CHECK: attn.sink %[[N]]
  %sink = attn.sink %n
  // CHECK: attn.queries below %[[N]]
  %queries = attn.queries below %n
  // CHECK: attn.prefix %[[N]]
  %prefix = attn.prefix %n
  // CHECK: attn.random %[[N]] seed %[[N]] block 64 per h{{$}}
  %random = attn.random %n seed %n block 64 per h
  // CHECK: attn.random %[[N]] seed %[[N]] block 1 per g causal
  %random_causal = attn.random %n seed %n block 1 per g causal
  // CHECK: attn.random %[[N]] seed %[[N]] block 1 per none
  %random_once = attn.random %n seed %n block 1 per none
  // CHECK: attn.compare le %[[N]], %[[N]]
  %compare = attn.compare le %n, %n
  // CHECK: %[[NOT:.*]] = attn.not %[[CAUSAL]]
  %not = attn.not %causal
  // CHECK: %[[AND:.*]] = attn.and %[[NOT]], %[[CAUSAL]]
  %and = attn.and %not, %causal
  // CHECK: %[[OR:.*]] = attn.or %[[AND]], %[[NOT]], %[[CAUSAL]]
  %or = attn.or %and, %not, %causal
  // CHECK: %[[XOR:.*]] = attn.xor %[[OR]], %[[AND]]
  %xor = attn.xor %or, %and
  %s = attn.dot %scale
  attn.yield %xor, %s
}

// CHECK-LABEL: attn.kernel @scores
attn.kernel @scores heads(4, 2) dims(16, 16) type(f32) align(end) attributes {note = "kept"} {
  // CHECK: %[[Q:.*]] = attn.variable q
  // CHECK: %[[K:.*]] = attn.variable k
  // CHECK: attn.variable b
  // CHECK: attn.variable h
  // CHECK: attn.variable g
  // CHECK: attn.variable nq
  // CHECK: attn.variable nk
  %q = attn.variable q
  %k = attn.variable k
  %b = attn.variable b
  %h = attn.variable h
  %g = attn.variable g
  %nq = attn.variable nq
  %nk = attn.variable nk
  // CHECK: attn.floordiv %[[Q]], %[[K]]
  %div = attn.floordiv %q, %k
  // CHECK: attn.floormod %[[Q]], %[[K]]
  %mod = attn.floormod %q, %k
  %mask = attn.compare eq %div, %mod
  // CHECK: %[[KEEP:.*]] = attn.keeps %{{.*}}
  %keep = attn.keeps %mask
  %scale = arith.constant 0.25 : f32
  %s = attn.dot %scale
  // CHECK: %[[BIAS:.*]] = attn.alibi
  %bias = attn.alibi
  // CHECK: %[[CAPPED:.*]] = attn.softcap %[[BIAS]], %{{.*}}
  %capped = attn.softcap %bias, %scale
  // CHECK: arith.select %[[KEEP]], %{{.*}}, %[[CAPPED]]
  %score = arith.select %keep, %s, %capped : f32
  attn.yield %mask, %score
}
