/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is served, letter by letter. The golden pages in test/data show the
 * tests' cluster whole, so that a change of any metric is seen in review; the
 * tests say which of it is a contract: the names, labels, units and rules of
 * emission of vpenso's exporter, and Slurm's own names.
 *
 * test-view-prometheus DATA [--update]: DATA is the directory of the goldens,
 * which --update writes anew.
 */
#include "base/cleanup.h"
#include "base/test.h"
#include "base/utf8.h"
#include "view/test-prometheus-page.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *data_directory;
static bool update;

/* ---- goldens --------------------------------------------------------------
 */

static char *read_data(const char *name)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", data_directory, name);
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("%s: %s", path, strerror(errno));
    char *content = NULL;
    size_t size = 0;
    if (getdelim(&content, &size, '\0', file) < 0)
        content[0] = '\0';
    fclose(file);
    return content;
}

static void write_data(const char *name, const char *content)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", data_directory, name);
    FILE *file = fopen(path, "w");
    if (!file || fputs(content, file) < 0 || fclose(file) != 0)
        fail_msg("%s: %s", path, strerror(errno));
}

/* Tells the first line in which two pages differ. */
static void assert_same_page(const char *name, const char *is, const char *was)
{
    for (int line = 1; *is || *was; line++) {
        size_t is_size = strcspn(is, "\n"), was_size = strcspn(was, "\n");
        if (is_size != was_size || memcmp(is, was, is_size) != 0)
            fail_msg("%s:%d\n  was %.*s\n  is  %.*s\n"
                     "if that is meant, run\n"
                     "  build/src/view/test-view-prometheus test/data "
                     "--update",
                     name, line, (int)was_size, was, (int)is_size, is);
        is += is_size + (is[is_size] == '\n');
        was += was_size + (was[was_size] == '\n');
    }
}

static void
check_golden(const char *name, enum metric_page page, enum prometheus_format f)
{
    _cleanup_(free_ptr) char *is = page_print(page, FAMILIES_ALL, f);
    if (update)
        write_data(name, is);
    _cleanup_(free_ptr) char *was = read_data(name);
    assert_same_page(name, is, was);
}

static void pages_are_the_golden_ones(void **state)
{
    (void)state;
    check_golden("metrics.prom", PAGE_METRICS, PROMETHEUS_TEXT);
    check_golden("nodes.prom", PAGE_NODES, PROMETHEUS_TEXT);
    check_golden("jobs.prom", PAGE_JOBS, PROMETHEUS_TEXT);
    check_golden("jobs-users-accts.prom", PAGE_USERS, PROMETHEUS_TEXT);
    check_golden("partitions.prom", PAGE_PARTITIONS, PROMETHEUS_TEXT);
    check_golden("scheduler.prom", PAGE_SCHEDULER, PROMETHEUS_TEXT);
    check_golden("metrics.openmetrics", PAGE_METRICS, PROMETHEUS_OPENMETRICS);
}

/* ---- the table ------------------------------------------------------------
 */

static void check_metric(const struct metric *metric)
{
    if (strspn(metric->name, "abcdefghijklmnopqrstuvwxyz0123456789_") !=
            strlen(metric->name) ||
        strncmp(metric->name, "slurm_", 6) != 0)
        fail_msg("%s: not a name", metric->name);
    if (!metric->help || !isupper((unsigned char)metric->help[0]) ||
        strpbrk(metric->help, "\\\n"))
        if (!metric->help || !isdigit((unsigned char)metric->help[0]))
            fail_msg("%s: the help is no sentence", metric->name);
    if (metric->help[strlen(metric->help) - 1] != '.')
        fail_msg("%s: the help has no full stop", metric->name);
    size_t size = strlen(metric->name);
    bool total = size > 6 && strcmp(metric->name + size - 6, "_total") == 0;
    if (metric->type == METRIC_COUNTER && !total)
        fail_msg("%s: a counter that is not called _total", metric->name);
    for (int i = 0; i < ROW_LABELS_MAX; i++)
        if ((metric->labels >> i & 1) && !metric_table_labels[metric->table][i])
            fail_msg("%s: its table has no label %d", metric->name, i + 1);
}

