#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The exporter as it is installed, under a real systemd: does its unit start, stop,
# reload and restart it, with all the walls that the unit puts around it, beside
# Debian's own units of munge and slurmctld.

bats_require_minimum_version 1.5.0

UNIT=gpu-watchdog-exporter

setup_file() {
    export SOURCE="$BATS_TEST_DIRNAME/../.."
    export BUILD="${GPU_WATCHDOG_BUILD:-$(cd "$SOURCE" && pwd -P)/build}"
    export TREE=$BATS_FILE_TMPDIR/tree
    mkdir "$TREE"
    prepare_write
    "$BATS_TEST_DIRNAME/tools/boot-systemd" "$TREE" >"$TREE/console" 2>&1 3>&- &
    echo $! >"$TREE/pid"
    wait_until 20 booted || { cat "$TREE/console" && return 1; }
}

teardown_file() {
    kill -KILL "$(systemd_pid)"
    wait "$(<"$TREE/pid")" || true
    find "$(<"$TREE/cgroup")" -depth -type d -exec rmdir {} + || true
}

wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}

# What an administrator has: Slurm configured, our programs installed, units enabled.
prepare_write() {
    cat >"$TREE/prepare" <<SCRIPT
#!/bin/bash
set -euo pipefail
cd "\$1"
cp "$BUILD/meson-logs/install-log.txt" "$TREE/log" 2>/dev/null || true
meson install -C "$BUILD" --no-rebuild --destdir "\$1" >"$TREE/install" 2>&1
! test -e "$TREE/log" || cp "$TREE/log" "$BUILD/meson-logs/install-log.txt"
install -d -m 755 etc/slurm etc/gpu-watchdog
install -d -o slurm -g slurm var/lib/slurm var/log/slurm
install -d -o munge -g munge -m 700 etc/munge var/lib/munge var/log/munge
head -c 1024 /dev/urandom >etc/munge/munge.key
chown munge:munge etc/munge/munge.key
chmod 400 etc/munge/munge.key
cat >etc/slurm/slurm.conf <<CONF
ClusterName=booted
SlurmctldHost=booted(10.78.0.1)
SlurmUser=slurm
StateSaveLocation=/var/lib/slurm
SlurmctldPidFile=/run/slurmctld.pid
ProctrackType=proctrack/linuxproc
NodeName=n[1-3] NodeAddr=10.78.0.9 CPUs=4
PartitionName=all Nodes=ALL Default=YES
CONF
echo 'interval: 1s' >etc/gpu-watchdog/gpu-watchdog.yaml
mkdir -p etc/systemd/system/multi-user.target.wants
ln -s /lib/systemd/system/{munge,slurmctld}.service etc/systemd/system/multi-user.target.wants
ln -s /usr/local/lib/systemd/system/{$UNIT,gpu-exporter}.service etc/systemd/system/multi-user.target.wants
# Two GPUs, simulated; the unit is as it is installed.
install -D -m 644 "$BUILD/lab/nvml/libnvidia-ml.so.1" opt/nvml/libnvidia-ml.so.1
printf 'machine booted\\ngpu 0 model h100\\ngpu 1 model h100\\n' >opt/nvml/scenario
mkdir -p etc/systemd/system/gpu-exporter.service.d
printf '[Service]\\nEnvironment=GPU_SIMULATED_DIR=/opt/nvml\\n' >etc/systemd/system/gpu-exporter.service.d/gpus.conf
printf 'nvml-library: /opt/nvml/libnvidia-ml.so.1\\ncollect-interval: 500\\n' >etc/gpu-watchdog/gpu-exporter.yaml
SCRIPT
    chmod +x "$TREE/prepare"
}

systemd_pid() {
    pgrep --parent "$(<"$TREE/pid")"
}

# Runs a command on the booted machine.
inside() {
    nsenter --target "$(systemd_pid)" --all -- "$@" 3>&-
}

booted() {
    inside systemctl is-active --quiet multi-user.target 2>/dev/null
}

property() {
    inside systemctl show --property="$1" --value "$UNIT"
}

page() {
    inside curl --silent --fail --max-time 5 "http://127.0.0.1:9341$1"
}

