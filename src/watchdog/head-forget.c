/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Deleting a lost node from Slurm. slurmctld refuses while a running job or a
 * reservation has it, but not while a pending job asks for it by name: that job
 * would be killed at slurmctld's next start (bringup.md, fact 0.6). So squeue
 * is asked first.
 */
#include "watchdog/head.h"

#include "base/clock.h"
#include "base/log.h"

#include <string.h>
#include <sys/wait.h>

#define DEADLINE_NS (30 * NS_PER_S)

struct forgetting {
    struct process *squeue;
    char name[JOIN_NAME_SIZE];
    bool named;
};

bool host_list_may_name(const char *list, const char *name)
{
    while (*list) {
        /* An element ends at a comma that is not within brackets. */
        size_t plain = strcspn(list, ",[");
        size_t size = plain;
        if (list[plain] == '[') {
            const char *close = strchr(list + plain, ']');
            if (!close || strncmp(list, name, plain) == 0)
                return true;
            size = (size_t)(close + 1 - list);
            size += strcspn(list + size, ",");
        } else if (strlen(name) == plain && strncmp(list, name, plain) == 0) {
            return true;
        }
        list += size;
        list += strspn(list, ",");
    }
    return false;
}

static void on_line(void *context, const char *line)
{
    struct head *head = context;
    struct forgetting *f = head->forgetting;
    line += strspn(line, " ");
    if (host_list_may_name(line, f->name))
        f->named = true;
}

static void
on_deleted(void *context, const char *name, bool good, const char *output)
{
    (void)context;
    (void)output;
    if (good)
        log_notice("%s is deleted from Slurm; it may come back", name);
}

static void on_ended(void *context, struct process *process, int status)
{
    struct head *head = context;
    struct forgetting *f = head->forgetting;
    struct error err;
    (void)process;
    bool known = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (known && f->named)
        log_info("%s stays in Slurm: a pending job names it", f->name);
    else if (known && head_node_delete(head, f->name, on_deleted, &err) < 0)
        log_warning("%s: %s", f->name, err.text);
    head_forget_stop(head);
}

void head_forget(struct head *head, const char *name)
{
    static const char *const arguments[] = {
        "squeue", "--noheader", "--states=PENDING", "--format=%n", NULL};
    struct error err;
    if (head->forgetting)
        return;
    struct forgetting *f = calloc(1, sizeof(*f));
    if (!f)
        return;
    memcpy(f->name, name, strnlen(name, sizeof(f->name) - 1));
    head->forgetting = f;
    const struct process_spec spec = {
        .arguments = arguments,
        .line = on_line,
        .ended = on_ended,
        .context = head,
        .deadline_ns = clock_monotonic_ns() + DEADLINE_NS,
    };
    if (process_start(head->processes, &spec, &f->squeue, &err) < 0) {
        log_warning("squeue: %s", err.text);
        head_forget_stop(head);
    }
}

void head_forget_stop(struct head *head)
{
    if (!head->forgetting)
        return;
    process_free(head->forgetting->squeue);
    free(head->forgetting);
    head->forgetting = NULL;
}
