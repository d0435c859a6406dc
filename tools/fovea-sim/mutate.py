#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Is each synchronisation of a kernel needed, and is its loss noticed?

Takes out each barrier, wait, commit, fence and arrival in turn and runs what
is left. A survivor is a redundant one, one that the launch does not
execute, or a gap in the checks:

    mutate.py FOVEA_SIM KERNEL.ptx LAUNCH.json...

Several launch files count as one: a mutant is caught if any of them shows it.
"""
import re
import subprocess
import sys
import tempfile

KINDS = [
    ("barrier", r"^\s*(bar\.sync|barrier\.)"),
    ("wait", r"(cp\.async|wgmma)[\w.:]*\.wait"),
    ("commit", r"commit_group"),
    ("proxy fence", r"fence\.proxy"),
    ("arrival", r"mbarrier\.arrive"),
]


def is_caught(simulator, text, launches):
    with tempfile.NamedTemporaryFile("w", suffix=".ptx") as mutant:
        mutant.write(text)
        mutant.flush()
        for launch in launches:
            run = subprocess.run([simulator, mutant.name, "--launch", launch],
                                 stderr=subprocess.DEVNULL)
            if run.returncode in (1, 2):
                return True
    return False


def main():
    simulator, kernel, launches = sys.argv[1], sys.argv[2], sys.argv[3:]
    with open(kernel) as file:
        lines = file.read().split("\n")
    for name, pattern in KINDS:
        places = [i for i, line in enumerate(lines) if re.search(pattern, line)]
        survivors = []
        for i in places:
            mutant = list(lines)
            mutant[i] = re.sub(r"[^;]*;", ";", mutant[i], count=1)
            if not is_caught(simulator, "\n".join(mutant), launches):
                survivors.append(i + 1)
        if places:
            print(f"{name}: {len(places) - len(survivors)} of {len(places)} "
                  f"caught, survivors at lines {survivors}")


if __name__ == "__main__":
    main()
