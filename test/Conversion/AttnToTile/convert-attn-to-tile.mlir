// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --convert-attn-to-tile="rows=32 keys=16 stages=3 warps=2" --canonicalize --cse | FileCheck %s

// The program around the pattern: arguments, the positions of the tile's rows,
// the loop and the store.

// CHECK-LABEL: tile.kernel @whole heads(32, 8)
// CHECK-SAME: schedule(<rows = 32, keys = 16, stages = 3, warps = 2>) params(["w", "cap"])
// CHECK-NEXT: (%[[Q:[^:]*]]: !tile.view<64xbf16>, %[[K:[^:]*]]: !tile.view<64xbf16>, %[[V:[^:]*]]: !tile.view<128xbf16>,
// CHECK-SAME: %[[O:[^:]*]]: !tile.view<128xbf16>, %[[LSE:[^:]*]]: !tile.view<1xf32>,
// CHECK-SAME: %{{[^:]*}}: i32, %{{[^:]*}}: i32, %{{[^:]*}}: i32, %[[ROW:[^:]*]]: i32, %[[NQ:[^:]*]]: i32, %[[NK:[^:]*]]: i32,
// CHECK-SAME: %[[W:[^:]*]]: i64, %[[CAP:[^:]*]]: f32)
attn.kernel @whole heads(32, 8) dims(64, 128) type(bf16) align(end) params(%w "w" : i64, %cap "cap" : f32) {
  // The last query meets the last key.
  // CHECK-DAG: %[[OFFSET:.*]] = arith.subi %[[NK]], %[[NQ]]
  // CHECK-DAG: %[[FIRST:.*]] = arith.addi %[[ROW]], %[[OFFSET]]
  // CHECK: %[[QUERIES:.*]] = tile.load %[[Q]][%[[ROW]] of %[[NQ]]] : <64xbf16> -> <32x64xbf16>
  // CHECK: %[[MAX:.*]] = tile.fill %{{.*}} -> <32x1xf32>
  // CHECK: %[[SUM:.*]] = tile.fill %{{.*}} -> <32x1xf32>
  // CHECK: %[[ACC:.*]] = tile.fill %{{.*}} -> <32x128xf32>
  // CHECK: %[[STATE:.*]]:3 = tile.keys %[[K]], %[[V]] to %[[NK]] init(%[[MAX]], %[[SUM]], %[[ACC]])
  // CHECK: walk {
  // CHECK: tile.run
  // CHECK: body {
  // CHECK: ^bb0(%[[COL:.*]]: i32, %[[MASKED:.*]]: i1, %[[KEYS:.*]]: !tile.tile<16x64xbf16>, %[[VALUES:.*]]: !tile.tile<16x128xbf16>,
  // CHECK: %[[S:.*]] = tile.dot %[[QUERIES]], %[[KEYS]] transposed
  // CHECK: %[[P:.*]], %[[NEW_MAX:.*]], %[[NEW_SUM:.*]], %[[SHRINK:.*]] = tile.online_softmax %[[S]],
  // CHECK-SAME: at(%[[FIRST]], %[[COL]]) masked %[[MASKED]]
  // CHECK-SAME: -> <32x16xbf16>
  // CHECK: score {
  // CHECK: keep {
  // CHECK: %[[SHRUNK:.*]] = tile.rescale %{{.*}} by %[[SHRINK]]
  // CHECK: %[[OUT:.*]] = tile.dot %[[P]], %[[VALUES]] acc %[[SHRUNK]]
  // CHECK: tile.yield %[[NEW_MAX]], %[[NEW_SUM]], %[[OUT]]
  // CHECK: tile.store_result %[[STATE]]#2, %[[STATE]]#0, %[[STATE]]#1 to %[[O]], %[[LSE]][%[[ROW]] of %[[NQ]]]
  %mask = attn.window left %w right %w
  %scale = arith.constant 0.125 : f32
  %s = attn.dot %scale
  %score = attn.softcap %s, %cap
  attn.yield %mask, %score
}

// CHECK-LABEL: tile.kernel @start
// CHECK-SAME: params([])
// CHECK: %[[ROW:[^:]*]]: i32, %[[NQ:[^:]*]]: i32, %[[NK:[^:]*]]: i32) {
attn.kernel @start heads(1, 1) dims(8, 8) type(f32) align(start) {
  // CHECK-NOT: arith.subi %[[NK]], %[[NQ]]
  // CHECK: tile.online_softmax {{.*}} at(%[[ROW]],
  %mask = attn.causal
  %scale = arith.constant 1.0 : f32
  %s = attn.dot %scale
  attn.yield %mask, %s
}
