/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two arrays: what was counted of each process, in the order of their numbers
 * as the walk has them, and of each job. One pass joins the processes of this
 * look with those of the last.
 */
#include "source/job-usage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    READS_MAX = 200 /* of /proc/PID/stat in one look: 3 ms */
};

/* What was counted of a process of a job. */
struct counted {
    uint32_t pid, job_id;
    uint64_t inode;
    uint64_t own_ticks, child_ticks;
    uint64_t memory_pages;
};

struct tally {
    struct job_usage_entry entry;
    uint64_t ticks;
    uint64_t pages;
    uint64_t child_ticks; /* told by parents in this look */
    /* Counted of processes that have ended, and not yet told by their parents:
     * in this look and in those before. */
    uint64_t owed, owed_before;
};

struct job_usage {
    struct counted *now, *before;
    size_t now_count, before_count, room;
    struct tally *jobs; /* ordered */
    size_t job_count, job_room;
    struct job_usage_entry *entries;
    uint32_t turn, turns; /* of reading, when there are many */
    double ticks_hz;
    uint64_t page_size;
};

struct job_usage *job_usage_new(void)
{
    struct job_usage *usage = calloc(1, sizeof(*usage));
    if (!usage)
        return NULL;
    usage->turns = 1;
    usage->ticks_hz = (double)sysconf(_SC_CLK_TCK);
    usage->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
    return usage;
}

void job_usage_free(struct job_usage *usage)
{
    if (!usage)
        return;
    free(usage->now);
    free(usage->before);
    free(usage->jobs);
    free(usage->entries);
    free(usage);
}

/* ---- jobs ---------------------------------------------------------------- */

