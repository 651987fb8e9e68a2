/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What differs between the versions of libslurm, 20.11 to 26.05, behind one
 * name each: the only place that asks which version it is built against. What
 * is the same in all of them is used straight from slurm.h.
 *
 * libslurm's records change with every major version and its soname with them,
 * so a program is built for one major version and the header's number tells
 * what the library is. Where a version lacks a fact the accessor returns false
 * (or NULL for text) and the caller leaves the reading absent. Where the
 * version at which something changed is not in our matrix, the compiler is
 * asked for the type instead of guessing (compat_list).
 * doc/notes/2026-11-23-libslurm-versions.md has the table behind this.
 *
 * Some functions here are exported by every libslurm.so and declared in no
 * public header. Their signatures were tried against each version.
 */
#pragma once

#include "model/snapshot.h"
#include "model/state.h"

#include <slurm/slurm.h>
#include <slurm/slurmdb.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#define COMPAT_SLURM_SINCE(major, minor)                                       \
    (SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(major, minor, 0))

#if !COMPAT_SLURM_SINCE(20, 11)
#error "libslurm 20.11 or newer is needed"
#endif

/* ---- exported, not declared ----------------------------------------------
 */

extern slurm_conf_t slurm_conf;
extern void slurm_free_stats_response_msg(stats_info_response_msg_t *message);
extern int32_t slurm_bit_set_count(bitstr_t *bits);
extern void slurm_xfree(void **pointer); /* sets *POINTER to NULL */

/* One function under two names, the first until 22.05; a library has one. */
extern char *slurm_job_reason_string(enum job_state_reason reason)
    __attribute__((weak));
extern const char *slurm_job_state_reason_string(enum job_state_reason reason)
    __attribute__((weak));

/* ---- the library ---------------------------------------------------------
 */

enum {
    COMPAT_VERSION_TEXT_SIZE = 16
};

/* major << 16 | minor << 8 | micro. slurm_api_version() is no help: it tells
 * the soname's number. */
static inline uint32_t compat_slurm_version(void)
{
    return SLURM_VERSION_NUMBER;
}

/* "22.05.8" in BUFFER, which is returned. */
static inline char *
compat_slurm_version_text(char buffer[static COMPAT_VERSION_TEXT_SIZE])
{
    snprintf(buffer, COMPAT_VERSION_TEXT_SIZE, "%u.%02u.%u",
             (unsigned int)SLURM_VERSION_MAJOR(SLURM_VERSION_NUMBER),
             (unsigned int)SLURM_VERSION_MINOR(SLURM_VERSION_NUMBER),
             (unsigned int)SLURM_VERSION_MICRO(SLURM_VERSION_NUMBER));
    return buffer;
}

/* The cluster's name as slurm.conf has it, without asking the controller. NULL
 * before slurm_init(); owned by the library. */
static inline const char *compat_cluster_name(void)
{
    return slurm_conf.cluster_name;
}

/* PRIVATE_* of the snapshot, as slurm.conf has them. */
static inline uint32_t compat_private_data(void)
{
    static const struct {
        uint16_t slurm;
        uint32_t ours;
    } bits[] = {
        {PRIVATE_DATA_JOBS, PRIVATE_JOBS},
        {PRIVATE_DATA_NODES, PRIVATE_NODES},
        {PRIVATE_DATA_PARTITIONS, PRIVATE_PARTITIONS},
        {PRIVATE_DATA_USAGE, PRIVATE_USAGE},
        {PRIVATE_DATA_USERS, PRIVATE_USERS},
        {PRIVATE_DATA_RESERVATIONS, PRIVATE_RESERVATIONS},
        {PRIVATE_DATA_EVENTS, PRIVATE_EVENTS},
    };
    uint32_t private_data = 0;
    for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
        if (slurm_conf.private_data & bits[i].slurm)
            private_data |= bits[i].ours;
    return private_data;
}

/* The host of the first controller in slurm.conf, for people to read. */
static inline const char *compat_controller_name(void)
{
    return slurm_conf.control_cnt > 0 && slurm_conf.control_machine &&
                   slurm_conf.control_machine[0]
               ? slurm_conf.control_machine[0]
               : "an unknown host";
}

