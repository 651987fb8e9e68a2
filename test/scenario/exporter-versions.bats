#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the exporter must do with every version of Slurm: LAB_ROOT chooses one, as
# ./check --slurm-matrix does. exporter-metrics.bats goes into every number.

bats_require_minimum_version 1.5.0

setup_file() {
    export SOURCE="$BATS_TEST_DIRNAME/../.."
    export GPU_WATCHDOG_LAB="versions-$$"
    export PATH="$SOURCE/lab:$PATH"
    "$SOURCE/start" --name "$GPU_WATCHDOG_LAB" --by-hand --detach --port-base 0 3>&-
}

teardown_file() {
    "$SOURCE/start" --name "$GPU_WATCHDOG_LAB" --stop 3>&-
}

# page PATH: a page as the head serves it.
page() {
    local port
    port=$(sed -n 's/=9341$//p' "/run/gpu-watchdog-lab/$GPU_WATCHDOG_LAB/forward/ports")
    curl -fsS "http://127.0.0.1:$port$1"
}

# shows LINE [PATH]: the page comes to have this very line: what changed just after a
# look at Slurm is seen by the next, an interval of 15 seconds later.
shows() {
    local end=$((SECONDS + 25))
    # Not in a pipe: curl fails when grep has seen enough before the page's end.
    until grep -qxF "$1" <<<"$(page "${2:-/metrics}")"; do
        ((SECONDS < end)) || return 1
        sleep 0.2
    done
}

@test "slurmctld answers, and every node and GPU is there" {
    shows 'slurm_up 1'
    shows 'slurm_nodes_total 3'
    shows 'slurm_gpus_total 8'
    shows 'slurm_gpus_by_state{type="h100",state="idle"} 8'
}

@test "the version of Slurm is told" {
    local version
    version=$(on head sinfo --version)
    page /metrics | grep -qF "slurm_version=\"${version#slurm-wlm }\"" ||
        page /metrics | grep -qF "slurm_version=\"${version#slurm }\""
}

@test "a job with GPUs is seen, and its end" {
    local job
    job=$(on --user user head sbatch --parsable -o /dev/null --gres=gpu:h100:3 \
        --wrap 'sleep 60')
    shows 'slurm_queue_running 1'
    shows 'slurm_gpus_alloc 3'
    shows 'slurm_user_gpu_allocated{user="user",type="h100"} 3'
    on head scancel "$job"
    shows 'slurm_gpus_alloc 0'
}

@test "a drained node is drained, with its reason" {
    on head scontrol update nodename=worker2 state=drain reason='a test'
    shows 'slurm_nodes_drain 1'
    shows 'slurm_gpus_other 4'
    shows 'slurm_node_reason{node="worker2",reason="a test",user="root"} 1'
    on head scontrol update nodename=worker2 state=resume
    shows 'slurm_nodes_drain 0'
}

@test "Slurm's own names are served on their paths" {
    shows 'slurm_nodes 3' /metrics/nodes
    shows 'slurm_partition_gpus{partition="gpu"} 8' /metrics/partitions
    page /metrics/jobs | grep -q '^slurm_jobs '
    page /metrics/scheduler | grep -q '^slurm_schedule_cycle_cnt '
}
