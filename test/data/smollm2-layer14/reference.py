# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Recomputes o.npy and lse.npy in this folder from q, k and v, in float64.

    python3 reference.py           compares with the files
    python3 reference.py --write   writes them
Plain NumPy and no part of Fovea, so that the numbers come from elsewhere.
"""
import pathlib
import sys

import numpy as np

folder = pathlib.Path(__file__).parent


def causal_attention(q, k, v):
    """[B, H, N, D], [B, G, N, D] twice -> O [B, H, N, D], natural-log LSE [B, H, N]."""
    n, group = q.shape[2], q.shape[1] // k.shape[1]
    k, v = (np.repeat(x.astype(np.float64), group, axis=1) for x in (k, v))
    logits = q.astype(np.float64) @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1])
    logits = np.where(np.tri(n, dtype=bool), logits, -np.inf)
    largest = logits.max(axis=-1, keepdims=True)
    weights = np.exp(logits - largest)
    total = weights.sum(axis=-1, keepdims=True)
    return weights @ v / total, (largest + np.log(total))[..., 0]


q, k, v = (np.load(folder / f"{name}.npy") for name in "qkv")
results = dict(zip(("o", "lse"), causal_attention(q, k, v)))
for name, value in results.items():
    path = folder / f"{name}.npy"
    if "--write" in sys.argv[1:]:
        np.save(path, value.astype(np.float32))
    worst = np.abs(np.load(path) - value).max()
    print(f"{name}: largest difference {worst:.2g}")
    if worst > 1e-5:
        sys.exit(1)
