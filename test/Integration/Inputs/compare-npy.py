# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""compare-npy.py FOUND EXPECTED BOUND: fails unless two f32 arrays in NumPy's
format have one shape and differ by at most BOUND. Needs no NumPy."""
import array
import ast
import struct
import sys


def read(path):
    data = open(path, "rb").read()
    end = 10 + struct.unpack("<H", data[8:10])[0]
    header = ast.literal_eval(data[10:end].decode())
    assert header["descr"] == "<f4" and not header["fortran_order"], header
    return header["shape"], array.array("f", data[end:])


found, expected = read(sys.argv[1]), read(sys.argv[2])
if found[0] != expected[0]:
    sys.exit(f"shapes differ: {found[0]} and {expected[0]}")
# NaN must not pass, so the comparison is written this way round.
worst = max((abs(x - y) for x, y in zip(found[1], expected[1])), default=0.0)
if not all(abs(x - y) <= float(sys.argv[3]) for x, y in zip(found[1], expected[1])):
    sys.exit(f"largest difference {worst:.3g}, expected at most {sys.argv[3]}")
print(f"largest difference {worst:.3g}")
