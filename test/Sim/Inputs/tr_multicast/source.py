# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
from triton.experimental import gluon
from triton.experimental.gluon import language as gl
from triton.experimental.gluon.language.nvidia.ampere import async_copy as cp
from triton.experimental.gluon.language.nvidia.hopper import cluster, mbarrier, tma


@gluon.jit
def g_multi(a, y, BM: gl.constexpr):
    L: gl.constexpr = gl.BlockedLayout([1, 8], [4, 8], [4, 1], [1, 0], [[0, 0]])
    s = gl.allocate_shared_memory(a.dtype, a.block_type.shape, a.layout); bar = mbarrier.allocate_mbarrier(); mbarrier.init(bar, count=1)
    cluster.barrier()
    mbarrier.expect(bar, a.block_type.nbytes); tma.async_load(a, [0, 0], bar, s, multicast=True); mbarrier.wait(bar, 0)
    v = s.load(L); r = gl.arange(0, BM, gl.SliceLayout(1, L)); q = gl.arange(0, 64, gl.SliceLayout(0, L))
    gl.store(y + gl.program_id(0) * BM * 64 + r[:, None] * 64 + q[None, :], v)


# Triton 3.9.0, target 90, options {'num_ctas': 2}
