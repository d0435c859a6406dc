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
import glob
import json
import os
import re
import shutil
import subprocess
import tempfile

CHAINS, UNROLL = 8, 64
THREADS = 1024

HEADER = ".version 8.4\n.target sm_90a\n.address_size 64\n"
KERNEL = """
.extern .shared .align 1024 .b8 tile[];
.visible .entry k(.param .u64 out, .param .u32 rounds, .param .u64 table)
.maxntid {threads},1,1
{{
  .reg .pred %p<8>, %more;
  .reg .b16 %h<8>;
  .reg .b32 %a<8>, %u<64>, %n, %s;
  .reg .f32 %f<8>, %v<{values}>;
  .reg .b64 %l<8>, %x<8>, %start, %end, %out, %table;
  .reg .f64 %d<8>;
  mov.u32 %u0, %tid.x;
  ld.param.u32 %n, [rounds];
  ld.param.u64 %table, [table];
  and.b32 %u1, %u0, 31;
  mul.wide.u32 %x0, %u1, 4;
  add.s64 %x1, %table, %x0;
  ld.global.u32 %u2, [%x1];
  mov.u32 %s, tile;
  add.s32 %s, %s, %u2;
{start}
  bar.sync 0;
  mov.u64 %start, %clock64;
loop:
{body}
  sub.s32 %n, %n, 1;
  setp.ne.s32 %more, %n, 0;
  @%more bra loop;
  mov.u64 %end, %clock64;
{finish}
  shr.u32 %u3, %u0, 5;
  mul.wide.u32 %x2, %u3, 16;
  ld.param.u64 %out, [out];
  add.s64 %x3, %out, %x2;
  setp.eq.s32 %p0, %u1, 0;
  @%p0 st.global.v2.u64 [%x3], {{%start, %end}};
  ret;
}}
"""


def start(chains):
    lines = []
    for i in range(chains):
        lines.append(f"""  mad.lo.s32 %a{i}, %u0, {2 * i + 3}, {77 * i + 1};
  cvt.rn.f32.u32 %f{i}, %a{i};
  cvt.u64.u32 %l{i}, %a{i};
  cvt.rn.f64.u32 %d{i}, %a{i};
  cvt.u16.u32 %h{i}, %a{i};
  setp.gt.u32 %p{i}, %a{i}, {900 * i};""")
    return "\n".join(lines)


def finish(chains):
    """Stores everything if it has a value that it never has."""
    lines = ["  mov.u32 %u10, 0;"]
    for i in range(chains):
        lines.append(f"""  mov.b32 %u11, %f{i};
  cvt.u32.u64 %u12, %l{i};
  mov.b64 {{%u13, %u14}}, %d{i};
  cvt.u32.u16 %u15, %h{i};
  selp.u32 %u16, 1, 2, %p{i};
  xor.b32 %u10, %u10, %a{i};
  xor.b32 %u10, %u10, %u11;
  add.s32 %u10, %u10, %u12;
  xor.b32 %u10, %u10, %u13;
  add.s32 %u10, %u10, %u14;
  xor.b32 %u10, %u10, %u15;
  add.s32 %u10, %u10, %u16;""")
    lines.append("""  setp.eq.u32 %p1, %u10, 0x12345677;
  @%p1 st.global.u32 [%table], %u10;""")
    return "\n".join(lines)


# Keeps loads in the loop.
CLOBBER = "\n  @%p7 st.volatile.shared.u32 [%s], %a0;"

