// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{'attn.kernel' op expected KV heads to divide query heads, but got 8 and 3}}
attn.kernel @heads heads(8, 3) dims(8, 8) type(f32) align(end) {
  %m = attn.causal
  %s = attn.alibi
  attn.yield %m, %s
}

// -----

// expected-error @+1 {{'attn.kernel' op expected KV heads to divide query heads, but got -2 and -1}}
attn.kernel @negative_heads heads(-2, -1) dims(8, 8) type(f32) align(end) {
  %m = attn.causal
  %s = attn.alibi
  attn.yield %m, %s
}

// -----

// expected-error @+1 {{'attn.kernel' op expected dimensions of at least 1, but got 8 and -8}}
attn.kernel @dims heads(1, 1) dims(8, -8) type(f32) align(end) {
  %m = attn.causal
  %s = attn.alibi
  attn.yield %m, %s
}

// -----

// expected-error @+1 {{'attn.kernel' op expected type f16, bf16 or f32, but got 'f64'}}
attn.kernel @type heads(1, 1) dims(8, 8) type(f64) align(end) {
  %m = attn.causal
  %s = attn.alibi
  attn.yield %m, %s
}

// -----

// expected-error @+1 {{expected align to be end or start, but got middle}}
attn.kernel @align heads(1, 1) dims(8, 8) type(f32) align(middle) {
  %m = attn.causal
  %s = attn.alibi
  attn.yield %m, %s
}

// -----

// expected-error @+1 {{'attn.kernel' op expected params of type i64 or f32, but got 'i32'}}
attn.kernel @param_type heads(1, 1) dims(8, 8) type(f32) align(end) params(%n "n" : i32) {
  %m = attn.causal
  %s = attn.alibi
  attn.yield %m, %s
}

// -----

// expected-error @+1 {{'attn.kernel' op expected as many block arguments as params, but got 0 and 1}}
"attn.kernel"() <{alignment = #attn<alignment end>, element_type = f32, kv_heads = 1 : i64, param_names = ["n"],
                  q_heads = 1 : i64, qk_dim = 8 : i64, sym_name = "params", v_dim = 8 : i64}> ({
  %m = attn.causal
  %s = attn.alibi
  attn.yield %m, %s
}) : () -> ()

// -----

// expected-error @+1 {{'attn.kernel' op expected the body to end in 'attn.yield'}}
attn.kernel @no_yield heads(1, 1) dims(8, 8) type(f32) align(end) {
  llvm.unreachable
}

// -----

attn.kernel @dilated_step heads(1, 1) dims(8, 8) type(f32) align(end) {
  %zero = arith.constant 0 : i64
  // expected-error @+1 {{'attn.dilated' op expected a step of at least 1, but got 0}}
  %m = attn.dilated left %zero right %zero step %zero
  %s = attn.alibi
  attn.yield %m, %s
}

// -----

attn.kernel @random_block heads(1, 1) dims(8, 8) type(f32) align(end) params(%n "n" : i64) {
  // expected-error @+1 {{'attn.random' op expected a block of at least 1, but got -1}}
  %m = attn.random %n seed %n block -1 per h
  %s = attn.alibi
  attn.yield %m, %s
}

// -----

attn.kernel @random_count heads(1, 1) dims(8, 8) type(f32) align(end) {
  %n = arith.constant -2 : i64
  // expected-error @+1 {{'attn.random' op expected a count of at least 0, but got -2}}
  %m = attn.random %n seed %n block 4 per h
  %s = attn.alibi
  attn.yield %m, %s
}

// -----

attn.kernel @block_window_block heads(1, 1) dims(8, 8) type(f32) align(end) params(%n "n" : i64) {
  // expected-error @+1 {{'attn.block_window' op expected a block of at least 1, but got -4}}
  %m = attn.block_window left %n block -4
  %s = attn.alibi
  attn.yield %m, %s
}

// -----

attn.kernel @and_of_nothing heads(1, 1) dims(8, 8) type(f32) align(end) {
  // expected-error @+1 {{'attn.and' op expected at least one mask}}
  %m = "attn.and"() : () -> !attn.mask
  %s = attn.alibi
  attn.yield %m, %s
}

// -----

attn.kernel @or_of_nothing heads(1, 1) dims(8, 8) type(f32) align(end) {
  // expected-error @+1 {{'attn.or' op expected at least one mask}}
  %m = "attn.or"() : () -> !attn.mask
  %s = attn.alibi
  attn.yield %m, %s
}

// -----

func.func @yield_elsewhere(%mask: !attn.mask, %score: f32) {
  // expected-error @+1 {{'attn.yield' op expects parent op 'attn.kernel'}}
  attn.yield %mask, %score
}
