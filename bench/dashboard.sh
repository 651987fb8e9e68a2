# shellcheck shell=bash disable=SC2034,SC2153 # ./benchmark reads and sets them
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ./benchmark dashboard: serve and its page over a recording of a large cluster that
# bench-recording makes, with the exporters of all its nodes played on loopback.
# Sourced by ./benchmark.

dashboard_about='the dashboard of a large cluster: pulling, clients, the page'
dashboard_parts=(pull api clients page store small)
dashboard_part_about=(
    [0]='every exporter asked each 15 s: CPU and memory'
    [1]='collections and differences, as a browser asks for them'
    [2]='500 browsers that follow the stream'
    [3]='first load, cells and tables in a real Chromium'
    [4]='the history of 500 nodes with eight GPUs each: writing, plots'
    [5]='first load of the page of a real cluster of three nodes'
)

DASHBOARD_SERVE='' DASHBOARD_EXPORTERS='' DASHBOARD_DIR=''
DASHBOARD_URL=http://127.0.0.1:19080
DASHBOARD_SECONDS=30
DASHBOARD_LAB=bench-small-$$ DASHBOARD_LAB_RUNS=

dashboard_end() {
    local pid
    for pid in "$DASHBOARD_SERVE" "$DASHBOARD_EXPORTERS"; do
        [[ -z $pid ]] || kill "$pid" 2>/dev/null || true
    done
    [[ -z $DASHBOARD_DIR ]] || rm -rf "$DASHBOARD_DIR"
    [[ -z $DASHBOARD_LAB_RUNS ]] ||
        "$LAB_SOURCE/start" --name "$DASHBOARD_LAB" --stop >/dev/null
    DASHBOARD_SERVE='' DASHBOARD_EXPORTERS='' DASHBOARD_DIR='' DASHBOARD_LAB_RUNS=
}

# The page of a real gpu-exporter with eight simulated GPUs.
dashboard_exporter_page() {
    local gpu pid
    {
        echo machine bench
        for gpu in {0..7}; do
            echo "gpu $gpu model h100"
        done
    } >"$DASHBOARD_DIR/scenario"
    GPU_SIMULATED_DIR=$DASHBOARD_DIR "$BENCH_BUILD/src/exporter/gpu-exporter" \
        --nvml-library "$BENCH_BUILD/lab/nvml/libnvidia-ml.so.1" \
        -a 127.0.0.1:19400 >"$DASHBOARD_DIR/gpu-exporter.log" 2>&1 &
    pid=$!
    sleep 4
    curl -sf http://127.0.0.1:19400/metrics >"$DASHBOARD_DIR/page"
    kill "$pid"
    wait "$pid" 2>/dev/null || true
}

dashboard_begin() {
    [[ -z $DASHBOARD_SERVE ]] || return 0
    DASHBOARD_DIR=$(mktemp -d)
    progress "a recording of $BENCH_NODES nodes and $BENCH_JOBS jobs"
    "$BENCH_PROGRAMS/bench-recording" "$BENCH_NODES" "$BENCH_JOBS" \
        "$DASHBOARD_DIR/recording"
    ninja -C "$BENCH_BUILD" >/dev/null
    dashboard_exporter_page
    "$BENCH_PROGRAMS/bench-exporters" 19500 "$DASHBOARD_DIR/page" &
    DASHBOARD_EXPORTERS=$!
    "$BENCH_BUILD/src/watchdog/gpu-watchdog" serve --replay "$DASHBOARD_DIR/recording" \
        --listen 127.0.0.1:19341 --dashboard-listen "${DASHBOARD_URL#http://}" \
        --gpu-exporter-url 'http://127.0.0.1:19500/%n' --state "$DASHBOARD_DIR" \
        --max-connections 2000 2>"$DASHBOARD_DIR/serve.log" &
    DASHBOARD_SERVE=$!
    progress 'the first round over all nodes'
    sleep 20
}

dashboard_cpu_s() {
    awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) / hz }' "/proc/$DASHBOARD_SERVE/stat"
}

dashboard_rss_mb() {
    awk '/^VmRSS/ { print $2 / 1024 }' "/proc/$DASHBOARD_SERVE/status"
}

dashboard_pull() {
    local before after
    dashboard_begin
    progress "$DASHBOARD_SECONDS seconds of pulling"
    before=$(dashboard_cpu_s)
    sleep "$DASHBOARD_SECONDS"
    after=$(dashboard_cpu_s)
    DASHBOARD_IDLE=$(calc "($after - $before) / $DASHBOARD_SECONDS * 100")
    figure pull 'CPU of all of serve, of one core' "$DASHBOARD_IDLE" '%' '<=' 50
    figure pull 'memory of all of serve' "$(dashboard_rss_mb)" MB '<=' 600
    figure pull 'of one answer' "$(calc "$(stat -c %s "$DASHBOARD_DIR/page") / 1024")" KB
}

