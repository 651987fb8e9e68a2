/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A snapshot: everything that one collection cycle knows of the cluster, in
 * one flat block of memory. The collector writes it into a memfd, seals it and
 * passes the descriptor; readers map it read-only and use it as it lies. The
 * same bytes in a file are a recording.
 *
 * The block is a header followed by parts, one per kind of request to the
 * controller. A part is self-contained (records, then the strings that they
 * name), so that a part which was not fetched anew is carried into the next
 * snapshot by copying its bytes. Records refer to strings, and to each other,
 * by number; there are no pointers, so nothing is parsed on the way.
 *
 * Once snapshot_open() has verified a block, its arrays and every string
 * reference may be used without further checks. Numbers are in the byte order
 * of the machine: recordings travel between machines of the same kind.
 *
 * Absent is not zero: records have a "has" mask for optional readings, a
 * string reference of 0 means "none", and a time of 0 means "never".
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SNAPSHOT_MAGIC UINT64_C(0x31504e5344575047) /* "GPWDSNP1" */

enum {
    /* Raised whenever a record changes its shape or meaning. */
    SNAPSHOT_VERSION = 4,
    SNAPSHOT_ARRAYS_MAX = 4,
    SNAPSHOT_ALIGNMENT = 8
};

/* An offset into the strings of the record's own part; 0: no string. */
typedef uint32_t snapshot_string;

enum snapshot_part_kind {
    SNAPSHOT_NODES,
    SNAPSHOT_PARTITIONS,
    SNAPSHOT_JOBS,
    SNAPSHOT_STATISTICS,
    SNAPSHOT_RESERVATIONS,
    SNAPSHOT_LICENSES,
    SNAPSHOT_ASSOCIATIONS,
    SNAPSHOT_SLURM_COUNT, /* those before are what slurmctld is asked for */
    SNAPSHOT_GPUS = SNAPSHOT_SLURM_COUNT, /* the GPUs of one machine */
    SNAPSHOT_GPU_USE,                     /* the jobs and processes on them */
    SNAPSHOT_PART_COUNT
};

/* A snapshot is of Slurm or of a machine's own GPUs. */
#define SNAPSHOT_SLURM_PARTS ((1U << SNAPSHOT_SLURM_COUNT) - 1)
#define SNAPSHOT_GPU_PARTS (1U << SNAPSHOT_GPUS | 1U << SNAPSHOT_GPU_USE)

/* How the request behind a part ended in the cycle of this snapshot. */
enum snapshot_outcome {
    SNAPSHOT_NOT_DUE,   /* not asked: its slower beat was not due */
    SNAPSHOT_FRESH,     /* asked and answered with data */
    SNAPSHOT_UNCHANGED, /* asked, and the controller said: no change */
    SNAPSHOT_FAILED,    /* asked in vain; error tells why */
    SNAPSHOT_SKIPPED,   /* due, but the cycle ended at an earlier failure */
    SNAPSHOT_OUTCOME_COUNT
};

struct snapshot_array {
    uint64_t offset; /* from the start of the part */
    uint32_t count;
    uint32_t record_size;
};

struct snapshot_part {
    uint64_t offset; /* from the start of the block; 0: never loaded */
    uint64_t size;
    int64_t taken_ns;    /* real time at which the content was known to hold */
    int64_t updated_s;   /* the controller's own time of the last change */
    uint32_t outcome;    /* enum snapshot_outcome, of this cycle */
    int32_t error_code;  /* Slurm's errno when the outcome is FAILED */
    int64_t wall_ns;     /* how long this cycle's request took; 0: not asked */
    int64_t cpu_ns;      /* collector's own CPU in it, conversion included */
    int64_t interval_ns; /* until it is asked for again; 0: not told */
    struct snapshot_array arrays[SNAPSHOT_ARRAYS_MAX];
    uint64_t strings_offset; /* from the start of the part */
    uint64_t strings_size;   /* first and last byte are zero; 0: no strings */
};

/* What Slurm tells only those whom it belongs to (PrivateData, slurm.conf(5)).
 */
enum {
    PRIVATE_JOBS = 1 << 0,
    PRIVATE_NODES = 1 << 1,
    PRIVATE_PARTITIONS = 1 << 2,
    PRIVATE_USAGE = 1 << 3,
    PRIVATE_USERS = 1 << 4,
    PRIVATE_RESERVATIONS = 1 << 5,
    PRIVATE_EVENTS = 1 << 6
};