/* A name may come on one page once. */
static void check_lists(const struct metric_list *const *lists, size_t count)
{
    for (size_t l = 0; l < count; l++)
        for (size_t i = 0; i < lists[l]->count; i++) {
            const struct metric *metric = &lists[l]->metrics[i];
            check_metric(metric);
            for (size_t m = 0; m <= l; m++)
                for (size_t k = 0; k < (m < l ? lists[m]->count : i); k++)
                    if (strcmp(lists[m]->metrics[k].name, metric->name) == 0)
                        fail_msg("%s is there twice", metric->name);
        }
}

static void each_metric_is_whole_and_named_once(void **state)
{
    (void)state;
    const struct metric_list *main_page[] = {&metric_list_main,
                                             &metric_list_self};
    check_lists(main_page, array_size(main_page));
    for (size_t i = 0; i < METRIC_LISTS_NATIVE; i++) {
        const struct metric_list *page[] = {&metric_lists_native[i]};
        check_lists(page, array_size(page));
    }
}

/* ---- pages as text --------------------------------------------------------
 */

static int compare_lines(const void *left, const void *right)
{
    const struct page_line *a = left, *b = right;
    size_t size =
        a->series_size < b->series_size ? a->series_size : b->series_size;
    int order = memcmp(a->series, b->series, size);
    if (order)
        return order;
    return (a->series_size > b->series_size) -
           (a->series_size < b->series_size);
}

static void no_series_is_there_twice(void **state)
{
    (void)state;
    for (unsigned int page = 0; page < PAGE_COUNT; page++) {
        _cleanup_(free_ptr) char *text =
            page_print((enum metric_page)page, FAMILIES_ALL, PROMETHEUS_TEXT);
        static struct page_line lines[8192];
        size_t count = 0;
        const char *at = text;
        while (count < array_size(lines) && page_next(&at, &lines[count]))
            count++;
        assert_true(count < array_size(lines));
        qsort(lines, count, sizeof(*lines), compare_lines);
        for (size_t i = 1; i < count; i++)
            if (compare_lines(&lines[i - 1], &lines[i]) == 0)
                fail_msg("%.*s is there twice", (int)lines[i].series_size,
                         lines[i].series);
    }
}

/* One byte that is not, and Prometheus refuses the page. */
static void pages_are_utf8(void **state)
{
    (void)state;
    for (unsigned int page = 0; page < PAGE_COUNT; page++) {
        _cleanup_(free_ptr) char *text =
            page_print((enum metric_page)page, FAMILIES_ALL, PROMETHEUS_TEXT);
        for (const char *at = text; *at;) {
            uint32_t code;
            size_t size = utf8_decode(at, &code);
            if (size == 0)
                fail_msg("not UTF-8: %.40s", at);
            at += size;
        }
    }
}

/* ---- contracts ------------------------------------------------------------
 */

static void assert_lines(const char *page, const char *const *lines)
{
    for (; *lines; lines++) {
        const char *found = page;
        size_t size = strlen(*lines);
        while ((found = strstr(found, *lines)))
            if ((found == page || found[-1] == '\n') && found[size] == '\n')
                break;
            else
                found++;
        if (!found)
            fail_msg("not there: %s", *lines);
    }
}

static char *metrics_page(void)
{
    return page_print(PAGE_METRICS, FAMILIES_DEFAULT, PROMETHEUS_TEXT);
}

