#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares two results of probe.py, or of matrix.py, form by form.

    compare.py A.npz B.npz [--filter REGEX] [--show N]

Prints the forms that differ: how many elements, apart by NaN payloads and by
values, and the first few with operands. Approximate functions are judged by
their distance in units of the last place.
"""
import argparse
import re

import numpy as np

import fragments
import inputs
import matrix
from forms import FORMS

# Shapes of the elements of a register: exponent, fraction, bits.
_ELEMENTS = {k: v for k, v in fragments.FLOATS.items()}
for _pair in ("f16x2", "bf16x2", "e4m3x2", "e5m2x2"):
    _ELEMENTS[_pair] = _ELEMENTS[_pair[:-2]]


def elements(kind, words):
    """The elements of registers, rows x elements, as uint64."""
    words = words.astype(np.uint64)
    if not kind.endswith("x2"):
        return words[:, None]
    bits = np.uint64(_ELEMENTS[kind][2])
    return np.stack([words & np.uint64(2**int(bits) - 1), words >> bits], 1)


def is_nan(kind, values):
    if kind not in _ELEMENTS:
        return np.zeros(values.shape, bool)
    e, f, _ = _ELEMENTS[kind]
    top = (values >> np.uint64(f)) & np.uint64(2**e - 1)
    fraction = values & np.uint64(2**f - 1)
    if kind.startswith("e4m3"):
        return (top == 2**e - 1) & (fraction == 2**f - 1)
    return (top == 2**e - 1) & (fraction != 0)


def ordered(kind, values):
    """Integers in the order of the floats, one apart for neighbours."""
    e, f, _ = _ELEMENTS[kind]
    sign = np.uint64(1 << (e + f))
    magnitude = (values & (sign - np.uint64(1))).astype(np.int64)
    return np.where(values & sign, -magnitude, magnitude)


def compare_array(kind, a, b):
    """Masks of rows that differ in value, and only in NaN bits; and ulps."""
    a, b = elements(kind, a), elements(kind, b)
    differ = a != b
    nan = is_nan(kind, a) & is_nan(kind, b)
    value, payload = differ & ~nan, differ & nan
    ulps = 0
    if kind in _ELEMENTS and value.any():
        finite = value & ~is_nan(kind, a) & ~is_nan(kind, b)
        ulps = int(np.abs(ordered(kind, a) - ordered(kind, b))[finite].max(
            initial=0))
    return value.any(1), payload.any(1) & ~value.any(1), ulps


def show(form, columns, outs, rows, limit):
    for row in rows[:limit]:
        ins = " ".join(f"{int(c[row]):#x}" for c in columns)
        texts = [" ".join(f"{int(x[row]):#x}" for x in side) for side in outs]
        print(f"    [{row}] {ins} -> A {texts[0]}   B {texts[1]}")


def compare_form(form, a, b, limit):
    """True if the forms differ."""
    columns = None
    differs = False
    sides = [[x[f"{form.name}|{i}"] for i in range(len(form.outs))]
             for x in (a, b)]
    for i, kind in enumerate(form.outs):
        value, payload, ulps = compare_array(kind, sides[0][i], sides[1][i])
        if not value.any() and not payload.any():
            continue
        differs = True
        note = " (approximate)" if form.approx else ""
        print(f"{form.name} d{i}: {value.sum()} values, {payload.sum()} NaN "
              f"bits of {len(value)} differ, at most {ulps} ulp{note}")
        if columns is None:
            columns = inputs.operands(form.name, form.ins, form.rows)
        show(form, columns, sides, np.flatnonzero(value), limit)
        show(form, columns, sides, np.flatnonzero(payload),
             limit if not value.any() else 1)
    return differs


def result_elements(form, words):
    """D of a matrix form: trials x rows x columns."""
    if form.volta:
        return words.astype(np.uint64)
    if form.wgmma:
        return np.stack([fragments.unpack_accumulator(w, form.d, form.n)
                         for w in words])
    return np.stack([fragments.unpack("c", w, form.d, (form.m, form.n))
                     for w in words])


def compare_matrix(form, a, b, limit):
    for x in "ABC":
        if not np.array_equal(a[f"{form.name}|{x}"], b[f"{form.name}|{x}"]):
            print(f"{form.name}: operands {x} differ")
            return True
    left, right = (result_elements(form, x[f"{form.name}|D"]) for x in (a, b))
    trials, flat = len(left), (len(left), -1)
    kind = "f16x2" if form.volta and form.d == "f16" else form.d
    value, payload, ulps = compare_array(kind, left.ravel(), right.ravel())
    if not value.any() and not payload.any():
        return False
    print(f"{form.name}: {value.sum()} values, {payload.sum()} NaN bits of "
          f"{left.size} differ, at most {ulps} ulp")
    per = (value | payload).reshape(flat).sum(1)
    for t in range(trials):
        if not per[t]:
            continue
        kind = (fragments.CLASSES[t % len(fragments.CLASSES)]
                if form.a in fragments.FLOATS else f"class {t % 4}")
        row, col = np.argwhere(left[t] != right[t])[0]
        print(f"    trial {t} ({kind}): {per[t]}; first ({row}, {col}) "
              f"A {left[t, row, col]:#x} B {right[t, row, col]:#x}")
        limit -= 1
        if limit <= 0:
            break
    return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("a")
    parser.add_argument("b")
    parser.add_argument("--filter", default="")
    parser.add_argument("--show", type=int, default=4)
    options = parser.parse_args()
    a, b = ({k: v for k, v in np.load(p).items()}
            for p in (options.a, options.b))
    print(f"A: {a['device']}\nB: {b['device']}")
    names = list(dict.fromkeys(k.rsplit("|", 1)[0] for k in [*a, *b]
                               if "|" in k))
    forms = [{k.rsplit("|", 1)[0] for k in x} for x in (a, b)]
    same = different = errors = missing = 0
    for name in names:
        if not re.search(options.filter, name):
            continue
        if not all(name in x for x in forms):
            missing += 1
            continue
        texts = [str(x.get(f"{name}|error", "")) for x in (a, b)]
        if any(texts):
            errors += 1
            for side, text in zip("AB", texts):
                if text:
                    print(f"{name}: {side} failed: {text[:150]}")
            continue
        if name in FORMS:
            bad = compare_form(FORMS[name], a, b, options.show)
        elif name in matrix.FORMS:
            bad = compare_matrix(matrix.FORMS[name], a, b, options.show)
        else:
            print(f"{name}: unknown form")
            bad = True
        different += bad
        same += not bad
    print(f"{same} forms agree bit for bit, {different} differ, {errors} "
          f"failed on a side, {missing} are on one side only")


if __name__ == "__main__":
    main()
