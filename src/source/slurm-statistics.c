/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scheduler's and the controller's own statistics, as sdiag(1) shows them.
 * Counters that the controller sets back at midnight are passed on as they
 * are: who keeps them counting up is the model.
 */
#include "source/slurm-parts.h"

enum statistics_field {
    FIELD_RPC_TYPE,
    FIELD_RPC_USER,
};

static void convert_controller(const stats_info_response_msg_t *m,
                               struct statistics_record *record)
{
    record->request_time_s = slurm_time(m->req_time);
    record->reset_time_s = slurm_time(m->req_time_start);
    record->job_states_time_s = slurm_time(m->job_states_ts);
    record->has |= STATISTICS_HAS_LATENCY | STATISTICS_HAS_AGENT;
    record->server_threads = m->server_thread_count;
    record->agent_queue_size = m->agent_queue_size;
    record->agent_count = m->agent_count;
    record->agent_threads = m->agent_thread_count;
    record->slurmdbd_queue_size = m->dbd_agent_queue_size;
    record->latency_us = m->gettimeofday_latency;
    record->jobs_submitted = m->jobs_submitted;
    record->jobs_started = m->jobs_started;
    record->jobs_completed = m->jobs_completed;
    record->jobs_canceled = m->jobs_canceled;
    record->jobs_failed = m->jobs_failed;
    record->jobs_pending = m->jobs_pending;
    record->jobs_running = m->jobs_running;
}

static void convert_schedule(const stats_info_response_msg_t *m,
                             struct statistics_record *record)
{
    record->schedule_cycle_max_us = m->schedule_cycle_max;
    record->schedule_cycle_last_us = m->schedule_cycle_last;
    record->schedule_cycle_sum_us = m->schedule_cycle_sum;
    record->schedule_cycles = m->schedule_cycle_counter;
    record->schedule_depth = m->schedule_cycle_depth;
    record->schedule_queue_length = m->schedule_queue_len;
}

static void convert_backfill(const stats_info_response_msg_t *m,
                             struct statistics_record *record)
{
    record->backfill_last_cycle_time_s = slurm_time(m->bf_when_last_cycle);
    record->backfill_active = m->bf_active;
    record->backfilled_jobs = m->bf_backfilled_jobs;
    record->backfilled_jobs_last = m->bf_last_backfilled_jobs;
    record->backfilled_het_jobs = m->bf_backfilled_het_jobs;
    record->backfill_cycles = m->bf_cycle_counter;
    record->backfill_cycle_sum_us = m->bf_cycle_sum;
    record->backfill_cycle_last_us = m->bf_cycle_last;
    record->backfill_cycle_max_us = m->bf_cycle_max;
    record->backfill_depth_last = m->bf_last_depth;
    record->backfill_depth_try_last = m->bf_last_depth_try;
    record->backfill_depth_sum = m->bf_depth_sum;
    record->backfill_depth_try_sum = m->bf_depth_try_sum;
    record->backfill_queue_length = m->bf_queue_len;
    record->backfill_queue_length_sum = m->bf_queue_len_sum;
    record->backfill_table_size = m->bf_table_size;
    record->backfill_table_size_sum = m->bf_table_size_sum;
}

static void
copy_counts(uint32_t *to, size_t room, const uint32_t *from, uint32_t count)
{
    for (size_t i = 0; i < room && i < count; i++)
        to[i] = from[i];
}

/* Both came with the same version. */
static void convert_exits(const stats_info_response_msg_t *m,
                          struct statistics_record *record)
{
    const uint32_t *counts;
    uint32_t count;
    if (compat_stats_schedule_exits(m, &counts, &count)) {
        record->has |= STATISTICS_HAS_EXITS;
        copy_counts(record->schedule_exits, SCHEDULE_EXIT_COUNT, counts, count);
    }
    if (compat_stats_backfill_exits(m, &counts, &count))
        copy_counts(record->backfill_exits, BACKFILL_EXIT_COUNT, counts, count);
}

static void convert_rpcs_by_type(struct snapshot_builder *b,
                                 const stats_info_response_msg_t *m)
{
    for (uint32_t i = 0; i < m->rpc_type_size; i++) {
        char buffer[SLURM_RPC_NAME_SIZE];
        struct rpc_record *rpc = snapshot_builder_add(b, 1, NULL);
        if (!rpc)
            return; /* the builder remembers it and fails the part */
        *rpc = (struct rpc_record){
            .name = snapshot_builder_string(
                b, FIELD_RPC_TYPE, slurm_rpc_name(m->rpc_type_id[i], buffer)),
            .id = m->rpc_type_id[i],
            .count = m->rpc_type_cnt[i],
            .time_us = m->rpc_type_time[i],
        };
    }
}

static void convert_rpcs_by_user(struct slurm_request *request,
                                 const stats_info_response_msg_t *m)
{
    struct snapshot_builder *b = request->builder;
    for (uint32_t i = 0; i < m->rpc_user_size; i++) {
        struct rpc_record *rpc = snapshot_builder_add(b, 2, NULL);
        if (!rpc)
            return;
        *rpc = (struct rpc_record){
            .name = snapshot_builder_string(
                b, FIELD_RPC_USER,
                user_name(request->users, m->rpc_user_id[i])),
            .id = m->rpc_user_id[i],
            .count = m->rpc_user_cnt[i],
            .time_us = m->rpc_user_time[i],
        };
    }
}

int slurm_statistics_convert(struct slurm_request *request,
                             const stats_info_response_msg_t *message,
                             struct error *err)
{
    struct snapshot_builder *b = request->builder;
    void *records;
    int r = snapshot_builder_begin(b, SNAPSHOT_STATISTICS, 1, &records, err);
    if (r < 0)
        return r;
    struct statistics_record *record = records;
    convert_controller(message, record);
    convert_schedule(message, record);
    convert_backfill(message, record);
    convert_exits(message, record);
    convert_rpcs_by_type(b, message);
    convert_rpcs_by_user(request, message);
    r = snapshot_builder_end(b, 1, err);
    if (r == 0)
        snapshot_builder_part(b, SNAPSHOT_STATISTICS)->updated_s =
            slurm_time(message->req_time);
    return r;
}

int slurm_statistics_load(struct slurm_request *request, struct error *err)
{
    stats_info_request_msg_t question = {.command_id = STAT_COMMAND_GET};
    stats_info_response_msg_t *message = NULL;
    int r = slurm_call_result(slurm_get_statistics(&message, &question));
    if (r != 0)
        return r;
    r = slurm_statistics_convert(request, message, err);
    compat_stats_free(message);
    return r;
}
