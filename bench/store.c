/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-store NODES FOLDER
 *
 * What the dashboard's history of NODES nodes with eight GPUs each costs: the
 * series that the recorder puts and writes each 15 s (src/watchdog/recorder.c),
 * for an hour of the cluster's time as fast as it goes; then the answers to
 * what the page asks, of a node whose last 90 days are there.
 *
 * Prints NAME VALUE lines: milliseconds, and "cpu_percent" of one core.
 */
#include "store/store.h"
#include "base/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    STEP_S = 15,
    ROUNDS = 3600 / STEP_S,
    GPUS = 8,
    JOB_NODES = 2, /* a job on every second node */
    DAY_S = 86400,
    OLD_STEP_S = 900,
    OLD_DAYS = 90,
    ASKS = 20
};

static const char *const gpu_metrics[] = {
    "utilization_percent", "memory_used_mib", "temperature_c", "power_watts"};
static const char *const node_metrics[] = {"cpus_allocated",
                                           "memory_allocated_mib", "cpu_load"};
static const char *const job_metrics[] = {"gpus_used",
                                          "gpu_utilization_percent",
                                          "gpu_memory_used_mib", "power_watts"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static double reading(unsigned int seed, int64_t time_s)
{
    return 50 + 40 * sin((double)time_s / 700 + seed);
}

static void put(struct store *store,
                const char *kind,
                const char *id,
                const char *const *metrics,
                size_t count,
                int64_t time_s,
                unsigned int seed)
{
    for (size_t i = 0; i < count; i++)
        store_put(store, &(struct store_key){kind, id, metrics[i]}, time_s,
                  reading(seed + (unsigned int)i, time_s));
}

static void put_gpus(struct store *store, unsigned int node, int64_t time_s)
{
    char id[64];
    for (unsigned int gpu = 0; gpu < GPUS; gpu++) {
        snprintf(id, sizeof(id), "node%05u/%u", node, gpu);
        put(store, "gpu", id, gpu_metrics, COUNT(gpu_metrics), time_s,
            node * GPUS + gpu);
    }
}

static void put_round(struct store *store, unsigned int nodes, int64_t time_s)
{
    char id[64];
    for (unsigned int n = 0; n < nodes; n++) {
        snprintf(id, sizeof(id), "node%05u", n);
        put(store, "node", id, node_metrics, COUNT(node_metrics), time_s, n);
        put_gpus(store, n, time_s);
        if (n % JOB_NODES)
            continue;
        snprintf(id, sizeof(id), "%u", 1000 + n);
        put(store, "job", id, job_metrics, COUNT(job_metrics), time_s, n);
    }
    put(store, "cluster", "", gpu_metrics, COUNT(gpu_metrics), time_s, 0);
}

static void must(int r, const struct error *err)
{
    if (r >= 0)
        return;
    fprintf(stderr, "bench-store: %s\n", err->text);
    exit(EXIT_FAILURE);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* As the recorder does: a round is put, then its parts are written one by one.
 */
static void write_all(struct store *store, unsigned int nodes, int64_t begin_s)
{
    static double held_ms[ROUNDS * STORE_PARTS];
    struct error err;
    size_t count = 0;
    int64_t cpu_ns = clock_process_cpu_ns();
    for (int round = 0; round < ROUNDS; round++) {
        int64_t time_s = begin_s + (int64_t)round * STEP_S;
        for (int part = 0; part < STORE_PARTS; part++) {
            int64_t begun_ns = clock_monotonic_ns();
            if (part == 0)
                put_round(store, nodes, time_s);
            must(store_flush_part(store, part, time_s, &err), &err);
            held_ms[count++] = (double)(clock_monotonic_ns() - begun_ns) / 1e6;
        }
    }
    cpu_ns = clock_process_cpu_ns() - cpu_ns;
    qsort(held_ms, count, sizeof(held_ms[0]), compare);
    printf("cpu_percent %.2f\n",
           (double)cpu_ns / 1e9 / ((double)ROUNDS * STEP_S) * 100);
    printf("held_median %.1f\nheld_p99 %.1f\nheld_longest %.1f\n",
           held_ms[count / 2], held_ms[count * 99 / 100], held_ms[count - 1]);
}

/* COUNT GPUs' four metrics over the last SPAN_S, as one answer has them. */
static void ask(struct store *store,
                const char *name,
                unsigned int gpus,
                int64_t span_s,
                int64_t now_s)
{
    double times_ms[ASKS];
    for (int i = 0; i < ASKS; i++) {
        int64_t begun_ns = clock_monotonic_ns();
        for (unsigned int gpu = 0; gpu < gpus; gpu++)
            for (size_t m = 0; m < COUNT(gpu_metrics); m++) {
                char id[64];
                struct store_series series;
                snprintf(id, sizeof(id), "node00000/%u", gpu);
                if (store_read(store,
                               &(struct store_key){"gpu", id, gpu_metrics[m]},
                               now_s - span_s, now_s, 300, &series, NULL) < 0 ||
                    series.count == 0)
                    exit(EXIT_FAILURE);
                store_series_deinit(&series);
            }
        times_ms[i] = (double)(clock_monotonic_ns() - begun_ns) / 1e6;
    }
    qsort(times_ms, ASKS, sizeof(times_ms[0]), compare);
    printf("%s %.2f\n", name, times_ms[ASKS - 1]);
}

int main(int argc, char *argv[])
{
    struct store_settings settings = store_settings_default;
    struct store *store;
    struct error err;
    if (argc != 3) {
        fprintf(stderr, "usage: bench-store NODES FOLDER\n");
        return 2;
    }
    unsigned int nodes = (unsigned int)atoi(argv[1]);
    settings.folder = argv[2];
    if (store_new(&settings, &store, &err) < 0) {
        fprintf(stderr, "bench-store: %s\n", err.text);
        return EXIT_FAILURE;
    }
    int64_t now_s = clock_realtime_ns() / NS_PER_S / STEP_S * STEP_S;
    int64_t begin_s = now_s - (int64_t)ROUNDS * STEP_S;
    for (int64_t t = now_s - (int64_t)OLD_DAYS * DAY_S; t < begin_s;
         t += OLD_STEP_S) {
        put_gpus(store, 0, t);
        if (t / OLD_STEP_S % 96 == 0)
            store_flush(store, t, &err);
    }
    write_all(store, nodes, begin_s);
    ask(store, "gpu_2h", 1, 7200, now_s);
    ask(store, "gpu_90d", 1, (int64_t)OLD_DAYS * DAY_S, now_s);
    ask(store, "node_24h", GPUS, DAY_S, now_s);
    ask(store, "node_90d", GPUS, (int64_t)OLD_DAYS * DAY_S, now_s);
    store_free(store);
    return EXIT_SUCCESS;
}
