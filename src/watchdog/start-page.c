/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The start page: one static page with a line about the state. No script, no
 * style from elsewhere; nothing on it comes from a user.
 */
#include "watchdog/start-page.h"

#include "watchdog/version.h"

static const char head[] =
    "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<title>Slurm exporter</title>\n"
    "<style>\n"
    ":root { color-scheme: light dark }\n"
    "body { font: 16px/1.5 system-ui, sans-serif; max-width: 42em;\n"
    "       margin: 2em auto; padding: 0 1em }\n"
    "table { border-collapse: collapse }\n"
    "td, th { text-align: left; padding: .2em 1.5em .2em 0;\n"
    "         vertical-align: top }\n"
    "code { font-family: ui-monospace, monospace }\n"
    "</style>\n";

static const char *const page_help[PAGE_COUNT] = {
    [PAGE_METRICS] = "everything: vpenso's names, GPUs, states, statistics",
    [PAGE_NODES] = "nodes, under the names of Slurm 25.11 and later",
    [PAGE_JOBS] = "jobs, likewise",
    [PAGE_USERS] = "jobs by user and account, likewise",
    [PAGE_PARTITIONS] = "partitions, likewise",
    [PAGE_SCHEDULER] = "the scheduler, likewise",
};

static void print_state(struct text *out, const struct watch *watch)
{
    const struct mapped_snapshot *last = watch_snapshot(watch);
    if (!last) {
        text_add(out, "<p>Waiting for slurmctld's first answer.</p>\n");
        return;
    }
    text_add(out,
             watch_up(watch)
                 ? "<p>slurmctld answers."
                 : "<p><strong>slurmctld does not answer in full.</strong>");
    text_addf(out, " What is known of its nodes is %.0f s old.</p>\n",
              watch_part_age(watch, SNAPSHOT_NODES));
}

void start_page_print(struct text *out,
                      const struct watch *watch,
                      uint32_t families)
{
    text_add(out, head);
    text_add(out, "<h1>Slurm exporter</h1>\n");
    print_state(out, watch);
    text_add(out, "<table>\n");
    for (unsigned int i = 0; i < PAGE_COUNT; i++)
        text_addf(out, "<tr><td><a href=\"%s\"><code>%s</code></a><td>%s\n",
                  metric_page_paths[i], metric_page_paths[i], page_help[i]);
    text_add(out, "<tr><td><a href=\"/healthz\"><code>/healthz</code></a>"
                  "<td>the exporter lives\n"
                  "<tr><td><a href=\"/readyz\"><code>/readyz</code></a>"
                  "<td>slurmctld answers\n</table>\n"
                  "<p>One family alone: <code>/metrics?collect[]=nodes</code>. "
                  "Families that are on:</p>\n<p>");
    for (unsigned int i = 0; i < FAMILY_COUNT; i++)
        if (families & FAMILY_MASK(i))
            text_addf(out, "<code>%s</code> ", metric_family_names[i]);
    text_addf(out, "</p>\n<p>gpu-watchdog %s</p>\n</html>\n", PROJECT_VERSION);
}
