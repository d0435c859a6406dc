#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes the tables of unittests/Sim/MeasuredTest.cpp from results of a GPU.

    distil.py FOLDER "DEVICE, DRIVER, DATE" PROBE.npz... -- MATRIX.npz...

Of each form a few rows: edge cases with results of their own first, before
them those where AGAINST (a variable, a file of probe.py) has another result.
Rows whose
result the ISA text leaves open, or where the device is known to differ from
it, are left out (`settled`), and so are approximate functions but for results
that are exact.
"""
import os
import re
import sys
import zlib

import numpy as np

import compare
import fragments
import inputs
import matrix
from forms import FORMS

ROWS = 4  # of a form
SUMS = ("moderate", "wide", "cancel", "one big", "subnormal", "special",
        "big addend", "small addend")
# Whole fragments: where elements and metadata lie.
WHOLE = ("m16n8k16.row.col.f32.f16.f16.f32 selector 2",
         "sp::ordered_metadata.sync.aligned.m16n8k32.row.col.f32.f16.f16.f32"
         " selector 1", "m16n8k8.row.col.f32.tf32.tf32.f32 selector 3",
         "m16n8k32.row.col.s32.s8.s8.s32 selector 1",
         "sp::ordered_metadata.sync.aligned.m16n8k64.row.col.s32.s8.u8.s32",
         "sp::ordered_metadata.sync.aligned.m16n8k128.row.col.s32.s4.u4.s32",
         "sp::ordered_metadata.sync.aligned.m16n8k64.row.col.f32.e4m3.e5m2",
         "mma.sync.aligned.m16n8k64.row.col.satfinite.s32.s4.u4.s32",
         "mma.sync.aligned.m16n8k256.row.col.s32.b1.b1.s32.xor.popc",
         "mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64",
         "mma.sync.aligned.m8n8k4.row.row.f32.f16.f16.f32",
         "mma.sync.aligned.m8n8k4.col.row.f16.f16.f16.f16")
# Scalar video instructions as ptxas emulates them on sm_90: not what the ISA
# text says of signs, saturation and destinations of 8 and 16 bits.
AT_ODDS = re.compile(
    r"v(add|sub|absdiff|min|max)\..*( into |\.(min|max) \.(b|h))"
    r"|vadd\.u32\.u32\.u32\.sat$|vmad\.u32\.u32\.u32.*\.(sat|shr)"
    r"|vshl\..*\.sat\.")


def settled(form, columns):
    """Rows whose result follows from the ISA text."""
    masked = [c & np.uint64(2**max(inputs.WIDTH[k], 1) - 1)
              for c, k in zip(columns, form.ins)]
    good = np.ones(len(columns[0]), bool)
    name = form.name
    if name.startswith(("bfe.", "bfi.")):  # positions and lengths are 0..255
        for c in masked[-2:]:
            good &= c <= 255
    if name == "fns.b32":
        good &= masked[1] <= 31
    if name.startswith(("cvt.rm.ftz.f16.f32", "cvt.rp.ftz.")) and (
            ".f16.f32" in name):  # the device does not flush
        good &= (masked[0] & np.uint64(0x7F800000)) != 0
    if name.endswith(".tf32.f32"):
        good &= ~compare.is_nan("f32", masked[0])
    if AT_ODDS.match(name):
        good[:] = False
    if name == "fma.rn.oob.relu.bf16x2" or name == "fma.rn.oob.f16":
        good[:] = False  # not in the simulator
    if name.startswith("cvt.pack.sat.") and name[13:15] in ("u2", "s2"):
        good[:] = False
    return good


def exact_rows(form, columns, results):
    """Of an approximate function: zero, infinity and NaN from such."""
    good = np.ones(len(results[0]), bool)
    for kind, words in zip(form.outs + form.ins, results + columns):
        parts = compare.elements(kind, words)
        e, f, _ = compare._ELEMENTS[kind]
        magnitude = parts & np.uint64((1 << (e + f)) - 1)
        special = (magnitude == 0) | (magnitude >= ((1 << e) - 1) << f)
        good &= special.all(1)
    return good


def choose(form, columns, results, against):
    """Numbers of a few rows."""
    if form.group == "warp":  # lanes belong together
        return range(len(columns[0]) - 64, len(columns[0]) - 32)
    good = settled(form, columns)
    if form.approx:
        good &= exact_rows(form, columns, results)
    rows = np.flatnonzero(good)
    seed = zlib.crc32(form.name.encode())
    order = np.argsort(inputs.noise(seed, len(rows)), kind="stable")
    edge = [r for r in rows[order] if r < 600]
    other = [r for r in rows[order] if r >= 600]
    differ = np.zeros(len(columns[0]), bool)
    for i, words in enumerate(results):
        if against is not None and f"{form.name}|{i}" in against:
            differ |= words != against[f"{form.name}|{i}"]
    wrong = [r for r in rows[order] if differ[r]][:ROWS]
    seen, chosen = set(), []
    for row in wrong + edge + other:
        key = tuple(int(x[row]) for x in results)
        if key not in seen:
            seen.add(key)
            chosen.append(row)
        if len(chosen) == ROWS - 1 + (len(wrong) > 0):
            break
    return chosen + [r for r in other if r not in chosen][:1]


def write_instructions(path, head, files):
    count = 0
    old = os.environ.get("AGAINST")
    against = np.load(old) if old else None
    with open(path, "w") as out:
        out.write(head + "# form: widths of operands > of results, PTX; then "
                  "rows of operands > results\n")
        for data in files:
            for name, form in FORMS.items():
                if f"{name}|0" not in data:
                    continue
                columns = inputs.operands(name, form.ins, form.rows)
                results = [data[f"{name}|{i}"] for i in range(len(form.outs))]
                rows = choose(form, columns, results, against)
                if not len(rows):
                    continue
                widths = [",".join(str(inputs.WIDTH[k]) for k in ks)
                          for ks in (form.ins, form.outs)]
                out.write(f"form {widths[0]}>{widths[1]} {form.text}\n")
                for row in rows:
                    sides = [" ".join(
                        f"{int(x[row]) & (2**max(inputs.WIDTH[k], 1) - 1):x}"
                        for x, k in zip(xs, ks)) for xs, ks in
                        ((columns, form.ins), (results, form.outs))]
                    out.write(f"{sides[0]} > {sides[1]}\n")
                    count += 1
    print(f"{path}: {count} rows, {os.path.getsize(path)} bytes")


def write_sums(path, head, data):
    with open(path, "w") as out:
        out.write(head + "# sum: types of A, B, D, instruction, products; then "
                  "elements of A, of B, addend, result\n")
        for name, form in matrix.FORMS.items():
            if (form.a not in fragments.FLOATS or form.a == "f64"
                    or form.sparse or form.volta or f"{name}|D" not in data):
                continue
            out.write(f"sum {form.a} {form.b} {form.d} "
                      f"{'wgmma' if form.wgmma else 'mma'} {form.k}\n")
            for i, kind in enumerate(SUMS):
                trial = fragments.CLASSES.index(kind)
                a, b, c, d = [data[f"{name}|{x}"][trial] for x in "ABCD"]
                if form.wgmma:
                    a = fragments.rows_of_core(a, form.a)
                    b = fragments.rows_of_core(b, form.b).T
                    c, d = (fragments.unpack_accumulator(x, form.d, form.n)
                            for x in (c, d))
                else:
                    a = fragments.unpack("a", a, form.a, (form.m, form.k))
                    b = fragments.unpack("b", b, form.b, (form.k, form.n))
                    c, d = (fragments.unpack("c", x, form.d, (form.m, form.n))
                            for x in (c, d))
                row, col = (5 * i + 3) % form.m, (3 * i + 1) % form.n
                values = [*a[row], *b[:, col], c[row, col], d[row, col]]
                out.write(" ".join(f"{int(x):x}" for x in values) + "\n")
    print(f"{path}: {os.path.getsize(path)} bytes")


def write_fragments(path, head, files):
    with open(path, "w") as out:
        out.write(head + "# mma: bits and numbers of registers of A, B, C, E, "
                  "D, PTX; then a register a line, a lane a word\n")
        for part in WHOLE:
            for data in files:
                names = [n for n in matrix.FORMS
                         if part in n and f"{n}|D" in data]
                for name in names[:1]:
                    form = matrix.FORMS[name]
                    arrays = {x: data[f"{name}|{x}"][0] for x in "ABCED"
                              if f"{name}|{x}" in data}
                    if "E" in arrays:
                        arrays["E"] = arrays["E"][None]
                    counts = [len(arrays.get(x, ())) for x in "ABCED"]
                    bits = 64 if form.a == "f64" else 32
                    opcode = name.split()[0]
                    out.write(f"mma {bits} {' '.join(map(str, counts))} "
                              f"{form.selector} {opcode}\n")
                    for array in arrays.values():
                        for register in array:
                            out.write(" ".join(f"{int(x):x}"
                                               for x in register) + "\n")
    print(f"{path}: {os.path.getsize(path)} bytes")


def main():
    folder, device = sys.argv[1:3]
    split = sys.argv.index("--")
    probes = [np.load(p) for p in sys.argv[3:split]]
    products = [np.load(p) for p in sys.argv[split + 1:]]
    os.makedirs(folder, exist_ok=True)
    head = f"# Measured on {device}; made by distil.py.\n"
    write_instructions(f"{folder}/instructions.txt", head, probes)
    write_sums(f"{folder}/sums.txt", head, products[0])
    write_fragments(f"{folder}/fragments.txt", head, products)


if __name__ == "__main__":
    main()
