/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each function of NVML that we call fails with each of its codes, and the
 * source of gpu-exporter goes on: the other GPU keeps its readings, the one at
 * fault is either read without what failed or told of with its state. Then GPUs
 * that vanish, come back, are split, and records of either size.
 *
 *     test-faults LIBRARY
 */
#include "base/cleanup.h"
#include "source/gpu-nvidia.h"
#include "source/nvml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char *library;
static char folder[64];

/* Threads that may hang in a driver have no end, so neither has what they use:
 * the one in use is the last of all that were made. */
static struct gpu_nvidia *made[1024];
static size_t made_count;
static struct gpu_nvidia *nvidia;

static void play(const char *fault)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/scenario.new", folder);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fprintf(file, "machine test\ngpu 0 model h100\ngpu 1 model h100\n%s\n",
            fault);
    fclose(file);
    char to[128];
    snprintf(to, sizeof(to), "%s/scenario", folder);
    assert_int_equal(rename(path, to), 0);
}

static void renew(void)
{
    static const struct gpu_scan nothing;
    const struct gpu_nvidia_settings settings = {
        .library = library, .device_deadline_ns = INT64_C(2000000000)};
    assert_true(made_count < sizeof(made) / sizeof(made[0]));
    assert_int_equal(gpu_nvidia_new(&settings, &nothing, &nvidia, NULL), 0);
    made[made_count++] = nvidia;
}

static const struct gpu_device_scan *card(const struct gpu_scan *scan,
                                          uint32_t index)
{
    for (size_t i = 0; i < scan->device_count; i++)
        if (scan->devices[i].record.index == index &&
            scan->devices[i].record.parent == GPU_NONE)
            return &scan->devices[i];
    return NULL;
}

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/test-faults-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    setenv("GPU_SIMULATED_DIR", folder, 1);
    setenv("GPU_SIMULATED_FRESH_MS", "0", 1);
    play("");
    renew();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

/* The names of all functions that we look for. */
static const char *const calls[][3] = {
#define NAMES(field, arguments, ...) {__VA_ARGS__},
    NVML_FUNCTIONS(NAMES)
#undef NAMES
};

static const int codes[] = {1,  2,  3,  4,  6,  7,  8,  9,  10, 11, 12, 13, 14,
                            15, 16, 17, 18, 19, 20, 21, 25, 26, 27, 28, 999};

static void check(const char *call, int code)
{
    struct gpu_scan scan = {.devices = NULL};
    gpu_nvidia_scan(nvidia, &scan);
    const struct gpu_device_scan *whole = card(&scan, 1);
    const struct gpu_device_scan *faulty = card(&scan, 0);
    if (!whole || !faulty)
        fail_msg("%s %d: %zu GPUs; %s", call, code, scan.device_count,
                 scan.trouble);
    if (whole->record.state != GPU_STATE_UP ||
        !gpu_has(&whole->record, GPU_TEMPERATURE_C))
        fail_msg("%s %d: the other GPU suffers: %s", call, code,
                 whole->trouble);
    if (faulty->record.state == GPU_STATE_HUNG ||
        (faulty->record.state != GPU_STATE_UP && !faulty->trouble[0]))
        fail_msg("%s %d: state %u, \"%s\"", call, code, faulty->record.state,
                 faulty->trouble);
    gpu_scan_deinit(&scan);
}

static void each_call_fails_with_each_code(void **state)
{
    (void)state;
    struct gpu_scan scan = {.devices = NULL};
    gpu_nvidia_scan(nvidia, &scan);
    assert_int_equal(scan.device_count, 2);
    gpu_scan_deinit(&scan);
    for (size_t i = 0; i < array_size(calls); i++)
        for (size_t k = 0; k < array_size(codes); k++) {
            char fault[160];
            snprintf(fault, sizeof(fault), "gpu 0 fail %s %d", calls[i][0],
                     codes[k]);
            play(fault);
            check(calls[i][0], codes[k]);
            if (gpu_nvidia_outdated(nvidia)) {
                play("");
                renew();
                gpu_nvidia_scan(nvidia, &scan);
                gpu_scan_deinit(&scan);
            }
        }
}

