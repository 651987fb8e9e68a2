/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "gpu-watchdog snapshot save FILE": ask slurmctld once and write everything
 * that is known to a file, which `exporter --replay FILE` serves: for tests,
 * and for a bug report that says more than words. "show FILE" tells what a
 * recording holds.
 */
#include "source/collector.h"
#include "watchdog/subcommand.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct taker {
    struct loop *loop;
    struct mapped_snapshot *taken;
    struct collector *collector;
    struct error err;
};

static void on_snapshot(void *context, struct mapped_snapshot *snapshot)
{
    struct taker *taker = context;
    bool complete = snapshot->snapshot.header->complete;
    if (complete)
        taker->taken = mapped_snapshot_ref(snapshot);
    else
        error_set(&taker->err, EIO, "slurmctld did not answer in full: %s",
                  collector_status(taker->collector)->reason);
    loop_stop(taker->loop, complete ? EXIT_SUCCESS : EXIT_FAILURE);
}

static void on_changed(void *context)
{
    struct taker *taker = context;
    error_set(&taker->err, EIO, "%s",
              collector_status(taker->collector)->reason);
    loop_stop(taker->loop, EXIT_FAILURE);
}

/* One cycle of a collector; what it brought is in TAKER->taken. */
static int take(struct taker *taker, const struct settings *settings)
{
    static const char *const arguments[] = {"gpu-watchdog", COLLECT_SLURM,
                                            NULL};
    const struct collector_settings collector = {
        .arguments = arguments,
        .interval_ns = settings->interval_ns,
        .slow_interval_ns = settings->slow_interval_ns,
        .deadline_ns = settings->deadline_ns,
        .parts = SNAPSHOT_SLURM_PARTS,
    };
    if (*settings->slurm_conf)
        setenv("SLURM_CONF", settings->slurm_conf, 1);
    int r = loop_new(&taker->loop, &taker->err);
    if (r == 0)
        r = collector_new(taker->loop, &collector, on_snapshot, on_changed,
                          taker, &taker->collector, &taker->err);
    if (r == 0)
        r = loop_run(taker->loop) == EXIT_SUCCESS ? 0 : -EIO;
    collector_free(taker->collector);
    loop_free(taker->loop);
    return r;
}

static int save(const struct settings *settings, const char *path)
{
    struct taker taker = {.err = {.text = ""}};
    int r = take(&taker, settings);
    if (r == 0)
        r = mapped_snapshot_save(taker.taken, path, &taker.err);
    mapped_snapshot_unref(taker.taken);
    if (r < 0) {
        log_error("%s", taker.err.text);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

static void print_part(const struct snapshot *snapshot,
                       enum snapshot_part_kind kind)
{
    const struct snapshot_part *part = snapshot_part(snapshot, kind);
    size_t count;
    snapshot_array(snapshot, kind, 0, &count);
    printf("%-14s %-10s %8zu records %10" PRIu64 " bytes %9.1f ms\n",
           snapshot_part_names[kind],
           snapshot_has(snapshot, kind) ? snapshot_outcome_names[part->outcome]
                                        : "absent",
           count, part->size, (double)part->wall_ns / 1e6);
}

static int show(const char *path)
{
    struct error err;
    struct mapped_snapshot *recording;
    if (mapped_snapshot_open_file(path, &recording, &err) < 0) {
        log_error("%s", err.text);
        return EXIT_FAILURE;
    }
    const struct snapshot_header *header = recording->snapshot.header;
    time_t taken = (time_t)(header->finished_ns / 1000000000);
    struct tm local;
    char when[64];
    strftime(when, sizeof(when), "%F %T %Z", localtime_r(&taken, &local));
    printf("cluster %s, Slurm %s, taken %s\n", header->cluster_name,
           header->slurm_text, when);
    for (unsigned int kind = 0; kind < SNAPSHOT_SLURM_COUNT; kind++)
        print_part(&recording->snapshot, (enum snapshot_part_kind)kind);
    mapped_snapshot_unref(recording);
    return EXIT_SUCCESS;
}

int snapshot_main(const struct settings *settings)
{
    char *const *words = settings->options.arguments;
    size_t count = settings->options.argument_count;
    if (count == 2 && strcmp(words[0], "save") == 0)
        return save(settings, words[1]);
    if (count == 2 && strcmp(words[0], "show") == 0)
        return show(words[1]);
    log_error("say what to do: \"gpu-watchdog snapshot save FILE\" or "
              "\"gpu-watchdog snapshot show FILE\"");
    return EXIT_USAGE;
}
