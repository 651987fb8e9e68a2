#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# head and join as systemd's units, on two machines with a real systemd each: the
# lines of the guide, boots, restarts, and jobs that outlive them.

bats_require_minimum_version 1.5.0

setup_file() {
    export SOURCE="$BATS_TEST_DIRNAME/../.."
    export BUILD="${GPU_WATCHDOG_BUILD:-$(cd "$SOURCE" && pwd -P)/build}"
    cp "$BUILD/meson-logs/install-log.txt" "$BATS_FILE_TMPDIR/log" 2>/dev/null || true
    DESTDIR=$BATS_FILE_TMPDIR/programs meson install -C "$BUILD" --no-rebuild \
        >"$BATS_FILE_TMPDIR/install" 2>&1
    ! test -e "$BATS_FILE_TMPDIR/log" ||
        cp "$BATS_FILE_TMPDIR/log" "$BUILD/meson-logs/install-log.txt"
    machine_boot first
    machine_boot second
    wait_until 30 booted first || { cat "$BATS_FILE_TMPDIR/first/console" && return 1; }
    wait_until 30 booted second
    machines_connect
}

teardown_file() {
    local name tree
    for name in first second; do
        tree=$BATS_FILE_TMPDIR/$name
        kill -KILL "$(systemd_pid "$name")"
        wait "$(<"$tree/pid")" || true
        find "$(<"$tree/cgroup")" -depth -type d -exec rmdir {} + || true
    done
}

wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}

# A machine with our programs, munge and Slurm installed, and nothing configured.
machine_boot() {
    local tree=$BATS_FILE_TMPDIR/$1
    mkdir "$tree"
    cat >"$tree/prepare" <<SCRIPT
#!/bin/bash
set -euo pipefail
cd "\$1"
cp -r "$BATS_FILE_TMPDIR/programs/." .
rm -rf etc/slurm etc/gpu-watchdog var/lib/gpu-watchdog
install -d -m 755 etc/slurm etc/gpu-watchdog
SCRIPT
    chmod +x "$tree/prepare"
    "$BATS_TEST_DIRNAME/tools/boot-systemd" "$tree" "$1" >"$tree/console" 2>&1 3>&- &
    echo $! >"$tree/pid"
}

# A cable between both.
machines_connect() {
    ip link add gwd-first netns "$(systemd_pid first)" type veth \
        peer name gwd-second netns "$(systemd_pid second)"
    on first ip address add 10.79.0.1/24 dev gwd-first
    on first ip link set gwd-first up
    on second ip address add 10.79.0.2/24 dev gwd-second
    on second ip link set gwd-second up
    on first sh -c 'echo "address: 10.79.0.1" >/etc/gpu-watchdog/gpu-watchdog.yaml'
}

systemd_pid() {
    pgrep --parent "$(<"$BATS_FILE_TMPDIR/$1/pid")"
}

# on MACHINE COMMAND...
on() {
    nsenter --target "$(systemd_pid "$1")" --all -- "${@:2}" 3>&-
}

booted() {
    on "$1" systemctl is-active --quiet multi-user.target 2>/dev/null
}

property() { # MACHINE UNIT NAME
    on "$1" systemctl show --property="$3" --value "$2"
}

is_active() { # MACHINE UNIT
    [[ $(property "$1" "$2" ActiveState) == active ]]
}

states() {
    on first sinfo --noheader --Node --partition=all --format='%N %T' | sort | xargs
}

states_are() {
    [[ $(states) == "$1" ]]
}

job_is() {
    [[ $(on first squeue --noheader --states=all --jobs="$1" --format=%T) == "$2" ]]
}

@test "systemd has nothing to say against the units" {
    run -0 on first systemd-analyze verify gpu-watchdog-head.service \
        gpu-watchdog-join.service
    [[ -z $output ]]
}

@test "the unit of join says what is missing before a machine was let in" {
    run ! on second systemctl start gpu-watchdog-join
    [[ $(property second gpu-watchdog-join ExecMainStatus) == 2 ]]
    sleep 6
    [[ $(property second gpu-watchdog-join NRestarts) == 0 ]]
    on second journalctl --unit gpu-watchdog-join --output cat | grep -q 'gpu-watchdog token'
}

@test "the guide's lines make a head and a node that are there after a boot" {
    local line
    on first systemctl enable --now gpu-watchdog-head
    states_are 'first idle'
    line=$(on first gpu-watchdog token 2>/dev/null)
    # shellcheck disable=SC2086 # the line is typed, so it is split
    on second timeout --signal=INT 20 $line >"$BATS_FILE_TMPDIR/join" 2>&1 &
    wait_until 15 grep -q 'ready: second is' "$BATS_FILE_TMPDIR/join"
    on second pkill -INT -x gpu-watchdog
    wait $! || true
    on second systemctl enable --now gpu-watchdog-join
    wait_until 10 states_are 'first idle second idle'
    [[ $(on first srun -N2 hostname | sort | xargs) == 'first second' ]]
    [[ $(on first systemctl is-enabled gpu-watchdog-head) == enabled ]]
}

@test "a job outlives a restart of either unit, and an end by kill" {
    local job pid
    job=$(on first sbatch --parsable --nodelist=second --output=/dev/null --wrap 'sleep 60')
    wait_until 10 job_is "$job" RUNNING
    on second systemctl restart gpu-watchdog-join
    on first systemctl restart gpu-watchdog-head
    wait_until 20 job_is "$job" RUNNING
    pid=$(property second gpu-watchdog-join MainPID)
    on second kill -KILL "$pid"
    again() {
        is_active second gpu-watchdog-join &&
            [[ $(property second gpu-watchdog-join MainPID) != "$pid" ]]
    }
    wait_until 20 again
    wait_until 20 job_is "$job" RUNNING
    [[ -n $(on second pgrep -f slurmstepd) ]]
    wait_until 10 on first timeout 2 srun --quiet --nodelist=second true
    on first scancel "$job"
}

@test "stopping ends the daemons, and no other node's" {
    local name
    on second systemctl stop gpu-watchdog-join
    [[ $(property second gpu-watchdog-join Result) == success ]]
    run on second pgrep -x 'slurmd|munged'
    [[ -z $output ]]
    on first timeout 5 srun --quiet --nodelist=first true
    on first systemctl stop gpu-watchdog-head
    [[ $(property first gpu-watchdog-head Result) == success ]]
    for name in slurmctld slurmd munged gpu-watchdog; do
        run on first pgrep -x "$name"
        [[ -z $output ]]
    done
}
