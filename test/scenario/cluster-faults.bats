#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What happens to a cluster of head and join when machines, networks and daemons
# fail, each by really doing it. Jobs are requeued or survive; none is lost silently.

load cluster

setup_file() {
    cluster_hosts 2
    head_start --lost-after 4s --forget-after 6s
    join worker1
    join worker2
}

teardown_file() {
    scenario_end
}

# A batch job that runs alone on NODE for SECONDS, and its number.
job_on() {
    on head sbatch --parsable --output=/dev/null --exclusive --nodelist="$1" \
        --wrap "sleep $2"
}

# slurmctld writes a new job to disk within five seconds; until then nothing of
# ours could keep it.
job_is_saved() {
    wait_until 15 test "$HEAD_ROOT/var/lib/gpu-watchdog/slurmctld/job_state" -nt \
        "$BATS_TEST_TMPDIR/submitted"
}

runs_everywhere() {
    on head timeout 5 srun --quiet -N3 hostname >/dev/null 2>&1
}

# worker2_moves OLD NEW: as if a pod came back elsewhere.
worker2_moves() {
    on worker2 ip address del "$1/24" dev eth0
    on worker2 ip address add "$2/24" dev eth0
}

@test "slurmd is killed: its job survives, and slurmd is back" {
    local job
    job=$(job_on worker1 4)
    wait_until 5 job_is "$job" RUNNING
    on worker1 pkill -9 -x slurmd
    wait_until 10 on worker1 gpu-watchdog status
    wait_until 15 job_is "$job" COMPLETED
    wait_until 10 runs_everywhere
}

@test "munged is killed on head and worker: back, and jobs run" {
    local job
    job=$(job_on worker1 4)
    wait_until 5 job_is "$job" RUNNING
    on head pkill -9 -x munged
    on worker1 pkill -9 -x munged
    wait_until 10 runs_everywhere
    wait_until 20 job_is "$job" COMPLETED
}

@test "slurmctld is killed: its jobs are there again" {
    local job
    touch "$BATS_TEST_TMPDIR/submitted"
    job=$(job_on worker1 10)
    wait_until 5 job_is "$job" RUNNING
    job_is_saved
    on head pkill -9 -x slurmctld
    wait_until 10 on head gpu-watchdog status
    wait_until 20 job_is "$job" COMPLETED
    run on head gpu-watchdog status
    [[ $output == *slurmctld*ready*1* ]]
}

@test "the head is killed with -9 and started again: members come back alone" {
    local job
    job=$(job_on worker1 6)
    wait_until 5 job_is "$job" RUNNING
    unkeep head KILL
    # The cluster goes on without it.
    on head timeout 5 srun --quiet --nodelist=head hostname
    head_start --lost-after 4s --forget-after 6s
    wait_until 15 runs_everywhere_but worker1
    wait_until 20 job_is "$job" COMPLETED
    wait_until 10 runs_everywhere
}

runs_everywhere_but() {
    on head timeout 5 srun --quiet --exclude="$1" -N2 hostname >/dev/null 2>&1
}

@test "a worker is unplugged: its job is queued again; plugged in: it is back" {
    local job
    job=$(job_on worker2 60)
    wait_until 5 job_is "$job" RUNNING
    link worker2 down
    wait_until 10 node_is worker2 down 'down*'
    on head scontrol show node worker2 | grep -q 'Reason=gpu-watchdog: no sign of life'
    wait_until 5 job_is "$job" PENDING
    on head scancel "$job"
    link worker2 up
    wait_until 10 node_is worker2 idle
    wait_until 10 runs_everywhere
}

address_is() {
    [[ $(on head scontrol show node "$1") == *"NodeAddr=$2 "* ]]
}

@test "a worker comes back under another address: usable within 10 seconds" {
    local begin_ms
    begin_ms=$(now_ms)
    worker2_moves 10.77.0.12 10.77.0.99
    wait_until 10 address_is worker2 10.77.0.99
    wait_until 10 on head timeout 2 srun --quiet --nodelist=worker2 hostname
    echo "usable after $(($(now_ms) - begin_ms)) ms"
    (($(now_ms) - begin_ms <= 10000))
    worker2_moves 10.77.0.99 10.77.0.12
    wait_until 10 address_is worker2 10.77.0.12
    wait_until 10 on head timeout 2 srun --quiet --nodelist=worker2 hostname
}

