/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two arrays in the order of pids: that of this walk is filled from that of the
 * walk before. /proc lists pids in rising order, so one pass over both is
 * enough; a listing in another order (a test's folder) is sorted first.
 *
 * A slurmstepd is believed when it runs as root or as we do. A process that
 * slurmstepd has forked and that has not become the task yet bears its title
 * too; so it counts only when its parent is none itself.
 */
#include "source/job-process.h"

#include "base/cleanup.h"
#include "source/job-process-file.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    YOUNG_CYCLES = 3,  /* still to become what it will be */
    ROUND_CYCLES = 64, /* all are read anew once in so many */
    ANCESTORS_MAX = 64
};

struct job_list {
    struct job_process *items;
    size_t count, room;
};

struct job_processes {
    DIR *proc;
    struct job_list now, before;
    struct job_file file;
    uint32_t cycle;
    int64_t boot_s;   /* real time; 0: not known */
    int64_t ticks_hz; /* of start_ticks */
    bool denied;
};

int job_processes_new(const char *proc_root,
                      struct job_processes **ret_processes,
                      struct error *err)
{
    struct job_processes *all = calloc(1, sizeof(*all));
    if (!all)
        return error_set(err, ENOMEM, "no memory for the list of processes");
    all->proc = opendir(proc_root);
    if (!all->proc) {
        int r = error_errno(err, errno, "cannot list %s", proc_root);
        free(all);
        return r;
    }
    all->ticks_hz = sysconf(_SC_CLK_TCK);
    all->file.proc_fd = dirfd(all->proc);
    *ret_processes = all;
    return 0;
}

static void list_deinit(struct job_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].daemon);
    free(list->items);
}

void job_processes_free(struct job_processes *all)
{
    if (!all)
        return;
    list_deinit(&all->now);
    list_deinit(&all->before);
    job_file_deinit(&all->file);
    closedir(all->proc);
    free(all);
}

/* ---- the walk ---- */

static struct job_process *list_add(struct job_list *list)
{
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 256;
        void *grown = reallocarray(list->items, room, sizeof(*list->items));
        if (!grown)
            return NULL;
        list->items = grown;
        list->room = room;
    }
    struct job_process *item = &list->items[list->count++];
    *item = (struct job_process){0};
    return item;
}

static int compare_pids(const void *a, const void *b)
{
    uint32_t x = ((const struct job_process *)a)->pid;
    uint32_t y = ((const struct job_process *)b)->pid;
    return (x > y) - (x < y);
}

/* The pids and inodes of /proc, in order. */
static int list_pids(struct job_processes *all, struct error *err)
{
    struct job_list *list = &all->now;
    bool sorted = true;
    rewinddir(all->proc);
    for (struct dirent *entry; (entry = readdir(all->proc));) {
        char *end;
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
            continue;
        unsigned long pid = strtoul(entry->d_name, &end, 10);
        if (*end || pid >= UINT32_MAX)
            continue;
        struct job_process *process = list_add(list);
        if (!process)
            return error_set(err, ENOMEM, "no memory for the processes");
        process->pid = (uint32_t)pid;
        process->inode = entry->d_ino;
        sorted = sorted && (list->count == 1 || process[-1].pid < pid);
    }
    if (!sorted)
        qsort(list->items, list->count, sizeof(*list->items), compare_pids);
    return 0;
}

/* Make it a daemon of the step that its title names, if it may be believed. */
static void read_daemon(struct job_processes *all, struct job_process *process)
{
    struct job_step step, path;
    uint32_t user;
    const char *title = job_file_read(&all->file, process->pid, "cmdline");
    if (!title || !job_title_parse(title, &step) ||
        !job_processes_user(all, process->pid, &user) ||
        (user != 0 && user != geteuid()))
        return;
    /* From 26.05 on the folder, and nothing else, ties SLUID and number. */
    if (job_processes_cgroup(all, process->pid, &path)) {
        if (!step.sluid[0])
            memcpy(step.sluid, path.sluid, sizeof(step.sluid));
        if (step.job_id == 0)
            step.job_id = path.job_id;
    }
    process->daemon = calloc(1, sizeof(*process->daemon));
    if (process->daemon) {
        process->daemon->step = step;
        process->daemon->user_id = JOB_UID_UNKNOWN;
        job_environment_parse("", 0, '\0', &process->daemon->environment);
    }
}

