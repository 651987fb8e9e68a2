#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The exporter's pages on a cluster that has something of everything: do they say
# what Slurm's own commands say, under the names that were promised, in every form
# that a client may ask for. What happens when things break is in
# exporter-faults.bats, what clients may do to the server in exporter-http.bats.

load helpers
load workload

setup_file() {
    scenario_begin
    workload_start
    exporter_start_ready main
}

teardown_file() {
    exporters_stop
    scenario_end
}

teardown() {
    background_stop
    exporters_stop main
    sanitizer_quiet
}

PAGES='/metrics /metrics/nodes /metrics/jobs /metrics/jobs-users-accts
    /metrics/partitions /metrics/scheduler'

# native_pages NAME: all pages with Slurm's own names.
native_pages() {
    local path
    for path in ${PAGES#/metrics }; do
        page "$1" "$path"
    done
}

# agrees NAME PAGES VIEW...: the page says what Slurm's commands say.
agrees() {
    local name=$1 pages=$2
    shift 2
    on head bash <"$SCENARIO_TOOLS/slurm-says" >"$BATS_TEST_TMPDIR/says"
    cycle "$name"
    if [[ $pages == native ]]; then
        native_pages "$name" >"$BATS_TEST_TMPDIR/page"
    else
        page "$name" "$pages" >"$BATS_TEST_TMPDIR/page"
    fi
    python3 "$SCENARIO_TOOLS/compare.py" "$BATS_TEST_TMPDIR"/{says,page} "$@"
}

# Schedulers go on while we look: what they say of themselves may need another try.
will_agree() {
    local try
    for try in 1 2 3 4; do
        ! agrees "$@" || return 0
        echo "try $try disagreed"
    done
    return 1
}

# Slurm 20.11 prints one folded word for a node's state, "MIXED#" or "IDLE+POWER", also
# where later versions print the base state and each flag; there is then nothing to
# hold base states and flags to.
states_are_told() {
    ((SLURM_VERSION > 2011))
}

# --- the truth ----------------------------------------------------------------------

@test "vpenso's series say what the commands say that his exporter runs" {
    will_agree main /metrics vpenso
}

@test "GPUs by type and state add up from nodes to partitions and cluster" {
    will_agree main /metrics gpus
}

@test "states, flags, reasons, reservations and licences are Slurm's" {
    states_are_told || skip "20.11 folds a node's state into one word"
    will_agree main /metrics states
}

@test "native names say what scontrol says" {
    states_are_told || skip "20.11 folds a node's state into one word"
    will_agree main native native
}

six_of_slurm() {
    local cpus
    IFS=/ read -r -a cpus <<<"$(on head sinfo -h -o %C)"
    echo "${cpus[3]}" "${cpus[1]}" \
        "$(on head sinfo -h -p all -o %D | awk '{ sum += $1 } END { print sum }')" \
        "$(on head sinfo -h -o '%T %D' -p all |
            awk '/^idle/ { sum += $2 } END { print sum + 0 }')" \
        "$(on head squeue -a -r -h -t PD | wc -l)" \
        "$(on head squeue -a -r -h -t R -o %T | grep -c RUNNING)"
}

six_of_ours() {
    local name
    for name in cpus_total cpus_idle nodes_total nodes_idle queue_pending queue_running
    do
        value main "slurm_$name"
    done | xargs
}

# A job may end, and a node be idle again, between our look and sinfo's.
six_are_right() {
    local ours slurms
    ours=$(six_of_ours) slurms=$(six_of_slurm)
    [[ $ours == "$slurms" ]] || {
        echo "ours: $ours; Slurm's: $slurms"
        return 1
    }
}

@test "the six series of the seed are there and right" {
    wait_until 10 six_are_right
}

@test "a pending array counts its tasks, however long the list of them is" {
    [[ $(value main 'slurm_jobs_pending_by_reason{partition="all",reason="JobHeldUser"}') \
        == 309 ]]
    [[ $(value main slurm_jobs_held) == 309 ]]
}

