/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The metrics of /metrics: vpenso's names with his units and rules ("drop-in"
 * below; exporters.md 1.2), and ours beside them, which clash with nobody's.
 *
 * His gauges that are called _total are declared untyped: their names and
 * meanings are a contract, and promtool accepts a _total that is no counter
 * only so.
 */
#include "model/fleet.h"
#include "model/metric-macros.h"
#include "model/tally.h"
#include "model/totals.h"

static const struct metric_vector node_bases = {
    .label = "state", .names = node_base_names, .count = NODE_BASE_COUNT};
static const struct metric_vector node_flags = {
    .label = "flag", .names = node_flag_names, .count = NODE_FLAG_COUNT};
static const struct metric_vector job_bases = {
    .label = "state", .names = job_base_names, .count = JOB_BASE_COUNT};
static const struct metric_vector job_flags = {
    .label = "flag", .names = job_flag_names, .count = JOB_FLAG_COUNT};
static const struct metric_vector gres_states = {
    .label = "state", .names = gres_state_names, .count = GRES_STATE_COUNT};

static const char *const schedule_exit_names[SCHEDULE_EXIT_COUNT] = {
    "end_of_queue", "max_depth", "max_jobs_started",
    "licenses",     "rpc_count", "timeout"};
static const char *const backfill_exit_names[BACKFILL_EXIT_COUNT] = {
    "end_of_queue",  "max_jobs_started", "max_jobs_tested",
    "state_changed", "table_limit",      "timeout"};
static const struct metric_vector schedule_exits = {
    .label = "cause",
    .names = schedule_exit_names,
    .count = SCHEDULE_EXIT_COUNT};
static const struct metric_vector backfill_exits = {
    .label = "cause",
    .names = backfill_exit_names,
    .count = BACKFILL_EXIT_COUNT};

/* A metric is two lines here: what it is, what it means. */
/* clang-format off */

