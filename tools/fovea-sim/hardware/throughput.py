#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What instructions cost on a GPU: cycles of a multiprocessor, by its clock.

    throughput.py OUT.json [--filter REGEX] [--rounds N] [--once]
    throughput.py --sectors
    throughput.py --sass [--filter REGEX]    what ptxas makes of each loop

A block of 1024 threads fills one multiprocessor and repeats one PTX statement
on independent registers; the cycles from the first warp's start to the last
one's end, over the warp instructions, are what one of them costs there. The
patterns of shared memory that follow do the same for one load whose 32
addresses come from a table, so that the cycles are its wavefronts. Under
ncu (docs/counts.md) the same launches tell pipes and sectors.
"""
import argparse
import ctypes as C
import json
import os
import re
import shutil
import subprocess
import tempfile

from patterns import run_pattern, run_sectors
from rates import kernels


def run_rate(driver, np, text, threads, count, rounds, step):
    module = driver.load(text)
    out = driver.alloc(32 * 16)
    # Lanes side by side: no conflicts.
    table = driver.upload(np.arange(32, dtype=np.int32) * step)
    shared = 64 * 1024
    driver.launch(driver.function(module, "k"), (1, 1, 1), (threads, 1, 1),
                  [C.c_uint64(out), C.c_uint32(rounds), C.c_uint64(table)],
                  shared=shared)
    warps = threads // 32
    clocks = driver.read(out, np.zeros((32, 2), np.uint64))[:warps]
    cycles = int(clocks[:, 1].max() - clocks[:, 0].min())
    driver.unload(module)
    driver.free(table)
    return cycles / (warps * count * rounds)


def step_of(name):
    return 16 if "matrix" in name or "v4" in name else 8 if "v2" in name else 4


def find_tool(name):
    found = os.environ.get("FOVEA_" + name.upper()) or shutil.which(name) or \
        "/usr/local/cuda/bin/" + name
    return found if os.access(found, os.X_OK) else None


def loop_of(text):
    """Opcodes between the two readings of the clock, by ptxas for sm_90a."""
    with tempfile.TemporaryDirectory() as folder:
        ptx, cubin = folder + "/k.ptx", folder + "/k.cubin"
        open(ptx, "w").write(text)
        subprocess.run([find_tool("ptxas"), "-arch=sm_90a", ptx, "-o", cubin],
                       check=True)
        sass = subprocess.run([find_tool("nvdisasm"), "-c", cubin], check=True,
                              capture_output=True, text=True).stdout
    opcodes, on, counts = [], 0, {}
    for line in sass.splitlines():
        found = re.match(r"\s*/\*[0-9a-f]+\*/\s+(?:@!?U?P\w+ )?([A-Z][\w.]*)"
                         r"(.*)", line)
        if not found:
            continue
        if "SR_CLOCK" in line or "CS2R" in line and "CLOCK" in line:
            on += 1
            continue
        if on == 1:
            counts[found.group(1)] = counts.get(found.group(1), 0) + 1
    return counts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", nargs="?")
    parser.add_argument("--filter", default="")
    parser.add_argument("--rounds", type=int, default=32)
    parser.add_argument("--sass", action="store_true")
    parser.add_argument("--once", action="store_true",
                        help="only launch each kernel, for ncu")
    parser.add_argument("--sectors", action="store_true",
                        help="only launch patterns of global memory, for ncu")
    options = parser.parse_args()
    chosen = {n: k for n, k in kernels().items() if re.search(options.filter, n)}
    if options.sass:
        for name, (text, _, count) in chosen.items():
            print(name, count, loop_of(text))
        return
    import numpy as np
    from driver import CudaError, Driver
    driver = Driver()
    if options.sectors:
        return run_sectors(driver, np)
    result = {"device": driver.describe(), "rates": {}, "shared": {}}
    for name, (text, threads, count) in chosen.items():
        try:
            if not options.once:  # the first launch is cold
                run_rate(driver, np, text, threads, count, 1, step_of(name))
            result["rates"][name] = round(run_rate(
                driver, np, text, threads, count, options.rounds,
                step_of(name)), 4)
        except CudaError as error:
            result["rates"][name] = f"{error.code}: {error.text.strip()[:200]}"
            driver.reset()
    if not options.once:
        for size in (4, 8, 16):
            for store in (0, 1):
                key = f"{'st' if store else 'ld'} {size}"
                result["shared"][key] = run_pattern(driver, np, size, store,
                                                    options.rounds)
    driver.close()
    with open(options.out, "w") as file:
        json.dump(result, file, indent=0)
    print(result["device"], len(result["rates"]), "rates")


if __name__ == "__main__":
    main()
