#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The dashboard of a site that has NVIDIA's exporter and no prologue for it: its pages do
# not tell whose a GPU is, slurmctld does. The pages are ours, less what NVIDIA's do not
# have.

load dashboard

setup_file() {
    dashboard_start dcgm
    export HEAD_PID
    HEAD_PID=$(pid head)
    wait_until 60 json gpus 'sorted(g["use"] for g in A["gpus"]) == ["busy"] * 2 + ["free"] * 4 + ["idle"] * 2'
    nsenter --target "$HEAD_PID" --net -- python3 "$SCENARIO_SOURCE/test/scenario/tools/dcgm-page.py" \
        9500 >"$LAB_DIR/dcgm.log" 2>&1 3>&- </dev/null &
    export DCGM=$!
    on head gpu-watchdog serve --listen 127.0.0.1:19341 --interval 2s \
        --gpu-interval 2s --gpu-exporter-url http://127.0.0.1:9500/%a \
        --dashboard-listen 127.0.0.1:18080 --state /run/dcgm-test \
        >"$LAB_DIR/serve.log" 2>&1 3>&- </dev/null &
    export SERVE=$!
}

teardown_file() {
    kill "$DCGM" "$SERVE" 2>/dev/null || true
    "$SCENARIO_SOURCE/start" --name "$GPU_WATCHDOG_LAB" --stop 3>&-
}

# What json() asks for: of the lab's own dashboard until that one is there.
api() {
    if [[ -z ${SERVE-} ]]; then
        curl -sS "$BASE/api/v1/$1"
    else
        on head curl -sS "http://127.0.0.1:18080/api/v1/$1"
    fi
}

of_lab() { # PATH EXPRESSION of the answer A of the lab's own dashboard: a text
    curl -sS "$BASE/api/v1/$1" | python3 -c '
import json, sys
A = json.load(sys.stdin)
print(eval(sys.argv[1]))' "$2"
}

WHOSE='{g["id"]: [(j["job"], j["user"]) for j in g.get("jobs", []) if j.get("holds")] for g in A["gpus"]}'

@test "whose GPUs are is known from Slurm, as it is from our exporter" {
    local whose
    whose=$(of_lab gpus "$WHOSE")
    [[ $whose == *alice* && $whose == *bob* ]]
    wait_until 30 json gpus "$WHOSE == $whose"
    # Without processes, a GPU that does nothing is idle.
    json gpus 'sorted(g["use"] for g in A["gpus"]) == ["busy"] * 2 + ["free"] * 4 + ["idle"] * 2'
    json cluster '{w["user"] for w in A["wasted"]} == {"alice", "bob"}'
    json 'jobs?user=alice' '[(j["gpus"], j["gpus_used"]) for j in A["jobs"]] == [(2, 1)]'
}

@test "a job that begins and one that ends are followed" {
    local job
    job=$(submit user --gres=gpu:2 --nodes=1 --wrap 'exec burn --utilization 80')
    wait_until 30 json gpus "sum(any(j['job'] == '$job' for j in g.get('jobs', [])) for g in A['gpus']) == 2"
    wait_until 30 json "jobs/$job" 'A["gpu_utilization_percent"] > 30'
    on head scancel "$job"
    wait_until 30 json gpus "not any(j['job'] == '$job' for g in A['gpus'] for j in g.get('jobs', []))"
}
