# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""PTX text as statements with places, enough of it to edit one.

A statement keeps where its parts lie in the text, so that a mutant is the text
with a piece replaced: every line keeps its number.
"""
import re
from dataclasses import dataclass


@dataclass
class Statement:
    line: int  # of the opcode, from 1
    entry: str  # the function that it belongs to
    begin: int  # of the guard, or of the opcode
    body: int  # of the opcode
    end: int  # of the semicolon
    guard: str  # "@%p1", "@!%p1" or ""
    opcode: str
    operands: str
    at: int  # where the operands begin in the text

    @property
    def text(self):
        return " ".join(f"{self.guard} {self.opcode} {self.operands}".split())


_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)
_LABEL = re.compile(r"[\w$%]+:(?!:)")
_LOCATION = re.compile(r"\.(loc|file)\b[^\n]*")
_FUNCTION = re.compile(r"\.(?:entry|func)\s+(?:\([^)]*\)\s*)?([\w$%]+)")
_INSTRUCTION = re.compile(
    r"(@!?[%\w$]+)?\s*([A-Za-z_]\w*(?:(?:\.|::)\w+)*)\s*", re.S)


def blank_comments(text):
    return _COMMENT.sub(
        lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def parse(text):
    """The statements of all functions, in order."""
    clean = blank_comments(text)
    statements, entry, at = [], "", 0
    while (end := clean.find(";", at)) >= 0:
        at, entry = _skip(clean, at, end, entry)
        match = _INSTRUCTION.match(clean, at, end)
        if match and clean[at] != ".":
            statements.append(
                Statement(
                    line=clean.count("\n", 0, match.start(2)) + 1,
                    entry=entry,
                    begin=match.start(1) if match.group(1) else match.start(2),
                    body=match.start(2),
                    end=end,
                    guard=match.group(1) or "",
                    opcode=match.group(2),
                    operands=clean[match.end():end],
                    at=match.end()))
        at = end + 1
    return statements


def _skip(clean, at, end, entry):
    """Passes blanks, braces, labels and what directives stand before the
    statement that ends at `end`; gives its place and its function."""
    while at < end:
        if clean[at].isspace() or clean[at] in "{}":
            at += 1
        elif match := _LABEL.match(clean, at, end) or _LOCATION.match(
                clean, at, end):
            at = match.end()
        elif function := _FUNCTION.search(clean, at, end) \
                if clean[at] == "." else None:
            entry = function.group(1)
            brace = clean.find("{", at, end)
            if brace < 0:
                return end, entry  # a declaration
            at = brace
        else:
            break
    return at, entry


def operands_of(statement):
    """(text, place) of each operand at the top level."""
    result, depth, start = [], 0, 0
    text = statement.operands + ","
    for i, c in enumerate(text):
        depth += (c in "{[(") - (c in "}])")
        if c == "," and depth == 0:
            piece = text[start:i]
            left = len(piece) - len(piece.lstrip())
            if piece.strip():
                result.append((piece.strip(), statement.at + start + left))
            start = i + 1
    return result


def definition(statements, index, register, depth=2):
    """What computes a register before statement `index`, as text; of logic on
    predicates also what computes its operands."""
    entry = statements[index].entry
    for i in range(index - 1, -1, -1):
        s = statements[i]
        if s.entry != entry:
            break
        if not re.match(rf"{re.escape(register)}\b", s.operands):
            continue
        if depth and re.match(r"(or|and|not|xor)\.pred", s.opcode):
            return " <- ".join([s.text] + [
                definition(statements, i, name, depth - 1)
                for name, _ in operands_of(s)[1:]
            ])
        return s.text
    return ""
