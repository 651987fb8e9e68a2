#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The exporter's server under clients that do not behave, with passwords and
# certificates, and where it cannot start at all. While bad clients are at it, every
# other one is answered at once; when they are gone, so is what they held. What is on
# the pages is in exporter-metrics.bats.

load helpers

setup_file() {
    scenario_begin --workers 1
    exporter_start_ready main
    answers_fast main
    usage main >"$BATS_FILE_TMPDIR/main.usage"
}

teardown_file() {
    exporters_stop
    scenario_end
}

teardown() {
    background_stop
    exporters_stop main
    sanitizer_quiet
}

# --- crowds -----------------------------------------------------------------------

# crowd KIND COUNT [NAME]: clients of a kind (tools/clients.py) come to an exporter;
# what becomes of them will be in CROWD_LOG.
crowd() {
    CROWD_LOG=$BATS_TEST_TMPDIR/$1
    nsenter --target "$HEAD_PID" --net -- python3 "$SCENARIO_TOOLS/clients.py" "$1" \
        "$(exporter_port "${3:-main}")" "$2" >"$CROWD_LOG" 2>&1 3>&- &
    CROWD=$!
    echo "$CROWD" >>"$BATS_TEST_TMPDIR/background"
    wait_until 10 grep -q there "$CROWD_LOG"
}

crowd_end() {
    kill "$CROWD" 2>/dev/null || true
    wait "$CROWD" || true
}

# Descriptors come back to what they were before all of this, memory nearly.
as_small_as_before() {
    local before after
    read -r -a before <"$BATS_FILE_TMPDIR/main.usage"
    is_small() {
        read -r -a after <<<"$(usage main)"
        ((after[0] <= before[0] + 1 && after[1] <= before[1] + 2048))
    }
    # Who hangs up right after half a request is at times not noticed before the
    # deadline of a header, ten seconds (doc/notes/2026-11-23-faults.md).
    wait_until 12 is_small || {
        echo "${before[*]} -> ${after[*]} descriptors and KiB"
        return 1
    }
}

# endured KIND COUNT: while the crowd is there others are answered at once, and it
# leaves nothing behind.
endured() {
    crowd "$@"
    answers_fast main 100
    crowd_end
    cat "$CROWD_LOG"
    as_small_as_before
}

status_of() {
    at_head curl -s -o /dev/null --max-time 10 -w '%{http_code}' "$@"
}

@test "500 connections that say nothing" {
    endured idle 500
}

@test "500 halves of a request" {
    endured half 500
}

@test "clients that hang up in mid-request, or in mid-answer" {
    endured gone 100
    endured reset 100
}

@test "clients that ask again and again and read no answer" {
    endured deaf 100
}

@test "one byte a second: sent away in time, however busy they are" {
    crowd drip 100
    answers_fast main 100
    crowd_is_over() { ! kill -0 "$CROWD" 2>/dev/null; }
    wait_until 20 crowd_is_over
    crowd_end
    grep -q 'refused 100, answered none, still there 0' "$CROWD_LOG"
    as_small_as_before
}

@test "headers without an end: told that they are too long" {
    crowd long 50
    answers_fast main 100
    wait_until 5 grep -q 'still there 0' "$CROWD_LOG"
    crowd_end
    grep -q 'answered 50x431' "$CROWD_LOG"
    as_small_as_before
}

@test "more connections than there may be are told so, and not left to wait" {
    exporter_start_ready small --max-connections 20
    crowd idle 20 small
    [[ $(status_of "$(exporter_url small /healthz)") == 503 ]]
    # Who was there before is served on.
    crowd_end
    wait_until 5 page small /healthz >/dev/null
    answers_fast small
}

