# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Proves that a lab's cluster works by using it as its users would, and shows what
# they would see. Needs lib.sh, host.sh, progress.sh, status.sh and the settings.

# host_exec in a process of its own.
on() (
    host_exec "$@"
)

proof_nodes_idle() {
    local states idle
    states=$(on root head sinfo --noheader --Node --format='%N %T' 2>/dev/null) ||
        return 1
    idle=$(grep -c ' idle$' <<<"$(sort -u <<<"$states")")
    progress "waiting for nodes: $idle of $((LAB_WORKERS + 1)) are idle"
    ((idle == LAB_WORKERS + 1))
}

proof_nodes() {
    wait_for 60 proof_nodes_idle ||
        fail 'the nodes do not become idle' "$(on root head sinfo --list-reasons)" \
            "$(tail -n 3 "$LAB_DIR"/hosts/worker1/root/var/log/lab/{slurmd,join}.log \
                2>/dev/null)"
    progress_done "$((LAB_WORKERS + 1)) nodes are idle"
    on root head sinfo | sed 's/^/           /'
}

# Every node runs its part of one job.
proof_srun() {
    local names
    progress 'running a command on all nodes'
    names=$(on root head srun -N$((LAB_WORKERS + 1)) hostname | sort | xargs)
    [[ $(wc -w <<<"$names") == "$((LAB_WORKERS + 1))" ]] ||
        fail "srun hostname ran on '$names' only"
    progress_done "srun -N$((LAB_WORKERS + 1)) hostname: $names"
}

# What the job below runs: it tells who it is and which GPUs it was given.
# shellcheck disable=SC2016
PROOF_JOB='echo "$(id -un) on $(hostname), CUDA_VISIBLE_DEVICES=$CUDA_VISIBLE_DEVICES"'

# Somebody without privileges gets two GPUs. Not with sbatch, whose jobs have to wait
# until slurmctld is three seconds old.
proof_gpu() {
    local said
    progress "running a GPU job as $LAB_USER"
    said=$(on "$LAB_USER" head srun --gres="gpu:$LAB_GPU_TYPE:2" bash -c "$PROOF_JOB")
    [[ $said == "$LAB_USER on worker"*"=0,1" ]] ||
        fail "a job that asked for two GPUs said: $said"
    progress_done "srun --gres=gpu:$LAB_GPU_TYPE:2: $said (simulated)"
}

# The body of http://127.0.0.1:PORT/metrics, with its head.
metrics_fetch() {
    local fd
    exec {fd}<>"/dev/tcp/127.0.0.1/$1" || return 1
    printf 'GET /metrics HTTP/1.0\r\nHost: lab\r\n\r\n' >&"$fd"
    cat <&"$fd"
    exec {fd}>&-
}

metrics_know_all_nodes() {
    metrics_fetch "$1" 2>/dev/null | grep -q "^slurm_nodes_total $((LAB_WORKERS + 1))\$"
}

# The exporter, where it has been built, sees the cluster and is reached from here.
proof_metrics() {
    local port service=exporter
    [[ $LAB_BY_HAND == yes ]] || service='head'
    port=$(status_forwards | sed -n 's/=9341$//p')
    [[ -n $port && -e $LAB_DIR/hosts/head/root/run/lab/$service.pid ]] || return 0
    progress 'waiting for the metrics to show all nodes'
    wait_for 30 metrics_know_all_nodes "$port" ||
        fail "http://127.0.0.1:$port/metrics does not show all nodes in 30 s" \
            "$(tail -n 3 "$LAB_DIR/hosts/head/root/var/log/lab/$service.log")"
    progress_done "metrics on 127.0.0.1:$port: slurm_nodes_total $((LAB_WORKERS + 1))"
}

# Something to see: a job that uses its GPU, one that uses half of what it holds, one
# that does nothing. They start when slurmctld is three seconds old.
proof_jobs() {
    local -a batch=(sbatch --parsable --quiet --chdir=/ --output=/dev/null)
    progress 'submitting jobs'
    {
        on user head "${batch[@]}" --job-name=train --gres="gpu:$LAB_GPU_TYPE:1" \
            --nodelist=worker1 \
            --wrap 'burn --pattern sine --utilization 95 --memory-mib 61000'
        on alice head "${batch[@]}" --job-name=half --gres="gpu:$LAB_GPU_TYPE:2" \
            --nodelist=worker1 \
            --wrap 'burn --utilization 70 --memory-mib 24000 --gpus 1'
        on bob head "${batch[@]}" --job-name=asleep --gres="gpu:$LAB_GPU_TYPE:1" \
            --nodelist="worker$LAB_WORKERS" \
            --wrap 'sleep infinity'
    } >/dev/null || fail 'the jobs cannot be submitted'
    progress_done 'jobs for 4 GPUs: one busy, one half idle, one asleep'
}
