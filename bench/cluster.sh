# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A big cluster to measure on, the exporter in it, and cycles of its collector on
# demand. Sourced by ./benchmark; one cluster and one exporter at a time.
#
# What is measured runs inside the cluster's namespaces, what measures on this
# machine, in the cluster's network.

BENCH_PORT=9341
# Filled clusters are kept: to fill the largest takes eight minutes.
BENCH_KEEP=${GPU_WATCHDOG_BENCH_KEEP:-/var/cache/gpu-watchdog/bench}

CLUSTER=''
CLUSTER_BUILD=''
CLUSTER_JOB=''
CLUSTER_TOUCHES=0
CONTROLLER=''
EXPORTER=''
EXPORTER_JOB=''

cluster_do() {
    "$LAB_SOURCE/bench/big-cluster" --name "$CLUSTER" "$@"
}

# cluster_begin NAME BUILD NODES JOBS [OPTION...]
cluster_begin() {
    local name=$1 build=$2 nodes=$3 jobs=$4
    shift 4
    cluster_end
    CLUSTER=$name
    CLUSTER_BUILD=$build
    CLUSTER_JOB=''
    # Small ones are made faster than they are taken from where they were kept.
    ((jobs < 1000)) || set -- "$@" --keep "$BENCH_KEEP/$name-$nodes-$jobs"
    cluster_do start --nodes "$nodes" --jobs "$jobs" --build "$build" "$@" >&2
    CONTROLLER=$(cluster_do pid)
    CLUSTER_INIT=$(awk '/^PPid:/ { print $2 }' "/proc/$CONTROLLER/status")
}

cluster_end() {
    [[ $CLUSTER ]] || return 0
    exporter_end
    cluster_do stop
    CLUSTER=''
}

# Runs a command of this machine in the cluster's network.
at_cluster() {
    nsenter --target "$CLUSTER_INIT" --net -- "$@"
}

# Runs a command as on a machine of the cluster.
in_cluster() {
    cluster_do on "$@"
}

# CPU time of processes in milliseconds, all together.
cpu_ms() {
    "$BENCH_PROGRAMS/cpu-time" "$@" | awk '{ s += $1 } END { printf "%.3f\n", s }'
}

http() {
    at_cluster "$BENCH_PROGRAMS/http-client" "$@"
}

# --- the exporter ----------------------------------------------------------------

# The first child of process $1. The list ends without a newline.
child_of() {
    local -a children
    read -r -a children <"/proc/$1/task/$1/children" || true
    [[ ${children[0]-} ]] && echo "${children[0]}"
}

# The nearest descendant of process $1 that runs the program $2.
descendant() {
    local pid=$1
    until [[ $(readlink "/proc/$pid/exe") == "$2" ]]; do
        pid=$(child_of "$pid") || fail "process $1 does not run $2"
    done
    echo "$pid"
}

exporter_program() {
    echo "$CLUSTER_BUILD/src/watchdog/gpu-watchdog"
}

# exporter_begin INTERVAL: asks slurmctld for everything in each cycle.
exporter_begin() {
    exporter_end
    in_cluster "$(exporter_program)" exporter \
        --listen "127.0.0.1:$BENCH_PORT" --log-level warning \
        --interval "$1" --jobs-interval 1ms --slow-interval 1s \
        --stale-after 24h </dev/null >&2 &
    EXPORTER_JOB=$!
    wait_for 60 exporter_ready || fail 'the exporter does not become ready'
    EXPORTER=$(descendant "$EXPORTER_JOB" "$(exporter_program)")
    cycle_note
}

exporter_ready() {
    [[ -e /proc/$EXPORTER_JOB ]] || fail 'the exporter has ended'
    at_cluster curl -fs "http://127.0.0.1:$BENCH_PORT/readyz" >/dev/null
}

exporter_end() {
    [[ $EXPORTER_JOB ]] || return 0
    kill "${EXPORTER:-$EXPORTER_JOB}" 2>/dev/null || true
    wait "$EXPORTER_JOB" 2>/dev/null || true
    EXPORTER_JOB='' EXPORTER=''
}

# Its collector changes when it is killed.
collector() {
    child_of "$EXPORTER"
}

# value SERIES: of what the exporter tells about itself, which costs it next to
# nothing and makes no page.
value() {
    at_cluster curl -fsg \
        "http://127.0.0.1:$BENCH_PORT/metrics?collect[]=exporter" |
        awk -v name="$1" '$1 == name { print $2 }'
}

# --- cycles ------------------------------------------------------------------------

cycle_note() {
    CYCLES=$(value slurm_exporter_cycles_total)
}

cycle_new() {
    sleep 0.03
    (($(value slurm_exporter_cycles_total) > CYCLES))
}

# Something of nodes, partitions and jobs changes, so that slurmctld answers in full
# instead of "nothing new".
cluster_touch() {
    local mark=$((++CLUSTER_TOUCHES))
    : "${CLUSTER_JOB:=$(in_cluster squeue -h -t pending -o %A | head -n 1)}"
    in_cluster sh -c "
        scontrol update JobId=$CLUSTER_JOB Comment=touch-$mark
        scontrol update NodeName=l40s-00001 Comment=touch-$mark
        scontrol update PartitionName=short MaxNodes=$((1000 + mark))" >&2
    sleep 0.3
}

# One cycle; returns when its snapshot is there.
cycle_run() {
    cycle_note
    kill -HUP "$EXPORTER"
    wait_for 60 cycle_new || fail 'the exporter does not collect'
    # The collector tidies up behind the snapshot.
    sleep 0.05
}