# Statements of one chain: {0} is its register, {1} and {2} are others, {3} an
# offset of shared memory.
STATEMENTS = {
    "fma.rn.f32": "fma.rn.f32 %f{0}, %f{0}, %f{1}, %f{2};",
    "add.f32": "add.f32 %f{0}, %f{0}, %f{1};",
    "mul.f32": "mul.f32 %f{0}, %f{0}, %f{1};",
    "min.f32": "min.f32 %f{0}, %f{0}, %f{1};",
    "fma.rn.f64": "fma.rn.f64 %d{0}, %d{0}, %d{1}, %d{2};",
    "add.f64": "add.f64 %d{0}, %d{0}, %d{1};",
    "min.f64": "min.f64 %d{0}, %d{0}, %d{1};",
    "fma.rn.f16": "fma.rn.f16 %h{0}, %h{0}, %h{1}, %h{2};",
    "fma.rn.f16x2": "fma.rn.f16x2 %a{0}, %a{0}, %a{1}, %a{2};",
    "add.f16x2": "add.f16x2 %a{0}, %a{0}, %a{1};",
    "min.f16x2": "min.f16x2 %a{0}, %a{0}, %a{1};",
    "fma.rn.bf16x2": "fma.rn.bf16x2 %a{0}, %a{0}, %a{1}, %a{2};",
    "max.bf16x2": "max.bf16x2 %a{0}, %a{0}, %a{1};",
    "add.s32": "add.s32 %a{0}, %a{0}, %a{1};",
    "sub.s32": "sub.s32 %a{0}, %a{1}, %a{0};",
    "add.s64": "add.s64 %l{0}, %l{0}, %l{1};",
    "mul.lo.s32": "mul.lo.s32 %a{0}, %a{0}, %a{1};",
    "mul.hi.u32": "mul.hi.u32 %a{0}, %a{0}, %a{1};",
    "mad.lo.s32": "mad.lo.s32 %a{0}, %a{0}, %a{1}, %a{2};",
    "mad.wide.u32": "mad.wide.u32 %l{0}, %a{0}, %a{1}, %l{0};",
    "mul.lo.s64": "mul.lo.s64 %l{0}, %l{0}, %l{1};",
    "min.s32": "min.s32 %a{0}, %a{0}, %a{1};",
    "abs.s32": "sub.s32 %a{0}, %a{0}, %a{1}; abs.s32 %a{0}, %a{0};",
    "sad.u32": "sad.u32 %a{0}, %a{0}, %a{1}, %a{2};",
    "lop3.b32": "lop3.b32 %a{0}, %a{0}, %a{1}, %a{2}, 0x1e;",
    "shl.b32": "shl.b32 %a{0}, %a{1}, %a{0};",
    "shr.s32": "shr.s32 %a{0}, %a{1}, %a{0};",
    "shf.l.wrap.b32": "shf.l.wrap.b32 %a{0}, %a{0}, %a{1}, %a{2};",
    "prmt.b32": "prmt.b32 %a{0}, %a{0}, %a{1}, %a{2};",
    "bfe.u32": "bfe.u32 %a{0}, %a{0}, %a{1}, %a{2};",
    "bfi.b32": "bfi.b32 %a{0}, %a{0}, %a{1}, 7, 9;",
    "popc.b32": "popc.b32 %a{0}, %a{0};",
    "clz.b32": "clz.b32 %a{0}, %a{0};",
    "brev.b32": "brev.b32 %a{0}, %a{0};",
    "bfind.u32": "bfind.u32 %a{0}, %a{0};",
    "dp4a.s32.s32": "dp4a.s32.s32 %a{0}, %a{0}, %a{1}, %a{2};",
    "setp.and.s32": "setp.lt.and.s32 %p{0}, %a{0}, %a{1}, %p{1};",
    "setp.and.f32": "setp.lt.and.f32 %p{0}, %f{0}, %f{1}, %p{1};",
    "selp.b32": "selp.b32 %a{0}, %a{0}, %a{1}, %p{2};",
    "selp.f32": "selp.f32 %f{0}, %f{0}, %f{1}, %p{2};",
    "ex2.approx.ftz.f32": "ex2.approx.ftz.f32 %f{0}, %f{0};",
    "ex2.approx.f32": "ex2.approx.f32 %f{0}, %f{0};",
    "ex2.approx.f16x2": "ex2.approx.f16x2 %a{0}, %a{0};",
    "ex2.approx.ftz.bf16x2": "ex2.approx.ftz.bf16x2 %a{0}, %a{0};",
    "tanh.approx.f32": "tanh.approx.f32 %f{0}, %f{0};",
    "tanh.approx.f16x2": "tanh.approx.f16x2 %a{0}, %a{0};",
    "lg2.approx.ftz.f32": "lg2.approx.ftz.f32 %f{0}, %f{0};",
    "rcp.approx.ftz.f32": "add.f32 %f{0}, %f{0}, %f{1}; "
                          "rcp.approx.ftz.f32 %f{0}, %f{0};",
    "rsqrt.approx.ftz.f32": "rsqrt.approx.ftz.f32 %f{0}, %f{0};",
    "sqrt.approx.ftz.f32": "sqrt.approx.ftz.f32 %f{0}, %f{0};",
    "sin.approx.ftz.f32": "sin.approx.ftz.f32 %f{0}, %f{0};",
    "rcp.approx.ftz.f64": "rcp.approx.ftz.f64 %d{0}, %d{0};",
    "cvt f32 s32": "cvt.rn.f32.s32 %f{0}, %a{0}; "
                   "cvt.rzi.s32.f32 %a{0}, %f{0};",
    "cvt f16 f32": "cvt.rn.f16.f32 %h{0}, %f{0}; cvt.f32.f16 %f{0}, %h{0};",
    "cvt f16 s32": "cvt.rn.f16.s32 %h{0}, %a{0}; cvt.rzi.s32.f16 %a{0}, %h{0};",
    "cvt bf16x2 f32": "cvt.rn.bf16x2.f32 %a{0}, %f{0}, %f{1}; "
                      "mov.b32 %f{0}, %a{0};",
    "cvt f16x2 f32": "cvt.rn.f16x2.f32 %a{0}, %f{0}, %f{1}; "
                     "mov.b32 %f{0}, %a{0};",
    "cvt f64 f32": "cvt.f64.f32 %d{0}, %f{0}; cvt.rn.f32.f64 %f{0}, %d{0};",
    "cvt f64 s32": "cvt.rn.f64.s32 %d{0}, %a{0}; "
                   "cvt.rzi.s32.f64 %a{0}, %d{0};",
    "cvt f32 s64": "cvt.rn.f32.s64 %f{0}, %l{0}; "
                   "cvt.rzi.s64.f32 %l{0}, %f{0};",
    "cvt s32 s8": "cvt.s32.s8 %u20, %a{0}; add.s32 %a{0}, %u20, %a{1};",
    "cvt f32 u8": "cvt.rn.f32.u8 %f{0}, %a{0}; mov.b32 %a{0}, %f{0};",
    "cvt rni f32": "cvt.rni.f32.f32 %f{0}, %f{0};",
    "cvt rna tf32": "cvt.rna.tf32.f32 %a{0}, %f{0}; mov.b32 %f{0}, %a{0};",
    "cvt e4m3x2 f32": "cvt.rn.satfinite.e4m3x2.f32 %h{0}, %f{0}, %f{1}; "
                      "cvt.rn.f16x2.e4m3x2 %a{0}, %h{0}; "
                      "mov.b32 %f{0}, %a{0};",
    "shfl.sync": "shfl.sync.bfly.b32 %a{0}, %a{0}, 1, 31, -1;",
    "shfl.sync idx": "shfl.sync.idx.b32 %a{0}, %a{0}, %a{1}, 31, -1;",
    "vote.sync.ballot": "setp.lt.s32 %p{0}, %a{0}, %a{1}; "
                        "vote.sync.ballot.b32 %a{0}, %p{0}, -1;",
    "vote.sync.any": "vote.sync.any.pred %p{0}, %p{0}, -1; "
                     "selp.b32 %a{0}, %a{0}, %a{1}, %p{0};",
    "match.any.sync": "match.any.sync.b32 %a{0}, %a{0}, -1;",
    "match.all.sync": "match.all.sync.b32 %a{0}, %a{0}, -1;",
    "redux.sync.add": "redux.sync.add.s32 %a{0}, %a{0}, -1;",
    "bar.sync": "bar.sync 0;",
    "bar.warp.sync": "bar.warp.sync -1;",
    "membar.cta": "membar.cta;",
    "ld.shared.b32": "ld.volatile.shared.u32 %a{0}, [%s];",
    "ld.shared.v2": "ld.volatile.shared.v2.u32 {{%a{0}, %u30}}, [%s];",
    "ld.shared.v4": "ld.volatile.shared.v4.u32 {{%a{0}, %u30, %u31, %u32}}, "
                    "[%s];",
    "st.shared.b32": "st.volatile.shared.u32 [%s], %a{0};",
    "st.shared.v4": "st.volatile.shared.v4.u32 [%s], "
                    "{{%a{0}, %a{1}, %a{2}, %a{0}}};",
    "ldmatrix.x1": "ldmatrix.sync.aligned.m8n8.x1.shared.b16 "
                   "{{%u30}}, [%s+{3}]; xor.b32 %a{0}, %a{0}, %u30;",
    "ldmatrix.x2": "ldmatrix.sync.aligned.m8n8.x2.shared.b16 "
                   "{{%u30, %u31}}, [%s+{3}]; xor.b32 %a{0}, %a{0}, %u30;",
    "ldmatrix.x4": "ldmatrix.sync.aligned.m8n8.x4.shared.b16 "
                   "{{%u30, %u31, %u32, %u33}}, [%s+{3}]; xor.b32 %a{0}, %a{0}, %u30;",
    "ldmatrix.x4.trans": "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 "
                         "{{%u30, %u31, %u32, %u33}}, [%s+{3}]; "
                         "xor.b32 %a{0}, %a{0}, %u30;",
    "stmatrix.x4": "stmatrix.sync.aligned.m8n8.x4.shared.b16 [%s], "
                   "{{%a{0}, %a{1}, %a{2}, %a{0}}};",
    "red.shared.add.u32": "red.shared.add.u32 [%s], %a{0};",
    "atom.shared.add.u32": "atom.shared.add.u32 %a{0}, [%s], %a{1};",
    "atom.shared.cas.b32": "atom.shared.cas.b32 %a{0}, [%s], %a{1}, %a{2};",
    "atom.shared.add.f32": "atom.shared.add.f32 %f{0}, [%s], %f{1};",
}

