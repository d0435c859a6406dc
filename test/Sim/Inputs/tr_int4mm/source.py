# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import triton
import triton.language as tl


@triton.jit
def int4mm_k(a, b, c, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    rm = tl.arange(0, BM); rn = tl.arange(0, BN); rk = tl.arange(0, BK // 2); kk = tl.arange(0, BK)
    acc = tl.zeros((BM, BN), tl.float32)
    for k in range(0, K, BK):
        w = tl.load(b + (k // 2 + rk)[:, None] * N + rn[None, :])
        lo = ((w << 4).to(tl.int8) >> 4).to(tl.float16); hi = (w >> 4).to(tl.float16)
        ww = tl.reshape(tl.permute(tl.join(lo, hi), (0, 2, 1)), (BK, BN))
        acc = tl.dot(tl.load(a + rm[:, None] * K + k + kk[None, :]), ww, acc)
    tl.store(c + rm[:, None] * N + rn[None, :], acc)


# Triton 3.9.0, target 80, options {}
