/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "gpu-watchdog leave" on a worker: drains the node, waits for its jobs, takes
 * it out of Slurm and forgets the keys. "gpu-watchdog leave NODE" on the head
 * does the same for a node, one that is gone for good included.
 */
#include "watchdog/control.h"
#include "watchdog/progress.h"
#include "watchdog/report.h"
#include "watchdog/subcommand.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

static char last_text[256];

/* The same news each half second is one line. */
static void on_progress(const char *text)
{
    if (strcmp(last_text, text) == 0)
        return;
    strncpy(last_text, text, sizeof(last_text) - 1);
    progress_step("%s", text);
}

int leave_main(const struct settings *settings)
{
    const struct option_set *options = &settings->options;
    const char *node = options->argument_count > 0 ? options->arguments[0] : "";
    const char *name = *node ? node : "this machine";
    bool gone = false;
    progress_begin();
    for (bool again = false; !gone; again = true) {
        json_t *answer;
        struct error err;
        json_t *request =
            json_pack("{s:s, s:s, s:b, s:b}", "type", CONTROL_LEAVE, "node",
                      node, "now", settings->now, "again", again);
        if (control_ask(request, on_progress, &answer, &err) < 0)
            return report_failure(&err);
        gone = json_is_true(json_object_get(answer, "gone"));
        json_decref(answer);
        if (!gone && !again)
            progress_step(settings->now ? "%s is down; its jobs go elsewhere"
                                        : "%s drains; waits for its jobs",
                          name);
        if (!gone)
            nanosleep(&(struct timespec){.tv_nsec = 300 * 1000 * 1000}, NULL);
    }
    progress_step("%s has left the cluster", name);
    return EXIT_SUCCESS;
}