MMAS = {  # shape and types -> registers of d, a, b; the kind of d
    "m16n8k16.row.col.f32.bf16.bf16.f32": (4, 4, 2, "f"),
    "m16n8k8.row.col.f32.bf16.bf16.f32": (4, 2, 1, "f"),
    "m16n8k16.row.col.f32.f16.f16.f32": (4, 4, 2, "f"),
    "m16n8k16.row.col.f16.f16.f16.f16": (2, 4, 2, "b"),
    "m16n8k8.row.col.f32.tf32.tf32.f32": (4, 4, 2, "f"),
    "m16n8k4.row.col.f32.tf32.tf32.f32": (4, 2, 1, "f"),
    "m16n8k32.row.col.s32.s8.s8.s32": (4, 4, 2, "b"),
    "m16n8k16.row.col.s32.s8.s8.s32": (4, 2, 1, "b"),
    "m16n8k32.row.col.f32.e4m3.e4m3.f32": (4, 4, 2, "f"),
    "m16n8k256.row.col.s32.b1.b1.s32.and.popc": (4, 4, 2, "b"),
    "m8n8k4.row.col.f64.f64.f64.f64": (2, 1, 1, "d"),
}


def mma(text, registers):
    """The accumulators of the chains are %v or %u from 16 on."""
    d, a, b, kind = registers

    def statement(i):
        prefix = {"f": "%v", "b": "%u", "d": "%w"}[kind]
        first = 16 + d * i if kind == "b" else d * i
        out = ", ".join(f"{prefix}{first + j}" for j in range(d))
        source = "%l" if kind == "d" else "%a"
        if kind == "d":
            left, right = "{%d0}", "{%d1}"
        else:
            left = "{" + ", ".join(f"%a{j}" for j in range(a)) + "}"
            right = "{" + ", ".join(f"%a{4 + j}" for j in range(b)) + "}"
        return (f"mma.sync.aligned.{text} {{{out}}}, {left}, {right}, "
                f"{{{out}}};")

    count = d * CHAINS
    lines, ends = [], []
    for j in range(count):
        if kind == "f":
            lines.append(f"  mov.f32 %v{j}, 0f00000000;")
            ends.append(f"  add.f32 %f0, %f0, %v{j};")
        elif kind == "b":
            lines.append(f"  mov.u32 %u{16 + j}, 0;")
            ends.append(f"  xor.b32 %a0, %a0, %u{16 + j};")
        else:
            lines.append(f"  mov.f64 %w{j}, 0d0000000000000000;")
            ends.append(f"  add.f64 %d0, %d0, %w{j};")
    if kind == "d":
        lines.insert(0, f"  .reg .f64 %w<{count}>;")
    return statement, "\n".join(lines), "\n".join(ends)