@test "what is no good request is refused by name" {
    local url method answer
    url=$(exporter_url main /metrics)
    for method in POST PUT DELETE OPTIONS PATCH TRACE WHATEVER; do
        [[ $(status_of -X "$method" "$url") == 405 ]]
    done
    answer=$(at_head curl -s -i -X DELETE "$url")
    [[ $answer == *'Allow: GET, HEAD'* && $answer == *'use GET or HEAD'* ]]
    [[ $(status_of -d 'a body' "$url") == 405 ]]
    [[ $(status_of -X GET -d 'a body' "$url") == 400 ]]
    [[ $(status_of "$(exporter_url main /nothing)") == 404 ]]
    [[ $(status_of --path-as-is "$(exporter_url main /../etc/passwd)") == 404 ]]
    [[ $(status_of "$(exporter_url main '/metrics?a=%zz')") == 400 ]]
    [[ $(status_of -H "X-Long: $(printf '%020000d' 0)" "$url") == 431 ]]
    [[ $(status_of "$url?$(printf '%020000d' 0)") == 414 ]]
    # And what is no HTTP at all.
    head -c 5000 /dev/urandom >"$BATS_TEST_TMPDIR/noise"
    at_head timeout 5 curl -s "telnet://127.0.0.1:$(exporter_port main)" \
        <"$BATS_TEST_TMPDIR/noise" >"$BATS_TEST_TMPDIR/answer" || true
    answers_fast main
    as_small_as_before
}

@test "requests are counted by path and by what became of them" {
    local before
    before=$(value main 'slurm_exporter_http_requests_total{path="/readyz",code="2xx"}')
    page main /readyz
    page main /readyz
    has_value main 'slurm_exporter_http_requests_total{path="/readyz",code="2xx"}' \
        $((before + 2))
}

# --- passwords and certificates -------------------------------------------------------

# The folder that exporters see as /etc/web.
web_dir() {
    echo "$HEAD_ROOT/etc/web"
}

# web_user NAME PASSWORD: a line of basic_auth_users.
web_user() {
    python3 -W ignore - "$@" <<'PY'
import crypt
import sys
print(f"  {sys.argv[1]}: {crypt.crypt(sys.argv[2], crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=2**8))}")
PY
}

# certificate NAME CN [SIGNER]: NAME.crt and NAME.key, signed by SIGNER or itself.
certificate() {
    local dir
    dir=$(web_dir)
    set -- "$1" "$2" "${3-}"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
        -subj "/CN=$2" -addext "subjectAltName=DNS:$2,IP:127.0.0.1" \
        ${3:+-CA "$dir/$3.crt" -CAkey "$dir/$3.key"} \
        -keyout "$dir/$1.key" -out "$dir/$1.crt" 2>/dev/null
}

# web_start NAME: an exporter with the web configuration on standard input.
web_start() {
    mkdir -p "$(web_dir)"
    cat >"$(web_dir)/$1.yml"
    exporter_spawn "$1" --web.config.file "/etc/web/$1.yml"
    serves() { exporter_log "$1" | grep -q serving; }
    wait_until 20 serves "$1" || {
        exporter_log "$1"
        return 1
    }
}

# Asks for /healthz over TLS, as somebody who trusts the authority ca.
tls_status() {
    local name=$1
    shift
    status_of --cacert "$(web_dir)/ca.crt" "$@" \
        "https://127.0.0.1:$(exporter_port "$name")/healthz"
}

reload() {
    kill -HUP "$(exporter_pid "$1")"
}

logs() {
    exporter_log "$1" | grep -qF "$2"
}

@test "passwords: basic_auth_users, on every path" {
    local path url
    web_start password < <(
        echo basic_auth_users:
        web_user alice secret
    )
    for path in / /metrics /metrics/nodes /healthz /readyz; do
        url=$(exporter_url password "$path")
        [[ $(status_of "$url") == 401 ]]
        [[ $(status_of -u alice:wrong "$url") == 401 ]]
        [[ $(status_of -u bob:secret "$url") == 401 ]]
    done
    wait_until 5 page password /readyz -u alice:secret
    page password /metrics -u alice:secret | grep -qx 'slurm_up 1'
}

@test "guessing passwords holds up nobody who knows his" {
    local i url
    web_start guessed < <(
        echo basic_auth_users:
        web_user alice secret
    )
    url=$(exporter_url guessed /healthz)
    [[ $(status_of -u alice:secret "$url") == 200 ]]
    for i in {1..30}; do
        at_head_background /dev/null curl -s -u "alice:$i" "$url"
    done
    answers_fast guessed 20 --user alice:secret
}

