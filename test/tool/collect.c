/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs the Slurm collector without the rest of the program and tells what
 * comes of it: a line for each snapshot and each end of a child, and, when
 * asked, every record. For people who work on the sources, and for scenario
 * tests of how libslurm fails.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "source/collector.h"
#include "source/slurm-source.h"
#include "test/tool/dump.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct watch {
    struct loop *loop;
    struct collector *collector;
    int64_t began_ns;
    unsigned long left; /* snapshots until the end; 0: for ever */
    bool dump;
    const char *save;
};

static double seconds_since(int64_t then_ns)
{
    return (double)(clock_monotonic_ns() - then_ns) / (double)NS_PER_S;
}

static void tell_status(const struct watch *watch)
{
    const struct collector_status *s = collector_status(watch->collector);
    printf("%8.3f %s ends", seconds_since(watch->began_ns),
           s->running ? "runs" : "gone");
    for (unsigned int i = 0; i < COLLECTOR_END_COUNT; i++)
        printf(" %" PRIu64, s->ends[i]);
    printf(" cpu %.3f reason \"%s\"\n", s->cpu_seconds, s->reason);
    fflush(stdout);
}

static void tell_parts(const struct snapshot *snapshot)
{
    for (unsigned int i = 0; i < SNAPSHOT_PART_COUNT; i++) {
        enum snapshot_part_kind kind = (enum snapshot_part_kind)i;
        const struct snapshot_part *part = snapshot_part(snapshot, kind);
        size_t count;
        snapshot_array(snapshot, kind, 0, &count);
        printf("         %-12s %-9s %7zu records %9" PRIu64
               " bytes %8.2f ms wall %8.2f ms cpu, age %.1f s, beat %g s",
               snapshot_part_names[kind], snapshot_outcome_names[part->outcome],
               count, part->size, (double)part->wall_ns / 1e6,
               (double)part->cpu_ns / 1e6,
               part->taken_ns
                   ? (double)(clock_realtime_ns() - part->taken_ns) / 1e9
                   : -1.0,
               (double)part->interval_ns / 1e9);
        if (part->error_code)
            printf(", Slurm's error %d", part->error_code);
        printf("\n");
    }
}

static void take_snapshot(void *context, struct mapped_snapshot *mapped)
{
    struct watch *watch = context;
    const struct snapshot_header *h = mapped->snapshot.header;
    struct error err;
    tell_status(watch);
    printf("         snapshot %" PRIu64
           " of \"%s\" by Slurm %s: %s, %zu bytes, "
           "%.2f ms wall, %.2f ms cpu, next in %.3g s\n",
           h->sequence, h->cluster_name, h->slurm_text,
           h->complete ? "complete" : "INCOMPLETE", mapped->snapshot.size,
           (double)h->cycle_wall_ns / 1e6, (double)h->cycle_cpu_ns / 1e6,
           (double)h->interval_ns / 1e9);
    tell_parts(&mapped->snapshot);
    if (watch->dump)
        dump_snapshot(&mapped->snapshot);
    if (watch->save && mapped_snapshot_save(mapped, watch->save, &err) < 0)
        fprintf(stderr, "collect: %s\n", err.text);
    fflush(stdout);
    if (watch->left && --watch->left == 0)
        loop_stop(watch->loop, 0);
}

static void take_change(void *context)
{
    tell_status(context);
}

static int watch_slurm(struct watch *watch, struct collector_settings *settings)
{
    struct error err;
    watch->began_ns = clock_monotonic_ns();
    int r = loop_new(&watch->loop, &err);
    if (r == 0)
        r = collector_new(watch->loop, settings, take_snapshot, take_change,
                          watch, &watch->collector, &err);
    if (r < 0) {
        fprintf(stderr, "collect: %s\n", err.text);
        return EXIT_FAILURE;
    }
    r = loop_run(watch->loop);
    collector_free(watch->collector);
    loop_free(watch->loop);
    return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int64_t seconds(const char *text)
{
    return (int64_t)(strtod(text, NULL) * (double)NS_PER_S);
}

static int usage(void)
{
    fprintf(stderr, "Usage: collect [--interval S] [--jobs-interval S] "
                    "[--slow-interval S]\n"
                    "               [--deadline S] [--count N] [--dump] "
                    "[--save FILE]\n");
    return 2;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "collector") == 0)
        return slurm_collector_main();

    static const struct option options[] = {
        {"interval", required_argument, NULL, 'i'},
        {"jobs-interval", required_argument, NULL, 'j'},
        {"slow-interval", required_argument, NULL, 's'},
        {"deadline", required_argument, NULL, 't'},
        {"count", required_argument, NULL, 'n'},
        {"dump", no_argument, NULL, 'd'},
        {"save", required_argument, NULL, 'w'},
        {NULL, 0, NULL, 0},
    };
    static const char *const arguments[] = {"collect", "collector", NULL};
    struct collector_settings settings = {
        .arguments = arguments,
        .interval_ns = 2 * NS_PER_S,
        .slow_interval_ns = 10 * NS_PER_S,
        .deadline_ns = 30 * NS_PER_S,
        .parts = (1U << SNAPSHOT_PART_COUNT) - 1,
    };
    struct watch watch = {.left = 0};
    int c;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'i')
            settings.interval_ns = seconds(optarg);
        else if (c == 'j')
            settings.jobs_interval_ns = seconds(optarg);
        else if (c == 's')
            settings.slow_interval_ns = seconds(optarg);
        else if (c == 't')
            settings.deadline_ns = seconds(optarg);
        else if (c == 'n')
            watch.left = strtoul(optarg, NULL, 10);
        else if (c == 'd')
            watch.dump = true;
        else if (c == 'w')
            watch.save = optarg;
        else
            return usage();
    }
    if (optind != argc || settings.interval_ns <= 0 ||
        settings.deadline_ns <= 0)
        return usage();
    return watch_slurm(&watch, &settings);
}
