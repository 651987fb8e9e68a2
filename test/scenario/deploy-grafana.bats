#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What we ship for Prometheus and Grafana, in a real Prometheus that scrapes a real
# cluster with our scrape configuration and our rules: every query of the dashboard
# that sites have for vpenso's exporter (Grafana's 4323) and of the one that they have
# for dcgm-exporter (12239), every query of our own board, every rule. No query may come back empty. That thresholds of alerts are
# right is promtool's part (deploy/prometheus/tests), that values are exporter-metrics'.

load helpers

setup_file() {
    scenario_begin --accounting
    sed -i 's/^SchedulerParameters=/&bf_interval=3,/' "$HEAD_ROOT/etc/slurm/slurm.conf"
    # Shares have a level once somebody has used some, which a start works out.
    on --user alice head srun -c 4 sleep 1
    on --user bob head srun sleep 1
    service head restart slurmctld
    wait_until 20 slurmctld_answers
    exporter_start_ready main
    prometheus_start
    wait_until 20 prometheus_ask value 'slurm_up == 1'
    on head bash <<<"$(declare -f jobs_submit); jobs_submit"
    # Rates need something that went on while it was looked at.
    wait_until 30 everything_happened
}

teardown_file() {
    kill "$(<"$BATS_FILE_TMPDIR/prometheus.pid")" || true
    exporters_stop
    scenario_end
}

teardown() {
    sanitizer_quiet
}

# The files as they are shipped, but for where the exporter is and how often.
prometheus_start() {
    local dir=$BATS_FILE_TMPDIR
    cp "$SCENARIO_SOURCE"/deploy/prometheus/*.yml "$dir"
    sed -i -e "s/localhost:9341/127.0.0.1:$(exporter_port main)/" \
        -e 's/gpu1:9400/10.77.0.11:9400/; s/gpu2:9400/10.77.0.12:9400/' \
        -e 's/_interval: 30s/_interval: 1s/' "$dir/prometheus.yml"
    nsenter --target "$HEAD_PID" --net -- prometheus --config.file="$dir/prometheus.yml" \
        --storage.tsdb.path="$dir/data" --web.listen-address=127.0.0.1:9390 \
        --log.level=warn >"$dir/prometheus.log" 2>&1 3>&- &
    echo $! >"$dir/prometheus.pid"
}

# Runs on the head: jobs that run, wait, end in each way, are backfilled; a node that
# is drained.
jobs_submit() {
    set -euo pipefail
    job() {
        setpriv --reuid="$1" --regid="$1" --init-groups -- \
            sbatch --parsable --chdir=/tmp --output=/dev/null "${@:2}"
    }
    scontrol update NodeName=head State=DRAIN Reason='new disk'
    job user -p gpu -w worker1 -t 60 --qos=long --gres=gpu:h100:2 --wrap 'sleep 3000'
    job alice -p gpu -t 60 --gres=gpu:h100:1 --wrap 'sleep 3000'
    # Fills worker1 up, and waits for GPUs of its own.
    job user -p gpu -w worker1 -t 60 --gres=gpu:h100:4 --wrap 'sleep 3000'
    job bob -p gpu -t 60 --gres=gpu:h100:2 --begin=now+1hour --wrap 'sleep 3000'
    job bob -p all -t 1 --array=1-6%1 --wrap true
    scancel "$(job bob -p all -t 60 --hold --wrap true)"
}

# Jobs have been seen to start and end, and backfill to come by.
everything_happened() {
    local query
    for query in 'slurm_ctld_jobs_completed_total' 'slurm_ctld_jobs_canceled_total' \
        'slurm_ctld_backfill_cycles_total' 'slurm_job_wait_time_seconds_count'; do
        prometheus_ask value "sum(increase(${query}[5m])) > 0" >/dev/null || return
    done
}

# prometheus_ask ARGUMENT...: see prometheus.py.
prometheus_ask() {
    at_head python3 "$SCENARIO_TOOLS/prometheus.py" http://127.0.0.1:9390 "$@" \
        2>"$BATS_FILE_TMPDIR/counted"
}

counted() {
    cat "$BATS_FILE_TMPDIR/counted"
}

@test "every query of Grafana's dashboard 4323 has its one series" {
    prometheus_ask bare "$SCENARIO_SOURCE/test/data/dashboard-4323-queries"
    [[ $(counted) == '35 queries' ]]
}

@test "its totals are the cluster's" {
    [[ $(prometheus_ask value "$(grep '+' \
        "$SCENARIO_SOURCE/test/data/dashboard-4323-queries")") == 3 ]]
    [[ $(prometheus_ask value slurm_gpus_total) == 8 ]]
    [[ $(prometheus_ask value slurm_cpus_total) == 36 ]]
}

@test "every query of Grafana's dashboard 12239 has data, of today's and the first" {
    gpus_are_there() { [[ $(prometheus_ask value 'count(gpu_up)') == 8 ]]; }
    wait_until 20 gpus_are_there
    local board
    for board in dashboard-12239 dashboard-12239-old; do
        prometheus_ask board "$SCENARIO_SOURCE/test/data/$board.json"
        [[ $(counted) == '8 queries' ]]
    done
}

@test "every query of our own board has data, its variables as Grafana fills them" {
    prometheus_ask board "$SCENARIO_SOURCE/deploy/grafana/slurm.json"
    (($(counted | cut -d ' ' -f 1) >= 40))
}

@test "every rule evaluates, and records" {
    prometheus_ask rules
    (($(counted | cut -d ' ' -f 1) >= 20))
}

@test "idle GPUs that jobs wait for are on their way to an alert, nothing else fires" {
    wait_until 10 alert_is_pending SlurmGpusIdleWhileJobsWait
    run prometheus_ask value 'count(ALERTS{alertstate="firing"})'
    [[ $status != 0 ]]
}

alert_is_pending() {
    [[ $(prometheus_ask value "count(ALERTS{alertname=\"$1\",alertstate=\"pending\"})") == 1 ]]
}

@test "Prometheus has nothing to complain of" {
    run grep -iE 'level=(warn|error)' "$BATS_FILE_TMPDIR/prometheus.log"
    [[ -z $output ]]
}
