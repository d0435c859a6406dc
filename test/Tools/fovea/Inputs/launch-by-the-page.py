# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# launch-by-the-page.py BUNDLE Q.npy K.npy V.npy O.npy NAME=VALUE...
# Launches a host bundle with its manifest and docs/bundle.md, and nothing of
# Fovea: a stranger's program. f32 arrays, int params; writes O.npy as Q is.
import ast
import ctypes
import json
import re
import struct
import sys


def load(path):
    data = open(path, "rb").read()
    (length,) = struct.unpack("<H", data[8:10])
    shape = ast.literal_eval(data[10 : 10 + length].decode())["shape"]
    return data[: 10 + length], shape, bytearray(data[10 + length :])


bundle, q_path, k_path, v_path, o_path, *given = sys.argv[1:]
manifest = json.load(open(f"{bundle}/manifest.json"))
assert manifest["format"] == "fovea-bundle" and manifest["version"] == 1
assert manifest["target"] == "host" and manifest["type"] == "f32"
header, q_shape, q = load(q_path)
_, k_shape, k = load(k_path)
_, v_shape, v = load(v_path)
o_shape = (*q_shape[:3], manifest["dims"]["v"])
assert o_shape == q_shape and q_shape[1] == manifest["heads"]["q"]
o = bytearray(len(q))

values = {"lse": 0, "nq": q_shape[2], "nk": k_shape[2]}
for name, shape, array in [("q", q_shape, q), ("k", k_shape, k),
                           ("v", v_shape, v), ("o", o_shape, o)]:
    _, heads, rows, dim = shape
    values[name] = ctypes.addressof(ctypes.c_char.from_buffer(array))
    values[f"{name}_stride_b"] = heads * rows * dim
    values[f"{name}_stride_h"] = rows * dim
    values[f"{name}_stride_n"] = dim
params = {p["name"]: p.get("default") for p in manifest["params"]}
params.update((name, int(value)) for name, value in (g.split("=") for g in given))

slots = [ctypes.c_int64(params[p["name"]] if p["value"] == "param" else values[p["value"]])
         for p in manifest["parameters"]]
pointers = (ctypes.c_void_p * len(slots))(*[ctypes.addressof(s) for s in slots])

entry = manifest["entries"][-1]  # the last asks for no alignment but the type's
names = {"nq": q_shape[2], "nk": k_shape[2], "batch": q_shape[0],
         "heads_q": q_shape[1], "heads_kv": k_shape[1]}
# The page's grammar is Python's, but for ceil(a / b) and /, which rounds down.
grid = [eval(re.sub(r"ceil\((.*?) / (.*?)\)", r"-(-(\1) // (\2))", formula), {}, names)
        for formula in entry["grid"]]
scratch = ctypes.create_string_buffer(entry["scratch_bytes"] + 64)
aligned = (ctypes.addressof(scratch) + 63) // 64 * 64

(file,) = [f["name"] for f in manifest["files"] if f["kind"] == "shared_object"]
function = getattr(ctypes.CDLL(f"{bundle}/{file}"), entry["name"])
function.restype = None
for x in reversed(range(grid[0])):
    for y in range(grid[1]):
        for z in range(grid[2]):
            function(pointers, (ctypes.c_int32 * 3)(x, y, z), ctypes.c_void_p(aligned))
open(o_path, "wb").write(header + o)
