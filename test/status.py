# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# status.py N COMMAND...: runs the command and fails unless it exits with status N.
# `not` only knows zero and other.
import subprocess
import sys

status = subprocess.run(sys.argv[2:], stdin=subprocess.DEVNULL).returncode
if status != int(sys.argv[1]):
    sys.exit(f"expected exit status {sys.argv[1]}, got {status}")
