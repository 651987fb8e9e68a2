# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the scenarios of the dashboard share: a lab for each file, whose dashboard
# is at BASE. Builds on helpers.bash.

load helpers

# dashboard_start NAME [START-OPTION...]
dashboard_start() {
    local name=$1-$$
    shift
    export GPU_WATCHDOG_LAB=$name LAB_DIR PATH
    LAB_DIR="${GPU_WATCHDOG_LAB_BASE:-/run/gpu-watchdog-lab}/$name"
    PATH="$SCENARIO_SOURCE/lab:$PATH"
    [[ -z ${GPU_WATCHDOG_BUILD-} ]] || set -- --build "$GPU_WATCHDOG_BUILD" "$@"
    "$SCENARIO_SOURCE/start" --name "$name" --detach --port-base 0 "$@" 3>&-
    export PICTURES=$SCENARIO_SOURCE/build-check/pictures
    mkdir -p "$PICTURES"
    BASE=$("$SCENARIO_SOURCE/start" --name "$name" --status |
        sed -n 's/^ *dashboard *\(http.*\)\/$/\1/p')
    [[ $BASE == http://127.0.0.1:* ]]
    export BASE
    [[ -d $SCENARIO_SOURCE/web/node_modules/playwright-core ]] ||
        (cd "$SCENARIO_SOURCE/web" && npm ci --ignore-scripts --no-audit --no-fund)
}

teardown() {
    background_stop
}

teardown_file() {
    "$SCENARIO_SOURCE/start" --name "$GPU_WATCHDOG_LAB" --stop 3>&-
}

api() { # PATH: the answer, whatever its status
    curl -sS "$BASE/api/v1/$1"
}

# json PATH EXPRESSION: of the answer A; true is needed.
json() {
    api "$1" | python3 -c '
import json, sys
A = json.load(sys.stdin)
value = eval(sys.argv[1])
print(value)
sys.exit(not value)' "$2"
}

submit() { # USER OPTION...: the job's number
    local user=$1
    shift
    on --user "$user" head sbatch --parsable --output=/dev/null "$@"
}

look() { # TEST [ARGUMENT...]
    local test=$1
    shift
    node "$SCENARIO_SOURCE/test/page/page.mjs" "$test" "$BASE" "$PICTURES" "$@"
}

service_pid() { # NAME: of the head's
    on head gpu-watchdog status --json | python3 -c '
import json, sys
for service in json.load(sys.stdin)["services"]:
    if service["name"] == sys.argv[1] and service["state"] == "ready":
        print(service["pid"])' "$1"
}

serve_pid() {
    service_pid serve
}

# The head's node is down until head_up: its slurmd, which would report for duty as
# soon as it is idle, stands still.
head_down() { # REASON
    on head kill -STOP "$(service_pid slurmd)"
    on head scontrol update nodename=head state=down reason="$1"
}

head_up() {
    on head kill -CONT "$(service_pid slurmd)"
    on head scontrol update nodename=head state=resume || true # it may have come itself
}
