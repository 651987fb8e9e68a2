#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Acting from the dashboard (--allow-actions): who may do what, as whom, what is
# written down, and that no other site can make a browser do it. Slurm itself is
# asked afterwards.

load dashboard

setup_file() {
    dashboard_start actions --no-jobs
    on head useradd --create-home --uid 1777 other
}

# A link for USER with ROLE, to the forwarded port: what stands behind the address.
link_for() {
    local link
    link=$(on head gpu-watchdog token web --user "$1" --role "$2" 2>/dev/null)
    echo "${link#http://*/}"
}

# Sign in as USER with ROLE; the cookies lie in JAR.
sign_in() {
    JAR=$BATS_TEST_TMPDIR/$1-$2
    curl -sS -o /dev/null -c "$JAR" "$BASE/$(link_for "$1" "$2")"
}

sign_out() {
    JAR=/dev/null
}

# post BODY [OPTION...]: the answer, then the status on a line of its own.
post() {
    curl -sS -b "$JAR" -w '\n%{http_code}' -H 'Content-Type: application/json' \
        -H 'X-Requested-By: gpu-watchdog' -d "$@" "$BASE/api/v1/actions"
}

field() { # NAME: of the JSON object on standard input
    python3 -c 'import json, sys; print(json.loads(sys.stdin.readline()).get(sys.argv[1], ""))' "$1"
}

