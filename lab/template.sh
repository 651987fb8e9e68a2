# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Makes LAB_DIR/template, the tree from which every host of a lab is copied: a
# Debian root without the parts that are mounted (host.sh says which). Needs lib.sh
# and the settings.

# Adds a system user to the copies of passwd and group unless it is there.
template_add_user() {
    local etc=$LAB_DIR/template/etc name=$1 uid=$2 home=$3 shell=$4
    grep -q "^$name:" "$etc/passwd" ||
        echo "$name:x:$uid:$uid::$home:$shell" >>"$etc/passwd"
    grep -q "^$name:" "$etc/group" || echo "$name:x:$uid:" >>"$etc/group"
}

template_write_hosts() {
    local host
    echo 127.0.0.1 localhost
    for host in $(lab_hosts); do
        echo "$(host_address "$host") $host"
    done
}

# /etc: what belongs to the lab are files, the rest points to the system's own /etc,
# which hosts have mounted read-only as /.etc.
template_write_etc() {
    local etc=$LAB_DIR/template/etc path user uid
    local -a links
    for path in "$LAB_ROOT"/etc/*; do
        case ${path##*/} in
            passwd | group | hosts | hostname | nsswitch.conf | resolv.conf) ;;
            shadow | gshadow | subuid | subgid | *- | .pwd.lock) ;;
            slurm | munge | gpu-watchdog) ;;
            *) links+=("/.etc/${path##*/}") ;;
        esac
    done
    ln -s -t "$etc" "${links[@]}"
    cp "$LAB_ROOT"/etc/{passwd,group} "$etc"
    # For useradd(8): nobody has a password.
    touch "$etc"/{subuid,subgid}
    (umask 077 && sed 's/:.*/:*:19000:0:99999:7:::/' "$etc/passwd" >"$etc/shadow")
    (umask 077 && sed 's/:.*/:*::/' "$etc/group" >"$etc/gshadow")
    template_add_user munge 20002 /nonexistent /usr/sbin/nologin
    template_add_user slurm 64030 /nonexistent /usr/sbin/nologin
    uid=$LAB_USERS_UID
    for user in $LAB_USERS; do
        template_add_user "$user" "$uid" "/home/$user" /bin/bash
        install -d -o "$uid" -g "$uid" "$LAB_DIR/home/$user"
        ((uid++))
    done
    template_write_hosts >"$etc/hosts"
    printf '%s: files\n' passwd group shadow hosts services protocols \
        >"$etc/nsswitch.conf"
    : >"$etc/resolv.conf"
    # One key for the cluster, made anew for each lab.
    [[ $LAB_BARE == yes ]] || (umask 077 && head -c 128 /dev/urandom >"$etc/munge/munge.key")
}

template_make() {
    local root=$LAB_DIR/template path
    mkdir -p "$root"/{dev,etc/{slurm,munge,gpu-watchdog},home,mnt,opt,root,srv,tmp} \
        "$root"/var/{cache,lib,log,spool,tmp}
    chmod 1777 "$root"/{tmp,var/tmp}
    chmod 700 "$root/root"
    ln -s /run "$root/var/run"
    ln -s /run/lock "$root/var/lock"
    for path in bin sbin lib lib32 lib64 libx32; do
        if [[ -L $LAB_ROOT/$path ]]; then
            cp -P "$LAB_ROOT/$path" "$root/$path"
        fi
    done
    touch "$root"/dev/{null,zero,full,random,urandom,tty}
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"
    ln -s fd/0 "$root/dev/stdin"
    ln -s fd/1 "$root/dev/stdout"
    ln -s fd/2 "$root/dev/stderr"
    template_write_etc
}
