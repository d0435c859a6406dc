# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import triton
import triton.language as tl


@triton.jit
def descops_k(x, y, z, w, u, BM: tl.constexpr, BN: tl.constexpr):
    m0 = tl.program_id(0) * BM
    v = x.load([m0, 0])
    y.atomic_add([0, 0], v); z.atomic_max([0, 0], v.to(tl.int32)); w.atomic_min([0, 0], v.to(tl.int32)); u.atomic_xor([0, 0], v.to(tl.int32))


# Triton 3.9.0, target 90, options {}
