# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Kernels that repeat one PTX statement on independent registers and read the
clock before and after. A block of 1024 threads fills one multiprocessor, so
that its cycles over the warp instructions are what one of them costs there."""

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
