# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Copies by tensor maps, and reductions by bulk copies: swizzles, strides, edges.

A load's result is the whole of shared memory and whether the mbarrier's phase
was over; a store's is that of the tensor.
"""
import ctypes as C

import numpy as np

import inputs
from inputs import noise

HEADER = ".version 9.0\n.target sm_90a\n.address_size 64\n"
SIZE = 32768  # of shared memory
def data(seed, count, dtype):
    return noise(seed, count).astype(np.uint64).view(np.uint8)[
        :count * np.dtype(dtype).itemsize].copy().view(dtype)


ITEM = {"u8": 1, "u16": 2, "f16": 2, "bf16": 2, "i32": 4, "u32": 4, "f32": 4,
        "u64": 8, "f64": 8}
TENSORS = {}


def tensor(name, dtype, dims, box, at, swizzle="none", steps=None, pad=0,
           op="load", expect=None, nan=False):
    """pad: bytes between rows beyond the dense ones; expect: bytes that the
    mbarrier is told to expect, if not those of the box; nan: what lies
    outside is NaN."""
    TENSORS[f"tensor {op} {name}"] = dict(
        dtype=dtype, dims=dims, box=box, at=at, swizzle=swizzle,
        steps=steps or [1] * len(dims), pad=pad, op=op, expect=expect,
        nan=nan)


def tensor_cases():
    spans = {"32B": 32, "64B": 64, "128B": 128}
    for swizzle, span in spans.items():
        for dtype, size in (("u8", 1), ("f16", 2), ("f32", 4), ("f64", 8)):
            w = span // size
            tensor(f"{dtype} {swizzle}", dtype, [w * 2, 40], [w, 24], [w, 3],
                   swizzle)
        for op in ("load", "store", "add"):
            tensor(f"f16 {swizzle} half", "f16", [64, 40], [span // 4, 24],
                   [8, 0], swizzle, op=op)
        tensor(f"f16 {swizzle} half by lines", "f16", [64, 40],
               [span // 4, 24], [8, 0], swizzle, expect=span * 24)
        tensor(f"f16 {swizzle} edges", "f16", [43, 20], [span // 2, 16],
               [-8, 9], swizzle)
        tensor(f"f16 {swizzle} end", "f16", [43, 20], [span // 2, 16],
               [40 - span // 4, -3], swizzle)
        tensor(f"f16 {swizzle} 3d", "f16", [span // 2 + 8, 9, 5],
               [span // 2, 6, 4], [8, -2, 3], swizzle)
    for rank in range(1, 6):
        tensor(f"u16 {rank}d", "u16", [27, 7, 5, 4, 3][:rank],
               [16, 4, 3, 2, 2][:rank], [16, 1, 3, -1, 2][:rank])
    for dtype, size in ITEM.items():
        tensor(f"{dtype} edges", dtype, [35, 10], [16, 8], [-16 // size, 5])
        tensor(f"{dtype} end", dtype, [35, 10], [16, 8], [32, -5])
    for dtype in ("f16", "bf16", "f32", "f64"):
        tensor(f"{dtype} edges nan", dtype, [35, 10], [16, 8], [32, 5],
               nan=True)
    tensor("f16 128B edges nan", "f16", [43, 20], [64, 16], [-8, 9], "128B",
           nan=True)
    tensor("f16 pad", "f16", [40, 12], [32, 8], [8, 2], pad=48)
    tensor("f16 unaligned", "f16", [40, 12], [32, 8], [4, 2])
    tensor("f32 unaligned", "f32", [40, 12], [32, 8], [-1, 2])
    for steps in ([1, 2], [2, 1], [2, 3]):
        tensor(f"f32 steps {steps}", "f32", [64, 30], [16, 12], [4, 4],
               steps=steps)
    tensor("f16 3d steps", "f16", [64, 30, 9], [16, 12, 4], [8, 4, 2],
           steps=[1, 3, 2])
    tensor("f32 far", "f32", [16, 16], [16, 8], [100, -100])
    for op in ("store", "add", "min", "max", "and", "or", "xor", "inc",
               "dec"):
        tensor("u32 edges", "u32", [27, 12], [16, 8], [-4, 7], op=op)
        tensor("u32 end", "u32", [27, 12], [16, 8], [16, -2], op=op)
    for op in ("store", "add", "min", "max"):
        for dtype in ("f16", "bf16"):
            tensor(f"{dtype} edges", dtype, [35, 12], [16, 8], [-8, 7], op=op)
            tensor(f"{dtype} end", dtype, [35, 12], [16, 8], [24, 7], op=op)
    for op in ("add", "min", "max"):
        for dtype in ("i32", "u64"):
            tensor(f"{dtype} edges", dtype, [27, 12], [16, 8], [-4, 7], op=op)
    tensor("u32 unaligned", "u32", [24, 12], [16, 8], [-5, 7], op="store")
    tensor("f32 128B", "f32", [64, 16], [32, 16], [16, 3], "128B", op="store")
    tensor("f32 add", "f32", [64, 16], [32, 8], [16, 3], op="add")
    tensor("f16 64B", "f16", [64, 16], [32, 8], [16, 3], "64B", op="add")
    tensor("f16 3d", "f16", [16, 5, 6], [8, 4, 3], [8, 3, -1], op="store")


def tensor_kernel(case):
    rank, op = len(case["dims"]), case["op"]
    # The step of dimension 0 is ignored.
    total = int(np.prod([-(-b // s) for b, s in
                         zip(case["box"], [1] + case["steps"][1:])]))
    total = case["expect"] or total * ITEM[case["dtype"]]
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
                 f"selp.b32 t2, 1, 0, p0; st.global.b32 [r0+{SIZE}], t2;",
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


def run_tensor(driver, case):
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
    out = driver.upload(np.zeros(SIZE + 4, np.uint8))
    tensor_map = driver.tensor_map(at, case["dtype"], case["dims"], strides,
                                   case["box"], case["steps"],
                                   case["swizzle"], case["nan"])
    loaded = driver.load(tensor_kernel(case))
    driver.launch(driver.function(loaded, "k"), (1, 1, 1), (128, 1, 1),
                  [tensor_map, C.c_uint64(image), C.c_uint64(out)])
    if case["op"] == "load":
        result = driver.read(out, np.zeros(SIZE + 4, np.uint8))
    else:
        result = driver.read(at, np.zeros_like(source))
    driver.unload(loaded)
    for x in (at, image, out):
        driver.free(x)
    return result


# --- bulk reductions ----------------------------------------------------------

BULK = {}


def bulk_cases():
    table = {"add": "u32 s32 u64 f16 bf16 f32 f64", "min": "u32 s32 u64 s64 "
             "f16 bf16", "max": "u32 s32 u64 s64 f16 bf16", "inc": "u32",
             "dec": "u32", "and": "b32 b64", "or": "b32", "xor": "b64"}
    for op, types in table.items():
        for ty in types.split():
            noftz = ".noftz" if op == "add" and "f16" in ty else ""
            BULK[f"bulk {op}{noftz}.{ty}"] = (op + noftz, ty)


def bulk_kernel(op, ty):
    text = [".reg .b64 r0, r1;", ".reg .b32 t0, t1, t2;", ".reg .pred p0;",
            ".shared .align 128 .b8 sm[8192];", "mov.u32 t0, %tid.x;",
            "mov.u32 t2, sm;", "mad.lo.u32 t1, t0, 4, t2;",
            "ld.param.u64 r0, [q0];", "mad.wide.u32 r0, t0, 4, r0;"]
    text += [f"ld.global.b32 t2, [r0+{512 * i}]; st.shared.b32 "
             f"[t1+{512 * i}], t2;" for i in range(16)]
    text += ["mov.u32 t2, sm;", "setp.eq.u32 p0, t0, 0;",
             "fence.proxy.async;", "bar.sync 0;", "ld.param.u64 r1, [q1];",
             "@p0 cp.reduce.async.bulk.global.shared::cta.bulk_group."
             f"{op}.{ty} [r1], [t2], 8192;", "cp.async.bulk.commit_group;",
             "cp.async.bulk.wait_group 0;"]
    body = "\n".join(text)
    return (f"{HEADER}.visible .entry k(.param .u64 q0, .param .u64 q1)\n"
            f"{{\n{body}\nret;\n}}\n")


def run_bulk(driver, case):
    op, ty = case
    kind = {"u32": "i32", "s32": "i32", "b32": "i32", "u64": "i64",
            "s64": "i64", "b64": "i64"}.get(ty, ty)
    width = inputs.WIDTH[kind] // 8
    a, b = inputs.operands(f"bulk {op}.{ty}", [kind, kind], 4096)
    # The edges crossed come first; every n-th row of all keeps some of each.
    step = len(a) * width // 8192 or 1
    a, b = (np.ascontiguousarray(inputs.narrow(kind, x)[::step][:8192 // width])
            for x in (a, b))
    source, target = driver.upload(a), driver.upload(b)
    loaded = driver.load(bulk_kernel(op, ty))
    driver.launch(driver.function(loaded, "k"), (1, 1, 1), (128, 1, 1),
                  [C.c_uint64(source), C.c_uint64(target)])
    result = driver.read(target, np.zeros_like(b))
    driver.unload(loaded)
    driver.free(source)
    driver.free(target)
    return result


tensor_cases()
bulk_cases()
CASES = {**TENSORS, **BULK}


def run(driver, name):
    if name in BULK:
        return run_bulk(driver, BULK[name])
    return run_tensor(driver, TENSORS[name])
