/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fills a big cluster with jobs through libslurm, about a thousand a second:
 * sbatch and salloc would start a process for each.
 *
 * Running jobs are allocations, which Slurm grants without asking any slurmd
 * to run something. Root submits them for the users whose jobs they are.
 */
#include "workload.h"

#include <getopt.h>
#include <signal.h>
#include <slurm/slurm_errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    EXIT_USAGE = 2,
    /* The cluster is full when so many allocations in a row find no room. */
    REFUSALS_MAX = 50
};

struct tally {
    uint32_t wanted;
    uint32_t done;    /* job records */
    uint32_t refused; /* in a row */
};

static const char usage[] =
    "usage: submit [OPTION]... running|pending|finished COUNT\n"
    "\n"
    "  running   allocations that start at once, until the cluster is full\n"
    "  pending   batch jobs that wait for a day far ahead\n"
    "  finished  allocations that start and end, some of them badly\n"
    "\n"
    "  --users N     spread over N users (200), from user id --first-uid\n"
    "  --accounts N  and N accounts (60)\n"
    "  --first-uid N (20001), --gid N (20000)\n"
    "  --seed N      another N, other jobs (1)\n";

/* ---- progress ------------------------------------------------------------
 */

static void progress_show(const char *what, const struct tally *tally)
{
    enum {
        WIDTH = 40
    };
    static const char bar[] = "########################################";
    uint32_t filled = (uint32_t)((uint64_t)tally->done * WIDTH / tally->wanted);
    if (!isatty(STDERR_FILENO) ||
        (tally->done % 50 != 0 && tally->done < tally->wanted))
        return;
    fprintf(stderr, "\r%9s [%-*.*s] %u of %u ", what, WIDTH,
            (int)(filled > WIDTH ? WIDTH : filled), bar, tally->done,
            tally->wanted);
    if (tally->done >= tally->wanted)
        fputc('\n', stderr);
}

/* ---- one submission ------------------------------------------------------
 */

/* Since 26.05 answers tell a job by the identity of its steps. */
#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(26, 5, 0)
#define JOB_ID_OF(response) ((response)->step_id.job_id)
#else
#define JOB_ID_OF(response) ((response)->job_id)
#endif

static int submit_batch(struct submission *s, uint32_t *ret_job_id)
{
    submit_response_msg_t *response = NULL;
    int r;
    if (s->count == 1) {
        r = slurm_submit_batch_job(&s->components[0].desc, &response);
    } else {
        __typeof__(slurm_list_create(NULL)) list = slurm_list_create(NULL);
        for (uint32_t i = 0; i < s->count; i++)
            slurm_list_append(list, &s->components[i].desc);
        r = slurm_submit_batch_het_job(list, &response);
        slurm_list_destroy(list);
    }
    if (r == SLURM_SUCCESS && response)
        *ret_job_id = JOB_ID_OF(response);
    slurm_free_submit_response_response_msg(response);
    return r;
}

static int allocate(struct submission *s, uint32_t *ret_job_id)
{
    resource_allocation_response_msg_t *response = NULL;
    int r = slurm_allocate_resources(&s->components[0].desc, &response);
    if (r == SLURM_SUCCESS && response)
        *ret_job_id = JOB_ID_OF(response);
    slurm_free_resource_allocation_response_msg(response);
    return r;
}

static int complete(uint32_t job_id, uint32_t code)
{
#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(25, 11, 0)
    slurm_step_id_t id = SLURM_STEP_ID_INITIALIZER;
    id.job_id = job_id;
    return slurm_complete_job(&id, code);
#else
    return slurm_complete_job(job_id, code);
#endif
}

/* ---- the three kinds -----------------------------------------------------
 */

static int fail(const char *what, const struct job *job)
{
    const job_desc_msg_t *d = &job->desc;
    fprintf(stderr,
            "\nsubmit: %s: %s\n"
            "  it was: partition %s, %u nodes, GPUs %s, features %s\n",
            what, slurm_strerror(errno), d->partition, d->min_nodes,
            d->tres_per_node ? d->tres_per_node : "none",
            d->features ? d->features : "any");
    return -1;
}

