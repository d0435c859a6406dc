#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Sums of tensor cores: every form of mma.sync, and wgmma.

    matrix.py OUT.npz [--filter REGEX] [--assemble PTXAS]

OUT.npz holds for each form `FORM|A`, B, C, D: operands and result as raw bits
(trials x registers x lanes; A and B of wgmma as the bytes in shared memory),
and `FORM|E` the metadata of a sparse one. fragments.py tells where an element
lies; trial t is of class t % 11 of fragments.CLASSES for floats.
"""
import argparse
import ctypes as C
import os
import re
import subprocess
import sys
import tempfile
import zlib
from dataclasses import dataclass

import numpy as np

import fragments
from fragments import BITS, CLASSES, FLOATS, U

HEADER = ".version 9.0\n.target sm_90a\n.address_size 64\n"
FORMS = {}


@dataclass
class Form:
    name: str
    m: int
    n: int
    k: int
    d: str
    a: str
    b: str
    c: str
    trials: int
    wgmma: bool = False
    sparse: bool = False
    selector: int = 0
    volta: bool = False  # m8n8k4 of f16: rows are lanes


def add(name, m, n, k, d, a, b, c, **more):
    trials = 3 * len(CLASSES) if a in FLOATS else 8
    more.setdefault("trials", trials)
    FORMS[name] = Form(name, m, n, k, d, a, b, c, **more)


def mma(shape, d, a, b, c, mods="", end="", **more):
    m, n, k = map(int, re.match(r"m(\d+)n(\d+)k(\d+)", shape).groups())
    sp = "sp::ordered_metadata." if more.get("sparse") else ""
    add(f"mma.{sp}sync.aligned.{shape}.row.col{mods}.{d}.{a}.{b}.{c}{end}",
        m, n, k, d, a, b, c, **more)


def dense_forms():
    for k in (8, 16):
        for acc in ("f32", "f16"):
            mma(f"m16n8k{k}", acc, "f16", "f16", acc)
        mma(f"m16n8k{k}", "f32", "bf16", "bf16", "f32")
    for k in (4, 8):
        mma(f"m16n8k{k}", "f32", "tf32", "tf32", "f32")
    for shape in ("m8n8k4", "m16n8k4", "m16n8k8", "m16n8k16"):
        mma(shape, "f64", "f64", "f64", "f64")
    for a in ("e4m3", "e5m2"):
        for b in ("e4m3", "e5m2"):
            for k in (16, 32):
                for acc in ("f32", "f16"):
                    mma(f"m16n8k{k}", acc, a, b, acc)
    for bits, shapes in ((8, ("m8n8k16", "m16n8k16", "m16n8k32")),
                         (4, ("m8n8k32", "m16n8k32", "m16n8k64"))):
        for shape in shapes:
            for a in (f"s{bits}", f"u{bits}"):
                for b in (f"s{bits}", f"u{bits}"):
                    for mods in ("", ".satfinite"):
                        mma(shape, "s32", a, b, "s32", mods)
    for shape in ("m8n8k128", "m16n8k128", "m16n8k256"):
        for op in (".xor.popc", ".and.popc"):
            mma(shape, "s32", "b1", "b1", "s32", "", op)


def sparse_forms():
    more = {"sparse": True, "trials": len(CLASSES)}
    for acc in ("f32", "f16"):
        for k in (16, 32):
            mma(f"m16n8k{k}", acc, "f16", "f16", acc, **more)
    for k in (16, 32):
        mma(f"m16n8k{k}", "f32", "bf16", "bf16", "f32", **more)
    for k in (8, 16):
        mma(f"m16n8k{k}", "f32", "tf32", "tf32", "f32", **more)
    for k in (32, 64):
        mma(f"m16n8k{k}", "s32", "s8", "u8", "s32", **more)
        mma(f"m16n8k{2 * k}", "s32", "s4", "u4", "s32", **more)
    mma("m16n8k64", "f32", "e4m3", "e5m2", "f32", **more)


def volta_forms():
    for rows in ("row.col", "row.row", "col.row", "col.col"):
        for d, c in (("f32", "f32"), ("f16", "f16"), ("f32", "f16")):
            add(f"mma.sync.aligned.m8n8k4.{rows}.{d}.f16.f16.{c}", 32, 8, 4,
                d, "f16", "f16", c, volta=True, trials=11)


def more_sparse_forms():
    """Other selectors, and metadata that need not be ordered."""
    for kind in ("sp::ordered_metadata", "sp"):
        for a, k, selectors in (("f16", 16, (1, 2, 3)), ("f16", 32, (0, 1)),
                                ("tf32", 8, (1, 2, 3)), ("tf32", 16, (0, 1))):
            for selector in selectors:
                if kind != "sp" and (a, k) in (("f16", 32), ("tf32", 16)):
                    if selector == 0:
                        continue
                add(f"mma.{kind}.sync.aligned.m16n8k{k}.row.col.f32.{a}.{a}"
                    f".f32 selector {selector}", 16, 8, k, "f32", a, a, "f32",
                    sparse=True, trials=4, selector=selector)
        add(f"mma.{kind}.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 "
            "selector 1", 16, 8, 32, "s32", "s8", "s8", "s32", sparse=True,
            trials=4, selector=1)


def sparse_wgmma_forms():
    for d, a, b, selectors in (("f32", "f16", "f16", (0, 1)),
                               ("f32", "bf16", "bf16", (0,)),
                               ("f32", "tf32", "tf32", (0, 1)),
                               ("f32", "e4m3", "e5m2", (0,)),
                               ("f16", "e4m3", "e4m3", (0,)),
                               ("s32", "s8", "u8", (0,))):
        k = 512 // BITS[a]
        for selector in selectors:
            add(f"wgmma.mma_async.sp.sync.aligned.m64n8k{k}.{d}.{a}.{b} "
                f"selector {selector}", 64, 8, k, d, a, b, d, wgmma=True,
                sparse=True, trials=4, selector=selector)


def wgmma_forms():
    def one(n, d, a, b, mods="", trials=len(CLASSES)):
        k = 256 // BITS[a]
        add(f"wgmma.mma_async.sync.aligned.m64n{n}k{k}{mods}.{d}.{a}.{b}",
            64, n, k, d, a, b, d, wgmma=True, trials=trials)
    for n, trials in ((64, len(CLASSES)), (8, 2 * len(CLASSES))):
        for d in ("f32", "f16"):
            one(n, d, "f16", "f16", trials=trials)
        one(n, "f32", "bf16", "bf16", trials=trials)
        one(n, "f32", "tf32", "tf32", trials=trials)
    for a in ("e4m3", "e5m2"):
        for b in ("e4m3", "e5m2"):
            for d in ("f32", "f16"):
                one(16, d, a, b, trials=2 * len(CLASSES))
    for a in ("s8", "u8"):
        for b in ("s8", "u8"):
            one(16, "s32", a, b, trials=4)
            one(16, "s32", a, b, ".satfinite", trials=4)


dense_forms()
sparse_forms()
wgmma_forms()
volta_forms()
more_sparse_forms()
sparse_wgmma_forms()


# --- operands -----------------------------------------------------------------

def metadata(form, seed):
    """2:4 patterns (1:2 for tf32) of random registers."""
    choices = np.array([0x4, 0x8, 0xC, 0x9, 0xD, 0xE] if form.a != "tf32"
                       else [0x4, 0xE], np.uint64)
    r = fragments._noise(seed, (128 if form.wgmma else 32, 8))
    nibbles = choices[(r % U(len(choices))).astype(np.int64)]
    shifts = (np.arange(8) * 4).astype(np.uint64)
    return np.bitwise_or.reduce(nibbles << shifts, axis=1).astype(np.uint32)


def lanes(matrix, bits):
    """Rows of elements, a lane each, as registers x lanes."""
    e = 32 // bits
    shifts = (np.arange(e) * bits).astype(np.uint64)
    parts = matrix.reshape(32, -1, e) << shifts
    return np.ascontiguousarray(
        np.bitwise_or.reduce(parts, axis=2).T.astype(np.uint32))


def spread(form, b, seed):
    """Four elements of B for each of 32 lanes."""
    more = [fragments.float_operands("f16", form.c, CLASSES[0], 32, 8, 4,
                                     seed + i)[1] for i in range(3)]
    return np.concatenate([b, *more], axis=1).T


def operands(form):
    """Arrays of A, B, C (and E) over the trials."""
    seed = zlib.crc32(form.name.encode())
    stored_k = form.k // 2 if form.sparse else form.k
    parts = {x: [] for x in ("A", "B", "C", "E")[:4 if form.sparse else 3]}
    for t in range(form.trials):
        s = seed + 1000 * t
        if form.a in FLOATS:
            kind = CLASSES[t % len(CLASSES)]
            a, b, c = fragments.float_operands(form.a, form.c, kind, form.m,
                                               form.n, form.k, s)
            if form.a != form.b:
                b = fragments.float_operands(form.b, form.c, kind, form.m,
                                             form.n, form.k, s)[1]
        else:
            a, b, c = fragments.integer_operands(form.a, form.b, t, form.m,
                                                 form.n, form.k, s)
        a = a[:, :stored_k]
        if form.volta:
            parts["A"].append(lanes(a, 16))
            parts["B"].append(lanes(spread(form, b, s), 16))
            parts["C"].append(lanes(c, BITS[form.c]))
        elif form.wgmma:
            parts["A"].append(fragments.core_matrices(a, form.a))
            parts["B"].append(fragments.core_matrices(
                np.ascontiguousarray(b.T), form.b))
            parts["C"].append(fragments.pack_accumulator(c, form.c))
        else:
            parts["A"].append(fragments.pack("a", a, form.a))
            parts["B"].append(fragments.pack("b", b, form.b))
            parts["C"].append(fragments.pack("c", c, form.c))
        if form.sparse:
            parts["E"].append(metadata(form, s + 5))
    return {x: np.ascontiguousarray(np.stack(v)) for x, v in parts.items()}


# --- kernels ------------------------------------------------------------------

def registers(prefix, count):
    return "{" + ", ".join(f"{prefix}{i}" for i in range(count)) + "}"


def result_shape(form, arrays):
    trials, count, threads = arrays["C"].shape
    return trials, count * BITS[form.d] // BITS[form.c], threads


def mma_kernel(form, arrays):
    wide = form.a == "f64"
    ty, size = ("b64", 8) if wide else ("b32", 4)
    counts = {x: v.shape[1] for x, v in arrays.items() if x != "E"}
    d_count = result_shape(form, arrays)[1]
    text = [f".reg .{ty} {p}<{n}>;" for p, n in
            (("a", counts["A"]), ("b", counts["B"]), ("c", counts["C"]),
             ("d", d_count))]
    text += [".reg .b64 r0, r1;", ".reg .b32 t0, t1, meta;",
             "mov.u32 t0, %ctaid.x;", "mov.u32 t1, %tid.x;"]

    def base(param, count, width):
        return [f"ld.param.u64 r0, [q{param}];",
                f"mad.wide.u32 r0, t0, {count * 32 * width}, r0;",
                f"mad.wide.u32 r0, t1, {width}, r0;"]
    for i, x in enumerate("ABC"):
        text += base(i, counts[x], size)
        text += [f"ld.global.{ty} {x.lower()}{r}, [r0+{32 * size * r}];"
                 for r in range(counts[x])]
    extra = ""
    if form.sparse:
        text += base(3, 1, 4) + ["ld.global.b32 meta, [r0];"]
        extra = f", meta, {form.selector:#x}"
    opcode = form.name.split()[0]
    text.append(f"{opcode} {registers('d', d_count)}, "
                f"{registers('a', counts['A'])}, "
                f"{registers('b', counts['B'])}, "
                f"{registers('c', counts['C'])}{extra};")
    text += base(len(arrays), d_count, size)
    text += [f"st.global.{ty} [r0+{32 * size * r}], d{r};"
             for r in range(d_count)]
    return text


def wgmma_kernel(form, arrays):
    a_bytes, b_bytes = arrays["A"].shape[1], arrays["B"].shape[1]
    count = arrays["C"].shape[1]
    text = [f".reg .b32 d<{count}>;", ".reg .b64 r0, da, db;",
            ".reg .b32 t0, t1, t2, t3, t4;", ".reg .pred p0, p1;",
            f".shared .align 1024 .b8 sa[{a_bytes}];",
            f".shared .align 1024 .b8 sb[{b_bytes}];",
            "mov.u32 t0, %ctaid.x;", "mov.u32 t1, %tid.x;"]
    for i, (name, size) in enumerate((("sa", a_bytes), ("sb", b_bytes))):
        text += [f"ld.param.u64 r0, [q{i}];",
                 f"mad.wide.u32 r0, t0, {size}, r0;",
                 "mad.wide.u32 r0, t1, 4, r0;", f"mov.u32 t2, {name};",
                 "mad.lo.u32 t2, t1, 4, t2;"]
        for at in range(0, size, 512):
            guard = ""
            if size - at < 512:
                text.append(f"setp.lt.u32 p1, t1, {(size - at) // 4};")
                guard = "@p1 "
            text += [f"{guard}ld.global.b32 t3, [r0+{at}];",
                     f"{guard}st.shared.b32 [t2+{at}], t3;"]
    text += ["fence.proxy.async;", "bar.sync 0;"]
    row = form.k * BITS[form.a] // 8  # bytes
    for name, register, size in (
            ("sa", "da", row // 2 if form.sparse else row), ("sb", "db", row)):
        # K-major, no swizzle: 128 bytes along k, then the next 8 rows.
        text += [f"mov.u32 t2, {name};", "shr.u32 t2, t2, 4;",
                 "and.b32 t2, t2, 0x3fff;", "or.b32 t2, t2, 0x80000;",
                 f"mov.u32 t4, {size // 2};",
                 f"mov.b64 {register}, {{t2, t4}};"]
    sparse = ""
    if form.sparse:
        text += ["ld.param.u64 r0, [q3];", "mad.wide.u32 r0, t0, 512, r0;",
                 "mad.wide.u32 r0, t1, 4, r0;", ".reg .b32 meta;",
                 "ld.global.b32 meta, [r0];"]
        sparse = f", meta, {form.selector}"
    text += ["ld.param.u64 r0, [q2];",
             f"mad.wide.u32 r0, t0, {count * 512}, r0;",
             "mad.wide.u32 r0, t1, 4, r0;"]
    text += [f"ld.global.b32 d{i}, [r0+{512 * i}];" for i in range(count)]
    immediates = ""
    if form.a in FLOATS:
        immediates = ", 1, 1" + (", 0, 0" if BITS[form.a] == 16 else "")
    text += ["setp.eq.u32 p0, 0, 0;", "wgmma.fence.sync.aligned;",
             f"{form.name.split()[0]} {registers('d', count)}, da, db{sparse},"
             f" p0{immediates};",
             "wgmma.commit_group.sync.aligned;",
             "wgmma.wait_group.sync.aligned 0;",
             f"ld.param.u64 r0, [q{len(arrays)}];",
             f"mad.wide.u32 r0, t0, {count * 512}, r0;",
             "mad.wide.u32 r0, t1, 4, r0;"]
    text += [f"st.global.b32 [r0+{512 * i}], d{i};" for i in range(count)]
    return text


def module(form, arrays):
    body = (wgmma_kernel if form.wgmma else mma_kernel)(form, arrays)
    params = ", ".join(f".param .u64 q{i}" for i in range(len(arrays) + 1))
    text = "\n".join(body)
    return f"{HEADER}.visible .entry k({params})\n{{\n{text}\nret;\n}}\n"


def assemble(ptxas, forms):
    for form in forms:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "k.ptx")
            with open(path, "w") as f:
                f.write(module(form, operands(form)))
            run = subprocess.run(
                [ptxas, "-arch=sm_90a", "-O0", "-o", os.path.join(folder, "o"),
                 path], capture_output=True, text=True)
            if run.returncode or run.stderr:
                print(form.name, run.stderr.splitlines()[:1])


def execute(driver, form, arrays):
    loaded = driver.load(module(form, arrays))
    function = driver.function(loaded, "k")
    addresses = [driver.upload(v) for v in arrays.values()]
    result = np.zeros(result_shape(form, arrays), arrays["C"].dtype)
    addresses.append(driver.upload(result))
    driver.launch(function, (form.trials, 1, 1),
                  (128 if form.wgmma else 32, 1, 1),
                  [C.c_uint64(x) for x in addresses])
    driver.read(addresses[-1], result)
    for x in addresses:
        driver.free(x)
    driver.unload(loaded)
    return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--filter", default="")
    parser.add_argument("--assemble", action="store_true",
                        help="OUT is ptxas: print what it refuses")
    options = parser.parse_args()
    forms = [f for n, f in FORMS.items() if re.search(options.filter, n)]
    if options.assemble:
        assemble(options.out, forms)
        return
    from driver import CudaError, Driver
    driver = Driver()
    device = driver.describe()
    results, failed = {"device": np.array(device)}, []
    for form in forms:
        arrays = operands(form)
        try:
            arrays["D"] = execute(driver, form, arrays)
            for x, v in arrays.items():
                results[f"{form.name}|{x}"] = v
        except CudaError as e:
            failed.append(f"{form.name} {e} {e.text.strip()[:300]}")
            results[f"{form.name}|error"] = np.array(failed[-1])
            if e.code not in (1, 218, 500, 801):
                driver.reset()
    np.savez_compressed(options.out, **results)
    print(f"{device}: {len(forms)} forms, {len(failed)} failed, "
          f"{os.path.getsize(options.out) / 1e6:.1f} MB")
    for line in failed:
        print("  " + line)


if __name__ == "__main__":
    main()
