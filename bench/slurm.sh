# shellcheck shell=bash disable=SC2034,SC2153 # ./benchmark reads and sets them
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ./benchmark slurm: what watching a large cluster costs, each figure beside what it
# is held against. Sourced by ./benchmark, which calls the parts in this order.
#
# The machine may be shared with others and slower in one minute than in the next.
# So ratios are of pairs that were measured one right after the other, and the median
# of the pairs counts. Of plain times the least counts: whatever else runs can only
# lengthen them.

slurm_about='10,000 nodes with 80,000 GPUs, 100,000 jobs: what watching them costs'
slurm_parts=(cycle pages memory recovery commands start native)
slurm_part_about=(
    [0]='CPU of a cycle, beside the same calls of libslurm made bare'
    [1]='/metrics in full: fresh, repeated, under load'
    [2]='memory of the collector and of the exporter'
    [3]='a collector killed in mid-call: how soon there is a snapshot'
    [4]="beside the commands that vpenso's exporter runs for one scrape"
    [5]='a small cluster: from the start to a good scrape'
    [6]="beside Slurm 26.05's own metrics"
)

# The parts that look at the one big cluster, and share an exporter.
slurm_cluster() {
    [[ $CLUSTER != bench ]] || return 0
    cluster_begin bench "$BENCH_BUILD" "$BENCH_NODES" "$BENCH_JOBS"
    exporter_begin 1h
}

# --- cycle ---------------------------------------------------------------------------

bare_begin() {
    coproc BARE { in_cluster "$BENCH_PROGRAMS/bare-calls"; }
    bare_round >/dev/null
}

# CPU and duration of one round of bare calls, in milliseconds.
bare_round() {
    local line
    echo >&"${BARE[1]}"
    read -r line <&"${BARE[0]}" || fail 'the bare calls have failed'
    echo "$line"
}

bare_end() {
    local pid=${BARE_PID-}
    [[ $pid ]] || return 0
    eval "exec ${BARE[1]}>&-"
    wait "$pid" || true
}

# What must not run on when a part was broken off.
slurm_end() {
    bare_end
}

slurm_cycle() {
    local i before after controller bare_cpu collector
    local -a ratios=() bares=() cycles=() controllers=() walls=()
    slurm_cluster
    bare_begin
    collector=$(collector)
    for ((i = 1; i <= BENCH_ROUNDS; i++)); do
        progress "cycle beside bare calls, round $i of $BENCH_ROUNDS"
        read -r bare_cpu _ < <(bare_round)
        cluster_touch
        before=$(cpu_ms "$EXPORTER" "$collector")
        controller=$(cpu_ms "$CONTROLLER")
        cycle_run
        after=$(cpu_ms "$EXPORTER" "$collector")
        controllers+=("$(calc "$(cpu_ms "$CONTROLLER") - $controller")")
        cycles+=("$(calc "$after - $before")")
        bares+=("$bare_cpu")
        ratios+=("$(calc "${cycles[-1]} / $bare_cpu")")
        walls+=("$(calc "$(value slurm_exporter_cycle_seconds) * 1000")")
    done
    bare_end
    figure cycle 'CPU of a cycle, of bare calls' "$(median "${ratios[@]}")" x '<=' 1.2
    figure cycle '  bare calls, CPU' "$(median "${bares[@]}")" ms
    figure cycle '  collector and exporter, CPU' "$(median "${cycles[@]}")" ms
    figure cycle '  slurmctld, CPU' "$(median "${controllers[@]}")" ms
    figure cycle '  duration' "$(median "${walls[@]}")" ms
}

# --- pages ---------------------------------------------------------------------------