def wgmma(n, from_registers):
    """m64 x n x k16 of bf16 on 128-byte swizzled tiles, four in a batch."""
    d = n // 2
    out = ", ".join(f"%v{j}" for j in range(d))
    left = "{%a0, %a1, %a2, %a3}" if from_registers else "%x5"
    tail = ", 1, 1, 1, 0;" if from_registers else ", 1, 1, 1, 0, 0;"
    one = (f"wgmma.mma_async.sync.aligned.m64n{n}k16.f32.bf16.bf16 {{{out}}}, "
           f"{left}, %x6{tail}")
    body = "\n".join(
        ["wgmma.fence.sync.aligned;"] + [one] * 16 +
        ["wgmma.commit_group.sync.aligned;",
         "wgmma.wait_group.sync.aligned 0;"])
    lines = [f"  mov.f32 %v{j}, 0f00000000;" for j in range(d)]
    # K-major, 128-byte swizzle, 8 rows 1024 bytes apart.
    high = 1 << 62 | 64 << 32 | 1 << 16
    lines.append(f"""  mov.u32 %u4, tile;
  shr.u32 %u4, %u4, 4;
  cvt.u64.u32 %x5, %u4;
  or.b64 %x5, %x5, {high};
  add.s64 %x6, %x5, 1024;""")
    ends = [f"  add.f32 %f0, %f0, %v{j};" for j in range(d)]
    return body, "\n".join(lines), "\n".join(ends), d


