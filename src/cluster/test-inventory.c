/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machines and pods as their /proc and /sys show them, built in a temporary
 * folder. GPUs have tests of their own.
 */
#include "cluster/inventory.h"

#include "base/cleanup.h"
#include "base/test.h"
#include "cluster/inventory-private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char root[64];

static int remove_root(void **state)
{
    (void)state;
    char command[100];
    snprintf(command, sizeof(command), "rm -rf '%s'", root);
    return system(command);
}

static void put_file(const char *path, const char *content)
{
    char full[300], command[400];
    snprintf(full, sizeof(full), "%s%s", root, path);
    snprintf(command, sizeof(command), "mkdir -p \"$(dirname '%s')\"", full);
    assert_int_equal(system(command), 0);
    FILE *file = fopen(full, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

/* A machine of 2 sockets with 2 cores of 2 threads each and 64 GB. */
static int make_machine(void **state)
{
    (void)state;
    strcpy(root, "/tmp/test-inventory.XXXXXX");
    if (!mkdtemp(root))
        return -1;
    put_file("/proc/meminfo",
             "MemTotal:       65536000 kB\nMemFree:        100 kB\n");
    put_file("/proc/self/status",
             "Name:\tx\nCpus_allowed:\tff\nCpus_allowed_list:\t0-7\n");
    put_file("/proc/self/cgroup", "0::/\n");
    put_file("/proc/self/mountinfo", "22 1 0:1 / /proc rw - proc proc rw\n");
    put_file("/sys/devices/system/cpu/online", "0-7\n");
    for (unsigned int cpu = 0; cpu < 8; cpu++) {
        char path[100], value[32];
        snprintf(path, sizeof(path),
                 "/sys/devices/system/cpu/cpu%u/topology/physical_package_id",
                 cpu);
        snprintf(value, sizeof(value), "%u\n", cpu % 4 / 2 * 3);
        put_file(path, value);
        snprintf(path, sizeof(path),
                 "/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list",
                 cpu);
        snprintf(value, sizeof(value), "%u,%u\n", cpu % 4, cpu % 4 + 4);
        put_file(path, value);
    }
    return 0;
}

static struct inventory take(void)
{
    struct inventory inventory = {0};
    struct error err = {0};
    if (inventory_take(root, &inventory, &err) < 0)
        fail_msg("%s", err.text);
    return inventory;
}

static void test_whole_machine(void **state)
{
    (void)state;
    _cleanup_(inventory_deinit) struct inventory it = take();
    assert_int_equal(it.cpus, 8);
    assert_false(it.cpus_limited);
    assert_int_equal(it.sockets, 2);
    assert_int_equal(it.cores_per_socket, 2);
    assert_int_equal(it.threads_per_core, 2);
    assert_int_equal(it.machine_memory_mb, 64000);
    assert_int_equal(it.memory_mb, 64000 - 64000 / 50); /* 62720 is 16 * 3920 */
    assert_false(it.memory_limited);
    assert_false(it.cgroup_visible);
    assert_int_equal(it.gpus.count, 0);
}

static void assert_flat(const struct inventory *it, uint32_t cpus)
{
    assert_int_equal(it->cpus, cpus);
    assert_true(it->cpus_limited);
    assert_int_equal(it->sockets, 1);
    assert_int_equal(it->cores_per_socket, cpus);
    assert_int_equal(it->threads_per_core, 1);
}

static void test_affinity_limits(void **state)
{
    (void)state;
    put_file("/proc/self/status", "Cpus_allowed_list:\t1,4-6\n");
    _cleanup_(inventory_deinit) struct inventory it = take();
    assert_flat(&it, 4);
}

static void put_v2_mount(const char *mount_root)
{
    char line[200];
    snprintf(line, sizeof(line),
             "30 22 0:26 %s /sys/fs/cgroup ro,nosuid shared:9 - cgroup2 "
             "cgroup rw,nsdelegate\n",
             mount_root);
    put_file("/proc/self/mountinfo", line);
}

static void test_pod_has_the_limits_of_its_cgroup(void **state)
{
    (void)state;
    put_v2_mount("/");
    put_file("/sys/fs/cgroup/cpu.max", "350000 100000\n");
    put_file("/sys/fs/cgroup/memory.max", "8589934592\n");
    _cleanup_(inventory_deinit) struct inventory it = take();
    assert_flat(&it, 3);
    assert_true(it.memory_limited);
    assert_true(it.cgroup_visible);
    assert_int_equal(it.machine_memory_mb, 64000);
    assert_int_equal(it.memory_mb, 8192 - 256);
}

static void test_smallest_limit_on_the_way_up_holds(void **state)
{
    (void)state;
    put_v2_mount("/");
    put_file("/proc/self/cgroup", "0::/kube.slice/pod7/box\n");
    put_file("/sys/fs/cgroup/kube.slice/cpu.max", "600000 100000\n");
    put_file("/sys/fs/cgroup/kube.slice/memory.max", "34359738368\n");
    put_file("/sys/fs/cgroup/kube.slice/pod7/cpu.max", "200000 100000\n");
    put_file("/sys/fs/cgroup/kube.slice/pod7/memory.max", "max\n");
    put_file("/sys/fs/cgroup/kube.slice/pod7/box/cpu.max", "max 100000\n");
    put_file("/sys/fs/cgroup/kube.slice/pod7/box/memory.max", "68719476736\n");
    _cleanup_(inventory_deinit) struct inventory it = take();
    assert_flat(&it, 2);
    assert_true(it.memory_limited);
    assert_int_equal(it.memory_mb, (32768 - 32768 / 50) / 16 * 16);
}

static void test_version_1_with_the_path_of_the_machine(void **state)
{
    (void)state;
    put_file("/proc/self/cgroup",
             "4:memory:/docker/abc/in\n2:cpu,cpuacct:/docker/abc\n"
             "1:cpuset:/docker/abc\n0::/\n");
    put_file("/proc/self/mountinfo",
             "29 22 0:25 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
             "31 29 0:27 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup "
             "cgroup rw,cpu,cpuacct\n"
             "32 29 0:28 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup "
             "rw,memory\n");
    put_file("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "500000\n");
    put_file("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    put_file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "17179869184\n");
    put_file("/sys/fs/cgroup/memory/in/memory.limit_in_bytes",
             "9223372036854771712\n");
    _cleanup_(inventory_deinit) struct inventory it = take();
    assert_flat(&it, 5);
    assert_true(it.cgroup_visible);
    assert_int_equal(it.memory_mb, (16384 - 16384 / 50) / 16 * 16);

    /* A limit above what the container sees. */
    put_file("/sys/fs/cgroup/memory/in/memory.stat",
             "cache 1\nhierarchical_memory_limit 4294967296\nx 2\n");
    _cleanup_(inventory_deinit) struct inventory less = take();
    assert_int_equal(less.memory_mb, 4096 - 256);
}

static void test_no_quota_is_no_limit(void **state)
{
    (void)state;
    put_file("/proc/self/cgroup", "2:cpu:/\n");
    put_file("/proc/self/mountinfo",
             "31 29 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n");
    put_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
    put_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    _cleanup_(inventory_deinit) struct inventory it = take();
    assert_int_equal(it.cpus, 8);
    assert_false(it.cpus_limited);
}

static void test_less_than_one_cpu_is_one(void **state)
{
    (void)state;
    put_v2_mount("/");
    put_file("/proc/self/cgroup",
             "0::/../../other\n"); /* of another namespace */
    put_file("/sys/fs/cgroup/cpu.max", "50000 100000\n");
    put_file("/sys/fs/cgroup/memory.max", "104857600\n");
    _cleanup_(inventory_deinit) struct inventory it = take();
    assert_flat(&it, 1);
    assert_int_equal(it.memory_mb, 64); /* 100 less a quarter, in steps of 16 */
}

static void test_uneven_cores_are_flat(void **state)
{
    (void)state;
    put_file("/sys/devices/system/cpu/cpu3/topology/thread_siblings_list",
             "3\n");
    put_file("/sys/devices/system/cpu/cpu7/topology/thread_siblings_list",
             "7\n");
    _cleanup_(inventory_deinit) struct inventory it = take();
    assert_int_equal(it.cpus, 8);
    assert_false(it.cpus_limited);
    assert_int_equal(it.sockets, 1);
    assert_int_equal(it.cores_per_socket, 8);
}

static void test_without_proc_it_fails(void **state)
{
    (void)state;
    struct inventory it = {0};
    struct error err = {0};
    assert_true(inventory_take("/nonexistent", &it, &err) < 0);
    assert_non_null(strstr(err.text, "/nonexistent/proc/meminfo"));
}

static void test_lists_of_cpus(void **state)
{
    (void)state;
    assert_int_equal(cpu_list_count("0"), 1);
    assert_int_equal(cpu_list_count("0-3,8-9,12\n"), 7);
    assert_int_equal(cpu_list_count(""), 0);
    assert_int_equal(cpu_list_count("x"), 0);
    assert_int_equal(cpu_list_count("3-1"), 0);
    assert_int_equal(cpu_list_count("0-99999999"), 0);
    assert_int_equal(cpu_list_count("0-3 4"), 0);
}

static void test_differences_are_told(void **state)
{
    (void)state;
    struct gpu_device one = {.type = "h100", .file = "/dev/nvidia0"};
    struct gpu_device other = {.type = "h100", .file = "/dev/nvidia5"};
    struct inventory a = {
        .cpus = 4, .memory_mb = 100, .gpus = {.devices = &one, .count = 1}};
    struct inventory b = a;
    struct error said = {0};
    assert_true(inventory_equal(&a, &b, &said));
    b.gpus.devices = &other;
    assert_false(inventory_equal(&a, &b, &said));
    assert_string_equal(
        said.text,
        "GPU 0: h100 at /dev/nvidia0 before, h100 at /dev/nvidia5 now");
    b.memory_mb = 50;
    assert_false(inventory_equal(&a, &b, &said));
    assert_string_equal(said.text, "memory in MB: 100 before, 50 now");
}

/* The real one, to see that nothing of it is out of the question. */
static void test_this_machine(void **state)
{
    (void)state;
    struct inventory it = {0};
    struct error err = {0};
    assert_int_equal(inventory_take("", &it, &err), 0);
    assert_true(it.cpus >= 1);
    assert_int_equal(it.sockets * it.cores_per_socket * it.threads_per_core,
                     it.cpus);
    assert_true(it.memory_mb > 0 && it.memory_mb < it.machine_memory_mb);
    inventory_deinit(&it);
}

int main(void)
{
#define on_machine(test)                                                       \
    cmocka_unit_test_setup_teardown(test, make_machine, remove_root)
    const struct CMUnitTest tests[] = {
        on_machine(test_whole_machine),
        on_machine(test_affinity_limits),
        on_machine(test_pod_has_the_limits_of_its_cgroup),
        on_machine(test_smallest_limit_on_the_way_up_holds),
        on_machine(test_version_1_with_the_path_of_the_machine),
        on_machine(test_no_quota_is_no_limit),
        on_machine(test_less_than_one_cpu_is_one),
        on_machine(test_uneven_cores_are_flat),
        cmocka_unit_test(test_without_proc_it_fails),
        cmocka_unit_test(test_lists_of_cpus),
        cmocka_unit_test(test_differences_are_told),
        cmocka_unit_test(test_this_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