# Milliseconds of each of $1 requests for the whole page; sets PAGE_BYTES.
page_times() {
    local line
    PAGE_TIMES=()
    while read -r -a line; do
        PAGE_TIMES+=("${line[0]}")
        PAGE_BYTES=${line[2]}
    done < <(http --count "$1" get "$BENCH_PORT" /metrics)
    ((${#PAGE_TIMES[@]} == $1)) || fail 'the exporter did not answer'
}

# page_load [OPTION...]: answers for a second. Sets LOAD_CPU_RATE, answers for each
# second of CPU time that the exporter's one thread had, LOAD_RATE, answers by the
# clock, and adds to SCRAPES.
page_load() {
    local answers seconds cpu
    cpu=$(cpu_ms "$EXPORTER")
    read -r answers seconds _ < <(http --connections 8 --seconds 1 "$@" \
        load "$BENCH_PORT" /metrics)
    cpu=$(calc "$(cpu_ms "$EXPORTER") - $cpu")
    LOAD_CPU_RATE=$(calc "1000 * $answers / $cpu")
    LOAD_RATE=$(calc "$answers / $seconds")
    SCRAPES=$((SCRAPES + answers))
}

# Requests to slurmctld so far, of any kind and outcome.
controller_requests() {
    at_cluster curl -fsg \
        "http://127.0.0.1:$BENCH_PORT/metrics?collect[]=exporter" |
        awk '/^slurm_exporter_rpc_requests_total/ { n += $2 } END { print n }'
}

# Sets MADE_TIMES: milliseconds of requests that a page had to be made for, since the
# state of the exporter was another than before. A recording stays as it is when the
# exporter is told to read its settings again, and no cycle runs beside.
page_made_times() {
    local i job port=$((BENCH_PORT + 1)) file=/run/recording
    MADE_TIMES=()
    in_cluster "$(exporter_program)" snapshot save "$file" >&2
    in_cluster "$(exporter_program)" exporter --replay "$file" \
        --listen "127.0.0.1:$port" --log-level warning </dev/null >&2 &
    job=$!
    sleep 1
    local -r pid=$(descendant "$job" "$(exporter_program)")
    for ((i = 0; i < BENCH_ROUNDS; i++)); do
        kill -HUP "$pid"
        sleep 0.1
        read -r "MADE_TIMES[$i]" _ < <(http get "$port" /metrics)
    done
    kill "$pid"
    wait "$job" || true
}

slurm_pages() {
    local i requests asked=0
    local -a fresh=() repeated=() plain=() plain_clock=() gzip=() gzip_clock=()
    slurm_cluster
    page_times 1
    SCRAPES=0
    for ((i = 1; i <= BENCH_ROUNDS; i++)); do
        progress "pages, round $i of $BENCH_ROUNDS"
        cluster_touch
        cycle_run
        requests=$(controller_requests)
        page_times 6
        fresh+=("${PAGE_TIMES[0]}")
        repeated+=("${PAGE_TIMES[@]:1}")
        page_load
        plain+=("$LOAD_CPU_RATE") plain_clock+=("$LOAD_RATE")
        page_load --header 'Accept-Encoding: gzip'
        gzip+=("$LOAD_CPU_RATE") gzip_clock+=("$LOAD_RATE")
        asked=$((asked + $(controller_requests) - requests))
    done
    page_made_times
    figure pages '/metrics from a fresh snapshot, least' "$(least "${fresh[@]}")" \
        ms '<=' 10
    figure pages '  median' "$(median "${fresh[@]}")" ms
    figure pages '  made for the request, least' "$(least "${MADE_TIMES[@]}")" ms
    figure pages '/metrics repeated, least' "$(least "${repeated[@]}")" ms '<=' 2
    figure pages '  median' "$(median "${repeated[@]}")" ms
    figure pages '  size' "$(calc "$PAGE_BYTES / 1e6")" MB
    figure pages 'plain, by the clock, most' "$(most "${plain_clock[@]}")" /s '>=' 1000
    figure pages '  median' "$(median "${plain_clock[@]}")" /s
    figure pages '  for a second of its CPU, median' "$(median "${plain[@]}")" /s
    figure pages 'compressed, by the clock, most' "$(most "${gzip_clock[@]}")" /s \
        '>=' 5000
    figure pages '  median' "$(median "${gzip_clock[@]}")" /s
    figure pages '  for a second of its CPU, median' "$(median "${gzip[@]}")" /s
    figure pages 'requests to slurmctld for all of these' "$asked" '' '<=' 0
    figure pages '  scrapes' "$SCRAPES" ''
}

# --- memory --------------------------------------------------------------------------

# memory_mb PID FIELD: of /proc/PID/status, in millions of bytes.
memory_mb() {
    awk -v field="$2:" '$1 == field { printf "%.6g\n", $2 * 1024 / 1e6 }' \
        "/proc/$1/status"
}

slurm_memory() {
    local snapshot i collector
    slurm_cluster
    for i in 1 2 3; do
        progress "memory, cycle $i of 3"
        cluster_touch
        cycle_run
        page_times 1
    done
    http --header 'Accept-Encoding: gzip' get "$BENCH_PORT" /metrics >/dev/null
    sleep 1
    collector=$(collector)
    snapshot=$(calc "$(value slurm_exporter_snapshot_bytes) / 1e6")
    figure memory 'collector between cycles' "$(memory_mb "$collector" VmRSS)" MB \
        '<=' 15
    figure memory '  at its highest' "$(memory_mb "$collector" VmHWM)" MB
    figure memory 'exporter at its highest' "$(memory_mb "$EXPORTER" VmHWM)" MB \
        '<=' "$(calc "3 * $snapshot + 10")"
    figure memory '  now' "$(memory_mb "$EXPORTER" VmRSS)" MB
    figure memory '  snapshot' "$snapshot" MB
}

# --- recovery ------------------------------------------------------------------------

# Sockets of process $1, one word.
sockets() {
    find "/proc/$1/fd" -lname 'socket:*' -printf '%l ' 2>/dev/null || true
}

# Returns while the collector $1 is in the middle of a long call: a socket that it has
# not had between cycles ($2) stays open.
call_wait() {
    local now last='' same=0 end=$((SECONDS + 60))
    while ((same < 8)); do
        ((SECONDS < end)) || fail 'no call to slurmctld takes 0.1 s' \
            'recovery needs a larger cluster'
        now=$(sockets "$1")
        if [[ $now != "$2" && $now == "$last" ]]; then
            same=$((same + 1))
        else
            same=0
        fi
        last=$now
        read -r -t 0.01 -u "$PAUSE_FD" || true
    done
}

slurm_recovery() {
    local i began at_rest collector cycle
    local -a ratios=() times=()
    slurm_cluster
    exporter_begin 1s
    for ((i = 1; i <= 5; i++)); do
        progress "recovery, kill $i of 5"
        # One whole cycle of this collector, to have lived longer than an interval.
        wait_for 60 cycle_new || fail 'the exporter does not collect'
        cluster_touch
        collector=$(collector)
        at_rest=$(sockets "$collector")
        cycle=$(value slurm_exporter_cycle_seconds)
        call_wait "$collector" "$at_rest"
        cycle_note
        began=$(now_ms)
        kill -KILL "$collector"
        wait_for 60 cycle_new || fail 'the exporter does not recover'
        times+=("$(($(now_ms) - began))")
        # What a whole cycle takes is told by the one that came now.
        cycle=$(calc "$(value slurm_exporter_cycle_seconds) * 1000")
        ratios+=("$(calc "${times[-1]} / $cycle")")
        cycle_note
    done
    figure recovery 'kill -9 to the next snapshot, of a cycle' \
        "$(median "${ratios[@]}")" x '<=' 1.5
    figure recovery '  duration' "$(median "${times[@]}")" ms
    exporter_begin 1h
}

# --- commands ------------------------------------------------------------------------

slurm_commands() {
    local i wall user system theirs ours controller collector
    local -a cpu=() waits=() their_cpu=() their_waits=()
    # Theirs take a minute and more.
    local rounds=$((BENCH_ROUNDS < 2 ? BENCH_ROUNDS : 2))
    slurm_cluster
    collector=$(collector)
    for ((i = 1; i <= rounds; i++)); do
        progress "vpenso's commands, round $i of $rounds"
        controller=$(cpu_ms "$CONTROLLER")
        read -r wall user system < <(
            TIMEFORMAT='%3R %3U %3S'
            { time in_cluster "$LAB_SOURCE/bench/vpenso-commands" >&2; } 2>&1 |
                tail -n 1
        )
        theirs=$(calc "1000 * ($user + $system) + $(cpu_ms "$CONTROLLER") - \
            $controller")
        cluster_touch
        controller=$(cpu_ms "$CONTROLLER" "$EXPORTER" "$collector")
        cycle_run
        page_times 1
        ours=$(calc "$(cpu_ms "$CONTROLLER" "$EXPORTER" "$collector") - $controller")
        cpu+=("$(calc "$theirs / $ours")")
        waits+=("$(calc "1000 * $wall / ${PAGE_TIMES[0]}")")
        their_cpu+=("$theirs")
        their_waits+=("$(calc "1000 * $wall")")
    done
    figure commands 'CPU: theirs, of a whole cycle and a scrape' \
        "$(median "${cpu[@]}")" x '>=' 8
    figure commands '  theirs, slurmctld included' "$(median "${their_cpu[@]}")" ms
    figure commands 'waiting: theirs, of a fresh scrape' "$(median "${waits[@]}")" x \
        '>=' 100
    figure commands '  theirs' "$(median "${their_waits[@]}")" ms
}

# --- start ---------------------------------------------------------------------------

slurm_start() {
    local i
    local -a times=()
    cluster_begin bench-small "$BENCH_BUILD" 20 100
    for ((i = 1; i <= BENCH_ROUNDS; i++)); do
        progress "start, round $i of $BENCH_ROUNDS"
        times+=("$(in_cluster "$BENCH_PROGRAMS/http-client" start "$BENCH_PORT" \
            /metrics 'slurm_up 1' "$BENCH_BUILD/src/watchdog/gpu-watchdog" \
            exporter --listen "127.0.0.1:$BENCH_PORT" --log-level warning)")
    done
    figure start 'start to the first good scrape, median' "$(median "${times[@]}")" \
        ms '<=' 200
    figure start '  most' "$(most "${times[@]}")" ms
    cluster_end
}

# --- native --------------------------------------------------------------------------

slurm_native() {
    local i path controller round cycle root jobs
    local -a ratios=() rounds=() cycles=()
    native_ready || return 0
    root=$("$LAB_SOURCE/lab/root" sid)
    jobs=$((BENCH_JOBS < 3000 ? BENCH_JOBS : 3000))
    cluster_begin bench-native "$LAB_SOURCE/build-sid" "$BENCH_NODES" "$jobs" \
        --root "$root"
    exporter_begin 1h
    for ((i = 1; i <= BENCH_ROUNDS; i++)); do
        progress "Slurm's own metrics, round $i of $BENCH_ROUNDS"
        controller=$(cpu_ms "$CONTROLLER")
        for path in jobs jobs-users-accts nodes partitions scheduler; do
            http get 6817 "/metrics/$path" | grep -q ' 200 ' ||
                fail "slurmctld does not serve /metrics/$path"
        done
        round=$(calc "$(cpu_ms "$CONTROLLER") - $controller")
        cluster_touch
        controller=$(cpu_ms "$CONTROLLER")
        cycle_run
        cycle=$(calc "$(cpu_ms "$CONTROLLER") - $controller")
        rounds+=("$round")
        cycles+=("$cycle")
        ratios+=("$(calc "$cycle / $round")")
    done
    figure native "slurmctld: a cycle, of its own metrics" \
        "$(median "${ratios[@]}")" x '<=' 0.2
    figure native '  a cycle, CPU' "$(median "${cycles[@]}")" ms
    figure native '  its five pages, CPU' "$(median "${rounds[@]}")" ms
    cluster_end
}

# The system with Slurm 26.05, and our programs built in it.
native_ready() {
    local log status=0
    log=$(mktemp)
    progress 'getting the system with Slurm 26.05'
    "$LAB_SOURCE/lab/root" sid >"$log" 2>&1 || status=$?
    if ((status == 75)); then
        progress_done 'native: skipped, as the system cannot be fetched just now'
        rm "$log"
        return 1
    fi
    ((status == 0)) || fail 'no system with Slurm 26.05' "$(tail -n 5 "$log")"
    progress 'building for Slurm 26.05'
    mkdir -p "$LAB_SOURCE/build-sid"
    "$LAB_SOURCE/lab/in-root" --read-only "$LAB_SOURCE:/source" \
        --bind "$LAB_SOURCE/build-sid:/source/build-sid" \
        --directory /source/build-sid sid sh -c '
            test -e build.ninja || meson setup . /source || exit
            ninja src/watchdog/gpu-watchdog bench-programs' >"$log" 2>&1 ||
        fail 'the programs do not build' "$(tail -n 15 "$log")"
    rm "$log"
}
