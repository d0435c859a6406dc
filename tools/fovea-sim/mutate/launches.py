# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Mutants of a launch: its allocations, each a little shorter.

A copy of the launch file goes to a folder of its own, with links to the arrays
that stay.
"""
import json
import os
import re
import struct

SHARED_BYTES = 16


def _shorten_npy(source, target):
    """Copies a .npy file as one dimension without its last element."""
    with open(source, "rb") as file:
        data = file.read()
    wide = data[6] > 1
    length, = struct.unpack_from("<I" if wide else "<H", data, 8)
    start = (12 if wide else 10) + length
    descr = re.search(rb"'descr':\s*'([^']*)'", data[:start]).group(1).decode()
    size = int(re.search(r"\d+$", descr).group())
    count = max((len(data) - start) // size - 1, 0)
    header = (f"{{'descr': '{descr}', 'fortran_order': False, "
              f"'shape': ({count},), }}").encode()
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    with open(target, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)))
        file.write(header + data[start:start + count * size])


def _buffers(launch):
    for argument in launch["args"]:
        if "buffer" in argument:
            yield argument["buffer"]
        elif "tensor_map" in argument:
            yield argument["tensor_map"]["buffer"]


def _write(path, at, launch, short):
    """A launch file below `at`; of the arrays in `short` shorter copies."""
    home = os.path.dirname(os.path.abspath(path))
    os.makedirs(at)
    for name in os.listdir(home):
        if name.endswith(".npy"):
            make = _shorten_npy if name in short else os.symlink
            make(os.path.join(home, name), os.path.join(at, name))
    with open(os.path.join(at, "launch.json"), "w") as file:
        json.dump(launch, file)
    return os.path.join(at, "launch.json")


def _mutants(path, folder):
    with open(path) as file:
        launch = json.load(file)
    for name in sorted(set(_buffers(launch))):
        initial = launch["outputs"].get(name, {}).get("init")
        yield f"{name} by one element", _write(
            path, os.path.join(folder, name), launch, {name, initial})
    if launch.get("dynamic_shared_bytes"):
        launch["dynamic_shared_bytes"] -= SHARED_BYTES
        yield f"dynamic shared memory by {SHARED_BYTES} bytes", _write(
            path, os.path.join(folder, "shared"), launch, {})


def shortened(paths, folder):
    """What is shortened, and the launch files of it, one for each of `paths`
    that has it."""
    mutants = {}
    for i, path in enumerate(paths):
        for what, written in _mutants(path, os.path.join(folder, str(i))):
            mutants.setdefault(what, []).append(written)
    return mutants.items()