@test "a lost node is deleted once nothing names it, and made anew when it is back" {
    local job
    job=$(on head sbatch --parsable --output=/dev/null --hold --nodelist=worker2 \
        --wrap true)
    power worker2 off
    wait_until 15 node_is worker2 down 'down*'
    sleep 8
    # A pending job names it.
    node_is worker2 down 'down*'
    on head scancel "$job"
    wait_until 20 node_is_gone worker2
    power worker2 on
    mkdir -p "$LAB_DIR/hosts/worker2/root/var/log/lab"
    keep worker2 join
    wait_until 10 node_is worker2 idle
    wait_until 10 runs_everywhere
}

@test "another's drain is not lifted" {
    on head scontrol update nodename=worker2 state=drain reason='fan is loud'
    unkeep worker2 KILL
    wait_until 15 node_is worker2 down 'down*' drained 'drained*'
    keep worker2 join
    sleep 6
    node_is worker2 drained 'drained*'
    on head scontrol update nodename=worker2 state=resume
    wait_until 10 runs_everywhere
}

@test "slurmctld's state is lost: all nodes are there again by themselves" {
    unkeep head
    rm -rf "$HEAD_ROOT/var/lib/gpu-watchdog/slurmctld"
    head_start --lost-after 4s --forget-after 6s
    wait_until 30 runs_everywhere
}

@test "the head has another host name: it goes on with the same cluster" {
    unkeep head
    on head bash -c 'echo renamed >/proc/sys/kernel/hostname'
    head_start --lost-after 4s --forget-after 6s
    wait_until 15 on head timeout 5 srun --quiet -N3 true
    grep -q '^SlurmctldHost=renamed(10.77.0.1)' "$HEAD_ROOT/etc/slurm/slurm.conf"
}

@test "the disk of the head is full: what runs goes on, who joins is told why" {
    on head mount -t tmpfs -o size=64k tmpfs /mnt
    unkeep head
    run on head timeout 5 gpu-watchdog head --state /mnt/state
    on head bash -c 'head -c 1M /dev/zero >/mnt/full' || true
    rm -rf "$HEAD_ROOT/mnt/state"
    run on head timeout 5 gpu-watchdog head --state /mnt/state2
    ((status == 1))
    [[ $output == *'No space left'* ]]
    on head umount /mnt
    head_start --lost-after 4s --forget-after 6s
    wait_until 15 on head timeout 5 srun --quiet -N3 true
}

node_has() { # NODE GRES
    [[ $(on head scontrol show node "$1") == *"Gres=$2"* ]]
}

@test "a worker has other hardware: its node is made anew with it" {
    local scenario=$LAB_DIR/hosts/worker2/root/run/gpu-simulated/scenario
    node_has worker2 gpu:h100:4
    unkeep worker2
    cp "$scenario" "$BATS_TEST_TMPDIR/scenario"
    sed -i '/^gpu 3 /d' "$scenario"
    keep worker2 join
    wait_until 15 node_has worker2 gpu:h100:3
    wait_until 10 runs_everywhere
    [[ $(said head) == *'worker2'*'changed'* ]]
    unkeep worker2
    cp "$BATS_TEST_TMPDIR/scenario" "$scenario"
    keep worker2 join
    wait_until 15 node_has worker2 gpu:h100:4
    wait_until 10 runs_everywhere
}

# With its key pair all trust is gone: it is another cluster, and says so.
@test "the head's whole state is lost: members are let in again by a token" {
    unkeep head KILL
    rm -rf "$HEAD_ROOT/var/lib/gpu-watchdog"
    head_start --lost-after 4s --forget-after 6s
    tells_of_another() { [[ $(said worker2 | tail -n 20) == *'another machine answers'* ]]; }
    wait_until 20 tells_of_another
    run ! on worker2 gpu-watchdog leave
    [[ $output == *'gone for good'*'gpu-watchdog leave --now'* ]]
    on worker2 gpu-watchdog leave --now
    join worker2
    wait_until 10 on head timeout 5 srun --quiet --nodelist=worker2 true
}
