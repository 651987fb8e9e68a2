#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The lab: does ./start make a real cluster, do the commands in lab/ do what they
# say, and is the machine afterwards as it was before. Runs beside other labs and
# other Slurms: own names, free ports.

bats_require_minimum_version 1.5.0

setup_file() {
    export SOURCE="$BATS_TEST_DIRNAME/../.."
    export GPU_WATCHDOG_LAB="bats-$$"
    export LAB_DIR="/run/gpu-watchdog-lab/$GPU_WATCHDOG_LAB"
    export PATH="$SOURCE/lab:$PATH"
    start --detach --forward 0=9341 --forward 0=7777 >"$BATS_FILE_TMPDIR/start" 3>&-
}

teardown_file() {
    local dir
    for dir in "$LAB_DIR" "$LAB_DIR"-*/; do
        [[ ! -d $dir ]] || "$SOURCE/start" --name "$(basename "$dir")" --stop 3>&-
    done
}

# The lab that most tests share.
start() {
    "$SOURCE/start" --name "$GPU_WATCHDOG_LAB" --by-hand "$@"
}

# wait_until SECONDS COMMAND...
wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.05
    done
}

# Local port of a forwarded port of the head.
local_port() {
    sed -n "s/=$1\$//p" "$LAB_DIR/forward/ports"
}

node_is() {
    [[ $(on head sinfo --noheader --nodes="$1" --partition=all --format=%t) == "$2" ]]
}

# Submits a job that is held, waits until slurmctld has written its state to disk,
# which takes up to five seconds, and prints the job's number.
job_submit_held() {
    touch "$BATS_TEST_TMPDIR/submitted"
    on head sbatch --parsable --hold --wrap true
    wait_until 15 test "$LAB_DIR/hosts/head/root/var/lib/slurm/job_state" \
        -nt "$BATS_TEST_TMPDIR/submitted"
}

job_is_held() {
    [[ $(on head squeue --noheader --jobs="$1" --format=%r) == JobHeldUser ]]
}

# Succeeds when nothing of lab $1 is left on the machine.
nothing_left() {
    local dir=/run/gpu-watchdog-lab/$1
    run ls -d "$dir" "$dir.lock"
    [[ $status != 0 ]]
    run grep -F "$dir" /proc/mounts
    [[ $status == 1 ]]
    run grep -lszF "$dir" /proc/[0-9]*/cmdline
    [[ -z $output ]]
}