/* Read it; false: it is gone. */
static bool read_process(struct job_processes *all, struct job_process *process)
{
    struct job_stat stat;
    const char *text = job_file_read(&all->file, process->pid, "stat");
    if (!text || !job_stat_parse(text, &stat))
        return false;
    bool same = process->start_ticks == stat.start_ticks;
    process->parent = stat.parent;
    process->start_ticks = stat.start_ticks;
    bool is_daemon = strcmp(stat.command, "slurmstepd") == 0;
    if (process->daemon && (!is_daemon || !same)) {
        free(process->daemon);
        process->daemon = NULL;
    }
    if (is_daemon && !process->daemon)
        read_daemon(all, process);
    return true;
}

static bool needs_reading(const struct job_processes *all,
                          const struct job_process *process)
{
    return process->age < YOUNG_CYCLES || process->daemon ||
           (process->pid + all->cycle) % ROUND_CYCLES == 0;
}

/* What was known of each, and what is not known yet. */
static void fill(struct job_processes *all)
{
    struct job_list *now = &all->now, *before = &all->before;
    size_t old = 0, kept = 0;
    for (size_t i = 0; i < now->count; i++) {
        struct job_process process = now->items[i];
        while (old < before->count && before->items[old].pid < process.pid)
            old++;
        struct job_process *same =
            old < before->count ? &before->items[old] : NULL;
        if (same && same->pid == process.pid && same->inode == process.inode) {
            process = *same;
            process.age++;
            same->daemon = NULL;
        }
        if (needs_reading(all, &process) && !read_process(all, &process)) {
            free(process.daemon);
            continue;
        }
        now->items[kept++] = process;
    }
    now->count = kept;
    for (size_t i = 0; i < before->count; i++)
        free(before->items[i].daemon);
    before->count = 0;
}

/* ---- tasks ---- */

static const struct job_process *parent_of(const struct job_processes *all,
                                           const struct job_process *process)
{
    return job_processes_find(all, process->parent);
}

/* What slurmstepd forks bears its title until it is the task. */
static void drop_forks(struct job_processes *all)
{
    for (size_t i = 0; i < all->now.count; i++) {
        struct job_process *process = &all->now.items[i];
        const struct job_process *parent =
            process->daemon ? parent_of(all, process) : NULL;
        if (parent && parent->daemon) {
            free(process->daemon);
            process->daemon = NULL;
        }
    }
}

static void learn_from_task(struct job_processes *all,
                            const struct job_process *task,
                            struct job_daemon *daemon)
{
    struct job_environment environment;
    uint32_t user;
    if (!job_processes_environment(all, task->pid, &environment) ||
        environment.job_id == 0)
        return;
    if (daemon->step.job_id == 0)
        daemon->step.job_id = environment.job_id;
    if (job_environment_is_of(&environment, daemon->step.job_id)) {
        job_environment_be_component(all->file.data, all->file.size, '\0',
                                     daemon->step.job_id, &environment);
        daemon->environment = environment;
    }
    if (job_processes_user(all, task->pid, &user))
        daemon->user_id = user;
}

/* The children of each slurmstepd: whose job it is, and with which GPUs. */
static void read_tasks(struct job_processes *all)
{
    for (size_t i = 0; i < all->now.count; i++) {
        const struct job_process *task = &all->now.items[i];
        const struct job_process *parent = parent_of(all, task);
        struct job_daemon *daemon = parent ? parent->daemon : NULL;
        if (!daemon || task->daemon)
            continue;
        uint32_t user;
        if (daemon->user_id == JOB_UID_UNKNOWN &&
            job_processes_user(all, task->pid, &user) && user != 0)
            daemon->user_id = user;
        if (daemon->environment.job_id == 0 &&
            strcmp(daemon->step.step, "extern") != 0)
            learn_from_task(all, task, daemon);
    }
}

