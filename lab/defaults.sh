# shellcheck shell=bash disable=SC2034 # all are used elsewhere
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The settings of a lab and what they are unless ./start is told otherwise. A
# started lab keeps its own in LAB_DIR/settings (/run/lab/settings on its hosts),
# which everything else reads.

# Words on the command line of ./start
LAB_NAME=main
LAB_WORKERS=2
LAB_ACCOUNTING=no
LAB_BY_HAND=no
LAB_BARE=no
LAB_FORWARDS='9341=9341 8080=8080'
# Where the first worker's GPU metrics answer, the second's one further; or no.
LAB_GPU_PORT=9401
# Do jobs use some of the GPUs, for there to be something to see?
LAB_JOBS=yes

# Another system's tree to run hosts with; empty: this machine's.
LAB_ROOT=${LAB_ROOT:-}

# Where the programs under test were built; follows from LAB_ROOT when empty.
LAB_BUILD=''

# What a worker claims to be. Slurm is told to believe it: the machine may have
# less, and the GPUs are simulated.
LAB_CPUS=16
LAB_MEMORY_MB=32768
LAB_GPUS=4
LAB_GPU_TYPE=h100

# People without privileges, with uids from LAB_USERS_UID on; who submits where any
# of them will do is LAB_USER.
LAB_USERS='user alice bob'
LAB_USERS_UID=20001
LAB_USER=user

# How the database behind slurmdbd is run: small, and not to outlive a crash.
MARIADB_OPTIONS=(--no-defaults --datadir=/var/lib/mysql --skip-networking
    --socket=/run/mysqld/mysqld.sock --pid-file=/run/mysqld/mysqld.pid
    --innodb-log-file-size=16M --innodb-flush-log-at-trx-commit=0)

# What follows from the settings above, once the command line has been read. Programs
# run only on the system that they were built on: for LAB_ROOT=.../sid they are taken
# from build-sid, if somebody has built them there.
settings_complete() {
    # gpu-watchdog head knows nothing of slurmdbd, and another system may be too old
    # for it, or have no build of ours.
    [[ $LAB_ACCOUNTING == no && -z $LAB_ROOT ]] || LAB_BY_HAND=yes
    if [[ -z $LAB_BUILD ]]; then
        LAB_BUILD=$LAB_SOURCE/build${LAB_ROOT:+-${LAB_ROOT##*/}}
    fi
    [[ $LAB_BY_HAND$LAB_BARE == nono ]] || LAB_JOBS=no
    LAB_PATH=$LAB_BUILD/src/watchdog:$LAB_BUILD/src/exporter:$LAB_BUILD/lab
    LAB_PATH+=:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
}

settings_write() {
    local name
    for name in "${!LAB_@}"; do
        [[ $name == LAB_DIR || $name == LAB_BASE ]] ||
            printf '%s=%q\n' "$name" "${!name}"
    done
}