static void drop_in_names_labels_and_units(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "slurm_account_jobs_pending{account=\"ml\"} 100",
        "slurm_account_cpus_pending{account=\"ml\"} 400",
        "slurm_account_jobs_running{account=\"ml\"} 3",
        "slurm_account_cpus_running{account=\"ml\"} 32",
        "slurm_account_jobs_suspended{account=\"(null)\"} 1",
        "slurm_user_jobs_pending{user=\"alice\"} 13",
        "slurm_user_cpus_pending{user=\"alice\"} 96",
        "slurm_user_jobs_running{user=\"60001\"} 1",
        "slurm_user_cpus_running{user=\"alice\"} 64",
        "slurm_user_jobs_suspended{user=\"dave\"} 1",
        "slurm_account_fairshare{account=\"physics\"} 0.25",
        "slurm_cpus_alloc 200", "slurm_cpus_idle 784", "slurm_cpus_other 256",
        "slurm_cpus_total 1240", "slurm_gpus_alloc 13", "slurm_gpus_idle 11",
        "slurm_gpus_other 12", "slurm_gpus_total 36",
        "slurm_gpus_utilization 0.3611111111111111",
        "slurm_node_cpu_alloc{node=\"gpu-1\",status=\"mixed\"} 24",
        "slurm_node_cpu_idle{node=\"gpu-1\",status=\"mixed\"} 72",
        "slurm_node_cpu_other{node=\"gpu-3\",status=\"drained\"} 96",
        "slurm_node_cpu_total{node=\"gpu-4\",status=\"down*\"} 96",
        /* MiB, as ever. */
        "slurm_node_mem_alloc{node=\"gpu-1\",status=\"mixed\"} 128000",
        "slurm_node_mem_total{node=\"gpu-1\",status=\"mixed\"} 1024000",
        "slurm_partition_cpus_allocated{partition=\"gpu\"} 128",
        "slurm_partition_cpus_idle{partition=\"gpu\"} 112",
        "slurm_partition_cpus_other{partition=\"gpu\"} 192",
        "slurm_partition_cpus_total{partition=\"gpu\"} 432",
        "slurm_partition_jobs_pending{partition=\"gpu\"} 111",
        /* Microseconds, as ever. */
        "slurm_scheduler_last_cycle 250", "slurm_scheduler_mean_cycle 300",
        "slurm_scheduler_cycle_per_minute 20",
        "slurm_scheduler_backfill_last_cycle 1600",
        "slurm_scheduler_backfill_mean_cycle 1500",
        "slurm_scheduler_backfill_depth_mean 100", "slurm_scheduler_threads 3",
        "slurm_scheduler_queue_size 1", "slurm_scheduler_dbd_queue_size 7",
        "slurm_scheduler_backfilled_jobs_since_start_total 5003",
        "slurm_scheduler_backfilled_jobs_since_cycle_total 10",
        "slurm_scheduler_backfilled_heterogeneous_total 2", NULL};
    _cleanup_(free_ptr) char *page = metrics_page();
    assert_lines(page, lines);
}

/* Grafana's dashboard 4323 asks for these bare names, and breaks on labels and
 * on missing zeros alike. */
static void dashboard_4323_finds_what_it_asks_for(void **state)
{
    (void)state;
    static const char *const lines[] = {"slurm_nodes_alloc 2",
                                        "slurm_nodes_comp 1",
                                        "slurm_nodes_idle 4",
                                        "slurm_nodes_mix 2",
                                        "slurm_nodes_down 1",
                                        "slurm_nodes_drain 3",
                                        "slurm_nodes_err 0",
                                        "slurm_nodes_fail 1",
                                        "slurm_nodes_maint 1",
                                        "slurm_nodes_resv 1",
                                        "slurm_queue_completing 1",
                                        "slurm_queue_running 8",
                                        "slurm_queue_pending 118",
                                        "slurm_queue_pending_dependency 1",
                                        "slurm_queue_completed 2",
                                        "slurm_queue_configuring 1",
                                        "slurm_queue_timeout 1",
                                        "slurm_queue_failed 1",
                                        "slurm_queue_node_fail 1",
                                        "slurm_queue_suspended 1",
                                        "slurm_queue_cancelled 1",
                                        "slurm_queue_preempted 1",
                                        NULL};
    _cleanup_(free_ptr) char *page = metrics_page();
    assert_lines(page, lines);
}

