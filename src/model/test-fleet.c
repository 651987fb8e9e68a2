/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the fleet makes of the nodes' answers, and the pattern of their
 * addresses.
 */
#include "base/test.h"
#include "model/fleet.h"
#include "model/node-url.h"
#include "model/snapshot-build.h"
#include "model/state.h"
#include "model/test-cluster.h"
#include "model/test-sample.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char page[] =
    "# TYPE DCGM_FI_DEV_GPU_UTIL gauge\n"
    "gpu_up{gpu=\"0\",UUID=\"GPU-0\",modelName=\"H100\",state=\"up\"} 1\n"
    "gpu_up{gpu=\"1\",UUID=\"GPU-1\",modelName=\"H100\",state=\"up\"} 1\n"
    "gpu_up{gpu=\"2\",UUID=\"GPU-2\",modelName=\"H100\",state=\"up\"} 1\n"
    "gpu_up{gpu=\"3\",UUID=\"GPU-3\",modelName=\"H100\",state=\"lost\"} 0\n"
    "DCGM_FI_DEV_GPU_UTIL{gpu=\"0\",UUID=\"GPU-0\"} 80\n"
    "DCGM_FI_DEV_GPU_UTIL{gpu=\"1\",UUID=\"GPU-1\"} 0\n"
    "DCGM_FI_DEV_GPU_UTIL{gpu=\"2\",UUID=\"GPU-2\"} 0\n"
    "DCGM_FI_DEV_POWER_USAGE{gpu=\"0\",UUID=\"GPU-0\"} 400.5\n"
    "slurm_gpu_job_info{gpu=\"0\",job_id=\"17_3\",user=\"ann\"} 1\n"
    "slurm_gpu_job_allocated{gpu=\"0\",job_id=\"17_3\"} 1\n"
    "slurm_gpu_job_processes{gpu=\"0\",job_id=\"17_3\"} 1\n"
    "slurm_gpu_job_allocated{gpu=\"1\",job_id=\"17_3\"} 1\n"
    "slurm_gpu_job_processes{gpu=\"1\",job_id=\"17_3\"} 1\n";

static struct measured_node parse(const char *text)
{
    struct measured_node node;
    assert_int_equal(measured_node_parse(text, strlen(text), &node), 0);
    return node;
}

/* A fleet of the test cluster's nodes. */
static struct fleet begin(void)
{
    struct fleet fleet = {.nodes = NULL};
    struct snapshot snapshot;
    void *data;
    assert_int_equal(
        cluster_open(CLUSTER_BEFORE_MIDNIGHT, &data, &snapshot, NULL), 0);
    assert_int_equal(fleet_set_nodes(&fleet, &snapshot), 0);
    free(data);
    assert_true(fleet.count > 1);
    for (size_t i = 1; i < fleet.count; i++)
        assert_true(strcmp(fleet.nodes[i - 1]->name, fleet.nodes[i]->name) < 0);
    return fleet;
}

static void use_is_judged(void **state)
{
    (void)state;
    struct fleet fleet = begin();
    struct fleet_node *node = fleet.nodes[0];
    struct measured_node measured = parse(page);
    assert_int_equal(node->answer, FLEET_NONE);
    fleet_take(&fleet, node, &measured, 1000);
    assert_int_equal(node->answer, FLEET_UP);
    assert_int_equal(fleet_gpu_use(node, 0), GPU_USE_BUSY);
    /* A process that does nothing is idle after a while only. */
    assert_int_equal(fleet_gpu_use(node, 1), GPU_USE_BUSY);
    assert_int_equal(fleet_gpu_use(node, 2), GPU_USE_FREE);
    assert_int_equal(fleet_gpu_use(node, 3), GPU_USE_UNKNOWN);
    measured = parse(page);
    fleet_take(&fleet, node, &measured, 1000 + FLEET_STILL_S);
    assert_int_equal(fleet_gpu_use(node, 1), GPU_USE_IDLE);
    assert_int_equal(node->measured.gpus[1].idle_since_s, 1000);
    fleet_deinit(&fleet);
}

static int64_t recall(void *context,
                      const struct fleet_node *node,
                      const struct measured_gpu *gpu,
                      const char *job,
                      int64_t now_s)
{
    int *asked = context;
    (*asked)++;
    assert_non_null(node->name);
    assert_int_equal(gpu->index, 1);
    assert_string_equal(job, "17_3");
    return now_s - FLEET_STILL_S;
}