# act BODY: do it and wait; sets STATE, TEXT and NUMBER (of a submitted job).
act() {
    local answer id end=$((SECONDS + 30))
    answer=$(post "$1")
    [[ ${answer##*$'\n'} == 202 ]] || fail_with "$answer"
    id=$(field id <<<"$answer")
    while
        answer=$(curl -sS -b "$JAR" "$BASE/api/v1/actions/$id")
        STATE=$(field state <<<"$answer")
        [[ $STATE == running ]] && ((SECONDS < end))
    do
        read -r -t 0.1 <> <(:) || true
    done
    TEXT=$(field text <<<"$answer")
    NUMBER=$(field job <<<"$answer")
}

fail_with() {
    printf '%s\n' "$1" >&2
    return 1
}

sleeper() { # USER: a job of his
    on --user "$1" head sbatch --parsable --output=/dev/null --chdir=/tmp --wrap 'sleep 300'
}

job_state() {
    on head squeue --noheader --states=all --format=%T --jobs "$1"
}

@test "who has not signed in may look, and do nothing" {
    run -0 curl -sS "$BASE/api/v1/me"
    [[ $output == '{"user":"","role":"viewer","actions":true}' ]]
    sign_out
    run -0 post '{"action":"cancel","jobs":["1"]}'
    [[ $output == *'may look, and do nothing'*403 ]]
    # A link for a viewer does not change that.
    sign_in user viewer
    run -0 post '{"action":"cancel","jobs":["1"]}'
    [[ $output == *'user may look'*403 ]]
}

@test "a job is submitted as the user who signed in, and never as root" {
    sign_in user operator
    act '{"action":"submit","script":"#!/bin/sh\nid -un > who\nsleep 300\n","name":"a name","gpus_per_node":"1","time":"10"}'
    [[ $STATE == "done" && $NUMBER =~ ^[0-9]+$ ]] || fail_with "$TEXT"
    run -0 on head squeue --noheader --format='%u|%j|%b|%l' --jobs "$NUMBER"
    [[ $output == 'user|a name|'*'gpu:1|10:00' ]]
    on head scancel "$NUMBER"
    # root has an account, too, and may not come this far.
    sign_in root operator
    act '{"action":"submit","script":"#!/bin/sh\ntrue\n"}'
    [[ $STATE == refused && $TEXT == *'as root'* ]]
    sign_in root admin
    act '{"action":"submit","script":"#!/bin/sh\ntrue\n"}'
    [[ $STATE == refused && $TEXT == *'as root'* ]]
    # Nor any other user of the system.
    sign_in munge operator
    act '{"action":"submit","script":"#!/bin/sh\ntrue\n"}'
    [[ $STATE == refused && $TEXT == *'a user of the system'* ]]
}

@test "what sbatch refuses is told in its own words" {
    sign_in user operator
    act '{"action":"submit","script":"#!/bin/sh\ntrue\n","partition":"nowhere"}'
    [[ $STATE == refused && $TEXT == *'nvalid partition'* ]]
}

@test "one's own job is held, released, requeued and cancelled" {
    local job
    sign_in user operator
    job=$(on --user user head sbatch --parsable --output=/dev/null --begin=now+1hour \
        --chdir=/tmp --wrap 'sleep 300')
    act "{\"action\":\"hold\",\"jobs\":[\"$job\"]}"
    [[ $STATE == "done" ]]
    run -0 on head squeue --noheader --format=%r --jobs "$job"
    [[ $output == JobHeldUser ]]
    act "{\"action\":\"release\",\"jobs\":[\"$job\"]}"
    [[ $STATE == "done" ]]
    run -0 on head squeue --noheader --format=%r --jobs "$job"
    [[ $output != JobHeldUser ]]
    act "{\"action\":\"cancel\",\"jobs\":[\"$job\"]}"
    [[ $STATE == "done" && $(job_state "$job") == CANCELLED ]]
    job=$(sleeper user)
    wait_until 20 running "$job"
    act "{\"action\":\"requeue\",\"jobs\":[\"$job\"]}"
    [[ $STATE == "done" ]]
    wait_until 20 not_running "$job"
    on head scancel "$job"
}

running() {
    [[ $(job_state "$1") == RUNNING ]]
}

not_running() {
    ! running "$1"
}

deed_script() {
    curl -sS -b "$JAR" "$BASE/api/v1/actions" |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["actions"][0].get("script", ""), end="")'
}

@test "one reads one's own script, whatever bytes it has, and no other's" {
    local job script=$BATS_TEST_TMPDIR/script
    printf '#!/bin/sh\n# gr\xfc\xdfe, gr\xc3\xbc\xc3\x9fe <b>\nsleep 300\n' >"$script"
    cp "$script" "$LAB_DIR/home/script"
    job=$(on --user user head sbatch --parsable --output=/dev/null --chdir=/tmp /home/script)
    sign_in user operator
    act "{\"action\":\"script\",\"jobs\":[\"$job\"]}"
    [[ $STATE == "done" ]] || fail_with "$TEXT"
    [[ $(deed_script) == *$'# gr??e, gr\xc3\xbc\xc3\x9fe <b>\nsleep 300'* ]]
    run -0 post '{"action":"script","jobs":["1","2"]}'
    [[ $output == *'one script at a time'*400 ]]
    sign_in alice operator
    act "{\"action\":\"script\",\"jobs\":[\"$job\"]}"
    [[ $STATE == refused ]]
    [[ -z $(deed_script) ]]
    on head scancel "$job"
}

event_is_there() {
    grep -qF "$1" <<<"$(curl -sS -b "$JAR" "$BASE/api/v1/events?kind=action&limit=20")"
}

page_knows() {
    [[ $(curl -sS -b "$JAR" -o /dev/null -w '%{http_code}' "$BASE/api/v1/jobs/$1") == 200 ]]
}

@test "what was done is an event; what was refused is the audit log's alone" {
    local job other
    sign_in user operator
    job=$(sleeper user)
    other=$(sleeper alice)
    act "{\"action\":\"cancel\",\"jobs\":[\"$job\"]}"
    act "{\"action\":\"cancel\",\"jobs\":[\"$other\"]}"
    wait_until 5 event_is_there "user cancelled job $job"
    run ! event_is_there "job $other"
    on head scancel "$other"
}

@test "Slurm decides what an operator may; an admin acts on all" {
    local job
    job=$(sleeper other)
    sign_in user operator
    act "{\"action\":\"cancel\",\"jobs\":[\"$job\"]}"
    [[ $STATE == refused && $TEXT == *denied* ]] || fail_with "$STATE $TEXT"
    act '{"action":"drain","nodes":["worker1"],"reason":"x"}'
    [[ $STATE == refused ]]
    sign_in user admin
    act "{\"action\":\"cancel\",\"jobs\":[\"$job\"]}"
    [[ $STATE == "done" && $(job_state "$job") == CANCELLED ]]
    act '{"action":"drain","nodes":["worker1"],"reason":"bad fan"}'
    [[ $STATE == "done" ]]
    # The reason says who it was: Slurm's record has its own user's name.
    run -0 on head sinfo --noheader --list-reasons
    [[ $output == *'bad fan (user)'* ]]
    act '{"action":"resume","nodes":["worker1"]}'
    [[ $STATE == "done" ]]
    run -0 on head sinfo --noheader --list-reasons
    [[ $output != *'bad fan'* ]]
}

@test "another site cannot make a browser act" {
    sign_in user admin
    local url=$BASE/api/v1/actions body='{"action":"drain","nodes":["worker1"],"reason":"x"}'
    run -0 curl -sS -b "$JAR" -d "$body" "$url"
    [[ $output == *'does not come from a page'* ]]
    run -0 curl -sS -b "$JAR" -H 'Content-Type: text/plain' \
        -H 'X-Requested-By: gpu-watchdog' -d "$body" "$url"
    [[ $output == *'does not come from a page'* ]]
    run -0 post "$body" -H 'Sec-Fetch-Site: cross-site'
    [[ $output == *'does not come from a page'*403 ]]
    run -0 post "$body" -H 'Sec-Fetch-Site: same-site'
    [[ $output == *403 ]]
    run -0 post "$body" -H 'Origin: http://evil.example'
    [[ $output == *403 ]]
    run -0 post "$body" -H 'Origin: null'
    [[ $output == *403 ]]
    # Reading changes nothing, whatever is asked for.
    run -0 curl -sS -b "$JAR" -o /dev/null -w '%{http_code}' "$url?action=drain&nodes=worker1"
    [[ $output == 200 ]]
    run -0 on head sinfo --noheader --list-reasons
    [[ -z $output ]]
    # A cookie with a better role is a forged one.
    local forged
    forged=$(awk '/gpu_watchdog/ { print $NF }' "$JAR")
    sign_out
    run -0 post "$body" -H "Cookie: gpu_watchdog=${forged/admin/Admin}"
    [[ $output == *403 ]]
    sign_in user operator
    forged=$(awk '/gpu_watchdog/ { print $NF }' "$JAR")
    sign_out
    run -0 post "$body" -H "Cookie: gpu_watchdog=${forged/operator/admin}"
    [[ $output == *403 ]]
}

@test "what makes no sense is refused with a sentence" {
    sign_in user operator
    run -0 post 'nonsense'
    [[ $output == *'no JSON object'*400 ]]
    run -0 post '{"action":"cancel","jobs":["--user=other"]}'
    [[ $output == *'is none'*400 ]]
    run -0 post '{"action":"submit","script":"true"}'
    [[ $output == *'interpreter'*400 ]]
    head -c 200000 /dev/zero | tr '\0' x >"$BATS_TEST_TMPDIR/long"
    run -0 post "@$BATS_TEST_TMPDIR/long"
    [[ $output == *413 ]]
}

@test "everything that was tried stands in the audit log, which only root writes" {
    run -0 on head stat --format='%U %a' /var/lib/gpu-watchdog/audit.log
    [[ $output == 'root 640' ]]
    on head cat /var/lib/gpu-watchdog/audit.log | python3 -c '
import json, sys
lines = [json.loads(l) for l in sys.stdin]
one = lambda **k: [l for l in lines if all(l[a] == b for a, b in k.items())]
assert one(who="user", role="operator", action="drain", outcome="refused")
drain, = one(who="user", role="admin", action="drain", outcome="done")
assert drain["as"] in ("slurm", "root") and drain["of"] == "worker1", drain
assert drain["from"].startswith("127.0.0.1:") or drain["from"].startswith("10."), drain
assert one(who="root", action="submit", outcome="refused")'
}

@test "without --allow-actions nothing can be done" {
    background "$BATS_TEST_TMPDIR/serve.log" on head gpu-watchdog serve \
        --listen 127.0.0.1:19341 --dashboard-listen 127.0.0.1:18080 \
        --gpu-exporter-url '' --state /run/actions-test
    wait_until 10 on head curl -s -o /dev/null http://127.0.0.1:18080/api/v1/me
    run -0 on head curl -sS -H 'Content-Type: application/json' \
        -H 'X-Requested-By: gpu-watchdog' -d '{}' http://127.0.0.1:18080/api/v1/actions
    [[ $output == *'without --allow-actions'* ]]
}

@test "a proxy's users have the roles that were given to them" {
    background "$BATS_TEST_TMPDIR/serve.log" on head gpu-watchdog serve \
        --listen 127.0.0.1:19341 --dashboard-listen 127.0.0.1:18080 \
        --gpu-exporter-url '' --state /run/actions-test --allow-actions \
        --proxy-header X-Remote-User --proxy-from 127.0.0.1 \
        --operator user --admin other
    wait_until 10 on head curl -s -o /dev/null http://127.0.0.1:18080/api/v1/me
    local name
    for name in user:operator other:admin ann:viewer; do
        run -0 on head curl -sS -H "X-Remote-User: ${name%:*}" http://127.0.0.1:18080/api/v1/me
        [[ $output == "{\"user\":\"${name%:*}\",\"role\":\"${name#*:}\",\"actions\":true}" ]]
    done
}

@test "on the page a job is cancelled and another submitted" {
    local mine theirs
    mine=$(sleeper user)
    theirs=$(sleeper other)
    sign_in user operator
    wait_until 30 page_knows "$mine"
    wait_until 30 page_knows "$theirs"
    node "$SCENARIO_SOURCE/test/page/page.mjs" actions "$BASE" "$PICTURES" \
        "$(link_for user operator)" "$mine" "$theirs"
    [[ $(job_state "$mine") == CANCELLED ]]
    run -0 on head squeue --noheader --format='%u %j' --name='from the page'
    [[ $output == 'user from the page' ]]
    on head scancel --name='from the page'
    on head scancel "$theirs"
}

@test "on the page a job's script is shown, as text alone" {
    local job
    printf '#!/bin/sh\n# <img src=x onerror=alert(1)>\nsleep 300\n' >"$LAB_DIR/home/script"
    job=$(on --user user head sbatch --parsable --output=/dev/null --chdir=/tmp /home/script)
    sign_in user operator
    wait_until 30 page_knows "$job"
    look script "$(link_for user operator)" "$job" '# <img src=x onerror=alert(1)>'
    on head scancel "$job"
}

@test "on the page a node is drained and resumed" {
    node "$SCENARIO_SOURCE/test/page/page.mjs" drain "$BASE" "$PICTURES" \
        "$(link_for user admin)"
    run -0 on head scontrol show node worker2
    [[ $output == *State=* && $output != *DRAIN* && $output != *loud* ]]
}
