#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# gpu-watchdog serve --prometheus-url: what is longer ago than the store reaches comes
# from a real Prometheus that scrapes this cluster. Everything it can be asked for is
# asked, and compared with what is so now.

load dashboard

PROMETHEUS=http://127.0.0.1:9390

setup_file() {
    dashboard_start prometheus
    export HEAD_PID PROMETHEUS_DIR=$LAB_DIR/prometheus
    HEAD_PID=$(pid head)
    wait_until 40 json gpus 'sum(g["use"] == "busy" for g in A["gpus"]) == 2'
    prometheus_start
    serve_start prometheus --prometheus-url "$PROMETHEUS"
}

teardown_file() {
    kill "$(<"$PROMETHEUS_DIR/pid")" "$SERVE" 2>/dev/null || true
    "$SCENARIO_SOURCE/start" --name "$GPU_WATCHDOG_LAB" --stop 3>&-
}

prometheus_start() {
    local host targets=127.0.0.1:9341
    for host in worker1 worker2; do
        targets+=,$(on head getent ahostsv4 "$host" | awk '{ print $1; exit }'):9400
    done
    mkdir -p "$PROMETHEUS_DIR"
    cat >"$PROMETHEUS_DIR/prometheus.yml" <<CONF
global: {scrape_interval: 2s, scrape_timeout: 2s}
scrape_configs:
  - job_name: all
    static_configs: [{targets: [$targets], labels: {site: here}}]
CONF
    prometheus_run
    wait_until 30 prometheus_has 'count(up == 1) == 3'
    wait_until 30 prometheus_has 'rate(slurm_node_job_cpu_seconds_total[5m]) >= 0'
}

prometheus_run() {
    nsenter --target "$HEAD_PID" --net -- prometheus \
        --config.file="$PROMETHEUS_DIR/prometheus.yml" \
        --storage.tsdb.path="$PROMETHEUS_DIR/data" --log.level=warn \
        --web.listen-address=127.0.0.1:9390 >"$PROMETHEUS_DIR/log" 2>&1 3>&- </dev/null &
    echo $! >"$PROMETHEUS_DIR/pid"
}

prometheus_has() { # QUERY: it has a result
    [[ $(on head curl -sf --get --data-urlencode "query=$1" \
        "$PROMETHEUS/api/v1/query") == *'"value"'* ]]
}

# serve_start NAME OPTION...: a dashboard of its own on the head.
serve_start() {
    on head gpu-watchdog serve --listen 127.0.0.1:19341 --interval 2s \
        --gpu-interval 2s --dashboard-listen 127.0.0.1:18080 \
        --state "/run/$1-test" "${@:2}" >"$LAB_DIR/serve.log" 2>&1 3>&- </dev/null &
    export SERVE=$!
    wait_until 20 long_ago 'of=cluster&metric=gpus_total' True
}

serve_stop() {
    kill "$SERVE"
    wait_until 10 serve_is_gone
}

serve_is_gone() {
    ! ask cluster >/dev/null 2>&1
}

ask() { # PATH: of that dashboard
    on head curl -sS "http://127.0.0.1:18080/api/v1/$1"
}

# long_ago QUERY EXPRESSION: of the answer A to a question that reaches back three days;
# NOW is, by id and metric, the last value of each series.
long_ago() {
    ask "series?$1&from_s=$(($(date +%s) - 3 * 86400))" | python3 -c '
import json, sys
A = json.load(sys.stdin)
NOW = {}
for s in A.get("series", []):
    known = [v for v in s["values"] if v is not None]
    if known:
        NOW[s["id"], s["metric"]] = known[-1]
value = eval("(" + sys.argv[1] + ")")
print("" if value else NOW or str(A)[:500])
sys.exit(not value)' "$2"
}

now_of() { # EXPRESSION of the answer A to PATH: a text
    ask "$1" | python3 -c '
import json, sys
A = json.load(sys.stdin)
print(eval(sys.argv[1]))' "$2"
}

# A scrape that came too late leaves a gap, and an answer is kept for a minute: so what
# has to be so may take that long to be told.
@test "the cluster" {
    local all=gpus_total,gpus_allocated,gpus_used,gpus_held_idle
    wait_until 80 long_ago "of=cluster&metric=$all" '
A["source"] == "prometheus" and [NOW["", m] for m in
    ("gpus_total", "gpus_allocated", "gpus_used", "gpus_held_idle")] == [8, 4, 2, 2]'
    wait_until 80 long_ago "of=cluster&metric=jobs_running,jobs_pending,power_watts" '
NOW["", "jobs_running"] == 3 and "power_watts" in str(NOW) and NOW["", "power_watts"] > 500'
    # A step is a quarter of an hour there, and only the last has something.
    wait_until 80 long_ago "of=cluster&metric=gpus_total" '
A["series"][0]["step_s"] == 900 and A["series"][0]["values"][0] is None
    and len(A["series"][0]["values"]) in (289, 290)'
}

