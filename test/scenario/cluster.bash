# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the scenarios of head, join and leave share: a lab of bare hosts for each
# file, on which gpu-watchdog makes the cluster. Builds on helpers.bash.

load helpers

# cluster_hosts N [START-OPTION...]: a head and N workers, on which nothing runs.
cluster_hosts() {
    local name=${BATS_TEST_FILENAME##*/}
    export GPU_WATCHDOG_LAB="${name%.bats}-$$"
    export LAB_DIR="${GPU_WATCHDOG_LAB_BASE:-/run/gpu-watchdog-lab}/$GPU_WATCHDOG_LAB"
    export PATH="$SCENARIO_SOURCE/lab:$PATH"
    export HEAD_ROOT="$LAB_DIR/hosts/head/root"
    [[ -z ${GPU_WATCHDOG_BUILD-} ]] || set -- "$@" --build "$GPU_WATCHDOG_BUILD"
    [[ -z ${LAB_ROOT-} ]] || set -- "$@" --root "$LAB_ROOT"
    "$SCENARIO_SOURCE/start" --name "$GPU_WATCHDOG_LAB" --detach --port-base 0 \
        --bare --workers "$@" 3>&-
}

# keep HOST COMMAND...: runs gpu-watchdog COMMAND on a host until it is stopped; what
# it says goes to /var/log/lab/gpu-watchdog.log there.
keep() {
    local host=$1
    shift
    # shellcheck disable=SC2016 # expanded on the host
    on "$host" bash -c 'setsid gpu-watchdog "$@" >>/var/log/lab/gpu-watchdog.log 2>&1 &
        echo $! >/run/keeper' - "$@"
}

# The keeper of a host ends by SIGNAL (TERM), and is waited for.
unkeep() {
    # shellcheck disable=SC2016
    on "$1" bash -c 'kill -"$1" "$(cat /run/keeper)"
        while kill -0 "$(cat /run/keeper)"; do sleep 0.02; done 2>/dev/null' \
        - "${2:-TERM}"
}

said() {
    cat "$LAB_DIR/hosts/$1/root/var/log/lab/gpu-watchdog.log"
}

# A fresh token, or with options of `token create`.
token() {
    on head gpu-watchdog token create "$@" 2>/dev/null | awk '{ print $NF }'
}

HEAD_PORT=10.77.0.1:6824

head_is_ready() {
    on head gpu-watchdog status >/dev/null 2>&1
}

head_start() {
    keep head head "$@"
    wait_until 10 head_is_ready
}

# A job that is faster than the last look finds the node at work already.
join_is_done() {
    said "$1" 2>/dev/null |
        grep -qE 'ready: [^ ]+ is (idle|mixed|allocated) in Slurm'
}

# join HOST [OPTION...]: with a token of its own.
join() {
    local host=$1
    shift
    : >"$LAB_DIR/hosts/$host/root/var/log/lab/gpu-watchdog.log"
    keep "$host" join "$@" "$HEAD_PORT" "$(token --uses 1)"
    wait_until 10 join_is_done "$host" || {
        said "$host"
        return 1
    }
}

node_state() {
    on head sinfo --noheader --nodes="$1" --format=%T
}

# node_is NODE STATE...: one of these.
node_is() {
    local node=$1 state
    state=$(node_state "$node")
    shift
    [[ " $* " == *" $state "* ]]
}

node_is_gone() {
    ! on head sinfo --noheader --Node --format=%N | grep -qx "$1"
}

job_is() {
    [[ $(on head squeue --noheader --states=all --jobs="$1" --format=%T) == "$2" ]]
}
