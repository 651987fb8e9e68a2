#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What README says and no other test holds; which test holds which of its claims is
# written down in test/README.md.

load helpers

setup_file() {
    # In front, as a newcomer starts it, to see all that it prints.
    export GPU_WATCHDOG_LAB="readme-$$"
    export PATH="$BATS_TEST_DIRNAME/../../lab:$PATH"
    "$BATS_TEST_DIRNAME/../../start" --name "$GPU_WATCHDOG_LAB" --port-base 0 \
        >"$BATS_FILE_TMPDIR/start" 2>&1 3>&- &
    echo $! >"$BATS_FILE_TMPDIR/pid"
    wait_until 60 grep -q '^Ctrl-C ends it' "$BATS_FILE_TMPDIR/start"
}

teardown_file() {
    kill "$(<"$BATS_FILE_TMPDIR/pid")"
    wait "$(<"$BATS_FILE_TMPDIR/pid")" || true
    "$BATS_TEST_DIRNAME/../../start" --name "$GPU_WATCHDOG_LAB" --stop 3>&-
}

# The block of README below a line that begins with $1, without its indentation.
shown() {
    FIRST="    \$ $1" awk '
        $0 == ENVIRON["FIRST"] { on = 1; next }
        on && !/^    / && NF { exit }
        on { sub(/^    /, ""); print }' "$SCENARIO_SOURCE/README.md"
}

# What is another one each time: times, ports, the lab's name, the first free worker.
lasting() {
    sed -E -e 's/^ *[0-9.]+ s /T s /' -e 's/(127.0.0.1:)[0-9]+/\1PORT/' \
        -e "s/ --name $GPU_WATCHDOG_LAB//; s/'$GPU_WATCHDOG_LAB'/'main'/" -e '/^$/d' \
        -e 's/user on worker[12],/user on WORKER,/'
}

@test "./start prints what README shows" {
    diff <(shown ./start | lasting) <(lasting <"$BATS_FILE_TMPDIR/start")
}

@test "the metrics are where README says, and right" {
    local url
    url=$(sed -n 's/.*\(http:.*\/metrics\)$/\1/p' "$BATS_FILE_TMPDIR/start")
    # Four GPUs have jobs that ./start leaves running.
    four_gpus_are_idle() {
        run -0 curl -sf "$url"
        [[ $output == *$'\nslurm_gpus_by_state{type="h100",state="idle"} 4\n'* ]]
    }
    wait_until 20 four_gpus_are_idle
    [[ $output == *$'\nslurm_nodes_total 3\n'* ]]
}

@test "a GPU that is held and not used is shown as README says" {
    local url shown
    url=$(sed -n 's/.*\(http:[^ ]*\) of worker1$/\1/p' "$BATS_FILE_TMPDIR/start")
    shown=$(grep '^    slurm_gpu_held_idle' "$SCENARIO_SOURCE/README.md" | cut -c5-)
    as_shown() {
        [[ $(curl -sf "$url" | grep '^slurm_gpu_held_idle' |
            sed 's/UUID="GPU-[^"]*"/UUID="GPU-..."/') == "$shown" ]]
    }
    wait_until 20 as_shown
}

# vpenso's exporter cuts names off at 20 letters, and ends.
@test "long node names are shown whole" {
    local name=a-node-with-a-name-of-more-than-twenty-letters-0001 url line
    url=$(sed -n 's/.*\(http:.*\/metrics\)$/\1/p' "$BATS_FILE_TMPDIR/start")
    # It would wait for their ends.
    on head scancel --name=train
    on head scancel --name=half
    on head scancel --name=asleep
    on worker2 gpu-watchdog leave
    line=$(on head gpu-watchdog token create 2>/dev/null)
    # shellcheck disable=SC2016,SC2086 # on the host; the line is typed
    on worker2 bash -c 'setsid "$@" >/dev/null 2>&1 &' - $line --name "$name"
    long_is_there() {
        grep -q "^slurm_node_cpu_total{node=\"$name\",status=\"idle\"}" \
            <<<"$(curl -sf "$url")"
    }
    wait_until 20 long_is_there
}

@test "every paper that README and the others name is there" {
    local paper link
    cd "$SCENARIO_SOURCE"
    for paper in ./*.md doc/*.md lab/README.md test/*.md; do
        while read -r link; do
            [[ -e $(dirname "$paper")/$link ]] || {
                echo "$paper: $link"
                return 1
            }
        done < <(grep -oE '\]\([^)#:]+' "$paper" | cut -c3-)
    done
}
