#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The Debian package: it is built from what is committed, and installed and removed
# again in a bare Debian 12. Part of ./check --slurm-matrix, which makes such a
# system anyway.

setup_file() {
    cd "$BATS_TEST_DIRNAME/../.." || return
    export PACKAGES=$BATS_FILE_TMPDIR/packages
    mkdir -p "$PACKAGES/source"
    git archive HEAD | tar -x -C "$PACKAGES/source"
    (cd "$PACKAGES/source" && dpkg-buildpackage --build=binary --unsigned-changes \
        >"$PACKAGES/log" 2>&1) || {
        tail -n 20 "$PACKAGES/log"
        return 1
    }
}

# Runs a shell script in the bare system, packages in /packages.
in_debian() {
    lab/in-root --read-only "$PACKAGES:/packages" bookworm bash -euc "$1"
}

@test "the package has what it should, where an administrator looks" {
    cd "$BATS_TEST_DIRNAME/../.."
    local list
    list=$(dpkg -c "$PACKAGES"/gpu-watchdog_*.deb | awk '{ print $6 }')
    local path
    for path in usr/bin/gpu-watchdog usr/bin/prometheus-slurm-exporter \
        usr/lib/systemd/system/gpu-watchdog-exporter.service \
        usr/lib/systemd/system/gpu-watchdog-head.service \
        usr/lib/systemd/system/gpu-watchdog-join.service \
        usr/share/man/man1/gpu-watchdog.1.gz \
        usr/share/man/man8/gpu-watchdog-exporter.8.gz \
        usr/share/bash-completion/completions/gpu-watchdog \
        usr/share/doc/gpu-watchdog/examples/gpu-watchdog.yaml \
        usr/share/gpu-watchdog/prometheus/slurm.rules.yml \
        usr/share/gpu-watchdog/grafana/slurm.json; do
        grep -qxF "./$path" <<<"$list" || { echo "no $path"; return 1; }
    done
}

@test "it installs, runs, and is removed without a trace" {
    cd "$BATS_TEST_DIRNAME/../.."
    run in_debian '
        # All but what dpkg itself keeps books in.
        files() { find / -xdev -not -path "/proc/*" -not -path "/packages*" \
            -not -path "/var/lib/dpkg/*" -not -path "/var/log/*" \
            -not -path "/var/cache/*" -not -path "/tmp/*" -not -path "/run/*" |
            sort; }
        files >/tmp/before
        dpkg -i /packages/gpu-watchdog_*.deb >/tmp/install 2>&1 ||
            { cat /tmp/install; exit 1; }
        gpu-watchdog --version
        prometheus-slurm-exporter --help >/dev/null
        gpu-watchdog exporter --check-config
        dpkg --purge gpu-watchdog >/tmp/purge 2>&1 || { cat /tmp/purge; exit 1; }
        ! grep -i warning /tmp/purge
        files >/tmp/after
        diff /tmp/before /tmp/after'
    echo "$output"
    ((status == 0))
    [[ $output == *'gpu-watchdog 0.'* ]]
}
