# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the scenario tests of the exporter share: a lab for each file, exporters
# started on its head, looking at their pages, waiting.
#
# A test file has one lab, made in setup_file by scenario_begin and ended in
# teardown_file by scenario_end. The environment says with what:
#   LAB_ROOT                another system's tree for the hosts (lab/root), for
#                           another Slurm; the programs are those built for it
#   GPU_WATCHDOG_BUILD      where the programs were built, for example with
#                           sanitizers; what those find fails the test it was in
# Clients run on this machine in the network of the head (nsenter -n), so that no
# forwarder stands between them and the exporter, whatever LAB_ROOT is.

bats_require_minimum_version 1.5.0

SCENARIO_SOURCE=$(cd "$BATS_TEST_DIRNAME/../.." && pwd -P)
SCENARIO_TOOLS=$BATS_TEST_DIRNAME/tools

# --- the lab --------------------------------------------------------------------

# scenario_begin [START-OPTION...]: a cluster that was there before us, whose services
# can be stopped one by one.
scenario_begin() {
    local name=${BATS_TEST_FILENAME##*/}
    export GPU_WATCHDOG_LAB="${name%.bats}-$$"
    export LAB_DIR="${GPU_WATCHDOG_LAB_BASE:-/run/gpu-watchdog-lab}/$GPU_WATCHDOG_LAB"
    export PATH="$SCENARIO_SOURCE/lab:$PATH"
    export HEAD_ROOT="$LAB_DIR/hosts/head/root"
    mkdir "$BATS_FILE_TMPDIR/exporters"
    echo 9400 >"$BATS_FILE_TMPDIR/exporters/port"
    [[ -z ${GPU_WATCHDOG_BUILD-} ]] || set -- --build "$GPU_WATCHDOG_BUILD" "$@"
    [[ -z ${LAB_ROOT-} ]] || set -- --root "$LAB_ROOT" "$@"
    "$SCENARIO_SOURCE/start" --name "$GPU_WATCHDOG_LAB" --by-hand --detach \
        --port-base 0 "$@" 3>&-
    service head stop exporter
    HEAD_PID=$(pid head)
    export HEAD_PID
    SLURM_VERSION=$(on head sinfo --version)
    [[ $SLURM_VERSION =~ ([0-9]+)\.([0-9]+) ]]
    export SLURM_VERSION=${BASH_REMATCH[1]}${BASH_REMATCH[2]}
}

scenario_end() {
    "$SCENARIO_SOURCE/start" --name "$GPU_WATCHDOG_LAB" --stop 3>&-
}

# Adds what is on standard input to slurm.conf and starts slurmctld anew with it.
slurm_conf_add() {
    cat >>"$HEAD_ROOT/etc/slurm/slurm.conf"
    service head restart slurmctld
}

slurmctld_answers() {
    on head timeout 2 scontrol ping 2>/dev/null | grep -q 'UP'
}

# --- waiting and measuring ------------------------------------------------------

now_ms() {
    local us=${EPOCHREALTIME/[.,]/}
    echo $((us / 1000))
}

# wait_until SECONDS COMMAND...
wait_until() {
    local begun_ms now_ms end_ms
    begun_ms=$(now_ms)
    end_ms=$((begun_ms + $1 * 1000))
    shift
    until "$@"; do
        now_ms=$(now_ms)
        ((now_ms < end_ms)) || {
            echo "not within the time: $*" >&2
            return 1
        }
        # What is not there soon takes long: it is not asked for all the time.
        if ((now_ms < begun_ms + 2000)); then
            sleep 0.05
        elif ((now_ms < begun_ms + 6000)); then
            sleep 0.4
        else
            sleep 0.8
        fi
    done
}

not() {
    ! "$@"
}

# --- exporters ------------------------------------------------------------------

# Runs a command of this machine in the network of the head.
at_head() {
    nsenter --target "$HEAD_PID" --net -- "$@"
}

# Runs a command in the background until the test ends; its output goes to FILE.
# BACKGROUND is its pid.
background() {
    local file=$1
    shift
    "$@" >"$file" 2>&1 3>&- &
    BACKGROUND=$!
    echo "$BACKGROUND" >>"$BATS_TEST_TMPDIR/background"
}

at_head_background() {
    local file=$1
    shift
    background "$file" nsenter --target "$HEAD_PID" --net -- "$@"
}

background_stop() {
    local pid
    [[ -e $BATS_TEST_TMPDIR/background ]] || return 0
    while read -r pid; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done <"$BATS_TEST_TMPDIR/background"
    rm "$BATS_TEST_TMPDIR/background"
}

# The only child of process $1.
child_of() {
    pgrep --parent "$1"
}

# exporter_spawn NAME [OPTION...]: starts an exporter on the head, on a port of its
# own, without waiting. EXPORTER_ENV and EXPORTER_COMMAND may say how.
exporter_spawn() {
    local name=$1 dir=$BATS_FILE_TMPDIR/exporters port
    local -a options command=(gpu-watchdog exporter)
    shift
    read -r port <"$dir/port"
    echo $((port + 1)) >"$dir/port"
    echo "$port" >"$dir/$name.port"
    options=(--listen "127.0.0.1:$port" --interval 1s --slow-interval 1s)
    if [[ ${EXPORTER_COMMAND-} ]]; then
        read -r -a command <<<"$EXPORTER_COMMAND"
        options=("${command[@]:1}" "127.0.0.1:$port")
        command=("${command[0]}")
    fi
    # A sanitizer's report must not be taken for the collector's complaint.
    # shellcheck disable=SC2086
    on head env \
        ASAN_OPTIONS=log_path=/tmp/sanitizer:verify_asan_link_order=0:quarantine_size_mb=1 \
        UBSAN_OPTIONS=log_path=/tmp/sanitizer:print_stacktrace=1:halt_on_error=1 \
        ${EXPORTER_ENV-} "${command[@]}" "${options[@]}" "$@" \
        >"$dir/$name.log" 2>&1 3>&- &
    echo $! >"$dir/$name.on"
}

# exporter_start NAME [OPTION...]: as exporter_spawn, and serves when it returns.
exporter_start() {
    exporter_spawn "$@"
    wait_until 20 page "$1" /healthz >/dev/null || {
        exporter_log "$1"
        return 1
    }
}

# ... and has seen the whole cluster.
exporter_start_ready() {
    exporter_start "$@"
    wait_until 20 page "$1" /readyz >/dev/null || {
        exporter_log "$1"
        return 1
    }
}

exporter_port() {
    cat "$BATS_FILE_TMPDIR/exporters/$1.port"
}

exporter_log() {
    cat "$BATS_FILE_TMPDIR/exporters/$1.log"
}

# The pid on this machine of exporter NAME, and of its collector.
exporter_pid() {
    child_of "$(<"$BATS_FILE_TMPDIR/exporters/$1.on")"
}

collector_pid() {
    child_of "$(exporter_pid "$1")"
}

# Open descriptors and resident KiB of an exporter.
usage() {
    local pid
    pid=$(exporter_pid "$1")
    echo "$(find "/proc/$pid/fd" -mindepth 1 | wc -l)" \
        "$(awk '/^VmRSS:/ { print $2 }' "/proc/$pid/status")"
}

# Asks an exporter to end, and returns when it has ended; with its exit code when
# it was started by the same test (wait knows no children of another shell).
exporter_stop() {
    local record=$BATS_FILE_TMPDIR/exporters/$1.on on pid status=0
    read -r on <"$record"
    rm "$record"
    ! pid=$(child_of "$on" 2>/dev/null) || kill "$pid" || true
    wait "$on" 2>/dev/null || status=$?
    ((status == 127)) || return "$status"
    wait_until 5 not kill -0 "$on" 2>/dev/null
}

# exporters_stop [NAME]: stops all exporters, or all but one.
exporters_stop() {
    local record name
    for record in "$BATS_FILE_TMPDIR"/exporters/*.on; do
        name=$(basename "$record" .on)
        [[ ! -e $record || $name == "${1-}" ]] || exporter_stop "$name" || true
    done
}

# The reports of sanitizers since the last call; fails when there are any.
sanitizer_quiet() {
    local report quiet=yes
    for report in "$HEAD_ROOT"/tmp/sanitizer.*; do
        [[ -e $report ]] || continue
        cat "$report"
        rm "$report"
        quiet=no
    done
    [[ $quiet == yes ]]
}

# --- pages ------------------------------------------------------------------------

exporter_url() {
    echo "http://127.0.0.1:$(exporter_port "$1")$2"
}

# page NAME PATH [CURL-OPTION...]: prints a page of exporter NAME.
page() {
    local url
    url=$(exporter_url "$1" "$2")
    shift 2
    at_head curl --silent --fail --globoff --max-time 10 "$@" "$url"
}

# value NAME SERIES [PATH]: prints the value of one series, as it stands before the
# blank, labels included; fails when it is not there.
value() {
    page "$1" "${3:-/metrics}" | SERIES="$2 " awk '
        index($0, ENVIRON["SERIES"]) == 1 {
            print $NF
            found = 1
        }
        END { exit !found }'
}

has_value() {
    [[ $(value "$1" "$2" "${4-}") == "$3" ]]
}

# Names of the series of a page on standard input, each once.
names() {
    sed -n 's/^\([a-z_0-9]*\)[{ ].*/\1/p' | sort -u
}

# cycle NAME: returns when a cycle that began after the call has been published.
cycle() {
    local pid begun
    pid=$(exporter_pid "$1")
    begun=$(value "$1" slurm_exporter_cycles_total)
    kill -HUP "$pid"
    more_cycles() {
        (($(value "$1" slurm_exporter_cycles_total) >= begun + $2))
    }
    wait_until 15 more_cycles "$1" 1
    kill -HUP "$pid"
    wait_until 15 more_cycles "$1" 2
}

# answers_fast NAME [COUNT [OPTION...]]: COUNT requests, each answered within 100 ms,
# with options of tools/latency.py.
answers_fast() {
    local name=$1 count=${2:-50}
    shift $(($# > 1 ? 2 : 1))
    at_head python3 "$SCENARIO_TOOLS/latency.py" "$@" "$(exporter_port "$name")" \
        "$(exporter_pid "$name")" "$count"
}
