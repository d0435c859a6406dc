# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The kernels of a corpus that synchronise, made by nvcc and Triton.

Of them only synchronisation is removed: for other faults a launch each is too
few to reach all of a kernel. One gets a second launch: three steps of K, which the corpus has, never refill
a stage of tma_gemm's second half, so that what orders the refill is not
needed.
"""
import json
import os
import random
import struct

import kinds
from runner import Case

NAMES = [
    "block_reduce", "bulk_ring", "cluster_dsm", "mma_pipeline",
    "named_barriers", "tma_gemm", "tr_flash_sm80", "tr_flash_sm90",
    "tr_matmul_sm80", "tr_matmul_sm90", "tr_matmul_tma_sm90",
    "transpose_flat", "transpose_pad", "wgmma_rs", "wgmma_ss",
]


def _write_npy(path, code, shape, values):
    descr = {"e": "<f2", "f": "<f4"}[code]
    header = (f"{{'descr': '{descr}', 'fortran_order': False, "
              f"'shape': {shape}, }}").encode()
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)))
        file.write(header + struct.pack(f"<{len(values)}{code}", *values))


def _longer_gemm(case, work, k=344):
    """C = A B^T with six steps of K. Eighths, so that every sum is exact."""
    with open(case.launches[0]) as file:
        launch = json.load(file)
    maps = [a["tensor_map"] for a in launch["args"][:2]]
    m, n = (a["i32"] for a in launch["args"][3:5])
    source = random.Random(1)
    rows = {}
    at = os.path.join(work, case.name + "-longer")
    os.makedirs(at, exist_ok=True)
    for tensor, count in zip(maps, (m, n)):
        tensor["dims"] = [k, count]
        tensor["strides_bytes"] = [2 * k]
        name = tensor["buffer"]
        rows[name] = [[source.randint(-8, 8) / 8 for _ in range(k)]
                      for _ in range(count)]
        _write_npy(os.path.join(at, name), "e", (count, k),
                   [x for row in rows[name] for x in row])
    launch["args"][5]["i32"] = k
    a, b = rows.values()
    _write_npy(os.path.join(at, "C.npy"), "f", (m, n),
               [sum(x * y for x, y in zip(u, v)) for u in a for v in b])
    launch["outputs"]["C.npy"] = {"atol": 0, "rtol": 0}
    path = os.path.join(at, "launch.json")
    with open(path, "w") as file:
        json.dump(launch, file)
    case.launches.append(path)


def cases(folder, work):
    result = []
    for name in NAMES:
        at = os.path.join(folder, name)
        if os.path.isdir(at):
            result.append(Case(name, os.path.join(at, "kernel.ptx"),
                               [os.path.join(at, "launch.json")],
                               list(kinds.REMOVALS)))
            if name == "tma_gemm":
                _longer_gemm(result[-1], work)
    return result
