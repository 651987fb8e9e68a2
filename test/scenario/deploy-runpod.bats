#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# deploy/runpod: one command brings a head and workers up, says how far it is, and
# takes them down again. Runpod itself cannot be had here: its API is stood in for on
# loopback (runpod/api.mjs), and so is Terraform, whose files are read by HashiCorp's
# own parser (runpod/terraform.mjs). What pods run is real: each is a host of the lab
# on which the image's first program (pod) makes a real node. The folder's README says
# what was never run against the real service.

load cluster

setup_file() {
    cluster_hosts 3
    export HOOK=$BATS_FILE_TMPDIR/hook DEPLOY=$BATS_FILE_TMPDIR/deploy
    mkdir "$DEPLOY" "$BATS_FILE_TMPDIR/api" "$LAB_DIR/home/volume"
    cp "$SCENARIO_SOURCE"/deploy/runpod/{deploy.sh,main.tf} "$DEPLOY"
    hook_write
    node "$BATS_TEST_DIRNAME/runpod/api.mjs" "$BATS_FILE_TMPDIR/api" "$HOOK" \
        >"$BATS_FILE_TMPDIR/api.log" 2>&1 3>&- &
    echo $! >"$BATS_FILE_TMPDIR/api.pid"
    wait_until 5 test -s "$BATS_FILE_TMPDIR/api/port"
    RUNPOD_API_BASE_URL=http://127.0.0.1:$(<"$BATS_FILE_TMPDIR/api/port")
    RUNPOD_PROXY=$("$SCENARIO_SOURCE/start" --status --name "$GPU_WATCHDOG_LAB" |
        sed -nE 's|.*dashboard +(http://[0-9.:]+).*|\1|p')
    export RUNPOD_API_BASE_URL RUNPOD_PROXY
    export RUNPOD_API_KEY=the-key-of-the-account DEPLOY_POLL_S=0.2
    export GPU_WATCHDOG_TERRAFORM=$BATS_TEST_DIRNAME/runpod/terraform.mjs
}

teardown_file() {
    kill "$(<"$BATS_FILE_TMPDIR/api.pid")" || true
    scenario_end
}

