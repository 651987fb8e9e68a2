# shellcheck shell=bash disable=SC2034 # results are used elsewhere
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What lab/on, lab/service and the other commands for a running lab have in common:
# they take --name LAB (or GPU_WATCHDOG_LAB) first, and need the lab's settings.

# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=defaults.sh
. "$LAB_SOURCE/lab/defaults.sh"
# shellcheck source=host.sh
. "$LAB_SOURCE/lab/host.sh"

VERB_USER=root

# verb_begin MINIMUM ARGUMENT...: takes the options away, opens the lab, and leaves
# at least MINIMUM words in VERB_ARGS. --user is understood where it makes sense.
verb_begin() {
    local minimum=$1 name=${GPU_WATCHDOG_LAB:-$LAB_NAME}
    shift
    while (($# > 0)); do
        case $1 in
            --name | --user) (($# >= 2)) || fail_usage "$1 needs a value" ;;&
            --name) name=$2 && shift 2 ;;
            --user) VERB_USER=$2 && shift 2 ;;
            --help | -h) show_help && exit 0 ;;
            -*) fail_usage "unknown option $1" ;;
            *) break ;;
        esac
    done
    (($# >= minimum)) || fail_usage 'something is missing'
    VERB_ARGS=("$@")
    lab_select "$name"
    lab_open
}

require_root() {
    ((EUID == 0)) || fail 'needs root' "sudo $0"
}