# waits for a line of /metrics.
shows() {
    line_is_there() { page /metrics | grep -qxF "$1"; }
    wait_until 20 line_is_there "$1"
}

journal_has() {
    inside journalctl --unit "$UNIT" --output cat "${@:2}" | grep -q "$1"
}

@test "it is started once it serves, and sees the cluster" {
    [[ $(property ActiveState) == active ]]
    shows 'slurm_up 1'
    shows 'slurm_nodes_total 3'
}

@test "systemd has nothing to say against the unit" {
    run -0 inside systemd-analyze verify "$UNIT.service"
    [[ -z $output ]]
}

@test "it is nobody, can do nothing, and is filtered" {
    local status
    status=$(inside cat "/proc/$(property MainPID)/status")
    [[ $status != *$'\nUid:\t0'* ]]
    [[ $status == *$'\nCapEff:\t0000000000000000'* ]]
    [[ $status == *$'\nCapBnd:\t0000000000000000'* ]]
    [[ $status == *$'\nNoNewPrivs:\t1'* && $status == *$'\nSeccomp:\t2'* ]]
    run -0 inside systemd-analyze security "$UNIT"
    [[ $output == *'Overall exposure level'*OK* ]]
}

@test "reload takes a new configuration, and refuses a bad one whole" {
    local pid
    pid=$(property MainPID)
    inside sh -c 'echo "no_collect: nodes" >>/etc/gpu-watchdog/gpu-watchdog.yaml'
    inside systemctl reload "$UNIT"
    nodes_are_gone() { ! page /metrics | grep -q '^slurm_nodes_total'; }
    wait_until 10 nodes_are_gone
    inside sh -c 'echo "intervall: 5s" >>/etc/gpu-watchdog/gpu-watchdog.yaml'
    inside systemctl reload "$UNIT"
    wait_until 10 journal_has 'unknown key "intervall"' --priority err
    nodes_are_gone
    [[ $(property MainPID) == "$pid" ]]
    inside sh -c 'echo "interval: 1s" >/etc/gpu-watchdog/gpu-watchdog.yaml'
    inside systemctl reload "$UNIT"
    shows 'slurm_nodes_total 3'
}

@test "it stays when slurmctld is stopped, and sees it come back" {
    local pid
    pid=$(property MainPID)
    inside systemctl stop slurmctld
    shows 'slurm_up 0'
    inside systemctl start slurmctld
    shows 'slurm_up 1'
    [[ $(property MainPID) == "$pid" ]]
}

@test "it is started again when it is killed" {
    local pid
    pid=$(property MainPID)
    inside kill -KILL "$pid"
    restarted() { [[ $(property ActiveState) == active && $(property MainPID) != "$pid" ]]; }
    wait_until 20 restarted
    shows 'slurm_up 1'
}

# --- gpu-exporter ---------------------------------------------------------------

gpus_show() {
    gpu_line() { grep -qE "$1" <<<"$(inside curl -fsS --max-time 5 http://127.0.0.1:9400/metrics)"; }
    wait_until 10 gpu_line "$1"
}

of_gpus() { # COMMAND...: about the unit of gpu-exporter
    UNIT=gpu-exporter "$@"
}

@test "gpu-exporter is started, with few of root's rights" {
    local status
    [[ $(of_gpus property ActiveState) == active ]]
    gpus_show '^DCGM_FI_DEV_GPU_TEMP\{gpu="1",.*\(simulated\)'
    run -0 inside systemd-analyze verify gpu-exporter.service
    [[ -z $output ]]
    status=$(inside cat "/proc/$(of_gpus property MainPID)/status")
    # ptrace, dac_read_search and syslog, and no other.
    [[ $status == *$'\nCapBnd:\t0000000400080004'* ]]
    [[ $status == *$'\nNoNewPrivs:\t1'* && $status == *$'\nSeccomp:\t2'* ]]
}

