/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The jobs of the tests' cluster. Times are seconds from midnight; a job that
 * waits has none but the first.
 */
#include "base/cleanup.h"
#include "model/state.h"
#include "model/test-cluster-private.h"

/* How a job differs from a plain one; bits. */
enum {
    HELD = 1,     /* waits with priority 0 */
    NEW = 2,      /* is not there before midnight */
    WAITED = 4,   /* still waits before midnight */
    UNPLACED = 8, /* never had a node */
};

/* clang-format off */
#define STATE(base) JOB_BASE_##base
#define FLAG(name) JOB_FLAG(name)

/* tasks, CPUs, nodes and MiB of a task, when it could have started */
#define WAITS(id_, state_, user_, account_, partition_, qos_, reason_, tasks_, cpus_, nodes_, memory_, eligible_) \
    .id = (id_), .state = (state_), .user = (user_), .account = (account_), .partition = (partition_), \
    .qos = (qos_), .reason = (reason_), .tasks = (tasks_), .cpus = (cpus_), .nodes = (nodes_), \
    .memory_mib = (memory_), .eligible_s = (eligible_)
/* and when it did, and ended or will end */
#define RUNS(id_, state_, user_, account_, partition_, qos_, cpus_, memory_, eligible_, start_, end_) \
    WAITS(id_, state_, user_, account_, partition_, qos_, "None", 1, cpus_, 1, memory_, eligible_), \
    .start_s = (start_), .end_s = (end_)

static const struct job {
    uint32_t id;
    uint32_t state;
    const char *user, *account, *partition, *qos, *reason;
    uint32_t tasks, cpus, nodes, memory_mib;
    int32_t eligible_s, start_s, end_s;
    struct cluster_gres gres[CLUSTER_GRES_MAX];
    unsigned int how;
} jobs[] = {
    {RUNS(100, STATE(RUNNING), "alice", "physics", "batch", "normal", 64, 200000, -7200, -3600, 82800)},
    {RUNS(101, STATE(RUNNING), "bob", "ml", "gpu", "urgent", 16, 64000, -500, -400, 9000),
     .gres = {{"gpu", "a100", 2, 2}}},
    /* Two types in one job. */
    {RUNS(102, STATE(RUNNING), "carol", "ml", "gpu", "normal", 8, 64000, -100, -100, 9000),
     .gres = {{"gpu", "a100_1g.10gb", 3, 3}, {"gpu", "a100_3g.40gb", 2, 2}}},
    /* Between the two looks: came, ran for 100 s and ended; started after 3 minutes. */
    {RUNS(103, STATE(COMPLETED), "bob", "ml", "gpu", "urgent", 8, 1000, -50, 0, 100),
     .gres = {{"gpu", "a100", 1, 1}}, .how = NEW},
    {RUNS(104, STATE(RUNNING), "carol", "ml", "gpu", "normal", 8, 64000, -120, 60, 9000),
     .gres = {{"gpu", "a100", 1, 1}}, .how = WAITED},

    /* Arrays: a record stands for the tasks that wait. One names two partitions. */
    {WAITS(200, STATE(PENDING), "carol", "ml", "gpu", "normal", "Priority", 100, 4, 1, 8000, -900),
     .gres = {{"gpu", "a100", 1, 0}}},
    {WAITS(201, STATE(PENDING), "alice", "physics", "batch,gpu", "normal", "Resources", 10, 2, 1, 1000, -800)},
    /* A heterogeneous job of two. */
    {WAITS(300, STATE(PENDING), "alice", "physics", "batch", "normal", "Resources", 1, 8, 2, 4000, -700)},
    {WAITS(301, STATE(PENDING), "alice", "physics", "gpu", "normal", "Resources", 1, 4, 1, 4000, -700),
     .gres = {{"gpu", "", 2, 0}}},
    /* Waiting for other things than their turn. */
    {WAITS(400, STATE(PENDING), "alice", "physics", "batch", "normal", "JobHeldUser", 1, 64, 9, 4000, -90000), .how = HELD},
    {WAITS(401, STATE(PENDING), "bob", "physics", "batch", "normal", "Dependency", 1, 64, 1, 4000, -600)},
    {WAITS(402, STATE(PENDING), "bob", "physics", "batch", "normal", "DependencyNeverSatisfied", 1, 64, 1, 4000, -600)},
    {WAITS(403, STATE(PENDING), "bob", "physics", "batch", "normal", "PartitionNodeLimit", 1, 64, 500, 4000, -600)},
    {WAITS(404, STATE(PENDING), "bob", "physics", "empty", "normal", "PartitionDown", 1, 1, 1, 100, -600)},
    /* Its partition was deleted, or is hidden from us. */
    {WAITS(405, STATE(PENDING), "bob", "physics", "gone", "normal", "PartitionDown", 1, 1, 1, 100, -600)},
    /* squeue shows the flag, not the base state. */
    {WAITS(406, STATE(PENDING) | FLAG(REQUEUE_HOLD), "bob", "physics", "batch", "normal", "JobHeldAdmin", 1, 1, 1, 100, -600),
     .how = HELD},
    {RUNS(500, STATE(RUNNING) | FLAG(COMPLETING), "alice", "physics", "batch", "normal", 4, 1000, -600, -500, 9000)},
    {RUNS(501, STATE(RUNNING) | FLAG(CONFIGURING) | FLAG(POWER_UP_NODE), "alice", "physics", "batch", "normal", 8, 16000, -600, -70, 9000)},
    {RUNS(502, STATE(COMPLETED) | FLAG(STAGE_OUT), "alice", "physics", "batch", "normal", 8, 1000, -600, -500, -100)},
    /* Neither account nor QOS. */
    {RUNS(503, STATE(SUSPENDED), "dave", "", "batch", "", 8, 1000, -600, -500, 9000)},

    /* Ends of every kind. */
    {RUNS(600, STATE(COMPLETED), "alice", "physics", "batch", "normal", 1, 100, -600, -500, -400)},
    {RUNS(601, STATE(FAILED), "alice", "physics", "batch", "normal", 1, 100, -600, -500, -400)},
    {RUNS(602, STATE(TIMEOUT), "alice", "physics", "batch", "normal", 1, 100, -600, -500, -400)},
    {RUNS(603, STATE(NODE_FAIL), "alice", "physics", "batch", "normal", 1, 100, -600, -500, -400)},
    {RUNS(604, STATE(PREEMPTED), "alice", "physics", "batch", "normal", 1, 100, -600, -500, -400)},
    {RUNS(605, STATE(OUT_OF_MEMORY), "alice", "physics", "batch", "normal", 1, 100, -600, -500, -400)},
    {RUNS(606, STATE(DEADLINE), "alice", "physics", "batch", "normal", 1, 100, -600, -500, -400)},
    {RUNS(607, STATE(BOOT_FAIL), "alice", "physics", "batch", "normal", 1, 100, -600, -500, -400)},
    /* Cancelled while it waited: Slurm gives it a start, and it never ran. */
    {RUNS(608, STATE(CANCELLED), "alice", "physics", "batch", "normal", 1, 100, -600, 50, 50),
     .how = NEW | UNPLACED},

    /* Names that need care: quotes, UTF-8, Latin-1, a user who left. */
    {RUNS(700, STATE(RUNNING), "o\"neil\\x\ny", "physics", "batch", "normal", 1, 100, -600, -500, 9000)},
    {RUNS(701, STATE(RUNNING), "j\xc3\xbcrgen", "physics", "batch", "normal", 1, 100, -600, -500, 9000)},
    {RUNS(702, STATE(RUNNING), "j\xfcrgen", "physics", "batch", "normal", 1, 100, -600, -500, 9000)},
    {RUNS(703, STATE(RUNNING), "60001", "physics", "batch", "normal", 1, 100, -600, -500, 9000)},
};
/* clang-format on */