static bool vanishes_at_zero(const struct page_line *line)
{
    static const char *const prefixes[] = {
        "slurm_account_jobs_pending",   "slurm_account_cpus_pending",
        "slurm_account_jobs_running",   "slurm_account_cpus_running",
        "slurm_account_jobs_suspended", "slurm_user_jobs_pending",
        "slurm_user_cpus_pending",      "slurm_user_jobs_running",
        "slurm_user_cpus_running",      "slurm_user_jobs_suspended",
        "slurm_partition_cpus_",        "slurm_partition_jobs_pending",
    };
    for (size_t i = 0; i < array_size(prefixes); i++)
        if (strncmp(line->series, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

static void series_by_account_user_and_partition_vanish_at_zero(void **state)
{
    (void)state;
    _cleanup_(free_ptr) char *page = metrics_page();
    const char *at = page;
    struct page_line line;
    while (page_next(&at, &line))
        if (vanishes_at_zero(&line) && line.value_size == 1 &&
            line.value[0] == '0')
            fail_msg("%.*s is zero", (int)line.series_size, line.series);
}

static void node_series_and_bare_ones_keep_their_zeros(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "slurm_node_cpu_alloc{node=\"cpu-1\",status=\"idle\"} 0",
        "slurm_node_mem_alloc{node=\"cloud-1\",status=\"idle~\"} 0",
        "slurm_nodes_err 0", "slurm_queue_other 2", NULL};
    _cleanup_(free_ptr) char *page = metrics_page();
    assert_lines(page, lines);
}

/* An account named "root" is an account, its user root is not. */
static void label_values_are_escaped(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "slurm_user_jobs_running{user=\"o\\\"neil\\\\x\\ny\"} 1",
        "slurm_user_jobs_running{user=\"j\xc3\xbcrgen\"} 1",
        "slurm_user_jobs_running{user=\"j?rgen\"} 1",
        "slurm_node_reason{node=\"gpu-3\",reason=\"said \\\"no\\\"\\nthen "
        "C:\\\\ fell\",user=\"o'neil\"} 1",
        NULL};
    _cleanup_(free_ptr) char *page = metrics_page();
    assert_lines(page, lines);
}

static void counters_are_counters_across_midnight(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "slurm_ctld_jobs_submitted_total 1122",
        "slurm_ctld_backfilled_jobs_total 5003",
        "slurm_ctld_rpc_requests_total{rpc=\"REQUEST_JOB_INFO\"} 930",
        "slurm_ctld_user_rpc_requests_total{user=\"alice\"} 100",
        "slurm_job_wait_time_seconds_bucket{partition=\"gpu\",le=\"60\"} 1",
        "slurm_job_wait_time_seconds_bucket{partition=\"gpu\",le=\"+Inf\"} 2",
        "slurm_job_wait_time_seconds_sum{partition=\"gpu\"} 230",
        NULL};
    _cleanup_(free_ptr) char *page = metrics_page();
    assert_lines(page, lines);
}

/* True when PAGE has a sample of NAME, which is "metric" or "metric{label}". */
static bool has_series(const char *page, const char *name, size_t size)
{
    struct page_line line;
    size_t metric = strcspn(name, "{\n");
    size_t label = metric < size ? size - metric - 2 : 0; /* both braces */
    while (page_next(&page, &line)) {
        if (line.name_size != metric || memcmp(line.series, name, metric) != 0)
            continue;
        if (label == 0)
            return line.series_size == line.name_size;
        const char *first = line.series + metric + 1;
        return memcmp(first, name + metric + 1, label) == 0 &&
               first[label] == '=';
    }
    return false;
}

static void every_name_of_slurm_itself_is_served(void **state)
{
    (void)state;
    _cleanup_(free_ptr) char *names = read_data("slurm-native-names-26.05.txt");
    char *pages[PAGE_COUNT] = {NULL};
    for (unsigned int i = PAGE_NODES; i < PAGE_COUNT; i++)
        pages[i] =
            page_print((enum metric_page)i, FAMILIES_ALL, PROMETHEUS_TEXT);
    for (const char *name = names; *name; name += strspn(name, "\n")) {
        size_t size = strcspn(name, "\n");
        bool found = false;
        for (unsigned int i = PAGE_NODES; i < PAGE_COUNT; i++)
            found = found || has_series(pages[i], name, size);
        if (!found)
            fail_msg("no page has %.*s", (int)size, name);
        name += size;
    }
    for (unsigned int i = PAGE_NODES; i < PAGE_COUNT; i++)
        free(pages[i]);
}

static void native_pages_are_without_slurms_faults(void **state)
{
    (void)state;
    static const char *const nodes[] = {
        "slurm_nodes_powering_up 1",
        "slurm_nodes_powering_down 1",
        "slurm_nodes_drain 3",
        "slurm_node_memory_bytes{node=\"cpu-1\"} 268435456000",
        "slurm_node_gpus_alloc{node=\"mig-1\"} 5",
        NULL};
    static const char *const users[] = {
        "slurm_user_jobs_pending{username=\"carol\"} 100",
        "slurm_account_jobs_gpus_alloc{account=\"ml\"} 8",
        "slurm_user_jobs{username=\"o\\\"neil\\\\x\\ny\"} 1", NULL};
    static const char *const partitions[] = {
        "slurm_partitions 4",
        "slurm_partition_jobs_pending{partition=\"gpu\"} 111",
        "slurm_partition_jobs_wait_part_node_limit{partition=\"batch\"} 1",
        "slurm_partition_gpus{partition=\"gpu\"} 35", NULL};
    static const struct {
        enum metric_page page;
        const char *const *lines;
    } pages[] = {{PAGE_NODES, nodes},
                 {PAGE_USERS, users},
                 {PAGE_PARTITIONS, partitions}};
    for (size_t i = 0; i < array_size(pages); i++) {
        _cleanup_(free_ptr) char *page =
            page_print(pages[i].page, FAMILIES_ALL, PROMETHEUS_TEXT);
        assert_lines(page, pages[i].lines);
    }
}

