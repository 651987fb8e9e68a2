#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# gpu-watchdog serve as head runs it: the JSON API against what Slurm says, what is
# remembered over a kill, and who may see it.

load dashboard

setup_file() {
    dashboard_start dashboard
}

# --- the API --------------------------------------------------------------------

@test "nodes, jobs, users and partitions are those of Slurm" {
    wait_until 20 json cluster 'A["up"] and A["jobs"]["running"] == 3'
    json nodes 'sorted(n["name"] for n in A["nodes"]) == ["head", "worker1", "worker2"]'
    json jobs?state=running 'A["total"] == 3'
    json users '{"alice", "bob"} <= {u["user"] for u in A["users"]}'
    json partitions '[p["default"] for p in A["partitions"] if p["name"] == "all"] == [True]'
    json nodes/worker1 '[n["gpus"][0]["total"] for n in A["nodes"]] == [4]'
}

@test "each GPU is there with its job, and what is held idle" {
    wait_until 40 json gpus 'len(A["gpus"]) == 8 and all(g["simulated"] for g in A["gpus"])'
    wait_until 40 json gpus 'sorted(g["use"] for g in A["gpus"]) == ["busy"] * 2 + ["free"] * 4 + ["idle"] * 2'
    wait_until 20 json cluster 'A["gpus"][0]["free"] == 4 and A["gpus"][0]["held_idle"] == 2'
    wait_until 20 json cluster '{w["user"] for w in A["wasted"]} == {"alice", "bob"}'
    wait_until 20 json users 'sum(u.get("gpus_held_idle", 0) for u in A["users"]) == 2'
}

@test "only what changed is sent again" {
    local version
    version=$(api nodes | python3 -c 'import json, sys; print(json.load(sys.stdin)["version"])')
    json "nodes?since=$version" 'A["nodes"] == [] and A["gone"] == []'
    on head scontrol update nodename=worker2 state=drain reason='fan is loud'
    wait_until 30 json "nodes?since=$version" '"worker2" in [n["name"] for n in A["nodes"]]'
    json nodes/worker2 'A["nodes"][0]["reason"] == "fan is loud"'
    wait_until 30 json cluster 'any("fan is loud" in p["text"] for p in A["problems"])'
    wait_until 30 json 'events?node=worker2' 'any("fan is loud" in e["text"] for e in A["events"])'
    on head scontrol update nodename=worker2 state=resume
    json 'nodes?since=1' 'A["whole"]'
}

@test "bad questions get a sentence" {
    local path
    for path in 'nodes?sinse=1' 'nodes?since=x' 'jobs?sort=colour' 'jobs?limit=-1' \
        'events?limit=many' 'series?of=cluster' 'series?of=moon&metric=a' \
        'jobs/abc' 'history?from_s=-1' 'jobs?since=5&user=a' 'gpus?node=' \
        'gpus?node=a&node=b' 'gpus?since=5&node=a' "gpus?node=$(printf 'x%.0s' {1..5000})"; do
        [[ $(curl -s -o /dev/null -w '%{http_code}' "$BASE/api/v1/$path") == 400 ]]
        json "$path" 'len(A["error"]) > 20'
    done
    for path in nodes/nobody jobs/999999 nothing gpus/worker1/77; do
        [[ $(curl -s -o /dev/null -w '%{http_code}' "$BASE/api/v1/$path") == 404 ]]
        json "$path" 'len(A["error"]) > 20'
    done
    [[ $(curl -s -o /dev/null -w '%{http_code}' -X POST "$BASE/api/v1/nodes") == 405 ]]
}

@test "the GPUs of some nodes are told without the others" {
    json 'gpus?node=worker1' '[g["id"] for g in A["gpus"]] == [f"worker1/{i}" for i in range(4)]'
    json 'gpus?node=head,worker%5B2-3%5D' '{g["node"] for g in A["gpus"]} == {"worker2"}'
    json 'gpus?node=worker' 'A["gpus"] == []'
}