@test "a job of several partitions waits in each, and is one job" {
    local before gpu pending
    before=$(value main slurm_queue_pending)
    gpu=$(value main 'slurm_partition_jobs_pending{partition="gpu"}')
    pending=$(value main 'slurm_partition_jobs_pending{partition="cloud"}')
    job=$(on head sbatch --parsable -o /dev/null -p gpu,cloud --hold --wrap true)
    cycle main
    [[ $(value main slurm_queue_pending) == $((before + 1)) ]]
    [[ $(value main 'slurm_partition_jobs_pending{partition="gpu"}') == $((gpu + 1)) ]]
    [[ $(value main 'slurm_partition_jobs_pending{partition="cloud"}') == \
        $((pending + 1)) ]]
    on head scancel "$job"
}

@test "waiting and running times are counted when a job starts and ends" {
    local label='{partition="all"}' runs sum
    # No job has ended since the exporter came: there may be no histogram yet.
    runs=$(value main "slurm_job_run_time_seconds_count$label" || echo 0)
    sum=$(value main "slurm_job_run_time_seconds_sum$label" || echo 0)
    # With a limit, to end before the reservation of tomorrow.
    on head timeout 30 srun -p all -w worker2 -t 1 --mem=100 sleep 2
    run_counted() {
        has_value main "slurm_job_run_time_seconds_count$label" $((runs + 1))
    }
    wait_until 10 run_counted
    sum=$(($(value main "slurm_job_run_time_seconds_sum$label") - sum))
    ((sum >= 2 && sum <= 4))
    [[ $(value main 'slurm_job_run_time_seconds_bucket{partition="all",le="+Inf"}') == \
        $((runs + 1)) ]]
}

@test "counters go on when sdiag is reset" {
    local submitted backfilled
    cycle main
    submitted=$(value main slurm_ctld_jobs_submitted_total)
    backfilled=$(value main slurm_ctld_backfilled_jobs_total)
    ((submitted > 300 && backfilled >= 2))
    on head sdiag --reset
    job=$(on head sbatch --parsable -o /dev/null -p all --hold --wrap true)
    cycle main
    [[ $(value main slurm_ctld_jobs_submitted_total) == $((submitted + 1)) ]]
    [[ $(value main slurm_ctld_backfilled_jobs_total) == "$backfilled" ]]
    on head scancel "$job"
}

# --- names ----------------------------------------------------------------------------

@test "all of vpenso's names are there" {
    page main /metrics | names |
        comm -23 "$SCENARIO_SOURCE/test/data/vpenso-metric-names" - \
            >"$BATS_TEST_TMPDIR/missing"
    run cat "$BATS_TEST_TMPDIR/missing"
    [[ -z $output ]]
}