@test "gpu-exporter reloads, and is started again when it is killed" {
    local pid
    pid=$(of_gpus property MainPID)
    inside sh -c 'echo "no-hostname: true" >>/etc/gpu-watchdog/gpu-exporter.yaml'
    inside systemctl reload gpu-exporter
    gpus_show '^DCGM_FI_DEV_GPU_TEMP\{gpu="0",.*modelName="[^"]*",DCGM_FI_DRIVER_VERSION='
    [[ $(of_gpus property MainPID) == "$pid" ]]
    inside kill -KILL "$pid"
    again() {
        [[ $(of_gpus property ActiveState) == active ]] &&
            [[ $(of_gpus property MainPID) != "$pid" ]]
    }
    wait_until 20 again
    gpus_show '^gpu_up\{gpu="0"'
    inside systemctl stop gpu-exporter
    [[ $(of_gpus property Result) == success ]]
    run inside pgrep -f '^.*gpu-exporter collect-gpus'
    [[ -z $output ]]
}

# His unit as he ships it. A server on his port stands for his program, which no
# longer builds.
his_exporter_install() {
    inside sh -c 'cat >/usr/bin/prometheus-slurm-exporter' <<'PROGRAM'
#!/bin/sh
exec python3 -m http.server 8080
PROGRAM
    inside chmod +x /usr/bin/prometheus-slurm-exporter
    inside sh -c 'cat >/etc/systemd/system/prometheus-slurm-exporter.service' <<'SERVICE'
[Unit]
Description=Prometheus SLURM Exporter
[Service]
ExecStart=/usr/bin/prometheus-slurm-exporter
Restart=always
RestartSec=15
[Install]
WantedBy=multi-user.target
SERVICE
    inside systemctl daemon-reload
    inside systemctl enable --now prometheus-slurm-exporter
}

# lines_below FILE HEADING: the commands of the first block below a heading.
lines_below() {
    awk -v heading="$2" '
        index($0, heading) == 1 { below = 1 }
        below && (/^    / || /^```/) && !begun { begun = 1; if (/^```/) next }
        begun && (/^$/ || /^```/) { exit }
        begun { sub(/^    /, ""); print }' "$SOURCE/$1"
}

his_port_serves() {
    [[ $(inside curl --silent --fail http://127.0.0.1:8080/metrics |
        grep -x 'slurm_cpus_total .*') == 'slurm_cpus_total 12' ]]
}

@test "vpenso's unit goes on with our program by the guide's lines" {
    local lines
    his_exporter_install
    lines=$(lines_below doc/guide-exporter.md "## In place of vpenso's")
    [[ $(wc -l <<<"$lines") == 4 ]]
    inside bash -euxc "$lines"
    wait_until 20 his_port_serves
    [[ $(inside systemctl is-active prometheus-slurm-exporter) == active ]]
}

@test "it takes the place and the port of vpenso's by README's five lines" {
    local lines
    lines=$(lines_below README.md "### In place of vpenso's")
    # The first was done when this machine was made.
    [[ $(wc -l <<<"$lines") == 5 && $lines == *'meson install -C build'* ]]
    inside systemctl stop "$UNIT"
    inside bash -euxc "$(tail -n 4 <<<"$lines")"
    wait_until 20 his_port_serves
    [[ $(inside systemctl is-enabled prometheus-slurm-exporter) == disabled ]]
    inside sh -c 'echo "interval: 1s" >/etc/gpu-watchdog/gpu-watchdog.yaml'
    inside systemctl restart "$UNIT"
}

@test "it stops at once, with success, and leaves no process" {
    local begin=$SECONDS
    inside systemctl stop "$UNIT"
    ((SECONDS - begin <= 3))
    [[ $(property Result) == success && $(property ActiveState) == inactive ]]
    run inside pgrep -f gpu-watchdog
    [[ -z $output ]]
}

@test "a wrong command line is not tried again and again" {
    inside mkdir -p "/run/systemd/system/$UNIT.service.d"
    inside sh -c "printf '[Service]\nExecStart=\nExecStart=/usr/local/bin/gpu-watchdog \
exporter --no-such-option\n' >/run/systemd/system/$UNIT.service.d/wrong.conf"
    inside systemctl daemon-reload
    run ! inside systemctl start "$UNIT"
    sleep 6
    [[ $(property ActiveState) == failed && $(property ExecMainStatus) == 2 ]]
    [[ $(property NRestarts) == 0 ]]
    journal_has 'unknown option "--no-such-option"'
}
