# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import triton
import triton.language as tl


@triton.jit(noinline=True)
def scal(a, n):
    r = a
    for i in range(n): r = r * 0.5 + i
    return r


@triton.jit(noinline=True)
def pair(a, b): return a * b, a - b


@triton.jit(noinline=True)
def redf(x, y, i, N: tl.constexpr):
    v = tl.load(x + i * N + tl.arange(0, N))
    tl.store(y + i, tl.sum(v, 0) + tl.max(v, 0))


@triton.jit
def noinl_k(x, y, n, N: tl.constexpr):
    i = tl.arange(0, N); a, b = pair(tl.load(x), tl.load(x + 1)); c = scal(a, n)
    tl.store(y + i, tl.load(x + i) * c + b)
    for k in range(n): redf(x, y + N, k, N // 8)


# Triton 3.9.0, target 80, options {}
