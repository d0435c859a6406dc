# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Survivors that are explained: docs/mutation.md says why for each name.

Of our kernels by rules, since code is generated and lines move; of the
corpus', which are as their compilers made them, by line. What no rule names
is listed by the table as unexplained.
"""
import re
from dataclasses import dataclass


@dataclass
class Rule:
    name: str
    kind: str  # all of these are regular expressions, of the whole text
    statement: str = ".*"  # registers as %r, %p, ... without numbers
    guard: str = ".*"  # what the guard is computed by
    change: str = ".*"
    case: str = ".*"
    most: int = 1000  # in one case

    def fits(self, mutant):
        return all(
            re.fullmatch(pattern, text, re.S)
            for pattern, text in [(self.kind, mutant.kind), (
                self.statement, plain(mutant.statement)), (
                    self.guard, plain(mutant.guard)), (
                        self.change, mutant.change), (self.case, mutant.case)])


def plain(text):
    """The text without numbers of registers and labels."""
    return re.sub(r"\$L\w+", "L", re.sub(r"%([a-z]+)\d+", r"%\1", text))


BRANCH = r"@!?%p bra(\.uni)? L"
ALL_KEPT = r"setp\.eq\.b32 %p, %r, (15|255|65535|-1)"
OWN = [
    # Q stays in shared memory and no tile is visited.
    Rule("drain", "(weaker )?wait", r"cp\.async\.wait_group 0",
         case=".* aligned", most=1),
    Rule("drain", "commit", case=".* aligned", most=1),
    Rule("either would do", "zero fill"),
    Rule("any of several", "bound off by one", r"setp\.ne\.b32 %p, %r, 0"),
    Rule("any of several", "negated predicate", BRANCH,
         r"setp\.ne\.b32 %p, %r, 0"),
    Rule("no such value", "bound off by one",
         r"setp\.(lt|gt|le|ge)\.s(32|64) %p, %rd?, -?\d+"),
    Rule("shortcut", "bound off by one", ALL_KEPT),
    Rule("shortcut", "(dropped|negated) predicate", BRANCH,
         rf"or\.pred .* <- {ALL_KEPT} .*"),
    Rule("shortcut", "dropped predicate", BRANCH,
         r"not\.pred %p, %p <- or\.pred .*"),
    Rule("one probe is enough", "dropped predicate", BRANCH,
         r"or\.pred .* <- setp\.ge\.s32 %p, %r, %r <- or\.pred .*"),
    Rule("commutes", "swapped registers",
         r"ld\.shared\.v4\.b32 \{.*\}, \[fovea_shared\+\d+\]"),
    Rule("padding", "(swapped registers|shifted address)", case="f16-odd .*"),
    Rule("never a full tile", "shifted address",
         r"cp\.async\.cg\.shared\.global \[.*\], \[.*\], 16",
         case="dilated aligned"),
]


@dataclass
class Place:
    """Lines of one kernel of the corpus."""
    name: str
    case: str
    kind: str
    lines: tuple

    def fits(self, mutant):
        return (self.case == mutant.case and
                re.fullmatch(self.kind, mutant.kind) and
                mutant.line in self.lines)


WAITS = "(weaker )?wait"
CORPUS = [
    Place("last of its kind", "block_reduce", "barrier", (130,)),
    Place("init", "bulk_ring", "fence", (62,)),
    Place("init", "tma_gemm", "fence", (66,)),
    Place("bar orders", "named_barriers", "fence", (57, 72, 99)),
    Place("last of its kind", "named_barriers", "fence", (320,)),
    Place("last of its kind", "tma_gemm", "barrier", (519,)),
    Place("same registers", "tma_gemm", "fence", (313, 439)),
    Place("dead", "tma_gemm", "arrival", (529,)),
    Place("one before", "tr_flash_sm80", "barrier", (590, 1051)),
    Place("drain", "tr_flash_sm80", WAITS, (1050,)),
    Place("joins the next", "tr_flash_sm80", "commit", (120, 608)),
    Place("either would do", "tr_flash_sm90", "barrier", (1134, 1181)),
    Place("drain", "tr_flash_sm90", WAITS, (1180,)),
    Place("joins the next", "tr_flash_sm90", "commit", (138, 617, 679)),
    Place("drain", "tr_flash_sm90", "commit", (1151, 1172)),
    Place("one before", "tr_flash_sm90", "fence", (519, 1054)),
    Place("one before", "tr_matmul_sm80", "barrier", (247,)),
    Place("one before", "tr_matmul_sm80", WAITS, (246,)),
    Place("either would do", "tr_matmul_sm80", WAITS, (336, 337)),
    Place("drain", "tr_matmul_sm80", "weaker wait", (404,)),
    Place("joins the next", "tr_matmul_sm80", "commit", (74,)),
    Place("joins the next", "tr_matmul_sm90", "commit", (73,)),
    Place("either would do", "tr_matmul_tma_sm90", "barrier",
          (79, 86, 95, 104, 109, 118)),
    Place("either would do", "tr_matmul_tma_sm90", "barrier", (275, 283)),
    Place("one before", "tr_matmul_tma_sm90", "barrier",
          (219, 291, 306, 312)),
    Place("last of its kind", "tr_matmul_tma_sm90", "barrier", (372,)),
]


def explain(mutants):
    """Names the reason of each survivor that has one."""
    used = {}
    for mutant in mutants:
        if mutant.how:
            continue
        for rule in CORPUS + OWN:
            if rule.fits(mutant):
                key = (id(rule), mutant.case, mutant.kind)
                used[key] = used.get(key, 0) + 1
                if used[key] <= getattr(rule, "most", 1000):
                    mutant.reason = rule.name
                    break
