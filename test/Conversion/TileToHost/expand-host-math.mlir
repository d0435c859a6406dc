// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --expand-host-math --split-input-file | FileCheck %s

// Nothing is left that would become a call; sqrt is an instruction.

// CHECK-LABEL: func.func @scalars
func.func @scalars(%x: f32) -> f32 {
  // CHECK-NOT: math.exp
  // CHECK-NOT: math.log
  // CHECK-NOT: math.tanh
  // CHECK: math.sqrt %{{.*}} : f32
  %0 = math.exp %x : f32
  %1 = math.exp2 %0 : f32
  %2 = math.log %1 : f32
  %3 = math.log2 %2 : f32
  %4 = math.tanh %3 : f32
  %5 = math.sqrt %4 : f32
  return %5 : f32
}

// -----

// exp x = 2^(x log2(e)), the product in two parts.
// CHECK-LABEL: func.func @vectors
// CHECK-SAME: (%[[X:.*]]: vector<8xf32>)
func.func @vectors(%x: vector<8xf32>) -> vector<8xf32> {
  // CHECK-DAG: arith.constant dense<1.44269502> : vector<8xf32>
  // CHECK-DAG: arith.constant dense<1.925963{{.*}}E-8> : vector<8xf32>
  // CHECK: arith.shli {{.*}} : vector<8xi32>
  %0 = math.exp %x : vector<8xf32>
  return %0 : vector<8xf32>
}

// -----

// Other types are left alone.
// CHECK-LABEL: func.func @doubles
func.func @doubles(%x: f64) -> f64 {
  // CHECK: math.exp2
  %0 = math.exp2 %x : f64
  return %0 : f64
}

// -----

// A vector of i32 is divided as f64, unless the divisor is a constant.
// CHECK-LABEL: func.func @divisions
func.func @divisions(%x: vector<8xi32>, %y: i32) -> (vector<8xi32>, vector<8xi32>) {
  %c7 = arith.constant 7 : i32
  %run_time = vector.broadcast %y : i32 to vector<8xi32>
  %constant = vector.broadcast %c7 : i32 to vector<8xi32>
  // CHECK: %[[Q:.*]] = arith.divf {{.*}} : vector<8xf64>
  // CHECK: %[[I:.*]] = arith.fptosi %[[Q]] : vector<8xf64> to vector<8xi32>
  // CHECK: %[[P:.*]] = arith.muli %[[I]]
  // CHECK: arith.subi {{.*}}, %[[P]]
  %0 = arith.remsi %x, %run_time : vector<8xi32>
  // CHECK: arith.remsi {{.*}} : vector<8xi32>
  %1 = arith.remsi %x, %constant : vector<8xi32>
  return %0, %1 : vector<8xi32>, vector<8xi32>
}