/* Where JOB_ID is, or would have to be. */
static size_t find_place(const struct job_usage *usage, uint32_t job_id)
{
    size_t low = 0, high = usage->job_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (usage->jobs[middle].entry.job_id < job_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct tally *find_job(struct job_usage *usage, uint32_t job_id)
{
    size_t at = find_place(usage, job_id);
    return at < usage->job_count && usage->jobs[at].entry.job_id == job_id
               ? &usage->jobs[at]
               : NULL;
}

static struct tally *get_job(struct job_usage *usage, uint32_t job_id)
{
    size_t at = find_place(usage, job_id);
    if (at < usage->job_count && usage->jobs[at].entry.job_id == job_id)
        return &usage->jobs[at];
    if (usage->job_count == usage->job_room) {
        size_t room = usage->job_room ? usage->job_room * 2 : 16;
        struct tally *jobs = reallocarray(usage->jobs, room, sizeof(*jobs));
        if (jobs)
            usage->jobs = jobs;
        struct job_usage_entry *entries =
            reallocarray(usage->entries, room, sizeof(*entries));
        if (entries)
            usage->entries = entries;
        if (!jobs || !entries)
            return NULL;
        usage->job_room = room;
    }
    memmove(usage->jobs + at + 1, usage->jobs + at,
            (usage->job_count - at) * sizeof(*usage->jobs));
    usage->job_count++;
    usage->jobs[at] = (struct tally){.entry = {.job_id = job_id}};
    return &usage->jobs[at];
}

/* ---- processes ----------------------------------------------------------- */

static int make_room(struct job_usage *usage, size_t count)
{
    if (count <= usage->room)
        return 0;
    struct counted *now = reallocarray(usage->now, count, sizeof(*now));
    if (now)
        usage->now = now;
    struct counted *before = reallocarray(usage->before, count, sizeof(*now));
    if (before)
        usage->before = before;
    if (!now || !before)
        return -ENOMEM;
    usage->room = count;
    return 0;
}

static void count_ended(struct job_usage *usage, const struct counted *process)
{
    struct tally *job = find_job(usage, process->job_id);
    if (job)
        job->owed += process->own_ticks + process->child_ticks;
}

static uint64_t rise(uint64_t *counted, uint64_t now)
{
    uint64_t by = now > *counted ? now - *counted : 0;
    *counted += by;
    return by;
}

/* What slurmstepd itself does is none of the job's. */
static void read_one(struct job_processes *processes,
                     const struct job_process *process,
                     struct counted *one,
                     struct tally *job)
{
    struct job_stat stat;
    if (!job_processes_stat(processes, process, &stat))
        return;
    uint64_t own = rise(&one->own_ticks, process->daemon ? 0 : stat.cpu_ticks);
    job->ticks += own;
    job->child_ticks += rise(&one->child_ticks, stat.child_ticks);
    one->memory_pages = process->daemon ? 0 : stat.memory_pages;
}

static bool has_turn(const struct job_usage *usage, const struct counted *one)
{
    return one->own_ticks + one->memory_pages == 0 ||
           one->pid % usage->turns == usage->turn;
}

static int look(struct job_usage *usage, struct job_processes *processes)
{
    size_t count, old = 0;
    const struct job_process *all = job_processes_all(processes, &count);
    int r = make_room(usage, count);
    if (r < 0)
        return r;
    for (size_t i = 0; i < count; i++) {
        for (; old < usage->before_count && usage->before[old].pid < all[i].pid;
             old++)
            count_ended(usage, &usage->before[old]);
        struct counted one = {.pid = all[i].pid, .inode = all[i].inode};
        if (old < usage->before_count && usage->before[old].pid == all[i].pid) {
            if (usage->before[old].inode == all[i].inode)
                one = usage->before[old];
            else
                count_ended(usage, &usage->before[old]);
            old++;
        }
        one.job_id = all[i].job_id;
        struct tally *job = one.job_id ? get_job(usage, one.job_id) : NULL;
        if (!job)
            continue;
        if (has_turn(usage, &one))
            read_one(processes, &all[i], &one, job);
        job->entry.processes += all[i].daemon == NULL;
        job->pages += one.memory_pages;
        usage->now[usage->now_count++] = one;
    }
    for (; old < usage->before_count; old++)
        count_ended(usage, &usage->before[old]);
    return 0;
}

/* ---- the sum ------------------------------------------------------------- */

static uint64_t take(uint64_t *from, uint64_t most)
{
    uint64_t taken = *from < most ? *from : most;
    *from -= taken;
    return taken;
}

/* A parent tells within a round of reading; what it has not told by then was
 * waited for by somebody else. */
static void settle(struct job_usage *usage, struct tally *job)
{
    uint64_t news = job->child_ticks;
    news -= take(&job->owed_before, news);
    news -= take(&job->owed, news);
    job->ticks += news;
    if (usage->turn == 0) {
        job->owed_before = job->owed;
        job->owed = 0;
    }
    job->entry.cpu_seconds = (double)job->ticks / usage->ticks_hz;
    job->entry.memory_bytes = job->pages * usage->page_size;
}

int job_usage_update(struct job_usage *usage, struct job_processes *processes)
{
    struct counted *spare = usage->before;
    size_t kept = 0;
    usage->before = usage->now;
    usage->before_count = usage->now_count;
    usage->now = spare;
    usage->now_count = 0;
    for (size_t i = 0; i < usage->job_count; i++) {
        usage->jobs[i].entry.processes = 0;
        usage->jobs[i].pages = 0;
        usage->jobs[i].child_ticks = 0;
    }
    usage->turn = (usage->turn + 1) % usage->turns;
    int r = look(usage, processes);
    for (size_t i = 0; i < usage->job_count; i++) {
        struct tally *job = &usage->jobs[i];
        settle(usage, job);
        if (job->entry.processes == 0)
            continue;
        usage->entries[kept] = job->entry;
        usage->jobs[kept++] = *job;
    }
    usage->job_count = kept;
    usage->turns = (uint32_t)(usage->now_count / READS_MAX) + 1;
    return r;
}

const struct job_usage_entry *job_usage_all(const struct job_usage *usage,
                                            size_t *ret_count)
{
    *ret_count = usage->job_count;
    return usage->entries;
}