@test "jobs are chosen, ordered and paged by the server, and come as CSV" {
    json 'jobs?sort=-id&limit=2&state=running' '[j["id"] for j in A["jobs"]] == sorted((j["id"] for j in A["jobs"]), reverse=True)'
    json 'jobs?user=alice' '{j["user"] for j in A["jobs"]} == {"alice"}'
    curl -fsS "$BASE/api/v1/jobs?format=csv&user=bob" >"$BATS_TEST_TMPDIR/jobs.csv"
    python3 - "$BATS_TEST_TMPDIR/jobs.csv" <<'END'
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1])))
assert [row["user"] for row in rows] == ["bob"], rows
END
}

# A fifth of a processor and a tenth of a GiB.
FIFTH='import time
held = bytearray(100 << 20)
while True:
    begin = time.process_time()
    while time.process_time() - begin < 0.2:
        pass
    time.sleep(0.8)'

@test "a job that ended is remembered, with how it used what it had" {
    local job did
    job=$(submit user --gres=gpu:1 --mem=1G --wrap "burn --utilization 60 &
        exec timeout 75 python3 -c '$FIFTH'")
    wait_until 40 json "jobs/$job" '0.05 < A["cpus_used"] < 0.4 and 100 <= A["memory_used_mib"] < 200'
    wait_until 100 json 'history?user=user&limit=50' "any(j['id'] == $job for j in A['jobs'])"
    json 'history?user=user' "[0.05 < j['efficiency']['cpus_used'] < 0.4 and 100 <= j['efficiency']['memory_most_mib'] < 200 for j in A['jobs'] if j['id'] == $job] == [True]"
    # The first and the last reading may be of a moment without the burn.
    json "series?of=job&id=$job&metric=gpu_utilization_percent" '(lambda r: len(r) >= 4 and all(50 <= v <= 70 for v in r[1:-1]))([v for v in A["series"][0]["values"] if v is not None])'
    did=$(api "series?of=job&id=$job&metric=gpu_utilization_percent" |
        python3 -c 'import json, sys; r = [v for v in json.load(sys.stdin)["series"][0]["values"] if v is not None]; print(sum(r) / len(r))')
    json 'history?user=user' "[[(g['id'].split('/')[0] in ('worker1', 'worker2'), abs(g['utilization_percent'] - $did) < 1) for g in j['efficiency']['gpus']] for j in A['jobs'] if j['id'] == $job] == [[(True, True)]]"
    # What its GPU did before and after it is not its own.
    json 'history?user=user' "[g['utilization_percent'] == j['efficiency']['gpu_utilization_percent'] for j in A['jobs'] if j['id'] == $job for g in j['efficiency']['gpus']] == [True]"
    # Slurm has not forgotten it yet, and knows less of it.
    json "jobs/$job" 'A["efficiency"]["cpus_used"] > 0.05 and A["state"] != "running"'
    json 'history?user=user' "[abs(j['efficiency']['gpu_utilization_percent'] - $did) < 1 and j['efficiency']['energy_wh'] > 0 for j in A['jobs'] if j['id'] == $job] == [True]"
}

@test "who had which GPU-hours, and used them, is summed up" {
    json usage '{"alice", "bob", "user"} <= {u["user"] for u in A["users"]}'
    json 'usage?user=user' 'len(A["users"]) == 1 and A["users"][0]["jobs"] >= 1'
    json 'usage?user=user' '0.005 < A["users"][0]["gpu_hours_measured"] <= A["users"][0]["gpu_hours"] < 1'
    json 'usage?user=user' '0.5 < A["users"][0]["gpu_hours_used"] / A["users"][0]["gpu_hours_measured"] <= 1'
    # Of what runs the hours are known.
    json 'usage?user=alice' 'A["users"][0]["gpu_hours"] > 0.02 and A["users"][0]["gpu_hours_measured"] == 0'
    json "usage?from_s=$(($(date +%s) - 36))" 'all(u["gpu_hours"] <= 0.1 for u in A["users"])'
    json 'usage?user=nobody' 'A["users"] == []'
    json 'usage?to_s=x' '"to_s" in A["error"]'
}

@test "what was known before a kill -9 is known after it" {
    local job before pid idle
    idle=$(api gpus | python3 -c 'import json, sys; print(min(g["idle_since_s"] for g in json.load(sys.stdin)["gpus"] if g["use"] == "idle"))')
    job=$(api 'history?limit=1' | python3 -c 'import json, sys; print(json.load(sys.stdin)["jobs"][0]["id"])')
    wait_until 40 json 'series?of=cluster&metric=gpus_allocated' 'sum(v is not None for v in A["series"][0]["values"]) > 2'
    before=$(api events | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["events"]))')
    pid=$(serve_pid)
    sleep 16
    on head kill -9 "$pid"
    wait_until 20 json cluster 'A["up"]'
    json events "len(A['events']) >= $before"
    json history "any(j['id'] == $job for j in A['jobs'])"
    json "jobs/$job" "A['id'] == $job"
    wait_until 20 json 'series?of=cluster&metric=gpus_allocated' 'sum(v is not None for v in A["series"][0]["values"]) > 2'
    # Whose GPU has been idle for hours has not been idle since our start.
    wait_until 20 json gpus "abs(min(g.get('idle_since_s', 2 ** 40) for g in A['gpus'] if g['use'] == 'idle') - $idle) <= 30"
    ((idle + 60 < $(date +%s)))
}