@test "passwords: SIGHUP takes a good file, and refuses a bad one whole" {
    local file url
    web_start changing < <(
        echo basic_auth_users:
        web_user alice secret
    )
    file=$(web_dir)/changing.yml
    url=$(exporter_url changing /healthz)
    [[ $(status_of -u alice:secret "$url") == 200 ]]

    printf 'basic_auth_users:\n%s\n' "$(web_user bob other)" >"$file"
    reload changing
    bob_is_in() { [[ $(status_of -u bob:other "$url") == 200 ]]; }
    wait_until 5 bob_is_in
    [[ $(status_of -u alice:secret "$url") == 401 ]]

    printf 'basic_auth_users:\n  carol: plain\n' >"$file"
    reload changing
    wait_until 5 logs changing 'changing.yml:2: the password of "carol"'
    [[ $(status_of -u bob:other "$url") == 200 ]]
    [[ $(status_of "$url") == 401 ]]

    printf 'basic_auth_users:\n%s\n' "$(web_user dave new)" >"$file"
    reload changing
    dave_is_in() { [[ $(status_of -u dave:new "$url") == 200 ]]; }
    wait_until 5 dave_is_in
}

@test "TLS: with the authority that signed it, and no plain text" {
    mkdir -p "$(web_dir)"
    certificate ca 'an authority'
    certificate server 127.0.0.1 ca
    web_start tls <<'YML'
tls_server_config:
  cert_file: server.crt
  key_file: server.key
YML
    [[ $(tls_status tls) == 200 ]]
    [[ $(tls_status tls --tls-max 1.2) == 200 ]]
    # Not known to who does not trust the authority; not to be had in plain.
    [[ $(status_of "https://127.0.0.1:$(exporter_port tls)/healthz") == 000 ]]
    [[ $(status_of "$(exporter_url tls /healthz)") == 000 ]]
    exporter_log tls | grep -q 'serving https://'

    # A new certificate is taken over; one that does not fit its key is not.
    certificate server 127.0.0.1 ca
    reload tls
    serial=$(openssl x509 -noout -serial -in "$(web_dir)/server.crt")
    serves_serial() {
        at_head openssl s_client -connect "127.0.0.1:$(exporter_port tls)" \
            </dev/null 2>/dev/null | openssl x509 -noout -serial | grep -qx "$serial"
    }
    wait_until 5 serves_serial
    cp "$(web_dir)/ca.key" "$(web_dir)/server.key"
    reload tls
    wait_until 5 logs tls 'belong together'
    [[ $(tls_status tls) == 200 ]]
    serves_serial
}

@test "a client's certificate: asked for, verified, and looked at" {
    local dir
    mkdir -p "$(web_dir)"
    dir=$(web_dir)
    certificate ca 'an authority'
    certificate server 127.0.0.1 ca
    certificate client prometheus.example ca
    certificate other somebody.example ca
    certificate stranger prometheus.example
    web_start mutual <<'YML'
tls_server_config:
  cert_file: server.crt
  key_file: server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.crt
  client_allowed_sans: [prometheus.example]
YML
    as() { tls_status mutual --cert "$dir/$1.crt" --key "$dir/$1.key"; }
    [[ $(as client) == 200 ]]
    [[ $(as other) == 403 ]]
    [[ $(as stranger) == 000 ]]
    [[ $(tls_status mutual) == 000 ]]
}

@test "500 connections that never come to a handshake" {
    mkdir -p "$(web_dir)"
    certificate ca 'an authority'
    certificate server 127.0.0.1 ca
    web_start handshake <<'YML'
tls_server_config: {cert_file: server.crt, key_file: server.key}
YML
    crowd half 500 handshake
    answers_fast handshake 20 --ca "$(web_dir)/ca.crt"
    crowd_end
}

# --- where it cannot start ---------------------------------------------------------------

