/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The queue of actions. One runs at a time: slurmctld takes a lock for each
 * anyway, and "delete, then create" must not overtake itself.
 */
#include "watchdog/actions.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#include <stdio.h>
#include <sys/wait.h>

enum {
    WORDS_MAX = 8,
    ACTIONS_MAX = 4096
};

#define DEADLINE_NS (30 * NS_PER_S)

struct action {
    struct action *next;
    char *words[WORDS_MAX + 1]; /* owned, scontrol first, NULL at the end */
    char node[64];
    action_done done;
};

struct actions {
    struct process_table *table;
    void *context;
    struct action *first, **last; /* the first one runs, if a process does */
    size_t count;
    struct process *running;
    struct text output;
    struct loop_source *timer; /* a start that failed is told from the loop */
};

static void action_free(struct action *action)
{
    for (size_t i = 0; action->words[i]; i++)
        free(action->words[i]);
    free(action);
}

static void action_words(const struct action *action, struct text *out)
{
    for (size_t i = 0; action->words[i]; i++) {
        if (i > 0)
            text_add_char(out, ' ');
        text_add(out, action->words[i]);
    }
}

static void
log_outcome(const struct action *action, bool good, const char *said)
{
    _cleanup_(text_deinit) struct text words = TEXT_INIT;
    action_words(action, &words);
    const char *text = text_str(&words);
    if (good)
        log_debug("%s", text ? text : "");
    else
        log_warning("%s: %s", text ? text : "", said);
}

static void run_first(struct actions *actions);

/* The first one is over; on to the next. */
static void finish_first(struct actions *actions, bool good)
{
    struct action *action = actions->first;
    const char *said = text_str(&actions->output);
    log_outcome(action, good, said ? said : "");
    actions->running = process_free(actions->running);
    actions->first = action->next;
    actions->count--;
    if (!actions->first)
        actions->last = &actions->first;
    if (action->done)
        action->done(actions->context, action->node, good, said ? said : "");
    action_free(action);
    text_clear(&actions->output);
    run_first(actions);
}

static void on_line(void *context, const char *line)
{
    struct actions *actions = context;
    if (actions->output.size > 0)
        text_add(&actions->output, "; ");
    text_add(&actions->output, line);
}

static void on_ended(void *context, struct process *process, int status)
{
    struct actions *actions = context;
    (void)process;
    bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!good && actions->output.size == 0) {
        char text[128];
        process_status_text(status, text, sizeof(text));
        on_line(actions, text);
    }
    finish_first(actions, good);
}

static void on_start_failed(void *context, uint32_t events)
{
    (void)events;
    finish_first(context, false);
}

static void run_first(struct actions *actions)
{
    struct error err;
    if (!actions->first || actions->running)
        return;
    const struct process_spec spec = {
        .arguments = (const char *const *)actions->first->words,
        .line = on_line,
        .ended = on_ended,
        .context = actions,
        .deadline_ns = clock_monotonic_ns() + DEADLINE_NS,
    };
    if (process_start(actions->table, &spec, &actions->running, &err) < 0) {
        on_line(actions, err.text);
        loop_timer_set(actions->timer, 1);
    }
}

int actions_new(struct loop *loop,
                struct process_table *table,
                void *context,
                struct actions **ret_actions,
                struct error *err)
{
    struct actions *actions = calloc(1, sizeof(*actions));
    if (!actions)
        return error_set(err, ENOMEM, "out of memory");
    actions->table = table;
    actions->context = context;
    actions->last = &actions->first;
    int r =
        loop_add_timer(loop, on_start_failed, actions, &actions->timer, err);
    if (r < 0) {
        free(actions);
        return r;
    }
    *ret_actions = actions;
    return 0;
}

struct actions *actions_free(struct actions *actions)
{
    if (!actions)
        return NULL;
    process_free(actions->running);
    while (actions->first) {
        struct action *next = actions->first->next;
        action_free(actions->first);
        actions->first = next;
    }
    loop_source_free(actions->timer);
    text_deinit(&actions->output);
    free(actions);
    return NULL;
}

static bool same_words(const struct action *action, const char *const words[])
{
    size_t i = 0;
    for (; words[i] && action->words[i + 1]; i++)
        if (strcmp(action->words[i + 1], words[i]) != 0)
            return false;
    return !words[i] && !action->words[i + 1];
}

int actions_add(struct actions *actions,
                const char *node,
                const char *const words[],
                action_done done,
                struct error *err)
{
    for (const struct action *a = actions->first; a; a = a->next)
        if (!(a == actions->first && actions->running) && same_words(a, words))
            return 0;
    if (actions->count >= ACTIONS_MAX)
        return error_set(err, ENOBUFS, "too many changes to Slurm wait");
    struct action *action = calloc(1, sizeof(*action));
    if (!action)
        return error_set(err, ENOMEM, "out of memory");
    snprintf(action->node, sizeof(action->node), "%s", node);
    action->done = done;
    action->words[0] = strdup("scontrol");
    bool whole = action->words[0];
    for (size_t i = 0; whole && words[i]; i++) {
        if (i + 1 < WORDS_MAX)
            action->words[i + 1] = strdup(words[i]);
        whole = action->words[i + 1];
    }
    if (!whole) {
        action_free(action);
        return error_set(err, ENOMEM, "out of memory");
    }
    *actions->last = action;
    actions->last = &action->next;
    actions->count++;
    run_first(actions);
    return 0;
}