struct snapshot_header {
    uint64_t magic;
    uint32_t version;
    uint32_t header_size;
    uint64_t size;     /* of the whole block */
    uint64_t sequence; /* cycles of this collector, from 1 */
    int64_t started_ns;
    int64_t finished_ns; /* real time */
    int64_t cycle_wall_ns;
    int64_t cycle_cpu_ns;   /* collector's own CPU, all of the cycle */
    int64_t interval_ns;    /* until the next cycle, stretching included */
    uint32_t slurm_version; /* of libslurm: major << 16 | minor << 8 | micro */
    uint32_t complete;      /* 1: nothing of importance is missing */
    uint32_t private_data;  /* PRIVATE_* */
    uint32_t reserved;      /* 0 */
    char cluster_name[64];  /* zero-terminated */
    char slurm_text[32];    /* the version for people, "22.05.8" */
    struct snapshot_part parts[SNAPSHOT_PART_COUNT];
};

/* ---- nodes: array 0 struct node_record, array 1 struct gres_record --------
 */

enum {
    NODE_HAS_CPU_LOAD = 1 << 0,
    NODE_HAS_MEMORY_FREE = 1 << 1,
    NODE_HAS_POWER = 1 << 2
};

struct node_record {
    snapshot_string name;
    snapshot_string state_reason; /* why it is down or drained */
    snapshot_string reason_user;  /* who said so */
    snapshot_string reservation;
    snapshot_string features;
    snapshot_string address;
    snapshot_string slurmd_version;
    uint32_t slot; /* place in the controller's table, rising; see partitions */
    uint32_t state; /* model/state.h; base MIXED is computed */
    uint32_t has;   /* NODE_HAS_* */
    uint32_t cpus;
    uint32_t cpus_allocated;
    uint32_t cpus_effective; /* cpus less specialised ones */
    uint32_t cpu_load_centi; /* load average times 100 */
    uint32_t power_watts;
    uint32_t weight;
    uint64_t memory_mib;
    uint64_t memory_allocated_mib;
    uint64_t memory_effective_mib; /* memory less what is specialised */
    uint64_t memory_free_mib;      /* as slurmd measured it */
    int64_t reason_time_s;
    int64_t boot_time_s;
    int64_t slurmd_start_time_s;
    int64_t last_busy_s;
    uint32_t gres_first; /* into array 1 */
    uint32_t gres_count;
};

/* One kind of generic resource of a node or a job. */
struct gres_record {
    snapshot_string name; /* "gpu", "shard", "nic" */
    snapshot_string type; /* "h100", a MIG profile; 0 when untyped */
    uint64_t total;       /* configured on the node; asked or given for a job */
    uint64_t used;        /* in use on the node; allocated for a job */
};

/* ---- partitions: array 0 partition_record, array 1 node_range_record ------
 */

enum partition_state {
    PARTITION_UP,
    PARTITION_DOWN,
    PARTITION_DRAIN,
    PARTITION_INACTIVE,
    PARTITION_STATE_COUNT
};

enum {
    PARTITION_FLAG_DEFAULT = 1 << 0,
    PARTITION_FLAG_HIDDEN = 1 << 1
};

struct partition_record {
    snapshot_string name;
    snapshot_string nodes; /* host list, as configured or as expanded */
    snapshot_string qos;
    uint32_t state; /* enum partition_state */
    uint32_t flags; /* PARTITION_FLAG_* */
    uint32_t total_nodes;
    uint32_t total_cpus;
    uint32_t max_time_minutes; /* UINT32_MAX: unlimited */
    uint32_t priority_tier;
    uint32_t range_first; /* into array 1 */
    uint32_t range_count;
    uint32_t reserved;
};

/* Nodes by their slot, both ends included. */
struct node_range_record {
    uint32_t first_slot;
    uint32_t last_slot;
};

/* ---- jobs: array 0 struct job_record, 1 struct gres_record, 2 job_gpu_record
 */

enum {
    JOB_HAS_ARRAY_TASK = 1 << 0, /* array_task_id is one task's number */
    JOB_HAS_HET = 1 << 1,        /* part of a heterogeneous job */
    JOB_HAS_PRIORITY = 1 << 2
};

