#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# meson install and uninstall: is everything where an administrator, or the program
# that needs it, looks; does it work there; is all of it gone again. That the unit
# works is systemd.bats.

bats_require_minimum_version 1.5.0

setup_file() {
    export SOURCE="$BATS_TEST_DIRNAME/../.."
    export BUILD="${GPU_WATCHDOG_BUILD:-$(cd "$SOURCE" && pwd -P)/build}"
    export DEST=$BATS_FILE_TMPDIR/dest
    export PREFIX=$DEST/usr/local
    # Meson remembers one installation, which may be a real one of this machine.
    LOG=$BUILD/meson-logs/install-log.txt
    export LOG
    [[ ! -e $LOG ]] || cp "$LOG" "$BATS_FILE_TMPDIR/log"
    meson install -C "$BUILD" --no-rebuild --destdir "$DEST" >&2
}

teardown_file() {
    rm -f "$LOG"
    [[ ! -e $BATS_FILE_TMPDIR/log ]] || cp "$BATS_FILE_TMPDIR/log" "$LOG"
}

EXPECTED='bin/gpu-exporter
bin/gpu-watchdog
bin/prometheus-slurm-exporter
lib/systemd/system/gpu-exporter.service
lib/systemd/system/gpu-watchdog-exporter.service
lib/systemd/system/gpu-watchdog-head.service
lib/systemd/system/gpu-watchdog-join.service
libexec/gpu-watchdog/gpu-collector
share/bash-completion/completions/gpu-exporter
share/bash-completion/completions/gpu-watchdog
share/bash-completion/completions/prometheus-slurm-exporter
share/doc/gpu-watchdog/NEWS.md
share/doc/gpu-watchdog/README.md
share/doc/gpu-watchdog/examples/gpu-watchdog.yaml
share/doc/gpu-watchdog/gpu-attribution.md
share/doc/gpu-watchdog/gpu-metrics.md
share/doc/gpu-watchdog/guide-cluster.md
share/doc/gpu-watchdog/guide-exporter.md
share/doc/gpu-watchdog/metrics.md
share/doc/gpu-watchdog/slurm-commands.md
share/gpu-watchdog/grafana/slurm.json
share/gpu-watchdog/prometheus/prometheus.yml
share/gpu-watchdog/prometheus/slurm.rules.yml
share/gpu-watchdog/slurm/README.md
share/gpu-watchdog/slurm/epilog
share/gpu-watchdog/slurm/prolog
share/man/man1/gpu-watchdog-snapshot.1
share/man/man1/gpu-watchdog.1
share/man/man5/gpu-watchdog.yaml.5
share/man/man8/gpu-exporter.8
share/man/man8/gpu-watchdog-doctor.8
share/man/man8/gpu-watchdog-exporter.8
share/man/man8/gpu-watchdog-head.8
share/man/man8/gpu-watchdog-join.8
share/man/man8/gpu-watchdog-key.8
share/man/man8/gpu-watchdog-leave.8
share/man/man8/gpu-watchdog-serve.8
share/man/man8/gpu-watchdog-status.8
share/man/man8/gpu-watchdog-token.8
share/man/man8/gpu-watchdog-user.8
share/man/man8/prometheus-slurm-exporter.8'

installed() {
    (cd "$PREFIX" && find . ! -type d -printf '%P\n' | sort)
}

@test "everything is where one looks, and nothing else" {
    diff <(echo "$EXPECTED") <(installed)
    [[ $(ls "$DEST") == usr && $(ls "$DEST/usr") == local ]]
}

@test "the programs run from there, under both names" {
    [[ $("$PREFIX/bin/gpu-watchdog" --version) == 'gpu-watchdog '* ]]
    [[ $("$PREFIX/bin/prometheus-slurm-exporter" -h) == \
        'Usage: prometheus-slurm-exporter'* ]]
}

@test "every manual page that a --help names is found and reads well" {
    local page command
    for page in $({
        "$PREFIX/bin/gpu-watchdog" --help
        for command in doctor exporter head join key leave snapshot status \
            token user; do
            "$PREFIX/bin/gpu-watchdog" "$command" --help
        done
        "$PREFIX/bin/prometheus-slurm-exporter" -h
    } | sed -n 's/^The manual: man //p') gpu-watchdog.yaml; do
        echo "$page"
        [[ $(man --manpath="$PREFIX/share/man" --where "$page") == "$PREFIX"/* ]]
        run -0 --separate-stderr man --manpath="$PREFIX/share/man" --warnings "$page"
        # shellcheck disable=SC2154 # set by run
        [[ $output == *DESCRIPTION* && -z $stderr ]]
    done
}

@test "completion loads by the name of the command" {
    local program
    for program in gpu-watchdog prometheus-slurm-exporter; do
        # shellcheck disable=SC2016 # expanded by the shell inside
        bash -uc '. "$1" && complete -p "$2"' bash \
            "$PREFIX/share/bash-completion/completions/$program" "$program"
    done
}

@test "rules, scrape configuration, board and example are read by those they are for" {
    promtool check rules "$PREFIX/share/gpu-watchdog/prometheus/slurm.rules.yml"
    promtool check config "$PREFIX/share/gpu-watchdog/prometheus/prometheus.yml"
    python3 -m json.tool "$PREFIX/share/gpu-watchdog/grafana/slurm.json" >/dev/null
    "$PREFIX/bin/gpu-watchdog" exporter --check-config \
        --config "$PREFIX/share/doc/gpu-watchdog/examples/gpu-watchdog.yaml"
}

@test "the unit starts the program that was installed" {
    grep -qx 'ExecStart=/usr/local/bin/gpu-watchdog exporter' \
        "$PREFIX/lib/systemd/system/gpu-watchdog-exporter.service"
}

@test "the packages that the guide asks for are those that the build needs" {
    diff <(sed -n '/^apt-get install/,/[^\\]$/p' "$SOURCE/doc/guide-exporter.md" |
        sed 's/[\]$//' | xargs -n 1 | grep -vxE 'apt-get|install|scdoc' | sort) \
        <(sed -n 's/^build  *//p' "$SOURCE/lab/packages" | xargs -n 1 | sort)
}

@test "uninstall leaves nothing" {
    ninja -C "$BUILD" uninstall
    [[ -z $(find "$DEST" ! -type d 2>/dev/null) ]]
}
