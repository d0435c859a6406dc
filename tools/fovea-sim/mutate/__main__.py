#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Is every fault of a kernel noticed? (docs/mutation.md)

Plants faults in PTX one at a time, runs what is left on the simulator, and
prints what was caught, how, and what survived.
"""
import argparse
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import explained
import foreign
import kinds
import own
import runner
import table


def arguments():
    parser = argparse.ArgumentParser(
        prog="mutate", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kernel", nargs="?", help="KERNEL.ptx, with launches")
    parser.add_argument("launches", nargs="*", metavar="LAUNCH.json")
    parser.add_argument("--own", metavar="LIST", nargs="?", const="all",
                        help="our kernels: names, or all")
    parser.add_argument("--corpus", metavar="FOLDER",
                        help="the synchronising kernels of a corpus")
    parser.add_argument("--bin", default="build/bin", metavar="FOLDER",
                        help="where fovea, fovea-case and fovea-sim are")
    parser.add_argument("--work", default="build/mutation", metavar="FOLDER",
                        help="where the cases of our kernels are made")
    parser.add_argument("--kinds", metavar="LIST",
                        help="of: removals, " + ", ".join(kinds.KINDS))
    parser.add_argument("--sample", type=int, default=0, metavar="N",
                        help="mutants of each plentiful kind (0: all)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true",
                        help="every survivor, not only the unexplained")
    parser.add_argument("--json", metavar="FILE", help="every mutant")
    parser.add_argument("--least", default="", metavar="KIND=PERCENT,...",
                        help="fail where fewer are caught")
    return parser.parse_args()


def kinds_of(name):
    if name == "removals":
        return list(kinds.REMOVALS)
    if name not in kinds.KINDS:
        sys.exit(f"mutate: unknown kind '{name}'; there are removals, " +
                 ", ".join(kinds.KINDS))
    return [name]


def chosen_kinds(text):
    names = text.split(",") if text else kinds.KINDS
    return [kind for name in names for kind in kinds_of(name)]


def too_few(mutants, least):
    """Kinds of which fewer are caught than wanted, as messages."""
    messages = []
    for item in filter(None, least.split(",")):
        name, percent = item.rsplit("=", 1)
        of_kind = [m for m in mutants if m.kind in kinds_of(name)]
        caught = sum(1 for m in of_kind if m.how)
        if not of_kind or 100 * caught < int(percent) * len(of_kind):
            messages.append(f"{name}: {caught} of {len(of_kind)} caught, "
                            f"expected at least {percent} %")
    return messages


def chosen_cases(args, pool):
    cases = []
    if args.kernel:
        name = os.path.basename(os.path.dirname(args.kernel)) or args.kernel
        cases.append(runner.Case(name, args.kernel, args.launches))
    if args.own:
        cases += own.cases(args.own, args.bin, args.work, pool)
    if args.corpus:
        cases += foreign.cases(args.corpus, args.work)
    return cases


def main():
    args = arguments()
    simulator = runner.Simulator(os.path.join(args.bin, "fovea-sim"))
    chosen = chosen_kinds(args.kinds)
    mutants = []
    with ThreadPoolExecutor(args.jobs) as pool:
        for case in chosen_cases(args, pool):
            if sys.stderr.isatty():
                print(f"\r\033[K{case.name}", end="", file=sys.stderr)
            mutants += runner.run_case(simulator, case, chosen, args.sample,
                                       args.seed, pool)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    explained.explain(mutants)
    table.by_kind(mutants, sys.stdout)
    table.by_kernel(mutants, sys.stdout)
    table.survivors(mutants, args.list, sys.stdout)
    if args.json:
        with open(args.json, "w") as file:
            json.dump([asdict(m) for m in mutants], file, indent=1)
    sys.exit("\n".join(too_few(mutants, args.least)) or 0)


if __name__ == "__main__":
    main()