struct job_record {
    snapshot_string name;
    snapshot_string user; /* its number in digits when it has no name */
    snapshot_string account;
    snapshot_string partition; /* several with commas while pending */
    snapshot_string qos;
    snapshot_string reason; /* why it is pending or ended; Slurm's word */
    snapshot_string reason_detail;
    snapshot_string nodes; /* host list once allocated */
    snapshot_string reservation;
    snapshot_string licenses;
    snapshot_string dependency;
    snapshot_string tres; /* allocated, else asked for; Slurm's spelling */
    uint32_t job_id;
    uint32_t array_job_id; /* 0: not an array */
    uint32_t array_task_id;
    uint32_t het_job_id;
    uint32_t het_offset;
    uint32_t has; /* JOB_HAS_* */
    uint32_t user_id;
    uint32_t state;      /* model/state.h */
    uint32_t task_count; /* array tasks that this record stands for, >= 1 */
    uint32_t cpus;       /* per task */
    uint32_t nodes_count;
    uint32_t priority;
    uint32_t time_limit_minutes; /* UINT32_MAX: unlimited or none */
    uint32_t restarts;
    uint32_t nodes_max; /* asked for at most; 0: no bound */
    uint32_t reserved;
    uint64_t memory_mib; /* of all nodes together, from TRES */
    int64_t submit_time_s;
    int64_t eligible_time_s;
    int64_t start_time_s; /* expected while pending; 0: unknown */
    int64_t end_time_s;   /* expected while running */
    int64_t suspend_time_s;
    uint32_t gres_first; /* into array 1 */
    uint32_t gres_count;
};

/* A GPU that a job was given: only where it is asked for
 * (COLLECTOR_WANTS_JOB_GPUS). */
struct job_gpu_record {
    snapshot_string node;
    uint32_t job;   /* in array 0 */
    uint32_t place; /* among the node's GPUs, in the order of gres.conf */
    uint32_t reserved;
};

/* ---- statistics: array 0 one statistics_record, 1 and 2 rpc_record --------
 */

enum {
    SCHEDULE_EXIT_COUNT =
        6,                  /* end, depth, jobs started, licences, RPCs, time */
    BACKFILL_EXIT_COUNT = 6 /* end, jobs started, tested, state, table, time */
};

enum {
    STATISTICS_HAS_EXITS = 1 << 0,   /* since Slurm 24.11 */
    STATISTICS_HAS_LATENCY = 1 << 1, /* gettimeofday latency */
    STATISTICS_HAS_AGENT = 1 << 2    /* agent counts */
};

/* Times in microseconds unless named otherwise: as sdiag(1) has them. */
struct statistics_record {
    int64_t request_time_s;
    int64_t reset_time_s; /* since when the daily counters count */
    int64_t job_states_time_s;
    int64_t backfill_last_cycle_time_s;
    uint32_t has; /* STATISTICS_HAS_* */
    uint32_t backfill_active;
    uint32_t server_threads;
    uint32_t agent_queue_size;
    uint32_t agent_count;
    uint32_t agent_threads;
    uint32_t slurmdbd_queue_size;
    uint32_t latency_us;
    uint32_t jobs_submitted;
    uint32_t jobs_started;
    uint32_t jobs_completed;
    uint32_t jobs_canceled;
    uint32_t jobs_failed;
    uint32_t jobs_pending;
    uint32_t jobs_running;
    uint32_t schedule_cycle_max_us;
    uint32_t schedule_cycle_last_us;
    uint32_t schedule_cycles;
    uint32_t schedule_depth;
    uint32_t schedule_queue_length;
    uint64_t schedule_cycle_sum_us;
    uint32_t backfilled_jobs; /* since slurmctld started */
    uint32_t backfilled_jobs_last;
    uint32_t backfilled_het_jobs;
    uint32_t backfill_cycles;
    uint64_t backfill_cycle_sum_us;
    uint32_t backfill_cycle_last_us;
    uint32_t backfill_cycle_max_us;
    uint32_t backfill_depth_last;
    uint32_t backfill_depth_try_last;
    uint32_t backfill_depth_sum;
    uint32_t backfill_depth_try_sum;
    uint32_t backfill_queue_length;
    uint32_t backfill_queue_length_sum;
    uint32_t backfill_table_size;
    uint32_t backfill_table_size_sum;
    uint32_t schedule_exits[SCHEDULE_EXIT_COUNT];
    uint32_t backfill_exits[BACKFILL_EXIT_COUNT];
};

/* Array 1: by message type; array 2: by user. Zeroed by slurmctld's restart or
 * an explicit reset. */
struct rpc_record {
    snapshot_string name; /* "REQUEST_JOB_INFO", or the user's name */
    uint32_t id;          /* message type, or user id */
    uint64_t count;
    uint64_t time_us;
};

/* ---- reservations: array 0 ------------------------------------------------
 */