# hook begin ID NAME KEY=VALUE... | end ID NAME: a pod on the host that is for it.
hook_write() {
    cat >"$HOOK" <<END
#!/bin/bash
set -eu
export GPU_WATCHDOG_LAB=$GPU_WATCHDOG_LAB
PATH=$SCENARIO_SOURCE/lab:\$PATH
what=\$1 id=\$2 host=head address=10.77.0.1
if [[ \$3 =~ -worker-([0-9]+)\$ ]]; then
    host=worker\${BASH_REMATCH[1]} address=10.77.0.1\${BASH_REMATCH[1]}
fi
shift 3
if [[ \$what == end ]]; then
    on "\$host" bash -c 'kill \$(cat /run/keeper)'
    exit
fi
for root in "$LAB_DIR"/hosts/*/root; do
    echo "\$address \$id.runpod.internal" >>"\$root/etc/hosts"
done
on "\$host" env "\$@" SHARED=/home/volume RESTART_S=0 bash -c 'mkdir -p /var/log/lab
    setsid $SCENARIO_SOURCE/deploy/runpod/pod >>/var/log/lab/pod.log 2>&1 &
    echo \$! >/run/keeper'
END
    chmod +x "$HOOK"
}

deploy() {
    "$DEPLOY/deploy.sh" "$@"
}

shared() {
    echo "$LAB_DIR/home/volume/gpu-watchdog/$1"
}

pods_made() {
    find "$BATS_FILE_TMPDIR/api" -name 'pod*.json' | wc -l
}

@test "what is wrong is said before anything is made" {
    run -2 deploy up --workers many
    [[ $output == *"--workers takes a number, not 'many'"* ]]
    run -2 deploy up --image 'x"; y'
    run -2 deploy up --speed 3
    run -2 deploy up --workers 1
    [[ $output == *'needs --image'* ]]
    run -1 env RUNPOD_API_KEY='' "$DEPLOY/deploy.sh" up --image a/b
    [[ $output == *'RUNPOD_API_KEY is not set'* ]]
    run -1 env GPU_WATCHDOG_TERRAFORM=none-here "$DEPLOY/deploy.sh" up --image a/b
    [[ $output == *'get Terraform 1.6'* ]]
    run -1 env RUNPOD_API_KEY=another "$DEPLOY/deploy.sh" up --image a/b
    [[ $output == *401* ]]
    run -1 deploy status
    [[ $output == *'up makes one'* ]]
    (($(pods_made) == 0))
}

@test "one command makes a head and a worker, and says how far it is" {
    run -0 deploy up --image docker.io/somebody/gpu-watchdog-runpod \
        --workers 1 --timeout 60
    echo "$output"
    [[ $output == *'makes a volume, a head and 1 worker'*'the head is pod2'* ]]
    [[ $output == *'ready: 2 nodes'*'sign in    admin'*'srun -N2 hostname'* ]]
    [[ $output == *'cost money until you type: ./deploy.sh down'* ]]
    run ! grep -E '.{81}' <<<"${output//$BATS_FILE_TMPDIR/}"
    [[ $(on head srun -N2 hostname | sort | xargs) == 'head worker1' ]]
    [[ $(deploy status) == '2 nodes are ready' ]]
}

@test "what Runpod was asked for" {
    python3 - "$BATS_FILE_TMPDIR/api" <<'END'
import glob, json, sys
pods = {p["name"]: p for p in map(json.load, map(open, glob.glob(sys.argv[1] + "/*.json")))}
head, worker = pods["gpu-watchdog-head"], pods["gpu-watchdog-worker-1"]
assert head["ports"] == ["8080/http", "22/tcp"] and worker["ports"] == [], pods
for pod in head, worker:
    assert pod["globalNetworking"] is True and pod["cloud"] == "SECURE"
    assert pod["gpu"] == {"id": "NVIDIA A100 80GB PCIe", "count": 1}
    assert pod["mounts"]["network"] == [{"volumeId": "vol1", "path": "/workspace"}]
assert worker["env"] == {"ROLE": "worker", "NAME": "worker-1", "HEAD": head["id"]}
assert head["env"]["PASSWORD_HASH"].startswith("$2b$10$")
END
}

@test "the dashboard is not shown without the password" {
    run -22 curl --silent --fail "$RUNPOD_PROXY/api/v1/cluster"
    run -22 curl --silent --fail --user admin:guess "$RUNPOD_PROXY/api/v1/cluster"
    [[ $(stat -c %a "$DEPLOY/password") == 600 ]]
    curl --silent --fail --user "admin:$(<"$DEPLOY/password")" -o /dev/null "$RUNPOD_PROXY/"
}

@test "the invitation is root's, ends, and is in no environment, log or state" {
    local token host
    [[ $(stat -c '%u %a' "$(shared invitation)") == '0 600' ]]
    token=$(<"$(shared invitation)")
    [[ $token == GW1-* ]]
    on head gpu-watchdog token list
    for host in head worker1; do
        run ! grep -F "$token" "$LAB_DIR/hosts/$host/root/var/log/lab/pod.log"
        # shellcheck disable=SC2016
        run ! on "$host" bash -c 'cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline \
            2>/dev/null | tr "\0" "\n" | grep -E "^(GW1-.*|PASSWORD_HASH=.*)$"'
    done
    run ! grep -rF "$token" "$DEPLOY"
    run ! on --user alice head cat /home/volume/gpu-watchdog/invitation
    run ! on --user alice head cat /home/volume/gpu-watchdog/head/munge.key
}

@test "up again with more workers adds them, and leaves the others alone" {
    run -0 deploy up --workers 2 --timeout 60
    [[ $output == *'a head and 2 worker(s)'*'ready: 3 nodes'* ]]
    [[ $(on head srun -N3 hostname | sort | xargs) == 'head worker1 worker2' ]]
    (($(pods_made) == 3))
}

slurmd_is_gone() {
    ! on "$1" pgrep -x slurmd
}

@test "a pod that starts anew is the same node, without an invitation" {
    "$HOOK" end pod3 gpu-watchdog-worker-1
    wait_until 10 slurmd_is_gone worker1
    rm "$(shared invitation)"
    "$HOOK" begin pod9 gpu-watchdog-worker-1 ROLE=worker NAME=worker-1 HEAD=pod2 \
        RUNPOD_POD_ID=pod9
    wait_until 20 on head timeout 2 srun --quiet --nodelist=worker-1 true
    node_is worker-1 idle
}

@test "a volume that cannot be used, and a pod without its network, are refused" {
    local pod=$SCENARIO_SOURCE/deploy/runpod/pod
    run -1 on worker3 env ROLE=worker NAME=w HEAD=h RUNPOD_POD_ID=p SHARED=/proc/nothing \
        RESTART_S=0 "$pod"
    [[ $output == *'is the volume mounted there?'* ]]
    run -1 on worker3 env ROLE=head NAME=w RUNPOD_POD_ID=nowhere SHARED=/home/volume \
        RESTART_S=0 PASSWORD_HASH=x "$pod"
    [[ $output == *'nowhere.runpod.internal has no address: is global networking on?'* ]]
    run -1 on worker3 env ROLE=both NAME=w RUNPOD_POD_ID=p SHARED=/home/volume \
        RESTART_S=0 "$pod"
    [[ $output == *"ROLE is 'both', and not head or worker"* ]]
}

@test "down takes everything away" {
    run -0 deploy down
    [[ $output == *'nothing costs money'* ]]
    [[ ! -e $DEPLOY/password && ! -e $DEPLOY/terraform.tfstate ]]
    run -1 deploy status
}