/* ---- lists ---------------------------------------------------------------
 * List and ListIterator until 22.05, list_t * and list_itr_t * since 23.02.
 */

typedef __typeof__(((assoc_mgr_info_msg_t *)NULL)->assoc_list) compat_list;

/* Call VISIT with each item of LIST; without slurmdbd the lists of
 * slurm_load_assoc_mgr_info() are NULL, which is empty here. */
static inline void compat_list_each(compat_list list,
                                    void (*visit)(void *item, void *context),
                                    void *context)
{
    __typeof__(slurm_list_iterator_create(list)) iterator;
    void *item;

    if (!list)
        return;
    iterator = slurm_list_iterator_create(list);
    while ((item = slurm_list_next(iterator)))
        visit(item, context);
    slurm_list_iterator_destroy(iterator);
}

/* ---- nodes ---------------------------------------------------------------
 */

/* Slurm's node_state in the numbering of model/state.h. Bit 4 was NET, for
 * Cray, before it became EXTERNAL. All other bits kept their meaning under
 * changing names: POWER_SAVE of 20.11 is POWERED_DOWN, its POWER_UP is
 * POWERING_UP, DYNAMIC is DYNAMIC_FUTURE. PLANNED to POWER_DRAIN came after
 * 20.11 and before 22.05, as did DYNAMIC_NORMAL; BLOCKED after 22.05. */
static inline uint32_t compat_node_state(uint32_t state)
{
#if COMPAT_SLURM_SINCE(25, 5)
    return state;
#else
    return state & ~NODE_FLAG(EXTERNAL);
#endif
}

static inline uint32_t compat_node_cpus_allocated(const node_info_t *node)
{
#if COMPAT_SLURM_SINCE(25, 5)
    return node->alloc_cpus;
#else
    uint16_t cpus = 0;

    if (node->select_nodeinfo)
        slurm_get_select_nodeinfo(node->select_nodeinfo, SELECT_NODEDATA_SUBCNT,
                                  NODE_STATE_ALLOCATED, &cpus);
    return cpus;
#endif
}

static inline uint64_t compat_node_memory_allocated_mib(const node_info_t *node)
{
#if COMPAT_SLURM_SINCE(25, 5)
    return node->alloc_memory;
#else
    /* 64 bits are written, whatever the comment in slurm.h says. */
    uint64_t mib = 0;

    if (node->select_nodeinfo)
        slurm_get_select_nodeinfo(node->select_nodeinfo,
                                  SELECT_NODEDATA_MEM_ALLOC,
                                  NODE_STATE_ALLOCATED, &mib);
    return mib;
#endif
}

/* CPUs that jobs can have: without those set aside by CoreSpecCount or
 * CpuSpecList. Before 22.05 the controller does not tell and its own tools
 * count with all CPUs: so do we then. */
static inline uint32_t compat_node_cpus_effective(const node_info_t *node)
{
#if COMPAT_SLURM_SINCE(22, 5)
    return node->cpus_efctv;
#else
    return node->cpus;
#endif
}

/* Name of the reservation that holds the node now, or NULL; NULL before
 * 23.02, where only the reservations name their nodes. */
static inline const char *compat_node_reservation(const node_info_t *node)
{
#if COMPAT_SLURM_SINCE(23, 2)
    return node->resv_name;
#else
    (void)node;
    return NULL;
#endif
}

/* When the node last ran a job; false before 22.05. */
static inline bool compat_node_last_busy(const node_info_t *node,
                                         time_t *ret_time)
{
#if COMPAT_SLURM_SINCE(22, 5)
    *ret_time = node->last_busy;
    return true;
#else
    (void)node;
    (void)ret_time;
    return false;
#endif
}

/* ---- jobs ----------------------------------------------------------------
 */

/* Slurm's job_state in the numbering of model/state.h. Bit 24 was
 * REQUEUE_CRON in 20.11 and is EXPEDITING since 25.11; bit 9 was slurmctld's
 * own UPDATE_DB until 24.05, and is GETENV_FAILED in 26.05. */
static inline uint32_t compat_job_state(uint32_t state)
{
#if !COMPAT_SLURM_SINCE(25, 11)
    state &= ~JOB_FLAG(EXPEDITING);
#endif
#if !COMPAT_SLURM_SINCE(24, 11)
    state &= ~(UINT32_C(1) << 9);
#endif
    return state;
}