def kernels():
    """name -> (PTX, threads, warp instructions a round and warp)"""
    out = {}

    def add(name, body, first="", last="", threads=THREADS, values=64,
            count=UNROLL):
        out[name] = (HEADER + KERNEL.format(
            threads=threads, values=values, body=body,
            start=start(CHAINS) + "\n" + first,
            finish=last + "\n" + finish(CHAINS)), threads, count)

    for name, text in STATEMENTS.items():
        add(name, "\n".join(
            "  " + text.format(i % CHAINS, (i + 1) % CHAINS, (i + 3) % CHAINS,
                               512 * i)
            for i in range(UNROLL)) + CLOBBER * ("ldmatrix" in name))
    for text, registers in MMAS.items():
        statement, first, last = mma(text, registers)
        add("mma." + text, "\n".join("  " + statement(i % CHAINS)
                                     for i in range(UNROLL)), first, last)
    for groups in (1, 2):
        for registers in (False, True):
            for n in (8, 16, 32, 64, 96, 128, 192, 256):
                body, first, last, d = wgmma(n, registers)
                if groups * d > 192:
                    continue
                kind = "registers" if registers else "shared"
                add(f"wgmma n{n} a in {kind}, {groups} groups", body, first,
                    last, 128 * groups, max(d, 64), 16)
    return out


# --- patterns of shared memory ------------------------------------------------

PATTERN = HEADER + """
.extern .shared .align 1024 .b8 tile[];
.visible .entry k(.param .u64 out, .param .u32 rounds, .param .u64 table)
.maxntid 1024,1,1
{{
  .reg .pred %on, %more, %first;
  .reg .b32 %u<8>, %a<32>, %n, %s;
  .reg .b64 %x<8>, %start, %end, %out, %table;
  mov.u32 %u0, %tid.x;
  mov.u32 %u5, %ctaid.x;
  ld.param.u32 %n, [rounds];
  ld.param.u64 %table, [table];
  and.b32 %u1, %u0, 31;
  mad.lo.s32 %u6, %u5, 32, %u1;
  mul.wide.u32 %x0, %u6, 4;
  add.s64 %x1, %table, %x0;
  ld.global.u32 %u2, [%x1];
  setp.ne.u32 %on, %u2, 0xffffffff;
  mov.u32 %s, tile;
  add.s32 %s, %s, %u2;
  mov.u32 %u7, 0;
{zeros}
  bar.sync 0;
  mov.u64 %start, %clock64;
loop:
{body}
  sub.s32 %n, %n, 1;
  setp.ne.s32 %more, %n, 0;
  @%more bra loop;
  mov.u64 %end, %clock64;
  shr.u32 %u3, %u0, 5;
  mad.lo.s32 %u3, %u5, 32, %u3;
  mul.wide.u32 %x2, %u3, 16;
  ld.param.u64 %out, [out];
  add.s64 %x3, %out, %x2;
  setp.eq.s32 %first, %u1, 0;
  @%first st.global.v2.u64 [%x3], {{%start, %end}};
  setp.eq.s32 %first, %u7, 0x12345677;
  @%first st.global.u32 [%x1], %u7;
  ret;
}}
"""
ACCESSES = {
    4: ("@%on ld.volatile.shared.u32 %a{0}, [%s];",
        "@%on st.volatile.shared.u32 [%s], %a0;"),
    8: ("@%on ld.volatile.shared.v2.u32 {{%a{0}, %a{1}}}, [%s];",
        "@%on st.volatile.shared.v2.u32 [%s], {{%a0, %a1}};"),
    16: ("@%on ld.volatile.shared.v4.u32 {{%a{0}, %a{1}, %a{2}, %a{3}}}, [%s];",
         "@%on st.volatile.shared.v4.u32 [%s], {{%a0, %a1, %a2, %a3}};"),
}


