# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Makes and ends a whole lab: template, switch, hosts, forwarded ports. Needs
# lib.sh, template.sh, host.sh and the settings. Proving that the cluster works is
# the business of ./start.

# --- one at a time ----------------------------------------------------------------

# Makes others wait who want to start or end the same lab. What we start in the
# meantime holds the lock too, so that a start that was killed is over when the lock
# is free; hosts give it up.
lab_lock() {
    local file=$LAB_BASE/$LAB_NAME.lock
    mkdir -p "$LAB_BASE"
    while :; do
        exec {LOCK_FD}>"$file"
        flock --nonblock "$LOCK_FD" || {
            echo "waiting for another start or stop of lab '$LAB_NAME'"
            flock --timeout 600 "$LOCK_FD" || fail 'it takes too long'
        }
        # Whoever held it may have removed it.
        [[ ! /proc/self/fd/$LOCK_FD -ef $file ]] || return 0
        exec {LOCK_FD}>&-
    done
}

lab_unlock() {
    exec {LOCK_FD}>&-
}

# --- the whole ----------------------------------------------------------------------

# Makes everything and returns when all hosts have booted.
cluster_start() {
    local host
    mkdir -p "$LAB_DIR/hosts" "$LAB_DIR/home"
    settings_write >"$LAB_DIR/settings"
    template_make
    switch_start
    for host in $(lab_hosts); do
        progress "starting $host"
        host_prepare "$host"
        host_start "$host"
        forward_start "$host"
    done
    for host in $(lab_hosts); do
        progress "waiting for $host to boot"
        host_wait "$host"
        [[ $host != head || $LAB_BY_HAND$LAB_BARE != nono ]] || tokens_hand_out
    done
}

# What a person would do: takes the line that the head prints, and gives it to each
# worker.
tokens_hand_out() {
    local host line
    line=$(host_exec root head gpu-watchdog token create --uses "$LAB_WORKERS" \
        2>/dev/null)
    for host in $(lab_hosts); do
        [[ $host == head ]] ||
            (umask 077 && echo "$line" >"$LAB_DIR/hosts/$host/root/run/lab/join-line")
    done
}

# Ends whatever of a lab there is, however little or broken, and removes its
# directory.
cluster_stop() {
    local record
    local -a records
    [[ -d $LAB_DIR ]] || return 0
    rm -f "$LAB_DIR/settings"
    mapfile -t records < <(find "$LAB_DIR" -maxdepth 3 -name init -type f)
    for record in "${records[@]}"; do
        process_signal KILL "$record"
    done
    for record in "${records[@]}"; do
        wait_for 10 process_gone "$record" ||
            fail "process $(process_pid "$record") of $record does not die"
    done
    rm -rf --one-file-system "$LAB_DIR"
}

# Ends a lab and all memory of it; needs the lock.
cluster_remove() {
    cluster_stop
    rm -f "$LAB_BASE/$LAB_NAME.lock"
    rmdir --ignore-fail-on-non-empty "$LAB_BASE"
}

# Hosts may be off; the switch runs for as long as the lab does.
cluster_is_running() {
    [[ -r $LAB_DIR/ready ]] && process_pid "$LAB_DIR/switch/init" >/dev/null
}

# --- ports of hosts on the machine ----------------------------------------------

# Where the forwarded ports of host $1 are remembered.
forward_dir() {
    case $1 in
        head) echo "$LAB_DIR/forward" ;;
        *) echo "$LAB_DIR/forward-$1" ;;
    esac
}

# Prints what is to be forwarded to host $1, as LOCAL=REMOTE ...: of workers the
# metrics of their GPUs, where the program for that has been built.
forward_wanted() {
    if [[ $1 == head ]]; then
        echo "$LAB_FORWARDS"
    elif [[ $LAB_GPU_PORT != no && -x $LAB_BUILD/src/exporter/gpu-exporter ]]; then
        echo "$((LAB_GPU_PORT == 0 ? 0 : LAB_GPU_PORT + ${1#worker} - 1))=9400"
    fi
}

# Makes the ports of host $1 answer on 127.0.0.1; a LOCAL of 0 is any free one. Its
# file "ports" tells which they have become, and they stay the same when the host is
# switched off and on.
forward_start() {
    local dir init
    local -a forwards
    dir=$(forward_dir "$1")
    if [[ -e $dir/ports ]]; then
        mapfile -t forwards < <(grep '=' "$dir/ports")
    else
        read -r -a forwards < <(forward_wanted "$1") || true
    fi
    ((${#forwards[@]} > 0)) || return 0
    init=$(process_pid "$LAB_DIR/hosts/$1/init") || fail "host $1 is off"
    mkdir -p "$dir"
    : >"$dir/ports"
    spawn "$dir/ports" "$LAB_FORWARD" "/proc/$init/ns/net" "${forwards[@]}"
    process_record "$dir/init" $! || true
    disown
    wait_for 10 forward_settled "$dir" || true
    grep -qx ready "$dir/ports" ||
        fail "cannot forward ports: $(tail -n 1 "$dir/ports")" \
            "./start --port-base 0 takes ports that are free"
}

forward_settled() {
    grep -qx ready "$1/ports" || process_gone "$1/init"
}

forward_stop() {
    local dir
    dir=$(forward_dir "$1")
    [[ -e $dir/init ]] || return 0
    process_signal KILL "$dir/init"
    wait_for 10 process_gone "$dir/init"
}
