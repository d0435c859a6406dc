# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# How lit runs the files below test/: each is a shell script in RUN lines, with
# our tools and LLVM's (FileCheck, not, split-file) first in PATH.
#
#   %S, %s, %t     folder of the test, the test, a fresh path: lit's own
#   %data          test/data: real queries, keys and values
#   %patterns      examples/patterns
#   %fovea_src     the repository; %fovea_build the build folder
#   %python        the Python that runs lit; no package is there for sure
#   %status N CMD  runs CMD, passes on its output, fails unless it exits with N
#   %simulated CMD runs CMD on the simulated CUDA driver
# Features: ptxas, cuda (a driver), simulated-cuda, asan, and each tool that was built (fovea, fovea-sim, fovea-fuzz).
import ctypes
import os
import sys

import lit.formats

config.name = "Fovea"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".attn", ".test"]
config.excludes = ["Inputs", "data"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.fovea_build, "test")

path = [config.fovea_tools, config.llvm_tools, config.environment["PATH"]]
if config.ptxas:
    path.append(os.path.dirname(config.ptxas))
    config.available_features.add("ptxas")
config.environment["PATH"] = os.pathsep.join(path)

for tool in ["fovea", "fovea-opt", "fovea-sim", "fovea-case", "fovea-fuzz", "fovea-tightness"]:
    if os.path.exists(os.path.join(config.fovea_tools, tool)):
        config.available_features.add(tool)

if config.sanitize:
    config.available_features.add("asan")
    os.environ.setdefault("ASAN_OPTIONS", "allow_user_poisoning=0")  # see scripts/check
for name in ["ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS", "ASAN_SYMBOLIZER_PATH"]:
    if name in os.environ:
        config.environment[name] = os.environ[name]

try:
    ctypes.CDLL("libcuda.so.1")
    config.available_features.add("cuda")
except OSError:
    pass

simulated = os.path.join(config.fovea_build, "lib", "sim")
if os.path.exists(os.path.join(simulated, "libcuda.so.1")):
    config.available_features.add("simulated-cuda")

config.substitutions += [
    ("%simulated", "env LD_LIBRARY_PATH=" + simulated),
    ("%python", sys.executable),
    ("%status", "sh " + os.path.join(config.test_source_root, "status.sh")),
    ("%data", os.path.join(config.test_source_root, "data")),
    ("%patterns", os.path.join(config.fovea_src, "examples", "patterns")),
    ("%fovea_src", config.fovea_src),
    ("%fovea_build", config.fovea_build),
]
