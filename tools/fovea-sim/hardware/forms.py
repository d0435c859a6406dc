# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The instruction forms that are probed, by the tables of the PTX ISA.

A form is a piece of PTX that reads registers a0, a1, ... and writes d0, d1,
...; `ins` and `outs` name what these hold (inputs.WIDTH).
"""
from dataclasses import dataclass

FORMS = {}
INTS = ("u16", "s16", "u32", "s32", "u64", "s64")
ROUNDS = ("rn", "rz", "rm", "rp")


@dataclass
class Form:
    name: str
    text: str
    outs: list
    ins: list
    rows: int = 1024
    decl: str = ""
    approx: bool = False
    group: str = ""  # the function below that adds it


def kind_of(ty):
    return {"u16": "i16", "s16": "i16", "b16": "i16", "u32": "i32",
            "s32": "i32", "b32": "i32", "u64": "i64", "s64": "i64",
            "b64": "i64", "u16x2": "i32", "s16x2": "i32"}.get(ty, ty)


def add(name, outs, ins, text=None, **more):
    outs, ins = outs.split(), ins.split()
    if text is None:
        names = [f"d{i}" for i in range(len(outs))]
        names += [f"a{i}" for i in range(len(ins))]
        text = f"{name} {', '.join(names)};"
    assert name not in FORMS, name
    FORMS[name] = Form(name, text, outs, ins, **more)


def integer_forms():
    for ty in INTS:
        k = kind_of(ty)
        for op in ("add", "sub", "min", "max", "mul.lo", "mul.hi", "sad"):
            n = 3 if op == "sad" else 2
            add(f"{op}.{ty}", k, " ".join([k] * n))
        for op in ("mad.lo", "mad.hi"):
            add(f"{op}.{ty}", k, f"{k} {k} {k}")
        for op in ("div", "rem"):  # a divisor of zero is undefined
            bits = ty[1:]
            add(f"{op}.{ty}", k, f"{k} {k}",
                f"setp.eq.b{bits} p0, a1, 0; selp.b{bits} a1, 3, a1, p0;"
                f" {op}.{ty} d0, a0, a1;")
        if ty[1:] != "64":
            w = {"16": "i32", "32": "i64"}[ty[1:]]
            add(f"mul.wide.{ty}", w, f"{k} {k}")
            add(f"mad.wide.{ty}", w, f"{k} {k} {w}")
        if ty[0] == "s":
            add(f"abs.{ty}", k, k)
            add(f"neg.{ty}", k, k)
        add(f"shr.{ty}", k, f"{k} sh")
        if ty[1:] != "16":
            add(f"bfind.{ty}", "i32", k)
            add(f"bfind.shiftamt.{ty}", "i32", k)
            add(f"bfe.{ty}", k, f"{k} sh sh", rows=4096)
    for bits in ("16", "32", "64"):
        k = f"i{bits}"
        for op in ("and", "or", "xor"):
            add(f"{op}.b{bits}", k, f"{k} {k}")
        add(f"not.b{bits}", k, k)
        add(f"cnot.b{bits}", k, k)
        add(f"shl.b{bits}", k, f"{k} sh")
    for bits in ("32", "64"):
        k = f"i{bits}"
        for op in ("popc", "clz"):
            add(f"{op}.b{bits}", "i32", k)
        add(f"brev.b{bits}", k, k)
        add(f"bfi.b{bits}", k, f"{k} {k} sh sh", rows=4096)
    for op in ("add.sat.s32", "sub.sat.s32", "min.relu.s32", "max.relu.s32"):
        add(op, "i32", "i32 i32")
    for op in ("add", "min", "max", "min.relu", "max.relu"):
        for ty in ("u16x2", "s16x2"):
            if "relu" not in op or ty[0] == "s":
                add(f"{op}.{ty}", "i32", "i32 i32")
    add("mad.hi.sat.s32", "i32", "i32 i32 i32")
    for part in ("lo", "hi"):
        for ty in ("u32", "s32"):
            add(f"mul24.{part}.{ty}", "i32", "i32 i32")
            add(f"mad24.{part}.{ty}", "i32", "i32 i32 i32")
    add("mad24.hi.sat.s32", "i32", "i32 i32 i32")
    add("fns.b32", "i32", "i32 lane half", rows=8192)
    for mode in ("clamp", "wrap"):
        add(f"bmsk.{mode}.b32", "i32", "sh sh")
        add(f"szext.{mode}.u32", "i32", "i32 sh")
        add(f"szext.{mode}.s32", "i32", "i32 sh")
        for side in "lr":
            add(f"shf.{side}.{mode}.b32", "i32", "i32 i32 sh", rows=2048)
    for a in ("u32", "s32"):
        for b in ("u32", "s32"):
            add(f"dp4a.{a}.{b}", "i32", "i32 i32 i32")
            add(f"dp2a.lo.{a}.{b}", "i32", "i32 i32 i32")
            add(f"dp2a.hi.{a}.{b}", "i32", "i32 i32 i32")
    add("prmt.b32", "i32", "i32 i32 sel", rows=4096)
    for mode in ("f4e", "b4e", "rc8", "ecl", "ecr", "rc16"):
        add(f"prmt.b32.{mode}", "i32", "i32 i32 sel", rows=1024)
    for lut in (0xE8, 0x96, 0x3F, 0xCA, 0x01, 0x80, 0xF8, 0x6A):
        add(f"lop3.b32 {lut:#x}", "i32", "i32 i32 i32",
            f"lop3.b32 d0, a0, a1, a2, {lut:#x};")
    for op in ("and", "or"):
        add(f"lop3.{op}.b32", "i32 pred", "few few few pred",
            f"lop3.{op}.b32 d0|d1, a0, a1, a2, 0x6a, a3;")


def carry_forms():
    for ty in ("u32", "s32", "u64", "s64"):
        k = kind_of(ty)
        for op in ("add", "sub"):
            add(f"{op}.cc.{ty} chain", f"{k} {k} {k}", f"{k} {k} {k} {k}",
                f"{op}.cc.{ty} d0, a0, a1; {op}c.cc.{ty} d1, a2, a3;"
                f" {op}c.{ty} d2, a0, a3;", rows=2048)
            add(f"{op}.cc.{ty} addc", f"{k} {k}", f"{k} {k} {k} {k}",
                f"{op}.cc.{ty} d0, a0, a1; addc.{ty} d1, a2, a3;", rows=2048)
        add(f"mad.cc.{ty} chain", f"{k} {k} {k}", f"{k} {k} {k}",
            f"mad.lo.cc.{ty} d0, a0, a1, a2; madc.hi.cc.{ty} d1, a0, a1, a2;"
            f" addc.{ty} d2, a0, a2;", rows=2048)
        add(f"mad.hi.cc.{ty}", f"{k} {k}", f"{k} {k} {k}",
            f"mad.hi.cc.{ty} d0, a0, a1, a2; madc.lo.{ty} d1, a1, a2, a0;",
            rows=2048)


def video_forms():
    for n in ("2", "4"):
        for op in ("vadd", "vsub", "vavrg", "vabsdiff", "vmin", "vmax"):
            for d in ("u32", "s32"):
                for a, b in (("u32", "u32"), ("s32", "s32"), ("u32", "s32")):
                    for suffix in ("", ".sat", ".add"):
                        add(f"{op}{n}.{d}.{a}.{b}{suffix}", "i32",
                            "i32 i32 i32")
        for cmp in ("eq", "lt", "ge"):
            for a in ("u32", "s32"):
                add(f"vset{n}.{a}.{a}.{cmp}", "i32", "i32 i32 i32")
                add(f"vset{n}.{a}.{a}.{cmp}.add", "i32", "i32 i32 i32")
    for op in ("vadd", "vsub", "vabsdiff", "vmin", "vmax"):
        for a in ("u32", "s32"):
            for suffix in ("", ".sat"):
                add(f"{op}.{a}.{a}.{a}{suffix}", "i32", "i32 i32")
    for op in ("vshl", "vshr"):
        for a in ("u32", "s32"):
            for mode in ("clamp", "wrap"):
                add(f"{op}.{a}.{a}.u32.{mode}", "i32", "i32 sh")
    add("vmad.s32.s32.s32", "i32", "i32 i32 i32")


def video_selection_forms():
    """Selectors of bytes and halves, secondary operations, masks."""
    def scalar(op, d, a, b, sa="", sb="", sat="", tail=".add", c=True, end=""):
        name = f"{op}.{d}.{a}.{b}{sat}"
        text = f"{name}{tail}{end} d0, a0{sa}, a1{sb}" + (
            ", a2;" if c else ";")
        add(f"{name}{tail}{end} {sa}{sb}", "i32", "i32 i32 i32", text)
    for op in ("vadd", "vsub", "vabsdiff", "vmin", "vmax"):
        for tail in (".add", ".min", ".max"):
            scalar(op, "s32", "s32", "u32", ".b1", ".h1", ".sat", tail)
            scalar(op, "u32", "u32", "s32", ".h0", ".b3", "", tail)
            scalar(op, "s32", "u32", "u32", "", ".b2", "", tail)
        for sel in (".b0", ".b2", ".h0", ".h1"):
            name = f"{op}.s32.s32.s32.sat"
            add(f"{name} into {sel}", "i32", "i32 i32 i32",
                f"{name} d0{sel}, a0, a1.h1, a2;")
    for op in ("vshl", "vshr"):
        for mode in (".clamp", ".wrap"):
            for a in ("u32", "s32"):
                name = f"{op}.{a}.{a}.u32.sat{mode}"
                add(f"{name}.add", "i32", "i32 sh i32",
                    f"{name}.add d0, a0.h1, a1.b0, a2;")
    for d, a, b in (("s32", "s32", "s32"), ("u32", "u32", "u32"),
                    ("s32", "u32", "s32")):
        for mods in ("", ".sat", ".shr7", ".sat.shr15"):
            add(f"vmad.{d}.{a}.{b}{mods} .h0.b1", "i32", "i32 i32 i32",
                f"vmad.{d}.{a}.{b}{mods} d0, a0.h0, a1.b1, a2;")
    add("vmad.u32.u32.u32.po", "i32", "i32 i32 i32")
    add("vmad.s32.s32.s32 minus product", "i32", "i32 i32 i32",
        "vmad.s32.s32.s32 d0, -a0, a1, a2;")
    add("vmad.s32.s32.s32 minus addend", "i32", "i32 i32 i32",
        "vmad.s32.s32.s32 d0, a0, a1, -a2;")
    for cmp in ("eq", "ne", "lt", "le", "gt", "ge"):
        add(f"vset.s32.u32.{cmp}", "i32", "i32 i32")
        add(f"vset.u32.s32.{cmp}.add", "i32", "i32 i32 i32",
            f"vset.u32.s32.{cmp}.add d0, a0.h1, a1.b2, a2;")
    for op in ("vadd", "vsub", "vavrg", "vabsdiff", "vmin", "vmax"):
        for ty in ("u32", "s32"):
            for sat in ("", ".sat"):
                name = f"{op}2.{ty}.{ty}.{ty}{sat}"
                add(f"{name} .h1 .h01 .h32", "i32", "i32 i32 i32",
                    f"{name} d0.h1, a0.h01, a1.h32, a2;")
                name = f"{op}4.{ty}.{ty}.{ty}{sat}"
                add(f"{name} .b20 .b0123 .b7546", "i32", "i32 i32 i32",
                    f"{name} d0.b20, a0.b0123, a1.b7546, a2;")
            name = f"{op}4.{ty}.{ty}.{ty}.add"
            add(f"{name} .b310 .b7654 .b3210", "i32", "i32 i32 i32",
                f"{name} d0.b310, a0.b7654, a1.b3210, a2;")
    for n, mask, sel in (("2", ".h0", ".h23"), ("4", ".b31", ".b4567")):
        for cmp in ("ne", "gt", "le"):
            for end in ("", ".add"):
                name = f"vset{n}.s32.u32.{cmp}{end}"
                add(f"{name} {mask} {sel}", "i32", "i32 i32 i32",
                    f"{name} d0{mask}, a0{sel}, a1, a2;")


def compare_forms():
    order = ("eq", "ne", "lt", "le", "gt", "ge")
    floats = order + ("equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan")
    tys = {f"b{n}": order[:2] for n in (16, 32, 64)}
    tys |= {t: order + (("lo", "ls", "hi", "hs") if t[0] == "u" else ())
            for t in INTS}
    tys |= {t: floats for t in ("f16", "bf16", "f32", "f64")}
    for ty, cmps in tys.items():
        k = kind_of(ty)
        for cmp in cmps:
            if ty in ("f16", "bf16"):
                add(f"setp.{cmp}.{ty}", "pred", f"{k} {k}")
            else:
                add(f"setp.{cmp}.{ty}", "pred pred", f"{k} {k}",
                    f"setp.{cmp}.{ty} d0|d1, a0, a1;")
            if ty in ("f16", "f32"):
                add(f"setp.{cmp}.ftz.{ty}", "pred", f"{k} {k}")
            if ty not in ("f16", "bf16"):
                add(f"set.{cmp}.u32.{ty}", "i32", f"{k} {k}")
                add(f"set.{cmp}.f32.{ty}", "f32", f"{k} {k}")
            else:
                for d in (ty, "u16", "s16", "u32", "s32"):
                    add(f"set.{cmp}.{d}.{ty}", kind_of(d), f"{k} {k}")
    for ty in ("f16x2", "bf16x2"):
        for cmp in floats:
            add(f"setp.{cmp}.{ty}", "pred pred", f"{ty} {ty}",
                f"setp.{cmp}.{ty} d0|d1, a0, a1;")
            for d in (ty, "u32", "s32"):
                add(f"set.{cmp}.{d}.{ty}", kind_of(d), f"{ty} {ty}")
            if ty == "f16x2":
                add(f"set.{cmp}.ftz.{ty}.{ty}", ty, f"{ty} {ty}")
    for op in ("and", "or", "xor"):
        add(f"setp.lt.{op}.s32", "pred pred", "i32 i32 pred",
            f"setp.lt.{op}.s32 d0|d1, a0, a1, a2;")
        add(f"setp.geu.{op}.ftz.f32", "pred pred", "f32 f32 pred",
            f"setp.geu.{op}.ftz.f32 d0|d1, a0, a1, a2;")
        add(f"setp.lt.{op}.f16x2", "pred pred", "f16x2 f16x2 pred",
            f"setp.lt.{op}.f16x2 d0|d1, a0, a1, a2;")
        add(f"set.lt.{op}.u32.f32", "i32", "f32 f32 pred")
        add(f"set.lt.{op}.f16x2.f16x2", "f16x2", "f16x2 f16x2 pred")
    for ty in ("f32", "f64"):
        for p in ("finite", "infinite", "number", "notanumber", "normal",
                  "subnormal"):
            add(f"testp.{p}.{ty}", "pred", ty, rows=2048)
    for bits in ("16", "32", "64"):
        add(f"selp.b{bits}", f"i{bits}", f"i{bits} i{bits} pred")
    for ty in ("u16", "u32", "s64", "f32", "f64", "b16"):
        k = kind_of(ty)
        add(f"slct.{ty}.s32", k, f"{k} {k} i32")
        add(f"slct.{ty}.f32", k, f"{k} {k} f32")
        add(f"slct.ftz.{ty}.f32", k, f"{k} {k} f32")


def float_forms():
    for op, n in (("add", 2), ("sub", 2), ("mul", 2), ("fma", 3)):
        for r in ROUNDS:
            for ftz in ("", ".ftz"):
                for sat in ("", ".sat"):
                    add(f"{op}.{r}{ftz}{sat}.f32", "f32",
                        " ".join(["f32"] * n), rows=4096)
            add(f"{op}.{r}.f64", "f64", " ".join(["f64"] * n), rows=3072)
    add("mad.rn.f32", "f32", "f32 f32 f32")
    add("mad.rz.f64", "f64", "f64 f64 f64")
    for ftz in ("", ".ftz"):
        for r in ROUNDS:
            add(f"div.{r}{ftz}.f32", "f32", "f32 f32", rows=8192)
            add(f"rcp.{r}{ftz}.f32", "f32", "f32", rows=16384)
            add(f"sqrt.{r}{ftz}.f32", "f32", "f32", rows=16384)
        for op in ("min", "max"):
            for nan in ("", ".NaN"):
                for x in ("", ".xorsign.abs"):
                    add(f"{op}{ftz}{nan}{x}.f32", "f32", "f32 f32", rows=4096)
        for op in ("abs", "neg"):
            add(f"{op}{ftz}.f32", "f32", "f32")
    for r in ROUNDS:
        add(f"div.{r}.f64", "f64", "f64 f64", rows=4096)
        add(f"rcp.{r}.f64", "f64", "f64", rows=4096)
        add(f"sqrt.{r}.f64", "f64", "f64", rows=4096)
    for op in ("min", "max", "copysign"):
        add(f"{op}.f64", "f64", "f64 f64", rows=3072)
    add("copysign.f32", "f32", "f32 f32", rows=3072)
    add("abs.f64", "f64", "f64")
    add("neg.f64", "f64", "f64")


def half_forms():
    for ty in ("f16", "f16x2", "bf16", "bf16x2"):
        for op, n in (("add", 2), ("sub", 2), ("mul", 2), ("fma", 3)):
            names = [f"{op}.rn", op] if n == 2 else [f"{op}.rn"]
            for name in names:
                mods = [""]
                if ty[0] == "f":
                    mods += [".ftz", ".sat", ".ftz.sat"]
                if n == 3:
                    mods += [".relu"] + ([".ftz.relu"] if ty[0] == "f" else [])
                for mod in mods:
                    add(f"{name}{mod}.{ty}", ty, " ".join([ty] * n),
                        rows=6144)
        for op in ("min", "max"):
            for ftz in ("", ".ftz") if ty[0] == "f" else ("",):
                for nan in ("", ".NaN"):
                    for x in ("", ".xorsign.abs"):
                        add(f"{op}{ftz}{nan}{x}.{ty}", ty, f"{ty} {ty}",
                            rows=4096)
        for op in ("abs", "neg"):
            for ftz in ("", ".ftz") if ty[0] == "f" else ("",):
                add(f"{op}{ftz}.{ty}", ty, ty, rows=65536)
        add(f"tanh.approx.{ty}", ty, ty, rows=65536, approx=True)
        add(f"ex2.approx{'.ftz' if ty[0] == 'b' else ''}.{ty}", ty, ty,
            rows=65536, approx=True)
    add("fma.rn.oob.f16", "f16", "f16 f16 f16", rows=4096)
    add("fma.rn.oob.relu.bf16x2", "bf16x2", "bf16x2 bf16x2 bf16x2", rows=4096)


def approximate_forms():
    for ftz in ("", ".ftz"):
        for op in ("ex2", "lg2", "sin", "cos", "rcp", "rsqrt", "sqrt"):
            add(f"{op}.approx{ftz}.f32", "f32", "f32", rows=32768,
                approx=True)
        for op in ("approx", "full"):
            add(f"div.{op}{ftz}.f32", "f32", "f32 f32", rows=16384,
                approx=True)
    add("tanh.approx.f32", "f32", "f32", rows=32768, approx=True)
    add("rcp.approx.ftz.f64", "f64", "f64", rows=8192, approx=True)
    add("rsqrt.approx.ftz.f64", "f64", "f64", rows=8192, approx=True)
    add("rsqrt.approx.f64", "f64", "f64", rows=8192, approx=True)


# What ptxas 13.0 takes between floats: rounding modes, then other modifiers.
FLOAT_CONVERSIONS = {
    "f16.f16": ("- rni rzi rmi rpi", "- sat"),
    "f16.f32": ("rn rz rm rp", "- sat ftz ftz.sat"),
    "f16.f64": ("rn rz rm rp", "- sat"),
    "f16.bf16": ("- rn rz rm rp", "-"),
    "bf16.f16": ("- rn rz rm rp", "-"),
    "bf16.bf16": ("- rni rzi rmi rpi", "-"),
    "bf16.f32": ("rn rz rm rp", "- ftz"),
    "bf16.f64": ("rn rz rm rp", "-"),
    "f32.f16": ("-", "- sat ftz ftz.sat"),
    "f32.bf16": ("- rn rz rm rp", "- ftz"),
    "f32.f32": ("- rni rzi rmi rpi", "- sat ftz ftz.sat"),
    "f32.f64": ("rn rz rm rp", "- sat ftz ftz.sat"),
    "f64.f16": ("-", "- sat"),
    "f64.bf16": ("- rn rz rm rp", "-"),
    "f64.f32": ("-", "- sat ftz ftz.sat"),
    "f64.f64": ("- rni rzi rmi rpi", "- sat"),
    "tf32.f32": ("rna", "- satfinite"),
}


def convert_forms():
    ints = ("u8", "s8") + INTS
    floats = ("f16", "bf16", "f32", "f64")

    def kind(ty):
        return {"u8": "i8r16", "s8": "i8r16"}.get(ty, kind_of(ty))

    def one(mods, to, frm, rows=1024):
        mods = "".join("." + m for m in mods.split() if m != "-")
        add(f"cvt{mods}.{to}.{frm}", kind(to), kind(frm), rows=rows)
    for to in ints:
        for frm in ints:
            one("", to, frm)
            bits, from_bits = int(to[1:]), int(frm[1:])
            if not (bits >= from_bits and to[0] == frm[0]
                    or to[0] == "s" and bits > from_bits):
                one("sat", to, frm)
    for to, frm in (("s8", "s32"), ("u8", "s32"), ("u16", "u32"),
                    ("s16", "s32"), ("s8", "f32"), ("u8", "f32")):
        mods = ".rzi" if frm == "f32" else ""
        add(f"cvt{mods}.{to}.{frm} wide", "i32", kind(frm),
            f"cvt{mods}.{to}.{frm} d0, a0;")
    for to, frm in (("s32", "s8"), ("u32", "u8"), ("s32", "s16"),
                    ("u64", "u16"), ("f32", "u8"), ("f32", "s8")):
        mods = ".rn" if to == "f32" else ""
        add(f"cvt{mods}.{to}.{frm} wide", kind(to), "i32",
            f"cvt{mods}.{to}.{frm} d0, a0;")
    for to in floats:
        for frm in ints:
            if to == "bf16" and frm in ("u8", "s8"):
                continue
            for r in ROUNDS:
                one(r, to, frm)
                if to != "bf16":
                    one(f"{r} sat", to, frm)
    for frm in floats:
        for to in ints:
            if frm == "bf16" and to in ("u8", "s8"):
                continue
            for r in ("rni", "rzi", "rmi", "rpi"):
                one(r, to, frm, 2048)
                if frm != "bf16":
                    one(f"{r} sat", to, frm)
                if frm == "f32":
                    one(f"{r} ftz", to, frm)
                    one(f"{r} ftz sat", to, frm)
    for pair, (rounds, mods) in FLOAT_CONVERSIONS.items():
        for r in rounds.split():
            for mod in mods.split():
                one(f"{r} {mod}", *pair.split("."), 3072)
    for r in ("rn", "rz"):
        for to in ("f16", "bf16"):
            for mods in ("relu", "satfinite", "relu satfinite"):
                one(f"{r} {mods}", to, "f32", 3072)
        one(f"{r}", "tf32", "f32", 3072)
        one(f"{r} relu", "tf32", "f32", 3072)
        for to in ("f16x2", "bf16x2"):
            for mods in ("", ".relu", ".satfinite", ".relu.satfinite"):
                add(f"cvt.{r}{mods}.{to}.f32", to, "f32 f32", rows=4096)
    for f8 in ("e4m3x2", "e5m2x2"):
        for mods in ("", ".relu"):
            add(f"cvt.rn.satfinite{mods}.{f8}.f32", f8, "f32 f32", rows=4096)
            add(f"cvt.rn.satfinite{mods}.{f8}.f16x2", f8, "f16x2", rows=65536)
            add(f"cvt.rn{mods}.f16x2.{f8}", "f16x2", f8, rows=65536)
    for to in ("u16", "s16"):
        add(f"cvt.pack.sat.{to}.s32", "i32", "i32 i32")
    for to in ("u8", "s8", "u4", "s4", "u2", "s2"):
        add(f"cvt.pack.sat.{to}.s32.b32", "i32", "i32 i32 i32")


def warp_forms():
    for mode in ("up", "down", "bfly", "idx"):
        add(f"shfl.sync.{mode}.b32", "i32 pred", "i32 lane lane",
            f"shfl.sync.{mode}.b32 d0|d1, a0, a1, a2, 0xffffffff;", rows=8192)
    for mode in ("all", "any", "uni"):
        add(f"vote.sync.{mode}.pred", "pred", "few",
            f"setp.eq.u32 p0, a0, 7; vote.sync.{mode}.pred d0, p0, -1;",
            rows=4096)
    add("vote.sync.ballot.b32", "i32", "pred",
        "vote.sync.ballot.b32 d0, a0, 0xffffffff;")
    for bits, k in (("32", "few"), ("64", "few64")):
        add(f"match.any.sync.b{bits}", "i32", k,
            f"match.any.sync.b{bits} d0, a0, 0xffffffff;")
        add(f"match.all.sync.b{bits}", "i32 pred", k,
            f"match.all.sync.b{bits} d0|d1, a0, 0xffffffff;")
    for op in ("add", "min", "max"):
        for ty in ("u32", "s32"):
            add(f"redux.sync.{op}.{ty}", "i32", "i32",
                f"redux.sync.{op}.{ty} d0, a0, 0xffffffff;")
    for op in ("and", "or", "xor"):
        add(f"redux.sync.{op}.b32", "i32", "i32",
            f"redux.sync.{op}.b32 d0, a0, 0xffffffff;")
    add("elect.sync", "i32 pred", "i32", "elect.sync d0|d1, 0xffffffff;")
    add("movmatrix.sync.aligned.m8n8.trans.b16", "i32", "i32")
    for trans in ("", ".trans"):
        for n in (1, 2, 4):
            outs = ", ".join(f"d{i}" for i in range(n))
            ins = ", ".join(f"a{i}" for i in range(n))
            name = f"sync.aligned.m8n8.x{n}{trans}.shared.b16"
            add(f"ldmatrix.{name}", " ".join(["i32"] * n), "i32 i32 i32 i32",
                "st.shared.v4.b32 [sh], {a0, a1, a2, a3}; bar.warp.sync -1;"
                f" ldmatrix.{name} {{{outs}}}, [sh];", rows=512)
            add(f"stmatrix.{name}", "i32 i32 i32 i32", "i32 i32 i32 i32",
                "st.shared.v4.b32 [sh], {0, 0, 0, 0}; bar.warp.sync -1;"
                f" stmatrix.{name} [sh], {{{ins}}}; bar.warp.sync -1;"
                " ld.shared.v4.b32 {d0, d1, d2, d3}, [sh];", rows=512)


def atomic_forms():
    table = {"and": "b32 b64", "or": "b32 b64", "xor": "b32 b64",
             "exch": "b32 b64", "add": "u32 s32 u64 f32 f64", "inc": "u32",
             "dec": "u32", "min": "u32 s32 u64 s64", "max": "u32 s32 u64 s64",
             "add.noftz": "f16 f16x2 bf16 bf16x2"}
    for where, at in (("global", "gp"), ("shared", "sh")):
        for op, tys in table.items():
            for ty in tys.split():
                k = kind_of(ty)
                bits = {"i32": 32, "i64": 64, "f32": 32, "f64": 64,
                        "f16": 16, "bf16": 16}.get(k, 32)
                name = f"atom.{where}.{op}.{ty}"
                add(name, f"{k} {k}", f"{k} {k}",
                    f"st.{where}.b{bits} [{at}], a0; {name} d0, [{at}], a1;"
                    f" ld.volatile.{where}.b{bits} d1, [{at}];", rows=2048)
                if op != "exch":
                    red = name.replace("atom", "red")
                    add(red, k, f"{k} {k}",
                        f"st.{where}.b{bits} [{at}], a0; {red} [{at}], a1;"
                        f" ld.volatile.{where}.b{bits} d0, [{at}];",
                        rows=2048)
        for bits in ("16", "32", "64"):
            k = {"16": "i16", "32": "few", "64": "few64"}[bits]
            name = f"atom.{where}.cas.b{bits}"
            add(name, f"i{bits} i{bits}", f"{k} {k} {k}",
                f"st.{where}.b{bits} [{at}], a0; {name} d0, [{at}], a1, a2;"
                f" ld.volatile.{where}.b{bits} d1, [{at}];", rows=2048)
    for op in ("add", "min", "max"):
        for ty, n in (("f16x2", 2), ("f16x2", 4), ("bf16x2", 2), ("f32", 2),
                      ("f16", 4), ("bf16", 2)):
            if ty == "f32" and op != "add":
                continue
            noftz = "" if ty == "f32" else ".noftz"
            bits = 16 if ty in ("f16", "bf16") else 32
            olds = ", ".join(f"d{i}" for i in range(n))
            news = ", ".join(f"d{i + n}" for i in range(n))
            values = ["a1", "a0", "a1", "a1"][:n]
            name = f"atom.global.v{n}.{ty}.{op}{noftz}"
            first = ", ".join(["a0", "a1", "a0", "a0"][:n])
            add(name, " ".join([ty] * 2 * n), f"{ty} {ty}",
                f"st.global.v{n}.b{bits} [gp], {{{first}}};"
                f" atom.global.{op}{noftz}.v{n}.{ty} {{{olds}}}, [gp],"
                f" {{{', '.join(values)}}};"
                f" ld.volatile.global.v{n}.b{bits} {{{news}}}, [gp];",
                rows=2048)


def least_normal_forms():
    """Products that rounding may lift to the least normal number."""
    for bits, ty in (("32", "f32"), ("16", "f16")):
        t = f"tiny{bits}"
        for r in ROUNDS if ty == "f32" else ("rn",):
            add(f"mul.{r}.ftz.{ty} tiny", ty, f"{t} {t}",
                f"mul.{r}.ftz.{ty} d0, a0, a1;", rows=4096)
            add(f"fma.{r}.ftz.{ty} tiny", ty, f"{t} {t} {t}",
                f"fma.{r}.ftz.{ty} d0, a0, a1, a2;", rows=8192)
            if ty == "f32":
                add(f"div.{r}.ftz.f32 tiny", ty, f"{t} {t}",
                    f"div.{r}.ftz.f32 d0, a0, a1;", rows=4096)
    add("rcp.rp.ftz.f32 tiny", "f32", "tiny32 tiny32",
        "mul.rn.f32 d0, a1, 0f73800000; rcp.rp.ftz.f32 d0, d0;")
    add("mul.rn.ftz.sat.f16x2 tiny", "f16", "tiny16 tiny16",
        ".reg .b32 x, y; mov.b32 x, {a0, a0}; mov.b32 y, {a1, a0};"
        " mul.rn.ftz.sat.f16x2 x, x, y; mov.b32 {d0, a1}, x;")
    for w in ("global", "shared"):
        at = "gp" if w == "global" else "sh"
        add(f"atom.{w}.add.f32 tiny", "f32", "tiny32 tiny32",
            f"mul.rn.f32 a0, a0, 0f20000000; neg.f32 a0, a0;"
            f" st.{w}.b32 [{at}], a0; atom.{w}.add.f32 a0, [{at}], a1;"
            f" ld.volatile.{w}.b32 d0, [{at}];")


def wide_atomic_forms():
    add("atom.generic.add.f32 of shared", "f32", "f32 f32",
        ".reg .b64 ga; cvt.u64.u32 ga, sh; cvta.shared.u64 ga, ga;"
        " st.b32 [ga], a0; atom.add.f32 a0, [ga], a1; ld.volatile.b32 d0, [ga];",
        rows=2048)
    add("atom.generic.add.f32 of global", "f32", "f32 f32",
        "st.b32 [gp], a0; atom.add.f32 a0, [gp], a1; ld.volatile.b32 d0, [gp];",
        rows=2048)
    for op in ("exch", "cas"):
        extra = ", y" if op == "cas" else ""
        add(f"atom.global.{op}.b128", "i64 i64 i64 i64", "few64 few64 few64",
            ".reg .b128 x, y; st.global.v2.b64 [gp], {a0, a1};"
            " mov.b128 x, {a2, a1}; mov.b128 y, {a1, a2};"
            f" atom.global.{op}.b128 x, [gp], x{extra};"
            " mov.b128 {d0, d1}, x; ld.volatile.global.b64 d2, [gp];"
            " ld.volatile.global.b64 d3, [gp+8];", rows=1024)


def chain_forms():
    """What the carry is after each of these, seen by addc and subc."""
    for ty in ("u32", "u64"):
        k = kind_of(ty)
        for first in ("add.cc", "sub.cc", "mad.lo.cc", "mad.hi.cc"):
            three = ", a2" if first.startswith("mad") else ""
            for then in ("addc", "subc", "addc.cc", "subc.cc"):
                op = f"{first}.{ty} d0, a0, a1{three}; {then}.{ty} d1, a2, a0;"
                outs, last = f"{k} {k}", ""
                if then.endswith("cc"):
                    outs, last = f"{k} {k} {k}", f" addc.{ty} d2, a1, 0;"
                add(f"{first} {then}.{ty}", outs, f"{k} {k} {k}", op + last,
                    rows=1024)
        for then in ("madc.lo", "madc.hi"):
            add(f"sub.cc {then}.{ty}", f"{k} {k}", f"{k} {k} {k}",
                f"sub.cc.{ty} d0, a0, a1; {then}.{ty} d1, a0, a1, a2;")


def out_of_bounds_forms():
    """fma.oob of patterns that may stand for what lies outside of a tensor."""
    for ty in ("f16", "bf16"):
        for relu in ("", ".relu"):
            for bits in ("0xffff", "0x7fff", "0xfeff", "0xffc0", "0xfe00",
                         "0x7e00", "0x7fc0", "0xfc01", "0xff81"):
                add(f"fma.rn.oob{relu}.{ty} of {bits}", f"{ty} {ty} {ty}",
                    f"{ty} {ty}",
                    f".reg .b16 x; mov.b16 x, {bits};"
                    f" fma.rn.oob{relu}.{ty} d0, x, a0, a1;"
                    f" fma.rn.oob{relu}.{ty} d1, a0, x, a1;"
                    f" fma.rn.oob{relu}.{ty} d2, a0, a1, x;", rows=256)


for build in (integer_forms, carry_forms, video_forms, compare_forms,
              float_forms, half_forms, approximate_forms, convert_forms,
              warp_forms, atomic_forms, least_normal_forms, video_selection_forms,
              wide_atomic_forms, chain_forms, out_of_bounds_forms):
    before = len(FORMS)
    build()
    for form in list(FORMS.values())[before:]:
        form.group = build.__name__[: -len("_forms")]
