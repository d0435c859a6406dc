#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# run.sh FOLDER [CORPUS]...: all probes into FOLDER, each under a time limit.
# PROBE and MATRIX are further options of probe.py and matrix.py. On the
# simulator: LD_LIBRARY_PATH=build/lib/sim FOVEA_SIM_ARCH=sm_90a
# FOVEA_SIM_CHECK=none FOVEA_SIM_TENSOR=exact JOBS=2 run.sh FOLDER
out=$1
shift
here=$(dirname "$0")
mkdir -p "$out"
export PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
{
  command -v nvidia-smi >/dev/null &&
    nvidia-smi --query-gpu=name,driver_version,vbios_version --format=csv
  date -u
  time timeout 100 python3 "$here/layout.py" "$out/layout.npz" \
    --jobs "${JOBS:-6}"
  time timeout 150 python3 "$here/probe.py" "$out/probe.npz" \
    --jobs "${JOBS:-8}" $PROBE
  time timeout 60 python3 "$here/matrix.py" "$out/matrix.npz" $MATRIX
  for corpus in "$@"; do
    time timeout 60 python3 "$here/cases.py" "$corpus" \
      "$out/cases-$(basename "$corpus").npz" --repeat "${REPEAT:-20}"
  done
} >"$out/log.txt" 2>&1
tail -c 3000 "$out/log.txt"
