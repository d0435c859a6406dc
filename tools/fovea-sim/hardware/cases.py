#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the kernels of a corpus (docs/simulator.md, launch.json) by the driver.

    cases.py FOLDER OUT.npz [--repeat N] [--filter REGEX]

Compares each output with the expected one and keeps the raw outputs. Cases
with a planted defect are left out.
"""
import argparse
import ctypes as C
import json
import os
import re

import numpy as np

from driver import CudaError, Driver


def widen(array, dtype):
    if dtype == "bf16":
        return (array.view(np.uint16).astype(np.uint32) << 16).view(
            np.float32).astype(np.float64)
    return array.astype(np.float64) if array.dtype.kind == "f" else array


class Case:
    def __init__(self, folder):
        self.folder = folder
        with open(os.path.join(folder, "launch.json")) as f:
            self.launch = json.load(f)
        self.outputs = self.launch.get("outputs", {})

    def initial(self, name):
        """The bytes of a buffer before the launch."""
        array = np.load(os.path.join(self.folder, name))
        if name in self.outputs:
            init = self.outputs[name].get("init")
            if init:
                return np.load(os.path.join(self.folder, init))
            return np.zeros_like(array)
        return np.ascontiguousarray(array)

    def run(self, driver):
        """Name of each output to its array after the launch."""
        with open(os.path.join(self.folder, "kernel.ptx")) as f:
            module = driver.load(f.read())
        function = driver.function(module, self.launch["entry"])
        buffers, args, keep = {}, [], []

        def buffer(name):
            if name not in buffers:
                array = self.initial(name)
                buffers[name] = (driver.upload(array), array)
            return buffers[name][0]
        for arg in self.launch["args"]:
            if "buffer" in arg:
                args.append(C.c_uint64(buffer(arg["buffer"])))
            elif "null" in arg:
                args.append(C.c_uint64(0))
            elif "tensor_map" in arg:
                t = arg["tensor_map"]
                args.append(driver.tensor_map(
                    buffer(t["buffer"]), t["dtype"], t["dims"],
                    t["strides_bytes"], t["box"], t["element_strides"],
                    t["swizzle"]))
            else:
                ty, value = next(iter(arg.items()))
                args.append({"i32": C.c_int32, "i64": C.c_int64,
                             "f32": C.c_float}[ty](value))
        keep.append(args)
        driver.launch(function, self.launch["grid"], self.launch["block"],
                      args, self.launch.get("dynamic_shared_bytes", 0),
                      self.launch.get("cluster"))
        got = {}
        for name, (address, array) in buffers.items():
            after = driver.read(address, np.empty_like(array))
            if name in self.outputs:
                got[name] = after
            driver.free(address)
        driver.unload(module)
        return got

    def dtype(self, name):
        for arg in self.launch["args"]:
            t = arg.get("tensor_map", arg)
            if t.get("buffer") == name:
                return t.get("buffer_dtype", t["dtype"])
        return None

    def judge(self, got):
        """A line for each output that is not as expected, and the worst."""
        problems, worst = [], 0.0
        for name, limits in self.outputs.items():
            dtype = self.dtype(name)
            want = widen(np.load(os.path.join(self.folder, name)), dtype)
            have = widen(got[name], dtype)
            if want.dtype.kind != "f":
                bad = want != have
            else:
                with np.errstate(invalid="ignore"):
                    error = np.abs(have - want)
                    limit = limits["atol"] + limits["rtol"] * np.abs(want)
                    same = (have == want) | (np.isnan(have) & np.isnan(want))
                    bad = ~(same | (error <= limit))
                    worst = max(worst, float(np.max(
                        np.where(same, 0, error), initial=0)))
            if bad.any():
                at = np.flatnonzero(bad.ravel())
                problems.append(
                    f"{name}: {len(at)} of {bad.size} differ, first at "
                    f"{at[0]}: {have.ravel()[at[0]]} for "
                    f"{want.ravel()[at[0]]}")
        return problems, worst


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("out")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--filter", default="")
    options = parser.parse_args()
    driver = Driver()
    print(driver.describe())
    results, right, total = {"device": np.array(driver.describe())}, 0, 0
    for name in sorted(os.listdir(options.folder)):
        folder = os.path.join(options.folder, name)
        if not re.search(options.filter, name) or not os.path.exists(
                os.path.join(folder, "launch.json")):
            continue
        case = Case(folder)
        if case.launch.get("expect", "ok") != "ok":
            continue
        total += 1
        problems, worst, same = [], 0.0, True
        first = None
        try:
            for _ in range(options.repeat):
                got = case.run(driver)
                problems, worst = case.judge(got)
                if first is None:
                    first = got
                same &= all(got[k].tobytes() == first[k].tobytes()
                            for k in got)
                if problems:
                    break
            for k, v in got.items():
                results[f"{name}|{k}"] = v
        except CudaError as e:
            problems = [f"{e} {e.text}"[:600]]
            driver.reset()
        right += not problems
        print(f"{name:24} {'ok' if not problems else 'WRONG':6} "
              f"error {worst:.3g}{'' if same else ', runs differ'}")
        for line in problems:
            print("    " + line)
    np.savez_compressed(options.out, **results)
    print(f"{right} of {total} right, {options.repeat} runs each")


if __name__ == "__main__":
    main()
