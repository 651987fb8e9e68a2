#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Who is let into a cluster, and what the others are told: tokens that are wrong in
# every way, a man in the middle, liars, crowds. Each refusal says what to do.

load cluster

setup_file() {
    cluster_hosts 2
    head_start
    HEAD_PID=$(pid head)
    export HEAD_PID
    WORKER_PID=$(pid worker2)
    export WORKER_PID
}

teardown_file() {
    scenario_end
}

teardown() {
    background_stop
}

# refused HOST TEXT JOIN-ARGUMENT...: joining ends with code 1 or 2 and this text.
refused() {
    local host=$1 text=$2
    shift 2
    run on "$host" timeout 20 gpu-watchdog join "$@"
    ((status == 1 || status == 2)) || { echo "exit code $status"; return 1; }
    [[ $output == *"$text"* ]] || return
    [[ ! -e $LAB_DIR/hosts/$host/root/var/lib/gpu-watchdog/munge.key ]]
}

# A stranger on worker2, to the head.
stranger() {
    nsenter --target "$WORKER_PID" --net -- \
        "$SCENARIO_TOOLS/join-client.py" 10.77.0.1 6824 "$@"
}

forge() {
    "$SCENARIO_TOOLS/join-client.py" --forge "$@"
}

@test "no token, a truncated one, a mistyped one: told before anything is sent" {
    local token
    token=$(token)
    refused worker1 'join whom?'
    refused worker1 'the token ends early' "$HEAD_PORT" "${token%???}"
    refused worker1 'a letter of the token is wrong' "$HEAD_PORT" "${token%?}1"
    refused worker1 'begin with GW1-' "$HEAD_PORT" K10abc::server:secret
    refused worker1 'is no HOST:PORT' 10.77.0.1 "$token"
}

@test "a wrong, a revoked, an expired and a used-up token are told apart" {
    local token
    token=$(token)
    refused worker1 'knows no such token' "$HEAD_PORT" "$(forge secret "$token")"
    refused worker1 'knows no such token' "$HEAD_PORT" "$(forge id "$token")"
    on head gpu-watchdog token revoke "$(cut -d- -f3 <<<"$token")"
    refused worker1 'was revoked' "$HEAD_PORT" "$token"
    token=$(token --ttl 1s)
    sleep 1.1
    refused worker1 'has expired' "$HEAD_PORT" "$token"
    run on head gpu-watchdog token list
    [[ $output == *revoked* && $output == *expired* ]]
    run on head gpu-watchdog status
    [[ $output == *'refused to join'*10.77.0.11*worker1*'has expired'* ]]
}

@test "a token of another head, and a man in the middle: nothing is sent" {
    local token
    token=$(token)
    refused worker1 'another machine answers there' "$HEAD_PORT" \
        "$(forge pin "$token")"
    # On worker2, with a key of his own, between worker1 and the head.
    background "$BATS_TEST_TMPDIR/middle" nsenter --target "$WORKER_PID" --net -- \
        "$SCENARIO_TOOLS/join-client.py" --listen 7777 "$BATS_TEST_TMPDIR/heard"
    wait_until 5 nsenter --target "$WORKER_PID" --net -- \
        bash -c ': </dev/tcp/127.0.0.1/7777'
    refused worker1 'another machine answers there' 10.77.0.12:7777 "$token"
    [[ ! -s $BATS_TEST_TMPDIR/heard ]]
}

@test "what listens is no head: told, quickly" {
    refused worker1 'Connection refused' 10.77.0.1:6999 "$(token)"
    # slurmctld and slurmd speak no TLS, and the exporter that of the web only.
    local port begin_ms took_ms try
    for port in 6817 6818 9341; do
        # A machine that is busy just then makes it slower, never faster.
        for try in 1 2 3; do
            begin_ms=$(now_ms)
            refused worker1 "10.77.0.1:$port: " "10.77.0.1:$port" "$(token)"
            echo "port $port, try $try: $output"
            [[ $output == *'no head'* || $output == *'a head would have answered'* ]]
            [[ $output == *'gpu-watchdog token'* ]]
            took_ms=$(($(now_ms) - begin_ms))
            ((took_ms >= 3500)) || break
        done
        ((took_ms < 3500))
    done
}

