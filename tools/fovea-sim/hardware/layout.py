#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where tensor copies and wgmma find elements, and bulk reductions.

    layout.py OUT.npz [--filter REGEX] [--jobs N]
    layout.py --compare A.npz B.npz
"""
import argparse
import re

import numpy as np

import descriptors
import isolate
import tensors

CASES = {**tensors.TENSORS, **tensors.BULK, **descriptors.PRODUCTS}


def run(driver, name):
    for module in (tensors, descriptors):
        if name in module.CASES:
            return module.run(driver, name)
    raise KeyError(name)


def compare(paths):
    a, b = (np.load(p) for p in paths)
    print(a["device"], "and", b["device"])
    same = different = 0
    for name in dict.fromkeys([*a, *b]):
        if name == "device":
            continue
        if name.endswith("|error") or name not in a or name not in b:
            if name.endswith("|error") or f"{name}|error" not in {*a, *b}:
                print(f"{name}: A {a.get(name, 'ran')}, B {b.get(name, 'ran')}"
                      [:300])
                different += 1
        elif a[name].shape != b[name].shape:
            print(f"{name}: sizes {a[name].shape} and {b[name].shape}")
            different += 1
        elif a[name].tobytes() == b[name].tobytes():
            same += 1
        else:
            different += 1
            at = np.flatnonzero(a[name].ravel() != b[name].ravel())
            print(f"{name}: {len(at)} of {a[name].size} differ, at "
                  f"{at[:8].tolist()}: {a[name].ravel()[at[:8]].tolist()} "
                  f"and {b[name].ravel()[at[:8]].tolist()}")
    print(f"{same} agree, {different} differ")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", nargs="+")
    parser.add_argument("--filter", default="")
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--compare", action="store_true")
    options = parser.parse_args()
    if options.compare:
        return compare(options.out)
    names = [n for n in CASES if re.search(options.filter, n)]
    results = isolate.run_all(run, names, options.jobs)
    device = str(results.pop("device", "no device"))
    failed = {n: r for n, r in results.items() if isinstance(r, str)}
    arrays = {n: r for n, r in results.items() if n not in failed}
    arrays.update({f"{n}|error": np.array(r) for n, r in failed.items()})
    np.savez_compressed(options.out[0], device=np.array(device), **arrays)
    print(f"{device}: {len(names)} cases, {len(failed)} failed")
    for name, text in sorted(failed.items()):
        print(f"  {name}: {text[:200]}")


if __name__ == "__main__":
    main()
