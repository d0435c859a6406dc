// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: not fovea-opt %s --convert-attn-to-tile="rows=10 warps=4" 2>&1 | FileCheck %s --check-prefix=DIVIDE
// RUN: not fovea-opt %s --convert-attn-to-tile="keys=0" 2>&1 | FileCheck %s --check-prefix=KEYS

// DIVIDE: error: expected a schedule of at least 1 row, key, stage and warp, with rows divisible by warps, but got 10, 64, 2 and 4
// KEYS: error: expected a schedule of at least 1 row, key, stage and warp, with rows divisible by warps, but got 64, 0, 2 and 4
attn.kernel @any heads(1, 1) dims(8, 8) type(f32) align(end) {
  %mask = attn.causal
  %s = attn.alibi
  attn.yield %mask, %s
}
