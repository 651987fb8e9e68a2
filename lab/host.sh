# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Makes and ends hosts. A host is a set of namespaces (pid, mount, uts, ipc, net)
# around a directory tree: /usr and the source tree come read-only from the
# machine (or from LAB_ROOT, another system's tree), everything else is its own.
#
# The tree lies in LAB_DIR, so logs and configuration can be read, and edited,
# from outside; the mounts exist only inside the host. What happens on a host
# once it is up is the business of host-init and services.

# One fstab line; mount(8) wants blanks in paths written in octal.
fstab_line() {
    echo "${1// /\\040} ${2// /\\040} $3 $4,X-mount.mkdir 0 0"
}

# Writes the list of everything that is mounted on a host.
host_write_fstab() {
    local dir=$1 root=$1/root path
    fstab_line "$root" "$root" none bind
    fstab_line "${LAB_ROOT:-}/usr" "$root/usr" none rbind,ro
    fstab_line "${LAB_ROOT:-}/etc" "$root/.etc" none bind,ro
    for path in bin sbin lib lib32 lib64 libx32 opt; do
        if [[ -d $LAB_ROOT/$path && ! -L $LAB_ROOT/$path ]]; then
            fstab_line "$LAB_ROOT/$path" "$root/$path" none rbind,ro
        fi
    done
    fstab_line proc "$root/proc" proc nosuid,nodev,noexec
    fstab_line sysfs "$root/sys" sysfs ro,nosuid,nodev,noexec
    for path in null zero full random urandom tty; do
        fstab_line "/dev/$path" "$root/dev/$path" none bind
    done
    fstab_line devpts "$root/dev/pts" devpts newinstance,ptmxmode=0666,mode=0620,gid=5
    fstab_line tmpfs "$root/dev/shm" tmpfs nosuid,nodev,mode=1777
    fstab_line "$LAB_DIR/home" "$root/home" none bind
    fstab_line "$LAB_SOURCE" "$root$LAB_SOURCE" none rbind,ro
    [[ $LAB_BUILD == "$LAB_SOURCE"/* || ! -d $LAB_BUILD ]] ||
        fstab_line "$LAB_BUILD" "$root$LAB_BUILD" none rbind,ro
}

# Where the device files of the GPUs will be. The GPUs are simulated: each file is
# the null device under another name, since slurmd hands out only what is a device;
# the scheduling of them is real.
host_write_gpus() {
    local i
    for ((i = 0; i < LAB_GPUS; i++)); do
        touch "$1/root/dev/nvidia$i"
        fstab_line /dev/null "$1/root/dev/nvidia$i" none bind
    done
}

# Puts the simulated driver (lab/nvml) where the host finds it as it would NVIDIA's,
# by a line of its own for ldconfig(8), which host-init runs: /usr is the machine's,
# and stays as it is. Nothing is put where nobody has built it.
host_write_driver() {
    local root=$1/root library=$LAB_BUILD/lab/nvml/libnvidia-ml.so.1
    local driver=/var/lib/gpu-simulated aux=/var/cache/ldconfig/aux-cache
    [[ -e $library ]] || return 0
    install -D -m 644 "$library" "$root$driver/libnvidia-ml.so.1"
    rm -f "$root/etc/ld.so.conf" "$root/etc/ld.so.cache"
    printf '%s\n' "$driver" 'include /etc/ld.so.conf.d/*.conf' \
        >"$root/etc/ld.so.conf"
    # What ldconfig knows of the machine's libraries spares it to read them all.
    [[ -n $LAB_ROOT || ! -r $aux ]] || install -D -m 600 "$aux" "$root$aux"
    : >"$root/dev/kmsg"
    # Often enough to see one's own jobs come and go.
    echo 'collect_interval: 1000' >"$root/etc/gpu-watchdog/gpu-exporter.yaml"
}

# What the simulated driver is told of its machine (lab/README.md), anew whenever
# that is switched on.
host_write_scenario() {
    local dir=$1/root/run/gpu-simulated i
    install -d "$dir"
    install -d -m 1777 "$dir/use"
    {
        echo "machine $LAB_NAME-${1##*/}"
        echo "since-ms $(now_ms)"
        for ((i = 0; i < LAB_GPUS; i++)); do
            echo "gpu $i model $LAB_GPU_TYPE"
        done
    } >"$dir/scenario"
    : >"$dir/events"
}

