#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The exporter when what it watches, or what it needs, breaks. Each fault is really
# made: processes are stopped, frozen and killed, keys and files are spoilt, the
# clock is set. In all of them requests are answered at once, the page tells that
# the source is gone and why, old series are withdrawn, and everything comes back
# when the fault is mended, without a hand and without having grown.
#
# libslurm takes ten seconds and more to notice that nobody answers. So all faults
# but those of slurmctld itself are made in setup_file, each for an exporter with a
# slurm.conf and a munged of its own; the tests look at one after the other, mend
# it, and the last ones see them all recovered.

load helpers

# Short, to be tested in a minute; the deadline is the shortest allowed.
FAST='--interval 1s --stale-after 3s --deadline 15s'

# Exporters whose fault strikes while they run, and those that never had a chance.
STRUCK='munged-stopped munged-frozen key-wrong conf-spoilt conf-removed stuck'
CHANCELESS='conf-missing conf-empty conf-unknown-key conf-bad-plugin host-unknown'

setup_file() {
    local name
    scenario_begin --workers 1
    for name in munged-stopped munged-frozen key-wrong; do
        munged_start "$name"
        conf_write "$name" "AuthInfo=socket=/run/$name/socket"
    done
    for name in conf-spoilt conf-removed stuck; do
        conf_write "$name"
    done
    for name in main $STRUCK; do
        fast_exporter_spawn "$name"
    done
    for name in main $STRUCK; do
        wait_until 20 page "$name" /readyz >/dev/null
        usage "$name" >"$BATS_FILE_TMPDIR/$name.usage"
    done

    kill "$(munged_pid munged-stopped)"
    kill -STOP "$(munged_pid munged-frozen)"
    kill "$(munged_pid key-wrong)"
    munged_start key-wrong other-key
    echo 'NoSuchKey=1' >>"$(conf_path conf-spoilt)"
    rm "$(conf_path conf-removed)"
    kill -STOP "$(collector_pid stuck)"

    : >"$(conf_path conf-empty)"
    conf_write conf-unknown-key NoSuchKey=1
    conf_write conf-bad-plugin AuthType=auth/nonesuch
    conf_write host-unknown
    sed -i 's/^SlurmctldHost=.*/SlurmctldHost=nowhere/' "$(conf_path host-unknown)"
    for name in $CHANCELESS; do
        fast_exporter_spawn "$name"
    done
    STRUCK_MS=$(now_ms)
    export STRUCK_MS
}

teardown_file() {
    munged_thaw munged-frozen || true
    exporters_stop
    scenario_end
}

teardown() {
    sanitizer_quiet
}

# --- faults ---------------------------------------------------------------------

conf_path() {
    echo "$HEAD_ROOT/etc/slurm/$1.conf"
}

# conf_write NAME [LINE]: a slurm.conf for exporter NAME, as the cluster's but for
# one line.
conf_write() {
    local key=${2-}
    grep -v "^${key%%=*}=" "$HEAD_ROOT/etc/slurm/slurm.conf" >"$(conf_path "$1").new"
    [[ -z $key ]] || echo "$key" >>"$(conf_path "$1").new"
    mv "$(conf_path "$1").new" "$(conf_path "$1")"
}

fast_exporter_spawn() {
    local name=$1
    [[ $name == main ]] || set -- "$name" --slurm-conf "/etc/slurm/$name.conf"
    # shellcheck disable=SC2086
    exporter_spawn "$@" $FAST
}

# munged_start NAME [other-key]: a munged beside the head's, with the cluster's key
# or another one.
munged_start() {
    local name=$1 run=$HEAD_ROOT/run/$1 munge
    munge=$(stat -c %u:%g "$HEAD_ROOT/etc/munge/munge.key")
    mkdir -p "$run"
    if [[ ${2-} == other-key ]]; then
        head -c 128 /dev/urandom >"$run/key"
    else
        cp "$HEAD_ROOT/etc/munge/munge.key" "$run/key"
    fi
    chmod 400 "$run/key"
    chmod 711 "$run"
    chown -R "$munge" "$run"
    rm -f "$run/socket"
    on head setpriv --reuid=munge --regid=munge --init-groups munged --foreground \
        --key-file="/run/$name/key" --socket="/run/$name/socket" \
        --pid-file="/run/$name/pid" --seed-file="/run/$name/seed" \
        >"$BATS_FILE_TMPDIR/$name.munged.log" 2>&1 3>&- &
    echo $! >"$BATS_FILE_TMPDIR/$name.munged"
    wait_until 10 test -S "$run/socket"
}

