#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where tensor copies and wgmma find elements: swizzles, strides, edges.

    layout.py OUT.npz [--filter REGEX]
    layout.py --compare A.npz B.npz

A tensor copy's result is the whole of shared memory (or of the tensor), a
wgmma's the accumulators of products of small integers, exact in any order.
"""
import argparse
import ctypes as C
import itertools
import re

import numpy as np

from inputs import noise

HEADER = ".version 9.0\n.target sm_90a\n.address_size 64\n"
SIZE = 32768  # of shared memory


def data(seed, count, dtype):
    return noise(seed, count).astype(np.uint64).view(np.uint8)[
        :count * np.dtype(dtype).itemsize].copy().view(dtype)


# --- tensor copies ------------------------------------------------------------

TENSORS = {}


def tensor(name, dtype, dims, box, at, swizzle="none", steps=None, pad=0,
           op="load"):
    """pad: bytes between rows beyond the dense ones."""
    TENSORS[f"tensor {op} {name}"] = dict(
        dtype=dtype, dims=dims, box=box, at=at, swizzle=swizzle,
        steps=steps or [1] * len(dims), pad=pad, op=op)


def tensor_cases():
    spans = {"32B": 32, "64B": 64, "128B": 128}
    for swizzle, span in spans.items():
        for dtype, size in (("u8", 1), ("f16", 2), ("f32", 4), ("f64", 8)):
            w = span // size
            tensor(f"{dtype} {swizzle}", dtype, [w * 2, 40], [w, 24], [w, 3],
                   swizzle)
        tensor(f"f16 {swizzle} half", "f16", [64, 40], [span // 4, 24],
               [8, 0], swizzle)
        tensor(f"f16 {swizzle} edges", "f16", [40, 20], [span // 2, 16],
               [-5, 9], swizzle)
        tensor(f"f16 {swizzle} 3d", "f16", [span // 2 + 8, 9, 5],
               [span // 2, 6, 4], [8, -2, 3], swizzle)
    for rank in range(1, 6):
        tensor(f"u16 {rank}d", "u16", [24, 7, 5, 4, 3][:rank],
               [16, 4, 3, 2, 2][:rank], [3, 1, 3, -1, 2][:rank])
    for dtype in ("u8", "u16", "i32", "u64", "f32", "bf16", "f64"):
        tensor(f"{dtype} edges", dtype, [48, 10], [16, 8], [-3, 5])
    tensor("f16 pad", "f16", [40, 12], [32, 8], [4, 2], pad=48)
    for steps in ([1, 2], [2, 1], [2, 3]):
        tensor(f"f32 steps {steps}", "f32", [64, 30], [16, 12], [5, 4],
               steps=steps)
    tensor("f32 far", "f32", [16, 16], [16, 8], [100, -100])
    for op in ("store", "add", "min", "max", "and", "or", "xor", "inc",
               "dec"):
        tensor("u32 edges", "u32", [24, 12], [16, 8], [-5, 7], op=op)
    for op in ("store", "add", "min", "max"):
        for dtype in ("f16", "bf16"):
            tensor(f"{dtype} edges", dtype, [32, 12], [16, 8], [-5, 7], op=op)
    tensor("f32 128B", "f32", [64, 16], [32, 16], [16, 3], "128B", op="store")
    tensor("f32 add", "f32", [64, 16], [32, 8], [16, 3], op="add")
    tensor("f16 64B", "f16", [64, 16], [32, 8], [16, 3], "64B", op="add")
    tensor("f16 3d", "f16", [16, 5, 6], [8, 4, 3], [4, 3, -1], op="store")


ITEM = {"u8": 1, "u16": 2, "f16": 2, "bf16": 2, "i32": 4, "u32": 4, "f32": 4,
        "u64": 8, "f64": 8}


def tensor_kernel(case):
    rank, op = len(case["dims"]), case["op"]
    # The step of dimension 0 is ignored.
    total = int(np.prod([-(-b // s) for b, s in
                         zip(case["box"], [1] + case["steps"][1:])]))
    total *= ITEM[case["dtype"]]
    at = ", ".join(str(x) for x in case["at"])
    load = [".reg .b64 r0, r1, map;", ".reg .b32 t0, t1, t2;",
            ".reg .pred p0, p1;", f".shared .align 1024 .b8 sm[{SIZE}];",
            ".shared .align 8 .b64 bar;", ".reg .b32 tries;", "mov.u32 t0, %tid.x;",
            "mad.lo.u32 t1, t0, 4, 0;", "mov.u32 t2, sm;",
            "add.u32 t1, t1, t2;", "mov.b64 map, q0;",
            "cvta.param.u64 map, map;", "ld.param.u64 r0, [q1];",
            "mad.wide.u32 r0, t0, 4, r0;"]

    def copy(body):
        return [body.format(at=i * 512) for i in range(SIZE // 512)]
    load += copy("ld.global.b32 t2, [r0+{at}]; st.shared.b32 [t1+{at}], t2;")
    load += ["mov.u32 t2, sm;", "setp.eq.u32 p0, t0, 0;"]
    if op == "load":
        load += ["@p0 mbarrier.init.shared.b64 [bar], 1;",
                 "fence.proxy.async;", "bar.sync 0;",
                 f"@p0 mbarrier.arrive.expect_tx.shared.b64 _, [bar], {total};"
                 f" @p0 cp.async.bulk.tensor.{rank}d.shared::cluster.global"
                 f".tile.mbarrier::complete_tx::bytes [t2], [map, {{{at}}}],"
                 " [bar];",
                 # Bounded: a wrong count must not hang the device.
                 "mov.u32 tries, 0;",
                 "wait: mbarrier.test_wait.parity.shared.b64 p0, [bar], 0;",
                 "add.u32 tries, tries, 1;",
                 "setp.lt.and.u32 p1, tries, 1000000, !p0;",
                 "@p1 bra wait;", "ld.param.u64 r0, [q2];",
                 "mad.wide.u32 r0, t0, 4, r0;"]
        load += copy("ld.shared.b32 t2, [t1+{at}];"
                     " st.global.b32 [r0+{at}], t2;")
    else:
        name = ("cp.async.bulk" if op == "store" else "cp.reduce.async.bulk")
        end = "" if op == "store" else f".{op}"
        load += ["fence.proxy.async;", "bar.sync 0;",
                 f"@p0 {name}.tensor.{rank}d.global.shared::cta{end}.tile"
                 f".bulk_group [map, {{{at}}}], [t2];",
                 "cp.async.bulk.commit_group;",
                 "cp.async.bulk.wait_group 0;"]
    text = "\n".join(load)
    return (f"{HEADER}.visible .entry k(.param .align 64 .b8 q0[128], "
            ".param .u64 q1, .param .u64 q2)\n"
            f"{{\n{text}\nret;\n}}\n")


def small_floats(dtype, seed, count):
    """Sums and comparisons of these are exact and ordinary."""
    values = (noise(seed, count) % np.uint64(33)).astype(np.float32) - 16
    if dtype == "f16":
        return values.astype(np.float16)
    if dtype == "bf16":
        return (values.view(np.uint32) >> 16).astype(np.uint16)
    return values.astype(np.dtype(dtype).name)


def run_tensor(driver, name, case):
    size = ITEM[case["dtype"]]
    strides, pitch = [], case["dims"][0] * size
    for d in case["dims"][1:]:
        pitch = -(-pitch // 16) * 16 + case["pad"]
        strides.append(pitch)
        pitch *= d
    total = max(pitch, 64)
    if case["dtype"] in ("f16", "bf16"):
        source = small_floats(case["dtype"], 1, -(-total // 2)).view(np.uint8)
        shared = small_floats(case["dtype"], 2, SIZE // 2).view(np.uint8)
    elif case["dtype"] == "f32":
        source = small_floats("float32", 1, -(-total // 4)).view(np.uint8)
        shared = small_floats("float32", 2, SIZE // 4).view(np.uint8)
    else:
        source, shared = data(1, -(-total // 8), np.uint64), data(
            2, SIZE // 8, np.uint64)
        source, shared = source.view(np.uint8), shared.view(np.uint8)
    source = np.ascontiguousarray(source)
    at = driver.upload(source)
    image = driver.upload(np.ascontiguousarray(shared))
    out = driver.upload(np.zeros(SIZE, np.uint8))
    tensor_map = driver.tensor_map(at, case["dtype"], case["dims"], strides,
                                   case["box"], case["steps"],
                                   case["swizzle"])
    loaded = driver.load(tensor_kernel(case))
    driver.launch(driver.function(loaded, "k"), (1, 1, 1), (128, 1, 1),
                  [tensor_map, C.c_uint64(image), C.c_uint64(out)])
    if case["op"] == "load":
        result = driver.read(out, np.zeros(SIZE, np.uint8))
    else:
        result = driver.read(at, np.zeros_like(source))
    driver.unload(loaded)
    for x in (at, image, out):
        driver.free(x)
    return result


# --- wgmma --------------------------------------------------------------------

PRODUCTS = {}
TYPES = {"f16": ("f32", 2), "bf16": ("f32", 2), "tf32": ("f32", 4),
         "e4m3": ("f32", 1), "s8": ("s32", 1)}


def product(ty, n, a, b, trans=(0, 0), scale=(1, 1)):
    """a, b: (offset, leading bytes, stride bytes, swizzle 0-3)."""
    name = f"wgmma {ty} n{n} a{a} b{b} trans{trans} scale{scale}"
    PRODUCTS[name] = dict(ty=ty, n=n, a=a, b=b, trans=trans, scale=scale)


def product_cases():
    # K-major: rows of 16, 128, 64, 32 bytes in groups of 8.
    atom = {0: 128, 1: 1024, 2: 512, 3: 256}
    for ty in TYPES:
        for swizzle in range(4):
            lead = 128 if swizzle == 0 else 16
            stride = 256 if swizzle == 0 else atom[swizzle]
            one = (0, lead, stride, swizzle)
            product(ty, 32, one, one)
            if swizzle:
                for offset in (32, 64, 96)[:{1: 3, 2: 1, 3: 0}[swizzle]]:
                    product(ty, 16, (offset,) + one[1:],
                            (1024 + offset,) + one[1:])
    product("f16", 64, (0, 128, 256, 0), (0, 1024, 128, 0))
    product("f16", 64, (0, 2048, 128, 0), (0, 1024, 144, 0))
    product("f16", 24, (0, 0, 1024, 1), (0, 2048, 1024, 1))
    product("f16", 40, (0, 16, 2048, 1), (0, 16, 1024, 2))
    # MN-major: 64, 32, 16, 8 elements of a column in a row of the atom.
    for ty in ("f16", "bf16"):
        for swizzle in range(4):
            size = {0: 128, 1: 1024, 2: 512, 3: 256}[swizzle]
            for lead, stride in ((size, 4 * size), (4 * size, size),
                                 (2 * size, 5 * size)):
                if max(lead, stride) * 8 > 16384 and swizzle == 0:
                    continue
                one = (0, lead, stride, swizzle)
                for trans in ((1, 0), (0, 1), (1, 1)):
                    k_major = (0, 128, 256, 0)
                    product(ty, 64, one if trans[0] else k_major,
                            one if trans[1] else k_major, trans)
        product(ty, 128, (0, 1024, 1024, 1), (0, 2048, 1024, 1), (1, 1))
        product(ty, 8, (0, 256, 128, 0), (0, 256, 128, 0), (1, 1))
    for scale in ((-1, 1), (1, -1), (-1, -1)):
        product("f16", 16, (0, 128, 256, 0), (0, 128, 256, 0), scale=scale)


def descriptor(at):
    offset, lead, stride, swizzle = at
    return (offset >> 4 | (lead >> 4) << 16 | (stride >> 4) << 32
            | swizzle << 62)


def product_kernel(case):
    ty, n = case["ty"], case["n"]
    d, size = TYPES[ty]
    count = n // 2
    text = [f".reg .b32 d<{count}>;", ".reg .b64 r0, da, db, base;",
            ".reg .b32 t0, t1, t2;", ".reg .pred p0;",
            "mov.u32 t0, %tid.x;", "mov.u32 t2, sm;",
            "mad.lo.u32 t1, t0, 4, t2;", "ld.param.u64 r0, [q0];",
            "mad.wide.u32 r0, t0, 4, r0;"]
    text += [f"ld.global.b32 t0, [r0+{i * 512}];"
             f" st.shared.b32 [t1+{i * 512}], t0;" for i in range(256)]
    text += ["fence.proxy.async;", "bar.sync 0;", "shr.u32 t2, t2, 4;",
             "cvt.u64.u32 base, t2;", "ld.param.u64 da, [q1];",
             "add.u64 da, da, base;", "ld.param.u64 db, [q2];",
             "add.u64 db, db, base;", "add.u64 db, db, 4096;",
             "setp.ne.b64 p0, base, base;"]
    text += [f"mov.b32 d{i}, 0;" for i in range(count)]
    immediates = []
    if d == "f32":
        immediates = [str(x) for x in case["scale"]]
        if size == 2:
            immediates += [str(x) for x in case["trans"]]
    registers = "{" + ", ".join(f"d{i}" for i in range(count)) + "}"
    text += ["wgmma.fence.sync.aligned;",
             f"wgmma.mma_async.sync.aligned.m64n{n}k{32 // size}.{d}.{ty}.{ty}"
             f" {', '.join([registers, 'da, db, p0'] + immediates)};",
             "wgmma.commit_group.sync.aligned;",
             "wgmma.wait_group.sync.aligned 0;", "mov.u32 t0, %tid.x;",
             "ld.param.u64 r0, [q3];", "mad.wide.u32 r0, t0, 4, r0;"]
    text += [f"st.global.b32 [r0+{512 * i}], d{i};" for i in range(count)]
    body = "\n".join(text)
    return (f"{HEADER}.extern .shared .align 1024 .b8 sm[];\n"
            ".visible .entry k(.param .u64 q0, .param .u64 q1, "
            f".param .u64 q2, .param .u64 q3)\n{{\n{body}\nret;\n}}\n")


def run_product(driver, name, case):
    ty = case["ty"]
    r = noise(5, 2 * 65536)
    values = (r % np.uint64(9)).astype(np.float32) - 4  # exact in every type
    if ty == "f16":
        image = values[:65536].astype(np.float16)
    elif ty == "bf16":
        image = (values[:65536].view(np.uint32) >> 16).astype(np.uint16)
    elif ty == "tf32":
        image = values[:32768]
    elif ty == "s8":
        image = values.astype(np.int8)
    else:
        codes = np.array([0x00, 0x38, 0x40, 0x44, 0x48, 0xB8, 0xC0, 0xC4,
                          0xC8], np.uint8)
        image = codes[(r % np.uint64(9)).astype(np.int64)]
    source = driver.upload(np.ascontiguousarray(image))
    count = case["n"] // 2
    out = np.zeros((count, 128), np.uint32)
    at = driver.upload(out)
    loaded = driver.load(product_kernel(case))
    driver.launch(driver.function(loaded, "k"), (1, 1, 1), (128, 1, 1),
                  [C.c_uint64(source), C.c_uint64(descriptor(case["a"])),
                   C.c_uint64(descriptor(case["b"])), C.c_uint64(at)],
                  131072)
    driver.read(at, out)
    driver.unload(loaded)
    driver.free(source)
    driver.free(at)
    return out


tensor_cases()
product_cases()


def compare(paths):
    a, b = (np.load(p) for p in paths)
    same = different = 0
    for name in dict.fromkeys([*a, *b]):
        if name == "device":
            print(a[name], "and", b[name])
            continue
        if name not in a or name not in b:
            print(f"{name}: on one side only")
            different += 1
        elif a[name].tobytes() == b[name].tobytes():
            same += 1
        else:
            different += 1
            count = (a[name] != b[name]).sum() if (
                a[name].shape == b[name].shape) else "all"
            print(f"{name}: {count} of {a[name].size} differ")
            if "error" in name:
                print("   ", a[name], "/", b[name])
    print(f"{same} agree, {different} differ")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", nargs="*")
    parser.add_argument("--filter", default="")
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--dump", metavar="FOLDER",
                        help="only write the kernels there")
    options = parser.parse_args()
    if options.compare:
        return compare(options.out)
    if options.dump:
        for i, (name, case) in enumerate([*TENSORS.items(),
                                          *PRODUCTS.items()]):
            make = tensor_kernel if name in TENSORS else product_kernel
            with open(f"{options.dump}/{i}.ptx", "w") as f:
                f.write(f"// {name}\n{make(case)}")
        return
    from driver import CudaError, Driver
    driver = Driver()
    results = {"device": np.array(driver.describe())}
    failed = []
    for name, case in itertools.chain(TENSORS.items(), PRODUCTS.items()):
        if not re.search(options.filter, name):
            continue
        try:
            run = run_tensor if name in TENSORS else run_product
            results[name] = run(driver, name, case)
        except CudaError as e:
            failed.append(f"{name}: {e} {e.text.strip()[:300]}")
            results[name + "|error"] = np.array(failed[-1])
            if e.code not in (1, 218, 500, 801):
                driver.reset()
    np.savez_compressed(options.out[0], **results)
    print(f"{results['device']}: {len(results) - 1} cases, "
          f"{len(failed)} failed")
    for line in failed:
        print("  " + line)


if __name__ == "__main__":
    main()