static void fill_job(struct snapshot_builder *b,
                     struct job_record *record,
                     const struct job *job,
                     uint32_t state)
{
    *record = (struct job_record){
        .name = snapshot_builder_string(b, 0, "train"),
        .user = snapshot_builder_string(b, 1, job->user),
        .account = snapshot_builder_string(b, 2, job->account),
        .partition = snapshot_builder_string(b, 3, job->partition),
        .qos = snapshot_builder_string(b, 4, job->qos),
        .reason = snapshot_builder_string(b, 5, job->reason),
        .job_id = job->id,
        .state = state,
        .task_count = job->tasks,
        .cpus = job->cpus,
        .nodes_count = job->nodes,
        .memory_mib = job->memory_mib,
        .has = JOB_HAS_PRIORITY,
        .priority = (job->how & HELD) ? 0 : 1000,
        .submit_time_s = CLUSTER_MIDNIGHT_S + job->eligible_s,
        .eligible_time_s = CLUSTER_MIDNIGHT_S + job->eligible_s,
    };
    cluster_add_gres(b, job->gres, &record->gres_first, &record->gres_count);
    if (job_state_base(state) == JOB_BASE_PENDING)
        return;
    record->start_time_s = CLUSTER_MIDNIGHT_S + job->start_s;
    record->end_time_s = CLUSTER_MIDNIGHT_S + job->end_s;
    if (!(job->how & UNPLACED))
        record->nodes = snapshot_builder_string(b, 6, "somewhere");
}

int cluster_add_jobs(struct snapshot_builder *b,
                     enum cluster_moment moment,
                     struct error *err)
{
    const bool before = moment == CLUSTER_BEFORE_MIDNIGHT;
    void *records;
    size_t count = 0;
    int r = snapshot_builder_begin(b, SNAPSHOT_JOBS, array_size(jobs), &records,
                                   err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < array_size(jobs); i++) {
        if (before && (jobs[i].how & NEW))
            continue;
        uint32_t state = before && (jobs[i].how & WAITED)
                             ? (uint32_t)JOB_BASE_PENDING
                             : jobs[i].state;
        fill_job(b, (struct job_record *)records + count++, &jobs[i], state);
    }
    snapshot_builder_part(b, SNAPSHOT_JOBS)->updated_s = cluster_time_s(moment);
    return snapshot_builder_end(b, count, err);
}