/* Only when a GPU is first seen held: later we know ourselves. */
static void how_long_it_was_idle_before_is_recalled_once(void **state)
{
    (void)state;
    struct fleet fleet = begin();
    struct fleet_node *node = fleet.nodes[0];
    int asked = 0;
    fleet.observer =
        (struct fleet_observer){.recalls = recall, .context = &asked};
    struct measured_node measured = parse(page);
    fleet_take(&fleet, node, &measured, 1000);
    assert_int_equal(asked, 1);
    assert_int_equal(node->measured.gpus[1].idle_since_s, 1000 - FLEET_STILL_S);
    assert_int_equal(fleet_gpu_use(node, 1), GPU_USE_IDLE);
    /* It works, and is idle again. */
    measured = parse(page);
    measured.gpus[1].utilization_percent = 5;
    fleet_take(&fleet, node, &measured, 1015);
    assert_int_equal(node->measured.gpus[1].idle_since_s, 0);
    measured = parse(page);
    fleet_take(&fleet, node, &measured, 1030);
    assert_int_equal(node->measured.gpus[1].idle_since_s, 1030);
    assert_int_equal(asked, 1);
    fleet_deinit(&fleet);
}

static void a_job_is_the_sum_of_its_gpus(void **state)
{
    (void)state;
    struct fleet fleet = begin();
    struct fleet_jobs jobs;
    for (size_t i = 0; i < 2; i++) {
        struct measured_node measured = parse(page);
        fleet_take(&fleet, fleet.nodes[i], &measured, 1000);
    }
    assert_int_equal(fleet_jobs_init(&jobs, &fleet), 0);
    assert_int_equal(jobs.count, 1);
    const struct fleet_job *job = fleet_jobs_find(&jobs, "17_3");
    assert_non_null(job);
    assert_string_equal(job->user, "ann");
    assert_int_equal(job->gpus, 4);
    assert_int_equal(job->readings, 4);
    assert_true(job->utilization_sum == 160);
    assert_true(job->power_watts == 801);
    assert_null(fleet_jobs_find(&jobs, "17"));
    struct rows rows;
    assert_int_equal(fleet_jobs_rows(&jobs, 5, &rows), 0);
    assert_int_equal(rows.count, 1);
    const struct fleet_job_row *row = rows_at(&rows, 0);
    assert_string_equal(row->head.labels[0], "17_3");
    assert_int_equal(row->gpus, 4);
    assert_true(row->utilization_ratio == 0.4);
    assert_true(isnan(row->memory_used_bytes)); /* never told */
    rows_deinit(&rows);
    assert_int_equal(fleet_jobs_rows(&jobs, 0, &rows), 0);
    assert_int_equal(rows.count, 0);
    fleet_jobs_deinit(&jobs);
    fleet_deinit(&fleet);
}

static void silence_keeps_what_was_said(void **state)
{
    (void)state;
    struct fleet fleet = begin();
    struct fleet_node *node = fleet.nodes[0];
    struct measured_node measured = parse(page);
    fleet_take(&fleet, node, &measured, 1000);
    fleet_fail(&fleet, node, "no route", false);
    assert_int_equal(node->answer, FLEET_SILENT);
    assert_string_equal(node->trouble, "no route");
    assert_int_equal(node->measured.gpu_count, 4);
    assert_int_equal(fleet_gpu_use(node, 0), GPU_USE_BUSY);
    fleet_fail(&fleet, node, "no route", true);
    assert_int_equal(fleet_gpu_use(node, 0), GPU_USE_UNKNOWN);
    fleet_deinit(&fleet);
}

static void nodes_that_go_and_come_are_the_same(void **state)
{
    (void)state;
    struct fleet fleet = begin();
    struct fleet_node *node = fleet.nodes[0];
    size_t count = fleet.count;
    struct fleet again = begin();
    fleet_deinit(&again);
    assert_ptr_equal(fleet_find(&fleet, node->name), node);
    assert_null(fleet_find(&fleet, "nobody"));
    assert_int_equal(fleet.count, count);
    fleet_deinit(&fleet);
}

static void dcgm_exporter_tells_who_holds(void **state)
{
    (void)state;
    struct fleet fleet = begin();
    struct measured_node measured =
        parse("DCGM_FI_DEV_GPU_UTIL{gpu=\"0\",UUID=\"GPU-0\",hpc_job=\"5\"} 0\n"
              "DCGM_FI_DEV_GPU_UTIL{gpu=\"1\",UUID=\"GPU-1\",hpc_job=\"6\"} 9\n"
              "DCGM_FI_DEV_GPU_UTIL{gpu=\"2\",UUID=\"GPU-2\"} 0\n");
    fleet_take(&fleet, fleet.nodes[0], &measured, 1000);
    assert_int_equal(fleet_gpu_use(fleet.nodes[0], 0), GPU_USE_IDLE);
    assert_int_equal(fleet_gpu_use(fleet.nodes[0], 1), GPU_USE_BUSY);
    assert_int_equal(fleet_gpu_use(fleet.nodes[0], 2), GPU_USE_UNKNOWN);
    fleet_deinit(&fleet);
}