@test "all names of Slurm 26.05 are there, and its ways of counting have no others" {
    native_pages main | names >"$BATS_TEST_TMPDIR/names"
    run diff "$SCENARIO_SOURCE/test/data/slurm-26.05-metric-names" \
        "$BATS_TEST_TMPDIR/names"
    # Slurm prints powering_down under the name of powering_up.
    [[ $output == *'> slurm_nodes_powering_down' && ${#lines[@]} == 2 ]]
}

@test "vpenso's zeros: none of accounts, users, partitions; all others" {
    run -0 page main /metrics
    [[ $output == *$'\nslurm_nodes_err 0\n'* ]]
    [[ $output == *$'\nslurm_queue_preempted 0\n'* ]]
    [[ $output == *$'\nslurm_node_cpu_alloc{node="head",status="drained"} 0\n'* ]]
    [[ $output != *'slurm_user_jobs_suspended{user="bob"}'* ]]
    [[ $output != *'slurm_account_jobs_suspended{account="teaching"}'* ]]
    [[ $output != *'slurm_partition_cpus_total{partition="empty"}'* ]]
    [[ $output != *'slurm_partition_jobs_pending{partition="closed"}'* ]]
}

@test "labels are escaped" {
    [[ $(value main \
        'slurm_node_reason{node="head",reason="fan \"2\" broken \\ dust",user="root"}') \
        == 1 ]]
}

@test "promtool has nothing to say" {
    local path
    for path in $PAGES; do
        run -0 promtool check metrics < <(page main "$path")
        [[ -z $output ]]
    done
}

# --- families ----------------------------------------------------------------------

@test "families are switched on and off" {
    exporter_start_ready few --collect cpus,exporter
    [[ $(page few /metrics | names | grep -v '^slurm_exporter_' | xargs) == \
        'slurm_cpus_alloc slurm_cpus_idle slurm_cpus_other slurm_cpus_total slurm_up' ]]
    [[ -z $(page few /metrics/nodes) ]]
    exporter_start_ready less --no-collect cpus,node,exporter
    run -0 page less /metrics
    [[ $output == *slurm_nodes_idle* && $output != *slurm_cpus_* ]]
    [[ $output != *slurm_node_cpu_* && $output != *slurm_exporter_* ]]
}

@test "a scrape may ask for families singly" {
    [[ $(page main '/metrics?collect[]=cpus' | names |
        grep -v '^slurm_exporter_' | xargs) == \
        'slurm_cpus_alloc slurm_cpus_idle slurm_cpus_other slurm_cpus_total slurm_up' ]]
    run -0 page main '/metrics?collect[]=cpus&collect%5B%5D=queue'
    [[ $output == *slurm_cpus_total* && $output == *slurm_queue_pending* ]]
    [[ $output != *slurm_nodes_idle* ]]
    [[ $(at_head curl -s -g -o /dev/null -w '%{http_code}' \
        "$(exporter_url main '/metrics?collect[]=no-such')") == 400 ]]
}

@test "series of single jobs only when asked for, and capped" {
    run -0 page main /metrics
    [[ $output != *job_id=* ]]
    exporter_start_ready jobs --job-series 3
    [[ $(page jobs /metrics | grep -c '^slurm_running_job_info{') == 3 ]]
    [[ $(page jobs /metrics | grep -o 'job_id="[0-9]*"' | sort -u | wc -l) == 3 ]]
    exporter_start_ready more-jobs --job-series 1000
    [[ $(page more-jobs /metrics | grep -c '^slurm_running_job_cpus{') == 9 ]]
    run -0 page more-jobs /metrics
    [[ $output == *'name="say \"hi\" \\ there"'* ]]
}

# --- forms ----------------------------------------------------------------------------

@test "OpenMetrics by Accept, ended by EOF; plain text by default" {
    local om='Accept: application/openmetrics-text;version=1.0.0'
    [[ $(page main /metrics -o /dev/null -w '%{content_type}') == \
        'text/plain; version=0.0.4'* ]]
    [[ $(page main /metrics -H "$om" -o /dev/null -w '%{content_type}') == \
        'application/openmetrics-text; version=1.0.0'* ]]
    [[ $(page main /metrics -H "$om" | tail -n 1) == '# EOF' ]]
    [[ $(page main /metrics -H "$om" | grep -c '# EOF') == 1 ]]
    [[ $(page main /metrics/nodes -H "$om" | tail -n 1) == '# EOF' ]]
    run -0 page main /metrics
    [[ $output != *'# EOF'* ]]
    [[ $(page main /metrics -H "$om" | names) == $(page main /metrics | names) ]]
}

@test "compressed by Accept-Encoding, and the same" {
    local dir=$BATS_TEST_TMPDIR
    # All four from one cycle, or what they tell may differ.
    fetch_all() {
        page main /metrics/nodes >"$dir/plain"
        page main /metrics/nodes -H 'Accept-Encoding: gzip' >"$dir/gz"
        page main /metrics/nodes -H 'Accept-Encoding: gzip;q=0, identity' >"$dir/q0"
        page main /metrics/nodes | cmp -s - "$dir/plain"
    }
    wait_until 10 fetch_all
    gunzip <"$dir/gz" | cmp - "$dir/plain"
    cmp "$dir/q0" "$dir/plain"
    (($(stat -c %s "$dir/gz") * 3 < $(stat -c %s "$dir/plain")))
    page main /metrics -H 'Accept-Encoding: gzip' | gunzip | names >"$dir/names"
    page main /metrics | names | cmp - "$dir/names"
}

@test "HEAD has the headers of GET and no body" {
    local path
    # A cycle between the two may change the length.
    head_agrees() {
        page main "$1" -D "$BATS_TEST_TMPDIR/get" -o /dev/null
        page main "$1" --head >"$BATS_TEST_TMPDIR/head"
        diff <(grep -vi '^date:' "$BATS_TEST_TMPDIR/get") \
            <(grep -vi '^date:' "$BATS_TEST_TMPDIR/head")
    }
    for path in /metrics/nodes / /healthz /readyz; do
        wait_until 5 head_agrees "$path"
    done
}

@test "start page, health and readiness" {
    run -0 page main /
    [[ $output == *'href="/metrics/jobs-users-accts"'* ]]
    [[ $output == *'slurmctld answers.'* ]]
    [[ $(page main /healthz) == ok ]]
    [[ $(page main /readyz) == ready ]]
}

# --- Prometheus ---------------------------------------------------------------------

# prometheus_value QUERY: the value of the only series of an instant query.
prometheus_value() {
    at_head curl -s -f --get --data-urlencode "query=$1" \
        http://127.0.0.1:9390/api/v1/query >"$BATS_TEST_TMPDIR/answer" || return
    python3 <"$BATS_TEST_TMPDIR/answer" -c 'import json, sys
series = json.load(sys.stdin)["data"]["result"]
print(series[0]["value"][1] if len(series) == 1 else len(series))'
}

prometheus_says() {
    [[ $(prometheus_value "$1") == "$2" ]]
}

# Prometheus asks for OpenMetrics; a proxy that asks for plain text stands between
# it and the exporter for the other format.
@test "a real Prometheus scrapes it, in both formats" {
    local port dir=$BATS_TEST_TMPDIR type job
    port=$(exporter_port main)
    at_head_background "$dir/proxy.log" \
        python3 "$SCENARIO_TOOLS/plain-proxy.py" 9391 "$port"
    cat >"$dir/prometheus.yml" <<CONF
global: {scrape_interval: 1s}
scrape_configs:
  - {job_name: openmetrics, static_configs: [{targets: ['127.0.0.1:$port']}]}
  - {job_name: text, static_configs: [{targets: ['127.0.0.1:9391']}]}
  - job_name: native
    metrics_path: /metrics/nodes
    static_configs: [{targets: ['127.0.0.1:$port']}]
CONF
    at_head_background "$dir/log" prometheus --config.file="$dir/prometheus.yml" \
        --storage.tsdb.path="$dir/data" --web.listen-address=127.0.0.1:9390 \
        --log.level=warn
    wait_until 20 prometheus_says 'sum(up == 1)' 3
    for job in openmetrics text; do
        prometheus_says "slurm_queue_pending{job=\"$job\"}" \
            "$(value main slurm_queue_pending)"
        prometheus_says "slurm_gpus_by_state{job=\"$job\",type=\"a100\",state=\"idle\"}" \
            "$(value main 'slurm_gpus_by_state{type="a100",state="idle"}')"
        prometheus_says \
            "count({job=\"$job\",__name__=~\"slurm.*\"})" \
            "$(prometheus_value "scrape_samples_scraped{job=\"$job\"}")"
        prometheus_says "count(slurm_ctld_rpc_requests_total{job=\"$job\"}) > bool 3" 1
    done
    prometheus_says 'count({job="openmetrics"}) - count({job="text"})' 0
    prometheus_says 'slurm_nodes_cloud{job="native"}' 3
    type=$(at_head curl -s \
        'http://127.0.0.1:9390/api/v1/metadata?metric=slurm_job_run_time_seconds')
    [[ $type == *'"type":"histogram"'* ]]
    run grep -iE 'level=(warn|error)' "$dir/log"
    [[ -z $output ]]
}

# --- how it is run ---------------------------------------------------------------------

@test "prometheus-slurm-exporter takes the flags of vpenso's" {
    ln -sf "$(on head sh -c 'command -v gpu-watchdog')" \
        "$HEAD_ROOT/tmp/prometheus-slurm-exporter"
    EXPORTER_COMMAND='/tmp/prometheus-slurm-exporter -gpus-acct=false -listen-address' \
        exporter_start_ready named
    run -0 page named /metrics
    [[ $output == *'slurm_cpus_total '* && $output != *slurm_gpus_* ]]
    [[ $(value named 'slurm_node_gpus{node="worker1"}' /metrics/nodes) == 4 ]]
    EXPORTER_COMMAND='/tmp/prometheus-slurm-exporter -gpus-acct -listen-address' \
        exporter_start_ready named-gpus
    [[ $(value named-gpus slurm_gpus_total) == $(value main slurm_gpus_total) ]]
}

@test "a recording is shown, and replayed as the same page" {
    exporter_start_ready live --no-collect exporter,rpcs,scheduler,node-load
    page live /metrics >"$BATS_TEST_TMPDIR/live"
    page live /metrics/nodes >"$BATS_TEST_TMPDIR/live-nodes"
    on head gpu-watchdog snapshot save /tmp/recording
    run -0 on head gpu-watchdog snapshot show /tmp/recording
    [[ ${lines[0]} == 'cluster lab, Slurm '* ]]
    [[ $output == *nodes*fresh*'7 records'* ]]
    exporter_start_ready replay --no-collect exporter,rpcs,scheduler,node-load \
        --replay /tmp/recording
    page replay /metrics | diff "$BATS_TEST_TMPDIR/live" -
    page replay /metrics/nodes | grep -v memory_free |
        diff <(grep -v memory_free "$BATS_TEST_TMPDIR/live-nodes") -
    [[ $(page replay /readyz) == ready ]]
}

@test "a user without privileges sees the same" {
    exporter_start_ready nobody --user nobody
    [[ $(ps -o user= -p "$(exporter_pid nobody)") == nobody ]]
    [[ $(ps -o user= -p "$(collector_pid nobody)") == nobody ]]
    agrees nobody /metrics gpus
    states_are_told || return 0
    agrees nobody /metrics states
    agrees nobody native native
}

@test "at most seven requests a cycle, however many clients ask" {
    local requests cycles i
    rpcs_of_alice() {
        on head sdiag | sed -n 's/^\talice .*count:\([0-9]*\) .*/\1/p'
    }
    exporter_start_ready counted --user alice --interval 1s
    cycles=$(value counted slurm_exporter_cycles_total)
    requests=$(rpcs_of_alice)
    for ((i = 0; i < 10; i++)); do
        at_head python3 "$SCENARIO_TOOLS/latency.py" "$(exporter_port counted)" \
            "$(exporter_pid counted)" 60
        sleep 0.3
    done
    requests=$(($(rpcs_of_alice) - requests))
    cycles=$(($(value counted slurm_exporter_cycles_total) - cycles))
    echo "$requests requests in $cycles cycles"
    ((cycles >= 3 && requests >= 4 * (cycles - 1) && requests <= 7 * (cycles + 1)))
}

@test "what did not change is not sent again" {
    local label='{part="partitions",outcome="unchanged"}'
    cycle main
    (($(value main "slurm_exporter_rpc_requests_total$label") > 0))
}

@test "durations of requests are those of the last one" {
    local took
    cycle main
    cycle main
    for part in nodes jobs partitions statistics; do
        took=$(value main "slurm_exporter_rpc_duration_seconds{part=\"$part\"}")
        [[ $(bc <<<"$took > 0 && $took < 1") == 1 ]]
    done
    took=$(value main 'slurm_exporter_rpc_duration_seconds{part="jobs"}')
    [[ $(bc <<<"$took <= $(value main slurm_exporter_cycle_seconds)") == 1 ]]
}
