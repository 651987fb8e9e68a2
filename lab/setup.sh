# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Gets a machine ready: installs the Debian packages that are missing and builds
# the programs. Needs lib.sh and progress.sh; where nothing is missing, it changes
# nothing.

POLICY_FILE=/usr/sbin/policy-rc.d
POLICY_MARK='# put here by gpu-watchdog while it installs packages, process'

# Prints the packages of the named groups of the list.
packages_of() {
    local group packages
    while read -r group packages; do
        [[ " $* " != *" $group "* ]] || echo "$packages"
    done <"$LAB_SOURCE/lab/packages" | xargs -n 1
}

# Prints which of the packages named on standard input are not installed.
packages_missing() {
    local -a wanted
    mapfile -t wanted
    comm -23 <(printf '%s\n' "${wanted[@]}" | sort -u) \
        <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" \
            2>/dev/null | sed -n 's/^installed //p' | sort -u)
}

# Keeps packages from starting their services while they are being installed. A
# policy that is there already is somebody's decision and stays.
policy_put() {
    [[ ! -e $POLICY_FILE ]] || return 0
    printf '#!/bin/sh\n%s %s\nexit 101\n' "$POLICY_MARK" $$ >"$POLICY_FILE"
    chmod 755 "$POLICY_FILE"
}

# Takes our policy away, also when the one who put it was killed meanwhile.
policy_remove() {
    local pid
    pid=$(sed -n "s/^$POLICY_MARK //p" "$POLICY_FILE" 2>/dev/null) || return 0
    [[ -n $pid ]] || return 0
    if [[ $pid == "$$" || ! -e /proc/$pid ]]; then
        rm -f "$POLICY_FILE"
    fi
}

apt_get() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 \
        -o APT::Status-Fd=9 "$@" </dev/null 9> >(apt_progress)
}

# Shows how far apt is; it says "pmstatus:munge:24.5:Unpacking munge (amd64)".
apt_progress() {
    local percent text
    while IFS=: read -r _ _ percent text; do
        progress "installing packages: ${percent%.*} %, $text"
    done
    progress_clear
}

# Shows how far ninja is; it says "[24/81] Compiling C object ...".
ninja_progress() {
    local line
    while read -r line; do
        echo "$line"
        progress "building the programs: $line"
    done
    progress_clear
}

# Installs packages; what apt says goes to file LOG.
packages_install() {
    local log=$1 status=0
    shift
    progress 'installing packages'
    policy_put
    {
        apt_get install --yes --no-install-recommends "$@" ||
            { apt_get update &&
                apt_get install --yes --no-install-recommends "$@"; }
    } >"$log" 2>&1 || status=$?
    policy_remove
    return "$status"
}

# Builds everything; what the compiler says goes to file LOG. Programs for another
# system are built there, by whoever made that system.
programs_build() {
    local log=$1
    { meson_build && forward_build; } >"$log" 2>&1
}

meson_build() {
    [[ -z $LAB_ROOT && -e $LAB_SOURCE/meson.build ]] || return 0
    [[ -e $LAB_BUILD/build.ninja ]] ||
        meson setup "$LAB_BUILD" "$LAB_SOURCE" || return 1
    ninja -C "$LAB_BUILD" | ninja_progress
}

# The one program of the lab itself needs nothing but a compiler.
forward_build() {
    local source=$LAB_SOURCE/lab/forward.c
    [[ ! -e $LAB_FORWARD || $source -nt $LAB_FORWARD ]] || return 0
    mkdir -p "${LAB_FORWARD%/*}"
    cc -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -O2 -o "$LAB_FORWARD" "$source"
}