@test "head --auth slurm: refused where Slurm is too old, and what can be had is told" {
    run on worker2 gpu-watchdog head --auth slurm
    ((status == 1))
    [[ $output == *'--auth munge can'*'no auth/slurm'*'24.05'* ]]
    on worker2 test ! -e /etc/slurm/slurm.conf
}

@test "a clock that is off is refused with both times" {
    local library=$BATS_FILE_TMPDIR/clock.so token
    token=$(token)
    gcc -shared -fPIC -O2 -o "$library" "$SCENARIO_TOOLS/clock.c" -ldl
    cp "$library" "$LAB_DIR/hosts/worker1/root/mnt/clock.so"
    echo -3600 >"$LAB_DIR/hosts/worker1/root/mnt/offset"
    run on worker1 env LD_PRELOAD=/mnt/clock.so CLOCK_FILE=/mnt/offset \
        timeout 20 gpu-watchdog join "$HEAD_PORT" "$token"
    ((status == 1))
    [[ $output == *'the clocks are 3600 s apart'*'UTC here'*'on the head'* ]]
}

@test "who cannot be reached is told so, with the port" {
    run stranger "$(token)"
    [[ $output == *'refused the head cannot reach this machine: 10.77.0.12 port '*refused* ]]
    # Somebody else answers there: the head's own slurmd.
    run at_head "$SCENARIO_TOOLS/join-client.py" 10.77.0.1 6824 "$(token)"
    [[ $output == *'refused the head cannot reach this machine'* ]]
}

status_shows() {
    # shellcheck disable=SC2053 # a pattern
    [[ $(on head gpu-watchdog status "${@:2}") == $1 ]]
}

@test "status shows who waits to be let in, and for what" {
    # Ports that take a connection and say nothing.
    background "$BATS_TEST_TMPDIR/silent" nsenter --target "$WORKER_PID" --net -- \
        python3 -c 'import socket, time
ports = [socket.create_server(("", port)) for port in (6818, 60001)]
time.sleep(60)'
    wait_until 5 nsenter --target "$WORKER_PID" --net -- \
        bash -c ': </dev/tcp/127.0.0.1/60001'
    background "$BATS_TEST_TMPDIR/stranger" nsenter --target "$WORKER_PID" --net -- \
        "$SCENARIO_TOOLS/join-client.py" 10.77.0.1 6824 "$(token)"
    wait_until 3 status_shows \
        '*wait to join*10.77.0.12 stranger*the head tries to reach it*'
    [[ $(waiting_hosts) == stranger ]]
    wait_until 8 status_shows '*refused to join*10.77.0.12 stranger*cannot reach*'
    nobody_waits() { [[ -z $(waiting_hosts) ]]; }
    wait_until 5 nobody_waits
}

waiting_hosts() {
    on head gpu-watchdog status --json | python3 -c 'import json, sys
print(*(w["host"] for w in json.load(sys.stdin)["waiting"]))'
}

@test "an inventory that no machine has is refused" {
    local assignment
    for assignment in 'inventory.cpus=0' 'inventory.cpus=70000' 'inventory.cpus=5' \
        'inventory.cpus="4"' 'inventory.memory_mb=-1' 'inventory.memory_mb=9000' \
        'inventory.gpus=7' 'inventory.gpus=[{}]' 'inventory=[]' 'name="a b"' \
        'inventory.gpus=[{"model":"x","type":"a b","file":"/dev/x","pci":"","memory_mb":0,"simulated":false}]' \
        'inventory.gpus=[{"model":"x","type":"a","file":"/etc/passwd","pci":"","memory_mb":0,"simulated":false}]'; do
        run stranger "$(token)" --set "$assignment"
        [[ $output == *'makes no sense'* ]] || { echo "$assignment: $output"; return 1; }
    done
    run stranger "$(token)" --set 'slurm=1705216'
    [[ $output == *newer* ]]
    run stranger "$(token)" --set 'protocol=9'
    [[ $output == *'different protocols'* ]]
    run stranger "$(token)" --raw '{"type":'
    [[ $output != *welcome* ]]
    run stranger "$(token)" --raw '[]'
    [[ $output != *welcome* ]]
    head_is_ready
}