/* A count of nodes or jobs under one of sinfo's or squeue's words. */
#define NODES(name, bucket) \
    VALUE(GAUGE, name, NODES, CLUSTER, L0, U64, cluster_row, node_buckets[NODE_BUCKET_##bucket], ALWAYS)
#define QUEUE(name, shown) \
    VALUE(GAUGE, name, QUEUE, QUEUE, L0, U64, cluster_row, queue[JOB_SHOWN_##shown], ALWAYS)
#define OWNER(name, family, table, member) \
    VALUE(GAUGE, name, family, table, L1, U64, owner_row, member, POSITIVE)
#define STATISTIC(type, name, kind, member) \
    VALUE(type, name, SCHEDULER, STATISTICS, L0, kind, statistics_row, member, ALWAYS)
#define COUNTER(name, kind, member) \
    VALUE(COUNTER, name, SCHEDULER, COUNTERS, L0, kind, counters_row, member, ALWAYS)
#define SHARE(name, kind, member) \
    VALUE(GAUGE, name, FAIRSHARE, SHARE, L123, kind, share_row, member, ALWAYS)

static const struct metric metrics[] = {
    /* CPUs as sinfo counts them: drop-in. */
    {VALUE(GAUGE, "slurm_cpus_alloc", CPUS, CLUSTER, L0, U64, cluster_row, cpus.allocated, ALWAYS),
     .help = "CPUs allocated to jobs."},
    {VALUE(GAUGE, "slurm_cpus_idle", CPUS, CLUSTER, L0, U64, cluster_row, cpus.idle, ALWAYS),
     .help = "CPUs free on nodes that are neither drained nor down."},
    {VALUE(GAUGE, "slurm_cpus_other", CPUS, CLUSTER, L0, U64, cluster_row, cpus.other, ALWAYS),
     .help = "CPUs free on nodes that are drained or down."},
    {VALUE(UNTYPED, "slurm_cpus_total", CPUS, CLUSTER, L0, U64, cluster_row, cpus.total, ALWAYS),
     .help = "CPUs configured."},

    /* Nodes by sinfo's word, each node once: drop-in. */
    {NODES("slurm_nodes_alloc", ALLOC),
     .help = "Nodes shown as allocated."},
    {NODES("slurm_nodes_comp", COMP),
     .help = "Nodes shown as completing."},
    {NODES("slurm_nodes_down", DOWN),
     .help = "Nodes shown as down."},
    {NODES("slurm_nodes_drain", DRAIN),
     .help = "Nodes shown as drained or draining."},
    {NODES("slurm_nodes_err", ERR),
     .help = "Nodes shown as in error; no Slurm of today has this state."},
    {NODES("slurm_nodes_fail", FAIL),
     .help = "Nodes shown as failed or failing."},
    {NODES("slurm_nodes_idle", IDLE),
     .help = "Nodes shown as idle."},
    {NODES("slurm_nodes_maint", MAINT),
     .help = "Nodes shown as in maintenance."},
    {NODES("slurm_nodes_mix", MIX),
     .help = "Nodes shown as partly allocated."},
    {NODES("slurm_nodes_resv", RESV),
     .help = "Nodes shown as reserved (and idle)."},
    /* The words that the buckets above lose. */
    {NODES("slurm_nodes_planned", PLANNED),
     .help = "Nodes shown as kept free for a planned job."},
    {NODES("slurm_nodes_blocked", BLOCKED),
     .help = "Nodes shown as blocked by a job next to them."},
    {NODES("slurm_nodes_inval", INVAL),
     .help = "Nodes that registered with less than is configured."},
    {NODES("slurm_nodes_reboot", REBOOT),
     .help = "Nodes shown as waiting for a reboot or in it."},
    {NODES("slurm_nodes_future", FUTURE),
     .help = "Nodes shown as defined for the future."},
    {NODES("slurm_nodes_unknown", UNKNOWN),
     .help = "Nodes shown with a word that no other count has."},
    {VALUE(UNTYPED, "slurm_nodes_total", NODES, CLUSTER, L0, U64, cluster_row, nodes.nodes, ALWAYS),
     .help = "Nodes in all states."},
    {VECTOR(GAUGE, "slurm_nodes_by_state", NODES, CLUSTER, L0, cluster_row, nodes.base, node_bases, ALWAYS),
     .help = "Nodes by base state, each node once."},
    {VECTOR(GAUGE, "slurm_nodes_by_flag", NODES, CLUSTER, L0, cluster_row, nodes.flag, node_flags, ALWAYS),
     .help = "Nodes by flag; a node has any number of flags."},

    /* Jobs by squeue's word, array tasks one by one: drop-in. Ended jobs count
     * as long as slurmctld remembers them (MinJobAge). */
    {QUEUE("slurm_queue_pending", PENDING),
     .help = "Jobs that wait."},
    {VALUE(GAUGE, "slurm_queue_pending_dependency", QUEUE, QUEUE, L0, U64, cluster_row, queue_pending_dependency, ALWAYS),
     .help = "Jobs that wait for another job."},
    {QUEUE("slurm_queue_running", RUNNING),
     .help = "Jobs that run."},
    {QUEUE("slurm_queue_suspended", SUSPENDED),
     .help = "Jobs that are suspended."},
    {QUEUE("slurm_queue_cancelled", CANCELLED),
     .help = "Jobs cancelled lately."},
    {QUEUE("slurm_queue_completing", COMPLETING),
     .help = "Jobs that are completing."},
    {QUEUE("slurm_queue_completed", COMPLETED),
     .help = "Jobs completed lately."},
    {QUEUE("slurm_queue_configuring", CONFIGURING),
     .help = "Jobs whose nodes are being made ready."},
    {QUEUE("slurm_queue_failed", FAILED),
     .help = "Jobs failed lately."},
    {QUEUE("slurm_queue_timeout", TIMEOUT),
     .help = "Jobs lately ended by their time limit."},
    {QUEUE("slurm_queue_preempted", PREEMPTED),
     .help = "Jobs lately ended by preemption."},
    {QUEUE("slurm_queue_node_fail", NODE_FAIL),
     .help = "Jobs lately ended by a node's failure."},
    /* The words that the counts above lose. */
    {QUEUE("slurm_queue_out_of_memory", OUT_OF_MEMORY),
     .help = "Jobs lately ended for want of memory."},
    {QUEUE("slurm_queue_boot_fail", BOOT_FAIL),
     .help = "Jobs lately ended because a node did not boot."},
    {QUEUE("slurm_queue_deadline", DEADLINE),
     .help = "Jobs lately ended by their deadline."},
    {QUEUE("slurm_queue_other", OTHER),
     .help = "Jobs that squeue shows in any other state."},
    {VECTOR(GAUGE, "slurm_jobs_by_state", QUEUE, QUEUE, L0, cluster_row, jobs.base, job_bases, ALWAYS),
     .help = "Jobs by base state, array tasks one by one."},
    {VECTOR(GAUGE, "slurm_jobs_by_flag", QUEUE, QUEUE, L0, cluster_row, jobs.flag, job_flags, ALWAYS),
     .help = "Jobs by flag; a job has any number of flags."},
    {VALUE(GAUGE, "slurm_jobs_held", QUEUE, QUEUE, L0, U64, cluster_row, jobs.hold, ALWAYS),
     .help = "Jobs that wait with priority zero."},
    {VALUE(GAUGE, "slurm_jobs_pending_by_reason", QUEUE, REASON, L12, U64, reason_row, tasks, ALWAYS),
     .help = "Jobs that wait for a partition, by the reason that Slurm gives."},
    {HISTOGRAM("slurm_job_wait_time_seconds", QUEUE, HISTORY, L1, history_row, wait, job_wait_bounds),
     .help = "How long jobs waited from being eligible to their start."},
    {HISTOGRAM("slurm_job_run_time_seconds", QUEUE, HISTORY, L1, history_row, run, job_run_bounds),
     .help = "How long jobs ran until they ended, however they ended."},

    /* GPUs: drop-in. */
    {VALUE(GAUGE, "slurm_gpus_alloc", GPUS, CLUSTER, L0, U64, cluster_row, gpus_allocated, ALWAYS),
     .help = "GPUs allocated to jobs."},
    {VALUE(GAUGE, "slurm_gpus_idle", GPUS, CLUSTER, L0, U64, cluster_row, gpus_idle, ALWAYS),
     .help = "GPUs free on nodes that can run jobs."},
    {VALUE(GAUGE, "slurm_gpus_other", GPUS, CLUSTER, L0, U64, cluster_row, gpus_other, ALWAYS),
     .help = "GPUs free on nodes that are drained or down."},
    {VALUE(UNTYPED, "slurm_gpus_total", GPUS, CLUSTER, L0, U64, cluster_row, gpus_total, ALWAYS),
     .help = "GPUs configured."},
    {VALUE(GAUGE, "slurm_gpus_utilization", GPUS, CLUSTER, L0, DOUBLE, cluster_row, gpus_utilization, ALWAYS),
     .help = "Part of the GPUs that is allocated, 0 to 1; allocated is not used."},
    /* GPUs by type and state, which sum up to what is configured. */
    {VECTOR(GAUGE, "slurm_gpus_by_state", GPUS, GPU, L1, gpu_row, states, gres_states, ALWAYS),
     .help = "GPUs of the cluster by type and state."},
    {VECTOR(GAUGE, "slurm_partition_gpus_by_state", GPUS, GPU_PARTITION, L12, gpu_row, states, gres_states, ALWAYS),
     .help = "GPUs of a partition's nodes by type and state."},
    {VECTOR(GAUGE, "slurm_node_gpus_by_state", GPUS, GPU_NODE, L12, gpu_row, states, gres_states, POSITIVE),
     .help = "GPUs of a node by type and state; a state of none is left out."},
    {VALUE(GAUGE, "slurm_account_gpu_allocated", GPUS, GPU_ACCOUNT, L12, U64, gpu_owner_row, allocated, ALWAYS),
     .help = "GPUs allocated to an account's jobs."},
    {VALUE(GAUGE, "slurm_account_gpu_pending", GPUS, GPU_ACCOUNT, L12, U64, gpu_owner_row, pending, ALWAYS),
     .help = "GPUs that an account's waiting jobs ask for."},
    {VALUE(GAUGE, "slurm_user_gpu_allocated", GPUS, GPU_USER, L12, U64, gpu_owner_row, allocated, ALWAYS),
     .help = "GPUs allocated to a user's jobs."},
    {VALUE(GAUGE, "slurm_user_gpu_pending", GPUS, GPU_USER, L12, U64, gpu_owner_row, pending, ALWAYS),
     .help = "GPUs that a user's waiting jobs ask for."},
    {VECTOR(GAUGE, "slurm_gres_by_state", GPUS, GRES, L12, gres_row, states, gres_states, ALWAYS),
     .help = "Generic resources other than GPUs (shards, network cards) by type and state."},

    /* Each node: drop-in; memory is in MiB. */
    {VALUE(GAUGE, "slurm_node_cpu_alloc", NODE, NODE, L12, U64, node_row, cpus.allocated, ALWAYS),
     .help = "CPUs of the node that are allocated."},
    {VALUE(GAUGE, "slurm_node_cpu_idle", NODE, NODE, L12, U64, node_row, cpus.idle, ALWAYS),
     .help = "CPUs of the node that are free, unless it is drained or down."},
    {VALUE(GAUGE, "slurm_node_cpu_other", NODE, NODE, L12, U64, node_row, cpus.other, ALWAYS),
     .help = "CPUs of the node that are free, while it is drained or down."},
    {VALUE(UNTYPED, "slurm_node_cpu_total", NODE, NODE, L12, U64, node_row, cpus.total, ALWAYS),
     .help = "CPUs of the node."},
    {VALUE(GAUGE, "slurm_node_mem_alloc", NODE, NODE, L12, U64, node_row, memory_allocated_mib, ALWAYS),
     .help = "Memory of the node that is allocated, in MiB."},
    {VALUE(UNTYPED, "slurm_node_mem_total", NODE, NODE, L12, U64, node_row, memory_total_mib, ALWAYS),
     .help = "Memory of the node, in MiB."},
    /* Each node, further: its state and, if asked for, its load. */
    {ONE("slurm_node_base_state", NODE, NODE, L13),
     .help = "1 for the base state that the node has."},
    {ONE("slurm_node_flag", NODE, NODE_FLAG, L12),
     .help = "1 for each flag that the node has."},
    {ONE("slurm_node_reason", NODE, NODE_REASON, L123),
     .help = "1 for a node that has a reason for being down or drained, with who set it."},
    {VALUE(GAUGE, "slurm_node_reason_timestamp_seconds", NODE, NODE_REASON, L1, U64, node_reason_row, since_s, ALWAYS),
     .help = "When the node's reason was set, in seconds since 1970."},
    {VALUE(GAUGE, "slurm_node_load1", NODE_LOAD, NODE, L1, DOUBLE, node_row, cpu_load, ALWAYS),
     .help = "Load average of the node as slurmd reported it."},
    {VALUE(GAUGE, "slurm_node_mem_free_bytes", NODE_LOAD, NODE, L1, U64, node_row, memory_free_bytes, ALWAYS),
     .help = "Memory of the node that its kernel calls free, as slurmd reported it."},
    {VALUE(GAUGE, "slurm_node_power_watts", NODE_LOAD, NODE, L1, U64, node_row, power_watts, ALWAYS),
     .help = "Power that the node draws, where Slurm measures it."},
    {VALUE(GAUGE, "slurm_node_boot_timestamp_seconds", NODE_LOAD, NODE, L1, U64, node_row, boot_time_s, ALWAYS),
     .help = "When the node booted, in seconds since 1970."},

    /* Partitions: drop-in, only above zero as ever. */
    {VALUE(GAUGE, "slurm_partition_cpus_allocated", PARTITIONS, PARTITION, L1, U64, partition_row, cpus.allocated, POSITIVE),
     .help = "CPUs allocated on the partition's nodes, through whichever partition."},
    {VALUE(GAUGE, "slurm_partition_cpus_idle", PARTITIONS, PARTITION, L1, U64, partition_row, cpus.idle, POSITIVE),
     .help = "CPUs free on the partition's nodes."},
    {VALUE(GAUGE, "slurm_partition_cpus_other", PARTITIONS, PARTITION, L1, U64, partition_row, cpus.other, POSITIVE),
     .help = "CPUs free on the partition's drained or down nodes."},
    {VALUE(UNTYPED, "slurm_partition_cpus_total", PARTITIONS, PARTITION, L1, U64, partition_row, cpus.total, POSITIVE),
     .help = "CPUs of the partition's nodes."},
    {VALUE(GAUGE, "slurm_partition_jobs_pending", PARTITIONS, PARTITION_JOBS, L1, U64, partition_row, jobs_pending, POSITIVE),
     .help = "Jobs that wait for the partition; one that names several counts in each."},
    /* Partitions, further. */
    {ONE("slurm_partition_state", PARTITIONS, PARTITION, L12),
     .help = "1 for the state that the partition has."},
    {VECTOR(GAUGE, "slurm_partition_nodes_by_state", PARTITIONS, PARTITION, L1, partition_row, nodes.base, node_bases, ALWAYS),
     .help = "Nodes of the partition by base state."},
    {VECTOR(GAUGE, "slurm_partition_nodes_by_flag", PARTITIONS, PARTITION, L1, partition_row, nodes.flag, node_flags, POSITIVE),
     .help = "Nodes of the partition by flag; a flag that none has is left out."},
    {VECTOR(GAUGE, "slurm_partition_jobs_by_state", PARTITIONS, PARTITION_JOBS, L1, partition_row, jobs.base, job_bases, ALWAYS),
     .help = "Jobs of the partition by base state."},
    {VALUE(GAUGE, "slurm_partition_oldest_pending_timestamp_seconds", PARTITIONS, PARTITION_JOBS, L1, U64, partition_row, oldest_pending_s, ALWAYS),
     .help = "When the oldest job that waits, and is not held, was submitted, in seconds since 1970."},

    /* Accounts: drop-in, only above zero. */
    {OWNER("slurm_account_jobs_pending", ACCOUNTS, ACCOUNT, pending),
     .help = "Jobs of the account that wait."},
    {OWNER("slurm_account_cpus_pending", ACCOUNTS, ACCOUNT, cpus_pending),
     .help = "CPUs that the account's waiting jobs ask for."},
    {OWNER("slurm_account_jobs_running", ACCOUNTS, ACCOUNT, running),
     .help = "Jobs of the account that run."},
    {OWNER("slurm_account_cpus_running", ACCOUNTS, ACCOUNT, cpus_running),
     .help = "CPUs of the account's running jobs."},
    {OWNER("slurm_account_jobs_suspended", ACCOUNTS, ACCOUNT, suspended),
     .help = "Jobs of the account that are suspended."},
    {VECTOR(GAUGE, "slurm_account_jobs_by_state", ACCOUNTS, ACCOUNT, L1, owner_row, jobs.base, job_bases, POSITIVE),
     .help = "Jobs of the account by base state; a state of none is left out."},
    {OWNER("slurm_account_memory_allocated_bytes", ACCOUNTS, ACCOUNT, jobs.memory_allocated_bytes),
     .help = "Memory allocated to the account's running jobs."},
    /* Users: drop-in, only above zero. */
    {OWNER("slurm_user_jobs_pending", USERS, USER, pending),
     .help = "Jobs of the user that wait."},
    {OWNER("slurm_user_cpus_pending", USERS, USER, cpus_pending),
     .help = "CPUs that the user's waiting jobs ask for."},
    {OWNER("slurm_user_jobs_running", USERS, USER, running),
     .help = "Jobs of the user that run."},
    {OWNER("slurm_user_cpus_running", USERS, USER, cpus_running),
     .help = "CPUs of the user's running jobs."},
    {OWNER("slurm_user_jobs_suspended", USERS, USER, suspended),
     .help = "Jobs of the user that are suspended."},
    {VECTOR(GAUGE, "slurm_user_jobs_by_state", USERS, USER, L1, owner_row, jobs.base, job_bases, POSITIVE),
     .help = "Jobs of the user by base state; a state of none is left out."},
    {OWNER("slurm_user_memory_allocated_bytes", USERS, USER, jobs.memory_allocated_bytes),
     .help = "Memory allocated to the user's running jobs."},
    /* QOS. */
    {VECTOR(GAUGE, "slurm_qos_jobs_by_state", QOS, QOS, L1, owner_row, jobs.base, job_bases, POSITIVE),
     .help = "Jobs of the QOS by base state; a state of none is left out."},
    {OWNER("slurm_qos_cpus_allocated", QOS, QOS, jobs.cpus_allocated),
     .help = "CPUs of the QOS's running jobs."},
    {OWNER("slurm_qos_gpus_allocated", QOS, QOS, jobs.gpus_allocated),
     .help = "GPUs of the QOS's running jobs."},

    /* Scheduler: drop-in; cycle times are in microseconds. */
    {STATISTIC(GAUGE, "slurm_scheduler_threads", U32, raw.server_threads),
     .help = "Threads of slurmctld that serve requests."},
    {STATISTIC(GAUGE, "slurm_scheduler_queue_size", U32, raw.agent_queue_size),
     .help = "Requests that slurmctld has yet to send to nodes."},
    {STATISTIC(GAUGE, "slurm_scheduler_dbd_queue_size", U32, raw.slurmdbd_queue_size),
     .help = "Messages that slurmctld has yet to send to slurmdbd."},
    {STATISTIC(GAUGE, "slurm_scheduler_last_cycle", U32, raw.schedule_cycle_last_us),
     .help = "Duration of the last main scheduling cycle, in microseconds."},
    {STATISTIC(GAUGE, "slurm_scheduler_mean_cycle", DOUBLE, schedule_mean_us),
     .help = "Mean duration of a main scheduling cycle since the last reset, in microseconds."},
    {STATISTIC(GAUGE, "slurm_scheduler_cycle_per_minute", DOUBLE, schedule_cycles_per_minute),
     .help = "Main scheduling cycles per minute since the last reset."},
    {STATISTIC(GAUGE, "slurm_scheduler_backfill_last_cycle", U32, raw.backfill_cycle_last_us),
     .help = "Duration of the last backfill cycle, in microseconds."},
    {STATISTIC(GAUGE, "slurm_scheduler_backfill_mean_cycle", DOUBLE, backfill_mean_us),
     .help = "Mean duration of a backfill cycle since the last reset, in microseconds."},
    {STATISTIC(GAUGE, "slurm_scheduler_backfill_depth_mean", DOUBLE, backfill_depth_mean),
     .help = "Mean number of jobs that a backfill cycle came to."},
    {STATISTIC(UNTYPED, "slurm_scheduler_backfilled_jobs_since_start_total", U32, raw.backfilled_jobs),
     .help = "Jobs started by backfill since slurmctld started."},
    {STATISTIC(UNTYPED, "slurm_scheduler_backfilled_jobs_since_cycle_total", U32, raw.backfilled_jobs_last),
     .help = "Jobs started by backfill since the last reset."},
    {STATISTIC(UNTYPED, "slurm_scheduler_backfilled_heterogeneous_total", U32, raw.backfilled_het_jobs),
     .help = "Components of heterogeneous jobs started by backfill."},
    /* The same as counters that never fall, across the daily reset too. */
    {COUNTER("slurm_ctld_jobs_submitted_total", U64, jobs_submitted),
     .help = "Jobs submitted."},
    {COUNTER("slurm_ctld_jobs_started_total", U64, jobs_started),
     .help = "Jobs started."},
    {COUNTER("slurm_ctld_jobs_completed_total", U64, jobs_completed),
     .help = "Jobs completed."},
    {COUNTER("slurm_ctld_jobs_canceled_total", U64, jobs_canceled),
     .help = "Jobs cancelled."},
    {COUNTER("slurm_ctld_jobs_failed_total", U64, jobs_failed),
     .help = "Jobs failed."},
    {COUNTER("slurm_ctld_main_cycles_total", U64, schedule_cycles),
     .help = "Main scheduling cycles."},
    {COUNTER("slurm_ctld_main_cycle_seconds_total", DOUBLE, schedule_seconds),
     .help = "Time spent in main scheduling cycles."},
    {COUNTER("slurm_ctld_main_jobs_tested_total", U64, schedule_depth),
     .help = "Jobs looked at in main scheduling cycles."},
    {COUNTER("slurm_ctld_backfilled_jobs_total", U64, backfilled_jobs),
     .help = "Jobs started by backfill."},
    {COUNTER("slurm_ctld_backfilled_het_jobs_total", U64, backfilled_het_jobs),
     .help = "Components of heterogeneous jobs started by backfill."},
    {COUNTER("slurm_ctld_backfill_cycles_total", U64, backfill_cycles),
     .help = "Backfill cycles."},
    {COUNTER("slurm_ctld_backfill_cycle_seconds_total", DOUBLE, backfill_seconds),
     .help = "Time spent in backfill cycles."},
    {COUNTER("slurm_ctld_backfill_jobs_seen_total", U64, backfill_depth),
     .help = "Jobs that backfill cycles came to."},
    {COUNTER("slurm_ctld_backfill_jobs_tested_total", U64, backfill_depth_try),
     .help = "Jobs that backfill cycles tried to place."},
    {COUNTER("slurm_ctld_backfill_queue_jobs_total", U64, backfill_queue_length),
     .help = "Jobs in the queue, summed over backfill cycles."},
    {COUNTER("slurm_ctld_backfill_table_records_total", U64, backfill_table_size),
     .help = "Records of backfill's table, summed over its cycles."},
    {VECTOR(COUNTER, "slurm_ctld_main_exits_total", SCHEDULER, COUNTERS, L0, counters_row, schedule_exits, schedule_exits, ALWAYS),
     .help = "Ends of main scheduling cycles by cause (Slurm 24.11 and later)."},
    {VECTOR(COUNTER, "slurm_ctld_backfill_exits_total", SCHEDULER, COUNTERS, L0, counters_row, backfill_exits, backfill_exits, ALWAYS),
     .help = "Ends of backfill cycles by cause (Slurm 24.11 and later)."},

    /* Requests to slurmctld. */
    {VALUE(COUNTER, "slurm_ctld_rpc_requests_total", RPCS, RPC, L1, U64, rpc_row, requests, ALWAYS),
     .help = "Requests that slurmctld served, by type."},
    {VALUE(COUNTER, "slurm_ctld_rpc_seconds_total", RPCS, RPC, L1, DOUBLE, rpc_row, seconds, ALWAYS),
     .help = "Time that slurmctld spent on requests, by type."},
    {VALUE(COUNTER, "slurm_ctld_user_rpc_requests_total", RPCS, RPC_USER, L1, U64, rpc_row, requests, ALWAYS),
     .help = "Requests that slurmctld served, by user."},
    {VALUE(COUNTER, "slurm_ctld_user_rpc_seconds_total", RPCS, RPC_USER, L1, DOUBLE, rpc_row, seconds, ALWAYS),
     .help = "Time that slurmctld spent on requests, by user."},

    /* Shares and limits: with slurmdbd only. */
    {VALUE(GAUGE, "slurm_account_fairshare", FAIRSHARE, FAIRSHARE, L1, DOUBLE, share_row, factor, ALWAYS),
     .help = "Fair-share factor of the account, 0 to 1: 2^-(effective usage / normalised shares)."},
    {SHARE("slurm_share_raw", U64, shares_raw),
     .help = "Shares given to an association; absent when it uses its parent's."},
    {SHARE("slurm_share_norm", DOUBLE, shares_norm),
     .help = "Shares as a part of the whole, 0 to 1."},
    {SHARE("slurm_share_usage_raw", DOUBLE, usage_raw),
     .help = "Decayed usage of an association, in TRES-seconds."},
    {SHARE("slurm_share_usage_norm", DOUBLE, usage_norm),
     .help = "Decayed usage as a part of the whole, 0 to 1."},
    {SHARE("slurm_share_usage_effective", DOUBLE, usage_effective),
     .help = "Usage that counts against the shares, 0 to 1."},
    {SHARE("slurm_share_level_fs", DOUBLE, level_fs),
     .help = "Level fair share under FAIR_TREE: above 1 is under-served, below 1 over-served."},
    {SHARE("slurm_share_factor", DOUBLE, factor),
     .help = "Fair-share factor that Slurm gives a user's jobs, 0 to 1; accounts have none."},
    {VALUE(GAUGE, "slurm_association_limit", LIMITS, LIMIT_ASSOCIATION, L12345, DOUBLE, limit_row, limit, ALWAYS),
     .help = "Limits set for an association."},
    {VALUE(GAUGE, "slurm_association_limit_used", LIMITS, LIMIT_ASSOCIATION, L12345, DOUBLE, limit_row, used, ALWAYS),
     .help = "What of an association's limits is used."},
    {VALUE(GAUGE, "slurm_qos_limit", LIMITS, LIMIT_QOS, L123, DOUBLE, limit_row, limit, ALWAYS),
     .help = "Limits set for a QOS."},
    {VALUE(GAUGE, "slurm_qos_limit_used", LIMITS, LIMIT_QOS, L123, DOUBLE, limit_row, used, ALWAYS),
     .help = "What of a QOS's limits is used."},

    /* Reservations. */
    {ONE("slurm_resv_info", RESERVATIONS, RESERVATION, L12345),
     .help = "1 for each reservation, with what it is for."},
    {VALUE(GAUGE, "slurm_resv_start_timestamp_seconds", RESERVATIONS, RESERVATION, L1, U64, reservation_row, start_s, ALWAYS),
     .help = "Start of the reservation, in seconds since 1970."},
    {VALUE(GAUGE, "slurm_resv_end_timestamp_seconds", RESERVATIONS, RESERVATION, L1, U64, reservation_row, end_s, ALWAYS),
     .help = "End of the reservation, in seconds since 1970."},
    {VALUE(GAUGE, "slurm_resv_active", RESERVATIONS, RESERVATION, L1, U64, reservation_row, active, ALWAYS),
     .help = "1 while the reservation is in force."},
    {VALUE(GAUGE, "slurm_resv_nodes", RESERVATIONS, RESERVATION, L1, U64, reservation_row, nodes, ALWAYS),
     .help = "Nodes of the reservation."},
    {VALUE(GAUGE, "slurm_resv_cores", RESERVATIONS, RESERVATION, L1, U64, reservation_row, cores, ALWAYS),
     .help = "Cores of the reservation."},

    /* Licences. */
    {VALUE(GAUGE, "slurm_license_configured", LICENSES, LICENSE, L1, U64, license_row, total, ALWAYS),
     .help = "Licences configured."},
    {VALUE(GAUGE, "slurm_license_in_use", LICENSES, LICENSE, L1, U64, license_row, used, ALWAYS),
     .help = "Licences in use."},
    {VALUE(GAUGE, "slurm_license_available", LICENSES, LICENSE, L1, U64, license_row, free, ALWAYS),
     .help = "Licences free."},
    {VALUE(GAUGE, "slurm_license_held", LICENSES, LICENSE, L1, U64, license_row, reserved, ALWAYS),
     .help = "Licences reserved."},

    /* Each running job: only when asked for, and capped. */
    {ONE("slurm_running_job_info", JOB, JOB, L12345),
     .help = "1 for each running job."},
    {VALUE(GAUGE, "slurm_running_job_cpus", JOB, JOB, L1, U64, job_row, cpus, ALWAYS),
     .help = "CPUs of the running job."},
    {VALUE(GAUGE, "slurm_running_job_gpus", JOB, JOB, L1, U64, job_row, gpus, ALWAYS),
     .help = "GPUs of the running job."},
    {VALUE(GAUGE, "slurm_running_job_nodes", JOB, JOB, L1, U64, job_row, nodes, ALWAYS),
     .help = "Nodes of the running job."},
    {VALUE(GAUGE, "slurm_running_job_memory_bytes", JOB, JOB, L1, U64, job_row, memory_bytes, ALWAYS),
     .help = "Memory allocated to the running job."},
    {VALUE(GAUGE, "slurm_running_job_start_timestamp_seconds", JOB, JOB, L1, U64, job_row, start_s, ALWAYS),
     .help = "When the job started, in seconds since 1970."},
    {VALUE(GAUGE, "slurm_job_gpu_count", JOB, JOB_GPU, L12, U64, fleet_job_row, gpus, ALWAYS),
     .help = "GPUs that the job holds, by the exporters of its nodes; of gpu-watchdog serve."},
    {VALUE(GAUGE, "slurm_job_gpu_used", JOB, JOB_GPU, L12, U64, fleet_job_row, gpus_used, ALWAYS),
     .help = "Of the GPUs that the job holds, those that it uses."},
    {VALUE(GAUGE, "slurm_job_gpu_idle", JOB, JOB_GPU, L12, U64, fleet_job_row, gpus_idle, ALWAYS),
     .help = "Of the GPUs that the job holds, those without a process of it, or that have done nothing for five minutes."},
    {VALUE(GAUGE, "slurm_job_gpu_utilization_ratio", JOB, JOB_GPU, L12, DOUBLE, fleet_job_row, utilization_ratio, ALWAYS),
     .help = "Mean utilisation of the GPUs that the job holds, 0 to 1."},
    {VALUE(GAUGE, "slurm_job_gpu_memory_used_bytes", JOB, JOB_GPU, L12, DOUBLE, fleet_job_row, memory_used_bytes, ALWAYS),
     .help = "Memory in use on the GPUs that the job holds."},
    {VALUE(GAUGE, "slurm_job_gpu_power_watts", JOB, JOB_GPU, L12, DOUBLE, fleet_job_row, power_watts, ALWAYS),
     .help = "Power that the GPUs draw which the job holds."},
};
/* clang-format on */

const struct metric_list metric_list_main = {
    .page = PAGE_METRICS,
    .metrics = metrics,
    .count = sizeof(metrics) / sizeof(*metrics),
};
