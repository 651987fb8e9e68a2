#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The lab with --accounting: are slurmdbd and MariaDB real, do limits and shares
# mean anything.

bats_require_minimum_version 1.5.0

setup_file() {
    export SOURCE="$BATS_TEST_DIRNAME/../.."
    export GPU_WATCHDOG_LAB="bats-acct-$$"
    export PATH="$SOURCE/lab:$PATH"
    "$SOURCE/start" --name "$GPU_WATCHDOG_LAB" --detach --port-base 0 --accounting 3>&-
}

teardown_file() {
    "$SOURCE/start" --name "$GPU_WATCHDOG_LAB" --stop 3>&-
}

# wait_until SECONDS COMMAND...
wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.05
    done
}

@test "a finished job is in the database with its account and GPUs" {
    on --user alice head srun --gres=gpu:2 true
    recorded() {
        on head sacct -X -n -P -u alice -o Account,State,AllocTRES |
            grep -q '^vision|COMPLETED|.*gres/gpu=2'
    }
    wait_until 10 recorded
}

@test "an account's GPU limit holds a job back" {
    local job
    job=$(on --user bob head sbatch --parsable --gres=gpu:3 --wrap true)
    over_account() {
        [[ $(on head squeue -h -j "$job" -o %r) == AssocGrpGRES ]]
    }
    wait_until 10 over_account
    on head scancel "$job"
}

@test "a QOS limits what one user may hold" {
    local job
    job=$(on --user user head sbatch --parsable --qos=short --gres=gpu:3 --wrap true)
    over_qos() {
        [[ $(on head squeue -h -j "$job" -o %r) == QOSMaxGRESPerUser ]]
    }
    wait_until 10 over_qos
    on head scancel "$job"
}

@test "nobody submits without an association" {
    run ! on --user nobody head sbatch --wrap true
    [[ $output == *'Invalid account'* ]]
}

@test "shares are those that were given" {
    run -0 on head sshare --all --noheader --parsable2 --format=Account,User,RawShares
    [[ $output == *'research||60'* ]]
    [[ $output == *'vision|alice|5'* ]]
}

@test "slurmctld outlives a database that goes away, and finds it again" {
    service head stop slurmdbd mariadb
    on head scontrol ping
    on --user user head srun hostname
    service head start mariadb slurmdbd
    answers() { on head sacctmgr --noheader list cluster >/dev/null 2>&1; }
    wait_until 20 answers
}