@test "a lost GPU is an event and a problem, and does not vanish" {
    lab_gpu worker2 lost 3
    wait_until 40 json gpus '[g["state"] for g in A["gpus"] if g["id"] == "worker2/3"] == ["lost"]'
    wait_until 30 json events 'any(e.get("gpu") == "worker2/3" and e["severity"] == "critical" for e in A["events"])'
    wait_until 30 json cluster 'any(p.get("gpu") == "worker2/3" for p in A["problems"])'
    lab_gpu worker2 heal 3
    # The same Xid twice is two events.
    lab_gpu worker2 xid 1 31
    wait_until 40 json 'events?kind=xid' 'sum(e["gpu"] == "worker2/1" for e in A["events"]) == 1'
    lab_gpu worker2 xid 1 31
    wait_until 40 json 'events?kind=xid' 'sum(e["gpu"] == "worker2/1" for e in A["events"]) == 2'
    wait_until 40 json gpus '[g["state"] for g in A["gpus"] if g["id"] == "worker2/3"] == ["up"]'
}

@test "how often a node failed, and how long it lasted, is counted" {
    local pid
    json 'health?node=head' 'A["nodes"][0]["failures"] == 0 and [s["state"] for s in A["spans"]] == ["up"]'
    head_down smoke
    wait_until 40 json 'health?node=head' 'A["nodes"][0]["failures"] == 1 and A["spans"][-1]["state"] == "failed"'
    # What changes while nobody watches is found afterwards.
    sleep 16
    pid=$(serve_pid)
    on head kill -STOP "$pid"
    head_up
    on head kill -9 "$pid"
    wait_until 40 json 'health?node=head' '[s["state"] for s in A["spans"]] == ["up", "failed", "up"]'
    json 'health?node=head' '15 <= A["nodes"][0]["failed_s"] < 120 and A["nodes"][0]["between_failures_s"] > 60'
    json 'events?node=head&kind=node' '[e["text"] for e in A["events"]][-1] == "head is down: smoke"'
    on head scontrol update nodename=head state=drain reason='new fan'
    wait_until 40 json 'health?node=head' 'A["nodes"][0]["drains"] == 1 and A["nodes"][0]["failures"] == 1'
    on head scontrol update nodename=head state=resume
    json health '[n["failures"] for n in A["nodes"] if n["name"] == "head"] == [1]'
    json health '[n["failures"] for n in A["nodes"]] == sorted((n["failures"] for n in A["nodes"]), reverse=True)'
    json health '[n["xids"] >= 2 for n in A["nodes"] if n["name"] == "worker2"] == [True]'
    json 'health?node=nobody' '"Nothing is known" in A["error"]'
    json 'health?limit=x' '"limit" in A["error"]'
}

lab_gpu() {
    "$SCENARIO_SOURCE/lab/gpu" --name "$GPU_WATCHDOG_LAB" "$@"
}