munged_pid() {
    child_of "$(<"$BATS_FILE_TMPDIR/$1.munged")"
}

# nsenter, which runs it, freezes with it, and has to be thawed first.
munged_thaw() {
    kill -CONT "$(<"$BATS_FILE_TMPDIR/$1.munged")"
    kill -CONT "$(munged_pid "$1")"
}

# --- what is to be seen -----------------------------------------------------------

# told NAME REGEX: the page says that the source is gone, /readyz and the log why.
told() {
    has_value "$1" slurm_up 0 &&
        at_head curl -s "$(exporter_url "$1" /readyz)" | grep -qE "not ready: .*$2" &&
        exporter_log "$1" | grep -qE "$2"
}

# No series of the cluster is left, those of the exporter itself are.
withdrawn() {
    local series
    series=$(page "$1" /metrics | names)
    [[ $series == *slurm_exporter_part_fresh* ]] &&
        ! grep -qv -e '^slurm_exporter_' -e '^slurm_up$' <<<"$series" &&
        [[ -z $(page "$1" /metrics/nodes) ]]
}

# gone NAME REGEX: within 20 s of the fault all is as it has to be.
gone() {
    local left_s=$(((STRUCK_MS + 20000 - $(now_ms)) / 1000))
    ((left_s > 0)) || left_s=1
    wait_until "$left_s" told "$@" || {
        at_head curl -s "$(exporter_url "$1" /readyz)"
        exporter_log "$1"
        return 1
    }
    left_s=$(((STRUCK_MS + 20000 - $(now_ms)) / 1000))
    ((left_s > 0)) || left_s=1
    wait_until "$left_s" withdrawn "$1"
    answers_fast "$1"
}

is_ready() {
    page "$1" /readyz >/dev/null && has_value "$1" slurm_up 1 &&
        [[ $(page "$1" /metrics) == *slurm_nodes_idle* ]]
}

# --- while they last --------------------------------------------------------------

@test "every exporter answers at once as soon as a fault strikes" {
    local name
    for name in $STRUCK $CHANCELESS; do
        answers_fast "$name" 30
    done
}

@test "a slurm.conf that is removed under way harms nobody" {
    wait_until 5 is_ready conf-removed
    sleep 3
    is_ready conf-removed
    conf_write conf-removed
}

@test "slurm.conf missing: told where it was looked for, and what to do" {
    gone conf-missing '/etc/slurm/conf-missing.conf: .*set it to the cluster'
    conf_write conf-missing
}

@test "slurm.conf empty: told" {
    gone conf-empty 'ClusterName|SlurmctldHost|[Cc]luster'
    conf_write conf-empty
}

@test "a key in slurm.conf that libslurm does not know, and exits: told" {
    gone conf-unknown-key 'NoSuchKey|conf-unknown-key'
    conf_write conf-unknown-key
}

@test "slurm.conf spoilt under way: told" {
    gone conf-spoilt 'NoSuchKey|conf-spoilt'
    conf_write conf-spoilt
}

@test "a plugin that is not there: told" {
    gone conf-bad-plugin 'auth/nonesuch|nonesuch'
    conf_write conf-bad-plugin
}

@test "a controller that cannot be resolved: told" {
    gone host-unknown 'nowhere'
    conf_write host-unknown
}

@test "munged stopped: told" {
    gone munged-stopped '[Mm]unge|authentication'
    munged_start munged-stopped
}

@test "a wrong key: told" {
    gone key-wrong 'munge key|[Aa]uthentication|[Cc]redential'
    kill "$(munged_pid key-wrong)"
    munged_start key-wrong
}

@test "munged frozen: the collector is replaced, and told" {
    gone munged-frozen 'no answer within 15 s|within 15 s'
    [[ $(value munged-frozen \
        'slurm_exporter_collector_ends_total{cause="deadline"}') == 1 ]]
    munged_thaw munged-frozen
}

@test "a collector that is stuck is replaced" {
    replaced() {
        has_value stuck 'slurm_exporter_collector_ends_total{cause="deadline"}' 1
    }
    wait_until 20 replaced
    wait_until 5 is_ready stuck
}