static void a_gpu_that_is_gone_is_remembered_and_comes_back(void **state)
{
    (void)state;
    struct gpu_scan scan = {.devices = NULL};
    gpu_nvidia_scan(nvidia, &scan);
    play("gpu 1 missing 1");
    gpu_scan_clear(&scan);
    gpu_nvidia_scan(nvidia, &scan);
    assert_int_equal(scan.expected, 2);
    assert_int_equal(scan.visible, 1);
    assert_int_equal(card(&scan, 1)->record.state, GPU_STATE_LOST);
    assert_string_not_equal(card(&scan, 1)->uuid, "");
    play("");
    gpu_scan_clear(&scan);
    gpu_nvidia_scan(nvidia, &scan);
    assert_int_equal(card(&scan, 1)->record.state, GPU_STATE_UP);
    gpu_scan_deinit(&scan);
}

static void lost_and_reset_have_states_of_their_own(void **state)
{
    (void)state;
    struct gpu_scan scan = {.devices = NULL};
    gpu_nvidia_scan(nvidia, &scan);
    play("gpu 0 lost 1\ngpu 1 reset-required 1");
    gpu_scan_clear(&scan);
    gpu_nvidia_scan(nvidia, &scan);
    assert_int_equal(card(&scan, 0)->record.state, GPU_STATE_LOST);
    assert_int_equal(card(&scan, 1)->record.state, GPU_STATE_RESET);
    gpu_scan_deinit(&scan);
}

static void a_driver_changed_underneath_asks_for_a_new_process(void **state)
{
    (void)state;
    struct gpu_scan scan = {.devices = NULL};
    gpu_nvidia_scan(nvidia, &scan);
    assert_false(gpu_nvidia_outdated(nvidia));
    play("fail nvmlDeviceGetCount_v2 18");
    gpu_scan_clear(&scan);
    gpu_nvidia_scan(nvidia, &scan);
    assert_true(gpu_nvidia_outdated(nvidia));
    assert_int_equal(scan.device_count, 2); /* remembered */
    gpu_scan_deinit(&scan);
}

static size_t count_instances(const struct gpu_scan *scan)
{
    size_t count = 0;
    for (size_t i = 0; i < scan->device_count; i++) {
        const struct gpu_device_scan *device = &scan->devices[i];
        if (device->record.parent == GPU_NONE)
            continue;
        assert_int_equal(scan->devices[device->record.parent].record.index, 0);
        assert_true(strncmp(device->uuid, "MIG-", 4) == 0);
        assert_non_null(strstr(device->profile, "g."));
        assert_true(gpu_has(&device->record, GPU_MEMORY_TOTAL_MIB));
        assert_false(gpu_has(&device->record, GPU_UTILIZATION_PERCENT));
        count++;
    }
    return count;
}

static void instances_are_found_anew_in_each_scan(void **state)
{
    (void)state;
    static const struct {
        const char *layout;
        size_t instances;
    } layouts[] = {
        {"", 0},
        {"gpu 0 mig 1g.10gb 1g.10gb 3g.40gb", 3},
        {"gpu 0 mig 3g.40gb", 1},
        {"gpu 0 mig", 0},
        {"", 0},
    };
    for (size_t i = 0; i < array_size(layouts); i++) {
        struct gpu_scan scan = {.devices = NULL};
        play(layouts[i].layout);
        gpu_nvidia_scan(nvidia, &scan);
        assert_int_equal(count_instances(&scan), layouts[i].instances);
        assert_int_equal((card(&scan, 0)->record.flags & GPU_FLAG_MIG) != 0,
                         i > 0 && i < 4);
        gpu_scan_deinit(&scan);
    }
}

static void a_file_that_is_no_library_is_a_reason(void **state)
{
    (void)state;
    static const struct gpu_scan nothing;
    char path[128];
    struct gpu_scan scan = {.devices = NULL};
    snprintf(path, sizeof(path), "%s/scenario", folder);
    const struct gpu_nvidia_settings settings = {
        .library = path, .device_deadline_ns = INT64_C(1000000000)};
    assert_int_equal(gpu_nvidia_new(&settings, &nothing, &nvidia, NULL), 0);
    gpu_nvidia_scan(nvidia, &scan);
    assert_int_equal(scan.device_count, 0);
    assert_non_null(strstr(scan.trouble, "scenario"));
    gpu_scan_deinit(&scan);
}

#define TEST(function)                                                         \
    cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(int argc, char *argv[])
{
    const struct CMUnitTest tests[] = {
        TEST(each_call_fails_with_each_code),
        TEST(a_gpu_that_is_gone_is_remembered_and_comes_back),
        TEST(lost_and_reset_have_states_of_their_own),
        TEST(a_driver_changed_underneath_asks_for_a_new_process),
        TEST(instances_are_found_anew_in_each_scan),
        TEST(a_file_that_is_no_library_is_a_reason),
    };
    if (argc < 2)
        return 2;
    library = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
