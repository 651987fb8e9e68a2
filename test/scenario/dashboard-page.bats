#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The dashboard in a real Chromium (test/page): what a person sees and can do, live.
# Pictures of each page are left in build-check/pictures.

load dashboard

setup_file() {
    dashboard_start page
    seen() {
        json cluster 'A["jobs"]["running"] == 3 and A["gpus"][0]["held_idle"] == 2'
    }
    wait_until 60 seen
}

@test "the overview says what is free and who wastes" {
    look overview 'free of 8' 'Held but idle' alice bob
}

@test "a job's page shows its GPUs and says what to do" {
    local job
    job=$(api 'jobs?user=alice' | python3 -c 'import json, sys; print(json.load(sys.stdin)["jobs"][0]["id"])')
    look job "$job"
}

@test "a page asks for what it shows, and not for the whole cluster" {
    look frugal "$(api 'jobs?user=alice' | python3 -c 'import json, sys; print(json.load(sys.stdin)["jobs"][0]["id"])')"
}

@test "a job that is submitted appears by itself" {
    look live "$SCENARIO_SOURCE/lab/on --name $GPU_WATCHDOG_LAB --user user head sbatch --parsable --output=/dev/null --wrap 'sleep 60'"
}

@test "what the pointer is on does not move" {
    look still "$SCENARIO_SOURCE/lab/on --name $GPU_WATCHDOG_LAB --user user head sbatch --parsable --output=/dev/null --wrap 'sleep 60'"
}

@test "a page that is held still stays so" {
    look pause "$SCENARIO_SOURCE/lab/on --name $GPU_WATCHDOG_LAB --user user head sbatch --parsable --output=/dev/null --wrap 'sleep 90'"
}

@test "a name that is HTML is shown as it is" {
    submit user --job-name '<img src=x onerror=alert(1)>' --wrap 'sleep 90'
    look hostile '<img src=x onerror=alert(1)>'
}

@test "keys alone are enough" {
    look keyboard
}

@test "the address keeps what is chosen" {
    look address
}

@test "a node's page tells how often it failed, and another which nodes did" {
    head_down smoke
    wait_until 40 json 'health?node=head' 'A["nodes"][0]["failures"] == 1'
    look health head
    head_up
}

@test "every page is accessible, light and dark" {
    look accessible
}

@test "every page fits a phone" {
    look phone
}

@test "the page says when the server is gone, and finds it again" {
    local pid
    pid=$(serve_pid)
    look reconnect "$SCENARIO_SOURCE/lab/on --name $GPU_WATCHDOG_LAB head kill -STOP $pid; $SCENARIO_SOURCE/lab/on --name $GPU_WATCHDOG_LAB head kill -9 $pid" true
}
