#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The simulated GPUs by themselves: from a Slurm job to the numbers of its GPUs, and
# each fault switched on and off, as a program sees it that opens the library where
# a driver's would be. What gpu-exporter makes of it is in gpu-exporter.bats.

load helpers

setup_file() {
    scenario_begin
}

teardown_file() {
    scenario_end
}

# The line of a worker's GPU.
gpu() {
    on "$1" gpu-readings | grep "^$2 "
}

# reads HOST GPU WORD...: all of these are in its line.
reads() {
    local line word
    line="$(gpu "$1" "$2") "
    shift 2
    for word; do
        [[ $line == *" $word "* ]] || return 1
    done
}

# The number behind NAME= in the line of a GPU.
number() {
    gpu "$1" "$2" | sed -n "s/.* $3=\([0-9]*\).*/\1/p"
}

not_reads() {
    ! reads "$@"
}

submit() { # OPTION...: the job's number
    on --user user head sbatch --parsable --output=/dev/null "$@"
}

@test "hosts find the library as a driver's, the machine does not" {
    [[ $(on worker1 gpu-readings | grep -c '(simulated):') == 4 ]]
    [[ $(on worker1 ldconfig -p) == *'=> /var/lib/gpu-simulated/libnvidia-ml.so.1'* ]]
    [[ $(ldconfig -p) != *gpu-simulated* ]]
    run on head gpu-readings
    [[ $status == 1 && $output == *libnvidia-ml.so.1* ]]
}

@test "a job's work shows on its GPUs, and its pid is the host's" {
    local job pid idle_mw
    idle_mw=$(number worker1 0 mW)
    job=$(submit --nodelist=worker1 --gres=gpu:2 \
        --wrap 'burn --utilization 60 --memory-mib 30000')
    wait_until 15 reads worker1 0 busy=60 used-mib=30551
    reads worker1 1 busy=60
    reads worker1 2 busy=0 used-mib=551
    (($(number worker1 0 mW) > 3 * idle_mw))
    pid=$(on worker1 gpu-readings | sed -n 's/^  process \([0-9]*\) .*/\1/p' | head -1)
    [[ $(on worker1 cat "/proc/$pid/comm") == burn ]]
    [[ $(on worker1 cat "/proc/$pid/environ" | tr '\0' '\n') == *"SLURM_JOB_ID=$job"* ]]
    on head scancel "$job"
    wait_until 15 reads worker1 0 busy=0 used-mib=551
}

@test "energy only grows, also when a job is killed" {
    local job before after=0 round
    job=$(submit --nodelist=worker1 --gres=gpu:1 --wrap 'exec burn')
    wait_until 15 reads worker1 0 busy=90
    for round in {1..30}; do
        before=$after
        after=$(number worker1 0 mJ)
        ((after >= before))
        ((round != 10)) || on head scancel --signal=KILL --full "$job"
        sleep 0.05
    done
    wait_until 15 reads worker1 0 busy=0
    (($(number worker1 0 mJ) >= after))
}

@test "nobody puts work down to another user's process" {
    local start pid=1
    # shellcheck disable=SC2016 # awk expands it
    start=$(on worker1 awk '{ print $22 }' /proc/1/stat)
    on --user alice worker1 bash -c "printf '%s\n' 'device 3' 'utilization 100' \
        started-ms\ \$((\$(date +%s%3N) - 5)) >/run/gpu-simulated/use/$pid.$start"
    sleep 0.2
    reads worker1 3 busy=0
    [[ $(on worker1 gpu-readings) != *"process $pid "* ]]
    on worker1 rm "/run/gpu-simulated/use/$pid.$start"
}

@test "a GPU is lost, missing, to be reset, and back" {
    gpu worker2 1
    lab_gpu lost 1
    wait_until 5 reads worker2 1 error-15
    lab_gpu heal 1
    wait_until 5 not_reads worker2 1 error-15
    lab_gpu missing 3
    three() { [[ $(on worker2 gpu-readings | grep -c '^[0-9] ') == 3 ]]; }
    wait_until 5 three
    lab_gpu heal all
    wait_until 5 not three
    lab_gpu reset-required 0
    wait_until 5 reads worker2 0 mW=error-16
    reads worker2 0 NVIDIA
    lab_gpu heal 0
    wait_until 5 not_reads worker2 0 mW=error-16
}

# On the second worker, which no job of this file uses.
lab_gpu() {
    "$SCENARIO_SOURCE/lab/gpu" worker2 "$@"
}

@test "a call hangs until the GPU is healed" {
    lab_gpu hang 0 nvmlDeviceGetPowerUsage
    run on worker2 timeout 1 gpu-readings
    [[ $status == 124 ]]
    background "$BATS_TEST_TMPDIR/readings" "$SCENARIO_SOURCE/lab/on" worker2 gpu-readings
    sleep 0.5
    kill -0 "$BACKGROUND"
    lab_gpu heal 0
    wait_until 5 not kill -0 "$BACKGROUND" 2>/dev/null
    grep -q '^3 ' "$BATS_TEST_TMPDIR/readings"
}

