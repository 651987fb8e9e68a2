/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The metrics that Slurm 25.11 and later serve themselves, under their names
 * and on their paths (doc: metrics.html; names: 26.05), for every version of
 * Slurm. Their known faults (exporters.md 2.3) are not kept: sums have 64 bits,
 * what is called bytes or memory is bytes, powering_up counts what powers up,
 * every partition that a waiting job names counts it, labels are escaped.
 */
#include "model/metric-macros.h"
#include "model/tally.h"

/* A metric is two lines here: what it is, what it means. */
/* clang-format off */

/* The counts of jobs that the cluster, partitions, users and accounts share.
 * WHO ends the sentence of each help text. */
#define JOBS_ONE(prefix, suffix, who, family, table, labels, row, member, text) \
    { VALUE(GAUGE, prefix suffix, family, table, labels, U64, row, jobs.member, ALWAYS), .help = text who }

#define JOBS_ALL(prefix, who, family, table, labels, row) \
    JOBS_ONE(prefix, "", who, family, table, labels, row, jobs, "Jobs"), \
    JOBS_ONE(prefix, "_bootfail", who, family, table, labels, row, base[JOB_BASE_BOOT_FAIL], "Jobs ended because a node did not boot"), \
    JOBS_ONE(prefix, "_cancelled", who, family, table, labels, row, base[JOB_BASE_CANCELLED], "Jobs cancelled"), \
    JOBS_ONE(prefix, "_completed", who, family, table, labels, row, base[JOB_BASE_COMPLETED], "Jobs completed"), \
    JOBS_ONE(prefix, "_completing", who, family, table, labels, row, flag[JOB_FLAG_BIT_COMPLETING - JOB_FLAG_BIT_FIRST], "Jobs with the flag completing"), \
    JOBS_ONE(prefix, "_configuring", who, family, table, labels, row, flag[JOB_FLAG_BIT_CONFIGURING - JOB_FLAG_BIT_FIRST], "Jobs with the flag configuring"), \
    JOBS_ONE(prefix, "_cpus_alloc", who, family, table, labels, row, cpus_allocated, "CPUs of running jobs"), \
    JOBS_ONE(prefix, "_deadline", who, family, table, labels, row, base[JOB_BASE_DEADLINE], "Jobs ended by their deadline"), \
    JOBS_ONE(prefix, "_expediting", who, family, table, labels, row, flag[JOB_FLAG_BIT_EXPEDITING - JOB_FLAG_BIT_FIRST], "Jobs with the flag expediting"), \
    JOBS_ONE(prefix, "_failed", who, family, table, labels, row, base[JOB_BASE_FAILED], "Jobs failed"), \
    JOBS_ONE(prefix, "_fed_requeued", who, family, table, labels, row, flag[JOB_FLAG_BIT_REQUEUE_FED - JOB_FLAG_BIT_FIRST], "Jobs that the federation queues again"), \
    JOBS_ONE(prefix, "_finished", who, family, table, labels, row, finished, "Jobs ended, however they ended"), \
    JOBS_ONE(prefix, "_gpus_alloc", who, family, table, labels, row, gpus_allocated, "GPUs of running jobs"), \
    JOBS_ONE(prefix, "_hold", who, family, table, labels, row, hold, "Jobs held"), \
    JOBS_ONE(prefix, "_memory_alloc", who, family, table, labels, row, memory_allocated_bytes, "Memory of running jobs in bytes"), \
    JOBS_ONE(prefix, "_node_failed", who, family, table, labels, row, base[JOB_BASE_NODE_FAIL], "Jobs ended by a node's failure"), \
    JOBS_ONE(prefix, "_outofmemory", who, family, table, labels, row, base[JOB_BASE_OUT_OF_MEMORY], "Jobs ended for want of memory"), \
    JOBS_ONE(prefix, "_pending", who, family, table, labels, row, base[JOB_BASE_PENDING], "Jobs waiting"), \
    JOBS_ONE(prefix, "_powerup_node", who, family, table, labels, row, flag[JOB_FLAG_BIT_POWER_UP_NODE - JOB_FLAG_BIT_FIRST], "Jobs whose nodes are powering up"), \
    JOBS_ONE(prefix, "_preempted", who, family, table, labels, row, base[JOB_BASE_PREEMPTED], "Jobs ended by preemption"), \
    JOBS_ONE(prefix, "_requeued", who, family, table, labels, row, flag[JOB_FLAG_BIT_REQUEUED - JOB_FLAG_BIT_FIRST], "Jobs being queued again"), \
    JOBS_ONE(prefix, "_resizing", who, family, table, labels, row, flag[JOB_FLAG_BIT_RESIZING - JOB_FLAG_BIT_FIRST], "Jobs changing their size"), \
    JOBS_ONE(prefix, "_revoked", who, family, table, labels, row, flag[JOB_FLAG_BIT_REVOKED - JOB_FLAG_BIT_FIRST], "Jobs revoked by the federation"), \
    JOBS_ONE(prefix, "_running", who, family, table, labels, row, base[JOB_BASE_RUNNING], "Jobs running"), \
    JOBS_ONE(prefix, "_signaling", who, family, table, labels, row, flag[JOB_FLAG_BIT_SIGNALING - JOB_FLAG_BIT_FIRST], "Jobs being signalled"), \
    JOBS_ONE(prefix, "_stageout", who, family, table, labels, row, flag[JOB_FLAG_BIT_STAGE_OUT - JOB_FLAG_BIT_FIRST], "Jobs staging data out"), \
    JOBS_ONE(prefix, "_started", who, family, table, labels, row, started, "Jobs that have started"), \
    JOBS_ONE(prefix, "_suspended", who, family, table, labels, row, base[JOB_BASE_SUSPENDED], "Jobs suspended"), \
    JOBS_ONE(prefix, "_timeout", who, family, table, labels, row, base[JOB_BASE_TIMEOUT], "Jobs ended by their time limit")

