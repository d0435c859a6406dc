# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What can be wrong with a kernel: one function a kind.

Each takes a statement and gives its mutants, as lists of edits (begin, end,
new text), with a word on what was changed.
"""
import re

from ptx import operands_of

_BITS = re.compile(r"\.(?:[a-z]+?)(8|16|32|64)(?:x2)?$")


def _delete(statement):
    return [(f"deleted", [(statement.begin, statement.end, "")])]


def _deleter(pattern, but=None):
    pattern, but = re.compile(pattern), re.compile(but or r"$^")

    def mutate(statement, random):
        matches = pattern.match(statement.opcode)
        return _delete(statement) if matches and not but.match(
            statement.opcode) else []

    return mutate


def mbarrier_wait(statement, random):
    """mbarrier.try_wait P, ... -> P is true: goes on at once."""
    if not re.match(r"mbarrier\.(try|test)_wait", statement.opcode):
        return []
    predicate = operands_of(statement)[0][0]
    return [("goes on at once", [(statement.body, statement.end,
                                  f"setp.eq.u32 {predicate}, 0, 0")])]


def weaker_wait(statement, random):
    """wait_group N -> wait_group N + 1."""
    if not re.search(r"\.wait_group", statement.opcode):
        return []
    text, at = operands_of(statement)[0]
    return [(f"{text} -> {int(text, 0) + 1}",
             [(at, at + len(text), str(int(text, 0) + 1))])]


def swap(statement, random):
    """Two different registers of a list change places."""
    if not re.match(r"(mma|wmma|wgmma|ldmatrix|stmatrix|ld|st)\.",
                    statement.opcode):
        return []
    mutants = []
    for text, at in operands_of(statement):
        if not text.startswith("{"):
            continue
        places = [(m.group(), at + m.start())
                  for m in re.finditer(r"[%\w$.]+", text)]
        pairs = [(a, b) for i, a in enumerate(places) for b in places[i + 1:]
                 if a[0] != b[0]]
        if not pairs:
            continue
        (x, i), (y, j) = random.choice(pairs)
        mutants.append((f"{x} <-> {y} of operand {text[:24]}",
                        [(i, i + len(x), y), (j, j + len(y), x)]))
    return mutants


def access_bytes(statement):
    opcode = statement.opcode
    if opcode.startswith("cp.async.c"):
        return int(operands_of(statement)[2][0], 0)
    if re.match(r"(ldmatrix|stmatrix|cp\.)", opcode):
        return 16
    bits = _BITS.search(opcode)
    vector = re.search(r"\.v([248])\.", opcode)
    return int(bits.group(1)) // 8 * int(vector.group(1) if vector else 1)


def shift(statement, random):
    """Each address goes one access further."""
    opcode = statement.opcode
    if not re.match(r"(ld|st|atom|red|ldmatrix|stmatrix|cp\.async)\.", opcode) \
            or re.match(r"ld\.param|cp\.async\.(\w*commit|\w*wait|mbarrier|bulk)",
                        opcode):
        return []
    mutants = []
    for text, at in operands_of(statement):
        if text.startswith("["):
            by = access_bytes(statement)
            close = at + text.rindex("]")
            mutants.append((f"{text} + {by}", [(close, close, f"+{by}")]))
    return mutants


def drop_predicate(statement, random):
    if not statement.guard:
        return []
    return [("always", [(statement.begin, statement.body, "")])]


def negate_predicate(statement, random):
    guard = statement.guard
    if not guard:
        return []
    new = "@" + guard[2:] if guard[1] == "!" else "@!" + guard[1:]
    return [(new, [(statement.begin, statement.begin + len(guard), new)])]


def zero_fill(statement, random):
    """cp.async with a source size: all of the chunk comes from the source."""
    if not re.match(r"cp\.async\.c[ag]\.", statement.opcode):
        return []
    operands = operands_of(statement)
    if len(operands) < 4 or not operands[3][0].startswith("%r"):
        return []
    text, at = operands[3]
    return [("no zero fill", [(at, at + len(text), operands[2][0])])]


def bound(statement, random):
    """An integer constant in a comparison is off by one."""
    if not re.match(r"setp\.(lt|le|gt|ge|eq|ne|lo|ls|hi|hs)\.[sub]\d+$",
                    statement.opcode):
        return []
    text, at = operands_of(statement)[-1]
    if not re.fullmatch(r"-?(0x[0-9a-fA-F]+|\d+)", text):
        return []
    new = int(text, 0) + random.choice((-1, 1))
    if new < 0 and not re.search(r"\.s\d+$", statement.opcode):
        new = int(text, 0) + 1
    return [(f"{text} -> {new}", [(at, at + len(text), str(new))])]


# Those that are always planted in full come first.
REMOVALS = {
    "barrier": _deleter(r"(bar|barrier)\.", r"\w+\.(cta\.)?(warp|arrive|red)|"
                        r"barrier\.cluster\.arrive"),
    "warp barrier": _deleter(r"bar\.warp\."),
    "wait": _deleter(r"(cp\.async|wgmma)[\w.:]*\.wait"),
    "mbarrier wait": mbarrier_wait,
    "weaker wait": weaker_wait,
    "commit": _deleter(r".*\.commit_group"),
    "fence": _deleter(r"fence|membar|wgmma\.fence"),
    "arrival": _deleter(r"mbarrier\.(arrive|expect_tx|complete_tx)|"
                        r"cp\.async\.mbarrier|bar(rier)?\.(cta\.)?arrive|"
                        r"barrier\.cluster\.arrive"),
}
CHANGES = {
    "swapped registers": swap,
    "shifted address": shift,
    "dropped predicate": drop_predicate,
    "negated predicate": negate_predicate,
    "zero fill": zero_fill,
    "bound off by one": bound,
}
SHORTENED = "shortened allocation"  # of launches, see launches.py
KINDS = [*REMOVALS, SHORTENED, *CHANGES]
