#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Executes every form of forms.py once and keeps the raw bits of the results.

    probe.py OUT.npz [--filter REGEX] [--groups LIST] [--jobs N]
    probe.py --assemble PTXAS      lists the forms that ptxas refuses

OUT.npz holds an array `FORM|i` for each result, `FORM|error` where a form did
not load or run, and `device`. Inputs follow from the form's name.
"""
import argparse
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile

import numpy as np

import inputs
from forms import FORMS

BLOCK, GROUP, SCRATCH = 256, 24, 32
MOVE = {16: "b16", 32: "b32", 64: "b64", 1: "b32"}


def kernel(form, index):
    """One thread a row: load, execute, store."""
    params = [f".param .u64 q{i}"
              for i in range(len(form.ins) + len(form.outs) + 1)]
    decl = [".reg .b64 r0, r1, gp;", ".reg .b32 t0, t1, t2, sh;",
            ".reg .pred p0, p1;"]
    head = ["mov.u32 t0, %ctaid.x;", "mov.u32 t1, %ntid.x;",
            "mov.u32 t2, %tid.x;", "mad.lo.u32 t0, t0, t1, t2;"]
    tail = []

    def address(register, param, size):
        return [f"ld.param.u64 r0, [q{param}];",
                f"mad.wide.u32 {register}, t0, {size}, r0;"]
    for i, kind in enumerate(form.ins):
        width = inputs.WIDTH[kind]
        head += address("r1", i, max(width // 8, 1) if width > 1 else 4)
        if width == 1:
            decl.append(f".reg .pred a{i};")
            head += ["ld.global.b32 t1, [r1];",
                     f"setp.ne.u32 a{i}, t1, 0;"]
        else:
            decl.append(f".reg .{MOVE[width]} a{i};")
            head.append(f"ld.global.{MOVE[width]} a{i}, [r1];")
    for i, kind in enumerate(form.outs):
        width = inputs.WIDTH[kind]
        tail += address("r1", len(form.ins) + i,
                        width // 8 if width > 1 else 4)
        if width == 1:
            decl.append(f".reg .pred d{i};")
            tail += [f"selp.b32 t1, 1, 0, d{i};", "st.global.b32 [r1], t1;"]
        else:
            decl.append(f".reg .{MOVE[width]} d{i};")
            tail.append(f"st.global.{MOVE[width]} [r1], d{i};")
    if re.search(r"\bgp\b", form.text):
        head += address("gp", len(form.ins) + len(form.outs), SCRATCH)
    if re.search(r"\bsh\b", form.text):
        decl.append(f".shared .align 16 .b8 smem[{BLOCK * 16}];")
        head += ["mov.u32 sh, smem;", "mad.lo.u32 sh, t2, 16, sh;"]
    body = "\n".join(decl + [form.decl] + head + [form.text] + tail)
    return (f".visible .entry k{index}({', '.join(params)})\n"
            f"{{\n{body}\nret;\n}}\n")


HEADER = ".version 9.0\n.target sm_90a\n.address_size 64\n"


def module(forms):
    return HEADER + "".join(kernel(f, i) for i, f in enumerate(forms))


def assemble(ptxas, forms):
    """Names of the forms that ptxas refuses, with its first message."""
    bad = {}

    def check(group):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "k.ptx")
            text = module(group)
            with open(path, "w") as f:
                f.write(text)
            run = subprocess.run(
                [ptxas, "-arch=sm_90a", "-O0", "-o", os.path.join(folder, "o"),
                 path], capture_output=True, text=True)
        if run.returncode == 0:
            return
        if len(group) == 1:
            bad[group[0].name] = (run.stderr or "?").strip().splitlines()[0]
            return
        # Errors carry lines; the rest may hide others.
        starts = [n for n, line in enumerate(text.splitlines(), 1)
                  if line.startswith(".visible")]
        lines = [int(x) for x in re.findall(r"line (\d+)", run.stderr)]
        hit = {max(i for i, s in enumerate(starts) if s <= n)
               for n in lines if n >= starts[0]}
        if not hit:
            check(group[: len(group) // 2])
            check(group[len(group) // 2:])
            return
        for i in hit:
            bad[group[i].name] = run.stderr.strip().splitlines()[0]
        rest = [f for i, f in enumerate(group) if i not in hit]
        if rest:
            check(rest)
    for i in range(0, len(forms), 200):
        check(forms[i:i + 200])
    return bad


class Runner:
    def __init__(self):
        from driver import CudaError, Driver
        self.error = CudaError
        self.driver = Driver()
        self.results = {}
        self._buffers()

    def _buffers(self):
        self.buffers = [self.driver.alloc(65536 * 8) for _ in range(13)]
        self.scratch = self.driver.alloc(65536 * SCRATCH)

    def run(self, group):
        """Loads a group in one module, halved until what fails is alone."""
        try:
            loaded = self.driver.load(module(group))
        except self.error as e:
            if len(group) == 1:
                self.fail(group[0], "load", e)
                return
            self.run(group[: len(group) // 2])
            self.run(group[len(group) // 2:])
            return
        for i, form in enumerate(group):
            try:
                self.execute(loaded, f"k{i}", form)
            except self.error as e:
                self.fail(form, "run", e)
                if e.code in (1, 218, 500, 801):  # nothing was launched
                    continue
                self.driver.reset()
                self._buffers()
                if group[i + 1:]:
                    self.run(group[i + 1:])
                return
        self.driver.unload(loaded)

    def fail(self, form, stage, error):
        text = f"{stage} {error.code}: {error.text.strip()[:400]}"
        self.results[f"{form.name}|error"] = np.array(text)

    def execute(self, loaded, name, form):
        from ctypes import c_uint64
        function = self.driver.function(loaded, name)
        columns = inputs.operands(form.name, form.ins, form.rows)
        rows = len(columns[0])
        args = []
        for kind, column, at in zip(form.ins, columns, self.buffers):
            self.driver.write(at, inputs.narrow(kind, column))
            args.append(c_uint64(at))
        outs = self.buffers[len(form.ins):]
        args += [c_uint64(at) for at in outs[: len(form.outs)]]
        self.driver.launch(function, (rows // BLOCK, 1, 1), (BLOCK, 1, 1),
                           args + [c_uint64(self.scratch)])
        for i, (kind, at) in enumerate(zip(form.outs, outs)):
            array = inputs.narrow(kind, np.zeros(rows, np.uint64))
            self.results[f"{form.name}|{i}"] = self.driver.read(at, array)


def work(names):
    runner = Runner()
    for i in range(0, len(names), GROUP):
        runner.run([FORMS[n] for n in names[i:i + GROUP]])
    device = runner.driver.describe()
    runner.driver.close()
    return runner.results, device


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--filter", default="")
    parser.add_argument("--groups", default="",
                        help="of forms.py, separated by commas")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--assemble", action="store_true",
                        help="OUT is ptxas: print what it refuses")
    options = parser.parse_args()
    groups = options.groups.split(",") if options.groups else []
    forms = [f for n, f in FORMS.items() if re.search(options.filter, n)
             and (not groups or f.group in groups)]
    if options.assemble:
        for name, message in assemble(options.out, forms).items():
            print(name, "#", message, file=sys.stderr)
            print(name)
        return
    names = [f.name for f in forms]
    shares = [names[i::options.jobs] for i in range(options.jobs)]
    shares = [s for s in shares if s]
    if len(shares) > 1:
        with multiprocessing.get_context("spawn").Pool(len(shares)) as pool:
            parts = pool.map(work, shares)
    else:
        parts = [work(s) for s in shares]
    results = {}
    for part, device in parts:
        results.update(part)
    np.savez_compressed(options.out, device=np.array(device), **results)
    errors = [n for n in results if n.endswith("|error")]
    print(f"{device}: {len(names)} forms, {len(errors)} failed, "
          f"{os.path.getsize(options.out) / 1e6:.1f} MB")
    for n in errors[:400]:
        print(" ", n[:-6], results[n])


if __name__ == "__main__":
    main()
