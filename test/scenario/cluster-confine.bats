#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# head --confine-gpus: a job can open the GPUs that it asked for, and no other. The
# hosts of a lab have no cgroups; here they get this machine's hierarchy of devices
# (version 1), in which Slurm keeps a folder for each node, and device files of
# their own: those of the simulated GPUs are all /dev/null's.

load cluster

setup_file() {
    cluster_hosts 2
}

# Slurm leaves the folder of its node in the hierarchy, which is this machine's.
teardown_file() {
    scenario_end
    [[ ! -d /sys/fs/cgroup/devices/slurm_worker1 ]] ||
        find /sys/fs/cgroup/devices/slurm_worker1 -depth -type d -exec rmdir {} +
}

# cgroups_mount HOST
cgroups_mount() {
    on "$1" bash -c 'mkdir -p /sys/fs/cgroup && mount -t tmpfs none /sys/fs/cgroup &&
        mkdir /sys/fs/cgroup/devices &&
        mount -t cgroup -o devices none /sys/fs/cgroup/devices'
}

# gpus_replace HOST: by files of NVIDIA's number, behind which nobody is (ENXIO).
gpus_replace() {
    # shellcheck disable=SC2016 # expanded on the host
    on "$1" bash -c 'for i in 0 1 2 3; do
        umount "/dev/nvidia$i" && rm "/dev/nvidia$i" &&
            mknod -m 666 "/dev/nvidia$i" c 195 "$i" || exit
    done'
}

# What a job with N GPUs is told when it opens each of worker1's. A step that begins
# while slurmd starts anew may never be answered: Slurm's own.
opened() {
    # shellcheck disable=SC2016 # expanded by the job
    on --user user head timeout 15 srun --quiet --nodelist=worker1 --gres=gpu:"$1" bash -c '
        for i in 0 1 2 3; do { : <"/dev/nvidia$i"; } 2>&1; done' |
        sed 's/.*: //' | sort | uniq -c
}

@test "head --confine-gpus: refused where there are no cgroups of version 1" {
    run on head gpu-watchdog head --confine-gpus
    ((status == 1))
    [[ $output == *'--confine-gpus cannot be had here'*'no cgroups of version 1'* ]]
}

@test "a worker without them is refused, and told what it takes" {
    head_start --confine-gpus --no-compute
    run on worker2 timeout 20 gpu-watchdog join "$HEAD_PORT" "$(token)"
    ((status == 1))
    [[ $output == *'keeps jobs to their GPUs, which this machine cannot'* ]]
}

@test "a job can open the GPUs that it asked for, and no other" {
    cgroups_mount worker1
    gpus_replace worker1
    join worker1
    run opened 1
    [[ $output == *'1 No such device or address'*'3 Operation not permitted'* ]]
    run opened 3
    [[ $output == *'3 No such device or address'*'1 Operation not permitted'* ]]
    run on head gpu-watchdog status
    [[ $output == *'those that it asked for, and no other'* ]]
}

@test "without --confine-gpus again: all can be opened, and status says so" {
    unkeep head
    keep head head --no-compute
    wait_until 10 head_is_ready
    all_open() { [[ $(opened 1) == *'4 No such device'* ]]; }
    wait_until 60 all_open
    run on head gpu-watchdog status
    [[ $output == *'can reach all of its node'* ]]
}