@test "each call can be made to fail with each code" {
    lab_gpu fail 2 nvmlDeviceGetPerformanceState 999
    wait_until 5 reads worker2 2 pstate=error-999
    lab_gpu fail 2 nvmlDeviceGetPerformanceState 4
    wait_until 5 reads worker2 2 pstate=error-4
    lab_gpu heal 2
    wait_until 5 reads worker2 2 pstate=8
}

@test "memory errors, rows, NVLink and PCIe" {
    lab_gpu ecc 0 corrected 3
    lab_gpu ecc 0 corrected 2
    lab_gpu ecc 0 uncorrected 1
    lab_gpu remap 0 pending
    lab_gpu remap 1 failed
    lab_gpu nvlink 2 crc 7
    lab_gpu pcie 3 8 3
    wait_until 5 reads worker2 0 ecc-corrected=5 ecc-uncorrected=1 remap-pending=1
    wait_until 5 reads worker2 1 remap-failed=1 remap-pending=0
    wait_until 5 reads worker2 2 nvlink-crc=7
    wait_until 5 reads worker2 3 pcie-width=8 pcie-generation=3
    lab_gpu heal all
    wait_until 5 reads worker2 0 ecc-corrected=0 remap-pending=0
    wait_until 5 reads worker2 3 pcie-width=16 pcie-generation=5
}

@test "heat slows a GPU down, and the time is counted once" {
    local lasted
    lab_gpu thermal 0
    wait_until 5 reads worker2 0 slowed-by=0x69 celsius=88
    sleep 0.3
    lab_gpu heal 0
    wait_until 5 reads worker2 0 slowed-by=0x1
    lasted=$(number worker2 0 thermal-ns)
    ((lasted > 300000000))
    sleep 0.1
    [[ $(number worker2 0 thermal-ns) == "$lasted" ]]
}

@test "an Xid is an event and a line of the kernel log" {
    local root=$LAB_DIR/hosts/worker2/root
    lab_gpu xid 2 94 'Contained'
    [[ $(tail -n 1 "$root/run/gpu-simulated/events") == '2 8 94' ]]
    [[ $(on worker2 tail -n 1 /dev/kmsg) =~ ^3,[0-9]+,[0-9]+,-\;NVRM:\ Xid\ \(PCI:0000:35:00\):\ 94,.*Contained$ ]]
    lab_gpu recovery 2 reset
    wait_until 5 reads worker2 2 recovery-action=1
    [[ $(on worker2 tail -n 1 /dev/kmsg) == *'to 0x1 (GPU Reset Required)' ]]
    lab_gpu heal 2
    wait_until 5 reads worker2 2 recovery-action=0
}

@test "a driver that is newer than the library says 18 to those who run" {
    lab_gpu hang 0 nvmlDeviceGetPowerUsage
    background "$BATS_TEST_TMPDIR/readings" "$SCENARIO_SOURCE/lab/on" worker2 gpu-readings
    sleep 0.5
    lab_gpu driver 560.35
    lab_gpu heal 0
    wait_until 5 not kill -0 "$BACKGROUND" 2>/dev/null
    grep -q 'error-18' "$BATS_TEST_TMPDIR/readings"
    # Whoever loads it afresh has the right one.
    wait_until 5 reads worker2 0 mW=70000
}

@test "MIG: instances come and go, and a job can use one" {
    local uuid
    lab_gpu mig 1 1g.10gb 1g.10gb 1g.10gb 1g.10gb 1g.10gb 1g.10gb 1g.10gb
    seven() { [[ $(on worker2 gpu-readings | grep -c '^  instance MIG-.*MIG 1g.10gb (simulated)$') == 7 ]]; }
    wait_until 5 seven
    uuid=$(on worker2 gpu-readings | sed -n 's/^  instance \([^ ]*\) .*/\1/p' | sort -u | wc -l)
    [[ $uuid == 7 ]]
    lab_gpu mig 1 3g.40gb
    one() { [[ $(on worker2 gpu-readings | grep -c '^  instance ') == 1 ]]; }
    wait_until 5 one
    lab_gpu mig 1 off
    wait_until 5 not one
}

@test "an old card, and a library that lacks half of its functions" {
    lab_gpu model 3 p100
    wait_until 5 reads worker2 3 P100-PCIE-16GB
    [[ $(gpu worker2 3) != *remap-pending* && $(gpu worker2 3) != *mJ=* ]]
    run on worker2 env LD_LIBRARY_PATH="${GPU_WATCHDOG_BUILD:-$SCENARIO_SOURCE/build}/lab/nvml/old" gpu-readings
    [[ $output == *'3 Tesla P100-PCIE-16GB (simulated): busy=0'* ]]
    [[ $output != *mJ=* ]]
    lab_gpu model 3 h100
}

@test "what cannot be is refused in one line" {
    run lab_gpu nonsense 0
    [[ $status == 2 && $output == *"unknown fault 'nonsense'"* ]]
    run lab_gpu lost 9
    [[ $status == 1 && $output == *'has no GPU 9'* ]]
    run lab_gpu xid 0
    [[ $status == 2 && $output == *'something is missing'* ]]
    run "$SCENARIO_SOURCE/lab/gpu" head lost 0
    [[ $status == 1 && $output == *'no simulated GPUs'* ]]
}
