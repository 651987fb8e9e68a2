#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A cluster that authenticates by Slurm's own auth/slurm, without munge. LAB_ROOT names
# a system with Slurm 24.05 or later: part of ./check --slurm-matrix. That an older
# Slurm is refused is in cluster-join.bats.

load cluster

setup_file() {
    cluster_hosts 2
}

teardown_file() {
    scenario_end
}

on_all() {
    local host
    for host in head worker1 worker2; do
        on "$host" "$@" || return 1
    done
}

no_munged() {
    ! on "$1" pgrep -x munged
}

auth_is() {
    [[ $(on head timeout 2 scontrol show config) == *"AuthType "*"= auth/$1"* ]]
}

key_sum() {
    on "$1" sha256sum "$2" | cut -d' ' -f1
}

same_key() {
    [[ $(key_sum head /etc/slurm/slurm.key) == "$(key_sum "$1" /etc/slurm/slurm.key)" ]]
}

# Fails unless all that runs on HOST is ready; else a line "NAME PID" for each.
services_of() {
    on "$1" gpu-watchdog status --json | python3 -c '
import json, sys
services = json.load(sys.stdin)["services"]
for service in services:
    print(service["name"], service["pid"])
sys.exit(any(s["state"] != "ready" for s in services))'
}

follows() { # WORKER AUTH: it has what AUTH needs
    local services
    services=$(services_of "$1") || return
    case $2 in
        munge) [[ $services == *munged* ]] ;;
        slurm) [[ $services != *munged* ]] ;;
    esac
}

slurmd_is_anew() { # WORKER SERVICES: as services_of told before
    local services
    services=$(services_of "$1") &&
        [[ $(grep '^slurmd ' <<<"$services") != "$(grep '^slurmd ' <<<"$2")" ]]
}

@test "head --auth slurm and join: jobs on all nodes, and no munged anywhere" {
    head_start --auth slurm
    join worker1
    join worker2
    wait_until 10 node_is worker2 idle
    auth_is slurm
    for host in head worker1 worker2; do no_munged "$host"; done
    [[ $(on --user user head srun -N3 --quiet id -un | sort | uniq -c) == *'3 user' ]]
    [[ $(on --user user worker1 srun -N2 --quiet hostname | wc -l) == 2 ]]
    run on head gpu-watchdog status
    [[ $output == *', auth/slurm'* && $output != *munged* ]]
    run on worker1 gpu-watchdog status
    [[ $output != *munged* ]]
    grep -q '^slurm_up 1' <<<"$(on head curl -s 127.0.0.1:9341/metrics)"
}

@test "the key is for Slurm alone, and in no other place" {
    local host
    [[ $(on head stat -c '%a %U' /etc/slurm/slurm.key) == '400 slurm' ]]
    for host in worker1 worker2; do
        [[ $(on "$host" stat -c '%a %U' /etc/slurm/slurm.key) == '400 root' ]]
        same_key "$host"
    done
    on_all test ! -e /var/lib/gpu-watchdog/munge.key
    run on --user user worker1 cat /etc/slurm/slurm.key
    ((status != 0))
}

@test "doctor finds nothing wrong, and asks for no munge" {
    local host
    for host in head worker1; do
        run on "$host" gpu-watchdog doctor
        echo "$host: $output"
        ((status == 0))
        [[ $output != *munged* ]]
    done
}

@test "a worker whose Slurm has no auth/slurm is refused with a plain sentence" {
    on worker2 gpu-watchdog leave
    wait_until 10 node_is_gone worker2
    on worker2 test ! -e /etc/slurm/slurm.key
    on worker2 bash -c 'cp -a /usr/lib/*/slurm-wlm /tmp && rm /tmp/slurm-wlm/auth_slurm.so &&
        mount --bind /tmp/slurm-wlm /usr/lib/*/slurm-wlm'
    run on worker2 timeout 20 gpu-watchdog join "$HEAD_PORT" "$(token)"
    on worker2 bash -c 'umount /usr/lib/*/slurm-wlm'
    ((status == 1))
    [[ $output == *"authenticates by Slurm's auth/slurm"*'no plugin for it'* ]]
}

@test "a worker without munge joins" {
    on worker2 mount --bind /dev/null /usr/sbin/munged
    join worker2
    on worker2 umount /usr/sbin/munged
    wait_until 10 node_is worker2 idle
}

@test "key rotate: all nodes have the new key, and a job goes on" {
    local job before services1 services2
    before=$(key_sum head /etc/slurm/slurm.key)
    services1=$(services_of worker1)
    services2=$(services_of worker2)
    job=$(on --user user head sbatch --parsable --nodes=1 --nodelist=worker1 \
        --output=/dev/null --wrap 'sleep 12; touch /tmp/came-through')
    wait_until 10 job_is "$job" RUNNING
    on head gpu-watchdog key rotate
    wait_until 10 same_key worker1
    wait_until 10 same_key worker2
    [[ $(key_sum head /etc/slurm/slurm.key) != "$before" ]]
    wait_until 10 slurmd_is_anew worker1 "$services1"
    wait_until 10 slurmd_is_anew worker2 "$services2"
    wait_until 15 on --user user head timeout 3 srun -N3 --quiet --overcommit true
    wait_until 30 job_is "$job" COMPLETED
    on worker1 test -e /tmp/came-through
}

@test "head goes on with auth/slurm when it is not told again" {
    unkeep head
    keep head head
    wait_until 10 head_is_ready
    auth_is slurm
    wait_until 10 node_is worker1 idle
    on head srun -N3 --quiet true
}

# A job that is launched before the workers have followed hangs for a minute: its end
# reaches them when slurmctld tells them again. So they are waited for.
@test "head --auth munge: the same cluster goes over to munge, and back" {
    unkeep head
    keep head head --auth munge
    wait_until 10 head_is_ready
    wait_until 20 auth_is munge
    wait_until 20 follows worker1 munge
    wait_until 20 follows worker2 munge
    wait_until 20 on head timeout 3 srun -N3 --quiet true
    on worker1 pgrep -x munged
    unkeep head
    keep head head --auth slurm
    wait_until 10 head_is_ready
    wait_until 20 auth_is slurm
    wait_until 20 follows worker1 slurm
    wait_until 20 follows worker2 slurm
    wait_until 20 on head timeout 3 srun -N3 --quiet true
    for host in head worker1 worker2; do no_munged "$host"; done
}
