// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --convert-tile-to-host | FileCheck %s --check-prefixes=CHECK,AVX2
// RUN: fovea-opt %s --convert-tile-to-host=lanes=16 | FileCheck %s --check-prefixes=CHECK,AVX512

// What one tile kernel becomes: where each step is, and what is a scalar, a vector
// over queries, or hoisted out of the loop over keys.

// CHECK-LABEL: func.func @causal(%arg0: !llvm.ptr, %arg1: !llvm.ptr, %arg2: !llvm.ptr)
// CHECK-SAME: fovea.scratch_bytes = {{[0-9]+}} : i64
// CHECK-NOT: tile.

// The queries are transposed once, in registers.
// AVX2: vector.shuffle {{.*}} [0, 8, 1, 9, 2, 10, 3, 11]
// AVX512: vector.shuffle {{.*}} [0, 16, 1, 17,

// The walk, then the panels of one tile.
// CHECK: %[[TILE:.*]]:2 = scf.while
// CHECK: ^bb0(%[[COLUMN:[a-z0-9]+]]: i32, %[[MASKED:[a-z0-9]+]]: i1):
// CHECK: scf.for %[[PANEL:.*]] =

// Masked tiles list the keys that a query of the panel keeps.
// CHECK: %[[COUNT:.*]] = scf.if %[[MASKED]]
// The query's part is a vector before the loop over keys, the key's a scalar in it.
// AVX2: %[[Q2:.*]] = arith.subi {{.*}} : vector<8xi32>
// AVX512: %[[Q2:.*]] = arith.subi {{.*}} : vector<16xi32>
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %{{.*}}) -> (i64)
// CHECK: %[[K2:.*]] = arith.muli %{{.*}}, %{{.*}} : i32
// CHECK: %[[K2S:.*]] = vector.broadcast %[[K2]] : i32
// CHECK: arith.cmpi sle, %[[K2S]], %[[Q2]]
// AVX2: vector.reduction <or>, {{.*}} : vector<8xi1>
// AVX512: vector.reduction <or>, {{.*}} : vector<16xi1>

// S^T: 6 keys by 2 or 4 vectors, accumulators carried in registers.
// CHECK: scf.if
// AVX2: scf.for {{.*}} -> (vector<8xf32>, vector<8xf32>)
// AVX2: scf.for {{.*}} -> ({{(vector<8xf32>(, )?){12} ?}})
// AVX512: scf.for {{.*}} -> ({{(vector<16xf32>(, )?){24} ?}})
// CHECK: vector.fma

// The score is a plain factor, so no pass applies it: the mask alone where there is one.
// CHECK: scf.if %[[MASKED]]
// CHECK: arith.select {{.*}}xf32>
// 2^((s - m) c), and the sum.
// CHECK: arith.subf
// CHECK: arith.mulf
// CHECK: arith.shli

// O^T = O^T a + V^T P^T: E = 20 is two blocks of 6, one of 4, one of 4.
// CHECK: scf.for
// CHECK: vector.fma

// The LSE, and the output transposed back.
// CHECK: math.log2
// CHECK: vector.shuffle

// The counting function walks the same tiles and adds to three counters.
// CHECK-LABEL: func.func @causal_tiles(%arg0: !llvm.ptr, %arg1: !llvm.ptr, %arg2: !llvm.ptr)
// CHECK: scf.while
// CHECK: vector.reduction <add>
// CHECK-NOT: vector.fma
tile.kernel @causal heads(4, 2) schedule(<rows = 64, keys = 64, stages = 1, warps = 1>) params([])
    (%Q: !tile.view<20xf32>, %K: !tile.view<20xf32>, %V: !tile.view<20xf32>,
     %O: !tile.view<20xf32>, %LSE: !tile.view<1xf32>,
     %b: i32, %h: i32, %g: i32, %row: i32, %nq: i32, %nk: i32) {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %factor = arith.constant 0.3 : f32
  %q = tile.load %Q[%row of %nq] : !tile.view<20xf32> -> !tile.tile<64x20xf32>
  %m0 = tile.fill %ninf : f32 -> !tile.tile<64x1xf32>
  %l0 = tile.fill %zero : f32 -> !tile.tile<64x1xf32>
  %o0 = tile.fill %zero : f32 -> !tile.tile<64x20xf32>
  %m, %l, %o = tile.keys %K, %V to %nk init(%m0, %l0, %o0)
      : !tile.view<20xf32>, !tile.view<20xf32>,
        (!tile.tile<64x1xf32>, !tile.tile<64x1xf32>, !tile.tile<64x20xf32>)
        -> (!tile.tile<64x1xf32>, !tile.tile<64x1xf32>, !tile.tile<64x20xf32>)
  walk {
  ^bb0(%t: i32):
    %any = arith.cmpi sle, %t, %row : i32
    %all = arith.constant false
    tile.run %any, %all, %nk
  } body {
  ^bb0(%col: i32, %masked: i1, %k: !tile.tile<64x20xf32>, %v: !tile.tile<64x20xf32>,
       %mi: !tile.tile<64x1xf32>, %li: !tile.tile<64x1xf32>, %oi: !tile.tile<64x20xf32>):
    %s = tile.dot %q, %k transposed : !tile.tile<64x20xf32>, !tile.tile<64x20xf32> -> !tile.tile<64x64xf32>
    %p, %m1, %l1, %a = tile.online_softmax %s, %mi, %li at(%row, %col) masked %masked
        : !tile.tile<64x64xf32>, !tile.tile<64x1xf32> -> !tile.tile<64x64xf32>
    score {
    ^bb0(%x: f32, %qi: i32, %ki: i32):
      %x2 = arith.mulf %x, %factor : f32
      tile.yield %x2 : f32
    } keep {
    ^bb0(%qi: i32, %ki: i32):
      // One operation of each kind: of the key, of the query, of both, of neither.
      %two = arith.constant 2 : i32
      %k2 = arith.muli %ki, %two : i32
      %q2 = arith.subi %qi, %g : i32
      %keep = arith.cmpi sle, %k2, %q2 : i32
      tile.yield %keep : i1
    }
    %o1 = tile.rescale %oi by %a : !tile.tile<64x20xf32>, !tile.tile<64x1xf32>
    %o2 = tile.dot %p, %v acc %o1 : !tile.tile<64x20xf32> : !tile.tile<64x64xf32>, !tile.tile<64x20xf32> -> !tile.tile<64x20xf32>
    tile.yield %m1, %l1, %o2 : !tile.tile<64x1xf32>, !tile.tile<64x1xf32>, !tile.tile<64x20xf32>
  }
  tile.store_result %o, %m, %l to %O, %LSE[%row of %nq]
      : !tile.tile<64x20xf32>, !tile.tile<64x1xf32>, !tile.view<20xf32>, !tile.view<1xf32>
}