# --- recovery -----------------------------------------------------------------------

@test "all of them recover without a hand, and have not grown" {
    local name before after
    for name in $STRUCK $CHANCELESS; do
        wait_until 35 is_ready "$name"
    done
    for name in main $STRUCK; do
        read -r -a before <"$BATS_FILE_TMPDIR/$name.usage"
        read -r -a after <<<"$(usage "$name")"
        echo "$name: ${before[*]} -> ${after[*]} descriptors and KiB"
        ((after[0] <= before[0] + 1 && after[1] <= before[1] + 4096))
    done
    for name in $STRUCK $CHANCELESS; do
        exporter_stop "$name"
    done
}

@test "a collector that fails is told at once, not when its data are old" {
    conf_write told-at-once
    exporter_start_ready told-at-once --slurm-conf /etc/slurm/told-at-once.conf
    echo 'NoSuchKey=1' >>"$(conf_path told-at-once)"
    wait_until 5 told told-at-once NoSuchKey
    [[ $(page told-at-once /metrics) == *slurm_nodes_idle* ]]
    conf_write told-at-once
    wait_until 10 is_ready told-at-once
    exporter_log told-at-once | tail -n 1 | grep -q 'slurmctld answers'
}

# --- the collector ------------------------------------------------------------------

@test "the collector killed in a loop: counted, backed off, back by itself" {
    local i pid killed ends before after
    cycle main
    read -r -a before <<<"$(usage main)"
    ends=$(value main 'slurm_exporter_collector_ends_total{cause="killed"}')
    for ((i = killed = 0; i < 40; i++)); do
        ! pid=$(collector_pid main) || ! kill -KILL "$pid" || killed=$((killed + 1))
        sleep 0.05
    done 2>/dev/null
    answers_fast main 30
    counted() {
        has_value main 'slurm_exporter_collector_ends_total{cause="killed"}' \
            $((ends + killed))
    }
    wait_until 5 counted
    exporter_log main | grep -q 'ended by signal 9'
    # Without back-off there would have been one to kill each time.
    ((killed >= 3 && killed < 20))
    wait_until 30 is_ready main
    read -r -a after <<<"$(usage main)"
    ((after[0] <= before[0] + 1 && after[1] <= before[1] + 2048))
}

@test "an exporter that is killed takes its collector along" {
    local collector
    exporter_start_ready doomed
    collector=$(collector_pid doomed)
    kill -KILL "$(exporter_pid doomed)"
    wait_until 5 not kill -0 "$collector" 2>/dev/null
}

# --- slurmctld ------------------------------------------------------------------------

@test "a slow slurmctld is asked less often" {
    local slurmctld interval cycle
    slurmctld=$(pid head slurmctld)
    cycle main
    kill -STOP "$slurmctld"
    sleep 2.2
    kill -CONT "$slurmctld"
    stretched() {
        interval=$(value main slurm_exporter_interval_seconds)
        cycle=$(value main slurm_exporter_cycle_seconds)
        [[ $(bc <<<"$cycle > 1 && $interval >= 5 * $cycle - 0.001") == 1 ]]
    }
    wait_until 5 stretched
    has_value main slurm_up 1
    # It goes back to the wanted interval when the controller is quick again.
    interval_is_1() { has_value main slurm_exporter_interval_seconds 1; }
    wait_until 20 interval_is_1
}

@test "slurmctld frozen: withdrawn, told, back" {
    local slurmctld
    slurmctld=$(pid head slurmctld)
    STRUCK_MS=$(now_ms)
    kill -STOP "$slurmctld"
    answers_fast main 30
    # Long before libslurm gives up: what is old is known here.
    wait_until 5 withdrawn main
    has_value main slurm_up 0
    gone main 'nodes: |no answer'
    kill -CONT "$slurmctld"
    wait_until 15 is_ready main
}

@test "slurmctld stopped: told, withdrawn, back" {
    STRUCK_MS=$(now_ms)
    service head stop slurmctld
    answers_fast main 30
    gone main '[Uu]nable to contact slurm controller|[Cc]onnection refused'
    service head start slurmctld
    wait_until 15 is_ready main
}

@test "slurmctld restarted: nothing is lost but a moment" {
    local cycles
    service head restart slurmctld
    cycles=$(value main slurm_exporter_cycles_total)
    more() { (($(value main slurm_exporter_cycles_total) >= cycles + 2)); }
    wait_until 15 more
    is_ready main
}

