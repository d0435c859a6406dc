# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# compare.py A.npy B.npy BOUND: two f32 arrays of one shape, by their largest
# difference. Reads version 1.0 by itself: NumPy may be missing.
import array
import ast
import math
import struct
import sys


def load(path):
    data = open(path, "rb").read()
    (length,) = struct.unpack("<H", data[8:10])
    header = ast.literal_eval(data[10 : 10 + length].decode())
    assert header["descr"] == "<f4" and not header["fortran_order"], header
    return header["shape"], array.array("f", data[10 + length :])


(shape_a, a), (shape_b, b) = load(sys.argv[1]), load(sys.argv[2])
if shape_a != shape_b or len(a) != math.prod(shape_a):
    sys.exit(f"shapes {shape_a} and {shape_b}, {len(a)} elements")
worst = max(abs(x - y) for x, y in zip(a, b))
print(f"{shape_a}: largest difference {worst:.3g}")
if not worst <= float(sys.argv[3]):
    sys.exit(1)
