/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is found wrong with a GPU: each rule on both sides of its bound.
 */
#include "model/gpu-health.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* A GPU of which all is well, judged every fifteen seconds. */
struct patient {
    struct gpu_record gpu;
    struct gpu_health health;
    int64_t now_ns;
};

static struct patient healthy(void)
{
    struct patient patient = {.now_ns = NS_PER_S};
    struct gpu_record *gpu = &patient.gpu;
    gpu_set_integer(gpu, GPU_PCIE_LINK_GENERATION, 5);
    gpu_set_integer(gpu, GPU_PCIE_LINK_WIDTH, 16);
    gpu_set_integer(gpu, GPU_PCIE_REPLAYS, 7000);
    gpu_set_integer(gpu, GPU_NVLINKS_TOTAL, 18);
    gpu_set_integer(gpu, GPU_NVLINKS_ACTIVE, 18);
    gpu_set_integer(gpu, GPU_NVLINK_CRC_FLIT_ERRORS, 1000);
    gpu_set_integer(gpu, GPU_NVLINK_REPLAY_ERRORS, 3);
    gpu_set_integer(gpu, GPU_THERMAL_VIOLATION_NS, 5);
    gpu_set_integer(gpu, GPU_POWER_VIOLATION_NS, 6);
    gpu_set_integer(gpu, GPU_ECC_DBE_VOLATILE, 0);
    gpu_set_integer(gpu, GPU_PAGES_RETIRED_SBE, 31);
    gpu_set_integer(gpu, GPU_PAGES_RETIRED_DBE, 31);
    gpu_set_real(gpu, GPU_POWER_LIMIT_WATTS, 700);
    gpu_set_real(gpu, GPU_POWER_WATTS, 70);
    gpu_health_judge(&patient.health, gpu, patient.now_ns);
    return patient;
}

/* CYCLES later. */
static void judge(struct patient *patient, unsigned int cycles)
{
    for (unsigned int i = 0; i < cycles; i++) {
        patient->now_ns += 15 * NS_PER_S;
        gpu_health_judge(&patient->health, &patient->gpu, patient->now_ns);
    }
}

static void grow(struct patient *patient, enum gpu_reading what, uint64_t by)
{
    gpu_set_integer(&patient->gpu, what,
                    patient->gpu.values[what].integer + by);
}

static void
expect(const struct patient *patient, enum gpu_watch watch, const char *name)
{
    assert_string_equal(gpu_findings[patient->gpu.health[watch]].name, name);
    for (unsigned int i = 0; i < GPU_WATCH_COUNT; i++)
        if (i != watch)
            assert_int_equal(patient->gpu.health[i], GPU_FINDING_NONE);
}

static void expect_well(const struct patient *patient)
{
    expect(patient, GPU_WATCH_DRIVER, "DCGM_FR_OK");
}

static void counters_that_do_not_grow_are_no_finding(void **state)
{
    (void)state;
    struct patient patient = healthy();
    expect_well(&patient);
    judge(&patient, 20);
    expect_well(&patient);
    /* Nor one that was reset. */
    gpu_set_integer(&patient.gpu, GPU_PCIE_REPLAYS, 1);
    judge(&patient, 1);
    expect_well(&patient);
}

static void growth_is_found_and_forgotten_in_a_minute(void **state)
{
    (void)state;
    static const struct {
        enum gpu_reading what;
        uint64_t well, ill; /* growth at once; 0: any is a finding */
        enum gpu_watch watch;
        const char *name;
    } rules[] = {
        /* 1.92 in a minute on each of 16 lanes of generation 5. */
        {GPU_PCIE_REPLAYS, 31, 32, GPU_WATCH_PCIE, "DCGM_FR_PCI_REPLAY_RATE"},
        {GPU_THERMAL_VIOLATION_NS, 0, 1, GPU_WATCH_THERMAL,
         "DCGM_FR_CLOCK_THROTTLE_THERMAL"},
        {GPU_POWER_VIOLATION_NS, 0, 1, GPU_WATCH_POWER,
         "DCGM_FR_CLOCK_THROTTLE_POWER"},
        {GPU_NVLINK_REPLAY_ERRORS, 0, 1, GPU_WATCH_NVLINK,
         "DCGM_FR_NVLINK_ERROR_CRITICAL"},
        {GPU_NVLINK_CRC_FLIT_ERRORS, 0, 1, GPU_WATCH_NVLINK,
         "DCGM_FR_NVLINK_ERROR_THRESHOLD"},
        {GPU_NVLINK_CRC_FLIT_ERRORS, 0, 6000, GPU_WATCH_NVLINK,
         "DCGM_FR_NVLINK_CRC_ERROR_THRESHOLD"},
    };
    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
        struct patient patient = healthy();
        judge(&patient, 4);
        grow(&patient, rules[i].what, rules[i].well);
        judge(&patient, 1);
        expect_well(&patient);
        judge(&patient, 4);
        grow(&patient, rules[i].what, rules[i].ill);
        judge(&patient, 1);
        expect(&patient, rules[i].watch, rules[i].name);
        judge(&patient, 4);
        expect_well(&patient);
    }
}

