# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Our own kernels, with launches that reach all of each.

Every example pattern, and a few more for what no example has: f32 at 128, a
head dimension that no fragment divides, other stages and warps. A kernel has
two entries, and each is a case of its own: the aligned one copies by 16 bytes,
the general one takes any stride.

A launch is heads, queries and keys, then options and params of fovea-case. They
are small, but there are odd and even numbers of tiles, one tile and none,
ragged ends, rows that keep nothing, and keys that nobody keeps (which hold NaN).
"""
import json
import os
import subprocess
from dataclasses import dataclass, field

from runner import Case


@dataclass
class Kernel:
    name: str
    launches: list
    text: str = ""  # else examples/patterns/NAME.attn
    options: list = field(default_factory=list)  # of fovea compile


ROOT = os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.dirname(
        os.path.abspath(__file__)))))
# The first tile, of 64 or 32 keys, is ragged; a query tile sees no key; the last
# key is kept by one query alone, in a tile of its own, and so is for the other
# tile a key that nobody keeps.
SHORT, TINY = "1,3,61 no-lse", "1,3,29"
EMPTY, LAST = "1,200,20", "1,129,192 nan-value"
CAUSAL = ["1,70,150", "1,40,250", EMPTY, SHORT, TINY, LAST]


def _causal(name, rest, *options):
    return Kernel(name, CAUSAL, options=list(options),
                  text=f"pattern p {{ heads q = 4, kv = 2 {rest} mask causal }}")


KERNELS = [
    Kernel("full", ["1,70,150", "1,130,193", "1,3,0", SHORT, TINY]),
    Kernel("causal-gqa", CAUSAL + ["4,20,30"]),
    Kernel("causal-gqa-bf16", CAUSAL + ["4,20,30"]),
    Kernel("cross-start", CAUSAL),
    Kernel("causal-gap", [launch + " w=20" for launch in CAUSAL] +
           ["1,40,45 w=20", "1,70,150 w=0", "1,70,150 w=-1"]),
    Kernel("custom-score", [launch + " trained=100.0" for launch in CAUSAL]),
    Kernel("dilated", CAUSAL + ["1,3,2090"]),
    Kernel("longformer", ["1,70,250 w=100", "1,130,330 w=100", SHORT]),
    Kernel("attention-sinks", ["1,70,250 w=150", "1,130,330 w=150", SHORT,
                               EMPTY, LAST, "1,70,150 w=0", "1,70,150 w=-1"]),
    Kernel("alibi", CAUSAL),
    Kernel("bigbird", ["1,70,700", "1,130,650", "1,40,300", SHORT]),
    Kernel("local-blocks", ["1,100,560", "1,130,150", "1,40,700", SHORT,
                            EMPTY, LAST]),
    Kernel("sliding-window", ["1,70,250 w=150", "1,130,330 w=150", SHORT,
                              EMPTY, LAST, "1,70,150 w=1", "1,70,150 w=0"]),
    Kernel("prefix", ["1,70,150 n=100", "1,130,250 n=100", SHORT,
                      LAST + " n=100"]),
    Kernel("softcap", ["1,70,150", "1,130,250", SHORT, EMPTY, LAST]),
    _causal("f32-128", "dim 128 type f32"),
    _causal("f16-odd", "dim qk = 40, v = 24 type f16"),
    _causal("bf16-1-stage", "dim 64 type bf16", "--stages", "1"),
    _causal("bf16-3-stages", "dim 64 type bf16", "--stages", "3"),
    _causal("bf16-8-warps", "dim 64 type bf16", "--warps", "8"),
    _causal("f32-1-stage", "dim qk = 16, v = 96 type f32", "--stages", "1",
            "--keys", "16"),
    _causal("f32-3-stages", "dim 64 type f32", "--stages", "3"),
]


def _run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}")


def _make(kernel, programs, folder):
    """Compiles a kernel and makes its launches; gives a case an entry."""
    bundle = os.path.join(folder, kernel.name + ".fovea")
    source = ["-e", kernel.text] if kernel.text else [
        os.path.join(ROOT, "examples", "patterns", kernel.name + ".attn")]
    _run([os.path.join(programs, "fovea"), "compile", *source, "--target",
          "sm_80", *kernel.options, "-o", bundle])
    with open(os.path.join(bundle, "manifest.json")) as file:
        entries = json.load(file)["entries"]
    result = []
    for entry, description in enumerate(entries):
        kind = "aligned" if description["alignment"] == 16 else "general"
        launches = []
        for launch in kernel.launches:
            shape, *words = launch.split()
            at = os.path.join(folder, "-".join(
                [kernel.name, kind, shape, *words]))
            extra = []
            for word in words:
                extra += ["--param", word] if "=" in word else ["--" + word]
            _run([os.path.join(programs, "fovea-case"), bundle, "--shape",
                  shape, "--entry", str(entry), *extra, "-o", at])
            launches.append(os.path.join(at, "launch.json"))
        result.append(Case(f"{kernel.name} {kind}",
                           os.path.join(bundle, "kernel.ptx"), launches))
    return result


def cases(names, programs, folder, pool):
    """The cases of the kernels named, all or a list with commas."""
    os.makedirs(folder, exist_ok=True)
    wanted = [k for k in KERNELS if names == "all" or
              k.name in names.split(",")]
    unknown = set(names.split(",")) - {k.name for k in KERNELS} - {"all"}
    if unknown:
        raise RuntimeError(f"no kernel {', '.join(sorted(unknown))}; there are "
                           + ", ".join(k.name for k in KERNELS))
    made = pool.map(lambda k: _make(k, programs, folder), wanted)
    return [case for some in made for case in some]