# dashboard_ask WHAT PATH [OPTION...]: the least of the rounds, in milliseconds.
dashboard_ask() {
    local what=$1 path=$2 round
    local -a times=()
    shift 2
    for ((round = 0; round < BENCH_ROUNDS; round++)); do
        times+=("$(curl -s -o /dev/null -w '%{time_total}' "$@" \
            "$DASHBOARD_URL/api/v1/$path")")
    done
    figure api "$what, median" "$(calc "$(median "${times[@]}") * 1000")" ms
}

dashboard_api() {
    dashboard_begin
    dashboard_ask 'the cluster' cluster
    dashboard_ask 'all GPUs, compressed' gpus --compressed
    dashboard_ask 'all jobs, compressed' jobs --compressed
    dashboard_ask '200 of all jobs, ordered' 'jobs?sort=-start_s&limit=200&offset=5000'
    dashboard_ask 'search in all jobs' 'jobs?search=train-77&limit=200'
}

dashboard_clients() {
    local before after memory bytes
    dashboard_begin
    [[ -n ${DASHBOARD_IDLE-} ]] || dashboard_pull
    memory=$(dashboard_rss_mb)
    progress '500 browsers'
    before=$(dashboard_cpu_s)
    bytes=$(python3 - "$DASHBOARD_SECONDS" <<'END'
import selectors, socket, sys, time
loop = selectors.DefaultSelector()
for _ in range(500):
    s = socket.create_connection(("127.0.0.1", 19080))
    s.sendall(b"GET /api/v1/stream HTTP/1.1\r\nHost: bench\r\n\r\n")
    loop.register(s, selectors.EVENT_READ)
end, got = time.time() + float(sys.argv[1]), 0
while time.time() < end:
    for key, _ in loop.select(0.5):
        got += len(key.fileobj.recv(65536))
print(got)
END
)
    after=$(dashboard_cpu_s)
    figure clients 'CPU of 500, of one core' \
        "$(calc "($after - $before) / $DASHBOARD_SECONDS * 100 - $DASHBOARD_IDLE")" \
        '%' '<=' 20
    figure clients 'memory of 500' "$(calc "$(dashboard_rss_mb) - $memory")" MB '<=' 100
    figure clients 'bytes a second, of one' \
        "$(calc "$bytes / 500 / $DASHBOARD_SECONDS")" B '<=' 1024
}

dashboard_page_figures() { # PART
    local name what unit bound
    while read -r name what unit bound; do
        # shellcheck disable=SC2086 # a bound is two words, or none
        figure "$1" "${name//_/ }" "$what" "$unit" ${bound//_/ }
    done
}

dashboard_chromium() { # ARGUMENT...: of page.mjs
    [[ -d $LAB_SOURCE/web/node_modules/playwright-core ]] ||
        (cd "$LAB_SOURCE/web" && npm ci --ignore-scripts >/dev/null)
    progress 'Chromium'
    node "$LAB_SOURCE/bench/page.mjs" "$@"
}

dashboard_page() {
    dashboard_begin
    dashboard_page_figures page < <(dashboard_chromium "$DASHBOARD_URL")
}

# What ./start makes, as the one who looks at it for the first time sees it.
dashboard_small() {
    local log
    dashboard_end # of the large one nothing may run beside it
    log=$(mktemp)
    progress 'a cluster of three nodes'
    "$LAB_SOURCE/start" --name "$DASHBOARD_LAB" --detach --port-base 0 \
        --build "$BENCH_BUILD" >"$log" 2>&1 ||
        fail 'no cluster' "$(tail -n 5 "$log")"
    rm "$log"
    DASHBOARD_LAB_RUNS=yes
    sleep 10
    dashboard_page_figures small < <(dashboard_chromium "$(dashboard_small_url)" 300)
}

dashboard_small_url() {
    "$LAB_SOURCE/start" --name "$DASHBOARD_LAB" --status |
        sed -n 's|^ *dashboard *\(http.*\)/$|\1|p'
}

# Needs nothing of the rest: an hour of 500 nodes, as fast as it goes.
dashboard_store() {
    local folder name value
    local -A found=()
    progress 'an hour of 500 nodes'
    folder=$(mktemp -d)
    while read -r name value; do
        found[$name]=$value
    done < <("$BENCH_PROGRAMS/bench-store" 500 "$folder")
    figure store 'CPU of keeping 500 nodes, 4,000 GPUs, 250 jobs' \
        "${found[cpu_percent]-}" '%' '<=' 5
    figure store '  how long a second of it holds the loop up, median' \
        "${found[held_median]-}" ms
    figure store '    99th percentile' "${found[held_p99]-}" ms
    figure store '    longest: a quarter of an hour is full for all' \
        "${found[held_longest]-}" ms
    figure store "a GPU's four plots: 2 hours, longest of 20" "${found[gpu_2h]-}" ms '<=' 50
    figure store '  90 days' "${found[gpu_90d]-}" ms '<=' 50
    figure store "eight GPUs' 32 plots: 24 hours, longest of 20" "${found[node_24h]-}" ms '<=' 50
    figure store '  90 days' "${found[node_90d]-}" ms '<=' 50
    figure store 'disk after it' "$(calc "$(du -sk "$folder" | cut -f1) / 1024")" MB
    rm -rf "$folder"
}
