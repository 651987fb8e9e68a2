# shellcheck shell=bash disable=SC2034,SC2153 # ./benchmark reads and sets them
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ./benchmark gpu-jobs: what it costs to find whose GPUs they are on a machine with
# 2,000 processes, 64 of them on GPUs. Sourced by ./benchmark.

gpu_jobs_about='whose GPUs they are, among 2,000 processes'
gpu_jobs_parts=(cycle)
gpu_jobs_part_about=([0]='a cycle, and a bare walk over /proc beside it')

gpu_jobs_end() {
    :
}

gpu_jobs_cycle() {
    local out ratios times cpu
    progress 'making 2,000 processes'
    out=$("$BENCH_PROGRAMS/bench-gpu-jobs" 2000 "$BENCH_ROUNDS")
    mapfile -t ratios < <(awk '$1 == "round" { print $3 / $2 }' <<<"$out")
    mapfile -t times < <(awk '$1 == "round" { print $3 }' <<<"$out")
    mapfile -t cpu < <(awk '$1 == "round" { print $4 }' <<<"$out")
    figure cycle 'a cycle, of readdir and stat over /proc' \
        "$(median "${ratios[@]}")" x '<=' 2
    figure cycle 'a cycle, least' "$(least "${times[@]}")" ms '<=' 10
    figure cycle 'CPU, least' "$(least "${cpu[@]}")" ms
    figure cycle 'the first cycle' \
        "$(awk '$1 == "first" { print $2 }' <<<"$out")" ms
}
