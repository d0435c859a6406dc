# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import triton
import triton.language as tl


@triton.jit
def bigred_k(x, y, M: tl.constexpr, N: tl.constexpr):
    v = tl.load(x + tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :]); tl.store(y + tl.arange(0, N), tl.sum(v, 0)); tl.store(y + N, tl.sum(v)); tl.store(y + N + 1, tl.max(tl.max(v, 0), 0))


# Triton 3.9.0, target 90, options {'num_warps': 4}
