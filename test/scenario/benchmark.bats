#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ./benchmark on clusters of a few nodes: that it runs, and that an exporter of a small
# cluster serves within the time that is promised. The bounds for large clusters are
# not looked at here; bench/RESULTS.md has them.

bats_require_minimum_version 1.5.0

setup_file() {
    export SOURCE="$BATS_TEST_DIRNAME/../.."
    # Its clusters are not in the way of somebody's who measures.
    export GPU_WATCHDOG_BENCH_BASE="$BATS_FILE_TMPDIR/clusters"
}

# has_figure FILE WHAT: a run, as JSON, has measured this.
has_figure() {
    python3 - "$@" <<'END'
import json
import sys

figures = json.load(open(sys.argv[1]))["figures"]
values = [f["value"] for f in figures if f["what"].strip().startswith(sys.argv[2])]
assert values and all(value > 0 for value in values), figures
END
}

@test "the benchmarks are listed, in 80 columns" {
    run -0 "$SOURCE/benchmark"
    [[ ${lines[0]} == slurm* ]]
    for line in "${lines[@]}"; do
        ((${#line} <= 80))
    done
}

@test "what cannot be meant is refused, with exit code 2" {
    run -2 "$SOURCE/benchmark" nosuch
    [[ $output == *"no benchmark 'nosuch'"* ]]
    run -2 "$SOURCE/benchmark" slurm nosuch
    run -2 "$SOURCE/benchmark" --nodes 3 slurm
    run -2 "$SOURCE/benchmark" --nosuch
}

@test "a small cluster: a good scrape within 0.2 s of the start" {
    # Its exit code tells whether the bound holds.
    "$SOURCE/benchmark" --json --rounds 5 slurm start \
        >"$BATS_TEST_TMPDIR/run" 3>&-
    has_figure "$BATS_TEST_TMPDIR/run" 'start to the first good scrape'
}

@test "cycles and memory are measured" {
    local figure
    "$SOURCE/benchmark" --json --nodes 40 --jobs 200 --rounds 2 slurm cycle memory \
        >"$BATS_TEST_TMPDIR/run" 3>&- || [[ $? == 1 ]]
    for figure in 'CPU of a cycle' 'bare calls' 'slurmctld' 'collector' 'snapshot'; do
        has_figure "$BATS_TEST_TMPDIR/run" "$figure"
    done
}