/* 0: the job found no room, others may; -1: nobody will. */
static int refused(struct tally *tally, const struct job *job)
{
    switch (errno) {
    case ESLURM_NODES_BUSY:
    case ESLURM_NODE_NOT_AVAIL:
    case ESLURM_REQUESTED_NODE_CONFIG_UNAVAILABLE:
    case ESLURM_REQUESTED_PART_CONFIG_UNAVAILABLE:
        if (++tally->refused < REFUSALS_MAX)
            return 0;
    }
    return fail("slurmctld refuses a job", job);
}

static void accepted(struct tally *tally, uint32_t jobs)
{
    tally->done += jobs;
    tally->refused = 0;
}

static int fill_pending(struct workload *w, struct tally *tally)
{
    static struct submission submission;
    while (tally->done < tally->wanted) {
        workload_next_pending(w, &submission);
        if (submit_batch(&submission, &w->last_job_id) == SLURM_SUCCESS)
            accepted(tally, submission.count);
        else if (refused(tally, submission.components) < 0)
            return -1;
        progress_show("waiting", tally);
    }
    return 0;
}

/* When the cluster is full, fewer jobs than wanted must do. */
static int fill_running(struct workload *w, struct tally *tally)
{
    static struct submission submission;
    uint32_t job_id = 0;
    while (tally->done < tally->wanted && tally->refused < REFUSALS_MAX - 1) {
        workload_next_running(w, &submission);
        if (allocate(&submission, &job_id) == SLURM_SUCCESS)
            accepted(tally, 1);
        else if (refused(tally, submission.components) < 0)
            return -1;
        progress_show("running", tally);
    }
    return 0;
}

static int fill_finished(struct workload *w, struct tally *tally)
{
    static struct submission submission;
    struct job *job = submission.components;
    uint32_t job_id = 0;
    while (tally->done < tally->wanted) {
        workload_next_running(w, &submission);
        /* On two nodes the one slurmd would end a job only once. */
        if (job->desc.min_nodes > 1)
            continue;
        if (allocate(&submission, &job_id) != SLURM_SUCCESS) {
            if (refused(tally, job) < 0)
                return -1;
            continue;
        }
        if (complete(job_id, workload_chance(w, 5) ? 256 : 0) != SLURM_SUCCESS)
            return fail("slurmctld does not end a job", job);
        accepted(tally, 1);
        progress_show("finished", tally);
    }
    return 0;
}

/* ---- command line --------------------------------------------------------
 */

static uint32_t number_parse(const char *text)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (end == text || *end || n == 0 || n > 10000000) {
        fprintf(stderr, "submit: \"%.40s\": write a number from 1 on\n", text);
        exit(EXIT_USAGE);
    }
    return (uint32_t)n;
}

static void options_parse(int argc, char **argv, struct workload *w)
{
    static const struct option options[] = {
        {"users", required_argument, NULL, 'u'},
        {"accounts", required_argument, NULL, 'a'},
        {"first-uid", required_argument, NULL, 'f'},
        {"gid", required_argument, NULL, 'g'},
        {"seed", required_argument, NULL, 's'},
        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == '?') {
            fputs(usage, stderr);
            exit(EXIT_USAGE);
        }
        uint32_t n = number_parse(optarg);
        if (option == 'u')
            w->users = n;
        else if (option == 'a')
            w->accounts = n;
        else if (option == 'f')
            w->first_uid = n;
        else if (option == 'g')
            w->gid = n;
        else
            w->random = n * UINT64_C(0x9e3779b97f4a7c15);
    }
}

int main(int argc, char **argv)
{
    struct workload w = {
        .random = UINT64_C(0x9e3779b97f4a7c15),
        .users = 200,
        .accounts = 60,
        .first_uid = 20001,
        .gid = 20000,
        .begin_after_s = 365 * 86400,
    };
    static const struct {
        const char *name;
        int (*fill)(struct workload *w, struct tally *tally);
    } kinds[] = {
        {"running", fill_running},
        {"pending", fill_pending},
        {"finished", fill_finished},
    };
    options_parse(argc, argv, &w);
    if (argc - optind != 2) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    struct tally tally = {.wanted = number_parse(argv[optind + 1])};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        if (strcmp(kinds[i].name, argv[optind]) != 0)
            continue;
        slurm_init(NULL);
        int r = kinds[i].fill(&w, &tally);
        printf("%u\n", tally.done);
        slurm_fini();
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    fprintf(stderr, "submit: \"%.40s\": running, pending or finished?\n",
            argv[optind]);
    return EXIT_USAGE;
}
