/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Roots of machines are built in a temporary folder, where a link to /dev/zero
 * is a device file.
 */
#include "source/gpu-inventory.h"

#include "base/cleanup.h"
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *nvml_library;
static char root[64];

static int make_root(void **state)
{
    (void)state;
    strcpy(root, "/tmp/test-gpu-inventory.XXXXXX");
    unsetenv("TEST_NVML_INIT");
    unsetenv("TEST_NVML_MIG");
    unsetenv("TEST_NVML_NAME");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    char command[100];
    snprintf(command, sizeof(command), "rm -rf '%s'", root);
    return system(command);
}

/* Its folders are made. */
static void put_path(const char *path, char *ret_full, size_t size)
{
    char command[300];
    snprintf(ret_full, size, "%s%s", root, path);
    snprintf(command, sizeof(command), "mkdir -p \"$(dirname '%s')\"",
             ret_full);
    assert_int_equal(system(command), 0);
}

static void put_file(const char *path, const char *content)
{
    char full[200];
    put_path(path, full, sizeof(full));
    FILE *file = fopen(full, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

static void put_device(const char *path, const char *target)
{
    char full[200];
    put_path(path, full, sizeof(full));
    assert_int_equal(symlink(target, full), 0);
}

static struct gpu_inventory take(const char *library)
{
    struct gpu_inventory gpus = {0};
    struct error err = {0};
    assert_int_equal(gpu_inventory_take(root, library, &gpus, &err), 0);
    return gpus;
}

static void test_machine_without_gpus_has_nothing_to_say(void **state)
{
    (void)state;
    _cleanup_(gpu_inventory_deinit) struct gpu_inventory gpus =
        take("libnvidia-ml-that-is-missing.so.1");
    assert_int_equal(gpus.count, 0);
    assert_string_equal(gpus.source, "none");
    assert_string_equal(gpus.note, "");
}

static void test_nvml_lists_those_with_device_files(void **state)
{
    (void)state;
    setenv("TEST_NVML_MINORS", "10 7 9", 1);
    put_device("/dev/nvidia9", "/dev/zero");
    put_device("/dev/nvidia10", "/dev/zero");
    _cleanup_(gpu_inventory_deinit) struct gpu_inventory gpus =
        take(nvml_library);
    assert_string_equal(gpus.source, "NVML");
    assert_int_equal(gpus.count, 2);
    assert_string_equal(gpus.devices[0].file, "/dev/nvidia9");
    assert_string_equal(gpus.devices[0].pci, "0000:3d:00.0");
    assert_string_equal(gpus.devices[1].file, "/dev/nvidia10");
    assert_string_equal(gpus.devices[1].model, "NVIDIA H100 80GB HBM3");
    assert_string_equal(gpus.devices[1].type, "h100");
    assert_int_equal(gpus.devices[1].memory_mb, 81559);
    assert_false(gpus.devices[1].simulated);
    assert_non_null(strstr(gpus.note, "1 GPUs that have no /dev/nvidiaN"));
}

static void test_lost_gpu_is_left_out_and_told(void **state)
{
    (void)state;
    setenv("TEST_NVML_MINORS", "x 0", 1);
    put_device("/dev/nvidia0", "/dev/zero");
    _cleanup_(gpu_inventory_deinit) struct gpu_inventory gpus =
        take(nvml_library);
    assert_int_equal(gpus.count, 1);
    assert_non_null(strstr(gpus.note, "do not answer"));
}

static void test_mig_is_told(void **state)
{
    (void)state;
    setenv("TEST_NVML_MINORS", "0", 1);
    setenv("TEST_NVML_MIG", "1", 1);
    put_device("/dev/nvidia0", "/dev/zero");
    _cleanup_(gpu_inventory_deinit) struct gpu_inventory gpus =
        take(nvml_library);
    assert_int_equal(gpus.count, 1);
    assert_non_null(strstr(gpus.note, "MIG"));
}

static void put_proc_gpu(const char *pci, const char *minor)
{
    char path[100], content[300];
    snprintf(path, sizeof(path), "/proc/driver/nvidia/gpus/%s/information",
             pci);
    snprintf(content, sizeof(content),
             "Model: \t\t NVIDIA A100-SXM4-80GB\nIRQ:   \t\t 123\n"
             "GPU UUID: \t GPU-1\nBus Location: \t %s\n"
             "Device Minor: \t %s\nGPU Excluded:\t No\n",
             pci, minor);
    put_file(path, content);
}

static void test_kernel_driver_tells_when_the_library_does_not(void **state)
{
    (void)state;
    setenv("TEST_NVML_INIT", "9", 1);
    put_proc_gpu("0000:3b:00.0", "5");
    put_proc_gpu("0000:5e:00.0", "6");
    put_device("/dev/nvidia5", "/dev/zero");
    _cleanup_(gpu_inventory_deinit) struct gpu_inventory gpus =
        take(nvml_library);
    assert_string_equal(gpus.source, "/proc/driver/nvidia");
    assert_non_null(strstr(gpus.note, "Driver Not Loaded"));
    assert_int_equal(gpus.count, 1);
    assert_string_equal(gpus.devices[0].file, "/dev/nvidia5");
    assert_string_equal(gpus.devices[0].pci, "0000:3b:00.0");
    assert_string_equal(gpus.devices[0].type, "a100");
    assert_int_equal(gpus.devices[0].memory_mb, 0);
}

static void test_container_without_any_gpu_is_told(void **state)
{
    (void)state;
    put_proc_gpu("0000:3b:00.0", "5");
    _cleanup_(gpu_inventory_deinit) struct gpu_inventory gpus = take("");
    assert_int_equal(gpus.count, 0);
    assert_string_equal(gpus.source, "none");
    assert_non_null(strstr(gpus.note, "none was given to this container"));
}

static void test_device_files_without_a_driver_are_told(void **state)
{
    (void)state;
    put_device("/dev/nvidia0", "/dev/zero");
    _cleanup_(gpu_inventory_deinit) struct gpu_inventory gpus = take("");
    assert_int_equal(gpus.count, 0);
    assert_non_null(strstr(gpus.note, "device files of NVIDIA"));
}

static void test_amd_is_found_by_its_render_node(void **state)
{
    (void)state;
    put_file("/sys/class/drm/card1/device/vendor", "0x1002\n");
    put_file("/sys/class/drm/card1/device/product_name",
             "AMD Instinct MI300X\n");
    put_file("/sys/class/drm/card1/device/mem_info_vram_total",
             "206141652992\n");
    put_file("/sys/class/drm/card1/device/drm/renderD129/dev", "226:129\n");
    put_file("/sys/class/drm/card1-HDMI-A-1/device/vendor", "0x1002\n");
    put_file("/sys/class/drm/card0/device/vendor", "0x1a03\n");
    put_file("/sys/class/drm/card0/device/drm/renderD128/dev", "226:128\n");
    put_device("/dev/dri/renderD128", "/dev/zero");
    put_device("/dev/dri/renderD129", "/dev/zero");
    _cleanup_(gpu_inventory_deinit) struct gpu_inventory gpus = take("");
    assert_string_equal(gpus.source, "sysfs");
    assert_int_equal(gpus.count, 1);
    assert_string_equal(gpus.devices[0].file, "/dev/dri/renderD129");
    assert_string_equal(gpus.devices[0].type, "mi300x");
    assert_int_equal(gpus.devices[0].memory_mb, 196592);
}

static void test_simulated_gpu_is_told_by_its_name(void **state)
{
    (void)state;
    setenv("TEST_NVML_MINORS", "0", 1);
    setenv("TEST_NVML_NAME", "NVIDIA H100 80GB HBM3 (simulated)", 1);
    put_device("/dev/nvidia0", "/dev/null");
    _cleanup_(gpu_inventory_deinit) struct gpu_inventory gpus =
        take(nvml_library);
    assert_int_equal(gpus.count, 1);
    assert_true(gpus.devices[0].simulated);
    assert_string_equal(gpus.devices[0].type, "h100");
}

static void test_types_are_what_people_write(void **state)
{
    (void)state;
    static const struct {
        const char *model, *type;
    } cases[] = {
        {"NVIDIA A100-SXM4-80GB", "a100"},
        {"NVIDIA A100 80GB PCIe", "a100"},
        {"NVIDIA H100 NVL", "h100"},
        {"NVIDIA H200", "h200"},
        {"NVIDIA GH200 480GB", "gh200"},
        {"NVIDIA B200", "b200"},
        {"NVIDIA L40S", "l40s"},
        {"NVIDIA A10G", "a10g"},
        {"Tesla V100-PCIE-16GB", "v100"},
        {"Tesla T4", "t4"},
        {"NVIDIA RTX A6000", "rtx_a6000"},
        {"NVIDIA RTX 6000 Ada Generation", "rtx_6000_ada"},
        {"NVIDIA RTX PRO 6000 Blackwell Server Edition", "rtx_pro_6000"},
        {"NVIDIA GeForce RTX 4090", "rtx_4090"},
        {"NVIDIA GeForce RTX 3080 Ti", "rtx_3080_ti"},
        {"NVIDIA GeForce RTX 3070 Laptop GPU", "rtx_3070"},
        {"Quadro RTX 8000", "quadro_rtx_8000"},
        {"NVIDIA TITAN V", "titan_v"},
        {"AMD Instinct MI300X", "mi300x"},
        {"AMD Radeon RX 7900 XTX", "radeon_rx_7900_xtx"},
        {"AMD GPU 0x74a1", "gpu_0x74a1"},
        {"NVIDIA Something-New", "something_new"},
        {"4090", "gpu_4090"},
        {"NVIDIA", "gpu"},
        {"", "gpu"},
        {"x=1 Name=gpu\n#", "x_1_name"},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        char type[32];
        gpu_type_of_model(cases[i].model, type, sizeof(type));
        assert_string_equal(type, cases[i].type);
    }
    char tiny[6];
    gpu_type_of_model("NVIDIA GeForce RTX 4090", tiny, sizeof(tiny));
    assert_string_equal(tiny, "rtx");
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s NVML-LIBRARY\n", argv[0]);
        return 2;
    }
    nvml_library = argv[1];
#define in_root(test)                                                          \
    cmocka_unit_test_setup_teardown(test, make_root, remove_root)
    const struct CMUnitTest tests[] = {
        in_root(test_machine_without_gpus_has_nothing_to_say),
        in_root(test_nvml_lists_those_with_device_files),
        in_root(test_lost_gpu_is_left_out_and_told),
        in_root(test_mig_is_told),
        in_root(test_kernel_driver_tells_when_the_library_does_not),
        in_root(test_container_without_any_gpu_is_told),
        in_root(test_device_files_without_a_driver_are_told),
        in_root(test_amd_is_found_by_its_render_node),
        in_root(test_simulated_gpu_is_told_by_its_name),
        cmocka_unit_test(test_types_are_what_people_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