@test "slurmctld restarted with a new partition: seen" {
    slurm_conf_add <<<'PartitionName=fresh Nodes=head State=UP'
    fresh() {
        has_value main 'slurm_partition_cpus_total{partition="fresh"}' 4
    }
    wait_until 15 fresh
}

@test "slurmctld moved to another port: followed" {
    service head stop slurmctld
    sed -i '1i SlurmctldPort=6917' "$HEAD_ROOT/etc/slurm/slurm.conf"
    # The lab waits for the usual port.
    on head slurmctld -D >"$BATS_TEST_TMPDIR/log" 2>&1 3>&- &
    wait_until 20 slurmctld_answers
    wait_until 30 is_ready main
    has_value main 'slurm_exporter_part_fresh{part="jobs"}' 1
    kill "$(child_of $!)"
    wait $! || true
    sed -i '/^SlurmctldPort=/d' "$HEAD_ROOT/etc/slurm/slurm.conf"
    service head start slurmctld
    wait_until 30 is_ready main
}

@test "what a user may not see is left out, the rest is served" {
    slurm_conf_add <<<'PrivateData=reservations,usage,users,accounts,events'
    exporter_start_ready private --user nobody
    is_ready private
    cycle private
    [[ $(page private /metrics) == *slurm_partition_cpus_total* ]]
    # The collector is not replaced in vain.
    [[ $(value private 'slurm_exporter_collector_ends_total{cause="renewed"}') == 0 ]]
    sed -i '/^PrivateData=/d' "$HEAD_ROOT/etc/slurm/slurm.conf"
}

# --- the clock ------------------------------------------------------------------------

# clock_set SECONDS: sets the clock of what runs under it off by so many.
clock_set() {
    echo "$1" >"$HEAD_ROOT/tmp/clock.new"
    mv "$HEAD_ROOT/tmp/clock.new" "$HEAD_ROOT/tmp/clock"
}

@test "the clock of head and exporter set back by an hour, and forth: unharmed" {
    local daemon
    local -a jobs=()
    cc -shared -fPIC -O1 -o "$HEAD_ROOT/tmp/clock.so" "$SCENARIO_TOOLS/clock.c"
    export EXPORTER_ENV='LD_PRELOAD=/tmp/clock.so CLOCK_FILE=/tmp/clock'
    clock_set 0
    # With slurmd, which refuses credentials that are an hour old.
    service head stop slurmd slurmctld
    for daemon in slurmctld slurmd; do
        # shellcheck disable=SC2086
        background "$BATS_TEST_TMPDIR/$daemon.log" \
            "$SCENARIO_SOURCE/lab/on" head env $EXPORTER_ENV "$daemon" -D
    done
    wait_until 20 slurmctld_answers
    exporter_start_ready clock --stale-after 3s
    cycle clock
    held_is() { has_value clock slurm_jobs_held "$1"; }
    held_submit() {
        jobs+=("$(on head sbatch --parsable -o /dev/null --hold --wrap true)")
    }
    held_submit
    wait_until 5 held_is 1

    clock_set -3600
    held_submit
    wait_until 5 held_is 2
    answers_fast clock 30
    is_ready clock
    age=$(value clock 'slurm_exporter_part_age_seconds{part="nodes"}')
    [[ $(bc <<<"$age >= 0 && $age < 3") == 1 ]]
    runs=$(value clock 'slurm_job_run_time_seconds_count{partition="all"}' || echo 0)
    on head timeout 20 srun -w head true
    run_counted() {
        has_value clock 'slurm_job_run_time_seconds_count{partition="all"}' $((runs + 1))
    }
    wait_until 10 run_counted

    clock_set 3600
    held_submit
    wait_until 5 held_is 3
    is_ready clock
    [[ $(value clock 'slurm_exporter_collector_ends_total{cause="killed"}') == 0 ]]
    on head scancel "${jobs[@]}"
}

@test "after all of that the exporter has not grown" {
    local before after
    read -r -a before <"$BATS_FILE_TMPDIR/main.usage"
    read -r -a after <<<"$(usage main)"
    echo "${before[*]} -> ${after[*]} descriptors and KiB"
    ((after[0] <= before[0] + 1 && after[1] <= before[1] + 4096))
}
