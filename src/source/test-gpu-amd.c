/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AMD's GPUs from a sysfs that is made in a temporary directory, as the kernel
 * has it on an MI300 (no edge sensor, power1_input) and on an older card.
 */
#include "source/gpu-amd.h"

#include "base/cleanup.h"
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MI300 "devices/0000:07:00.0"
#define OLD "devices/0000:03:00.0"

static char root[64];
static struct gpu_amd *amd;
static struct gpu_scan scan;

static void run(const char *command, const char *path)
{
    char line[300];
    snprintf(line, sizeof(line), "%s '%s/%s'", command, root, path);
    assert_int_equal(system(line), 0);
}

static void put(const char *folder, const char *name, const char *content)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/%s/%s", root, folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

static void put_card(const char *card, const char *folder, const char *render)
{
    char path[200], target[200];
    snprintf(path, sizeof(path), "%s/drm/%s", folder, render);
    run("mkdir -p", path);
    snprintf(path, sizeof(path), "%s/hwmon/hwmon3", folder);
    run("mkdir -p", path);
    snprintf(path, sizeof(path), "class/drm/%s", card);
    run("mkdir -p", path);
    snprintf(path, sizeof(path), "%s/class/drm/%s/device", root, card);
    snprintf(target, sizeof(target), "../../../%s", folder);
    assert_int_equal(symlink(target, path), 0);
    put(folder, "vendor", "0x1002\n");
}

static void put_mi300(void)
{
    put_card("card1", MI300, "renderD129");
    put(MI300, "unique_id", "fbc72bcfb6ddb21d\n");
    put(MI300, "product_name", "AMD Instinct MI300X OAM\n");
    put(MI300, "serial_number", "692251001124\n");
    put(MI300, "vbios_version", "113-M3000100-102\n");
    put(MI300, "gpu_busy_percent", "87\n");
    put(MI300, "mem_busy_percent", "12\n");
    put(MI300, "mem_info_vram_total", "206141652992\n");
    put(MI300, "mem_info_vram_used", "1073741824\n");
    put(MI300, "current_link_speed", "16.0 GT/s PCIe\n");
    put(MI300, "max_link_speed", "32.0 GT/s PCIe\n");
    put(MI300, "current_link_width", "8\n");
    put(MI300, "max_link_width", "16\n");
    put(MI300, "pcie_replay_count", "3\n");
    put(MI300 "/hwmon/hwmon3", "temp2_label", "junction\n");
    put(MI300 "/hwmon/hwmon3", "temp2_input", "51000\n");
    put(MI300 "/hwmon/hwmon3", "temp3_label", "mem\n");
    put(MI300 "/hwmon/hwmon3", "temp3_input", "45500\n");
    put(MI300 "/hwmon/hwmon3", "power1_input", "140500000\n");
    put(MI300 "/hwmon/hwmon3", "power1_cap", "750000000\n");
    put(MI300 "/hwmon/hwmon3", "freq1_label", "sclk\n");
    put(MI300 "/hwmon/hwmon3", "freq1_input", "2100000000\n");
    run("mkdir", MI300 "/ras");
    put(MI300 "/ras", "umc_err_count", "ue: 1\nce: 4\n");
    put(MI300 "/ras", "sdma_err_count", "ue: 0\nce: 2\n");
    put(MI300 "/ras", "features", "feature mask: 0x5\n");
}

static void put_old(void)
{
    put_card("card0", OLD, "renderD128");
    put(OLD, "device", "0x66af\n");
    put(OLD, "gpu_busy_percent", "5\n");
    put(OLD "/hwmon/hwmon3", "temp1_label", "edge\n");
    put(OLD "/hwmon/hwmon3", "temp1_input", "40600\n");
    put(OLD "/hwmon/hwmon3", "power1_average", "30000000\n");
    put(OLD "/hwmon/hwmon3", "pwm1", "51\n");
}

