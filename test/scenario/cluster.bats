#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# head, join, status, leave: a cluster out of bare hosts, as README's second section
# makes it, and its whole life when nothing goes wrong.

load cluster

setup_file() {
    cluster_hosts 3
    mkdir -p "$HEAD_ROOT/var/log/lab"
}

teardown_file() {
    scenario_end
}

@test "head: srun works within 3 seconds" {
    local begin_ms
    begin_ms=$(now_ms)
    keep head head
    wait_until 5 on head timeout 1 srun --quiet hostname
    echo "first job after $(($(now_ms) - begin_ms)) ms"
    (($(now_ms) - begin_ms <= 3000))
    head_is_ready
}

@test "a second head on the same state is refused, and says who runs" {
    run on head gpu-watchdog head
    ((status == 1))
    [[ $output == *'runs on'*'already'* ]]
}

@test "join: the pasted line gives a node that is idle" {
    local line
    line=$(on head gpu-watchdog token)
    [[ $line == "gpu-watchdog join $HEAD_PORT GW1-"* ]]
    # shellcheck disable=SC2086 # the line is typed, so it is split
    keep worker1 ${line#gpu-watchdog }
    wait_until 6 join_is_done worker1
}

# The block of README below a line that begins with $1, times aside.
shown() {
    FIRST="    \$ $1" awk '
        index($0, ENVIRON["FIRST"]) == 1 { on = 1; next }
        on && !/^    / && NF { exit }
        on && NF { sub(/^    /, ""); print }' "$SCENARIO_SOURCE/README.md" |
        sed -E 's/^ *[0-9.]+ s /T s /'
}

@test "head and join print what README shows" {
    local command host line
    for command in head join; do
        host=${command/join/worker1}
        while IFS= read -r line; do
            said "$host" | sed -E 's/^ *[0-9.]+ s /T s /' | grep -qxF "$line" || {
                echo "$command does not print: $line"
                return 1
            }
        done < <(shown "gpu-watchdog $command")
        [[ $(shown "gpu-watchdog $command" | wc -l) -ge 5 ]]
    done
}

@test "join: a worker runs its first job within 2 seconds" {
    local line begin_ms
    line=$(on head gpu-watchdog token)
    begin_ms=$(now_ms)
    # shellcheck disable=SC2086
    keep worker2 ${line#gpu-watchdog }
    wait_until 5 on head timeout 1 srun --quiet --nodelist=worker2 hostname
    echo "first job after $(($(now_ms) - begin_ms)) ms"
    (($(now_ms) - begin_ms <= 2000))
    wait_until 6 join_is_done worker2
}

@test "srun runs on all nodes, from the head and from a worker" {
    [[ $(on head srun -N3 hostname | sort | xargs) == 'head worker1 worker2' ]]
    [[ $(on worker1 srun -N3 hostname | sort | xargs) == 'head worker1 worker2' ]]
    [[ $(on worker2 sbatch --wait --parsable --output=/dev/null --wrap true) -gt 0 ]]
}

status_shows() {
    # shellcheck disable=SC2053 # a pattern
    [[ $(on head gpu-watchdog status) == $1 ]]
}

# All three: a job of the test before may still be completing on the head.
all_idle() {
    [[ $(on head sinfo --noheader --Node --format='%N %T' | sort -u | xargs) == \
        'head idle worker1 idle worker2 idle' ]]
}

@test "status: fits 80 columns, as text and as JSON, on head and worker" {
    wait_until 10 all_idle
    wait_until 10 status_shows '*worker1*idle*worker2*idle*'
    run on head gpu-watchdog status
    ((status == 0))
    [[ $output == *worker1*10.77.0.11*idle*present*'0/4 h100 simulated'* ]]
    [[ $output == *'homes    not shared'* ]]
    run ! grep -E '.{81}' <<<"$output"
    on head gpu-watchdog status --json >"$BATS_TEST_TMPDIR/status"
    python3 - "$BATS_TEST_TMPDIR/status" <<'END'
import json, sys
status = json.load(open(sys.argv[1]))
assert status["role"] == "head" and status["cluster"] == "cluster"
nodes = {n["name"]: n for n in status["nodes"]}
assert set(nodes) == {"head", "worker1", "worker2"}, nodes
assert all(n["slurm_state"] == "idle" for n in nodes.values()), nodes
assert {s["name"] for s in status["services"]} == \
    {"munged", "slurmctld", "slurmd", "serve"}
END
    wait_until 5 worker1_shows '*node worker1, idle*connected*'
}

# The head asked Slurm for its nodes alone, and showed 0 and 0 whatever ran.
@test "status counts the jobs that run and that wait" {
    local run wait
    run=$(on head sbatch --parsable --output=/dev/null --wrap 'sleep 60')
    wait=$(on head sbatch --parsable --output=/dev/null --hold --array=1-3 \
        --wrap true)
    wait_until 10 status_shows '*queue    1 running, 3 pending*'
    [[ $(on head gpu-watchdog status --json | python3 -c 'import json, sys
queue = json.load(sys.stdin)["queue"]
print(queue["pending"], queue["running"])') == '3 1' ]]
    on head scancel "$run" "$wait"
    wait_until 10 status_shows '*queue    0 running, 0 pending*'
}

worker1_shows() {
    # shellcheck disable=SC2053 # a pattern
    [[ $(on worker1 gpu-watchdog status) == $1 ]]
}

# It kept the word of the proof at the end of joining: "allocated", for ever, when a
# job had been that fast.
@test "status of a worker follows what Slurm calls it" {
    on head scontrol update nodename=worker1 state=drain reason=test
    wait_until 6 worker1_shows '*node worker1, drained*'
    on head scontrol update nodename=worker1 state=resume
    wait_until 6 worker1_shows '*node worker1, idle*'
}

@test "the metrics of the cluster are on :9341 of the head" {
    wait_until 20 page_has 'slurm_nodes_total 3'
}

page_has() {
    grep -qxF "$1" <<<"$(HEAD_PID=$(pid head) at_head curl -fsS http://127.0.0.1:9341/metrics)"
}

@test "users: the first one is there, another is made everywhere alike" {
    [[ $(on --user user head srun -N3 id -un | sort -u) == user ]]
    on head gpu-watchdog user add carol
    wait_until 3 on worker1 id carol
    wait_until 3 on worker2 id carol
    [[ $(on head id carol) == "$(on worker1 id carol)" ]]
    [[ $(on --user carol head srun -N3 id -un | sort -u) == carol ]]
    run on head gpu-watchdog user add carol
    ((status == 1))
    [[ $output == *'has a user carol already'* ]]
}

step_runs() {
    [[ $(on head squeue --steps --noheader --format=%i) == *"$1"* ]]
}

@test "the key is changed on all nodes, and jobs go on" {
    local before job
    before=$(sha256sum <"$HEAD_ROOT/var/lib/gpu-watchdog/munge.key")
    job=$(on head sbatch --parsable --output=/dev/null -N3 --wrap 'srun sleep 3')
    # A step that is being launched at that very moment has the old key's
    # credential, and may fail; one that runs goes on.
    wait_until 5 step_runs "$job.0"
    on head gpu-watchdog key rotate
    [[ $(sha256sum <"$HEAD_ROOT/var/lib/gpu-watchdog/munge.key") != "$before" ]]
    wait_until 10 on head timeout 5 srun -N3 --overlap --jobid="$job" hostname
    wait_until 15 job_is "$job" COMPLETED
    wait_until 10 on head timeout 5 srun -N3 hostname
}

@test "keys and tokens are in no log, argument, environment or open file" {
    local key host file
    key=$(base64 -w0 <"$HEAD_ROOT/var/lib/gpu-watchdog/munge.key" | cut -c1-40)
    for host in head worker1 worker2; do
        local root=$LAB_DIR/hosts/$host/root
        ! grep -rqF "$key" "$root/var/log"
        while read -r file; do
            echo "others may read $file"
            return 1
        done < <(find "$root"/{var,run,etc} -xdev \( -name '*.key' -o -name '*.pem' \
            -o -name tokens.json -o -name members.json \) -perm /077)
        # join wipes the token that it was typed with.
        on "$host" bash -c '! grep -la "[G]W1-" /proc/[0-9]*/{environ,cmdline} \
            2>/dev/null'
    done
}

@test "leave: a node drains, waits for its job, and is forgotten" {
    local job
    job=$(on head sbatch --parsable --output=/dev/null --nodelist=worker2 \
        --wrap 'sleep 2')
    wait_until 5 job_is "$job" RUNNING
    run on worker2 gpu-watchdog leave
    ((status == 0))
    [[ $output == *'waits for its jobs'*'has left the cluster'* ]]
    job_is "$job" COMPLETED
    wait_until 5 node_is_gone worker2
    wait_until 5 not on worker2 pgrep -x slurmd
    [[ ! -e $LAB_DIR/hosts/worker2/root/var/lib/gpu-watchdog/munge.key ]]
    [[ ! -e $LAB_DIR/hosts/worker2/root/etc/slurm/slurm.conf ]]
    # What was known of it lets nobody back in.
    run on worker2 timeout 5 gpu-watchdog join
    ((status == 2))
    [[ $output == *'gpu-watchdog token'* ]]
}

@test "leave --now: its job is queued again elsewhere" {
    local job
    join worker3
    job=$(on head sbatch --parsable --output=/dev/null --nodes=1 --exclude=head,worker1 \
        --wrap 'sleep 60')
    wait_until 5 job_is "$job" RUNNING
    run on worker3 gpu-watchdog leave --now
    ((status == 0))
    wait_until 5 node_is_gone worker3
    wait_until 5 job_is "$job" PENDING
    on head scancel "$job"
}

@test "a node that is gone for good is removed from the head" {
    join worker2
    power worker2 off
    run on head gpu-watchdog leave worker2 --now
    ((status == 0))
    wait_until 5 node_is_gone worker2
    run on head gpu-watchdog leave worker2
    ((status == 1))
    [[ $output == *'no node "worker2" has joined'* ]]
}

@test "head: stops everything on SIGTERM, and goes on with the same cluster" {
    unkeep head
    run ! on head pgrep -x 'slurmctld|slurmd|munged'
    head_start
    wait_until 10 node_is worker1 idle
    wait_until 10 on head timeout 5 srun -N2 hostname
}