# Prints the inodes of all namespaces that the processes of a lab live in.
namespaces_of() {
    local record pid
    for record in "/run/gpu-watchdog-lab/$1"/{switch,hosts/*}/init; do
        read -r pid _ <"$record"
        stat -L -c %i "/proc/$pid/ns/"{net,pid,mnt,uts,ipc}
    done | sort -u
}

# Namespaces of the machine itself are never the lab's: the switch shares all but one.
namespaces_alive() {
    stat -L -c %i /proc/[0-9]*/ns/{net,pid,mnt,uts,ipc} 2>/dev/null | sort -u |
        comm -12 - "$1" | comm -23 - <(stat -L -c %i /proc/self/ns/* | sort -u)
}

teardown() {
    # shellcheck disable=SC2086
    [[ -z ${BESIDE-} ]] || kill $BESIDE || true
}

# --- a cluster ---------------------------------------------------------------------

@test "start proves what it has made" {
    run cat "$BATS_FILE_TMPDIR/start"
    [[ $output == *'3 nodes are idle'* ]]
    [[ $output == *'srun -N3 hostname: head worker1 worker2'* ]]
    [[ $output == *'CUDA_VISIBLE_DEVICES=0,1 (simulated)'* ]]
    # With --root the programs may not have been built for that system.
    [[ -n ${LAB_ROOT-} || $output == *'slurm_nodes_total 3'* ]]
}

@test "status tells what runs, in text and in JSON" {
    run -0 start --status
    [[ $output == *"127.0.0.1:$(local_port 9341)/metrics"* ]]
    start --status --json >"$BATS_TEST_TMPDIR/status"
    run -0 python3 - "$BATS_TEST_TMPDIR/status" <<'EOF'
import json, sys
status = json.load(open(sys.argv[1]))
assert status["running"] is True
assert [host["name"] for host in status["hosts"]] == ["head", "worker1", "worker2"]
assert [f["head_port"] for f in status["forwards"]] == [9341, 7777]
EOF
}

@test "status of a lab that does not run is 3" {
    run -3 "$SOURCE/start" --name nobody-made-this --status
    run -3 "$SOURCE/start" --name nobody-made-this --status --json
    [[ $output == '{"name": "nobody-made-this", "running": false}' ]]
}

@test "a second start says that the lab runs already" {
    run -0 start --detach
    [[ $output == *'is already running'* ]]
    [[ $output == *'worker2'* ]]
}

@test "srun reaches every node" {
    run -0 on head srun -N3 -l hostname
    [[ $(sort <<<"${output//[0-2]: /}" | xargs) == 'head worker1 worker2' ]]
}

@test "Slurm's commands work on a worker, which has no slurm.conf" {
    run ! on worker1 test -e /etc/slurm/slurm.conf
    run -0 on worker1 scontrol show config
    [[ $output == *'ClusterName             = lab'* ]]
}

@test "an unprivileged user's batch job gets exactly the GPUs it asked for" {
    on --user alice head sbatch --gres=gpu:h100:3 -w worker2 -o job.out <<'EOF'
#!/bin/sh
echo "$(id -un) $(hostname) $CUDA_VISIBLE_DEVICES $SLURM_JOB_GPUS"
ls "/dev/nvidia${SLURM_JOB_GPUS##*,}"
echo ended
EOF
    wait_until 20 grep -qs ended "$LAB_DIR/home/alice/job.out"
    run cat "$LAB_DIR/home/alice/job.out"
    [[ ${lines[0]} == 'alice worker2 0,1,2 0,1,2' ]]
    [[ ${lines[1]} == /dev/nvidia2 ]]
}

@test "no more jobs run than there are GPUs, and none shares one" {
    on --user bob head sbatch --array=1-10 --gres=gpu:1 -o 'array-%a.out' <<'EOF'
#!/bin/sh
echo "$(hostname) $SLURM_JOB_GPUS"
sleep 60
EOF
    eight_run() {
        [[ $(on head squeue -h -r -u bob -t running | wc -l) == 8 ]]
    }
    wait_until 20 eight_run
    sleep 2
    eight_run
    [[ $(on head squeue -h -r -u bob -t pending -o %r | sort -u) == Resources ]]
    [[ $(sort -u "$LAB_DIR"/home/bob/array-*.out | wc -l) == 8 ]]
    on head scancel -u bob
    wait_until 20 node_is worker1 idle
    wait_until 20 node_is worker2 idle
}

# --- hosts ---------------------------------------------------------------------------

@test "a host has its own name, address, processes and files" {
    [[ $(on worker1 hostname) == worker1 ]]
    [[ $(on worker1 cat /etc/hostname) == worker1 ]]
    [[ $(on worker1 ip -brief address show eth0) == *' 10.77.0.11/24 '* ]]
    run on worker1 ps -e -o comm=
    [[ $output != *slurmctld* && $output == *slurmd* ]]
    on worker1 touch /tmp/of-worker1 /var/log/of-worker1
    run ! on worker2 ls /tmp/of-worker1 /var/log/of-worker1
    [[ ! -e /tmp/of-worker1 && ! -e /var/log/of-worker1 ]]
}

@test "a host cannot write to the machine's programs or sources" {
    run ! on worker1 touch /usr/bin/written-by-a-host
    run ! on worker1 touch "$(cd "$SOURCE" && pwd)/written-by-a-host"
}

@test "on hands through input, output, arguments and exit code" {
    [[ $(echo 'some input' | on worker1 cat) == 'some input' ]]
    [[ $(on head printf '%s|' 'a b' '' '*') == 'a b||*|' ]]
    run -42 on head sh -c 'exit 42'
    run -127 on head no-such-command
    run -1 on worker9 true
    [[ $output == *'head worker1 worker2'* ]]
    run -2 on head
}

@test "on --user is that user, at home, without privileges" {
    run -0 on --user alice head sh -c 'id -un; pwd; grep CapEff /proc/self/status'
    [[ ${lines[0]} == alice && ${lines[1]} == /home/alice ]]
    [[ ${lines[2]} == *0000000000000000 ]]
    run -1 on --user mallory head true
    [[ $output == *"no user 'mallory'"* ]]
}

@test "a command ends when the on that runs it is killed" {
    on head sleep 12321 3>&- &
    sleeping() {
        on head ps -e -o stat=,comm=,args= | grep -q '^[^Z].* sleep *sleep 12321$'
    }
    wait_until 5 sleeping
    kill -KILL $!
    not_sleeping() { ! sleeping; }
    wait_until 5 not_sleeping
}

@test "the same munge credential is good on every host" {
    on head munge -n | on worker2 unmunge >/dev/null
}

# --- services and faults ----------------------------------------------------------------

@test "a service is stopped, started and found by its pid on this machine" {
    [[ $(cat "/proc/$(pid worker1 munged)/comm") == munged ]]
    service worker1 stop munged
    run -1 pid worker1 munged
    run ! on worker1 munge -n
    service worker1 start munged
    on worker1 munge -n >/dev/null
    run -2 service worker1 start slurmctld
    [[ $output == *"worker1 has no service 'slurmctld'"* ]]
}

@test "a frozen slurmctld can be thawed, and a killed one started again" {
    local frozen job
    job=$(job_submit_held)
    frozen=$(pid head slurmctld)
    kill -STOP "$frozen"
    run ! timeout 1 "$SOURCE/lab/on" head scontrol ping
    kill -CONT "$frozen"
    on head scontrol ping
    kill -KILL "$frozen"
    run -1 pid head slurmctld
    service head start slurmctld
    on head scontrol ping
    log head slurmctld -n 1
    job_is_held "$job"
    on head scancel "$job"
}

@test "a worker without power leaves, and comes back with it" {
    power worker2 off
    run -1 on worker2 true
    [[ $output == *'host worker2 is off'* ]]
    power worker2 on
    wait_until 10 node_is worker2 idle
    on head srun -w worker2 hostname
}

@test "a worker without cable cannot be reached until it is plugged in" {
    link worker2 down
    run ! on worker2 timeout 1 bash -c 'true <>/dev/tcp/head/6817'
    link worker2 up
    on worker2 timeout 5 bash -c 'true <>/dev/tcp/head/6817'
}

@test "the head comes back with its jobs and its ports" {
    local job port
    port=$(local_port 9341)
    job=$(job_submit_held)
    power head off
    power head on
    job_is_held "$job"
    [[ $(local_port 9341) == "$port" ]]
    on head scancel "$job"
}

# --- forwarded ports ----------------------------------------------------------------------

# Serves connections on port 7777 of the head: reads to the end, then sends it back.
echo_server() {
    on head python3 -c '
import socketserver
class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(self.rfile.read())
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024
Server(("127.0.0.1", 7777), Echo).serve_forever()' 3>&- &
    SERVER=$!
    wait_until 5 on head bash -c 'true <>/dev/tcp/127.0.0.1/7777' 2>/dev/null
}

@test "a forwarded port carries both directions, and their ends, unharmed" {
    echo_server
    run -0 python3 - "$(local_port 7777)" <<'EOF'
import os, socket, sys, threading
data = os.urandom(5_000_000)
links = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(200)]
for link in links[1:]:
    link.sendall(b"x" * 10)
threading.Thread(
    target=lambda: (links[0].sendall(data), links[0].shutdown(socket.SHUT_WR))).start()
assert links[0].makefile("rb").read() == data
for link in links[1:]:
    link.shutdown(socket.SHUT_WR)
    assert link.makefile("rb").read() == b"x" * 10
EOF
    kill "$SERVER"
}

@test "a forwarded port that nobody serves closes at once" {
    run -0 python3 - "$(local_port 7777)" <<'EOF'
import socket, sys
link = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=5)
try:
    assert link.recv(1) == b""
except ConnectionResetError:
    pass
EOF
}

@test "a taken port is named, and nothing stays behind" {
    local port name="$GPU_WATCHDOG_LAB-taken"
    port=$(local_port 9341)
    run -1 "$SOURCE/start" --name "$name" --detach --forward "$port=9341"
    [[ $output == *"127.0.0.1:$port: Address already in use"* ]]
    [[ $output == *'--port-base 0'* ]]
    nothing_left "$name"
}

# --- leaving no trace -------------------------------------------------------------------

@test "wrong words are answered with one line and exit code 2" {
    local words
    for words in --nonsense '--workers 0' '--workers 17' '--workers' '--name A/b' \
        '--forward 1' '--port-base x' '--root /nowhere'; do
        # shellcheck disable=SC2086
        run -2 "$SOURCE/start" $words
        [[ $output == 'start: '* ]]
    done
}

@test "a second Slurm on the machine does not notice" {
    local dir=$BATS_TEST_TMPDIR name="$GPU_WATCHDOG_LAB-beside" port=27817 job
    local before munged slurmctld
    mkdir -m 700 "$dir/munge" "$dir/state"
    head -c 128 /dev/urandom >"$dir/munge/key"
    chmod 400 "$dir/munge/key"
    munged --foreground --key-file="$dir/munge/key" --socket="$dir/munge/socket" \
        --pid-file="$dir/munge/pid" --seed-file="$dir/munge/seed" --force \
        >"$dir/munged.log" 2>&1 3>&- &
    munged=$! && BESIDE=$munged
    wait_until 5 test -S "$dir/munge/socket"
    cat >"$dir/slurm.conf" <<EOF
ClusterName=beside
SlurmctldHost=$(hostname)(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
AuthInfo=socket=$dir/munge/socket
StateSaveLocation=$dir/state
SlurmctldPidFile=$dir/slurmctld.pid
ProctrackType=proctrack/linuxproc
NodeName=somewhere NodeAddr=127.0.0.1 State=DOWN
PartitionName=beside Nodes=somewhere Default=YES
EOF
    export SLURM_CONF=$dir/slurm.conf
    slurmctld -D >"$dir/slurmctld.log" 2>&1 3>&- &
    slurmctld=$! && BESIDE+=" $slurmctld"
    up() { scontrol ping | grep -q 'is UP'; }
    wait_until 10 up
    job=$(sbatch --parsable --wrap true)
    before=$(ip -brief link; ip route; sort /proc/mounts; sysctl net.ipv4.ip_forward)

    "$SOURCE/start" --name "$name" --detach --port-base 0 --workers 1 3>&-
    up
    [[ $(squeue -h -o '%i %P') == "$job beside" ]]
    [[ $("$SOURCE/lab/on" --name "$name" head sinfo -h -p all -o %D) == 2 ]]
    "$SOURCE/start" --name "$name" --stop
    up
    [[ $(squeue -h -o '%i %P') == "$job beside" ]]
    kill -0 "$munged" "$slurmctld"
    [[ $(ip -brief link; ip route; sort /proc/mounts; sysctl net.ipv4.ip_forward) == \
        "$before" ]]
    nothing_left "$name"
}

# What ./start makes unless it is told --by-hand.
@test "head and join make a lab of sixteen workers, which lose power and come back" {
    local name="$GPU_WATCHDOG_LAB-made"
    "$SOURCE/start" --name "$name" --detach --port-base 0 --workers 16 \
        --no-jobs 3>&-
    idle_nodes() {
        on --name "$name" head sinfo --noheader --partition=all --states=idle \
            --format=%D
    }
    all_are_idle() { [[ $(idle_nodes) == 17 ]]; }
    all_are_idle
    [[ -n ${LAB_ROOT-} || $(service --name "$name" worker3 status) == join*running* ]]
    power --name "$name" worker3 off
    power --name "$name" worker3 on
    wait_until 15 all_are_idle
    service --name "$name" head restart
    [[ $(on --name "$name" head srun --nodelist=worker3 hostname) == worker3 ]]
    "$SOURCE/start" --name "$name" --stop
    nothing_left "$name"
}

@test "stop leaves no process, namespace, mount or file" {
    local name="$GPU_WATCHDOG_LAB-stop" namespaces=$BATS_TEST_TMPDIR/namespaces
    # In a pipe, which what stays must not hold open.
    timeout 120 "$SOURCE/start" --name "$name" --detach --port-base 0 | cat
    "$SOURCE/lab/on" --name "$name" head srun --gres=gpu:1 sleep 1000 3>&- &
    namespaces_of "$name" >"$namespaces"
    [[ -n $(namespaces_alive "$namespaces") ]]
    "$SOURCE/start" --name "$name" --stop
    nothing_left "$name"
    none_alive() { [[ -z $(namespaces_alive "$namespaces") ]]; }
    wait_until 5 none_alive
    run -0 "$SOURCE/start" --name "$name" --stop
    [[ $output == *"no lab '$name' is running"* ]]
}

@test "Ctrl-C ends a start that stays, and the lab with it" {
    local name="$GPU_WATCHDOG_LAB-ctrlc"
    # A job in the background of a script ignores SIGINT; a terminal's does not.
    env --default-signal=INT "$SOURCE/start" --name "$name" --port-base 0 \
        >"$BATS_TEST_TMPDIR/out" 3>&- &
    wait_until 30 grep -q Ctrl-C "$BATS_TEST_TMPDIR/out"
    kill -INT $!
    wait $! || true
    nothing_left "$name"
}

@test "kill -9 of start at any moment, then stop: nothing is left" {
    local name="$GPU_WATCHDOG_LAB-kill" delay
    for delay in 0.05 0.15 0.3 0.5 0.8 1.5; do
        "$SOURCE/start" --name "$name" --port-base 0 >/dev/null 2>&1 3>&- &
        sleep "$delay"
        kill -KILL $!
        wait $! 2>/dev/null || true
        "$SOURCE/start" --name "$name" --stop
        nothing_left "$name"
    done
}

@test "stop ends a start that is under way" {
    local name="$GPU_WATCHDOG_LAB-early" start
    "$SOURCE/start" --name "$name" --port-base 0 >/dev/null 2>&1 3>&- &
    start=$!
    wait_until 5 test -d "/run/gpu-watchdog-lab/$name/hosts/head"
    "$SOURCE/start" --name "$name" --stop
    wait "$start" || true
    nothing_left "$name"
}