static int set_up(void **state)
{
    (void)state;
    strcpy(root, "/tmp/test-gpu-amd.XXXXXX");
    if (!mkdtemp(root))
        return -1;
    run("mkdir -p", "class/drm/card0-HDMI-A-1");
    return gpu_amd_new(root, NULL, &amd, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    char command[100];
    amd = gpu_amd_free(amd);
    gpu_scan_deinit(&scan);
    snprintf(command, sizeof(command), "rm -rf '%s'", root);
    return system(command);
}

static void take(void)
{
    struct error err = {0};
    gpu_scan_clear(&scan);
    assert_int_equal(gpu_amd_scan(amd, &scan, &err), 0);
}

static void check_integer(size_t gpu, enum gpu_reading what, uint64_t value)
{
    assert_true(gpu_has(&scan.devices[gpu].record, what));
    assert_int_equal(scan.devices[gpu].record.values[what].integer, value);
}

static void check_real(size_t gpu, enum gpu_reading what, double value)
{
    assert_true(gpu_has(&scan.devices[gpu].record, what));
    assert_true(scan.devices[gpu].record.values[what].real == value);
}

static void test_machine_without_amd_adds_nothing(void **state)
{
    (void)state;
    put_card("card0", OLD, "renderD128");
    put(OLD, "vendor", "0x10de\n");
    take();
    assert_int_equal(scan.device_count, 0);
    assert_int_equal(scan.expected, 0);
}

static void test_gpus_come_in_the_order_of_their_addresses(void **state)
{
    (void)state;
    put_mi300();
    put_old();
    run("mkdir -p", "module/amdgpu");
    put("module/amdgpu", "version", "6.10.5\n");
    take();
    assert_int_equal(scan.device_count, 2);
    assert_int_equal(scan.expected, 2);
    assert_int_equal(scan.visible, 2);
    assert_string_equal(scan.amd_driver_version, "6.10.5");
    assert_string_equal(scan.devices[0].pci_bus_id, "00000000:03:00.0");
    assert_string_equal(scan.devices[0].uuid, "00000000:03:00.0");
    assert_string_equal(scan.devices[0].model, "AMD GPU 0x66af");
    assert_int_equal(scan.devices[0].record.minor, 128);
    assert_string_equal(scan.devices[1].uuid, "fbc72bcfb6ddb21d");
    assert_string_equal(scan.devices[1].model, "AMD Instinct MI300X OAM");
    assert_string_equal(scan.devices[1].serial, "692251001124");
    assert_int_equal(scan.devices[1].record.index, 1);
    assert_int_equal(scan.devices[1].record.vendor, GPU_VENDOR_AMD);
    assert_int_equal(scan.devices[1].record.parent, GPU_NONE);
}

static void test_mi300_is_read(void **state)
{
    (void)state;
    put_mi300();
    take();
    assert_int_equal(scan.devices[0].record.state, GPU_STATE_UP);
    check_integer(0, GPU_UTILIZATION_PERCENT, 87);
    check_integer(0, GPU_AMD_UMC_ACTIVITY, 12);
    check_integer(0, GPU_MEMORY_USED_MIB, 1024);
    check_integer(0, GPU_AMD_VRAM_TOTAL_MB, 196592);
    check_integer(0, GPU_TEMPERATURE_C, 51);
    check_integer(0, GPU_MEMORY_TEMPERATURE_C, 46);
    check_real(0, GPU_AMD_MEMORY_TEMPERATURE_C, 45.5);
    check_real(0, GPU_POWER_WATTS, 140.5);
    check_real(0, GPU_POWER_LIMIT_WATTS, 750);
    check_integer(0, GPU_SM_CLOCK_MHZ, 2100);
    check_integer(0, GPU_PCIE_LINK_GENERATION, 4);
    check_integer(0, GPU_PCIE_LINK_GENERATION_MAX, 5);
    check_real(0, GPU_AMD_PCIE_SPEED, 16);
    check_integer(0, GPU_PCIE_LINK_WIDTH, 8);
    check_integer(0, GPU_PCIE_REPLAYS, 3);
    check_integer(0, GPU_AMD_ECC_CORRECTABLE, 6);
    check_integer(0, GPU_AMD_ECC_UNCORRECTABLE, 1);
    assert_false(gpu_has(&scan.devices[0].record, GPU_AMD_EDGE_TEMPERATURE_C));
    assert_false(gpu_has(&scan.devices[0].record, GPU_FAN_PERCENT));
}

static void test_older_card_is_read(void **state)
{
    (void)state;
    put_old();
    take();
    check_integer(0, GPU_TEMPERATURE_C, 41);
    check_real(0, GPU_AMD_EDGE_TEMPERATURE_C, 40.6);
    check_real(0, GPU_AMD_PACKAGE_POWER_WATTS, 30);
    check_integer(0, GPU_FAN_PERCENT, 20);
    assert_false(gpu_has(&scan.devices[0].record, GPU_MEMORY_USED_MIB));
    assert_false(gpu_has(&scan.devices[0].record, GPU_AMD_ECC_CORRECTABLE));
}

static void test_sleeping_gpu_is_not_read(void **state)
{
    (void)state;
    put_mi300();
    run("mkdir", MI300 "/power");
    put(MI300 "/power", "runtime_status", "suspended\n");
    take();
    assert_int_equal(scan.devices[0].record.state, GPU_STATE_UP);
    assert_false(gpu_has(&scan.devices[0].record, GPU_UTILIZATION_PERCENT));
    put(MI300 "/power", "runtime_status", "active\n");
    take();
    check_integer(0, GPU_UTILIZATION_PERCENT, 87);
}

static void test_gone_gpu_is_lost_for_the_next_collector_too(void **state)
{
    (void)state;
    put_mi300();
    put_old();
    take();
    run("rm -r", "class/drm/card1");
    take();
    assert_int_equal(scan.device_count, 2);
    assert_int_equal(scan.expected, 2);
    assert_int_equal(scan.visible, 1);
    assert_int_equal(scan.devices[1].record.state, GPU_STATE_LOST);
    assert_string_equal(scan.devices[1].uuid, "fbc72bcfb6ddb21d");
    assert_false(gpu_has(&scan.devices[1].record, GPU_UTILIZATION_PERCENT));
    struct gpu_amd *next;
    assert_int_equal(gpu_amd_new(root, &scan, &next, NULL), 0);
    gpu_amd_free(amd);
    amd = next;
    take();
    assert_int_equal(scan.device_count, 2);
    assert_int_equal(scan.devices[1].record.state, GPU_STATE_LOST);
    assert_string_equal(scan.devices[1].model, "AMD Instinct MI300X OAM");
}

static void test_garbage_is_no_reading(void **state)
{
    (void)state;
    put_mi300();
    put(MI300, "gpu_busy_percent", "-1\n");
    put(MI300, "mem_info_vram_used", "99999999999999999999999\n");
    put(MI300, "current_link_speed", "Unknown\n");
    put(MI300, "current_link_width", "255\n");
    put(MI300 "/ras", "umc_err_count", "ce ue\n");
    put(MI300 "/ras", "sdma_err_count", "");
    take();
    const struct gpu_record *record = &scan.devices[0].record;
    assert_false(gpu_has(record, GPU_UTILIZATION_PERCENT));
    assert_false(gpu_has(record, GPU_MEMORY_USED_MIB));
    assert_false(gpu_has(record, GPU_AMD_PCIE_SPEED));
    assert_false(gpu_has(record, GPU_PCIE_LINK_WIDTH));
    assert_false(gpu_has(record, GPU_AMD_ECC_CORRECTABLE));
}

static void test_processes_of_kfd_are_named(void **state)
{
    (void)state;
    put_mi300();
    put_old();
    run("mkdir -p", "class/kfd/kfd/topology/nodes/0");
    run("mkdir -p", "class/kfd/kfd/topology/nodes/1");
    run("mkdir -p", "class/kfd/kfd/proc/4711");
    put("class/kfd/kfd/topology/nodes/0", "gpu_id", "0\n");
    put("class/kfd/kfd/topology/nodes/0", "properties", "cpu_cores_count 8\n");
    put("class/kfd/kfd/topology/nodes/1", "gpu_id", "51140\n");
    put("class/kfd/kfd/topology/nodes/1", "properties",
        "cpu_cores_count 0\ndrm_render_minor 129\n");
    put("class/kfd/kfd/proc/4711", "vram_51140", "2048\n");
    put("class/kfd/kfd/proc/4711", "vram_999", "2048\n");
    take();
    assert_int_equal(scan.process_count, 1);
    assert_int_equal(scan.processes[0].pid, 4711);
    assert_int_equal(scan.processes[0].device, 1);
    assert_int_equal(scan.processes[0].memory_bytes, 2048);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_machine_without_amd_adds_nothing),
        TEST(test_gpus_come_in_the_order_of_their_addresses),
        TEST(test_mi300_is_read),
        TEST(test_older_card_is_read),
        TEST(test_sleeping_gpu_is_not_read),
        TEST(test_gone_gpu_is_lost_for_the_next_collector_too),
        TEST(test_garbage_is_no_reading),
        TEST(test_processes_of_kfd_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
