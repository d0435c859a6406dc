# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import triton
import triton.language as tl


@triton.jit
def cvt8_k(a, b, y, z, w, N: tl.constexpr):
    i = tl.arange(0, N); u = tl.load(a + i); v = tl.load(b + i)
    tl.store(y + i, u.to(tl.float32)); tl.store(y + N + i, v.to(tl.float32)); tl.store(z + i, u.to(tl.float16) + v.to(tl.float16)); tl.store(w + i, (v.to(tl.bfloat16) * 2).to(tl.float32))


# Triton 3.9.0, target 90, options {}
