# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Requests of shared and of global memory whose addresses come from a table.

Shared memory: the cycles of one request on a full multiprocessor are its
wavefronts. Global memory: one launch a pattern, for ncu to count the sectors.
"""
import ctypes as C

from rates import HEADER

# --- shared memory ------------------------------------------------------------

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


# --- global memory ------------------------------------------------------------

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
