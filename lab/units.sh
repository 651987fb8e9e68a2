# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Which services a host of the lab has, how each is run, when it is ready. Needs
# lib.sh and the settings; `services` does the work with it. A new service is a name
# in host_services, and a line each in unit_command and unit_ready.

read -r HOST </proc/sys/kernel/hostname
HEAD_ADDRESS=$(host_address head)

# The services of this host; each waits for what it needs (unit_prepare), so they
# are all started at once.
host_services() {
    local services=''
    [[ $LAB_BARE == no ]] || return 0
    case $LAB_BY_HAND-$HOST in
        no-head) services='head' ;;
        no-*) services='join' ;;
        yes-head) services=$(head_services) ;;
        yes-*) services='munged slurmd' ;;
    esac
    # In a cluster that head and join have made, they see to it.
    [[ $LAB_BY_HAND-$HOST != yes-worker* ]] ||
        ! program_path gpu-exporter >/dev/null || services+=' gpu-exporter'
    echo "$services"
}

head_services() {
    local -a services=(munged)
    [[ $LAB_ACCOUNTING == no ]] || services+=(mariadb slurmdbd)
    services+=(slurmctld slurmd)
    ! program_path gpu-watchdog >/dev/null || services+=(exporter)
    echo "${services[@]}"
}

# Sets COMMAND to what runs service $1 in the foreground.
unit_command() {
    case $1 in
        head) COMMAND=("$(program_path gpu-watchdog)" head --address "$HEAD_ADDRESS"
            --allow-actions) ;;
        join) COMMAND=("$(program_path gpu-watchdog)" join) ;;
        gpu-exporter) COMMAND=("$(program_path gpu-exporter)") ;;
        munged) COMMAND=(as munge munged --foreground) ;;
        mariadb) COMMAND=(as mysql mariadbd "${MARIADB_OPTIONS[@]}") ;;
        slurmdbd) COMMAND=(slurmdbd -D) ;;
        slurmctld) COMMAND=(slurmctld -D) ;;
        slurmd) slurmd_command ;;
        # Often enough to see one's own jobs come and go.
        exporter) COMMAND=("$(program_path gpu-watchdog)" exporter
            --listen 0.0.0.0:9341 --interval 1s) ;;
    esac
    [[ ${COMMAND[0]} != as ]] ||
        COMMAND=(setpriv --reuid="${COMMAND[1]}" --regid="${COMMAND[1]}"
            --init-groups -- "${COMMAND[@]:2}")
}

# The head is named in slurm.conf; workers come as they please (dynamic nodes)
# where this Slurm lets them.
slurmd_command() {
    COMMAND=(slurmd -D)
    [[ $HOST != head ]] || return 0
    COMMAND+=(--conf-server="$HEAD_ADDRESS:6817")
    ! slurm_has_dynamic_nodes || COMMAND+=(-Z -N "$HOST" --conf "$(node_conf)")
}

# Is service $1 ready to serve?
unit_ready() {
    case $1 in
        head | join) "$(program_path gpu-watchdog)" status >/dev/null 2>&1 ;;
        gpu-exporter) listening 9400 ;;
        munged) [[ -S /run/munge/munge.socket.2 ]] ;;
        mariadb) [[ -S /run/mysqld/mysqld.sock ]] ;;
        slurmdbd) listening 6819 ;;
        slurmctld) listening 6817 ;;
        slurmd) listening 6818 ;;
        exporter) listening 9341 ;;
    esac
}

