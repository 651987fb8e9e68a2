#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# gpu-exporter on the hosts of a real cluster: the simulated GPUs' numbers under
# dcgm-exporter's names, each with the Slurm job that holds and uses it, and what is
# shown when a GPU hangs, is lost, or reports errors.

load helpers

setup_file() {
    scenario_begin
}

teardown_file() {
    scenario_end
}

# The page of a worker's gpu-exporter.
gpus_of() {
    on "$1" curl -fsS "http://127.0.0.1:${2:-9400}/metrics"
}

# page_of WORKER [PORT] and then lines that must be there, as extended patterns.
shows() {
    local page pattern
    page=$(gpus_of "$1") || return 1
    shift
    for pattern in "$@"; do
        grep -qE "$pattern" <<<"$page" || return 1
    done
}

scenario_add() {
    echo "$2" >>"$LAB_DIR/hosts/$1/root/run/gpu-simulated/scenario"
}

scenario_heal() {
    sed -i '/ lost \| hang /d' "$LAB_DIR/hosts/$1/root/run/gpu-simulated/scenario"
}

fault() { # HOST FAULT...: see lab/gpu
    "$SCENARIO_SOURCE/lab/gpu" --name "$GPU_WATCHDOG_LAB" "$@"
}

submit() { # USER OPTION... : the job's number
    local user=$1
    shift
    on --user "$user" head sbatch --parsable --output=/dev/null \
        --nodelist=worker1 "$@"
}

@test "every GPU of a worker is there, under dcgm-exporter's names" {
    wait_until 10 shows worker1 '^gpu_visible 4$' '^gpu_expected 4$' \
        '^DCGM_FI_DEV_GPU_TEMP\{gpu="3",UUID="GPU-[0-9a-f-]+",pci_bus_id="[0-9A-F:.]+",device="nvidia3",modelName="NVIDIA H100 [^"]*\(simulated\)",Hostname="worker1",DCGM_FI_DRIVER_VERSION="[^"]*simulated"\} [0-9]+$' \
        '^DCGM_FI_DEV_POWER_USAGE\{gpu="0".*\} [0-9]+\.[0-9]{6}$'
}

@test "a job's GPUs: which it uses, and which it only holds" {
    local job
    job=$(submit user --gres=gpu:h100:2 --job-name=waste \
        --wrap 'burn --utilization 70 --memory-mib 30000 --gpus 1')
    wait_until 15 shows worker1 \
        "^slurm_gpu_job_info\{gpu=\"0\",.*job_id=\"$job\",user=\"user\",.*partition=\"all\",job_name=\"waste\"\} 1\$" \
        "^slurm_gpu_job_info\{gpu=\"1\",.*job_id=\"$job\"" \
        '^DCGM_FI_DEV_GPU_UTIL\{gpu="0",.*\} 70$' \
        '^DCGM_FI_DEV_GPU_UTIL\{gpu="1",.*\} 0$' \
        "^slurm_gpu_job_memory_bytes\{gpu=\"0\",.*job_id=\"$job\"\} 31457280000\$" \
        "^slurm_gpu_held_idle\{gpu=\"1\",.*job_id=\"$job\"\} 1\$"
    run ! grep -E '^slurm_gpu_held_idle\{gpu="0"' <<<"$(gpus_of worker1)"
    on head scancel "$job"
    job_is_gone() { ! shows worker1 '^slurm_gpu_job_info'; }
    wait_until 15 job_is_gone
}

