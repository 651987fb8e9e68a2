#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Slurm's PrivateData on the dashboard: who sees what, row by row, compared with what
# Slurm's own commands show to the same person. A proxy says who asks.

load helpers

ids='{j["id"] for j in A["jobs"]}'

setup_file() {
    export GPU_WATCHDOG_LAB=private-$$ LAB_DIR PATH HEAD_ROOT
    LAB_DIR="${GPU_WATCHDOG_LAB_BASE:-/run/gpu-watchdog-lab}/$GPU_WATCHDOG_LAB"
    HEAD_ROOT=$LAB_DIR/hosts/head/root
    PATH="$SCENARIO_SOURCE/lab:$PATH"
    [[ -z ${GPU_WATCHDOG_BUILD-} ]] || set -- --build "$GPU_WATCHDOG_BUILD"
    "$SCENARIO_SOURCE/start" --name "$GPU_WATCHDOG_LAB" --detach --port-base 0 \
        --by-hand "$@" 3>&-
    local host
    for host in head worker1 worker2; do
        on "$host" useradd --no-create-home --home-dir /tmp --uid 1801 ann
        on "$host" useradd --no-create-home --home-dir /tmp --uid 1802 ben
    done
    (umask 077 && head -c 32 /dev/urandom >"$HEAD_ROOT/etc/slurm/jwt.key")
    chown "$(on head scontrol show config | sed -n 's/^SlurmUser *= \([^(]*\).*/\1/p')" \
        "$HEAD_ROOT/etc/slurm/jwt.key"
    slurm_conf_add <<'CONF'
PrivateData=jobs,users,reservations
AuthAltTypes=auth/jwt
AuthAltParameters=jwt_key=/etc/slurm/jwt.key
CONF
    wait_until 30 all_idle
    export ANNS BENS DONE
    # An end that is seen is remembered: it begins when the dashboard is there.
    ANNS=$(submit ann --gres=gpu:1 --wrap 'sleep 600')
    BENS=$(submit ben --gres=gpu:2 --wrap 'sleep 600')
    on head scontrol create reservation=anns users=ann nodes=head \
        starttime=now+2hours duration=60 flags=maint >/dev/null
    serve_start
    DONE=$(submit ben --wrap 'sleep 20')
}

teardown_file() {
    kill "$SERVE" 2>/dev/null || true
    "$SCENARIO_SOURCE/start" --name "$GPU_WATCHDOG_LAB" --stop 3>&-
}

all_idle() {
    [[ $(on head timeout 2 sinfo --noheader --Node --states=idle --responding \
        --partition=all | wc -l) == 3 ]]
}

submit() { # USER OPTION...: the job's number
    on --user "$1" head sbatch --parsable --output=/dev/null "${@:2}"
}

serve_start() {
    on head gpu-watchdog serve --listen 127.0.0.1:19341 --interval 2s \
        --slow-interval 5s --gpu-interval 2s --dashboard-listen 127.0.0.1:18080 \
        --state /run/private-test \
        --proxy-header X-Remote-User --proxy-from 127.0.0.1 --admin boss \
        --jwt-key /etc/slurm/jwt.key \
        >"$LAB_DIR/serve.log" 2>&1 3>&- </dev/null &
    export SERVE=$!
    wait_until 20 sees boss jobs "{$ANNS, $BENS} <= $ids"
    wait_until 30 sees boss gpus 'sum(bool(g.get("jobs")) for g in A["gpus"]) == 3'
    wait_until 20 sees boss reservations 'len(A["reservations"]) == 1'
}

ask() { # USER PATH
    on head curl -sS -H "X-Remote-User: $1" "http://127.0.0.1:18080/api/v1/$2"
}

# sees USER PATH EXPRESSION: of the answer A; true is needed.
sees() {
    ask "$1" "$2" | python3 -c '
import json, sys
A = json.load(sys.stdin)
value = eval(sys.argv[1])
print(value)
sys.exit(not value)' "$3"
}

sees_as_squeue() { # USER PATH
    local shown
    shown=$(on --user "$1" head squeue --noheader --states=all --format=%i |
        paste -sd,)
    sees "$1" "$2" "$ids == {$shown}"
}

@test "each sees the jobs that squeue shows him" {
    local user
    for user in ann ben; do
        wait_until 10 sees_as_squeue "$user" jobs
        wait_until 10 sees_as_squeue "$user" 'jobs?limit=100'
    done
    sees boss jobs "{$ANNS, $BENS} <= $ids"
    sees carl jobs "$ids == set()"
    # The same without parameters, where a page asks for changes only.
    sees ann 'jobs?since=1' "$ids == {$ANNS}"
}

@test "another one's job is as one that there is not" {
    [[ $(ask ann "jobs/$BENS") == "$(ask ann jobs/99999 | sed "s/99999/$BENS/")" ]]
    sees ann "jobs/$ANNS" "A['id'] == $ANNS"
    sees boss "jobs/$BENS" "A['user'] == 'ben'"
    run -0 ask ann 'jobs?format=csv&limit=100'
    [[ $output == *'"ann"'* && $output != *'"ben"'* ]]
    run -0 ask ann 'jobs?search=ben'
    [[ $output != *'"user":"ben"'* ]]
}

@test "on the GPUs stands that there is a job, not whose" {
    sees ann gpus '[j["job"] for g in A["gpus"] for j in g.get("jobs", []) if not j.get("hidden")] == ["'"$ANNS"'"]'
    sees ann gpus 'sum(j.get("hidden", False) for g in A["gpus"] for j in g.get("jobs", [])) == 2'
    run -0 ask ann gpus
    [[ $output != *'"ben"'* ]]
    sees boss gpus 'sorted({j["user"] for g in A["gpus"] for j in g.get("jobs", [])}) == ["ann", "ben"]'
}

