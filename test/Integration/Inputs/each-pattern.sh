#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# each-pattern.sh FOLDER COMMAND…: runs the command with each pattern file of a
# folder at its end; fails at the first that fails, or when there is none.
set -euo pipefail
folder=$1
shift
count=0
for file in "$folder"/*.attn; do
  echo "pattern $(basename "$file")"
  "$@" "$file"
  count=$((count + 1))
done
echo "$count patterns"
[ "$count" -gt 0 ]
