# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# status.sh N COMMAND...: runs the command and fails unless it exits with status N;
# `not` only knows zero and other.
want=$1
shift
"$@" </dev/null
got=$?
[ $got -eq "$want" ] || { echo "expected exit status $want, got $got" >&2; exit 1; }
