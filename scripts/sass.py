# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Machine code as text: assembling, disassembling, basic blocks.

The assembler is ptxas: $FOVEA_PTXAS, PATH or /usr/local/cuda/bin. The disassembler is
nvdisasm: $FOVEA_NVDISASM, PATH, /usr/local/cuda/bin, or the PyPI package
nvidia-cuda-nvdisasm in the active virtual environment.
"""
import collections
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

LABEL = re.compile(r"^\s*(\.L_[\w.$]+):")
CALLEE = re.compile(r"^\s*\$[\w.$]+:")  # a function in its kernel's section
INSTRUCTION = re.compile(r"^\s*(?:/\*[0-9a-f]+\*/)?\s+((?:@!?U?P\w+\s+)?)([A-Z][A-Z0-9_a-z.]*)\s*(.*?);")
TARGET = re.compile(r"\(\s*(\.L_[\w.$]+)\s*\)")
PTX_LINE = re.compile(r'^\s*//## File ".nv_debug_ptx_txt", line (\d+)')

Instruction = collections.namedtuple("Instruction", "predicate opcode operands line")


def find_tool(name, package):
    candidates = [os.environ.get("FOVEA_" + name.upper()), shutil.which(name),
                  "/usr/local/cuda/bin/" + name]
    candidates += glob.glob(os.path.join(os.environ.get("VIRTUAL_ENV", sys.prefix), "lib",
                                         "python*", "site-packages", "nvidia", "*", "bin", name))
    for path in candidates:
        if path and os.access(path, os.X_OK):
            return path
    sys.exit(f"{os.path.basename(sys.argv[0])}: no {name}; install the PyPI package {package} "
             "in a virtual environment and activate it")


def find_nvdisasm():
    return find_tool("nvdisasm", "nvidia-cuda-nvdisasm")


def assemble(ptx, arch):
    """Disassembly with the PTX line of each instruction. -lineinfo changes no code."""
    with tempfile.TemporaryDirectory() as folder:
        cubin = os.path.join(folder, "kernel.cubin")
        run = subprocess.run([find_tool("ptxas", "nvidia-cuda-nvcc"), "-arch=" + arch, "-lineinfo",
                              ptx, "-o", cubin], capture_output=True, text=True)
        if run.returncode:
            sys.exit(f"{ptx}: ptxas: {run.stderr.strip()}")
        return subprocess.run([find_nvdisasm(), "-c", "-gp", cubin], check=True,
                              capture_output=True, text=True).stdout


def functions(text):
    """Name -> lines of each function's section."""
    result, name = collections.OrderedDict(), None
    for line in text.splitlines():
        section = re.match(r"^\s*\.section\s+\.text\.([\w.$]+)", line)
        if section:
            name = section.group(1).rstrip(",")
            result[name] = []
        elif re.match(r"^\s*\.section\s", line):
            name = None
        elif name:
            result[name].append(line)
    return result


class Block:
    def __init__(self):
        self.code, self.next = [], []
        self.first = False  # of a function


def blocks_of(lines):
    """Basic blocks with their successors, by index."""
    blocks, labels, fall = [Block()], {}, []
    blocks[0].first = True
    targets = {0: []}
    ptx_line = 0
    for line in lines:
        noted = PTX_LINE.match(line)
        if noted:
            ptx_line = int(noted.group(1))
            continue
        if CALLEE.match(line):
            if blocks[-1].code:
                blocks.append(Block())
            blocks[-1].first = True
            continue
        label = LABEL.match(line)
        if label:
            if blocks[-1].code:
                blocks.append(Block())
            labels[label.group(1)] = len(blocks) - 1
            continue
        found = INSTRUCTION.match(line)
        if not found:
            continue
        predicate, opcode, rest = found.groups()
        block = blocks[-1]
        block.code.append(Instruction(predicate.strip(), opcode, rest, ptx_line))
        ends = opcode.split(".")[0] in ("BRA", "EXIT", "RET", "BRX", "JMP")
        if ends:
            target = TARGET.search(rest)
            conditional = bool(predicate.strip()) or ".DIV" in opcode or re.match(
                r"U?!?U?P\d", rest)
            targets.setdefault(len(blocks) - 1, [])
            if opcode.startswith("BRA") and target:
                targets[len(blocks) - 1].append(target.group(1))
            fall.append((len(blocks) - 1, bool(conditional)))
            blocks.append(Block())
    falls = dict(fall)
    for i, block in enumerate(blocks):
        block.next = [labels[t] for t in targets.get(i, []) if t in labels]
        if i + 1 < len(blocks) and falls.get(i, True):
            block.next.append(i + 1)
    return blocks
