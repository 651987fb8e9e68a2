# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Makes and ends a whole lab: common files, switch, hosts. Needs lib.sh and
# host.sh. Proving that the cluster works is the business of ./start.

LAB_USER=user
LAB_USER_UID=20001

# What every script of this lab has to know, inside and outside of the hosts.
cluster_write_settings() {
    local dynamic=yes
    local name
    for name in LAB_NAME LAB_SOURCE LAB_BUILD LAB_ROOT LAB_WORKERS LAB_GPUS \
        LAB_GPU_TYPE LAB_PATH LAB_NODE; do
        printf '%s=%q\n' "$name" "${!name}"
    done
    echo "LAB_DYNAMIC=$dynamic"
}

# Adds a system user to the copies of passwd and group unless it is there.
cluster_add_user() {
    local name=$1 uid=$2 home=$3 shell=$4
    grep -q "^$name:" "$LAB_DIR/common/passwd" ||
        echo "$name:x:$uid:$uid::$home:$shell" >>"$LAB_DIR/common/passwd"
    grep -q "^$name:" "$LAB_DIR/common/group" ||
        echo "$name:x:$uid:" >>"$LAB_DIR/common/group"
}

# The files of /etc that are the same on all hosts.
cluster_write_common() {
    local common=$LAB_DIR/common host
    mkdir -p "$common"
    cp "$LAB_ROOT"/etc/{passwd,group} "$common"
    cluster_add_user munge 20002 /nonexistent /usr/sbin/nologin
    cluster_add_user slurm 64030 /nonexistent /usr/sbin/nologin
    cluster_add_user "$LAB_USER" "$LAB_USER_UID" "/home/$LAB_USER" /bin/bash
    {
        echo 127.0.0.1 localhost
        for host in $(lab_hosts); do
            echo "$(host_address "$host") $host"
        done
    } >"$common/hosts"
    printf '%s: files\n' passwd group shadow hosts services >"$common/nsswitch.conf"
    : >"$common/resolv.conf"
    head -c 128 /dev/urandom >"$common/munge.key"
    chmod 600 "$common/munge.key"
    install -d -o "$LAB_USER_UID" -g "$LAB_USER_UID" "$LAB_DIR/home/$LAB_USER"
}

cluster_start() {
    local host
    mkdir -p "$LAB_DIR/hosts"
    chmod 700 "$LAB_DIR/hosts"
    cluster_write_settings >"$LAB_DIR/settings"
    cluster_write_common
    switch_start
    for host in $(lab_hosts); do
        host_prepare "$host"
        cp "$LAB_DIR/settings" "$LAB_DIR/hosts/$host/root/run/lab/settings"
        host_start "$host"
    done
    for host in $(lab_hosts); do
        host_wait "$host"
    done
}

cluster_stop() {
    local dir
    [[ -d $LAB_DIR ]] || return 0
    rm -f "$LAB_DIR/settings"
    for dir in "$LAB_DIR"/hosts/*/ "$LAB_DIR/switch/"; do
        [[ ! -e $dir/init ]] || process_kill "$dir/init"
    done
    rm -rf --one-file-system "$LAB_DIR"
}