/* ---- families and formats -------------------------------------------------
 */

static void only_the_families_asked_for_are_printed(void **state)
{
    (void)state;
    _cleanup_(free_ptr) char *page =
        page_print(PAGE_METRICS, metric_family_mask("queue"), PROMETHEUS_TEXT);
    const char *at = page;
    struct page_line line;
    size_t count = 0;
    for (; page_next(&at, &line); count++)
        if (strncmp(line.series, "slurm_queue_", 12) != 0 &&
            strncmp(line.series, "slurm_job", 9) != 0)
            fail_msg("%.*s is no part of it", (int)line.name_size, line.series);
    assert_true(count > 40);
    _cleanup_(free_ptr) char *none =
        page_print(PAGE_METRICS, 0, PROMETHEUS_TEXT);
    assert_string_equal(none, "");
}

static void series_of_jobs_and_loads_come_only_when_asked_for(void **state)
{
    (void)state;
    _cleanup_(free_ptr) char *page = metrics_page();
    assert_null(strstr(page, "slurm_running_job_"));
    assert_null(strstr(page, "slurm_node_load1"));
    _cleanup_(free_ptr) char *all =
        page_print(PAGE_METRICS, FAMILIES_ALL, PROMETHEUS_TEXT);
    assert_non_null(strstr(all, "\nslurm_running_job_cpus{job_id=\"100\"} 64"));
    assert_non_null(strstr(all, "\nslurm_node_load1{node=\"cpu-1\"} 0.07\n"));
    /* Nothing was heard from it. */
    assert_null(strstr(all, "\nslurm_node_load1{node=\"gpu-4\"}"));
}

static void openmetrics_announces_counters_without_their_total(void **state)
{
    (void)state;
    _cleanup_(free_ptr) char *page =
        page_print(PAGE_METRICS, FAMILIES_ALL, PROMETHEUS_OPENMETRICS);
    assert_non_null(
        strstr(page, "\n# TYPE slurm_ctld_jobs_submitted counter\n"));
    assert_non_null(strstr(page, "\nslurm_ctld_jobs_submitted_total 1122\n"));
    assert_non_null(strstr(page, "\n# TYPE slurm_cpus_total unknown\n"));
    size_t size = strlen(page);
    assert_true(size > 6);
    assert_string_equal(page + size - 6, "# EOF\n");
    assert_ptr_equal(strstr(page, "# EOF"), page + size - 6);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s DATA [--update]\n", argv[0]);
        return 2;
    }
    data_directory = argv[1];
    update = argc > 2 && strcmp(argv[2], "--update") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_the_golden_ones),
        cmocka_unit_test(each_metric_is_whole_and_named_once),
        cmocka_unit_test(no_series_is_there_twice),
        cmocka_unit_test(pages_are_utf8),
        cmocka_unit_test(drop_in_names_labels_and_units),
        cmocka_unit_test(dashboard_4323_finds_what_it_asks_for),
        cmocka_unit_test(series_by_account_user_and_partition_vanish_at_zero),
        cmocka_unit_test(node_series_and_bare_ones_keep_their_zeros),
        cmocka_unit_test(label_values_are_escaped),
        cmocka_unit_test(counters_are_counters_across_midnight),
        cmocka_unit_test(every_name_of_slurm_itself_is_served),
        cmocka_unit_test(native_pages_are_without_slurms_faults),
        cmocka_unit_test(only_the_families_asked_for_are_printed),
        cmocka_unit_test(series_of_jobs_and_loads_come_only_when_asked_for),
        cmocka_unit_test(openmetrics_announces_counters_without_their_total),
    };
    return cmocka_run_group_tests_name("prometheus", tests, NULL, NULL);
}