/* Slurm's word for why a job waits or ended: "Priority", "None"; a number or
 * "InvalidReason" for one that the library does not know. Valid until the next
 * call. The numbers' meanings differ between versions (17, 33, 34, 76, 77,
 * from 199), so the text, not the number, is what may leave the collector. */
static inline const char *compat_job_reason(const slurm_job_info_t *job)
{
    enum job_state_reason reason = (enum job_state_reason)job->state_reason;

    if (slurm_job_state_reason_string)
        return slurm_job_state_reason_string(reason);
    return slurm_job_reason_string(reason);
}

/* How many tasks the record stands for: the waiting tasks of an array that
 * have no record of their own yet, else 1. Counted from the bitmap, since
 * array_task_str is cut off after 64 characters. */
static inline uint32_t compat_job_tasks(const slurm_job_info_t *job)
{
    int32_t tasks = 0;

    if (job->array_bitmap) /* a void * in 20.11 */
        tasks = slurm_bit_set_count((bitstr_t *)job->array_bitmap);
    return tasks > 0 ? (uint32_t)tasks : 1;
}

/* Licences that the job has, or asks for while it has none; NULL when none.
 * What was given is told apart only since 25.11 ("a|b" asks for either). */
static inline const char *compat_job_licenses(const slurm_job_info_t *job)
{
#if COMPAT_SLURM_SINCE(25, 11)
    if (job->licenses_allocated && *job->licenses_allocated)
        return job->licenses_allocated;
#endif
    return job->licenses;
}

/* ---- partitions ----------------------------------------------------------
 */

/* Free what slurm_load_partitions() gave, all of it: 22.05 forgets nodesets.
 * Accepts NULL. */
static inline void compat_partitions_free(partition_info_msg_t *message)
{
#if COMPAT_SLURM_SINCE(22, 5)
    for (uint32_t i = 0; message && i < message->record_count; i++)
        slurm_xfree((void **)&message->partition_array[i].nodesets);
#endif
    if (message)
        slurm_free_partition_info_msg(message);
}

/* ---- licences ------------------------------------------------------------
 */

/* The nodes that this row counts for, or NULL for the whole cluster. Since
 * 25.11 a (hierarchical) licence has a row for each of its sets of nodes, so
 * that a name alone no longer tells the rows apart. */
static inline const char *compat_license_nodes(const slurm_license_info_t *row)
{
#if COMPAT_SLURM_SINCE(25, 11)
    return row->nodes && *row->nodes ? row->nodes : NULL;
#else
    (void)row;
    return NULL;
#endif
}

/* ---- statistics ----------------------------------------------------------
 */

/*
 * Why scheduling cycles ended, counted, in the order of sdiag(1). Main: end of
 * queue, default_queue_depth, sched_max_job_start, licences, max_rpc_cnt,
 * max_sched_time. Backfill: end of queue, bf_max_job_start, bf_max_job_test,
 * state changed, bf_node_space_size, bf_max_time. False before 23.11.
 */
static inline bool
compat_stats_schedule_exits(const stats_info_response_msg_t *stats,
                            const uint32_t **ret_counts,
                            uint32_t *ret_count)
{
#if COMPAT_SLURM_SINCE(23, 11)
    *ret_counts = stats->schedule_exit;
    *ret_count = stats->schedule_exit ? stats->schedule_exit_cnt : 0;
    return true;
#else
    (void)stats;
    (void)ret_counts;
    (void)ret_count;
    return false;
#endif
}

static inline bool
compat_stats_backfill_exits(const stats_info_response_msg_t *stats,
                            const uint32_t **ret_counts,
                            uint32_t *ret_count)
{
#if COMPAT_SLURM_SINCE(23, 11)
    *ret_counts = stats->bf_exit;
    *ret_count = stats->bf_exit ? stats->bf_exit_cnt : 0;
    return true;
#else
    (void)stats;
    (void)ret_counts;
    (void)ret_count;
    return false;
#endif
}

/* Accepts NULL. */
static inline void compat_stats_free(stats_info_response_msg_t *stats)
{
    if (stats)
        slurm_free_stats_response_msg(stats);
}
