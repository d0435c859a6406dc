# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The results as text: caught over planted, by kind and by kernel."""
from collections import Counter

import kinds

HOW = ["race", "out-of-bounds", "misaligned", "uninitialized", "deadlock",
       "trap", "output"]


def _share(mutants):
    caught = sum(1 for m in mutants if m.how)
    return f"{caught}/{len(mutants)}" if mutants else "-"


def _print(rows, out):
    widths = [max(map(len, column)) for column in zip(*rows)]
    for i, row in enumerate(rows):
        cells = [c.ljust(w) if j == 0 else c.rjust(w)
                 for j, (c, w) in enumerate(zip(row, widths))]
        print("| " + " | ".join(cells) + " |", file=out)
        if i == 0:
            print("|" + "|".join(
                " " + "-" * w + (" " if j == 0 else ":")
                for j, w in enumerate(widths)) + "|", file=out)
    print(file=out)


def by_kind(mutants, out):
    used = [h for h in HOW if any(m.how == h for m in mutants)]
    rows = [["kind", "caught/planted", *used]]
    for kind in kinds.KINDS:
        of_kind = [m for m in mutants if m.kind == kind]
        how = Counter(m.how for m in of_kind)
        if of_kind:
            rows.append([kind, _share(of_kind),
                         *(str(how[h] or "") for h in used)])
    how = Counter(m.how for m in mutants)
    rows.append(["all", _share(mutants), *(str(how[h]) for h in used)])
    _print(rows, out)


def by_kernel(mutants, out):
    used = [k for k in kinds.KINDS if any(m.kind == k for m in mutants)]
    rows = [["kernel", *used, "all"]]
    for name in dict.fromkeys(m.case for m in mutants):
        of_case = [m for m in mutants if m.case == name]
        rows.append([name,
                     *(_share([m for m in of_case if m.kind == k])
                       for k in used), _share(of_case)])
    _print(rows, out)


def _list(mutants, out):
    for m in mutants:
        place = f"line {m.line}: {m.statement}" if m.line else "the launch"
        print(f"  {m.case}: {m.kind}, {place}\n      {m.change}; {m.why}",
              file=out)


def survivors(mutants, everything, out):
    alive = [m for m in mutants if not m.how]
    print(f"{len(alive)} survivors", file=out)
    for reason in dict.fromkeys(m.reason for m in alive if m.reason):
        of_reason = [m for m in alive if m.reason == reason]
        by_kind = Counter(m.kind for m in of_reason)
        print(f"\n{len(of_reason)} explained: {reason} (" +
              ", ".join(f"{n} {kind}" for kind, n in by_kind.items()) + ")",
              file=out)
        if everything:
            _list(of_reason, out)
    rest = [m for m in alive if not m.reason]
    print(f"\n{len(rest)} unexplained", file=out)
    _list(rest, out)
