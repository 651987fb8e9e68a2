#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The image of deploy/docker/Dockerfile: built from what is committed on a bare
# Debian 13, looked through for secrets layer by layer, and run as head and worker:
# two hosts whose tree is the image's. Part of ./check --slurm-matrix.
#
# No registry is needed: the base is made by mmdebstrap. What this machine's apt is
# configured with is seen by the build, and is not in the image.

load cluster

setup_file() {
    export STORE=$BATS_FILE_TMPDIR/store CONTEXT=$BATS_FILE_TMPDIR/context
    mkdir -p "$CONTEXT"
    git -C "$SCENARIO_SOURCE" archive HEAD | tar -x -C "$CONTEXT"
    base_make trixie
    image_build trixie >"$BATS_FILE_TMPDIR/log" 2>&1 || {
        tail -n 20 "$BATS_FILE_TMPDIR/log"
        return 1
    }
    LAB_ROOT=$(image buildah mount "$(image buildah from --pull-never image-trixie)")
    export LAB_ROOT
    cluster_hosts 1
    mkdir -p "$HEAD_ROOT/var/log/lab" "$LAB_DIR/hosts/worker1/root/var/log/lab"
}

teardown_file() {
    [[ ! -d ${LAB_DIR-} ]] || scenario_end
    image buildah rm --all >/dev/null || true
}

# image buildah ARGUMENT...: with a store of this file's own.
image() {
    "$1" --root "$STORE" --runroot "$STORE-run" --storage-driver vfs "${@:2}"
}

mirror() {
    # shellcheck disable=SC2016 # apt expands it
    local format='$(REPO_URI)'
    echo "${GPU_WATCHDOG_MIRROR:-$(apt-get indextargets --format "$format" \
        'Created-By: Packages' 'Label: Debian' | head -n 1)}"
}

# base_make SUITE: a Debian with apt, and no more, as the image base-SUITE.
base_make() {
    local tar=$BATS_FILE_TMPDIR/$1.tar container
    mmdebstrap --quiet --mode=root --variant=apt --format=tar \
        --aptopt='Acquire::Check-Valid-Until "false"' "$1" "$tar" "$(mirror)"
    container=$(image buildah from scratch)
    image buildah add --quiet "$container" "$tar" / >/dev/null
    image buildah commit --quiet --rm "$container" "base-$1" >/dev/null
    rm "$tar"
}

image_build() {
    image buildah build --isolation chroot --layers --network host --pull-never \
        --volume /etc/apt/apt.conf.d:/etc/apt/apt.conf.d:ro \
        --build-arg "BASE=localhost/base-$1" --tag "image-$1" \
        --file "$CONTEXT/deploy/docker/Dockerfile" "$CONTEXT"
}

layers() {
    python3 - "$1" <<'PYTHON'
import json, sys
def blob(descriptor):
    return sys.argv[1] + "/blobs/" + descriptor["digest"].replace(":", "/")
index = json.load(open(sys.argv[1] + "/index.json"))
manifest = json.load(open(blob(index["manifests"][0])))
print(*map(blob, manifest["layers"]), sep="\n")
PYTHON
}

# What would be the same for all who have the image. Files that a later layer
# removes count; the marks of their removal (.wh.) do not.
layer_is_clean() {
    if tar -tf "$1" | grep -E '(^|/)(munge\.key|slurm\.key|slurm\.jwks|tokens\.json)$'
    then
        return 1
    fi
    if tar -xOf "$1" |
        grep -aE '^-----BEGIN [A-Z ]*PRIVATE KEY|GW1-[0-9A-Za-z]{20}' >&2; then
        return 1
    fi
}

@test "no layer has a key or a token" {
    local layer oci=$BATS_TEST_TMPDIR/oci count=0
    image buildah push --quiet image-trixie "oci:$oci"
    for layer in $(layers "$oci"); do
        layer_is_clean "$layer"
        count=$((count + 1))
    done
    # Of the base, of our package, of all else.
    ((count >= 3))
}

@test "the image has what it needs, and no more" {
    [[ -x $LAB_ROOT/usr/sbin/munged && -x $LAB_ROOT/usr/bin/gpu-watchdog ]]
    [[ ! -e $LAB_ROOT/usr/bin/gcc && -z $(ls "$LAB_ROOT"/tmp/) ]]
    [[ -z $(ls "$LAB_ROOT/var/lib/apt/lists") ]]
}