static void damage_to_memory_stays_and_the_worst_is_told(void **state)
{
    (void)state;
    struct patient patient = healthy();
    gpu_set_integer(&patient.gpu, GPU_PAGES_PENDING, 1);
    judge(&patient, 1);
    expect(&patient, GPU_WATCH_MEMORY, "DCGM_FR_PENDING_PAGE_RETIREMENTS");
    grow(&patient, GPU_PAGES_RETIRED_SBE, 1);
    judge(&patient, 20);
    expect(&patient, GPU_WATCH_MEMORY, "DCGM_FR_RETIRED_PAGES_LIMIT");
    patient = healthy();
    gpu_set_integer(&patient.gpu, GPU_ROW_REMAP_FAILED, 1);
    judge(&patient, 1);
    expect(&patient, GPU_WATCH_MEMORY, "DCGM_FR_ROW_REMAP_FAILURE");
    gpu_set_integer(&patient.gpu, GPU_ECC_DBE_VOLATILE, 1);
    judge(&patient, 1);
    expect(&patient, GPU_WATCH_MEMORY, "DCGM_FR_VOLATILE_DBE_DETECTED");
    patient = healthy();
    gpu_health_add(&patient.gpu, GPU_FINDING_UNCONTAINED);
    expect(&patient, GPU_WATCH_MEMORY, "DCGM_FR_UNCONTAINED_ERROR");
}

static void a_link_is_down_only_where_links_were_up(void **state)
{
    (void)state;
    struct patient patient = healthy();
    gpu_set_integer(&patient.gpu, GPU_NVLINKS_ACTIVE, 17);
    judge(&patient, 1);
    expect(&patient, GPU_WATCH_NVLINK, "DCGM_FR_NVLINK_DOWN");
    gpu_set_integer(&patient.gpu, GPU_NVLINKS_ACTIVE, 0);
    judge(&patient, 1);
    expect(&patient, GPU_WATCH_NVLINK, "DCGM_FR_NVLINK_DOWN");
    /* No bridge, from the start. */
    patient.health = (struct gpu_health){.inforom_corrupt = false};
    judge(&patient, 2);
    expect_well(&patient);
}

static void what_cannot_be_read_is_told(void **state)
{
    (void)state;
    struct patient patient = healthy();
    patient.health.inforom_corrupt = true;
    judge(&patient, 1);
    expect(&patient, GPU_WATCH_INFOROM, "DCGM_FR_CORRUPT_INFOROM");
    patient = healthy();
    patient.gpu.has[GPU_POWER_WATTS / 64] &=
        ~(UINT64_C(1) << GPU_POWER_WATTS % 64);
    judge(&patient, 1);
    expect(&patient, GPU_WATCH_POWER, "DCGM_FR_POWER_UNREADABLE");
    /* A GPU that tells nothing has nothing found. */
    patient = (struct patient){.now_ns = NS_PER_S};
    judge(&patient, 3);
    expect_well(&patient);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_that_do_not_grow_are_no_finding),
        cmocka_unit_test(growth_is_found_and_forgotten_in_a_minute),
        cmocka_unit_test(damage_to_memory_stays_and_the_worst_is_told),
        cmocka_unit_test(a_link_is_down_only_where_links_were_up),
        cmocka_unit_test(what_cannot_be_read_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
