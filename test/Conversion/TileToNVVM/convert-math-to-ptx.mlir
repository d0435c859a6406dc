// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --convert-math-to-ptx | FileCheck %s

// CHECK-LABEL: @exponentials
// CHECK-SAME: (%[[X:.*]]: f32
func.func @exponentials(%x: f32) -> (f32, f32) {
  // CHECK: %[[TWO:.*]] = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f32"(%[[X]])
  %0 = math.exp2 %x : f32
  // CHECK: %[[LOG2E:.*]] = arith.constant 1.4426
  // CHECK: %[[SCALED:.*]] = arith.mulf %[[X]], %[[LOG2E]]
  // CHECK: %[[E:.*]] = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f32"(%[[SCALED]])
  %1 = math.exp %x : f32
  // CHECK: return %[[TWO]], %[[E]]
  return %0, %1 : f32, f32
}

// CHECK-LABEL: @logarithms
func.func @logarithms(%x: f32) -> (f32, f32) {
  // CHECK: llvm.call_intrinsic "llvm.nvvm.lg2.approx.ftz.f"
  // CHECK-NOT: arith
  %0 = math.log2 %x : f32
  // CHECK: llvm.call_intrinsic "llvm.nvvm.lg2.approx.ftz.f"
  // CHECK: arith.constant 0.6931
  %1 = math.log %x : f32
  return %0, %1 : f32, f32
}

// Of |x|, so that nothing overflows, and with the sign of x.
// CHECK-LABEL: @tanh_is_odd
// CHECK-SAME: (%[[X:.*]]: f32
// CHECK: math.absf %[[X]]
// CHECK: ex2.approx.ftz
// CHECK: math.copysign %{{.*}}, %[[X]]
func.func @tanh_is_odd(%x: f32) -> f32 {
  %0 = math.tanh %x : f32
  return %0 : f32
}

// In a kernel of 16-bit storage, softcap takes the short form, and x / c a product.
// CHECK-LABEL: @softcap_of_half
// CHECK-SAME: (%[[X:.*]]: f32
// CHECK-NOT: arith.divf
// CHECK: %[[FIFTIETH:.*]] = arith.constant 2.0{{0*}}e-02
// CHECK: arith.mulf %[[X]], %[[FIFTIETH]]
// CHECK: ex2.approx.ftz
// CHECK: rcp.approx.ftz
// CHECK: math.fma
// CHECK-NOT: math
// CHECK: llvm.return
llvm.func @softcap_of_half(%x: f32) -> f32 attributes {tile.half} {
  %c = arith.constant 50.0 : f32
  %0 = arith.divf %x, %c : f32
  %1 = math.tanh %0 : f32
  %2 = arith.mulf %1, %c : f32
  llvm.return %2 : f32
}

// A large cap would enlarge the error, and so would any other use.
// CHECK-LABEL: @large_cap_of_half
// CHECK: llvm.call_intrinsic "llvm.nvvm.div.full"
// CHECK: math.copysign
llvm.func @large_cap_of_half(%x: f32, %c: f32) -> f32 attributes {tile.half} {
  %0 = arith.divf %x, %c : f32
  %1 = math.tanh %0 : f32
  %2 = arith.mulf %1, %c : f32
  llvm.return %2 : f32
}

// CHECK-LABEL: @other_types_stay
// CHECK: math.exp2 %{{.*}} : f64
func.func @other_types_stay(%x: f64) -> f64 {
  %0 = math.exp2 %x : f64
  return %0 : f64
}
