#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Shares, limits and QOS on a lab with real accounting: is each series what Slurm's
# own commands say, for a site that has a limit of every kind, associations of a
# partition, shares of a parent, and jobs that use all of it. That accounting itself
# works is lab-accounting.bats.

load helpers

setup_file() {
    scenario_begin --accounting
    site_limit
    usage_make
    # It works usage out when it starts, and then once a minute.
    service head restart slurmctld
    on head bash <<<"$(declare -f jobs_submit); jobs_submit"
    wait_until 20 jobs_settled
    exporter_start_ready main
}

teardown_file() {
    exporters_stop
    scenario_end
}

teardown() {
    sanitizer_quiet
}

# --- the site ---------------------------------------------------------------------

# A limit of each kind, on an account, on users, and on a QOS.
site_limit() {
    manage() { on head sacctmgr --immediate --quiet "$@" >/dev/null; }
    manage modify account research set GrpJobs=20 GrpSubmitJobs=200 GrpWall=50:00 \
        GrpTRES=gres/gpu=8,cpu=40,mem=100G GrpTRESMins=gres/gpu=60000,cpu=100000 \
        GrpTRESRunMins=cpu=50000,gres/gpu=20000 MaxJobs=15 MaxSubmitJobs=150 \
        MaxWall=2-00:00:00 MaxTRES=cpu=32,node=4 MaxTRESPerNode=cpu=12 \
        MaxTRESMins=cpu=30000
    manage modify user alice where account=vision set MaxJobs=6
    manage add user alice Account=vision Partition=gpu Fairshare=parent \
        GrpTRES=gres/gpu=3,cpu=8 GrpJobs=5 QOS=normal,long
    manage modify qos long set GrpJobs=30 GrpSubmitJobs=300 GrpWall=90:00 \
        GrpTRESMins=gres/gpu=5000 GrpTRESRunMins=cpu=7000 MaxTRES=gres/gpu=4 \
        MaxTRESPerNode=gres/gpu=3 MaxTRESMins=cpu=3000 MaxWall=1-12:00:00 \
        MaxTRESPerUser=cpu=16,mem=64G MaxTRESPerAccount=gres/gpu=6 \
        MaxJobsPerAccount=9 MaxSubmitJobsPerAccount=90 \
        MaxTRESRunMinsPU=cpu=4000 MaxTRESRunMinsPA=cpu=5000
}

# Everybody uses something, not all the same.
usage_make() {
    on --user user head srun -p all -c 1 sleep 1 &
    on --user alice head srun -p all -c 2 --gres=gpu:h100:1 sleep 2 &
    on --user bob head srun -p all -c 3 sleep 2 &
    wait
}

# Runs on the head. GPUs with their type: without it Slurm does not count those of a
# job that starts before its node has registered with the new slurmctld.
jobs_submit() {
    set -euo pipefail
    job() {
        setpriv --reuid="$1" --regid="$1" --init-groups -- \
            sbatch --chdir=/tmp --output=/dev/null "${@:2}" --wrap='sleep 3000'
    }
    job user -p all -t 60 -c 2 --qos=long --gres=gpu:h100:2
    job user -p all -t 30 -c 1
    job alice -p gpu -t 90 -c 3 --gres=gpu:h100:1 --qos=long
    job alice -p all -t 90 -c 1 --mem=300
    job bob -p all -t 60 -c 2 --gres=gpu:h100:1
    job bob -p all -t 60 --qos=short --hold --array=1-5
    # More than his account may have at a time.
    job bob -p all -t 60 --gres=gpu:h100:2
}

jobs_settled() {
    local states
    states=$(on head squeue -r -h -o '%T %r' | sort | uniq -c | xargs)
    [[ $states == '1 PENDING AssocGrpGRES 5 PENDING JobHeldUser 5 RUNNING None' ]]
}

# --- the truth ----------------------------------------------------------------------

says() {
    on head bash <"$SCENARIO_TOOLS/accounting-says"
}

# agrees VIEW...: the page lies between what Slurm said before and after it.
agrees() {
    says >"$BATS_TEST_TMPDIR/before"
    cycle main
    page main /metrics >"$BATS_TEST_TMPDIR/page"
    says >"$BATS_TEST_TMPDIR/after"
    "$SCENARIO_TOOLS/accounting.py" "$BATS_TEST_TMPDIR"/{before,after,page} "$@"
}

