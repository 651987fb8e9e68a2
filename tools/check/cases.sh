# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Counting tests. A case is a command that passes, fails, or could not be run
# and says so; a line is printed for each failure and for each group. Nothing
# else may change the counts.

CHECK_LOGS=$PWD/build-check
PASSED=0
FAILED=0
SKIPPED=0

heading() {
    printf '\n== %s (%s)\n' "$1" "$(date +%H:%M:%S)"
}

pass() {
    PASSED=$((PASSED + 1))
    printf '  ok      %s\n' "$1"
}

# fail_case NAME [LOG]: the end of the log is shown.
fail_case() {
    FAILED=$((FAILED + 1))
    printf '  FAILED  %s\n' "$1"
    if [[ -s ${2:-} ]]; then
        tail -n 40 "$2" | sed 's/^/          | /'
        printf '          the whole: %s\n' "${2#"$PWD/"}"
    fi
}

skip_case() {
    SKIPPED=$((SKIPPED + 1))
    printf '  skipped %s: %s\n' "$1" "$2"
}

# try NAME COMMAND...: one case, which passes when the command does.
try() {
    local name=$1 start=$SECONDS log
    log=$CHECK_LOGS/${name//[^a-zA-Z0-9.-]/-}.log
    shift
    if "$@" >"$log" 2>&1 </dev/null; then
        pass "$name ($((SECONDS - start)) s)"
    else
        fail_case "$name" "$log"
        return 1
    fi
}

# ahead STEP...: does steps in the background, one after the other and behind all else
# that runs. is_ahead STEP tells that one was begun so; ahead_tell STEP waits, prints
# what it printed and counts what it counted.
ahead() {
    local step
    for step in "$@"; do
        AHEAD[$step]=begun
    done
    ahead_all "$@" &
    for step in "$@"; do
        AHEAD[$step]=$!
    done
}

declare -A AHEAD=()

ahead_all() {
    local step
    renice -n 19 "$BASHPID" >/dev/null
    for step in "$@"; do
        rm -f "$CHECK_LOGS/ahead-$step".*
        PASSED=0 FAILED=0 SKIPPED=0
        "step_$step" >"$CHECK_LOGS/ahead-$step.out" 2>&1 </dev/null
        echo "$PASSED $FAILED $SKIPPED" >"$CHECK_LOGS/ahead-$step.counts"
    done
}

is_ahead() {
    [[ -n ${AHEAD[$1]-} ]]
}

ahead_tell() {
    local counts=$CHECK_LOGS/ahead-$1.counts passed failed skipped
    wait "${AHEAD[$1]}" 2>/dev/null || true
    cat "$CHECK_LOGS/ahead-$1.out"
    if read -r passed failed skipped <"$counts"; then
        PASSED=$((PASSED + passed))
        FAILED=$((FAILED + failed))
        SKIPPED=$((SKIPPED + skipped))
    else
        fail_case "$1: ended early"
    fi
    rm -f "$counts"
}

# at_work PID...: how many of them run.
at_work() {
    local pid count=0
    for pid in "$@"; do
        ! kill -0 "$pid" 2>/dev/null || count=$((count + 1))
    done
    echo "$count"
}

# Counts the lines of a TAP stream on standard input; failures are shown with
# what the test said. PREFIX names where they are from.
tap_count() {
    local prefix=$1 line open=no passed=0
    while IFS= read -r line; do
        case $line in
            'ok '*'# skip'*)
                skip_case "$prefix: ${line#ok * }" 'by the test itself'
                open=no
                ;;
            'ok '*)
                passed=$((passed + 1))
                open=no
                ;;
            'not ok '*)
                fail_case "$prefix: ${line#not ok * }"
                open=yes
                ;;
            '#'*) [[ $open == no ]] || printf '          | %s\n' "${line#\# }" ;;
        esac
    done
    PASSED=$((PASSED + passed))
    # Where nothing ran, nothing passed.
    ((passed > 0)) || fail_case "$prefix: no test passed"
    printf '  ok      %s: %d tests\n' "$prefix" "$passed"
}

# The one line that others read; alone, and the last.
cases_tell() {
    echo
    if ((SKIPPED > 0)); then
        echo "$PASSED passed, $FAILED failed, $SKIPPED skipped"
    else
        echo "$PASSED passed, $FAILED failed"
    fi
    # A run of nothing is no success.
    ((FAILED == 0 && PASSED > 0))
}