# refuses STATUS REGEX COMMAND...: the command ends with this exit code, having said
# one line that says what is wrong, where, and what to do.
refuses() {
    local wanted=$1 regex=$2 code=0 said
    shift 2
    on head timeout 10 "$@" >"$BATS_TEST_TMPDIR/said" 2>&1 || code=$?
    said=$(<"$BATS_TEST_TMPDIR/said")
    echo "$*: exit code $code, $said"
    ((code == wanted)) && [[ $said != *$'\n'* && $said =~ $regex ]]
}

# exporter_refuses STATUS REGEX OPTION...
exporter_refuses() {
    refuses "$1" "$2" gpu-watchdog exporter --listen 127.0.0.1:0 "${@:3}"
}

# config_refuses REGEX [LINE...]: an exporter with a configuration file of these lines
config_refuses() {
    printf '%s\n' "${@:2}" >"$HEAD_ROOT/tmp/bad.yaml"
    exporter_refuses 1 "$1" --config /tmp/bad.yaml
}

@test "what cannot be meant on the command line: 2, and what to write" {
    refuses 2 'unknown command "export"; did you mean "exporter"' gpu-watchdog export
    refuses 2 'no command; write for example' gpu-watchdog
    exporter_refuses 2 'unknown option "--lisen.*"; did you mean "--listen"' --lisen=:1
    exporter_refuses 2 '--interval.*"soon".*write for example 15s' --interval=soon
    exporter_refuses 2 'needs a value; write --interval=TIME' --interval
    exporter_refuses 2 '--collect.*"cpu".*did you mean "cpus"' --collect=cpu
    exporter_refuses 2 'has no port; write for example' --listen=127.0.0.1
    exporter_refuses 2 '"extra".*--help' extra
    exporter_refuses 2 'stale-after 2m .* interval 5m' --interval=5m
}

@test "a bad configuration file: 1, and in which line what is wrong" {
    config_refuses 'bad.yaml:2:.*YAML.*write' 'interval: 15s' $'\tlisten: [x'
    config_refuses 'bad.yaml:2:1: unknown key "lisen"; did you mean "listen"' \
        'interval: 15s' 'lisen: :9341'
    config_refuses 'bad.yaml:1:.*"soon".*write' 'interval: soon'
    config_refuses 'stale-after.*interval 5m \(.*bad.yaml:1\)' 'interval: 5m'
    exporter_refuses 1 'nowhere.yaml.*--config' --config /tmp/nowhere.yaml
}

@test "a bad web configuration: 1, and in which line what is wrong" {
    web_refuses() {
        printf '%s\n' "${@:2}" >"$HEAD_ROOT/tmp/web.yml"
        exporter_refuses 1 "$1" --web.config.file /tmp/web.yml
    }
    web_refuses 'web.yml:2:.*"alice".*make one with' 'basic_auth_users:' '  alice: plain'
    web_refuses 'web.yml:1:.*tls_servr_config' 'tls_servr_config: {}'
    web_refuses 'nope.crt.*name another in cert_file' \
        'tls_server_config: {cert_file: nope.crt, key_file: nope.key}'
    exporter_refuses 2 'user "nosuch".*adduser' --user nosuch
    exporter_refuses 1 'nowhere.yml' --web.config.file /tmp/nowhere.yml
}

@test "a port that is taken: 1, and how to see by whom" {
    local port
    port=$(exporter_port main)
    exporter_refuses 1 "listening on 127.0.0.1:$port: another program.* ss -ltnp" \
        --listen "127.0.0.1:$port"
    exporter_refuses 1 'listening on 192.0.2.1:9341:.*ip address' --listen 192.0.2.1:9341
}

@test "no configuration of Slurm: 1, and where it was looked for" {
    refuses 1 'SLURM_CONF names /nowhere.conf: set it to' \
        gpu-watchdog snapshot --slurm-conf /nowhere.conf save /tmp/recording
    refuses 1 '/etc/slurm/slurm.conf is missing: copy it from the controller' \
        unshare --mount sh -c 'mount -t tmpfs none /etc/slurm &&
            exec gpu-watchdog snapshot save /tmp/recording'
    refuses 1 'recording /nowhere: No such file' gpu-watchdog exporter \
        --listen 127.0.0.1:0 --replay /nowhere
}