struct reservation_record {
    snapshot_string name;
    snapshot_string users;
    snapshot_string accounts;
    snapshot_string partition;
    snapshot_string nodes;
    snapshot_string flags; /* "MAINT,OVERLAP" */
    snapshot_string tres;
    uint32_t node_count;
    uint32_t core_count;
    uint32_t reserved;
    int64_t start_time_s;
    int64_t end_time_s;
};

/* ---- licences: array 0 ----------------------------------------------------
 */

struct license_record {
    snapshot_string name;
    uint32_t remote; /* 1: served by slurmdbd */
    uint32_t total;
    uint32_t used;
    uint32_t available;
    uint32_t reserved;
};

/* ---- associations: 0 association_record, 1 limit_record, 2 qos_record -----
 */

enum {
    ASSOCIATION_HAS_SHARES = 1 << 0,   /* shares and usage are known */
    ASSOCIATION_HAS_LEVEL_FS = 1 << 1, /* FAIR_TREE computes it */
    ASSOCIATION_HAS_FACTOR = 1 << 2,   /* fairshare factor; always of users */
    ASSOCIATION_USES_PARENT = 1 << 3   /* fairshare=parent */
};

struct association_record {
    snapshot_string account;
    snapshot_string user;      /* 0: the account itself */
    snapshot_string partition; /* 0: any */
    snapshot_string parent;    /* parent account; 0: root */
    uint32_t id;
    uint32_t has; /* ASSOCIATION_HAS_* */
    uint32_t shares_raw;
    uint32_t jobs_running;
    double shares_norm; /* NaN: Slurm has not worked it out */
    double usage_raw;
    double usage_norm;      /* the same */
    double usage_effective; /* the same */
    double level_fs;
    double fairshare_factor;
    uint32_t limit_first; /* into array 1 */
    uint32_t limit_count;
};

struct qos_record {
    snapshot_string name;
    uint32_t priority;
    double usage_factor;
    double usage_raw;
    uint32_t jobs_running;
    uint32_t jobs_submitted;
    uint32_t limit_first; /* into array 1 */
    uint32_t limit_count;
};

enum {
    LIMIT_HAS_LIMIT = 1 << 0,
    LIMIT_HAS_USED = 1 << 1
};

/* One limit or usage of an association or a QOS. */
struct limit_record {
    snapshot_string kind;     /* "grp_tres", "grp_jobs", "max_jobs_per_user" */
    snapshot_string resource; /* "cpu", "gres/gpu", "jobs", "wall_minutes" */
    uint32_t has;             /* LIMIT_HAS_* */
    uint32_t reserved;
    double limit;
    double used;
};

/* ---- reading --------------------------------------------------------------
 */

/* A verified block; plain data, owned by whoever mapped the memory. */
struct snapshot {
    const struct snapshot_header *header;
    const char *bytes;
    size_t size;
};

/*
 * Verify the block of SIZE bytes at DATA (8-byte aligned; it must outlive
 * RET_SNAPSHOT) and give access to it. Checks the magic, the version, every
 * bound, and every string and record reference, so that no block, however
 * made, can lead a reader astray. -EPROTO with the reason when it fails.
 */
int snapshot_open(const void *data,
                  size_t size,
                  struct snapshot *ret_snapshot,
                  struct error *err);

/* The records of ARRAY of part KIND and their number; NULL and 0 when the part
 * was never loaded. */
const void *snapshot_array(const struct snapshot *snapshot,
                           enum snapshot_part_kind kind,
                           unsigned int array,
                           size_t *ret_count);

static inline const struct snapshot_part *
snapshot_part(const struct snapshot *snapshot, enum snapshot_part_kind kind)
{
    return &snapshot->header->parts[kind];
}

/* True when the part holds data, however old. */
static inline bool snapshot_has(const struct snapshot *snapshot,
                                enum snapshot_part_kind kind)
{
    return snapshot->header->parts[kind].offset != 0;
}

/* The string that a record of part KIND names; "" for none. */
static inline const char *snapshot_text(const struct snapshot *snapshot,
                                        enum snapshot_part_kind kind,
                                        snapshot_string string)
{
    const struct snapshot_part *part = &snapshot->header->parts[kind];
    return string
               ? snapshot->bytes + part->offset + part->strings_offset + string
               : "";
}

/* "nodes", "jobs", …: the parts' names as label values. */
extern const char *const snapshot_part_names[SNAPSHOT_PART_COUNT];
extern const char *const snapshot_outcome_names[SNAPSHOT_OUTCOME_COUNT];

/* Bytes of one record of ARRAY of part KIND; 0: there is no such array. */
size_t snapshot_record_size(enum snapshot_part_kind kind, unsigned int array);