@test "its entry point is gpu-watchdog, and its labels tell what it is" {
    run -0 image buildah inspect --type image \
        --format '{{.OCIv1.Config.Entrypoint}} {{.OCIv1.Config.Labels}}' image-trixie
    [[ $output == '[gpu-watchdog] '*image.licenses:GPL-2.0-or-later* ]]
}

# Its package makes keys when it is installed, as munge's does.
@test "the image for Runpod builds on it, with a way in and no key" {
    local root
    image buildah build --isolation chroot --network host --pull-never \
        --volume /etc/apt/apt.conf.d:/etc/apt/apt.conf.d:ro \
        --build-arg BASE=localhost/image-trixie --tag image-runpod \
        --file "$CONTEXT/deploy/runpod/Dockerfile" "$CONTEXT"
    run -0 image buildah inspect --type image --format '{{.OCIv1.Config.Entrypoint}}' \
        image-runpod
    [[ $output == '[gpu-watchdog-pod]' ]]
    root=$(image buildah mount "$(image buildah from --pull-never image-runpod)")
    [[ -x $root/usr/local/sbin/gpu-watchdog-pod && -x $root/usr/sbin/sshd ]]
    [[ -z $(find "$root/etc/ssh" -name 'ssh_host_*') ]]
}

@test "head and worker run out of the image, and srun across both" {
    [[ $(on head sh -c 'command -v gpu-watchdog') == /usr/bin/gpu-watchdog ]]
    head_start
    join worker1
    [[ $(on head srun -N2 hostname | sort | xargs) == 'head worker1' ]]
    [[ $(on head srun -N2 grep '^VERSION_ID=' /etc/os-release | uniq) == *'"13"' ]]
}

# compose_words SERVICE KEY: the words of an entry, as compose would start them.
compose_words() {
    python3 - "$SCENARIO_SOURCE/deploy/docker/compose.yaml" "$@" <<'PYTHON'
import sys, yaml
service = yaml.safe_load(open(sys.argv[1]))["services"][sys.argv[2]]
print(*[word.replace("$$", "$") for word in service[sys.argv[3]]], sep="\0", end="\0")
PYTHON
}

# Docker is not here: what compose.yaml would start, its services are given on hosts
# of the image, with a folder for the volume that token and workers share.
@test "what compose.yaml starts makes a cluster" {
    local -a head token shell worker
    mapfile -d '' head < <(compose_words head command)
    mapfile -d '' shell < <(compose_words token entrypoint)
    mapfile -d '' token < <(compose_words token command)
    mapfile -d '' worker < <(compose_words worker1 entrypoint)
    on worker1 gpu-watchdog leave
    unkeep head
    keep head "${head[@]}"
    wait_until 10 head_is_ready
    on head mkdir /token
    on head "${shell[@]}" "${token[@]}"
    on worker1 mkdir /token
    cp -p "$HEAD_ROOT/token/token" "$LAB_DIR/hosts/worker1/root/token/token"
    [[ $(stat -c %a "$HEAD_ROOT/token/token") == 600 ]]
    [[ ${worker[0]} == gpu-watchdog ]]
    : >"$LAB_DIR/hosts/worker1/root/var/log/lab/gpu-watchdog.log"
    keep worker1 "${worker[@]:1}"
    wait_until 10 join_is_done worker1
    [[ $(on head srun -N2 hostname | sort | xargs) == 'head worker1' ]]
}

@test "another base is taken: Debian 12, with its own Slurm" {
    local tree
    base_make bookworm
    image_build bookworm >"$BATS_TEST_TMPDIR/log" 2>&1 || {
        tail -n 20 "$BATS_TEST_TMPDIR/log"
        return 1
    }
    tree=$(image buildah mount "$(image buildah from --pull-never image-bookworm)")
    run -0 chroot "$tree" gpu-watchdog --version
    [[ $output == *'Slurm 22.05'* ]]
    run -0 chroot "$tree" slurmd -V
    [[ $output == 'slurm-wlm 22.05'* ]]
    [[ ! -e $tree/etc/munge/munge.key ]]
}

@test "a base whose Slurm is too old is refused, with the reason" {
    base_make bullseye
    run -1 image_build bullseye
    [[ $output == *'Debian GNU/Linux 11'*'its Slurm is 20.11'*'before 22.05'* ]]
}
