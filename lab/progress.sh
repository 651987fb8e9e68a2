# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Tells a person what is going on: one line a step with the time it was done at.
# On a terminal the step in progress is shown too. Needs lib.sh.

PROGRESS_START_MS=$(now_ms)
PROGRESS_LINE=''
# Where to show it, also while standard output goes to a log.
exec {PROGRESS_FD}>&1

# Seconds since the script began, as "0.42".
progress_seconds() {
    local ms=$(($(now_ms) - PROGRESS_START_MS))
    printf '%d.%02d' $((ms / 1000)) $((ms % 1000 / 10))
}

progress_clear() {
    [[ -z $PROGRESS_LINE ]] || printf '\r\033[K' >&"$PROGRESS_FD"
    PROGRESS_LINE=''
}

# What is being done now; may be called again and again for one step.
progress() {
    [[ -t $PROGRESS_FD && $PROGRESS_LINE != "$1" ]] || return 0
    progress_clear
    PROGRESS_LINE=$1
    printf '%7s    %.66s ...' '' "$1" >&"$PROGRESS_FD"
}

# What has been done.
progress_done() {
    progress_clear
    printf '%7s s  %s\n' "$(progress_seconds)" "$1"
}