static const char dcgm_page[] =
    "DCGM_FI_DEV_GPU_UTIL{gpu=\"0\",UUID=\"GPU-0\",device=\"nvidia1\"} 60\n"
    "DCGM_FI_DEV_GPU_UTIL{gpu=\"1\",UUID=\"GPU-1\",device=\"nvidia0\"} 0\n"
    "DCGM_FI_DEV_GPU_UTIL{gpu=\"2\",UUID=\"GPU-2\",device=\"nvidia2\"} 0\n";

/* A snapshot in which job 7 of ben was given the first COUNT GPUs of NODE. */
static void set_given(struct fleet *fleet, const char *node, uint32_t count)
{
    struct snapshot_builder *b;
    struct snapshot snapshot;
    void *records, *data;
    size_t size;
    int fd;
    assert_int_equal(snapshot_builder_new(&b, NULL), 0);
    assert_int_equal(
        snapshot_builder_begin(b, SNAPSHOT_JOBS, 1, &records, NULL), 0);
    *(struct job_record *)records = (struct job_record){
        .job_id = 7,
        .task_count = 1,
        .state = JOB_BASE_RUNNING,
        .user = snapshot_builder_string(b, 0, "ben"),
    };
    for (uint32_t i = 0; i < count; i++)
        *(struct job_gpu_record *)snapshot_builder_add(b, 2, NULL) =
            (struct job_gpu_record){.node = snapshot_builder_string(b, 1, node),
                                    .place = i};
    assert_int_equal(snapshot_builder_end(b, 1, NULL), 0);
    assert_int_equal(snapshot_builder_finish(b, &fd, NULL), 0);
    snapshot_builder_free(b);
    assert_int_equal(sample_read(fd, &data, &size, NULL), 0);
    close(fd);
    assert_int_equal(snapshot_open(data, size, &snapshot, NULL), 0);
    assert_int_equal(fleet_set_given(fleet, &snapshot), 0);
    free(data);
}

static void what_an_exporter_does_not_tell_slurm_does(void **state)
{
    (void)state;
    struct fleet fleet = begin();
    struct fleet_node *node = fleet.nodes[0];
    struct measured_node measured = parse(dcgm_page);
    assert_false(fleet_wants_given(&fleet));
    fleet_take(&fleet, node, &measured, 1000);
    assert_true(fleet_wants_given(&fleet));
    assert_int_equal(fleet_gpu_use(node, 0), GPU_USE_UNKNOWN);
    set_given(&fleet, node->name, 1);
    measured = parse(dcgm_page);
    fleet_take(&fleet, node, &measured, 1015);
    /* Its first is /dev/nvidia0, which the driver calls GPU 1. */
    assert_int_equal(fleet_gpu_use(node, 0), GPU_USE_FREE);
    assert_int_equal(fleet_gpu_use(node, 1), GPU_USE_IDLE);
    assert_int_equal(fleet_gpu_use(node, 2), GPU_USE_FREE);
    set_given(&fleet, node->name, 2);
    measured = parse(dcgm_page);
    fleet_take(&fleet, node, &measured, 1030);
    assert_int_equal(fleet_gpu_use(node, 0), GPU_USE_BUSY);
    struct fleet_jobs jobs;
    assert_int_equal(fleet_jobs_init(&jobs, &fleet), 0);
    const struct fleet_job *job = fleet_jobs_find(&jobs, "7");
    assert_non_null(job);
    assert_string_equal(job->user, "ben");
    assert_int_equal(job->gpus, 2);
    assert_int_equal(job->gpus_used, 1);
    fleet_jobs_deinit(&jobs);
    fleet_deinit(&fleet);
}

/* Ours knows processes: Slurm's word adds nothing. */
static void an_exporter_that_tells_is_believed(void **state)
{
    (void)state;
    struct fleet fleet = begin();
    struct fleet_node *node = fleet.nodes[0];
    set_given(&fleet, node->name, 3);
    struct measured_node measured = parse(page);
    fleet_take(&fleet, node, &measured, 1000);
    assert_false(fleet_wants_given(&fleet));
    assert_int_equal(fleet_gpu_use(node, 2), GPU_USE_FREE);
    fleet_deinit(&fleet);
}

static void pages_of_others_are_no_answers(void **state)
{
    (void)state;
    struct measured_node node;
    static const char *const pages[] = {
        "", "<html>\n", "up 1\n", "gpu_up{gpu=\"0\"", "gpu_up{gpu=\"x\"} 1"};
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
        assert_int_equal(measured_node_parse(pages[i], strlen(pages[i]), &node),
                         -ENODATA);
}

