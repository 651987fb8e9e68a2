# shellcheck shell=bash disable=SC2034,SC2153 # ./benchmark reads and sets them
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ./benchmark gpus: what gpu-exporter costs on a machine of eight GPUs. They
# are simulated (lab/nvml), which answers at once: so what a driver's own calls cost,
# and our part beside them, is not to be learnt here. Sourced by ./benchmark.

gpus_about='eight simulated GPUs: memory, and the time of a scrape'
gpus_parts=(memory scrape)
gpus_part_about=(
    [0]='of both processes, after some cycles'
    [1]='/metrics a hundred times a second'
)

GPUS_EXPORTER=
GPUS_EXPORTER_DIR=
GPUS_EXPORTER_PORT=19401

gpus_end() {
    [[ -z $GPUS_EXPORTER ]] || kill "$GPUS_EXPORTER" 2>/dev/null || true
    [[ -z $GPUS_EXPORTER_DIR ]] || rm -rf "$GPUS_EXPORTER_DIR"
}

gpus_begin() {
    local gpu
    [[ -z $GPUS_EXPORTER ]] || return 0
    GPUS_EXPORTER_DIR=$(mktemp -d)
    {
        echo machine bench
        for gpu in {0..7}; do
            echo "gpu $gpu model h100"
        done
    } >"$GPUS_EXPORTER_DIR/scenario"
    ninja -C "$BENCH_BUILD" >/dev/null
    GPU_SIMULATED_DIR=$GPUS_EXPORTER_DIR "$BENCH_BUILD/src/exporter/gpu-exporter" \
        --nvml-library "$BENCH_BUILD/lab/nvml/libnvidia-ml.so.1" \
        -a "127.0.0.1:$GPUS_EXPORTER_PORT" -c 1000 \
        >"$GPUS_EXPORTER_DIR/log" 2>&1 &
    GPUS_EXPORTER=$!
    progress 'ten cycles of a second'
    sleep 11
    curl -sf -o /dev/null "http://127.0.0.1:$GPUS_EXPORTER_PORT/readyz" ||
        fail 'gpu-exporter is not ready' "$(tail -n 5 "$GPUS_EXPORTER_DIR/log")"
}

# gpus_memory_mb FIELD: of smaps_rollup, both processes, in megabytes.
gpus_memory_mb() {
    local pid sum=0
    for pid in "$GPUS_EXPORTER" $(pgrep -P "$GPUS_EXPORTER"); do
        sum=$(calc "$sum + $(awk -v f="$1:" '$1 == f { print $2 }' \
            "/proc/$pid/smaps_rollup")")
    done
    calc "$sum / 1024"
}

gpus_memory() {
    gpus_begin
    curl -sf "http://127.0.0.1:$GPUS_EXPORTER_PORT/metrics" >/dev/null
    figure memory 'resident, both processes' "$(gpus_memory_mb Rss)" MB '<=' 10
    figure memory 'each page once: what is shared is not counted twice' \
        "$(gpus_memory_mb Pss)" MB
    figure memory 'their own alone' "$(gpus_memory_mb Private_Dirty)" MB
}

gpus_scrape() {
    local i times cpu
    local -a p99=() medians=()
    gpus_begin
    cpu=$(cpu_ms "$GPUS_EXPORTER")
    for ((i = 1; i <= BENCH_ROUNDS; i++)); do
        progress "a hundred scrapes a second, round $i of $BENCH_ROUNDS"
        times=$("$BENCH_PROGRAMS/http-client" --count 300 --pause 10 get "$GPUS_EXPORTER_PORT" /metrics |
            awk 'NR > 1 { print $1 }' | sort -n)
        medians+=("$(sed -n 150p <<<"$times")")
        p99+=("$(sed -n 296p <<<"$times")")
    done
    cpu=$(calc "($(cpu_ms "$GPUS_EXPORTER") - $cpu) / (300 * $BENCH_ROUNDS)")
    figure scrape '/metrics, 99th percentile, least of the rounds' \
        "$(least "${p99[@]}")" ms '<=' 1
    figure scrape '  median of the rounds' "$(median "${p99[@]}")" ms
    figure scrape '  median' "$(median "${medians[@]}")" ms
    figure scrape 'CPU of the exporter for one' "$cpu" ms
}
