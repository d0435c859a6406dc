// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s | fovea-opt | FileCheck %s

// The operations on tiles that roundtrip.mlir's kernel does not use: what the
// online softmax becomes when it is expanded.

// CHECK-LABEL: func.func @reductions
func.func @reductions(%s: !tile.tile<16x64xf32>, %m: !tile.tile<16x1xf32>, %c: f32) -> i1 {
  // CHECK: tile.row_max %{{.*}}, %{{.*}} : <16x64xf32>, <16x1xf32>
  %max = tile.row_max %s, %m : !tile.tile<16x64xf32>, !tile.tile<16x1xf32>
  // CHECK: tile.row_sum %{{.*}}, %{{.*}} : <16x64xf32>, <16x1xf32>
  %sum = tile.row_sum %s, %m : !tile.tile<16x64xf32>, !tile.tile<16x1xf32>
  // CHECK: tile.exceeds %{{.*}} scaled %{{.*}}, %{{.*}} by 8.000000e+00
  %scaled = tile.exceeds %s scaled %c, %max by 8.0 : !tile.tile<16x64xf32>, !tile.tile<16x1xf32>
  // CHECK: tile.exceeds %{{[^ ]*}}, %{{.*}} by 8.000000e+00
  %plain = tile.exceeds %s, %sum by 8.0 : !tile.tile<16x64xf32>, !tile.tile<16x1xf32>
  %any = arith.ori %scaled, %plain : i1
  return %any : i1
}

// CHECK-LABEL: func.func @map_with_positions
func.func @map_with_positions(%s: !tile.tile<16x64xf32>, %m: !tile.tile<16x1xf32>, %q: i32, %k: i32) {
  // CHECK: tile.map %{{.*}}, %{{.*}} at(%{{.*}}, %{{.*}}) : !tile.tile<16x64xf32>, !tile.tile<16x1xf32> -> <16x64xf16>
  // CHECK-NEXT: ^bb0(%{{.*}}: f32, %{{.*}}: f32, %{{.*}}: i32, %{{.*}}: i32):
  %p = tile.map %s, %m at(%q, %k) : !tile.tile<16x64xf32>, !tile.tile<16x1xf32> -> !tile.tile<16x64xf16> {
  ^bb0(%x: f32, %max: f32, %qi: i32, %ki: i32):
    %d = arith.subf %x, %max : f32
    %e = math.exp2 %d : f32
    %h = arith.truncf %e : f32 to f16
    // CHECK: tile.yield %{{.*}} : f16
    tile.yield %h : f16
  }
  return
}

// CHECK-LABEL: func.func @mask
func.func @mask(%s: !tile.tile<16x32xf32>, %v: !tile.tile<32x64xf16>, %q: i32, %k: i32) {
  // CHECK: tile.mask %{{.*}}, %{{.*}} at(%{{.*}}, %{{.*}}) : <16x32xf32>, <32x64xf16> keep {
  %0, %1 = tile.mask %s, %v at(%q, %k) : !tile.tile<16x32xf32>, !tile.tile<32x64xf16> keep {
  ^bb0(%qi: i32, %ki: i32):
    // CHECK: arith.cmpi sle
    %c = arith.cmpi sle, %ki, %qi : i32
    tile.yield %c : i1
  }
  return
}
