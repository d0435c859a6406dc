# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
from triton.experimental import gluon
from triton.experimental.gluon import language as gl
from triton.experimental.gluon.language.nvidia.ampere import async_copy as cp
from triton.experimental.gluon.language.nvidia.hopper import cluster, mbarrier, tma


@gluon.jit
def g_cpmbar(x, y, n, N: gl.constexpr, NB: gl.constexpr):
    L: gl.constexpr = gl.BlockedLayout([4], [32], [4], [0]); S: gl.constexpr = gl.SwizzledSharedLayout(1, 1, 1, [0])
    s = gl.allocate_shared_memory(gl.float32, [NB, N], S); bars = mbarrier.allocate_mbarrier(batch=NB)
    for i in gl.static_range(NB): mbarrier.init(bars.index(i), count=1)
    o = gl.arange(0, N, L)
    for i in gl.static_range(NB): cp.async_load(s.index(i), x + i * N + o); cp.mbarrier_arrive(bars.index(i), increment_count=True); mbarrier.arrive(bars.index(i))
    acc = gl.zeros((N,), gl.float32, L)
    for i in gl.static_range(NB): mbarrier.wait(bars.index(i), 0); acc += s.index(i).load(L)
    gl.store(y + o, acc)


# Triton 3.9.0, target 90, options {}