@test "partitions and nodes" {
    wait_until 80 long_ago "of=partition&id=all,nothing&metric=running,pending,gpus_allocated_h100" '
NOW["all", "running"] == 3 and NOW["all", "gpus_allocated_h100"] == 4
    and NOW["all", "pending"] == 0 and not any(id == "nothing" for id, _ in NOW)'
    local cpus
    cpus=$(now_of nodes/worker1 'A["nodes"][0]["cpus_allocated"]')
    wait_until 80 long_ago "of=node&id=worker1,worker2&metric=cpus_allocated,memory_allocated_mib" "
NOW['worker1', 'cpus_allocated'] == $cpus and len(NOW) == 4"
}

@test "GPUs" {
    wait_until 80 long_ago 'of=gpu&id=worker1/0,worker2/3,worker1/77&metric=utilization_percent,memory_used_mib,temperature_c,power_watts' '
len(NOW) == 8 and NOW["worker1/0", "temperature_c"] > 20
    and NOW["worker2/3", "power_watts"] > 20'
    local used
    # An exporter that did not answer in time has no figures until it is asked again.
    used_is_known() {
        used=$(now_of gpus/worker1/0 'A["gpus"][0]["memory_used_mib"]' 2>/dev/null)
    }
    wait_until 40 used_is_known
    wait_until 80 long_ago 'of=gpu&id=worker1/0&metric=memory_used_mib' "
abs(NOW['worker1/0', 'memory_used_mib'] - $used) < 100"
}

@test "a job's GPUs, and what its processes use" {
    local job
    job=$(now_of jobs?state=running 'next(j["id"] for j in A["jobs"] if j["user"] == "alice")')
    wait_until 80 long_ago "of=job&id=$job&metric=gpus_used,gpu_utilization_percent,gpu_memory_used_mib,power_watts" "
NOW['$job', 'gpus_used'] == 1 and 20 < NOW['$job', 'gpu_utilization_percent'] < 60
    and NOW['$job', 'power_watts'] > 100 and NOW['$job', 'gpu_memory_used_mib'] > 100"
    wait_until 80 long_ago "of=job&id=$job&metric=cpu_cores,memory_used_mib" "
NOW['$job', 'cpu_cores'] >= 0 and NOW['$job', 'memory_used_mib'] > 0"
}

@test "what is recent is the store's, and names that nobody has are asked nobody" {
    run -0 ask 'series?of=cluster&metric=gpus_total'
    [[ $output == *'"source":"store"'* ]]
    long_ago 'of=node&id=a%22%7D%20or%20up&metric=cpu_load' \
        'A["source"] == "prometheus" and A["series"] == []'
    long_ago 'of=node&id=worker1&metric=colour' 'A["series"] == []'
}

@test "the page shows it, and says when Prometheus does not answer" {
    local i
    local -a asked=()
    nsenter --target "$HEAD_PID" --net -- node "$SCENARIO_SOURCE/test/page/page.mjs" \
        longago http://127.0.0.1:18080 "$PICTURES" 7d
    kill "$(<"$PROMETHEUS_DIR/pid")"
    # An answer is kept for a minute, for all who ask the same; this is another.
    wait_until 20 long_ago 'of=cluster&metric=gpus_total&points=50' '
A["source"] == "store" and "Prometheus at http://127.0.0.1:9390" in A["trouble"]'
    nsenter --target "$HEAD_PID" --net -- node "$SCENARIO_SOURCE/test/page/page.mjs" \
        longago http://127.0.0.1:18080 "$PICTURES" 30d 'This is not all there was'
    # Others are answered meanwhile, and it is asked again once it is back.
    for i in {1..20}; do
        ask "series?of=cluster&metric=power_watts&from_s=$((86400 * i))" >/dev/null 3>&- &
        asked+=($!)
    done
    [[ $(on head curl -s -m 2 -o /dev/null -w '%{http_code}' \
        http://127.0.0.1:18080/api/v1/cluster) == 200 ]]
    wait "${asked[@]}"
    prometheus_run
    wait_until 20 long_ago 'of=cluster&metric=gpus_total&points=50' \
        'A["source"] == "prometheus"'
}

@test "with --prometheus-match only series of that site are asked for" {
    serve_stop
    serve_start match --prometheus-url "$PROMETHEUS/" --prometheus-match 'site="here"'
    wait_until 80 long_ago 'of=cluster&metric=gpus_total' 'NOW["", "gpus_total"] == 8'
    serve_stop
    serve_start match --prometheus-url "$PROMETHEUS" --prometheus-match 'site="there"'
    long_ago 'of=cluster&metric=gpus_total' 'A["source"] == "prometheus" and NOW == {}'
    serve_stop
    serve_start match --prometheus-url "http://me:secret@127.0.0.1:9390" \
        --prometheus-match 'site=here'
    long_ago 'of=cluster&metric=gpus_total' '
A["source"] == "store" and "parse error" in A["trouble"] and "secret" not in A["trouble"]'
    run -2 on head gpu-watchdog serve --prometheus-url prometheus:9090
    [[ $output == *'begins with neither http:// nor https://'* ]]
    run -2 on head gpu-watchdog serve --history-fine 3d
    [[ $output == *'history-fine 3d (command line) must not be longer than history-minutes 2d'* ]]
}