@test "a name belongs to the machine that has it; a token for one lets one in" {
    local token
    token=$(token --uses 1)
    keep worker1 join --name gpu1 "$HEAD_PORT" "$token"
    wait_until 10 join_is_done worker1
    refused worker2 'is used up' "$HEAD_PORT" "$token"
    refused worker2 'the name gpu1 belongs to another machine' --name gpu1 \
        "$HEAD_PORT" "$(token)"
    refused worker2 "the head's own" --name head "$HEAD_PORT" "$(token)"
    wait_until 5 node_is gpu1 idle
}

@test "the token may come from a file or from standard input" {
    token >"$LAB_DIR/hosts/worker2/root/root/token"
    keep worker2 join --token-file /root/token "$HEAD_PORT"
    wait_until 10 join_is_done worker2
    on worker2 gpu-watchdog leave
    refused worker2 'No such file' --token-file /nonexistent "$HEAD_PORT"
    # shellcheck disable=SC2016 # expanded on the host
    run on worker2 bash -c 'timeout 5 gpu-watchdog join --token-file - "$1" </dev/null' \
        - "$HEAD_PORT"
    ((status == 2))
    [[ $output == *'no token to read'* ]]
}

@test "a thousand wrong tokens a minute: the head is unharmed, others get in" {
    local token rss_before rss_after answers
    wait_until 10 not on worker2 pgrep -x slurmd
    token=$(forge secret "$(token)")
    rss_before=$(on head bash -c 'ps -o rss= -C gpu-watchdog | sort -n | tail -1')
    background "$BATS_TEST_TMPDIR/crowd" nsenter --target "$WORKER_PID" --net -- \
        "$SCENARIO_TOOLS/join-client.py" 10.77.0.1 6824 "$token" --repeat 1000
    sleep 1
    local begin_ms
    begin_ms=$(now_ms)
    head_is_ready
    echo "status took $(($(now_ms) - begin_ms)) ms"
    (($(now_ms) - begin_ms < 500))
    on worker1 gpu-watchdog leave
    join worker1
    wait "$BACKGROUND"
    answers=$(grep -c '^refused' "$BATS_TEST_TMPDIR/crowd")
    echo "$answers of 1000 were answered"
    ((answers <= 10))
    rss_after=$(on head bash -c 'ps -o rss= -C gpu-watchdog | sort -n | tail -1')
    echo "memory $rss_before -> $rss_after KiB"
    ((rss_after < rss_before + 4096))
}

# Whom the head knows, and how often the token was used.
known() {
    on head gpu-watchdog status --json | python3 -c 'import json, sys
print(sorted(n["name"] for n in json.load(sys.stdin)["nodes"]))'
    on head gpu-watchdog token list | awk -v id="$1" '$1 == id { print $(NF - 1), $NF }'
}

is_let_in() {
    [[ $(said worker1) == *'let in as recorded'* ]]
}

# Every byte that worker1 sent, once more: the head's half of the handshake is
# another one, so they mean nothing.
@test "a join that was recorded is worth nothing a second time" {
    local token id before heard=$BATS_TEST_TMPDIR/heard
    token=$(token)
    id=$(cut -d- -f3 <<<"$token")
    on worker1 gpu-watchdog leave --now
    background "$BATS_TEST_TMPDIR/relay" nsenter --target "$(pid worker1)" --net -- \
        "$SCENARIO_TOOLS/join-client.py" --relay 7778 "$heard" 10.77.0.1 6824
    wait_until 5 nsenter --target "$(pid worker1)" --net -- \
        bash -c 'ss --listening --tcp --numeric | grep -q ":7778 "'
    : >"$LAB_DIR/hosts/worker1/root/var/log/lab/gpu-watchdog.log"
    keep worker1 join --name recorded 127.0.0.1:7778 "$token"
    wait_until 10 is_let_in
    unkeep worker1
    before=$(known "$id")
    [[ $before == *'1 recorded' ]]
    [[ $(stat -c %s "$heard") -gt 1000 ]]
    run -0 nsenter --target "$WORKER_PID" --net -- \
        "$SCENARIO_TOOLS/join-client.py" --replay "$heard" 10.77.0.1 6824
    echo "$output"
    [[ $(known "$id") == "$before" ]]
}
