# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import triton
import triton.language as tl


@triton.jit
def streamk_k(a, b, c, lock, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):  # 2 CTAs a tile, second waits on a flag
    z = tl.program_id(0)
    rm = tl.arange(0, BM); rn = tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for k in range(z * BK, K, BK * 2):
        rk = k + tl.arange(0, BK)
        acc = tl.dot(tl.load(a + rm[:, None] * K + rk[None, :]), tl.load(b + rk[:, None] * N + rn[None, :]), acc)
    p = c + rm[:, None] * N + rn[None, :]
    if z == 1:
        tl.store(p, acc)
        tl.debug_barrier()
        tl.atomic_xchg(lock, 1)
    else:
        while tl.atomic_cas(lock, 1, 1) != 1: pass
        tl.debug_barrier()
        acc += tl.load(p)
        tl.store(p, acc)


# Triton 3.9.0, target 80, options {}
