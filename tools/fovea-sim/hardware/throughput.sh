#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# throughput.sh FOLDER: what throughput.py measures, and what ncu counts of its
# launches, into FOLDER.
out=$1
here=$(dirname "$0")
mkdir -p "$out"
export PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
pipe=sm__inst_executed_pipe
pipes=smsp__inst_executed.sum
for p in alu fma fma_type_fp16 fp64 xu lsu uniform adu cbu tensor_op_hmma \
  tensor_op_imma tensor_op_gmma tensor_op_dmma; do
  pipes+=,${pipe}_$p.sum
done
for p in alu fma fmaheavy fp64 shared tensor; do
  pipes+=,sm__pipe_${p}_cycles_active.sum
done
wave=l1tex__data_pipe_lsu_wavefronts
pipes+=,$wave.sum,${wave}_mem_shared.sum
sectors=$wave.sum,${wave}_mem_shared.sum
for op in ld st red; do
  sectors+=,l1tex__t_requests_pipe_lsu_mem_global_op_$op.sum
  sectors+=,l1tex__t_sectors_pipe_lsu_mem_global_op_$op.sum
  sectors+=,l1tex__t_output_wavefronts_pipe_lsu_mem_global_op_$op.sum
done
sectors+=,lts__t_sectors_srcunit_tex_op_read.sum
sectors+=,smsp__sass_l1tex_data_pipe_lsu_wavefronts_mem_shared_op_ldgsts.sum
{
  time timeout 60 python3 "$here/throughput.py" "$out/throughput.json"
  if command -v ncu >/dev/null; then
    time timeout 90 ncu --csv --page raw --clock-control none \
      --metrics "$pipes" \
      python3 "$here/throughput.py" "$out/once.json" --once --rounds 2 \
      >"$out/pipes.csv"
    time timeout 75 ncu --csv --page raw --clock-control none \
      --metrics "$sectors" python3 "$here/throughput.py" --sectors \
      >"$out/sectors.csv"
  fi
} >"$out/throughput.txt" 2>&1
tail -c 1500 "$out/throughput.txt"
