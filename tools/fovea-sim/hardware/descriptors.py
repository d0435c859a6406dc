# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Matrix descriptors of wgmma: swizzles, offsets, strides, transposed operands.

The accumulators of products of small integers, which are exact in any order.
"""
import ctypes as C

import numpy as np

from inputs import noise

HEADER = ".version 9.0\n.target sm_90a\n.address_size 64\n"
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


def run(driver, name):
    case = PRODUCTS[name]
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


product_cases()
CASES = PRODUCTS