#define NODES_ONE(name, who, family, table, labels, row, member, text) \
    { VALUE(GAUGE, name, family, table, labels, U64, row, nodes.member, ALWAYS), .help = text who }

#define NODE_FLAG_ONE(name, who, family, table, labels, row, bit, text) \
    NODES_ONE(name, who, family, table, labels, row, flag[NODE_FLAG_BIT_##bit - NODE_FLAG_BIT_FIRST], text)

/* The counts of nodes that the cluster and partitions name alike. */
#define NODES_ALL(prefix, who, family, table, labels, row) \
    NODES_ONE(prefix, who, family, table, labels, row, nodes, "Nodes"), \
    NODES_ONE(prefix "_alloc", who, family, table, labels, row, base[NODE_BASE_ALLOCATED], "Nodes in base state allocated"), \
    NODE_FLAG_ONE(prefix "_blocked", who, family, table, labels, row, BLOCKED, "Nodes with the flag blocked"), \
    NODE_FLAG_ONE(prefix "_cloud", who, family, table, labels, row, CLOUD, "Nodes with the flag cloud"), \
    NODES_ONE(prefix "_down", who, family, table, labels, row, base[NODE_BASE_DOWN], "Nodes in base state down"), \
    NODE_FLAG_ONE(prefix "_drain", who, family, table, labels, row, DRAIN, "Nodes with the flag drain"), \
    NODES_ONE(prefix "_drained", who, family, table, labels, row, drained, "Nodes drained, with no job left"), \
    NODES_ONE(prefix "_draining", who, family, table, labels, row, draining, "Nodes draining, with jobs left"), \
    NODE_FLAG_ONE(prefix "_dyn_future", who, family, table, labels, row, DYNAMIC_FUTURE, "Nodes with the flag dynamic future"), \
    NODE_FLAG_ONE(prefix "_dyn_normal", who, family, table, labels, row, DYNAMIC_NORMAL, "Nodes with the flag dynamic normal"), \
    NODE_FLAG_ONE(prefix "_external", who, family, table, labels, row, EXTERNAL, "Nodes with the flag external"), \
    NODE_FLAG_ONE(prefix "_fail", who, family, table, labels, row, FAIL, "Nodes with the flag fail"), \
    NODES_ONE(prefix "_future", who, family, table, labels, row, base[NODE_BASE_FUTURE], "Nodes in base state future"), \
    NODES_ONE(prefix "_idle", who, family, table, labels, row, base[NODE_BASE_IDLE], "Nodes in base state idle"), \
    NODE_FLAG_ONE(prefix "_invalid_reg", who, family, table, labels, row, INVALID_REG, "Nodes that registered with less than is configured"), \
    NODE_FLAG_ONE(prefix "_maint", who, family, table, labels, row, MAINTENANCE, "Nodes in a maintenance reservation"), \
    NODES_ONE(prefix "_mixed", who, family, table, labels, row, base[NODE_BASE_MIXED], "Nodes in base state mixed"), \
    NODE_FLAG_ONE(prefix "_planned", who, family, table, labels, row, PLANNED, "Nodes planned for a job"), \
    NODE_FLAG_ONE(prefix "_power_down", who, family, table, labels, row, POWER_DOWN, "Nodes asked to power down"), \
    NODE_FLAG_ONE(prefix "_power_up", who, family, table, labels, row, POWER_UP, "Nodes asked to power up"), \
    NODE_FLAG_ONE(prefix "_powered_down", who, family, table, labels, row, POWERED_DOWN, "Nodes powered down"), \
    NODE_FLAG_ONE(prefix "_powering_up", who, family, table, labels, row, POWERING_UP, "Nodes powering up"), \
    NODE_FLAG_ONE(prefix "_powering_down", who, family, table, labels, row, POWERING_DOWN, "Nodes powering down"), \
    NODE_FLAG_ONE(prefix "_reboot_issued", who, family, table, labels, row, REBOOT_ISSUED, "Nodes told to reboot"), \
    NODE_FLAG_ONE(prefix "_resv", who, family, table, labels, row, RESERVED, "Nodes in a reservation"), \
    NODES_ONE(prefix "_unknown", who, family, table, labels, row, base[NODE_BASE_UNKNOWN], "Nodes in base state unknown")

#define NODE_ONE(name, kind, member, text) \
    { VALUE(GAUGE, name, NODE, NODE, L1, kind, node_row, member, ALWAYS), .help = text }

static const struct metric node_metrics[] = {
    NODES_ALL("slurm_nodes", ".", NODES, CLUSTER, L0, cluster_row),
    NODE_FLAG_ONE("slurm_nodes_completing", ".", NODES, CLUSTER, L0, cluster_row, COMPLETING, "Nodes with the flag completing"),
    NODE_FLAG_ONE("slurm_nodes_noresp", ".", NODES, CLUSTER, L0, cluster_row, NOT_RESPONDING, "Nodes that do not respond"),
    NODE_FLAG_ONE("slurm_nodes_reboot_req", ".", NODES, CLUSTER, L0, cluster_row, REBOOT_REQUESTED, "Nodes with a reboot requested"),
    NODE_ONE("slurm_node_cpus", U64, cpus.total, "CPUs of the node."),
    NODE_ONE("slurm_node_cpus_alloc", U64, cpus.allocated, "CPUs of the node that are allocated."),
    NODE_ONE("slurm_node_cpus_effective", U64, cpus_effective, "CPUs of the node that jobs may have."),
    NODE_ONE("slurm_node_cpus_idle", U64, cpus_free, "CPUs of the node that jobs may have and that are not allocated."),
    NODE_ONE("slurm_node_gpus", U64, gpus, "GPUs of the node."),
    NODE_ONE("slurm_node_gpus_alloc", U64, gpus_allocated, "GPUs of the node that are allocated."),
    NODE_ONE("slurm_node_memory_alloc_bytes", U64, memory_allocated_bytes, "Memory of the node that is allocated."),
    NODE_ONE("slurm_node_memory_bytes", U64, memory_bytes, "Memory of the node."),
    NODE_ONE("slurm_node_memory_effective_bytes", U64, memory_effective_bytes, "Memory of the node that jobs may have."),
    NODE_ONE("slurm_node_memory_free_bytes", U64, memory_free_bytes, "Memory of the node that its kernel calls free."),
};

static const struct metric job_metrics[] = {
    JOBS_ALL("slurm_jobs", ".", QUEUE, QUEUE, L0, cluster_row),
    JOBS_ONE("slurm_jobs", "_nodes_alloc", ".", QUEUE, QUEUE, L0, cluster_row, nodes_allocated, "Nodes of running jobs"),
};

static const struct metric user_metrics[] = {
    JOBS_ALL("slurm_user_jobs", " of the user.", USERS, USERNAME, L1, owner_row),
    JOBS_ONE("slurm_user_jobs", "_nodes_alloc", " of the user.", USERS, USERNAME, L1, owner_row, nodes_allocated, "Nodes of running jobs"),
    JOBS_ALL("slurm_account_jobs", " of the account.", ACCOUNTS, ACCOUNT, L1, owner_row),
    JOBS_ONE("slurm_account_jobs", "_nodes_alloc", " of the account.", ACCOUNTS, ACCOUNT, L1, owner_row, nodes_allocated, "Nodes of running jobs"),
};

#define PARTITION_ONE(name, table, member, text) \
    { VALUE(GAUGE, name, PARTITIONS, table, L1, U64, partition_row, member, ALWAYS), .help = text }
#define IN_PARTITION " of the partition."

static const struct metric partition_metrics[] = {
    {VALUE(GAUGE, "slurm_partitions", PARTITIONS, PARTITIONS, L0, U64, cluster_row, partitions, ALWAYS),
     .help = "Partitions."},
    JOBS_ALL("slurm_partition_jobs", IN_PARTITION, PARTITIONS, PARTITION_JOBS, L1, partition_row),
    PARTITION_ONE("slurm_partition_jobs_max_job_nodes", PARTITION_JOBS, job_nodes_max, "Most nodes that a waiting job asks for."),
    PARTITION_ONE("slurm_partition_jobs_max_job_nodes_nohold", PARTITION_JOBS, job_nodes_max_nohold, "Most nodes that a waiting job asks for, held jobs aside."),
    PARTITION_ONE("slurm_partition_jobs_min_job_nodes", PARTITION_JOBS, job_nodes_min, "Fewest nodes that a waiting job asks for."),
    PARTITION_ONE("slurm_partition_jobs_min_job_nodes_nohold", PARTITION_JOBS, job_nodes_min_nohold, "Fewest nodes that a waiting job asks for, held jobs aside."),
    PARTITION_ONE("slurm_partition_jobs_wait_part_node_limit", PARTITION_JOBS, wait_node_limit, "Jobs waiting because of the partition's node limit."),
    NODES_ALL("slurm_partition_nodes", IN_PARTITION, PARTITIONS, PARTITION, L1, partition_row),
    NODE_FLAG_ONE("slurm_partition_nodes_cg", IN_PARTITION, PARTITIONS, PARTITION, L1, partition_row, COMPLETING, "Nodes with the flag completing"),
    NODE_FLAG_ONE("slurm_partition_nodes_no_resp", IN_PARTITION, PARTITIONS, PARTITION, L1, partition_row, NOT_RESPONDING, "Nodes that do not respond"),
    NODE_FLAG_ONE("slurm_partition_nodes_reboot_requested", IN_PARTITION, PARTITIONS, PARTITION, L1, partition_row, REBOOT_REQUESTED, "Nodes with a reboot requested"),
    PARTITION_ONE("slurm_partition_nodes_cpus_efctv", PARTITION, nodes.cpus_effective, "CPUs that jobs may have."),
    PARTITION_ONE("slurm_partition_nodes_cpus_idle", PARTITION, nodes.cpus_idle, "CPUs that jobs may have and that are not allocated."),
    PARTITION_ONE("slurm_partition_nodes_cpus_alloc", PARTITION, nodes.cpus_allocated, "CPUs that are allocated."),
    PARTITION_ONE("slurm_partition_nodes_mem_alloc", PARTITION, nodes.memory_allocated_bytes, "Memory that is allocated, in bytes."),
    PARTITION_ONE("slurm_partition_nodes_mem_avail", PARTITION, nodes.memory_available_bytes, "Memory that jobs may have and that is not allocated, in bytes."),
    PARTITION_ONE("slurm_partition_nodes_mem_free", PARTITION, nodes.memory_free_bytes, "Memory that the nodes' kernels call free, in bytes."),
    PARTITION_ONE("slurm_partition_nodes_mem_tot", PARTITION, nodes.memory_total_bytes, "Memory, in bytes."),
    PARTITION_ONE("slurm_partition_cpus", PARTITION, nodes.cpus, "CPUs of the partition's nodes."),
    PARTITION_ONE("slurm_partition_gpus", PARTITION, nodes.gpus, "GPUs of the partition's nodes."),
};

#define STATISTIC(name, kind, member, text) \
    { VALUE(GAUGE, name, SCHEDULER, STATISTICS, L0, kind, statistics_row, member, ALWAYS), .help = text }

static const struct metric scheduler_metrics[] = {
    STATISTIC("slurm_agent_cnt", U32, raw.agent_count, "Agents that send requests to nodes."),
    STATISTIC("slurm_agent_queue_size", U32, raw.agent_queue_size, "Requests that are yet to be sent to nodes."),
    STATISTIC("slurm_agent_thread_cnt", U32, raw.agent_threads, "Threads of all agents."),
    STATISTIC("slurm_backfilled_het_jobs", U32, raw.backfilled_het_jobs, "Components of heterogeneous jobs started by backfill."),
    STATISTIC("slurm_backfilled_jobs", U32, raw.backfilled_jobs, "Jobs started by backfill since slurmctld started."),
    STATISTIC("slurm_bf_active", U32, raw.backfill_active, "1 while backfill runs."),
    STATISTIC("slurm_bf_cycle_cnt", U32, raw.backfill_cycles, "Backfill cycles since the last reset."),
    STATISTIC("slurm_bf_cycle_last", U32, raw.backfill_cycle_last_us, "Duration of the last backfill cycle, in microseconds."),
    STATISTIC("slurm_bf_cycle_max", U32, raw.backfill_cycle_max_us, "Duration of the longest backfill cycle, in microseconds."),
    STATISTIC("slurm_bf_cycle_tot", U64, raw.backfill_cycle_sum_us, "Duration of all backfill cycles, in microseconds."),
    STATISTIC("slurm_bf_depth_mean", DOUBLE, backfill_depth_mean, "Mean number of jobs that a backfill cycle came to."),
    STATISTIC("slurm_bf_depth_tot", U32, raw.backfill_depth_sum, "Jobs that backfill cycles came to."),
    STATISTIC("slurm_bf_depth_try_tot", U32, raw.backfill_depth_try_sum, "Jobs that backfill cycles tried to place."),
    STATISTIC("slurm_bf_last_depth", U32, raw.backfill_depth_last, "Jobs that the last backfill cycle came to."),
    STATISTIC("slurm_bf_last_depth_try", U32, raw.backfill_depth_try_last, "Jobs that the last backfill cycle tried to place."),
    STATISTIC("slurm_bf_mean_cycle", DOUBLE, backfill_mean_us, "Mean duration of a backfill cycle, in microseconds."),
    STATISTIC("slurm_bf_mean_table_sz", DOUBLE, backfill_table_mean, "Mean number of records in backfill's table."),
    STATISTIC("slurm_bf_queue_len", U32, raw.backfill_queue_length, "Jobs in the queue at the last backfill cycle."),
    STATISTIC("slurm_bf_queue_len_mean", DOUBLE, backfill_queue_mean, "Mean number of jobs in the queue at a backfill cycle."),
    STATISTIC("slurm_bf_queue_len_tot", U32, raw.backfill_queue_length_sum, "Jobs in the queue, summed over backfill cycles."),
    STATISTIC("slurm_bf_table_size", U32, raw.backfill_table_size, "Records in backfill's table at the last cycle."),
    STATISTIC("slurm_bf_table_size_tot", U32, raw.backfill_table_size_sum, "Records in backfill's table, summed over cycles."),
    STATISTIC("slurm_bf_try_depth_mean", DOUBLE, backfill_try_depth_mean, "Mean number of jobs that a backfill cycle tried to place."),
    STATISTIC("slurm_bf_when_last_cycle", I64, raw.backfill_last_cycle_time_s, "When the last backfill cycle ran, in seconds since 1970."),
    STATISTIC("slurm_bf_exit_end", U32, raw.backfill_exits[0], "Backfill cycles ended at the end of the queue."),
    STATISTIC("slurm_bf_exit_max_job_start", U32, raw.backfill_exits[1], "Backfill cycles ended at the limit of started jobs."),
    STATISTIC("slurm_bf_exit_max_job_test", U32, raw.backfill_exits[2], "Backfill cycles ended at the limit of tested jobs."),
    STATISTIC("slurm_bf_exit_state_changed", U32, raw.backfill_exits[3], "Backfill cycles ended because the state changed."),
    STATISTIC("slurm_bf_exit_table_limit", U32, raw.backfill_exits[4], "Backfill cycles ended at the limit of the table."),
    STATISTIC("slurm_bf_exit_timeout", U32, raw.backfill_exits[5], "Backfill cycles ended by time."),
    STATISTIC("slurm_last_backfilled_jobs", U32, raw.backfilled_jobs_last, "Jobs started by backfill since the last reset."),
    STATISTIC("slurm_last_proc_req_start", I64, raw.reset_time_s, "When the statistics were last reset, in seconds since 1970."),
    STATISTIC("slurm_sched_exit_end", U32, raw.schedule_exits[0], "Main cycles ended at the end of the queue."),
    STATISTIC("slurm_sched_exit_max_depth", U32, raw.schedule_exits[1], "Main cycles ended at the limit of depth."),
    STATISTIC("slurm_sched_exit_max_job_start", U32, raw.schedule_exits[2], "Main cycles ended at the limit of started jobs."),
    STATISTIC("slurm_sched_exit_lic", U32, raw.schedule_exits[3], "Main cycles ended for want of licences."),
    STATISTIC("slurm_sched_exit_rpc_cnt", U32, raw.schedule_exits[4], "Main cycles ended because too many requests wait."),
    STATISTIC("slurm_sched_exit_timeout", U32, raw.schedule_exits[5], "Main cycles ended by time."),
    STATISTIC("slurm_sched_mean_cycle", DOUBLE, schedule_mean_us, "Mean duration of a main cycle, in microseconds."),
    STATISTIC("slurm_sched_mean_depth_cycle", DOUBLE, schedule_depth_mean, "Mean number of jobs that a main cycle looked at."),
    STATISTIC("slurm_sched_stats_timestamp", I64, raw.request_time_s, "When slurmctld took these statistics, in seconds since 1970."),
    STATISTIC("slurm_schedule_cycle_cnt", U32, raw.schedule_cycles, "Main cycles since the last reset."),
    STATISTIC("slurm_schedule_cycle_depth", U32, raw.schedule_depth, "Jobs looked at in main cycles."),
    STATISTIC("slurm_schedule_cycle_last", U32, raw.schedule_cycle_last_us, "Duration of the last main cycle, in microseconds."),
    STATISTIC("slurm_schedule_cycle_max", U32, raw.schedule_cycle_max_us, "Duration of the longest main cycle, in microseconds."),
    STATISTIC("slurm_schedule_cycle_tot", U64, raw.schedule_cycle_sum_us, "Duration of all main cycles, in microseconds."),
    STATISTIC("slurm_schedule_queue_len", U32, raw.schedule_queue_length, "Jobs in the queue at the last main cycle."),
    STATISTIC("slurm_sdiag_job_states_ts", I64, raw.job_states_time_s, "When the counts of jobs were taken, in seconds since 1970."),
    STATISTIC("slurm_sdiag_jobs_canceled", U32, raw.jobs_canceled, "Jobs cancelled since the last reset."),
    STATISTIC("slurm_sdiag_jobs_completed", U32, raw.jobs_completed, "Jobs completed since the last reset."),
    STATISTIC("slurm_sdiag_jobs_failed", U32, raw.jobs_failed, "Jobs failed since the last reset."),
    STATISTIC("slurm_sdiag_jobs_pending", U32, raw.jobs_pending, "Jobs waiting when the counts were taken."),
    STATISTIC("slurm_sdiag_jobs_running", U32, raw.jobs_running, "Jobs running when the counts were taken."),
    STATISTIC("slurm_sdiag_jobs_started", U32, raw.jobs_started, "Jobs started since the last reset."),
    STATISTIC("slurm_sdiag_jobs_submitted", U32, raw.jobs_submitted, "Jobs submitted since the last reset."),
    STATISTIC("slurm_sdiag_latency", U32, raw.latency_us, "Time that 1000 calls of gettimeofday() take slurmctld, in microseconds."),
    STATISTIC("slurm_server_thread_cnt", U32, raw.server_threads, "Threads that serve requests."),
    STATISTIC("slurm_slurmdbd_queue_size", U32, raw.slurmdbd_queue_size, "Messages that are yet to be sent to slurmdbd."),
};
/* clang-format on */

#define LIST(page_, array)                                                     \
    {                                                                          \
        .page = (page_), .metrics = (array),                                   \
        .count = sizeof(array) / sizeof(*(array))                              \
    }

const struct metric_list metric_lists_native[METRIC_LISTS_NATIVE] = {
    LIST(PAGE_NODES, node_metrics),
    LIST(PAGE_JOBS, job_metrics),
    LIST(PAGE_USERS, user_metrics),
    LIST(PAGE_PARTITIONS, partition_metrics),
    LIST(PAGE_SCHEDULER, scheduler_metrics),
};
