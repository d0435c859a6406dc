# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operands for the probes: edge cases first, then seeded bit patterns.

A kind names what a register holds. Everything is made by integer arithmetic
from a fixed seed, so that it is the same with every version of numpy.
"""
import zlib

import numpy as np

# Exponent and fraction bits.
SHAPES = {"f16": (5, 10), "bf16": (8, 7), "f32": (8, 23), "f64": (11, 52),
          "tf32": (8, 23)}
WIDTH = {"i8r16": 16, "i8r32": 32, "i16": 16, "i32": 32, "i64": 64, "sh": 32,
         "sel": 32, "lane": 32, "few": 32, "few64": 64, "half": 32,
         "f16": 16, "bf16": 16, "f32": 32, "tf32": 32, "f64": 64,
         "tiny32": 32, "tiny16": 16, "f16x2": 32, "bf16x2": 32, "e4m3x2": 16, "e5m2x2": 16, "pred": 1}
# Rows of all edge operands crossed, by number of operands.
_EDGES = {1: 1000, 2: 40, 3: 12, 4: 6}


def noise(seed, count):
    """splitmix64 from a seed: uint64 values."""
    start = np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64)
    with np.errstate(over="ignore"):
        x = start + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(
            0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _float_edges(kind):
    e, f = SHAPES[kind]
    sign, top, bias = 1 << (e + f), (1 << e) - 1, (1 << (e - 1)) - 1
    one, quiet = bias << f, 1 << (f - 1)

    def power(p, fraction=0):
        p = min(max(p + bias, 0), top - 1)
        return (p << f) | fraction
    first = [0, sign, one, sign | one, 1, sign | ((1 << f) - 1), 1 << f,
             (top << f) - 1, top << f, sign | (top << f),
             (top << f) | quiet | 5, sign | (top << f) | 3]
    more = [sign | 1, (1 << f) - 1, sign | (1 << f), sign | ((top << f) - 1),
            one + 1, one - 1, sign | (one + 1), power(-1), sign | power(-1),
            power(-1) - 1, power(0, quiet), power(1, 1 << (f - 2)),
            sign | power(1, 1 << (f - 2)), power(1, 3 << (f - 2)),
            (top << f) | quiet, (top << f) | ((1 << f) - 1),
            sign | (top << f) | quiet | 1, (top << f) | 1, power(2, quiet),
            power(-2), power(5), sign | power(5), power(7) - 1, power(8) - 1,
            power(-3) + 1, power(1, quiet + 1), sign | power(1, quiet - 1)]
    for p in (7, 8, 15, 16, 23, 24, 31, 32, 63, 64, 127, -126, -14, -15, -24,
              -25, -133, -149, -150, -16, -9, -10):
        if abs(p) <= bias:
            more += [power(p), sign | power(p), power(p) - 1,
                     sign | (power(p) + 1)]
    if f >= 23:
        for p, frac in ((15, 0x3FF), (15, 0x7FF), (8, 6), (8, 7), (15, 3),
                        (127, 0x7F), (127, 0xFF), (0, 0x1FF), (0, 0x3FF)):
            bits = frac.bit_length()
            more += [power(p, frac << (f - bits)),
                     power(p, (frac << (f - bits)) + 1),
                     power(p, (frac << (f - bits)) - 1),
                     sign | power(p, frac << (f - bits))]
    return list(dict.fromkeys(first + more))


def _int_edges(bits):
    top = 1 << (bits - 1)
    mask = 2 * top - 1
    values = [0, 1, mask, top, top - 1, 2, mask - 1, top + 1, 0x80 & mask,
              255, 127, 0x55555555555555555 & mask, 3, 31, 32, 33,
              0xAAAAAAAAAAAAAAAAA & mask, 63, 64, 65, 0xFF80 & mask,
              0x7FFF & mask, 0x8000 & mask, 0xFFFF & mask, 0x800000 & mask,
              0x7FFFFF & mask, 0xFFFFFF & mask, 1000, mask - 127, mask - 128]
    if bits == 64:
        values += [2**31, 2**31 - 1, 2**32 - 1, 2**32, 2**64 - 2**31,
                   2**53, 2**53 + 1, 2**54 - 1, 2**63 - 513, 2**64 - 1025,
                   2**24 + 1, 2**25 + 1, 2**40 + 2**15, 2**40 + 3 * 2**15]
    return list(dict.fromkeys(values))


def _tiny(kind):
    """Factors whose products lie about the least normal number: powers of two
    whose exponents add up to it, a few units from 1."""
    e, f = (8, 23) if kind == "tiny32" else (5, 10)
    bias = (1 << (e - 1)) - 1
    half = (1 - bias) // 2
    ones = [((p + bias) << f) + d for p in (half, half + 1, 0, 1 - bias)
            for d in (0, 1, 2, 3, -1, -2, 1 << (f - 1), 5)]
    return ones + [x | 1 << (e + f) for x in ones[:8]]


def edges(kind):
    if kind in ("tiny32", "tiny16"):
        return _tiny(kind)
    if kind in SHAPES:
        return _float_edges(kind)
    if kind in ("f16x2", "bf16x2"):
        one = _float_edges(kind[:-2])
        return [x | one[-1 - i] << 16 for i, x in enumerate(one)]
    if kind in ("e4m3x2", "e5m2x2", "i8r16"):
        return _int_edges(16)
    if kind == "sh":
        return [0, 1, 31, 32, 33, 63, 64, 65, 255, 256, 257, 0x80000000,
                0xFFFFFFFF, 0x100001F, 5, 16, 30, 2, 7, 8]
    if kind == "sel":
        return [0x3210, 0x7654, 0x0123, 0xFEDC, 0xBA98, 0x8888, 0, 0xFFFF,
                0xFFFFFFFF, 0x5410, 0x7632, 4, 5, 6, 7]
    if kind == "lane":
        return list(range(34)) + [0xFFFFFFFF, 0x80000000]
    if kind == "half":
        return list(range(-33, 34))
    if kind == "pred":
        return [0, 1]
    if kind in ("few", "few64"):
        return [0, 1, 2]
    return _int_edges(WIDTH[kind])


def _random_float(kind, r, extra):
    e, f = SHAPES[kind]
    sign, bias = 1 << (e + f), (1 << (e - 1)) - 1
    u = np.uint64

    def with_exponent(low, span, fraction):
        exponent = np.clip((extra % u(span)).astype(np.int64) + bias + low, 0,
                           2 * bias).astype(np.uint64)
        return (r & u(sign)) | exponent << u(f) | fraction
    full = r & u((1 << f) - 1)
    sparse = full & (extra >> u(8)) & (extra >> u(11)) & u((1 << f) - 1)
    choice = (extra >> u(60)) % u(4)
    everything = r & u(2 * sign - 1)
    return np.select(
        [choice == 0, choice == 1, choice == 2],
        [everything, with_exponent(-4, 9, full),
         with_exponent(-4, 9, sparse)], with_exponent(-30, 100, sparse))


def random(kind, seed, count):
    if kind in ("tiny32", "tiny16"):
        choices = np.array(_tiny(kind), dtype=np.uint64)
        return choices[(noise(seed, count) % np.uint64(len(choices))).astype(
            np.int64)]
    r, extra = noise(seed, count), noise(seed ^ 0x5DEECE66D, count)
    u = np.uint64
    if kind in SHAPES:
        return _random_float(kind, r, extra)
    if kind in ("f16x2", "bf16x2"):
        return _random_float(kind[:-2], r, extra) | _random_float(
            kind[:-2], noise(seed + 77, count), noise(seed + 99, count)
        ) << u(16)
    if kind in ("sh", "half"):
        return np.where(extra % u(4) == u(0), r & u(0xFFFFFFFF), r % u(70))
    if kind == "lane":
        return np.where(extra % u(4) == u(0), r & u(0x1F1F), r % u(32))
    if kind == "pred":
        return r & u(1)
    if kind in ("few", "few64"):
        return np.where(np.arange(count) // 32 % 3 == 0, u(7), r % u(3))
    mask = u((1 << WIDTH[kind]) - 1)
    small = np.where(extra & u(1), r % u(300), u(0) - r % u(300))
    return np.where((extra >> u(60)) % u(4) == u(0), small, r) & mask


def operands(name, kinds, rows):
    """One uint64 array an operand; a multiple of 256 rows."""
    seed = zlib.crc32(name.encode())
    if rows == 65536 and len(kinds) == 1:  # all patterns of 16 bits
        low = np.arange(65536, dtype=np.uint64)
        if WIDTH[kinds[0]] == 32:
            with np.errstate(over="ignore"):
                low |= (low * np.uint64(40503) + np.uint64(12345)) % np.uint64(
                    65536) << np.uint64(16)
        return [low]
    limit = _EDGES[len(kinds)]
    lists = [np.array([x % 2**64 for x in edges(k)[:limit]], dtype=np.uint64)
             for k in kinds]
    crossed = [g.ravel() for g in np.meshgrid(*lists, indexing="ij")]
    have = len(crossed[0])
    rows = max(rows, have + 512)
    rows += -rows % 256
    return [np.concatenate([c, random(k, seed + 1000 * i, rows - have)])
            for i, (k, c) in enumerate(zip(kinds, crossed))]


def narrow(kind, values):
    """As the array that a kernel loads."""
    width = {1: 32}.get(WIDTH[kind], WIDTH[kind])
    return values.astype({16: np.uint16, 32: np.uint32, 64: np.uint64}[width])
