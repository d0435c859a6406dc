# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""verify-pattern.py FILE.attn: one short run on random arrays; fails where the
error against the reference is beyond the type's tolerance."""
import json
import re
import subprocess
import sys

text = re.sub("//.*", "", open(sys.argv[1]).read())
heads = re.search(r"\bheads\s+(?:q\s*=\s*)?(\d+)", text).group(1)
tolerance = {"f32": 2e-5, "f16": 2e-3, "bf16": 1e-2}[re.search(r"\btype\s+(\w+)", text).group(1)]
largest = 3.4641  # of fovea bench's arrays: 2 sqrt(3)
run = subprocess.run(
    ["fovea", "bench", sys.argv[1], f"--shape=1,{heads},70,131", "--repeat=1", "--verify", "--format=json"],
    stdout=subprocess.PIPE, check=True)
error = json.loads(run.stdout)["max_abs_error"]
print(f"error {error:.2e}")
if error is None or not error <= tolerance * largest:
    sys.exit(f"expected an error of at most {tolerance * largest:.2e}")
