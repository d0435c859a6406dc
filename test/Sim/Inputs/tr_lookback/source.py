# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import triton
import triton.language as tl


@triton.jit
def lookback_k(x, y, agg, pre, flag, n, BLOCK: tl.constexpr):
    p = tl.program_id(0); i = p * BLOCK + tl.arange(0, BLOCK); m = i < n
    v = tl.load(x + i, mask=m, other=0); s = tl.sum(v, 0)
    tl.store(agg + p, s)
    tl.debug_barrier()
    tl.atomic_xchg(flag + p, 1, sem="release")
    acc = 0
    q = p - 1
    while q >= 0:
        f = tl.atomic_add(flag + q, 0, sem="acquire")
        while f == 0: f = tl.atomic_add(flag + q, 0, sem="acquire")
        if f == 2:
            acc += tl.load(pre + q, volatile=True); q = -1
        else:
            acc += tl.load(agg + q, volatile=True); q -= 1
    tl.store(pre + p, acc + s)
    tl.debug_barrier()
    tl.atomic_xchg(flag + p, 2, sem="release")
    tl.store(y + i, tl.cumsum(v, 0) + acc, mask=m)


# Triton 3.9.0, target 80, options {}