@test "what jobs make of their GPUs is served to Prometheus, when asked for" {
    local page
    background "$BATS_TEST_TMPDIR/serve.log" on head gpu-watchdog serve \
        --listen 127.0.0.1:19342 --dashboard-listen 127.0.0.1:18081 \
        --gpu-interval 1s --interval 2s --job-series 10 --state /run/dashboard-test
    job_series() {
        page=$(on head curl -s http://127.0.0.1:19342/metrics) || return 1
        grep -qE '^slurm_job_gpu_count\{job_id="[0-9]+",user="alice"\} 2$' <<<"$page" &&
            grep -qE '^slurm_job_gpu_used\{job_id="[0-9]+",user="alice"\} 1$' <<<"$page" &&
            grep -qE '^slurm_job_gpu_idle\{job_id="[0-9]+",user="bob"\} 1$' <<<"$page" &&
            grep -qE '^slurm_job_gpu_utilization_ratio\{job_id="[0-9]+",user="alice"\} 0.3' <<<"$page"
    }
    wait_until 30 job_series
    run ! grep -q slurm_job_gpu <(on head curl -s http://127.0.0.1:9341/metrics)
}

# --- who may --------------------------------------------------------------------

# A dashboard of its own on the head, for others to reach.
serve_open() {
    background "$BATS_TEST_TMPDIR/serve.log" on head gpu-watchdog serve \
        --listen 127.0.0.1:19341 --dashboard-listen 0.0.0.0:18080 \
        --gpu-exporter-url '' --state /run/dashboard-test "$@"
    wait_until 10 answers 18080
}

answers() {
    [[ $(status_of "http://127.0.0.1:$1/") != 000 ]]
}

status_of() { # URL [OPTION...]
    on head curl -s -o /dev/null -w '%{http_code}' "${@:2}" "$1" || true
}

link() {
    on head gpu-watchdog token web --state /run/dashboard-test 2>/dev/null
}

@test "where others can reach it, it asks for a link that is good once" {
    local link url=http://127.0.0.1:18080 jar=/run/dashboard-test/jar
    serve_open
    [[ $(status_of "$url/") == 401 ]]
    [[ $(status_of "$url/api/v1/jobs") == 401 ]]
    [[ $(status_of "$url/api/v1/stream") == 401 ]]
    [[ $(on head curl -s "$url/") == *'gpu-watchdog token web'* ]]
    [[ $(status_of "$url/sign-in") == 403 ]]
    [[ $(status_of "$url/sign-in?link=$(printf '0%.0s' {1..32})") == 403 ]]
    link=$(link)
    [[ $link == http://10.77.*:18080/sign-in?link=* ]]
    url=${link%/sign-in*} # the cookie is for this name
    [[ $(status_of "$link" -c "$jar") == 303 ]]
    [[ $(status_of "$link") == 403 ]]
    [[ $(status_of "$url/" -b "$jar") == 200 ]]
    [[ $(status_of "$url/" -H 'Cookie: gpu_watchdog=9999999999-00') == 401 ]]
    # A restart signs nobody out, and a used link stays used.
    background_stop
    serve_open
    [[ $(status_of "$url/" -b "$jar") == 200 ]]
    [[ $(status_of "$link") == 403 ]]
    background_stop
    serve_open --insecure-open
    [[ $(status_of "$url/") == 200 ]]
    background_stop
    # A proxy says who it is, from its own address only.
    serve_open --proxy-header X-Remote-User --proxy-from 127.0.0.1
    [[ $(status_of http://127.0.0.1:18080/ -H 'X-Remote-User: ann') == 200 ]]
    [[ $(status_of http://127.0.0.1:18080/) == 401 ]]
    [[ $(status_of "$url/" -H 'X-Remote-User: ann') == 401 ]]
    background_stop
    run ! on head gpu-watchdog token web --state /run/nowhere
    [[ $output == *'no dashboard here asks for a link'* ]]
}

@test "only its own files may be loaded, and nobody may frame it" {
    local headers
    headers=$(curl -sSI "$BASE/" || curl -sS -D - -o /dev/null "$BASE/")
    [[ $headers == *"default-src 'none'"* && $headers == *"frame-ancestors 'none'"* ]]
    [[ $headers == *nosniff* ]]
}