# Lays out the tree of host NAME in LAB_DIR/hosts/NAME, ready to be started.
host_prepare() {
    local name=$1 dir=$LAB_DIR/hosts/$1
    mkdir -p "$dir"
    cp -a "$LAB_DIR/template" "$dir/root"
    echo "$name" >"$dir/root/etc/hostname"
    host_write_fstab "$dir" >"$dir/fstab"
    [[ $name != head ]] || return 0
    host_write_gpus "$dir" >>"$dir/fstab"
    host_write_driver "$dir"
}

# Starts the first process of host NAME and plugs its cable into the switch.
# Returns as soon as the host has begun to boot.
host_start() {
    local name=$1 dir=$LAB_DIR/hosts/$1
    rm -rf "$dir/init" "$dir/root/run"
    mkdir -p "$dir/root/run/lab"
    cp "$LAB_DIR/settings" "$dir/root/run/lab/settings"
    [[ $name == head ]] || host_write_scenario "$dir"
    # The first child after unshare --pid is pid 1 of the new namespace.
    # shellcheck disable=SC2016
    spawn "$dir/log" unshare --mount --uts --ipc --net --pid -- \
        bash -c '"$@" &' unshare "$LAB_SOURCE/lab/host-init" "$LAB_DIR" "$name"
    wait_for 10 test -s "$dir/init" ||
        fail "host $name does not start" "$(tail -n 3 "$dir/log")"
    switch_plug "$name"
}

# Has the host finished booting, or died of it?
host_settled() {
    [[ -s $LAB_DIR/hosts/$1/root/run/lab/booted ]] ||
        process_gone "$LAB_DIR/hosts/$1/init"
}

# Waits until host NAME has booted; shows why when it has not.
host_wait() {
    local name=$1 dir=$LAB_DIR/hosts/$1 status=''
    wait_for 60 host_settled "$name" || true
    read -r status 2>/dev/null <"$dir/root/run/lab/booted" || true
    [[ $status == 0 ]] ||
        fail "host $name did not boot" "$(tail -n 5 "$dir/log")"
}

# host_exec USER HOST COMMAND...: becomes a command on a host, run by USER in their
# home. Who kills us kills the command: it gets SIGTERM when we die.
host_exec() {
    local user=$1 name=$2 dir entry pid home
    local -a fields env
    shift 2
    dir=$(host_dir "$name")
    pid=$(process_pid "$dir/init") || fail "host $name is off"
    entry=$(grep "^$user:" "$dir/root/etc/passwd") ||
        fail "host $name has no user '$user'"
    IFS=: read -r -a fields <<<"$entry"
    home=${fields[5]}
    [[ $home == /root || $home == /home/* ]] || home=/
    env=(PATH="$LAB_PATH" TERM="${TERM:-dumb}" LANG=C.UTF-8 USER="$user"
        LOGNAME="$user" HOME="$home" SHELL=/bin/bash)
    [[ -z ${NO_COLOR-} ]] || env+=(NO_COLOR="$NO_COLOR")
    # Its root has to be named: that of the mount namespace is another one if the lab
    # was started in a chroot.
    PATH=$LAB_PATH exec nsenter --target "$pid" --mount --uts --ipc --net --pid \
        --root --wd -- \
        setpriv --reuid="$user" --regid="${fields[3]}" --init-groups \
        --pdeathsig TERM -- env -i -C "$home" "${env[@]}" "$@"
}

# --- the switch ----------------------------------------------------------------
#
# A network namespace of its own holds the bridge that joins the hosts, so that no
# interface, address or route of the machine is involved, and the network stays up
# when the head goes down.

switch_start() {
    local dir=$LAB_DIR/switch
    mkdir -p "$dir"
    spawn "$dir/log" unshare --net -- "$LAB_SOURCE/lab/switch-init" "$LAB_DIR"
    disown
    wait_for 10 test -s "$dir/init" ||
        fail "the switch does not start" "$(tail -n 3 "$dir/log")"
}

# Lays a cable from the switch to host NAME's eth0.
switch_plug() {
    local name=$1 switch host
    switch=$(process_pid "$LAB_DIR/switch/init") || fail 'the switch is off'
    host=$(process_pid "$LAB_DIR/hosts/$name/init") || fail "host $name is off"
    # The kernel keeps the network of a host that was switched off, and with it the
    # end of the old cable, while a connection of its waits for a last answer.
    nsenter --target "$switch" --net -- ip link del dev "$name" 2>/dev/null || true
    nsenter --target "$switch" --net -- ip -batch - <<EOF
link add name $name type veth peer name eth0 netns $host
link set dev $name master switch up
EOF
}
