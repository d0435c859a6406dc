# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Plants mutants and runs them: what became of each."""
import json
import os
import random
import re
import subprocess
import tempfile
from dataclasses import dataclass, field

import kinds
import launches
import ptx

FINDING = re.compile(r":\d+: (race|out-of-bounds|misaligned|uninitialized|"
                     r"deadlock|trap): ")


@dataclass
class Case:
    """A kernel with its launches; a mutant is caught if any of them shows it."""
    name: str
    kernel: str
    launches: list
    kinds: list = None  # of those asked for, these alone


@dataclass
class Mutant:
    case: str
    kind: str
    line: int
    statement: str
    change: str
    guard: str = ""  # what computes the statement's guard
    edits: list = field(default_factory=list)
    launches: list = field(default_factory=list)  # instead of the case's
    how: str = ""  # a kind of finding, or "output"; "": it survived
    why: str = ""  # of a survivor: what can be told from running it
    reason: str = ""  # of a survivor: see explained.py


class Simulator:

    def __init__(self, program):
        self.program = program

    def run(self, kernel, launch, limit=0):
        """The first finding's kind, "output", "refused" or ""."""
        done = subprocess.run([
            self.program, kernel, "--launch", launch, "--limit", str(limit)
        ], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode == 1:
            return FINDING.search(done.stderr).group(1)
        return {0: "", 2: "output", 3: "refused"}[done.returncode]

    def report(self, kernel, launch):
        done = subprocess.run(
            [self.program, kernel, "--launch", launch, "--report", "-"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True)
        return json.loads(done.stdout)


def entries_of(paths):
    result = set()
    for path in paths:
        with open(path) as file:
            result.add(json.load(file)["entry"])
    return result


def guard_of(statements, index):
    guard = statements[index].guard
    return ptx.definition(statements, index, guard.lstrip("@!")) \
        if guard else ""


def plant(case, chosen, sample, seed, folder):
    """The mutants of a case: removals in full, of the other kinds `sample`
    each (0: all), chosen by the seed."""
    with open(case.kernel) as file:
        text = file.read()
    launched = entries_of(case.launches)
    statements = [s for s in ptx.parse(text) if s.entry in launched]
    mutants = []
    for kind in chosen:
        if case.kinds and kind not in case.kinds:
            continue
        source = random.Random(f"{seed} {case.name} {kind}")
        if kind == kinds.SHORTENED:
            mutants += [
                Mutant(case.name, kind, 0, "", what, launches=paths)
                for what, paths in launches.shortened(case.launches, folder)
            ]
            continue
        mutate = kinds.REMOVALS.get(kind) or kinds.CHANGES[kind]
        found = [
            Mutant(case.name, kind, s.line, s.text, change,
                   guard_of(statements, i), edits)
            for i, s in enumerate(statements)
            for change, edits in mutate(s, source)
        ]
        if kind in kinds.CHANGES and sample and len(found) > sample:
            found = source.sample(found, sample)
            found.sort(key=lambda m: m.line)
        mutants += found
    return text, mutants


def apply(text, edits):
    for begin, end, new in sorted(edits, reverse=True):
        text = text[:begin] + new + text[end:]
    return text


def baseline(simulator, case):
    """Runs the kernel as it is: it must be right. Gives the reports."""
    reports = []
    for launch in case.launches:
        how = simulator.run(case.kernel, launch)
        if how:
            raise RuntimeError(f"{case.name} is not right as it is: {how} "
                               f"({simulator.program} {case.kernel} "
                               f"--launch {launch})")
        reports.append(simulator.report(case.kernel, launch))
    return reports


def limit_of(report):
    """A mutant that runs so much longer will not end."""
    return 4 * report["warp_instructions"] + 20_000


def digests(report):
    return {name: o["digest"] for name, o in report["outputs"].items()}


def explain(simulator, mutant, kernel, before, paths):
    """What can be told of a survivor from running it: "same run" means equal
    outputs by equally many instructions."""
    if mutant.launches:
        return "not used"
    if "predicate" not in mutant.kind and all(
            mutant.line in r["counts"]["lines_not_executed"] for r in before):
        return "not executed"
    after = [simulator.report(kernel, path) for path in paths]
    if [digests(r) for r in before] != [digests(r) for r in after]:
        return "within the tolerance"
    if [r["warp_instructions"] for r in before] != [
            r["warp_instructions"] for r in after
    ]:
        return "same bits"
    return "same run"


def run_case(simulator, case, chosen, sample, seed, pool):
    """All mutants of a case, run."""
    before = baseline(simulator, case)
    with tempfile.TemporaryDirectory() as folder:
        text, mutants = plant(case, chosen, sample, seed, folder)

        def judge(item):
            index, mutant = item
            path = os.path.join(folder, f"mutant{index}.ptx")
            with open(path, "w") as file:
                file.write(apply(text, mutant.edits))
            paths = mutant.launches or case.launches
            limit = max(map(limit_of, before))
            for launch in paths:
                mutant.how = simulator.run(path, launch, limit)
                if mutant.how:
                    break
            else:
                mutant.why = explain(simulator, mutant, path, before, paths)
            os.remove(path)

        list(pool.map(judge, enumerate(mutants)))
    return [m for m in mutants if m.how != "refused"]
