# shellcheck shell=bash disable=SC2034,SC2153 # ./benchmark reads and sets them
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ./benchmark join: how fast a cluster is made out of bare hosts, and what keeping
# it costs a machine. Sourced by ./benchmark.
#
# A person waits for these times, so they are by the clock, from the typed line to
# the end of the first job; srun is tried every 20 ms meanwhile. The least counts,
# as whatever else runs on the machine can only lengthen them.

join_about='bare hosts: from the typed line to the first job; what keeping costs'
join_parts=(head worker crowd idle)
join_part_about=(
    [0]='from "head" to the first job'
    [1]='from the pasted line to the first job there'
    [2]='16 workers that join at once: all idle'
    [3]='what head and worker cost while nothing happens'
)
JOIN_LAB=bench-join-$$

join_hosts() {
    local log
    [[ ${JOIN_HOSTS-} != yes ]] || return 0
    log=$(mktemp)
    progress 'making 17 bare hosts'
    "$LAB_SOURCE/start" --name "$JOIN_LAB" --bare --detach --port-base 0 \
        --workers 16 --build "$BENCH_BUILD" >"$log" 2>&1 ||
        fail 'no hosts' "$(tail -n 5 "$log")"
    rm "$log"
    JOIN_HOSTS=yes
}

join_end() {
    [[ ${JOIN_HOSTS-} != yes ]] ||
        "$LAB_SOURCE/start" --name "$JOIN_LAB" --stop >/dev/null
}

# join_on HOST COMMAND...
join_on() {
    "$LAB_SOURCE/lab/on" --name "$JOIN_LAB" "$@"
}

join_now_ms() {
    local us=${EPOCHREALTIME/[.,]/}
    echo $((us / 1000))
}

# join_keep HOST COMMAND...: runs gpu-watchdog there until it is killed.
join_keep() {
    local host=$1
    shift
    # shellcheck disable=SC2016 # expanded on the host
    join_on "$host" bash -c 'setsid gpu-watchdog "$@" >/var/log/gpu-watchdog.log 2>&1 &
        echo $! >/run/keeper' - "$@"
}

join_unkeep() {
    # shellcheck disable=SC2016
    join_on "$1" bash -c 'kill "$(cat /run/keeper)"
        while kill -0 "$(cat /run/keeper)"; do sleep 0.02; done' 2>/dev/null
}

# Until a job runs on HOST, but not longer than ten seconds.
join_first_job() {
    # shellcheck disable=SC2016
    join_on head bash -c 'for ((i = 0; i < 500; i++)); do
            ! timeout 2 srun --quiet --nodelist="$1" true 2>/dev/null || exit 0
            sleep 0.02
        done; exit 1' - "$1" || fail "no job runs on $1"
}

join_head_begin() {
    join_hosts
    [[ ${JOIN_HEAD-} == yes ]] || join_keep head head
    JOIN_HEAD=yes
    join_first_job head
}

join_head() {
    local i begin
    local -a times=()
    join_hosts
    for ((i = 1; i <= BENCH_ROUNDS; i++)); do
        progress "a head, round $i of $BENCH_ROUNDS"
        [[ ${JOIN_HEAD-} != yes ]] || join_unkeep head
        join_on head rm -rf /var/lib/gpu-watchdog /etc/slurm /var/spool/slurmd
        begin=$(join_now_ms)
        join_keep head head
        join_first_job head
        times+=($(($(join_now_ms) - begin)))
        JOIN_HEAD=yes
    done
    figure head 'from "head" to the first job, least' "$(least "${times[@]}")" ms '<=' 3000
    figure head '  median' "$(median "${times[@]}")" ms
}

join_worker() {
    local i begin token
    local -a times=()
    join_head_begin
    for ((i = 1; i <= BENCH_ROUNDS; i++)); do
        progress "a worker, round $i of $BENCH_ROUNDS"
        token=$(join_on head gpu-watchdog token 2>/dev/null)
        begin=$(join_now_ms)
        # shellcheck disable=SC2086 # the line is typed, so it is split
        join_keep worker1 ${token#gpu-watchdog }
        join_first_job worker1
        times+=($(($(join_now_ms) - begin)))
        sleep 1
        join_on worker1 gpu-watchdog leave >/dev/null
        sleep 1
    done
    figure worker 'from the pasted line to the first job, least' \
        "$(least "${times[@]}")" ms '<=' 2000
    figure worker '  median' "$(median "${times[@]}")" ms
}

join_idle_nodes() {
    join_on head sinfo --noheader --Node --format='%N %T' 2>/dev/null |
        sort -u | grep -c ' idle$' || true
}

join_crowd() {
    local i begin token
    join_head_begin
    token=$(join_on head gpu-watchdog token 2>/dev/null)
    progress '16 workers'
    begin=$(join_now_ms)
    for i in {1..16}; do
        # shellcheck disable=SC2086
        join_keep "worker$i" ${token#gpu-watchdog } &
    done
    wait
    while (($(join_idle_nodes) < 17)); do
        (($(join_now_ms) - begin < 60000)) || fail 'not all workers are idle'
        sleep 0.05
    done
    figure crowd 'sixteen at once: all idle' $(($(join_now_ms) - begin)) ms '<=' 10000
    JOIN_CROWD=yes
}

# CPU in milliseconds and resident memory in MB of the keeper of HOST.
join_cost() {
    local pid
    pid=$(join_on "$1" cat /run/keeper)
    # shellcheck disable=SC2016
    join_on "$1" bash -c 'read -ra s <"/proc/$1/stat"
        rss=$(awk "/^VmRSS:/ { print \$2 }" "/proc/$1/status")
        echo $(((s[13] + s[14]) * 1000 / $(getconf CLK_TCK))) "$rss"' - "$pid"
}

join_idle() {
    local host before after rss seconds=60
    local -A start=()
    [[ ${JOIN_CROWD-} == yes ]] || join_crowd
    sleep 5
    for host in head worker1; do
        read -r before _ < <(join_cost "$host")
        start[$host]=$before
    done
    progress "nothing happens for $seconds seconds"
    sleep "$seconds"
    for host in head worker1; do
        read -r after rss < <(join_cost "$host")
        figure idle "$host: share of a processor" \
            "$(calc "($after - ${start[$host]}) / 10 / $seconds")" % '<=' 0.1
        figure idle "  $host: resident memory" "$(calc "$rss / 1024")" MB '<=' 8
    done
}
