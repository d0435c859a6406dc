# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operands of matrix products, made to tell one way of summing from another,
and where their elements lie in registers and shared memory.

A matrix holds the bits of its elements as uint64.
"""
import numpy as np

from inputs import noise

# Exponent and fraction bits, and bits of an element.
FLOATS = {"f16": (5, 10, 16), "bf16": (8, 7, 16), "tf32": (8, 23, 32),
          "f32": (8, 23, 32), "e4m3": (4, 3, 8), "e5m2": (5, 2, 8),
          "f64": (11, 52, 64)}
INTS = {"s8": 8, "u8": 8, "s4": 4, "u4": 4, "b1": 1, "s32": 32}
BITS = {**{k: v[2] for k, v in FLOATS.items()}, **INTS}
CLASSES = ("moderate", "wide", "cancel", "one big", "subnormal", "special",
           "random bits", "big addend", "small addend", "overflow", "powers")
U = np.uint64


def _noise(seed, shape):
    return noise(seed, int(np.prod(shape))).reshape(shape)


def _floats(ty, low, high, seed, shape, fraction=None):
    """Random signs and fractions with exponents of low to high."""
    e, f, _ = FLOATS[ty]
    bias = (1 << (e - 1)) - 1
    r, s = _noise(seed, shape), _noise(seed + 1, shape)
    exponent = (s % U(high - low + 1)).astype(np.int64) + low + bias
    exponent = np.clip(exponent, 0, 2 * bias).astype(np.uint64)
    bits = r & U((1 << f) - 1) if fraction is None else U(fraction)
    return (r >> U(63)) << U(e + f) | exponent << U(f) | bits


def _special(ty, seed, shape):
    """Infinities, NaN and zeros, most of the rest moderate."""
    e, f, _ = FLOATS[ty]
    top = ((1 << e) - 1) << f
    choice = _noise(seed + 7, shape) % U(40)
    values = _floats(ty, -2, 2, seed, shape)
    sign = values & U(1 << (e + f))
    values = np.where(choice == 0, sign | U(top), values)
    values = np.where(choice == 1, sign | U(top | 1), values)
    return np.where(choice == 2, sign, values)


def float_operands(ty, acc, kind, m, n, k, seed):
    """Bits of A (m x k), B (k x n), C (m x n) of one class."""
    e, f, bits = FLOATS[ty]
    reach = {"f16": 7, "bf16": 14, "tf32": 14, "e4m3": 5, "e5m2": 8,
             "f64": 30}[ty]
    half = acc == "f16"
    low, high = {"moderate": (-2, 1), "cancel": (-3, 3), "special": (-2, 2),
                 "big addend": (-6, 0), "small addend": (-2, 2),
                 "one big": (-reach, -reach // 2), "powers": (-reach, 0),
                 }.get(kind, (-reach, reach))
    fraction = 0 if kind == "powers" else None
    a = _floats(ty, low, high, seed, (m, k), fraction)
    b = _floats(ty, low, high, seed + 10, (k, n), fraction)
    c_range = (-6, 2) if half else (-8, 3)
    if kind == "big addend":
        c_range = (3, 9) if half else (4, 22)
    if kind == "small addend":
        c_range = (-24, -8) if half else (-126, -12)
    if kind == "powers":
        c_range = (-8, 0)
    c = _floats(acc, *c_range, seed + 20, (m, n), fraction)
    sign = U(1 << (e + f))
    if kind == "cancel":  # products in pairs of opposite sign
        for i in range(0, k - 2, 2):
            a[:, i + 1] = a[:, i]
            b[i + 1] = b[i] ^ sign
        order = np.argsort(_noise(seed + 30, (k,)), kind="stable")
        a, b = a[:, order], b[order]
    if kind == "one big":
        at = int(_noise(seed + 31, (1,))[0] % U(k))
        a[:, at] = _floats(ty, reach - 2, reach, seed + 32, (m,))
        b[at] = _floats(ty, -1, 1, seed + 33, (n,))
        c &= U(1 << (BITS[acc] - 1))
    if kind == "subnormal":
        a &= sign | U((1 << f) - 1)
        c &= U(1 << (BITS[acc] - 1)) | U((1 << FLOATS[acc][1]) - 1)
    if kind == "special":
        a, b = _special(ty, seed, (m, k)), _special(ty, seed + 1, (k, n))
        c = _special(acc, seed + 2, (m, n))
    if kind == "random bits":
        a, b = (_noise(seed + i, s) & U(2**bits - 1)
                for i, s in ((3, (m, k)), (4, (k, n))))
        c = _noise(seed + 5, (m, n)) & U(2**BITS[acc] - 1)
    if kind == "overflow":
        bias = (1 << (e - 1)) - 1
        a = _floats(ty, bias // 2, bias // 2 + 2, seed, (m, k))
        b = _floats(ty, bias // 2 - 2, bias // 2, seed + 1, (k, n))
        if FLOATS[acc][0] == 5:
            c = _floats(acc, 13, 15, seed + 2, (m, n))
        else:
            c = _floats(acc, 120, 127, seed + 2, (m, n))
    return a, b, c


def integer_operands(ty_a, ty_b, kind, m, n, k, seed):
    a = _noise(seed, (m, k)) & U(2**BITS[ty_a] - 1)
    b = _noise(seed + 1, (k, n)) & U(2**BITS[ty_b] - 1)
    c = _noise(seed + 2, (m, n)) & U(2**32 - 1)
    if kind % 4 == 1:  # near the limits, so that sums overflow
        c = U(2**31) - U(200) + c % U(400)
    if kind % 4 == 2:
        a[:] = U(2**BITS[ty_a] - 1) if ty_a[0] != "s" else U(
            2**(BITS[ty_a] - 1))
        b[::2] = U(2**(BITS[ty_b] - 1))
    if kind % 4 == 3:
        c = c % U(1000)
    return a, b, c


# --- registers of mma.sync ----------------------------------------------------
# g = lane / 4, t = lane % 4; e elements a register (MmaOps.cpp).

def _places(which, m, count, e):
    """Index arrays (row, column) of registers x lanes x elements."""
    r, lane, j = np.meshgrid(np.arange(count), np.arange(32), np.arange(e),
                             indexing="ij")
    g, t = lane // 4, lane % 4
    if which == "c":
        i = r * e + j
        return g + 8 * (i // 2), 2 * t + i % 2
    if which == "b":
        return e * t + 4 * e * r + j, g
    if m == 16:
        return g + 8 * (r % 2), e * t + 4 * e * (r // 2) + j
    return g, e * t + 4 * e * r + j


def per_register(ty):
    return 1 if BITS[ty] >= 32 else 32 // BITS[ty]


def pack(which, matrix, ty):
    """A matrix as registers x lanes."""
    m, bits, e = matrix.shape[0], BITS[ty], per_register(ty)
    count = matrix.size // (32 * e)
    rows, cols = _places(which, m, count, e)
    shifts = (np.arange(e) * bits).astype(np.uint64)
    words = np.bitwise_or.reduce(matrix[rows, cols] << shifts, axis=2)
    return words.astype(np.uint64 if bits == 64 else np.uint32)


def unpack(which, words, ty, shape):
    """The matrix of registers x lanes."""
    bits, e = BITS[ty], per_register(ty)
    rows, cols = _places(which, shape[0], words.shape[0], e)
    shifts = (np.arange(e) * bits).astype(np.uint64)
    out = np.zeros(shape, np.uint64)
    out[rows, cols] = (words.astype(np.uint64)[:, :, None] >> shifts) & U(
        2**bits - 1)
    return out


# --- wgmma --------------------------------------------------------------------

def core_matrices(matrix, ty):
    """Bytes of a K-major operand without swizzle: rows x k as core matrices
    of 8 rows x 16 bytes, those along k adjacent."""
    dtype = {8: np.uint8, 16: np.uint16, 32: np.uint32}[BITS[ty]]
    raw = np.ascontiguousarray(matrix.astype(dtype)).view(np.uint8)
    rows, size = raw.shape
    return np.ascontiguousarray(
        raw.reshape(rows // 8, 8, size // 16, 16).transpose(0, 2, 1, 3)
    ).ravel()


def rows_of_core(raw, ty, size=32):
    """The inverse of core_matrices; size: bytes of a row."""
    dtype = {8: np.uint8, 16: np.uint16, 32: np.uint32}[BITS[ty]]
    rows = raw.reshape(-1, size // 16, 8, 16).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(rows.reshape(-1, size)).view(dtype).astype(
        np.uint64)


def _accumulator(n, e):
    count = n // 2 // e
    r, thread, j = np.meshgrid(np.arange(count), np.arange(128), np.arange(e),
                               indexing="ij")
    i, lane = r * e + j, thread % 32
    return (16 * (thread // 32) + lane // 4 + 8 * (i // 2 % 2),
            8 * (i // 4) + 2 * (lane % 4) + i % 2)


def pack_accumulator(matrix, ty):
    e = per_register(ty)
    rows, cols = _accumulator(matrix.shape[1], e)
    shifts = (np.arange(e) * BITS[ty]).astype(np.uint64)
    return np.bitwise_or.reduce(matrix[rows, cols] << shifts,
                                axis=2).astype(np.uint32)


def unpack_accumulator(words, ty, n):
    e = per_register(ty)
    rows, cols = _accumulator(n, e)
    shifts = (np.arange(e) * BITS[ty]).astype(np.uint64)
    out = np.zeros((64, n), np.uint64)
    out[rows, cols] = (words.astype(np.uint64)[:, :, None] >> shifts) & U(
        2**BITS[ty] - 1)
    return out
