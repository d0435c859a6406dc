# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import triton
import triton.language as tl


@triton.jit
def cta2_k(x, y, n, N: tl.constexpr):
    i = tl.arange(0, N); v = tl.load(x + i, mask=i < n, other=0.0)
    s = tl.sum(v, 0); m = tl.max(v, 0)
    tl.store(y + i, (v - m) * s, mask=i < n)


# Triton 3.9.0, target 90, options {'num_ctas': 2}