/* Once it is known whose a process is, it stays so, whoever becomes its parent
 * when its own has ended. */
static void find_jobs(struct job_processes *all)
{
    for (size_t i = 0; i < all->now.count; i++) {
        struct job_process *process = &all->now.items[i];
        if (process->job_id || process->age >= YOUNG_CYCLES)
            continue;
        const struct job_daemon *daemon = job_processes_daemon(all, process);
        if (daemon)
            process->job_id = daemon->step.job_id;
    }
}

int job_processes_walk(struct job_processes *all, struct error *err)
{
    struct job_list spare = all->before;
    all->before = all->now;
    all->now = spare;
    all->now.count = 0;
    all->cycle++;
    all->denied = false;
    if (all->boot_s == 0)
        all->boot_s = job_file_boot_time(&all->file);
    int r = list_pids(all, err);
    if (r < 0) {
        all->now.count = 0;
        return r;
    }
    fill(all);
    drop_forks(all);
    read_tasks(all);
    find_jobs(all);
    return 0;
}

/* ---- asking ---- */

const struct job_process *job_processes_all(const struct job_processes *all,
                                            size_t *ret_count)
{
    *ret_count = all->now.count;
    return all->now.items;
}

const struct job_process *job_processes_find(const struct job_processes *all,
                                             uint32_t pid)
{
    if (pid == 0 || all->now.count == 0)
        return NULL;
    struct job_process key = {.pid = pid};
    return bsearch(&key, all->now.items, all->now.count, sizeof(key),
                   compare_pids);
}

const struct job_daemon *job_processes_daemon(const struct job_processes *all,
                                              const struct job_process *process)
{
    /* A parent that has ended may still be named; whoever has its number now
     * is younger than the child. */
    for (int i = 0; process && i < ANCESTORS_MAX; i++) {
        if (process->daemon)
            return process->daemon;
        const struct job_process *parent = parent_of(all, process);
        process = parent && parent->start_ticks <= process->start_ticks ? parent
                                                                        : NULL;
    }
    return NULL;
}

bool job_processes_stat(struct job_processes *all,
                        const struct job_process *process,
                        struct job_stat *ret_stat)
{
    const char *text = job_file_read(&all->file, process->pid, "stat");
    return text && job_stat_parse(text, ret_stat) &&
           ret_stat->start_ticks == process->start_ticks;
}

bool job_processes_cgroup(struct job_processes *all,
                          uint32_t pid,
                          struct job_step *ret_step)
{
    const char *text = job_file_read(&all->file, pid, "cgroup");
    *ret_step = (struct job_step){0};
    return text && job_cgroup_parse(text, ret_step);
}

bool job_processes_environment(struct job_processes *all,
                               uint32_t pid,
                               struct job_environment *ret_environment)
{
    const char *block = job_file_read(&all->file, pid, "environ");
    if (!block) {
        all->denied = all->denied || errno == EACCES || errno == EPERM;
        return false;
    }
    job_environment_parse(block, all->file.size, '\0', ret_environment);
    return true;
}

bool job_processes_user(struct job_processes *all,
                        uint32_t pid,
                        uint32_t *ret_user_id)
{
    const char *text = job_file_read(&all->file, pid, "status");
    const char *line = text ? strstr(text, "\nUid:") : NULL;
    return line && sscanf(line, " Uid: %" SCNu32, ret_user_id) == 1;
}

void job_processes_command(struct job_processes *all,
                           uint32_t pid,
                           char *ret_command,
                           size_t size)
{
    const char *text = job_file_read(&all->file, pid, "comm");
    snprintf(ret_command, size, "%s", text ? text : "");
    size_t length = strlen(ret_command);
    if (length > 0 && ret_command[length - 1] == '\n')
        ret_command[length - 1] = '\0';
}

int64_t job_processes_start_s(const struct job_processes *all,
                              const struct job_process *process)
{
    if (all->boot_s == 0)
        return 0;
    return all->boot_s + (int64_t)process->start_ticks / all->ticks_hz;
}

bool job_processes_denied(const struct job_processes *all)
{
    return all->denied;
}
