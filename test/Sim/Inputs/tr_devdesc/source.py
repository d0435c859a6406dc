# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import triton
import triton.language as tl


@triton.jit
def devdesc_k(ap, bp, cp, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    a = tl.make_tensor_descriptor(ap, [M, K], [K, 1], [BM, BK]); b = tl.make_tensor_descriptor(bp, [N, K], [K, 1], [BN, BK]); c = tl.make_tensor_descriptor(cp, [M, N], [N, 1], [BM, BN])
    m0 = tl.program_id(0) * BM; n0 = tl.program_id(1) * BN
    acc = tl.zeros((BM, BN), tl.float32)
    for k in range(0, K, BK):
        acc = tl.dot(a.load([m0, k]), b.load([n0, k]).T, acc)
    c.store([m0, n0], acc.to(c.dtype))


# Triton 3.9.0, target 90, options {}