# Makes what service $1 needs, and waits for the services it needs.
unit_prepare() {
    case $1 in
        # Often enough to see one's own jobs come and go.
        head)
            echo 'interval: 1s' >/etc/gpu-watchdog/gpu-watchdog.yaml
            slurmctld -V | sed 's/.* //' >/run/lab/slurm-version
            ;;
        # The first time it needs the line that the head printed (cluster.sh); from
        # then on it knows its cluster.
        join)
            [[ -e /var/lib/gpu-watchdog/membership.json ]] || {
                wait_for 60 test -s /run/lab/join-line ||
                    fail "$HOST: no token has come from the head in 60 s"
                read -r -a COMMAND </run/lab/join-line
            }
            ;;
        munged)
            install -d -o munge -g munge -m 0711 /run/munge /var/lib/munge
            install -d -o munge -g munge -m 0700 /etc/munge /var/log/munge
            chown munge: /etc/munge/munge.key
            chmod 0400 /etc/munge/munge.key
            rm -f /run/munge/munge.socket.2
            ;;
        mariadb)
            install -d -o mysql -g mysql /run/mysqld
            [[ -d /var/lib/mysql/mysql ]] || "$LAB_SOURCE/lab/accounting" database
            ;;
        slurmdbd)
            "$LAB_SOURCE/lab/slurm-conf" slurmdbd
            need munged mariadb
            "$LAB_SOURCE/lab/accounting" grant
            ;;
        slurmctld)
            install -d -o slurm -g slurm /var/lib/slurm
            [[ -e /etc/slurm/slurm.conf ]] || "$LAB_SOURCE/lab/slurm-conf" slurmctld
            [[ $LAB_ACCOUNTING == no ]] || {
                need slurmdbd
                "$LAB_SOURCE/lab/accounting" cluster
            }
            ;;
        slurmd)
            mkdir -p /var/spool/slurmd
            need munged
            need_slurmctld
            ;;
        exporter) need munged slurmctld ;;
    esac
}

# What is left to do once service $1 is ready. Slurm's database learns that GPUs
# exist only from slurmctld, so limits on them have to wait for it.
unit_finish() {
    case $1 in
        slurmctld) [[ $LAB_ACCOUNTING == no ]] || "$LAB_SOURCE/lab/accounting" fill ;;
    esac
}

# --- what units wait for -------------------------------------------------------

# Waits until other services of this host are ready.
need() {
    local name
    for name in "$@"; do
        wait_for 30 unit_ready "$name" || fail "$HOST: $name is not there in 30 s"
    done
}

# Before 24.05 slurmd asks for its configuration only once, so somebody else has to
# wait for the controller.
need_slurmctld() {
    if [[ $HOST == head ]]; then
        need slurmctld
    else
        wait_for 30 answering "$HEAD_ADDRESS" 6817 ||
            fail "$HOST: no slurmctld answers on $HEAD_ADDRESS:6817 in 30 s"
    fi
}

# Does anything on this host listen on TCP port $1? Read from /proc: connecting
# would leave a complaint in the service's log.
listening() {
    local port address state table
    printf -v port '%04X' "$1"
    for table in /proc/net/tcp /proc/net/tcp6; do
        [[ -r $table ]] || continue
        while read -r _ address _ state _; do
            [[ $address != *:$port || $state != 0A ]] || return 0
        done <"$table"
    done
    return 1
}

answering() {
    { true <>"/dev/tcp/$1/$2"; } 2>/dev/null
}

# --- where programs are, how nodes look ------------------------------------------

program_path() {
    PATH=$LAB_PATH command -v "$1"
}

# What a worker's slurmd tells of itself; slurm-conf says the same for static nodes.
node_conf() {
    echo "CPUs=$LAB_CPUS RealMemory=$LAB_MEMORY_MB" \
        "Gres=gpu:$LAB_GPU_TYPE:$LAB_GPUS Feature=gpu,$LAB_GPU_TYPE"
}

# Prints the version of the Slurm that is installed as a number: 22.05.8 is 2205.
slurm_version() {
    local words
    read -r -a words <<<"$(slurmd -V)"
    [[ ${words[1]} =~ ^([0-9]+)\.([0-9]+) ]] ||
        fail "cannot read a version out of '${words[*]}'"
    echo "${BASH_REMATCH[1]}${BASH_REMATCH[2]}"
}

slurm_has_dynamic_nodes() {
    (($(slurm_version) >= 2205))
}
