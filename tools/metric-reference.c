/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prints doc/metrics.md, the reference of all metrics, from the table that the
 * exporter prints them from. `./check` holds the committed page to it.
 */
#include "model/metric.h"

#include <stdio.h>

static const char head[] =
    "# Metrics\n"
    "\n"
    "Made by `tools/metric-reference` from the table of metrics in\n"
    "`src/model/metric-table*.c`; change them there.\n"
    "\n"
    "An absent reading has no series: absent is not zero. Series whose source\n"
    "is too old (`--stale-after`) are withdrawn until it answers again;\n"
    "`slurm_up` and `slurm_exporter_part_fresh` tell. Under OpenMetrics,\n"
    "untyped is called unknown. *Only above zero* is what vpenso's exporter\n"
    "did, and his dashboards expect.\n";

static const char *const page_heads[PAGE_COUNT] = {
    [PAGE_METRICS] =
        "Names of vpenso's prometheus-slurm-exporter with his units, and ours.",
    [PAGE_NODES] = "Names that Slurm 25.11 and later serve themselves.",
    [PAGE_JOBS] = "Names that Slurm 25.11 and later serve themselves.",
    [PAGE_USERS] =
        ("Names that Slurm 25.11 and later serve themselves. One series\n"
         "for each user and account: mind your Prometheus."),
    [PAGE_PARTITIONS] = "Names that Slurm 25.11 and later serve themselves.",
    [PAGE_SCHEDULER] = "Names that Slurm 25.11 and later serve themselves.",
};

static const char *const type_names[] = {
    [METRIC_GAUGE] = "gauge",
    [METRIC_COUNTER] = "counter",
    [METRIC_UNTYPED] = "untyped",
    [METRIC_HISTOGRAM] = "histogram",
};

static void print_labels(const struct metric *metric)
{
    const char *comma = "";
    for (int i = 0; i < ROW_LABELS_MAX; i++) {
        if (!(metric->labels >> i & 1))
            continue;
        printf("%s`%s`", comma, metric_table_labels[metric->table][i]);
        comma = ", ";
    }
    if (metric->vector)
        printf("%s`%s`", comma, metric->vector->label);
}

static void print_list(const struct metric_list *list)
{
    int family = -1;
    for (size_t i = 0; i < list->count; i++) {
        const struct metric *metric = &list->metrics[i];
        if ((int)metric->family != family) {
            family = (int)metric->family;
            printf("\n### Family `%s`\n\n"
                   "| metric | type | labels | meaning |\n"
                   "|---|---|---|---|\n",
                   metric_family_names[family]);
        }
        printf("| `%s` | %s | ", metric->name, type_names[metric->type]);
        print_labels(metric);
        printf(" | %s%s |\n", metric->help,
               metric->emit == EMIT_POSITIVE ? " *Only above zero.*" : "");
    }
}

int main(void)
{
    fputs(head, stdout);
    for (unsigned int page = 0; page < PAGE_COUNT; page++) {
        printf("\n## %s\n\n%s\n", metric_page_paths[page], page_heads[page]);
        if (page == PAGE_METRICS) {
            print_list(&metric_list_main);
            print_list(&metric_list_self);
        }
        for (size_t i = 0; i < METRIC_LISTS_NATIVE; i++)
            if (metric_lists_native[i].page == page)
                print_list(&metric_lists_native[i]);
    }
    return ferror(stdout) ? 1 : 0;
}
