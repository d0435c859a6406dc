# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# make-inputs.py FOLDER: the inputs of errors.test that a text file cannot hold.
import struct
import sys


def write(name, data):
    open(f"{sys.argv[1]}/{name}", "wb").write(data)


def npy(shape, descr="<f4", size=4):
    count = 1
    for extent in shape:
        count *= extent
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n"
    return (b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
            + bytes(count * size))


write("empty.attn", b"")
write("deep.attn", b"pattern deep { heads 2 dim 8 type f32 mask " + b"(" * 100000)
write("utf8.attn", b"pattern p { heads 2 \xff }")
write("q.npy", npy((1, 2, 5, 8)))
write("k.npy", npy((1, 1, 7, 8)))
write("cut.npy", npy((1, 2, 5, 8))[:-1])
write("nothing.npy", b"")
write("flat.npy", npy((80,)))
write("half.npy", npy((1, 2, 5, 8), "<f2", 2))
