# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The steps of ./check, each a function step_NAME, in the order of the list
# below. A step prepares, then counts cases (cases.sh).

BUILD=$PWD/build
BUILD_SANITIZE=$PWD/build-sanitize
JOBS=$(nproc)
FUZZ_SECONDS=${CHECK_FUZZ_SECONDS:-4}
# Tests mostly wait: for a deadline, for Slurm. More of them at a time than there are
# processors, and still none of them is starved.
TESTS_AT_ONCE=$((JOBS * 2))
# A test that hangs is a failure, not a pause.
export BATS_TEST_TIMEOUT=120

steps_list() {
    cat <<'END'
gcc       builds with gcc, warnings are errors
unit      unit tests, and the golden pages
sanitize  builds with clang, address and undefined behaviour sanitizers, warnings
          are errors; unit tests under them
format    the layout of C (clang-format)
static    static analysis of C (cppcheck)
shell     shellcheck of every script
tree      rooms, licences, sizes of files, traces of a machine
web       the dashboard's page: types, layout, weight, and that what is
          committed is what the sources build
scenario  the real programs against a real cluster (bats)
fuzz      each fuzz target over its corpus for a few seconds
matrix    the same for each Slurm from 20.11 to 26.05 (--slurm-matrix)
END
}

# steps_ahead NOW STEP...: those of STEPs that begin with NOW, which mostly waits: what
# looks at sources alone with the unit tests, the fuzz targets with the scenarios.
steps_ahead() {
    local now=$1 step
    local -a early=()
    shift
    for step in "$@"; do
        case $now/$step in
            unit/format | unit/static | unit/shell | unit/tree | unit/web | \
                scenario/fuzz) early+=("$step") ;;
        esac
    done
    ((${#early[@]} == 0)) || ahead "${early[@]}"
}

# Installs what is missing, as ./start does.
packages_get() {
    # shellcheck source=lab/progress.sh
    . "$LAB_SOURCE/lab/progress.sh"
    # shellcheck source=lab/setup.sh
    . "$LAB_SOURCE/lab/setup.sh"
    local -a missing
    mapfile -t missing < <(packages_of hosts cluster accounting build test \
        check | packages_missing)
    ((${#missing[@]} > 0)) || return 0
    echo "installing ${#missing[@]} packages: ${missing[*]}" | fold -s -w 78
    packages_install "$CHECK_LOGS/packages.log" "${missing[@]}" || {
        tail -n 20 "$CHECK_LOGS/packages.log"
        fail 'packages could not be installed' 'the log is build-check/packages.log'
    }
}

# meson_make DIR [OPTION...]: a build directory with these options, made anew
# when it was made with others, and built.
meson_make() {
    local dir=$1 options
    shift
    options="$*"
    if [[ $(cat "$dir/check-options" 2>/dev/null) != "$options" ]]; then
        rm -rf "$dir"
    fi
    # ./start may have made it already; its options are the default ones.
    if [[ -e $dir/build.ninja ]]; then
        meson configure "$dir" "$@" || return 1
    else
        meson setup "$dir" . "$@" || return 1
    fi
    echo "$options" >"$dir/check-options"
    ninja -C "$dir" -j "$JOBS"
}

# tests_run NAME DIR [ENVIRONMENT...]: meson's tests, each one a case.
tests_run() {
    local name=$1 dir=$2 log
    log=$CHECK_LOGS/$1.log
    shift 2
    env "$@" meson test -C "$dir" --no-rebuild --num-processes "$TESTS_AT_ONCE" \
        --timeout-multiplier 4 >"$log" 2>&1 </dev/null || true
    tap_count "$name" < <(meson_tap "$dir/meson-logs/testlog.json")
}

# Meson's log of results as TAP, a failure with the end of what it printed.
meson_tap() {
    python3 - "$1" <<'END'
import json
import sys

for number, line in enumerate(open(sys.argv[1]), 1):
    test = json.loads(line)
    name = test["name"].rpartition(" / ")[2] or test["name"]
    if test["result"] in ("OK", "EXPECTEDFAIL"):
        print(f"ok {number} {name}")
    elif test["result"] == "SKIP":
        print(f"ok {number} {name} # skip")
    else:
        print(f"not ok {number} {name} ({test['result']})")
        said = test.get("stdout", "") + test.get("stderr", "")
        for text in said.splitlines()[-40:]:
            print(f"# {text}")
END
}

step_gcc() {
    CC=gcc try 'gcc builds without a warning' meson_make "$BUILD" --werror
}

step_unit() {
    [[ -e $BUILD/build.ninja ]] || step_gcc || return 0
    tests_run unit "$BUILD"
}

sanitize_build() {
    CC=clang meson_make "$BUILD_SANITIZE" --werror -Dfuzz=true \
        -Doptimization=1 -Db_sanitize=address,undefined -Db_lundef=false
}

step_sanitize() {
    try 'clang builds without a warning' sanitize_build || return 0
    tests_run sanitize "$BUILD_SANITIZE" ASAN_OPTIONS=detect_leaks=1 \
        UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
}

# fuzz_run TARGET: some seconds of new inputs, from a copy of the corpus.
fuzz_run() {
    local target=$1 corpus work
    corpus=test/fuzz/corpus/$target
    # Seeds that are records of the program are made by the build.
    [[ -d $corpus ]] || corpus=$BUILD_SANITIZE/test/fuzz/$target-seeds
    work=$(mktemp -d)
    [[ -d $corpus ]] || {
        echo "there are no seeds in $corpus"
        return 1
    }
    "$BUILD_SANITIZE/test/fuzz/fuzz-$target" -max_total_time="$FUZZ_SECONDS" \
        -timeout=10 -rss_limit_mb=2048 -max_len=16384 -artifact_prefix="$CHECK_LOGS/" \
        "$work" "$corpus"
    local status=$?
    rm -rf "$work"
    return "$status"
}

step_fuzz() {
    [[ -e $BUILD_SANITIZE/build.ninja ]] || sanitize_build \
        >"$CHECK_LOGS/fuzz-build.log" 2>&1 || true
    local file target
    local -a started=()
    # Behind others it gets a part of each second.
    ! is_ahead fuzz || FUZZ_SECONDS=$((FUZZ_SECONDS * 2))
    for file in test/fuzz/fuzz-*.c; do
        target=${file##*/fuzz-}
        while (($(at_work "${started[@]}") >= JOBS)); do
            wait -n || true
        done
        fuzz_start "${target%.c}" &
        started+=($!)
    done
    wait "${started[@]}" || true
    for file in test/fuzz/fuzz-*.c; do
        target=${file##*/fuzz-}
        fuzz_count "${target%.c}"
    done
}

# Each keeps one processor busy: as many at a time as there are.
fuzz_start() {
    local log=$CHECK_LOGS/fuzz-$1.log start=$SECONDS status=0
    UBSAN_OPTIONS=halt_on_error=1 fuzz_run "$1" >"$log" 2>&1 </dev/null || status=$?
    echo "code $status after $((SECONDS - start)) s" >>"$log"
}

fuzz_count() {
    local log=$CHECK_LOGS/fuzz-$1.log said
    said=$(tail -n 1 "$log")
    if [[ $said == 'code 0 after '* ]]; then
        pass "fuzz $1 (${said#*after })"
    else
        fail_case "fuzz $1" "$log"
    fi
}

step_format() {
    local -a files
    mapfile -t files < <(git ls-files '*.[ch]')
    try 'clang-format' clang-format --dry-run -Werror "${files[@]}" || true
}

step_static() {
    try 'cppcheck' cppcheck -q -j "$JOBS" --error-exitcode=1 --inline-suppr \
        --enable=warning,performance,portability --std=c11 --force \
        --suppressions-list=tools/check/cppcheck.txt -D_GNU_SOURCE -I src \
        src lab bench tools || true
}

# Files that a shell runs: by their name or by their first line.
shell_files() {
    git ls-files '*.sh' '*.bash' '*.bats'
    git grep -lIE '^#!/(usr/bin/env (bash|sh)|bin/(ba)?sh)' -- ':!*.bats' ':!*.sh'
}

step_shell() {
    local -a files
    mapfile -t files < <(shell_files | sort -u)
    try 'shellcheck' shell_all "${files[@]}" || true
}

shell_all() {
    printf '%s\0' "$@" |
        xargs -0 -n 12 -P "$JOBS" shellcheck -x -P SCRIPTDIR -P .
}

step_tree() {
    try 'the tree keeps its rules' tools/check/tree || true
}

web_tools() {
    command -v npm >/dev/null || packages_install "$CHECK_LOGS/npm.log" npm
    (cd web && npm ci --ignore-scripts --no-audit --no-fund)
}

web_types() {
    (cd web && npx --no-install tsc --noEmit)
}

web_layout() {
    (cd web && npx --no-install prettier --check src build.mjs ../test/page ../test/scenario/runpod)
}

# dist is part of the program: it has to be what its sources build.
web_dist() {
    local made
    made=$(mktemp -d)
    (cd web && node build.mjs "$made" && diff -rq "$made" dist)
    local status=$?
    rm -rf "$made"
    return "$status"
}

step_web() {
    try 'web: tools' web_tools || return 0
    try 'web: types' web_types || true
    try 'web: layout' web_layout || true
    try 'web: dist is what the sources build, and light' web_dist || true
}

# Each file has a lab of its own and mostly waits, so several run at a time; the
# ones that take longest first.
step_scenario() {
    [[ -e $BUILD/build.ninja ]] || step_gcc || return 0
    local file name
    local -a files started=()
    mapfile -t files < <(scenario_files)
    for file in "${files[@]}"; do
        while (($(at_work "${started[@]}") >= TESTS_AT_ONCE)); do
            wait -n || true
        done
        scenario_start "$file" "$(basename "$file" .bats)" &
        started+=($!)
    done
    wait "${started[@]}" || true
    for file in "${files[@]}"; do
        name=$(basename "$file" .bats)
        scenario_count "$name" "$name"
    done
}

# deploy-debian and deploy-image want a bare system, auth-slurm a newer Slurm: both
# are the matrix's.
scenario_files() {
    local long=(dashboard exporter-faults dashboard-page cluster-faults)
    printf 'test/scenario/%s.bats\n' "${long[@]}"
    find test/scenario -name '*.bats' ! -name 'deploy-[di]*.bats' \
        ! -name auth-slurm.bats -printf '%s %p\n' |
        sort -rn | cut -d' ' -f2 |
        grep -vxF "$(printf 'test/scenario/%s.bats\n' "${long[@]}")"
}

# scenario_start FILE LOG-NAME [ENVIRONMENT...]: runs one file of scenarios.
scenario_start() {
    local file=$1 log=$CHECK_LOGS/$2.tap start=$SECONDS
    shift 2
    env "$@" bats --tap "$file" >"$log" 2>&1 </dev/null || true
    echo "# seconds $((SECONDS - start))" >>"$log"
}

# scenario_count LOG-NAME NAME: counts what a file of scenarios said.
scenario_count() {
    local log=$CHECK_LOGS/$1.tap seconds
    seconds=$(sed -n 's/^# seconds //p' "$log")
    tap_whole "$log"
    tap_count "$2 ($seconds s)" <"$log"
}

# scenario_run FILE NAME [ENVIRONMENT...]: one file of scenarios, counted as NAME.
scenario_run() {
    local log_name=${2// /-}
    scenario_start "$1" "$log_name" "${@:3}"
    scenario_count "$log_name" "$2"
}

# A stream that says how many tests there are, and has another number of them,
# ended early: that is a failure.
tap_whole() {
    local planned seen
    planned=$(sed -n 's/^1\.\.\([0-9]*\)$/\1/p' "$1" | head -n 1)
    seen=$(grep -cE '^(not )?ok ' "$1" || true)
    [[ -n $planned && $planned == "$seen" ]] ||
        fail_case "$(basename "$1"): ${seen:-0} of ${planned:-?} tests ran" "$1"
}