@test "shares, usage, fair share and level are sshare's" {
    agrees shares
}

@test "limits and what is used of them are slurmctld's" {
    agrees used
}

@test "limits are those that were written with sacctmgr" {
    agrees limits
}

@test "jobs, CPUs and GPUs by QOS are those of the jobs" {
    agrees qos
}

@test "GPUs of users and accounts are those of their jobs" {
    agrees gpus
}

# So that the comparisons are of something.
@test "the site has every kind of limit, and uses them" {
    page main /metrics >"$BATS_TEST_TMPDIR/page"
    kinds() {
        sed -n "s/^$1{.*kind=\"\([a-z_]*\)\".*/\1/p" "$BATS_TEST_TMPDIR/page" | sort -u
    }
    [[ $(kinds slurm_association_limit | wc -l) == 12 ]]
    [[ $(kinds slurm_qos_limit | wc -l) == 18 ]]
    [[ $(kinds slurm_association_limit_used | wc -l) == 8 ]]
    [[ $(kinds slurm_qos_limit_used | wc -l) == 6 ]]
}

# The root account is the whole: sshare prints its shares as 1 / NO_VAL, which made
# its fair share 0.
@test "root has all shares and a fair share" {
    local root='{account="root",user="",partition=""}'
    has_value main "slurm_share_norm$root" 1
    has_value main "slurm_share_usage_norm$root" 1
    has_value main 'slurm_account_fairshare{account="root"}' 0.5
}

# Slurm's factor of an account is of its own making and means nothing.
@test "users have a share factor, accounts have none, parent's shares no level" {
    local label
    page main /metrics >"$BATS_TEST_TMPDIR/page"
    run ! grep '^slurm_share_factor{.*user=""' "$BATS_TEST_TMPDIR/page"
    for label in alice bob user root; do
        grep -q "^slurm_share_factor{.*user=\"$label\"" "$BATS_TEST_TMPDIR/page"
    done
    run -0 grep 'partition="gpu"' "$BATS_TEST_TMPDIR/page"
    [[ $output == *'slurm_share_factor{account="vision",user="alice",'* ]]
    [[ $output != *slurm_share_level_fs* && $output != *slurm_share_raw* ]]
}

# vpenso's exporter shows 0 for every account under FAIR_TREE.
@test "accounts that used less have the better fair share" {
    local research teaching
    research=$(value main 'slurm_account_fairshare{account="research"}')
    teaching=$(value main 'slurm_account_fairshare{account="teaching"}')
    [[ $(bc <<<"0 < $research && $research < 1 && 0 < $teaching && $teaching < 1") == 1 ]]
    [[ $(value main 'slurm_account_fairshare{account="vision"}') != 0 ]]
}

@test "a limit that is changed is changed on the page" {
    local series='slurm_association_limit{account="teaching",user="",partition=""'
    series+=',kind="grp_tres",resource="gres/gpu"}'
    has_value main "$series" 2
    on head sacctmgr -i -Q modify account teaching set GrpTRES=gres/gpu=5
    wait_until 10 has_value main "$series" 5
    on head sacctmgr -i -Q modify account teaching set GrpTRES=gres/gpu=-1
    gone() { ! value main "$series" >/dev/null; }
    wait_until 10 gone
}

# The last one, since it changes the cluster. bob has a job that waits, so Slurm works
# his factor out.
@test "without FAIR_TREE there is no level, and a factor of shares and dampening" {
    local bob='{account="teaching",user="bob",partition=""}' factor
    printf '%s\n' PriorityFlags=NO_FAIR_TREE FairShareDampeningFactor=3 | slurm_conf_add
    wait_until 20 slurmctld_answers
    exporter_stop main || true
    exporter_start_ready main
    agrees classic
    run ! grep '^slurm_share_level_fs' "$BATS_TEST_TMPDIR/page"
    factor=$(on head sshare -n -P -U -u bob -o FairShare)
    agrees_with_factor() {
        [[ $(bc -l <<<"d = $(value main "slurm_share_factor$bob") - $factor
            d < 0.001 && d > -0.001") == 1 ]]
    }
    wait_until 10 agrees_with_factor
}
