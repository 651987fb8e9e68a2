/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The least that a program in C can do to learn what Slurm knows: the calls of
 * libslurm that a whole cycle of our collector makes, in the same order with
 * the same flags, and freeing what they returned. What the collector costs
 * beyond this is what it adds.
 *
 * It stays: for each line on standard input it makes a round and prints the
 * round's CPU time and duration in milliseconds, so that rounds of it and
 * cycles of the collector can take turns on the same cluster. Like the
 * collector it gives its free memory back to the system after each round,
 * outside of what is measured.
 */
#include "base/clock.h"
#include "source/slurm-compat.h"

#include <malloc.h>
#include <slurm/slurm_errno.h>
#include <stdlib.h>

static void fail(const char *call)
{
    fprintf(stderr, "bare-calls: %s: %s\n  is slurmctld up? try: scontrol ping",
            call, slurm_strerror(errno));
    exit(EXIT_FAILURE);
}

static void nodes(void)
{
    node_info_msg_t *message = NULL;
    if (slurm_load_node(0, &message, SHOW_ALL | SHOW_DETAIL | SHOW_MIXED) != 0)
        fail("slurm_load_node");
    slurm_free_node_info_msg(message);
}

static void partitions(void)
{
    partition_info_msg_t *message = NULL;
    if (slurm_load_partitions(0, &message, SHOW_ALL) != 0)
        fail("slurm_load_partitions");
    compat_partitions_free(message);
}

static void statistics(void)
{
    stats_info_request_msg_t question = {.command_id = STAT_COMMAND_GET};
    stats_info_response_msg_t *message = NULL;
    if (slurm_get_statistics(&message, &question) != 0)
        fail("slurm_get_statistics");
    compat_stats_free(message);
}

static void jobs(void)
{
    job_info_msg_t *message = NULL;
    if (slurm_load_jobs(0, &message, SHOW_ALL) != 0)
        fail("slurm_load_jobs");
    slurm_free_job_info_msg(message);
}

static void reservations(void)
{
    reserve_info_msg_t *message = NULL;
    if (slurm_load_reservations(0, &message) != 0)
        fail("slurm_load_reservations");
    slurm_free_reservation_info_msg(message);
}

static void licenses(void)
{
    license_info_msg_t *message = NULL;
    if (slurm_load_licenses(0, &message, SHOW_ALL) != 0)
        fail("slurm_load_licenses");
    slurm_free_license_info_msg(message);
}

static void associations(void)
{
    assoc_mgr_info_request_msg_t question = {
        .flags = ASSOC_MGR_INFO_FLAG_ASSOC | ASSOC_MGR_INFO_FLAG_QOS};
    assoc_mgr_info_msg_t *message = NULL;
    if (slurm_load_assoc_mgr_info(&question, &message) != 0)
        fail("slurm_load_assoc_mgr_info");
    slurm_free_assoc_mgr_info_msg(message);
}

int main(void)
{
    static void (*const calls[])(void) = {
        nodes,        partitions, statistics,   jobs,
        reservations, licenses,   associations,
    };
    slurm_init(NULL);
    for (int c; (c = getchar()) != EOF;) {
        if (c != '\n')
            continue;
        int64_t began = clock_monotonic_ns(), cpu = clock_process_cpu_ns();
        for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
            calls[i]();
        cpu = clock_process_cpu_ns() - cpu;
        printf("%.3f %.3f\n", (double)cpu / (double)NS_PER_MS,
               (double)(clock_monotonic_ns() - began) / (double)NS_PER_MS);
        fflush(stdout);
        malloc_trim(0);
    }
    slurm_fini();
    return EXIT_SUCCESS;
}