# With a GPU or without: time of processes that run, that ended, and that were too
# short to be seen; no accounting, and no cgroups.
@test "processors and memory of each job on the node" {
    local job
    job=$(submit bob --mem=1G --wrap "python3 -c 'import time
while time.process_time() < 2: pass'
        for i in \$(seq 100); do /bin/true; done
        python3 -c 'import time
held = bytearray(200 << 20)
time.sleep(60)'")
    wait_until 30 shows worker1 \
        "^slurm_node_job_cpu_seconds_total\{job_id=\"$job\",user=\"bob\"\} [2-4]\.[0-9]+\$" \
        "^slurm_node_job_memory_bytes\{job_id=\"$job\",user=\"bob\"\} 2[12][0-9]{7}\$"
    on head scancel "$job"
    usage_is_gone() { ! shows worker1 "slurm_node_job_.*job_id=\"$job\""; }
    wait_until 15 usage_is_gone
}

@test "array tasks and steps are called as users call them" {
    local job
    job=$(submit alice --array=3,5 --gres=gpu:1 --wrap 'srun burn')
    wait_until 15 shows worker1 "job_id=\"${job}_3\",user=\"alice\"" \
        "job_id=\"${job}_5\",user=\"alice\""
    both_run() {
        [[ $(gpus_of worker1 | grep -c '^slurm_gpu_job_processes.*} 1$') == 2 ]]
    }
    wait_until 15 both_run
    on head scancel "$job"
    becomes_idle worker1
}

node_idle() {
    [[ $(on head sinfo --noheader --nodes="$1" --partition=all --format=%T) == idle ]]
}

# ... or it is told what Slurm did in place of that. On a busy machine a word about a
# job's end may be lost, and Slurm says it again after more than a minute.
becomes_idle() {
    wait_until 150 node_idle "$1" && return
    on head scontrol show node "$1"
    on head squeue --all
    "$SCENARIO_SOURCE/lab/log" --name "$GPU_WATCHDOG_LAB" head slurmctld -n 40
    "$SCENARIO_SOURCE/lab/log" --name "$GPU_WATCHDOG_LAB" "$1" slurmd -n 40
    return 1
}

@test "a process of no job, and one on another job's GPU, are told" {
    local job
    job=$(submit user --gres=gpu:1 --wrap 'sleep 1000')
    wait_until 15 shows worker1 "^slurm_gpu_held_idle\{gpu=\"0\",.*job_id=\"$job\""
    on worker1 bash -c 'SLURM_JOB_GPUS=0 setsid burn --seconds 30 >/dev/null 2>&1 &'
    wait_until 15 shows worker1 \
        '^slurm_gpu_job_processes\{gpu="0",.*job_id=""\} 1$' \
        '^slurm_gpu_foreign_job\{gpu="0",.*job_id=""\} 1$'
    # An environment that lies does not make it another user's job.
    on --user bob worker1 bash -c "SLURM_JOB_ID=$job SLURM_JOB_GPUS=0 \
        setsid burn --seconds 30 >/dev/null 2>&1 &"
    wait_until 15 shows worker1 \
        '^slurm_gpu_job_processes\{gpu="0",.*job_id=""\} 2$'
    on head scancel "$job"
    on worker1 pkill burn
    becomes_idle worker1
}

@test "a GPU that hangs and one that is lost are told, the others stay fresh" {
    scenario_add worker2 'gpu 1 hang nvmlDeviceGetPowerUsage'
    scenario_add worker2 'gpu 2 lost 1'
    wait_until 20 shows worker2 \
        '^gpu_up\{gpu="1",.*state="hung"\} 0$' \
        '^gpu_up\{gpu="2",.*state="lost"\} 0$' \
        '^gpu_lost\{gpu="2"' \
        '^gpu_up\{gpu="0",.*state="up"\} 1$' \
        '^DCGM_FI_DEV_GPU_TEMP\{gpu="3"'
    run ! grep -E '^DCGM_FI_DEV_GPU_TEMP\{gpu="[12]"' <<<"$(gpus_of worker2)"
    scenario_heal worker2
    wait_until 20 shows worker2 '^gpu_up\{gpu="2",.*state="up"\} 1$'
}

@test "release lets go of the driver, resume takes it up again" {
    run -0 on worker1 gpu-exporter release
    [[ $output == released* ]]
    run ! on worker1 pgrep -f collect-gpus
    shows worker1 '^gpu_driver_up 0$' '^gpu_up\{gpu="0",.*state="released"\} 0$'
    run ! grep -q '^DCGM_FI' <<<"$(gpus_of worker1)"
    run -0 on worker1 gpu-exporter resume
    wait_until 10 shows worker1 '^gpu_up\{gpu="0",.*state="up"\} 1$' '^DCGM_FI_DEV_GPU_TEMP'
    run -1 on --user user worker1 gpu-exporter release
}

# another WORKER PORT OPTION...: an exporter of this test's own.
another() {
    local worker=$1 port=$2
    shift 2
    # shellcheck disable=SC2016
    on "$worker" bash -c 'setsid gpu-exporter "$@" >/var/log/lab/another.log 2>&1 &' - \
        --address "127.0.0.1:$port" --collect-interval 500 --control '' \
        --nvml-library "${GPU_WATCHDOG_BUILD:-$SCENARIO_SOURCE/build}/lab/nvml/libnvidia-ml.so.1" \
        "$@"
}

another_shows() {
    local page pattern
    page=$(gpus_of worker1 "$1") || return 1
    shift
    for pattern in "$@"; do
        grep -qE "$pattern" <<<"$page" || return 1
    done
}

@test "errors in the kernel log are counted by number" {
    local log=$LAB_DIR/hosts/worker1/root/run/kmsg us
    us=$(awk '{ printf "%.0f", $1 * 1000000 }' /proc/uptime)
    echo "6,1,$us,-;NVRM: Xid (PCI:0000:1b:00): 79, pid=1, GPU has fallen off the bus." >"$log"
    another worker1 9411 --kmsg /run/kmsg
    wait_until 10 another_shows 9411 \
        '^gpu_xid_errors_total\{gpu="0",.*xid="79",meaning="fell off the bus"\} 1$' \
        '^DCGM_FI_DEV_XID_ERRORS\{gpu="0",.*\} 79$' \
        '^DCGM_FI_DEV_XID_ERRORS\{gpu="1",.*\} 0$'
    echo "6,2,$us,-;NVRM: Xid (PCI:0000:1b:00): 79, pid=1, again" >>"$log"
    wait_until 5 another_shows 9411 'xid="79",meaning="fell off the bus"\} 2$'
    # They outlive a collector.
    # shellcheck disable=SC2016 # on the host
    on worker1 bash -c 'kill -KILL $(pgrep -f "^gpu-exporter collect-gpus.*/run/kmsg")'
    wait_until 10 another_shows 9411 '^gpu_exporter_collector_ends_total 1$'
    wait_until 10 another_shows 9411 'xid="79",meaning="fell off the bus"\} 2$'
}

@test "a storm of errors is counted, and holds nothing up" {
    local root=$LAB_DIR/hosts/worker1/root us before_kib after_kib
    : >"$root/run/kmsg-storm"
    another worker1 9416 --kmsg /run/kmsg-storm
    wait_until 10 another_shows 9416 '^gpu_up\{gpu="3"'
    before_kib=$(resident_kib /run/kmsg-storm)
    us=$(awk '{ printf "%.0f", $1 * 1000000 }' /proc/uptime)
    # The log and the driver's events at the same time, of all GPUs and many numbers.
    seq 200000 | awk -v us="$us" '{ printf "6,%d,%s,-;NVRM: Xid (PCI:0000:1b:00): %d, pid=1\n", $1, us, 1 + $1 % 140 }' >>"$root/run/kmsg-storm"
    seq 20000 | awk '{ print 2, 8, 1 + $1 % 140 }' >>"$root/run/gpu-simulated/events"
    for _ in {1..10}; do
        on worker1 curl -fsS -o /dev/null --max-time 0.5 http://127.0.0.1:9416/metrics
        sleep 0.2
    done
    wait_until 20 another_shows 9416 \
        '^gpu_xid_errors_total\{gpu="0",.*xid="79",meaning="fell off the bus"\} [0-9]{2,}$' \
        '^gpu_xid_errors_total\{gpu="2",.*xid="79",meaning="fell off the bus"\} [0-9]+$' \
        '^gpu_up\{gpu="3".* 1$' '^gpu_exporter_collector_ends_total 0$'
    after_kib=$(resident_kib /run/kmsg-storm)
    ((after_kib < before_kib + 4096)) || fail_with "$before_kib KiB, then $after_kib"
}

# Of the exporter that reads the log KMSG and its collector.
resident_kib() {
    # shellcheck disable=SC2016 # on the host
    on worker1 bash -c 'for pid in $(pgrep -f "^gpu-exporter.*$1"); do
        awk "/^VmRSS/ { print \$2 }" "/proc/$pid/status"; done' - "$1" |
        awk '{ sum += $1 } END { print sum }'
}

@test "instances that come and go are series that come and go" {
    local instance='^DCGM_FI_DEV_FB_USED\{gpu="1",.*GPU_I_PROFILE="1g.10gb",GPU_I_ID="[0-9]+"'
    another worker2 9417
    shows_there() { gpus_of worker2 9417 | grep -cE "$1" | grep -qx "$2"; }
    wait_until 10 shows_there '^gpu_up\{' 4
    lab_gpu worker2 mig 1 1g.10gb 1g.10gb
    wait_until 10 shows_there "$instance" 2
    lab_gpu worker2 mig 1 3g.40gb
    wait_until 10 shows_there "${instance/1g.10gb/3g.40gb}" 1
    shows_there "$instance" 0
    lab_gpu worker2 mig 1 off
    wait_until 10 shows_there 'GPU_I_ID=' 0
    shows_there '^gpu_exporter_collector_ends_total 0$' 1
}

lab_gpu() {
    "$SCENARIO_SOURCE/lab/gpu" --name "$GPU_WATCHDOG_LAB" "$@"
}

@test "SIGHUP: new settings are taken, bad ones are refused whole" {
    local root=$LAB_DIR/hosts/worker1/root
    echo 'DCGM_FI_DEV_FB_USED, gauge, Used' >"$root/run/chosen.csv"
    printf 'collectors: /run/chosen.csv\nno-hostname: true\n' >"$root/run/gpus.yaml"
    another worker1 9418 --config /run/gpus.yaml
    wait_until 10 another_shows 9418 '^DCGM_FI_DEV_FB_USED\{gpu="0"'
    hang_up() {
        # shellcheck disable=SC2016
        on worker1 bash -c 'kill -HUP "$(pgrep -f "^gpu-exporter --address 127.0.0.1:9418")"'
    }
    said() { grep -qF "$1" "$root/var/log/lab/another.log"; }
    # The file of metrics itself, then an option.
    echo 'DCGM_FI_DEV_GPU_TEMP, gauge, Temperature' >"$root/run/chosen.csv"
    hang_up
    wait_until 5 another_shows 9418 '^DCGM_FI_DEV_GPU_TEMP\{gpu="0"'
    printf 'collectors: /run/chosen.csv\nno-hostname: false\nkmsg: /run/other\n' >"$root/run/gpus.yaml"
    hang_up
    wait_until 5 another_shows 9418 '^DCGM_FI_DEV_GPU_TEMP\{gpu="0".*Hostname="worker1"'
    said 'no-hostname true -> false'
    said 'these need a restart: kmsg'
    # Refused whole: the name of a field, then the file's own syntax.
    echo 'DCGM_FI_DEV_NOSUCH, gauge, x' >"$root/run/chosen.csv"
    printf 'collectors: /run/chosen.csv\nno-hostname: true\n' >"$root/run/gpus.yaml"
    hang_up
    wait_until 5 said 'going on with the settings of before'
    echo 'colectors: x' >"$root/run/gpus.yaml"
    hang_up
    wait_until 5 said 'colectors'
    another_shows 9418 '^DCGM_FI_DEV_GPU_TEMP\{gpu="0".*Hostname="worker1"'
}

@test "a collectors file chooses, and mapping files name jobs" {
    local root=$LAB_DIR/hosts/worker1/root
    mkdir -p "$root/run/mapping"
    printf '4711\n' >"$root/run/mapping/1"
    printf 'DCGM_FI_DEV_FB_USED, gauge, Used\nDCGM_FI_DEV_SERIAL, label, Serial\nDCGM_EXP_XID_ERRORS_COUNT, gauge, X\n' \
        >"$root/run/collectors.csv"
    another worker1 9412 -f /run/collectors.csv -n --hpc-job \
        --hpc-job-mapping-dir /run/mapping
    wait_until 10 another_shows 9412 \
        '^DCGM_FI_DEV_FB_USED\{gpu="1",UUID="[^"]*",pci_bus_id="[^"]*",device="nvidia1",modelName="[^"]*",DCGM_FI_DEV_SERIAL="[^"]+",hpc_job="4711"\} [0-9]+$' \
        '^DCGM_EXP_XID_ERRORS_COUNT\{gpu="0",.*window_size_in_ms="300000"\} 0$'
    run ! grep -q DCGM_FI_DEV_GPU_TEMP <<<"$(gpus_of worker1 9412)"
}

@test "health and links are told as dcgm-exporter computes them" {
    local root=$LAB_DIR/hosts/worker1/root
    printf '%s\n' 'DCGM_EXP_GPU_HEALTH_STATUS, gauge, X' 'DCGM_EXP_P2P_STATUS, gauge, X' \
        'DCGM_FI_DEV_VGPU_LICENSE_STATUS, gauge, X' >"$root/run/health.csv"
    fault worker1 remap 2 failed
    fault worker1 nvlink 1 down 17
    fault worker1 nvlink 3 down 18
    fault worker1 license 1 licensed
    fault worker1 license 2 missing
    another worker1 9419 -f /run/health.csv -n
    wait_until 10 another_shows 9419 \
        '^DCGM_EXP_GPU_HEALTH_STATUS\{gpu="0",.*,health_error_code="DCGM_FR_OK",health_watch="PCIE"\} 0$' \
        '^DCGM_EXP_GPU_HEALTH_STATUS\{gpu="1",.*,health_error_code="DCGM_FR_NVLINK_DOWN",health_watch="NVLINK"\} 20$' \
        '^DCGM_EXP_GPU_HEALTH_STATUS\{gpu="2",.*,health_error_code="DCGM_FR_ROW_REMAP_FAILURE",health_watch="MEM"\} 20$' \
        '^DCGM_EXP_P2P_STATUS\{gpu="0",.*,link_status="OK",peer_gpu="1"\} 0$' \
        '^DCGM_EXP_P2P_STATUS\{gpu="0",.*,link_status="NotSupported",peer_gpu="3"\} 5$' \
        '^DCGM_FI_DEV_VGPU_LICENSE_STATUS\{gpu="0",.*\} 0$' \
        '^DCGM_FI_DEV_VGPU_LICENSE_STATUS\{gpu="1",.*\} 1$' \
        '^DCGM_FI_DEV_VGPU_LICENSE_STATUS\{gpu="2",.*\} 0$'
    (($(gpus_of worker1 9419 | grep -c '^DCGM_EXP_GPU_HEALTH_STATUS') == 40))
    (($(gpus_of worker1 9419 | grep -c '^DCGM_EXP_P2P_STATUS') == 12))
    fault worker1 xid 0 95
    wait_until 5 another_shows 9419 \
        '^DCGM_EXP_GPU_HEALTH_STATUS\{gpu="0",.*,health_error_code="DCGM_FR_UNCONTAINED_ERROR",health_watch="MEM"\} 20$'
    fault worker1 heal all
    # What one cannot reach is no reason for the other to wait.
    fault worker1 hang 3 nvmlDeviceGetP2PStatus
    another worker1 9421 -f /run/health.csv -n
    wait_until 10 another_shows 9421 '^gpu_up\{gpu="3",.*state="up"\} 1$' \
        '^DCGM_EXP_GPU_HEALTH_STATUS\{gpu="3",.*health_watch="DRIVER"\} 0$'
    fault worker1 heal all
}

@test "with the prolog, what an allocation holds is told before it runs anything" {
    local root=$LAB_DIR/hosts/worker1/root job file
    install -m 755 "$SCENARIO_SOURCE/deploy/slurm/prolog" "$root/etc/slurm/gpu-prolog"
    install -m 755 "$SCENARIO_SOURCE/deploy/slurm/epilog" "$root/etc/slurm/gpu-epilog"
    another worker1 9419
    slurm_conf_add <<'END'
Prolog=/etc/slurm/gpu-prolog
Epilog=/etc/slurm/gpu-epilog
PrologFlags=Alloc
END
    service worker1 restart slurmd
    idle() { [[ $(on head timeout 2 sinfo --noheader --nodes=worker1 --responding --format=%T) == idle ]]; }
    wait_until 30 idle
    run -0 on --user user head salloc --no-shell --nodelist=worker1 --gres=gpu:2 \
        --job-name=holder
    job=$(on head squeue --noheader --name=holder --format=%i)
    file=/run/gpu-exporter/jobs/$job
    wait_until 10 on worker1 test -e "$file"
    [[ $(on worker1 stat -c '%U %a' "$file") == 'root 644' ]]
    # No process of the job is there: it holds, and uses nothing.
    run ! on worker1 pgrep -u user
    wait_until 10 another_shows 9419 \
        "^slurm_gpu_job_info\{gpu=\"0\",.*job_id=\"$job\",user=\"user\".* 1$" \
        "^slurm_gpu_job_info\{gpu=\"1\",.*job_id=\"$job\",user=\"user\".* 1$"
    on head scancel "$job"
    gone() { ! on worker1 test -e "$file" && ! another_shows 9419 "job_id=\"$job\""; }
    wait_until 20 gone
    sed -i '/^Prolog\|^Epilog/d' "$HEAD_ROOT/etc/slurm/slurm.conf"
    service head restart slurmctld
    service worker1 restart slurmd
    wait_until 30 idle
}

@test "-d chooses GPUs, as dcgm-exporter's does" {
    another worker1 9420 -d g:0,2-3
    wait_until 10 another_shows 9420 '^DCGM_FI_DEV_GPU_TEMP\{gpu="2"' '^gpu_visible 4$'
    run -0 gpus_of worker1 9420
    [[ $output == *'_TEMP{gpu="0"'* && $output == *'_TEMP{gpu="3"'* ]]
    # That a GPU is up or not is told of all of them.
    [[ $output != *'_TEMP{gpu="1"'* && $output == *'gpu_up{gpu="1"'* ]]
    local choice
    for choice in g: g:x g:3-1 g:64 'g:0,' i:0 x g++i; do
        run -2 on worker1 gpu-exporter -a 127.0.0.1:9413 -d "$choice"
    done
    [[ $(on worker1 env DCGM_EXPORTER_DEVICES_STR=g:1+i gpu-exporter --show-config) == *g:1+i* ]]
}

@test "what cannot be is refused in one line" {
    echo 'DCGM_FI_DEV_GPU_TMEP, gauge, x' >"$LAB_DIR/hosts/worker1/root/run/bad.csv"
    run -1 on worker1 gpu-exporter -a 127.0.0.1:9413 -f /run/bad.csv
    [[ $output == *'/run/bad.csv:1: there is no field DCGM_FI_DEV_GPU_TMEP; did you mean DCGM_FI_DEV_GPU_TEMP?'* ]]
    run -2 on worker1 gpu-exporter --colectors x
    [[ $output == *'collectors'* ]]
    run -2 on worker1 gpu-exporter -k
    run -1 on worker1 env DCGM_EXPORTER_COLLECTORS=/nowhere gpu-exporter -a 127.0.0.1:9413
    [[ $output == *'/nowhere: No such file'* ]]
}

@test "without a driver it stays up and says why" {
    # shellcheck disable=SC2016
    on head bash -c 'setsid gpu-exporter --address 127.0.0.1:9414 --control "" \
        --collect-interval 500 >/var/log/lab/another.log 2>&1 &'
    none() { on head curl -fsS http://127.0.0.1:9414/metrics | grep -qx 'gpu_expected 0'; }
    wait_until 10 none
    [[ $(on head curl -fsS http://127.0.0.1:9414/metrics) == *$'\ngpu_driver_up 0\n'* ]]
    [[ $(on head curl -fsS http://127.0.0.1:9414/health) == OK ]]
    [[ $(cat "$HEAD_ROOT/var/log/lab/another.log") == *libnvidia-ml.so.1* ]]
}

@test "it is linked to neither Slurm nor an NVIDIA library" {
    local dir=${GPU_WATCHDOG_BUILD:-$SCENARIO_SOURCE/build}/src/exporter
    run ! grep -E 'slurm|nvidia|cuda' <<<"$(ldd "$dir/gpu-exporter")"
    # What calls drivers has nothing of what serves.
    run ! grep -E 'slurm|nvidia|cuda|tls|microhttpd|curl' <<<"$(ldd "$dir/gpu-collector")"
    # shellcheck disable=SC2016 # on the host
    run -0 on worker1 bash -c 'readlink "/proc/$(pgrep -f "^gpu-exporter collect-gpus" | head -n 1)/exe"'
    [[ $output == */gpu-collector ]]
    run -2 "$dir/gpu-collector"
    [[ $output == *'type "gpu-exporter"'* ]]
}
