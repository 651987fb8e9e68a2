/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Printing whole pages for tests; see the header. What the exporter says of
 * itself is made up here, since no exporter runs.
 */
#include "view/test-prometheus-page.h"

#include "base/cleanup.h"
#include "base/test.h"
#include "model/self.h"
#include "model/snapshot-build.h"
#include "model/tally.h"
#include "model/test-cluster.h"
#include "model/totals.h"

#include <math.h>
#include <string.h>

static const struct exporter_row exporter = {
    .up = 1,
    .snapshot_age_seconds = 0.25,
    .snapshot_bytes = 9216,
    .cycle_seconds = 0.0625,
    .interval_seconds = 15,
    .cycles = 2,
    .collector_cpu_seconds = 0.03125,
    .process_cpu_seconds = 0.5,
    .resident_bytes = 5242880,
    .start_time_s = CLUSTER_MIDNIGHT_S - 90,
    .connections = 1,
    .response_bytes = 123456,
};

static const struct part_row part_rows[] = {
    {{{"nodes"}}, 0.25, 1, 0.5, 0.25},
    {{{"licenses"}}, NAN, 0, 0, NAN},
};

static const struct outcome_row outcome_rows[] = {
    {{{"nodes", "fresh"}}, 2},
    {{{"licenses", "failed"}}, 1},
};

static const struct end_row end_rows[] = {
    {{{"killed"}}, 1},
};

static const struct http_row http_rows[] = {
    {{{"/metrics", "200"}}, 17},
};

static const struct row_head build_rows[] = {
    {{"0.1.0", "22.05.8", "test"}},
};

#define ROWS(array)                                                            \
    {                                                                          \
        .data = (void *)(uintptr_t)(array), .count = array_size(array),        \
        .stride = sizeof(*(array))                                             \
    }

static void fill_self(struct metric_rows *rows)
{
    static const struct rows all = {.data = (void *)(uintptr_t)&exporter,
                                    .count = 1,
                                    .stride = sizeof(exporter)};
    static const struct rows parts = ROWS(part_rows);
    static const struct rows outcomes = ROWS(outcome_rows);
    static const struct rows ends = ROWS(end_rows);
    static const struct rows http = ROWS(http_rows);
    static const struct rows build = ROWS(build_rows);
    rows->tables[TABLE_EXPORTER] = &all;
    rows->tables[TABLE_PART] = &parts;
    rows->tables[TABLE_PART_OUTCOME] = &outcomes;
    rows->tables[TABLE_COLLECTOR_END] = &ends;
    rows->tables[TABLE_HTTP] = &http;
    rows->tables[TABLE_BUILD] = &build;
}

/* Everything that belongs to the rows of a page. */
struct material {
    void *data[2];
    struct snapshot snapshots[2];
    struct totals *totals;
    struct tally *tally;
    struct metric_rows rows;
};

static void prepare(struct material *m)
{
    *m = (struct material){.totals = NULL};
    struct error err;
    assert_int_equal(totals_new(&m->totals), 0);
    for (unsigned int i = 0; i < 2; i++) {
        if (cluster_open((enum cluster_moment)i, &m->data[i], &m->snapshots[i],
                         &err) < 0)
            fail_msg("%s", err.text);
        assert_int_equal(totals_update(m->totals, &m->snapshots[i]), 0);
    }
    const uint32_t parts = SNAPSHOT_SLURM_PARTS;
    const struct tally_settings settings = {
        .job_series_max = 4,
        .now_s = cluster_time_s(CLUSTER_AFTER_MIDNIGHT),
        .parts = parts};
    assert_int_equal(tally_new(&m->snapshots[1], &settings, &m->tally), 0);
    tally_fill(m->tally, &m->rows);
    totals_fill(m->totals, parts, &m->rows);
    fill_self(&m->rows);
}

static void release(struct material *m)
{
    tally_free(m->tally);
    totals_free(m->totals);
    free(m->data[0]);
    free(m->data[1]);
}

char *page_print(enum metric_page page,
                 uint32_t families,
                 enum prometheus_format format)
{
    struct material m;
    struct text text = TEXT_INIT;
    prepare(&m);
    if (page == PAGE_METRICS) {
        prometheus_print(&text, &metric_list_main, &m.rows, families, format);
        prometheus_print(&text, &metric_list_self, &m.rows, families, format);
    }
    for (size_t i = 0; i < METRIC_LISTS_NATIVE; i++)
        if (metric_lists_native[i].page == page)
            prometheus_print(&text, &metric_lists_native[i], &m.rows, families,
                             format);
    prometheus_end(&text, format);
    release(&m);
    const char *string = text_str(&text);
    assert_non_null(string);
    char *copy = strdup(string);
    text_deinit(&text);
    return copy;
}

/* Where the label values of the line at AT end: a quote that no backslash
 * escapes is no part of them. */
static size_t series_size(const char *at)
{
    size_t size = strcspn(at, "{ \n");
    if (at[size] != '{')
        return size;
    bool quoted = false;
    for (; at[size] && (quoted || at[size] != '}'); size++) {
        if (quoted && at[size] == '\\' && at[size + 1])
            size++;
        else if (at[size] == '"')
            quoted = !quoted;
    }
    return size + (at[size] == '}');
}

bool page_next(const char **at, struct page_line *ret_line)
{
    while (**at == '#')
        *at += strcspn(*at, "\n") + 1;
    if (**at == '\0')
        return false;
    ret_line->series = *at;
    ret_line->series_size = series_size(*at);
    ret_line->name_size = strcspn(*at, "{ \n");
    *at += ret_line->series_size;
    assert_int_equal(**at, ' ');
    ret_line->value = ++*at;
    ret_line->value_size = strcspn(*at, "\n");
    *at += ret_line->value_size;
    assert_int_equal(**at, '\n');
    ++*at;
    return true;
}