@test "users and reservations: one's own" {
    sees ann users '[u["user"] for u in A["users"]] == ["ann"]'
    sees boss users '{"ann", "ben"} <= {u["user"] for u in A["users"]}'
    sees ann reservations '[r["name"] for r in A["reservations"]] == ["anns"]'
    sees ben reservations 'A["reservations"] == []'
    sees boss reservations 'A["reservations"][0]["users"] == ["ann"]'
    sees boss reservations 'A["reservations"][0]["nodes"] == "head" and "MAINT" in A["reservations"][0]["flags"]'
    sees ann nodes 'len(A["nodes"]) == 3'
}

@test "who wastes is told to himself and to admins, and counts to all" {
    wait_until 60 sees boss cluster '{w["user"] for w in A["wasted"]} == {"ann", "ben"}'
    sees ann cluster '[w["user"] for w in A["wasted"]] == ["ann"]'
    sees carl cluster 'A["wasted"] == [] and sum(g["held_idle"] for g in A["gpus"]) == 3'
    sees ann cluster 'A["hidden"] == ["jobs", "users", "reservations"]'
    sees boss cluster 'A["hidden"] == []'
}

@test "of what was, too" {
    sees boss usage '{"ann", "ben"} <= {u["user"] for u in A["users"]}'
    sees ann usage '[u["user"] for u in A["users"]] == ["ann"]'
    sees ann 'usage?user=ben' 'A["users"] == []'
    sees carl usage 'A["users"] == []'
    wait_until 60 sees boss history "any(j['id'] == $DONE for j in A['jobs'])"
    sees ben history "any(j['id'] == $DONE for j in A['jobs'])"
    sees ann history 'A["jobs"] == []'
    sees ann 'history?user=ben' 'A["jobs"] == []'
    sees boss "series?of=job&id=$BENS&metric=gpus" 'len(A["series"]) == 1'
    sees ann "series?of=job&id=$BENS&metric=gpus" 'A["series"] == []'
    sees ann "series?of=job&id=$ANNS&metric=gpus" 'len(A["series"]) == 1'
    # Slurm forgets the job, we do not; the answer to ann is as before.
    sees ben "jobs/$DONE" "A['id'] == $DONE"
    run -0 ask ann "jobs/$DONE"
    [[ $output == *error* ]]
}

@test "the page says that things are private, and shows no name of another" {
    mkdir -p "$SCENARIO_SOURCE/build-check/pictures"
    nsenter --target "$(pid head)" --net -- node "$SCENARIO_SOURCE/test/page/page.mjs" \
        private http://127.0.0.1:18080 "$SCENARIO_SOURCE/build-check/pictures" ann ben
}

token() { # OPTION...: as Slurm makes them
    on head scontrol token "$@" | sed -n 's/^SLURM_JWT=//p'
}

# What /me says to who shows this in the header Authorization.
who_am_i() {
    on head curl -sS -H "Authorization: $1" http://127.0.0.1:18080/api/v1/me
}

@test "who has a token of Slurm's is let in by it, for as long as it is good" {
    local ann boss jar=/run/private-test/jar url=http://127.0.0.1:18080 cookie
    ann=$(token username=ann lifespan=600)
    boss=$(token username=boss lifespan=600)
    [[ $(who_am_i "Bearer $ann") == *'"user":"ann","role":"viewer"'* ]]
    [[ $(who_am_i "Bearer $boss") == *'"user":"boss","role":"admin"'* ]]
    # In a browser: a cookie that lasts no longer than the token.
    cookie=$(on head curl -sS -D - -o /dev/null -c "$jar" "$url/sign-in?token=$ann")
    [[ $cookie == *'303 See Other'* && $cookie =~ Max-Age=(59[0-9]|600)\; ]]
    [[ $(on head curl -sS -b "$jar" "$url/api/v1/me") == *'"user":"ann"'* ]]
    [[ $(on head curl -sS -b "$jar" "$url/api/v1/jobs") == *"\"id\":$ANNS"* ]]
    [[ $(on head curl -sS -b "$jar" "$url/api/v1/jobs") != *"\"id\":$BENS"* ]]
    # One that was changed, one of another key, one that is over.
    [[ $(who_am_i "Bearer ${ann/./x.}") == *'"user":""'* ]]
    [[ $(who_am_i "Bearer eyJhbGciOiJub25lIn0.eyJzdW4iOiJib3NzIn0.") == *'"user":""'* ]]
    run -0 on head curl -sS -w '%{http_code}' "$url/sign-in?token=${ann}x"
    [[ $output == *'not signed with this cluster'*403 ]]
    ann=$(token username=ann lifespan=1)
    sleep 2
    run -0 on head curl -sS -w '%{http_code}' "$url/sign-in?token=$ann"
    [[ $output == *'The token has expired.'*403 ]]
}

@test "what is no longer private is seen after the next cycles" {
    sed -i 's/^PrivateData=.*/PrivateData=nodes/' "$HEAD_ROOT/etc/slurm/slurm.conf"
    service head restart slurmctld
    wait_until 40 sees ann jobs "{$ANNS, $BENS} <= $ids"
    sees ann nodes 'A["nodes"] == []'
    sees ann gpus 'A["gpus"] == []'
    sees ann cluster 'A["problems"] == [] and all(g["free_on"] == [] for g in A["gpus"])'
    sees ann 'series?of=node&id=worker1&metric=cpus_allocated' 'A["series"] == []'
    sees boss nodes 'len(A["nodes"]) == 3'
}
