#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# deploy.sh up | status | down: a Slurm cluster on Runpod in one command.
#
# Terraform (main.tf) makes volume and pods; this makes the password, waits until all
# nodes are in Slurm, says how far it is, and what to type next. What was once chosen
# stays chosen (settings.auto.tfvars). Needs bash, curl and Terraform >= 1.6 or
# OpenTofu, and RUNPOD_API_KEY; nothing of it is sent anywhere but by them to Runpod.
#
# RUNPOD_PROXY is where a pod's port 8080 is seen from here, %s for the pod; tests set
# it, and GPU_WATCHDOG_TERRAFORM.

set -euo pipefail
umask 077
cd "$(dirname "$0")"

PROXY=${RUNPOD_PROXY:-https://%s-8080.proxy.runpod.net}
SETTINGS=settings.auto.tfvars
begin_s=$SECONDS

usage() {
    cat <<'TEXT'
Usage: deploy.sh up [OPTION]... | status | down

  up      Make the cluster, or change it to what the options say
  status  Say what the head says
  down    Take pods and volume away, with all that is on them

Options of up; each stays as it was last given:
  --image NAME        The image of deploy/runpod/Dockerfile, in a registry
  --workers N         Workers beside the head (1)
  --gpu TYPE          Runpod's name of the GPUs ("NVIDIA A100 80GB PCIe")
  --gpus N            GPUs of each pod (1)
  --data-center NAME  Where; one that has global networking (US-KS-2)
  --volume-gb N       Room for homes and state (50)
  --timeout SECONDS   Give up waiting, not the pods, after so long (900)
TEXT
}

fail() {
    printf 'deploy.sh: %s\n' "$*" >&2
    exit 1
}

wrong() {
    printf 'deploy.sh: %s; see deploy.sh --help\n' "$*" >&2
    exit 2
}

say() {
    printf '%4d s  %s\n' $((SECONDS - begin_s)) "$*"
}

terraform_find() {
    local name
    for name in ${GPU_WATCHDOG_TERRAFORM:-terraform tofu}; do
        if command -v "$name" >/dev/null; then
            TERRAFORM=$name
            return
        fi
    done
    fail 'neither terraform nor tofu is here; get Terraform 1.6 or later'
}

# set_one NAME VALUE: into the settings, in place of what was there.
set_one() {
    local rest=''
    [[ ! -e $SETTINGS ]] || rest=$(grep -v "^$1 = " "$SETTINGS" || true)
    printf '%s\n' ${rest:+"$rest"} "$1 = $2" >"$SETTINGS.new"
    mv "$SETTINGS.new" "$SETTINGS"
}

number() {
    [[ $2 =~ ^[0-9]{1,4}$ ]] || wrong "$1 takes a number, not '$2'"
}

word() {
    [[ $2 =~ ^[A-Za-z0-9][A-Za-z0-9\ ._:/@-]*$ ]] || wrong "$1 cannot be '$2'"
}

options_read() {
    local name
    while (($# > 0)); do
        (($# > 1)) || wrong "$1 takes a value"
        name=${1#--}
        name=${name//-/_}
        case $1 in
        --workers | --gpus | --volume-gb)
            number "$1" "$2"
            set_one "$name" "$((10#$2))"
            ;;
        --image | --gpu | --data-center)
            word "$1" "$2"
            set_one "$name" "\"$2\""
            ;;
        --timeout)
            number "$1" "$2"
            timeout_s=$((10#$2))
            ;;
        *) wrong "unknown option $1" ;;
        esac
        shift 2
    done
}

setting() {
    { sed -n "s/^$1 = //p" "$SETTINGS" 2>/dev/null || true; } | tr -d '"'
}

password_make() {
    [[ -s password ]] ||
        head -c 18 /dev/urandom | base64 | tr '+/' '-_' >password
    TF_VAR_password=$(<password)
    export TF_VAR_password
}

# terraform_run ARGUMENT...: what it prints is shown when it fails.
terraform_run() {
    local log
    log=$(mktemp)
    if ! "$TERRAFORM" "$@" -no-color >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        fail "$TERRAFORM $1 failed; what it made so far goes on costing money" \
            "(./deploy.sh down)"
    fi
    rm -f "$log"
}

# The password is told to curl on its standard input, where nobody sees it.
head_ask() {
    # shellcheck disable=SC2059 # the pattern is ours
    curl --silent --fail --max-time 10 --config - "$(printf "$PROXY" "$head")$1" \
        <<<"user = \"admin:$(<password)\""
}

# nodes_in STATE: how many nodes of the answer are in that state.
nodes_in() {
    local pattern="\"by_state\":\\{[^}]*\"$1\":([0-9]+)"
    if [[ $(cat) =~ $pattern ]]; then echo "${BASH_REMATCH[1]}"; else echo 0; fi
}

# What the head knows of the cluster: "ready NODES", or what is still awaited.
cluster_ask() {
    local answer state nodes=0
    answer=$(head_ask /api/v1/cluster) || {
        echo 'waiting for the head (its pod pulls the image first)'
        return
    }
    for state in idle mixed allocated; do
        nodes=$((nodes + $(nodes_in "$state" <<<"$answer")))
    done
    if ((nodes > workers)); then
        echo "ready $nodes"
    else
        echo "the head answers; $nodes of $((workers + 1)) nodes are ready"
    fi
}

cluster_wait() {
    local now='' last=''
    while [[ $now != ready* ]]; do
        ((SECONDS - begin_s < timeout_s)) || fail "not ready after $timeout_s s:" \
            "$last. The pods run on and cost money; look at their logs in" \
            "Runpod's console, then ./deploy.sh status or ./deploy.sh down"
        now=$(cluster_ask)
        if [[ $now != "$last" && $now != ready* ]]; then
            say "$now"
        fi
        last=$now
        [[ $now == ready* ]] || sleep "${DEPLOY_POLL_S:-3}"
    done
    say "ready: ${now#ready } nodes"
}

up() {
    timeout_s=900
    options_read "$@"
    [[ -n ${RUNPOD_API_KEY-} ]] ||
        fail 'RUNPOD_API_KEY is not set; make a key in the settings of your account'
    [[ -n $(setting image) ]] ||
        wrong 'up needs --image, the image of deploy/runpod/Dockerfile in a registry'
    terraform_find
    password_make
    workers=$(setting workers)
    workers=${workers:-1}
    say "Terraform makes a volume, a head and $workers worker(s)"
    terraform_run init -input=false
    terraform_run apply -input=false -auto-approve
    head=$("$TERRAFORM" output -raw head)
    say "the pods are made; the head is $head"
    cluster_wait
    # shellcheck disable=SC2059
    cat <<TEXT

dashboard  $(printf "$PROXY" "$head")
sign in    admin, with the password in $PWD/password
shell      ssh, as Runpod's console shows it for the pod $head; then
           su - user
           srun -N$((workers + 1)) hostname
These pods cost money until you type: ./deploy.sh down
TEXT
}

status() {
    (($# == 0)) || wrong 'status takes no options'
    terraform_find
    head=$("$TERRAFORM" output -raw head 2>/dev/null) ||
        fail 'there is no cluster; ./deploy.sh up makes one'
    workers=$(setting workers)
    workers=${workers:-1}
    cluster_ask | sed 's/^ready \(.*\)/\1 nodes are ready/'
}

down() {
    (($# == 0)) || wrong 'down takes no options'
    terraform_find
    # Of no matter, but asked for.
    export TF_VAR_password=none
    [[ -n $(setting image) ]] || set_one image '"none"'
    say "Terraform takes pods and volume away"
    terraform_run init -input=false
    terraform_run destroy -input=false -auto-approve
    rm -f password "$SETTINGS"
    say 'nothing is left, and nothing costs money'
}

case ${1-} in
up | status | down) "$@" ;;
-h | --help) usage ;;
*)
    usage >&2
    exit 2
    ;;
esac