def random_numbers(seed):
    state = seed
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        yield state >> 33


def patterns(size):
    """Byte offsets of the 32 lanes, or -1 for one that does not take part."""
    numbers = random_numbers(size)
    lists = []
    for stride in (0, 1, 2, 3, 4, 5, 8, 16, 17, 32, 33):
        lists.append([lane * stride * size % 16384 for lane in range(32)])
    for bit in range(5):  # pairs of lanes on one address
        lists.append([(lane & ~(1 << bit)) * size for lane in range(32)])
        lists.append([lane * size if lane >> bit & 1 else -1
                      for lane in range(32)])
    for group in (2, 4, 8, 16):
        lists.append([lane // group * size for lane in range(32)])
        lists.append([lane % group * size for lane in range(32)])
        lists.append([lane // group * 128 for lane in range(32)])
        lists.append([lane % group * 128 for lane in range(32)])
        lists.append([lane * size if lane < group else -1
                      for lane in range(32)])
        lists.append([lane * 128 if lane % group == 0 else -1
                      for lane in range(32)])
    for spread in (4, 8, 16, 32, 64, 256, 1024):
        for kind in range(8):
            row = []
            for lane in range(32):
                at = next(numbers) % spread * size
                if kind >= 4 and lane & 1 << kind - 4 and lane < 30:
                    at = row[lane ^ 1 << kind - 4] if row and \
                        (lane ^ 1 << kind - 4) < len(row) else at
                if kind == 3 and next(numbers) % 3 == 0:
                    at = -1
                row.append(at)
            if any(at >= 0 for at in row):
                lists.append(row)
    return lists


def pattern_body(size, store):
    """32 accesses; loads go to eight registers in turn, and all are used."""
    lines = []
    for i in range(32):
        lines.append("  " + ACCESSES[size][store].format(
            *[i % 8 * 4 + j for j in range(4)]))
        if not store and i % 8 == 7:
            lines += [f"  xor.b32 %u7, %u7, %a{j * 4};" for j in range(8)]
    return "\n".join(lines)


def run_pattern(driver, np, size, store, rounds):
    body = pattern_body(size, store)
    module = driver.load(PATTERN.format(
        body=body, zeros="\n".join(f"  mov.u32 %a{j}, {j};"
                                   for j in range(32))))
    rows = patterns(size)
    table = driver.upload(np.array(rows, np.int32))
    out = driver.alloc(len(rows) * 32 * 16)
    # So much shared memory that a multiprocessor holds one block.
    driver.launch(driver.function(module, "k"), (len(rows), 1, 1),
                  (1024, 1, 1), [C.c_uint64(out), C.c_uint32(rounds),
                                 C.c_uint64(table)], shared=160 * 1024)
    clocks = driver.read(out, np.zeros((len(rows), 32, 2), np.uint64))
    cycles = (clocks[:, :, 1].max(1) - clocks[:, :, 0].min(1)).astype(float)
    driver.unload(module)
    return [{"offsets": row, "cycles": round(c / (32 * 32 * rounds), 3)}
            for row, c in zip(rows, cycles)]


# --- sectors of global memory, for ncu ----------------------------------------

GLOBAL = HEADER + """
.extern .shared .align 1024 .b8 tile[];
.visible .entry k(.param .u64 data, .param .u64 table)
{{
  .reg .pred %on;
  .reg .b32 %u<8>, %a<8>, %s;
  .reg .b64 %x<8>;
  mov.u32 %u0, %tid.x;
  mul.wide.u32 %x0, %u0, 8;
  ld.param.u64 %x1, [table];
  add.s64 %x1, %x1, %x0;
  ld.param.u64 %x2, [data];
  ld.global.v2.u32 {{%u2, %u3}}, [%x1];
  mov.u32 %s, tile;
  add.s32 %s, %s, %u3;
  cvt.s64.s32 %x3, %u2;
  add.s64 %x4, %x2, %x3;
  setp.ge.s32 %on, %u2, 0;
  mov.u32 %a0, 1;
  mov.u32 %a1, 2;
  mov.u32 %a2, 3;
  mov.u32 %a3, 4;
{body}
  ret;
}}
"""
ONE = {
    "ld": "@%on ld.global.cg{v} {r}, [%x4]; st.volatile.shared{v} [%s], {r};",
    "st": "@%on st.global{v} [%x4], {r};",
    "cp.async": "@%on cp.async.{c}.shared.global [%s], [%x4], {size}; "
                "cp.async.wait_all;",
    "red": "@%on red.global.add.u32 [%x4], %a0;",
}


def copy_places():
    """Where the lanes of a cp.async of 16 bytes put their 512 bytes in a row."""
    for swap in (1, 2, 4, 8, 16, 3, 7, 31):
        yield [(lane ^ swap) * 16 for lane in range(32)]
    for piece in (1, 2, 4, 8):  # chunks of 16 bytes that stay together
        yield [(lane // piece % (8 // piece) * 2064 + lane // 8 * 16 * piece +
                lane % piece * 16) for lane in range(32)]
        yield [(lane // piece % (8 // piece) * 4096 + lane // 8 * 16 * piece +
                lane % piece * 16) for lane in range(32)]
        yield [(lane // piece * 128 + lane % piece * 16) for lane in range(32)]
    for row in range(4):  # rows of 128 bytes, xor swizzled
        yield [lane // 8 * 128 + ((lane % 8) ^ (lane // 8 + row)) * 16
               for lane in range(32)]
    yield [lane // 4 * 64 + (lane % 4 ^ lane // 8 % 4) * 16
           for lane in range(32)]
    yield [lane * 144 // 16 * 16 for lane in range(32)]
    yield [lane * 128 for lane in range(32)]


def sector_launches():
    """(kind, size, global offsets of the lanes, shared ones), in order."""
    side_by_side = [lane * 16 for lane in range(32)]

    def rows(size):
        yield [lane * size for lane in range(32)]
        yield [lane * 32 for lane in range(32)]
        yield [lane * 128 for lane in range(32)]
        yield [0] * 32
        for bit in range(1, 5):  # lanes that share a sector, 2^bit apart
            yield [((lane & ~(1 << bit)) * 2 + (lane >> bit & 1)) * 16
                   for lane in range(32)]
        yield [lane % 16 * 128 + lane // 16 * size for lane in range(32)]
        yield [lane % 8 * 128 + lane // 8 * size for lane in range(32)]
        yield [lane * size + (16 if size < 16 else 0) for lane in range(32)]
        yield [lane * size if lane % 3 else -1 for lane in range(32)]
    for kind, sizes in (("ld", (4, 8, 16)), ("st", (4, 8, 16)),
                        ("cp.async", (4, 8, 16)), ("red", (4,))):
        for size in sizes:
            for row in rows(size):
                yield kind, size, row, side_by_side
    for place in copy_places():
        yield "cp.async", 16, side_by_side, place
        # 16 rows of 32 bytes, lanes 16 apart side by side.
        yield "cp.async", 16, [lane % 16 * 128 + lane // 16 * 16
                               for lane in range(32)], place


def run_sectors(driver, np):
    """One launch a pattern; each also loads its table: a request of 8 sectors."""
    registers = {4: "%a0", 8: "{%a0, %a1}", 16: "{%a0, %a1, %a2, %a3}"}
    data = driver.alloc(1 << 20)
    driver.fill(data, 0, 1 << 20)
    modules = {}
    for kind, size, row, place in sector_launches():
        text = ONE[kind].format(v={4: ".u32", 8: ".v2.u32", 16: ".v4.u32"}[size],
                                r=registers[size], size=size,
                                c="cg" if size == 16 else "ca")
        if (kind, size) not in modules:
            modules[kind, size] = driver.load(GLOBAL.format(body="  " + text))
        table = driver.upload(np.array([row, place], np.int32).T.copy())
        driver.launch(driver.function(modules[kind, size], "k"), (1, 1, 1),
                      (32, 1, 1), [C.c_uint64(data), C.c_uint64(table)],
                      shared=32768)


# --- running ------------------------------------------------------------------

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
