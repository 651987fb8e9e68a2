# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ./check --slurm-matrix: the programs with each Slurm that we support, built
# against its own libslurm in a system of its own (lab/root), with the unit tests
# there, and the exporter against a cluster of that version: that it answers, and
# that every number is what that Slurm's own commands say.

MATRIX_SUITES=(bullseye bookworm trixie sid)
MATRIX_SCENARIOS=(exporter-versions exporter-metrics)
EX_TEMPFAIL=75

# Builds in the root of SUITE; the tree is seen read-only, its build directory
# build-SUITE is written to.
matrix_build() {
    local suite=$1 root
    root=$(lab/root "$suite")
    mkdir -p "build-$suite"
    # A build directory is for one libslurm.
    if [[ $(cat "build-$suite/for" 2>/dev/null) != "$(matrix_stamp "$root")" ]]
    then
        rm -rf "build-$suite"
        mkdir "build-$suite"
        matrix_stamp "$root" >"build-$suite/for"
    fi
    # shellcheck disable=SC2016 # expanded by the shell inside
    matrix_in "$suite" sh -c '
        test -e build.ninja || meson setup . /source || exit
        ninja -j "$1"' sh "$JOBS"
}

matrix_stamp() {
    cat "$1/stamp" "$1/etc/debian_version" 2>/dev/null || true
}

# Runs a command in the build directory, in the root.
matrix_in() {
    local suite=$1
    shift
    lab/in-root --read-only "$PWD:/source" \
        --bind "$PWD/build-$suite:/source/build-$suite" \
        --directory "/source/build-$suite" "$suite" "$@"
}

matrix_unit() {
    local suite=$1
    matrix_in "$suite" meson test --no-rebuild --num-processes "$JOBS" \
        --timeout-multiplier 4 >"$CHECK_LOGS/unit-$suite.log" 2>&1 || true
    tap_count "unit $suite" < <(
        meson_tap "build-$suite/meson-logs/testlog.json")
}

matrix_scenarios() {
    local suite=$1 name
    for name in "${MATRIX_SCENARIOS[@]}"; do
        scenario_run "test/scenario/$name.bats" "$name $suite" \
            "LAB_ROOT=$(lab/root "$suite")"
    done
    [[ $suite != bookworm ]] ||
        scenario_run test/scenario/deploy-debian.bats deploy-debian
    [[ ! $suite =~ ^(trixie|sid)$ ]] ||
        scenario_run test/scenario/auth-slurm.bats "auth-slurm $suite" \
            "LAB_ROOT=$(lab/root "$suite")"
    [[ $suite != trixie ]] ||
        scenario_run test/scenario/deploy-image.bats deploy-image
}

step_matrix() {
    local suite status
    for suite in "${MATRIX_SUITES[@]}"; do
        heading "Slurm of Debian $suite"
        status=0
        lab/root "$suite" >"$CHECK_LOGS/root-$suite.log" 2>&1 || status=$?
        if ((status == EX_TEMPFAIL)); then
            skip_case "Slurm of Debian $suite" 'it cannot be fetched just now'
            continue
        elif ((status != 0)); then
            fail_case "a root of Debian $suite" "$CHECK_LOGS/root-$suite.log"
            continue
        fi
        try "build with the Slurm of $suite" matrix_build "$suite" || continue
        matrix_unit "$suite"
        matrix_scenarios "$suite"
    done
}
