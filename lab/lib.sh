# shellcheck shell=bash disable=SC2034 # some are used elsewhere
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What every script of the lab shares: names and paths, messages, and processes
# that are remembered by pid and start time.
#
# A lab lives in one directory, LAB_DIR, and nothing of it is anywhere else; the
# layout is in README.md. Sourced, never run. It starts nothing by itself.

# Users of a lab's hosts have to get at what root makes here.
umask 022

LAB_SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
LAB_BASE=${GPU_WATCHDOG_LAB_BASE:-/run/gpu-watchdog-lab}

# The lab's own program; made for this machine, whatever system the hosts run.
LAB_FORWARD=$LAB_SOURCE/build/lab/lab-forward

# Workers are numbered from 1; a real switch would have ports left, a cluster for
# trying things out has no use for more.
LAB_WORKERS_MAX=16

fail() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    shift
    (($# == 0)) || printf '  %s\n' "$@" >&2
    exit 1
}

fail_usage() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    printf "  '%s --help' lists what can be said\n" "${0##*/}" >&2
    exit 2
}

# Prints the note at the top of the running script as its help text.
show_help() {
    sed -n '3,/^$/{s/^# \{0,1\}//;p}' "$0"
}

# Sets LAB_NAME and LAB_DIR. Names end up in paths and interface lists.
lab_select() {
    LAB_NAME=$1
    [[ $LAB_NAME =~ ^[a-z0-9][a-z0-9-]{0,30}$ ]] ||
        fail_usage "'$LAB_NAME' is no name for a lab (a-z, 0-9 and -, at most 31)"
    LAB_DIR=$LAB_BASE/$LAB_NAME
}

# Reads the settings a running lab was started with.
lab_open() {
    if [[ ! -r $LAB_DIR/settings ]]; then
        fail "no lab '$LAB_NAME' is running on this machine" \
            "./start --detach$([[ $LAB_NAME == main ]] || echo " --name $LAB_NAME") starts it"
    fi
    # shellcheck source=/dev/null
    . "$LAB_DIR/settings"
}

# Names of all hosts of a lab, the head first.
lab_hosts() {
    local i
    echo head
    for ((i = 1; i <= LAB_WORKERS; i++)); do
        echo "worker$i"
    done
}

# Directory of a host; refuses names that are none.
host_dir() {
    [[ $1 =~ ^[a-z0-9]+$ && -d $LAB_DIR/hosts/$1 ]] ||
        fail "lab '$LAB_NAME' has no host '$1'" "its hosts: $(lab_hosts | xargs)"
    echo "$LAB_DIR/hosts/$1"
}

host_address() {
    case $1 in
        head) echo 10.77.0.1 ;;
        worker*) echo "10.77.0.$((10 + ${1#worker}))" ;;
    esac
}

# --- waiting -----------------------------------------------------------------

# Sleeps 20 ms without starting a process: nobody ever writes to this pipe.
exec {PAUSE_FD}<> <(:)
pause() {
    read -r -t 0.02 -u "$PAUSE_FD" || true
}

now_ms() {
    local us=${EPOCHREALTIME/[.,]/}
    echo $((us / 1000))
}

# wait_for SECONDS COMMAND...: polls until COMMAND succeeds; 1 when time is up.
wait_for() {
    local deadline_ms=$(($(now_ms) + $1 * 1000))
    shift
    until "$@"; do
        (($(now_ms) < deadline_ms)) || return 1
        pause
    done
}

# --- processes that stay -------------------------------------------------------

# Closes what this shell has inherited or opened itself, except for the standard
# three and the script that it reads (255).
descriptors_close() {
    local fd
    for fd in /proc/self/fd/*; do
        fd=${fd##*/}
        ((fd <= 2 || fd == 255)) || eval "exec $fd>&-"
    done
}

# spawn LOG COMMAND...: starts a process that outlives us, as $!. It holds nothing of
# ours open (else who reads our output would wait for its end), has a session of its
# own, and does not ignore SIGINT, as children of a script's background would.
spawn() {
    local log=$1
    shift
    (
        descriptors_close
        exec setsid -- env --default-signal "$@" </dev/null >>"$log" 2>&1
    ) &
}

# --- processes remembered in files -------------------------------------------
#
# A record is one line, "PID START", START being the process's start time in clock
# ticks since boot. The pair names one process for as long as the machine is up,
# so that a pid used again by a stranger is never taken for ours.

# Prints "STATE START" of a process, fails when there is none.
process_stat() {
    local stat fields
    read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
    read -r -a fields <<<"${stat##*) }"
    echo "${fields[0]} ${fields[19]}"
}

# Remembers process PID in FILE.
process_record() {
    local stat
    stat=$(process_stat "$2") || return 1
    echo "$2 ${stat#* }" >"$1"
}

# Prints the pid of a record when its process lives; a zombie does not.
process_pid() {
    local pid start stat
    read -r pid start 2>/dev/null <"$1" || return 1
    stat=$(process_stat "$pid") || return 1
    [[ ${stat#* } == "$start" && ${stat%% *} != [ZX] ]] || return 1
    echo "$pid"
}

process_gone() {
    ! process_pid "$1" >/dev/null
}

# Sends a signal to a recorded process if it lives.
process_signal() {
    local pid
    pid=$(process_pid "$2") || return 0
    kill "-$1" "$pid" 2>/dev/null || true
}
