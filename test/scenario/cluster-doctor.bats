#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# doctor: each fault is made for real, and must be found and named, with what to do
# next; a cluster without faults must be told to be well.
#
# shellcheck disable=SC2016 # expanded on the hosts

load cluster

setup_file() {
    cluster_hosts 2
    mkdir -p "$HEAD_ROOT/var/log/lab"
    head_start --lost-after 60s
    join worker1
}

teardown_file() {
    scenario_end
}

# wants HOST TEXT...: doctor on HOST ends with 1 and says all of these, in 80 columns.
wants() {
    local host=$1 text
    shift
    run on "$host" timeout 60 gpu-watchdog doctor
    echo "$output"
    ((status == 1))
    awk 'length > 80 { exit 1 }' <<<"$output"
    for text; do
        # Lines are broken anywhere between words.
        [[ $(tr -s ' \n' ' ' <<<"$output") == *"$text"* ]]
    done
}

is_well() {
    on "$1" timeout 60 gpu-watchdog doctor >"$BATS_TEST_TMPDIR/well" || {
        cat "$BATS_TEST_TMPDIR/well"
        return 1
    }
}

@test "head and worker are well" {
    is_well head
    cat "$BATS_TEST_TMPDIR/well"
    is_well worker1
    cat "$BATS_TEST_TMPDIR/well"
    grep -q 'nothing is wrong' "$BATS_TEST_TMPDIR/well"
}

@test "JSON has the findings" {
    on worker1 gpu-watchdog doctor --json >"$BATS_TEST_TMPDIR/json"
    python3 - "$BATS_TEST_TMPDIR/json" <<'END'
import json, sys
found = json.load(open(sys.argv[1]))
assert found["role"] == "worker" and found["node"] == "worker1", found
assert found["running"] and found["wrong"] == 0
checks = {f["check"]: f["verdict"] for f in found["findings"]}
for name in ("services", "ports", "clock", "key", "versions", "nodes", "record"):
    assert checks[name] == "ok", (name, checks)
END
}

@test "a machine that belongs to no cluster" {
    wants worker2 'belongs to no cluster' 'next: gpu-watchdog head'
}

@test "the key was changed on the worker" {
    local munge=/run/gpu-watchdog/munge
    # munged as the supervisor runs it, with other bytes in its key.
    on worker1 bash -c "for f in $munge/*.key; do
        head -c 128 /dev/urandom >\"\$f\"; done
        kill -STOP \$(cat /run/keeper); pkill -9 -x munged; sleep 0.2
        rm -f $munge/munge.socket*
        munged --socket=$munge/munge.socket --key-file=\$(echo $munge/*.key) \
            --pid-file=/run/other.pid --seed-file=/run/other.seed --force \
            --log-file=/run/other.log --origin=127.0.0.1"
    run on worker1 munge -n -S $munge/munge.socket
    ((status == 0))
    run on worker1 timeout 60 gpu-watchdog doctor
    local found=$output code=$status
    on worker1 bash -c 'kill "$(cat /run/other.pid)"; kill -CONT "$(cat /run/keeper)"'
    echo "$found"
    ((code == 1))
    [[ $(tr -s ' \n' ' ' <<<"$found") == *'does not answer'*'another key than the head'* ]]
    unkeep worker1
    keep worker1 join
    wait_until 15 node_is worker1 idle
    wait_until 15 is_well worker1
}

@test "the clock differs" {
    cc -shared -fPIC -O1 -o "$LAB_DIR/hosts/worker1/root/tmp/clock.so" \
        "$SCENARIO_TOOLS/clock.c"
    on worker1 bash -c 'echo -3600 >/tmp/clock'
    run on worker1 env LD_PRELOAD=/tmp/clock.so CLOCK_FILE=/tmp/clock \
        gpu-watchdog doctor
    echo "$output"
    ((status == 1))
    [[ $output == *'behind the head'* && $output == *'next: timedatectl'* ]]
}

@test "the cable is pulled; a firewall in one direction" {
    link worker1 down
    wants worker1 'slurmctld at 10.77.0.1 port 6817' 'gpu-watchdog of the head'
    wants head 'slurmd of node worker1 at 10.77.0.11 port 6818'
    link worker1 up
    on head ip route add blackhole 10.77.0.11
    wants head 'slurmd of node worker1'
    on head ip route del blackhole 10.77.0.11
    wait_until 30 is_well worker1
}

@test "only loopback is left" {
    on worker2 ip link set eth0 down
    wants worker2 'no address but loopback'
    on worker2 ip link set eth0 up
}

@test "the disk is full" {
    on worker2 mkdir -p /var/spool/slurmd
    on worker2 mount -t tmpfs -o size=1m none /var/spool/slurmd
    wants worker2 '/var/spool/slurmd is full'
    on worker2 umount /var/spool/slurmd
}

@test "the head's name has changed" {
    on head hostname other
    wants head 'this machine is "other" now, but was "head"'
    on head hostname head
    is_well head
}

@test "Slurm's record promises too much, or is under another address" {
    # A node that registers with more than it has is refused by Slurm.
    on worker1 bash -c 'kill -STOP $(cat /run/keeper); pkill -9 -x slurmd; sleep 0.3
        slurmd -Z -N fat --conf "CPUs=1 RealMemory=99999999"'
    fat_is_refused() { on head scontrol show node fat | grep -q 'Low RealMemory'; }
    wait_until 10 fat_is_refused
    wants head 'node fat is' 'less memory than' 'next: gpu-watchdog leave fat --now'
    on worker1 bash -c 'pkill -x slurmd; kill -CONT $(cat /run/keeper)'
    on head scontrol delete nodename=fat
    wait_until 20 node_is worker1 idle
    # Neither may mend it before it is looked at.
    on worker1 bash -c 'kill -STOP $(cat /run/keeper)'
    on head bash -c 'kill -STOP $(cat /run/keeper)'
    on head scontrol update nodename=worker1 nodeaddr=10.77.0.99
    run on worker1 timeout 60 gpu-watchdog doctor
    local found=$output code=$status
    on head bash -c 'kill -CONT $(cat /run/keeper)'
    on worker1 bash -c 'kill -CONT $(cat /run/keeper)'
    echo "$found"
    ((code == 1))
    [[ $(tr -s ' \n' ' ' <<<"$found") == *'at the stale address 10.77.0.99'* ]]
}

@test "nothing runs: the files tell what this machine is" {
    unkeep worker1
    wants worker1 'a worker, node worker1; gpu-watchdog does not run' \
        'next: gpu-watchdog join'
    unkeep head
    wants head 'a head' 'next: gpu-watchdog head' 'slurmctld at 127.0.0.1 port 6817'
}