static void
assert_url(const char *pattern, const char *address, const char *expected)
{
    struct text text = TEXT_INIT;
    assert_int_equal(node_url_check(pattern, NULL), 0);
    node_url_make(pattern, "n1", address, &text);
    assert_string_equal(text_str(&text), expected);
    text_deinit(&text);
}

static void xids_of_all_codes_are_counted(void **state)
{
    (void)state;
    struct measured_node node =
        parse("DCGM_FI_DEV_XID_ERRORS{gpu=\"0\",UUID=\"GPU-0\"} 79\n"
              "gpu_xid_errors_total{gpu=\"0\",xid=\"79\"} 2\n"
              "gpu_xid_errors_total{gpu=\"0\",xid=\"31\"} 3\n");
    assert_int_equal(node.gpus[0].last_xid, 79);
    assert_int_equal(node.gpus[0].xid_count, 5);
    measured_node_deinit(&node);
}

static const struct fleet_job *
host_job(struct fleet *fleet, struct fleet_jobs *jobs, const char *name)
{
    fleet_jobs_deinit(jobs);
    assert_int_equal(fleet_jobs_init(jobs, fleet), 0);
    const struct fleet_job *job = fleet_jobs_find(jobs, name);
    assert_non_null(job);
    return job;
}

static void take_host(struct fleet *fleet, size_t node, double cpu, int64_t at)
{
    char text[400];
    snprintf(text, sizeof(text),
             "gpu_up{gpu=\"0\",state=\"up\"} 1\n"
             "slurm_node_job_cpu_seconds_total{job_id=\"9\",user=\"bo\"} %f\n"
             "slurm_node_job_memory_bytes{job_id=\"9\",user=\"bo\"} 1048576\n",
             cpu);
    struct measured_node measured = parse(text);
    fleet_take(fleet, fleet->nodes[node], &measured, at);
}

static void processors_of_jobs_are_rates_and_summed(void **state)
{
    (void)state;
    struct fleet fleet = begin();
    struct fleet_jobs jobs = {.jobs = NULL};
    struct rows rows;
    take_host(&fleet, 0, 10, 1000);
    const struct fleet_job *job = host_job(&fleet, &jobs, "9");
    assert_int_equal(job->cpu_readings, 0);
    assert_true(job->memory_bytes == 1048576);
    take_host(&fleet, 0, 40, 1015);
    take_host(&fleet, 1, 0, 1000);
    take_host(&fleet, 1, 15, 1015);
    job = host_job(&fleet, &jobs, "9");
    assert_true(job->cpu_cores == 3);
    assert_int_equal(job->cpu_readings, 2);
    assert_int_equal(job->gpus, 0);
    assert_string_equal(job->user, "bo");
    /* An exporter that began anew counts from less on. */
    take_host(&fleet, 0, 1, 1030);
    job = host_job(&fleet, &jobs, "9");
    assert_true(job->cpu_cores == 1);
    /* It has no GPU, so there is nothing to say of its GPUs. */
    assert_int_equal(fleet_jobs_rows(&jobs, 10, &rows), 0);
    assert_int_equal(rows.count, 0);
    rows_deinit(&rows);
    fleet_jobs_deinit(&jobs);
    fleet_deinit(&fleet);
}

static void patterns_make_addresses(void **state)
{
    (void)state;
    assert_url("http://%a:9400/metrics", "10.0.0.1",
               "http://10.0.0.1:9400/metrics");
    assert_url("http://%a:9400/", "fd00::1", "http://[fd00::1]:9400/");
    assert_url("http://%a/", "", "http://n1/");
    assert_url("https://%n.example/100%%", "10.0.0.1",
               "https://n1.example/100%");
    assert_int_equal(node_url_check("ftp://%a/", NULL), -EINVAL);
    assert_int_equal(node_url_check("http://here/", NULL), -EINVAL);
    assert_int_equal(node_url_check("http://%a/%s", NULL), -EINVAL);
    assert_int_equal(node_url_check("http://%a/%", NULL), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(use_is_judged),
        cmocka_unit_test(how_long_it_was_idle_before_is_recalled_once),
        cmocka_unit_test(a_job_is_the_sum_of_its_gpus),
        cmocka_unit_test(silence_keeps_what_was_said),
        cmocka_unit_test(nodes_that_go_and_come_are_the_same),
        cmocka_unit_test(dcgm_exporter_tells_who_holds),
        cmocka_unit_test(what_an_exporter_does_not_tell_slurm_does),
        cmocka_unit_test(an_exporter_that_tells_is_believed),
        cmocka_unit_test(pages_of_others_are_no_answers),
        cmocka_unit_test(xids_of_all_codes_are_counted),
        cmocka_unit_test(processors_of_jobs_are_rates_and_summed),
        cmocka_unit_test(patterns_make_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
