# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Fills a lab with what a real cluster has: jobs of every kind, nodes in many
# states, reservations, licences, partitions that are hidden or empty. All of it
# stays as it is until the lab ends, so that two who look see the same. Needs
# helpers.bash.

# What the lab's slurm.conf lacks. Nodes called cloud are powered down until
# somebody needs them, and never come up; nobody answers for ghost.
workload_conf() {
    cat <<'CONF'

PrivateData=cloud
MinJobAge=86400
SuspendProgram=/bin/true
ResumeProgram=/bin/true
SuspendTime=86400
ResumeTimeout=3600
Licenses=matlab:10,abaqus:3
NodeName=cloud[1-2] CPUs=8 RealMemory=16000 Gres=gpu:a100:8 State=CLOUD
NodeName=cloud3 CPUs=8 RealMemory=16000 Gres=gpu:2 State=CLOUD
NodeName=ghost NodeAddr=10.77.0.99 CPUs=4 RealMemory=8000 Gres=gpu:h100:2
NodeName=later CPUs=4 State=FUTURE
PartitionName=cloud Nodes=cloud[1-3] MaxTime=INFINITE State=UP
PartitionName=secret Nodes=ghost,cloud3 Hidden=YES State=UP
PartitionName=closed Nodes=worker1 State=DOWN
PartitionName=empty State=UP
CONF
}

workload_gres() {
    cat <<'CONF'
NodeName=cloud[1-2] Name=gpu Type=a100 File=/dev/nvidia[0-7]
NodeName=cloud3 Name=gpu File=/dev/nvidia[0-1]
NodeName=ghost Name=gpu Type=h100 File=/dev/nvidia[0-1]
CONF
}

# Runs on the head. Everything that is asked for a certain node fits there at once;
# what is to wait can never start.
workload_submit() {
    set -euo pipefail
    as() { setpriv --reuid="$1" --regid="$1" --init-groups -- "${@:2}"; }
    batch() { as "$1" sbatch --parsable --chdir=/tmp --output=/dev/null "${@:2}"; }
    job() { batch "$@" --wrap='sleep 3000'; }
    local typed failed suspended

    # Running: typed GPUs, untyped ones, none; a licence; a heterogeneous job; without
    # an account; a name that has to be escaped.
    typed=$(job alice -A vision -p gpu -w worker1 --gres=gpu:h100:2 -c 4 -L matlab:3)
    job bob -A teaching -p gpu -w worker1 --gres=gpu:1 -c 2
    job user -A research -p all -w worker2 -c 3 -J 'say "hi" \ there'
    job user -p all -w worker2 -c 1 --mem=300
    batch user -A research -p all -w worker2 -c 1 : -p all -w worker1 -c 2 \
        --wrap='sleep 3000'
    suspended=$(job alice -A vision -p all -w worker2 -c 1)
    # An array of which two run; one with gaps, held; one of a dependency.
    job bob -A teaching -p all -w worker2 -c 1 --array=1-20%2
    job user -A research -c 2 --hold --array=0-899:3,901,903-910
    job alice -A vision --dependency="afterok:$typed" --gres=gpu:h100:4 --array=1-3
    # Waiting for what cannot be: two partitions, of which one is hidden from others;
    # another day; more than there is; a node that is being started.
    job user -A research -p all,gpu -N2 --gres=gpu:h100:4
    job alice -A vision -p cloud,gpu --begin=now+1day --gres=gpu:2
    job bob -A teaching -p secret -w ghost
    job alice -A vision -p cloud -w cloud1 --gres=gpu:a100:3 -c 2
    # Ended.
    batch user -A research -p all -w worker2 --wrap=true
    failed=$(batch user -A research -p all -w worker2 --wrap=false)
    job user -A research --dependency="afterok:$failed"
    scancel "$(job bob -A teaching --hold)"

    until [[ $(squeue -h -o %T -j "$suspended") == RUNNING ]]; do sleep 0.1; done
    # Whose time has no limit cannot start before the reservation of tomorrow.
    until [[ $(squeue -h --states=all -o %T -j "$failed") == FAILED ]]; do
        sleep 0.1
    done
    scontrol suspend "$suspended"
    scontrol update NodeName=head State=DRAIN Reason='fan "2" broken \ dust'
    scontrol update NodeName=worker1 State=DRAIN Reason='new kernel'
    scontrol update NodeName=ghost State=DOWN Reason='never came'
    scontrol create reservation ReservationName=upgrade Nodes=cloud3 Users=root \
        StartTime=now Duration=600 Flags=MAINT,IGNORE_JOBS
    scontrol create reservation ReservationName=course Nodes=cloud2 \
        Users=alice,bob StartTime=now Duration=600 Flags=IGNORE_JOBS
    scontrol create reservation ReservationName=tomorrow Nodes=worker2 \
        Users=alice StartTime=now+1day Duration=600 Licenses=matlab:2 \
        Flags=IGNORE_JOBS
}

# Has everything settled that will?
workload_settled() {
    local states
    states=$(on head squeue -a -r -h --states=all -o %T | sort | uniq -c)
    [[ $states == *' 1 CANCELLED'* && $states == *' 3 COMPLETED'* &&
        $states == *' 1 FAILED'* && $states == *' 1 SUSPENDED'* &&
        $states == *' 8 RUNNING'* && $states == *' 1 CONFIGURING'* ]]
}

workload_start() {
    workload_gres >>"$HEAD_ROOT/etc/slurm/gres.conf"
    # Backfill, which alone starts heterogeneous jobs, would come by twice a minute.
    sed -i 's/^SchedulerParameters=/&bf_interval=3,/' "$HEAD_ROOT/etc/slurm/slurm.conf"
    workload_conf | slurm_conf_add
    nodes_idle() {
        [[ $(on head sinfo -h -n head,worker1,worker2 -p all -o %D,%T) == 3,idle ]]
    }
    wait_until 20 nodes_idle
    {
        declare -f workload_submit
        echo workload_submit
    } | on head bash
    wait_until 30 workload_settled
}
