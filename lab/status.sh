# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Shows what a running lab consists of, to people or, as JSON, to programs. Needs
# lib.sh and the settings of the lab.

# What a port of the head is for.
port_purpose() {
    case $1 in
        8080) echo 'dashboard      http://127.0.0.1:%d/' ;;
        9341) echo 'Slurm metrics  http://127.0.0.1:%d/metrics' ;;
        9400) echo 'GPU metrics    http://127.0.0.1:%d/metrics' ;;
        *) echo "port $1      127.0.0.1:%d" ;;
    esac
}

# Prints "LOCAL=REMOTE" of every forwarded port.
status_forwards() {
    grep '=' "$LAB_DIR/forward/ports" 2>/dev/null || true
}

# Prints "HOST LOCAL" of every worker whose GPU metrics are forwarded.
status_gpu_forwards() {
    local host port
    for host in $(lab_hosts); do
        port=$(sed -n 's/=9400$//p' "$LAB_DIR/forward-$host/ports" 2>/dev/null) ||
            continue
        echo "$host $port"
    done
}

# Bare hosts have none until somebody makes a cluster of them.
status_slurm_version() {
    cat "$LAB_DIR/hosts/head/root/run/lab/slurm-version" 2>/dev/null || true
}

# Prints "on" or "off".
status_host() {
    if process_gone "$LAB_DIR/hosts/$1/init"; then
        echo off
    else
        echo on
    fi
}

# show_status text | json
show_status() {
    "show_status_$1"
}

show_status_text() {
    local name_option='' forward host line port
    [[ $LAB_NAME == main ]] || name_option=" --name $LAB_NAME"
    local what='bare hosts' command='gpu-watchdog head'
    [[ $LAB_BARE == yes ]] || what="Slurm $(status_slurm_version)" command=squeue
    printf "\nlab '%s': %s, %s\n" "$LAB_NAME" "$what" \
        "$((LAB_WORKERS * LAB_GPUS)) simulated GPUs"
    for host in $(lab_hosts); do
        line="  $(printf '%-9s' "$host")$(host_address "$host")"
        [[ $(status_host "$host") == on ]] || line+='  off'
        echo "$line"
    done
    for forward in $(status_forwards); do
        # shellcheck disable=SC2059
        printf "  $(port_purpose "${forward#*=}")\n" "${forward%=*}"
    done
    while read -r host port; do
        echo "  GPU metrics    http://127.0.0.1:$port/metrics of $host"
    done < <(status_gpu_forwards)
    echo "  commands       lab/on$name_option head $command"
    echo "  end            ./start --stop$name_option"
}

# A path as a JSON string.
json_string() {
    local text=${1//\\/\\\\}
    printf '"%s"' "${text//\"/\\\"}"
}

show_status_json() {
    local forward host port separator=''
    printf '{"name": "%s", "running": true, "slurm": "%s", "root": %s, ' \
        "$LAB_NAME" "$(status_slurm_version)" "$(json_string "${LAB_ROOT:-/}")"
    printf '"directory": %s, "accounting": %s, "simulated_gpus_per_worker": %d, ' \
        "$(json_string "$LAB_DIR")" \
        "$([[ $LAB_ACCOUNTING == yes ]] && echo true || echo false)" "$LAB_GPUS"
    printf '"hosts": ['
    for host in $(lab_hosts); do
        printf '%s{"name": "%s", "address": "%s", "power": "%s"}' "$separator" \
            "$host" "$(host_address "$host")" "$(status_host "$host")"
        separator=', '
    done
    separator=''
    printf '], "forwards": ['
    for forward in $(status_forwards); do
        printf '%s{"address": "127.0.0.1:%d", "head_port": %d}' "$separator" \
            "${forward%=*}" "${forward#*=}"
        separator=', '
    done
    separator=''
    printf '], "gpu_metrics": ['
    while read -r host port; do
        printf '%s{"host": "%s", "address": "127.0.0.1:%d"}' "$separator" "$host" \
            "$port"
        separator=', '
    done < <(status_gpu_forwards)
    printf ']}\n'
}

show_not_running() {
    if [[ $1 == json ]]; then
        printf '{"name": "%s", "running": false}\n' "$LAB_NAME"
    else
        echo "no lab '$LAB_NAME' is running"
    fi
}
