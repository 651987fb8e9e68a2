/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cluster/slurm-files.h"

#include "base/cleanup.h"
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct gpu_device devices[] = {
    {.type = "h100", .file = "/dev/nvidia0"},
    {.type = "h100", .file = "/dev/nvidia5"},
    {.type = "gpu", .file = "/dev/nvidia6"},
};

static const struct inventory machine = {
    .cpus = 8,
    .sockets = 1,
    .cores_per_socket = 4,
    .threads_per_core = 2,
    .memory_mb = 31968,
    .gpus = {.devices = devices, .count = 3},
};

static struct slurm_cluster make_cluster(slurm_version version)
{
    return (struct slurm_cluster){
        .name = "mill",
        .version = version,
        .head_host = "pod-1",
        .head_address = "10.0.0.1",
        .slurm_user = "slurm",
        .state = "/var/lib/gpu-watchdog/slurmctld",
        .munge_socket = "/run/gpu-watchdog/munge/socket",
        .partition = "all",
        .nodes_max = 1024,
    };
}

static void test_versions(void **state)
{
    (void)state;
    static const struct {
        const char *said;
        slurm_version version;
        const char *text;
    } cases[] = {
        {"slurm 22.05.8\n", 0x160508, "22.05.8"},
        {"slurm-wlm 24.11.5", 0x180b05, "24.11.5"},
        {"slurm 26.05.0-0rc1", 0x1a0500, "26.05.0"},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        struct error err = {0};
        slurm_version version = 0;
        _cleanup_(text_deinit) struct text text = TEXT_INIT;
        assert_int_equal(slurm_version_parse(cases[i].said, &version, &err), 0);
        assert_int_equal(version, cases[i].version);
        slurm_version_format(version, &text);
        assert_string_equal(text_str(&text), cases[i].text);
    }
    struct error err = {0};
    slurm_version version;
    assert_int_equal(slurm_version_parse("slurm 22.05", &version, &err),
                     -EINVAL);
    assert_int_equal(slurm_version_parse("not found\n", &version, &err),
                     -EINVAL);
    assert_string_equal(err.text, "\"not found\" tells no version of Slurm");
}

static void test_slurm_conf_of_22_05(void **state)
{
    (void)state;
    const struct slurm_cluster cluster = make_cluster(0x160508);
    _cleanup_(text_deinit) struct text text = TEXT_INIT;
    slurm_files_slurm_conf(&cluster, &text);
    assert_string_equal(
        text_str(&text),
        "# Written by gpu-watchdog, which writes it anew: slurm.conf, the same "
        "on all nodes\n"
        "# To go on by hand, remove this first line.\n"
        "\n"
        "ClusterName=mill\n"
        "SlurmctldHost=pod-1(10.0.0.1)\n"
        "SlurmUser=slurm\n"
        "StateSaveLocation=/var/lib/gpu-watchdog/slurmctld\n"
        "SlurmdSpoolDir=/var/spool/slurmd\n"
        "SlurmctldPidFile=/run/gpu-watchdog/slurmctld.pid\n"
        "SlurmdPidFile=/run/gpu-watchdog/slurmd.pid\n"
        "SlurmctldPort=6817\n"
        "SlurmdPort=6818\n"
        "MailProg=/bin/true\n"
        "\n"
        "# A munged of our own, with the cluster's key.\n"
        "AuthType=auth/munge\n"
        "AuthInfo=socket=/run/gpu-watchdog/munge/socket\n"
        "\n"
        "# Nodes come and go.\n"
        "SlurmctldParameters=enable_configless\n"
        "MaxNodeCount=1024\n"
        "ReturnToService=2\n"
        "SlurmctldTimeout=60\n"
        "SlurmdTimeout=120\n"
        "TreeWidth=65533\n"
        "\n"
        "# Nodes have no cgroups of their own.\n"
        "ProctrackType=proctrack/linuxproc\n"
        "TaskPlugin=task/none\n"
        "JobAcctGatherType=jobacct_gather/linux\n"
        "MpiDefault=none\n"
        "SrunPortRange=60001-60100\n"
        "KillOnBadExit=1\n"
        "UnkillableStepTimeout=180\n"
        "PropagateResourceLimits=NONE\n"
        "\n"
        "SelectType=select/cons_tres\n"
        "SelectTypeParameters=CR_Core_Memory\n"
        "DefMemPerCPU=1024\n"
        "SchedulerParameters=batch_sched_delay=0,sched_interval=10\n"
        "GresTypes=gpu\n"
        "\n"
        "PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n"
        "NodeSet=gpu Feature=gpu\n"
        "PartitionName=gpu Nodes=gpu MaxTime=INFINITE State=UP\n");
}

static const char *slurm_conf(const struct slurm_cluster *cluster,
                              struct text *text)
{
    text_clear(text);
    slurm_files_slurm_conf(cluster, text);
    return text_str(text);
}

static void test_addresses_are_refreshed_by_each_version(void **state)
{
    (void)state;
    static const struct {
        slurm_version version;
        bool parameter, tree;
    } cases[] = {
        {0x160508, false, true},  /* 22.05.8 */
        {0x170202, false, true},  /* 23.02.2 */
        {0x170203, true, true},   /* 23.02.3 */
        {0x170b00, false, false}, /* 23.11.0 */
        {0x1a0500, false, false}, /* 26.05.0 */
    };
    _cleanup_(text_deinit) struct text text = TEXT_INIT;
    for (size_t i = 0; i < array_size(cases); i++) {
        const struct slurm_cluster cluster = make_cluster(cases[i].version);
        const char *conf = slurm_conf(&cluster, &text);
        assert_int_equal(strstr(conf, ",cloud_reg_addrs\n") != NULL,
                         cases[i].parameter);
        assert_int_equal(strstr(conf, "TreeWidth") != NULL, cases[i].tree);
    }
}

static void test_what_is_asked_for_is_written(void **state)
{
    (void)state;
    _cleanup_(text_deinit) struct text text = TEXT_INIT;
    struct slurm_cluster cluster = make_cluster(0x180b05);
    cluster.auth_slurm = true;
    cluster.cgroups = true;
    cluster.home = "/workspace/home";
    cluster.head_address = "fd00::1";
    cluster.partition = "gpu";
    cluster.memory_per_cpu_mb = 500;
    const char *conf = slurm_conf(&cluster, &text);
    assert_non_null(strstr(conf, "\nAuthType=auth/slurm\n"));
    assert_null(strstr(conf, "munge"));
    assert_non_null(strstr(conf, "\nProctrackType=proctrack/cgroup\n"));
    assert_non_null(strstr(conf, "shared: /workspace/home\n"));
    assert_non_null(strstr(conf, "=EnableIPv6\n"));
    assert_non_null(strstr(conf, "\nDefMemPerCPU=500\n"));
    assert_null(strstr(conf, "NodeSet"));
}

static void test_confined_gpus_take_cgroups_of_version_1(void **state)
{
    (void)state;
    static const slurm_version versions[] = {0x160508, 0x180b05, 0x1a0500};
    for (size_t i = 0; i < array_size(versions); i++) {
        struct slurm_cluster cluster = make_cluster(versions[i]);
        _cleanup_(text_deinit) struct text text = TEXT_INIT;
        cluster.confine_gpus = true;
        assert_non_null(
            strstr(slurm_conf(&cluster, &text), "\nTaskPlugin=task/cgroup\n"));
        text_clear(&text);
        slurm_files_cgroup_conf(&cluster, &text);
        assert_non_null(strstr(text_str(&text), "\nCgroupPlugin=cgroup/v1\n"
                                                "ConstrainDevices=yes\n"));
    }
}

static const char *
cgroup_conf(slurm_version version, bool cgroups, struct text *text)
{
    struct slurm_cluster cluster = make_cluster(version);
    cluster.cgroups = cgroups;
    text_clear(text);
    slurm_files_cgroup_conf(&cluster, text);
    return text_str(text);
}

static void test_cgroup_conf_of_each_version(void **state)
{
    (void)state;
    _cleanup_(text_deinit) struct text text = TEXT_INIT;
    assert_non_null(strstr(cgroup_conf(0x160508, false, &text),
                           "\nCgroupPlugin=cgroup/v1\n"));
    assert_non_null(strstr(cgroup_conf(0x180500, false, &text),
                           "\nCgroupPlugin=disabled\n"));
    const char *confined = cgroup_conf(0x180b05, true, &text);
    assert_non_null(strstr(confined, "\nConstrainDevices=yes\n"));
    assert_null(strstr(confined, "CgroupPlugin"));
}

static void test_gpus_of_a_node(void **state)
{
    (void)state;
    _cleanup_(text_deinit) struct text gres = TEXT_INIT, node = TEXT_INIT;
    slurm_files_gres_conf(&machine, &gres);
    assert_string_equal(text_str(&gres),
                        "# Written by gpu-watchdog, which writes it anew: "
                        "gres.conf, for this node alone\n"
                        "# To go on by hand, remove this first line.\n"
                        "\n"
                        "Name=gpu Type=h100 File=/dev/nvidia0\n"
                        "Name=gpu Type=h100 File=/dev/nvidia5\n"
                        "Name=gpu Type=gpu File=/dev/nvidia6\n");
    slurm_files_node_conf(&machine, 0x160508, &node);
    assert_string_equal(
        text_str(&node),
        "CPUs=8 Sockets=1 CoresPerSocket=4 ThreadsPerCore=2 RealMemory=31968 "
        "Gres=gpu:h100:2,gpu:gpu:1 Feature=gpu,h100");
}

static void test_node_without_gpus(void **state)
{
    (void)state;
    struct inventory bare = machine;
    bare.gpus.count = 0;
    _cleanup_(text_deinit) struct text gres = TEXT_INIT, node = TEXT_INIT;
    slurm_files_gres_conf(&bare, &gres);
    assert_null(strstr(text_str(&gres), "Name="));
    slurm_files_node_conf(&bare, 0x160508, &node);
    assert_string_equal(text_str(&node),
                        "CPUs=8 Sockets=1 CoresPerSocket=4 ThreadsPerCore=2 "
                        "RealMemory=31968");
}

static void
assert_refused(const struct slurm_cluster *cluster, int code, const char *word)
{
    struct error err = {0};
    assert_int_equal(slurm_files_check_cluster(cluster, &err), -code);
    if (!strstr(err.text, word))
        fail_msg("\"%s\" says nothing of %s", err.text, word);
}

static void test_what_slurm_would_misread_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    const struct slurm_cluster good = make_cluster(0x160508);
    assert_int_equal(slurm_files_check_cluster(&good, &err), 0);
    struct slurm_cluster bad = good;
    bad.name = "my cluster";
    assert_refused(&bad, EINVAL, "cluster name");
    bad = good;
    bad.name = "";
    assert_refused(&bad, EINVAL, "cluster name is empty");
    bad = good;
    bad.head_host = "pod(1)";
    assert_refused(&bad, EINVAL, "host name");
    bad = good;
    bad.head_address = "10.0.0.1)\nSlurmUser=root";
    assert_refused(&bad, EINVAL, "address");
    bad = good;
    bad.partition = "default";
    assert_refused(&bad, EINVAL, "reserves");
    bad = good;
    bad.partition = "a,b";
    assert_refused(&bad, EINVAL, "partition");
    bad = good;
    bad.state = "/work space";
    assert_refused(&bad, EINVAL, "state");
    bad.state = "/state/%h";
    assert_refused(&bad, EINVAL, "state");
    bad.state = "state";
    assert_refused(&bad, EINVAL, "absolute");
    bad = good;
    bad.home = "/home\nSlurmUser=root";
    assert_refused(&bad, EINVAL, "home");
    bad = good;
    bad.nodes_max = 0;
    assert_refused(&bad, EINVAL, "65536");
}

static void test_versions_that_cannot_are_refused(void **state)
{
    (void)state;
    struct slurm_cluster cluster = make_cluster(0x140b07);
    assert_refused(&cluster, ENOTSUP, "Slurm 20.11.7 is too old");
    cluster = make_cluster(0x170b00);
    cluster.auth_slurm = true;
    assert_refused(&cluster, ENOTSUP, "24.05");
}

/* ---- writing --------------------------------------------------------------
 */

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/test-slurm-files.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[100];
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

static void put_file(const char *name, const char *content)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

static bool is_there(const char *name)
{
    char path[128];
    struct stat st;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return stat(path, &st) == 0;
}

static const struct slurm_files files = {
    .slurm_conf = SLURM_FILES_MARK "\na\n",
    .cgroup_conf = SLURM_FILES_MARK "\nb\n",
    .gres_conf = SLURM_FILES_MARK "\nc\n",
};

static void test_written_once_and_readable_by_all(void **state)
{
    (void)state;
    struct error err = {0};
    put_file("gres.conf", ""); /* as some packages leave one */
    assert_int_equal(slurm_files_write(folder, &files, &err), 1);
    assert_int_equal(slurm_files_write(folder, &files, &err), 0);
    char path[128];
    struct stat st;
    snprintf(path, sizeof(path), "%s/slurm.conf", folder);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    struct slurm_files other = files;
    other.gres_conf = SLURM_FILES_MARK "\nd\n";
    assert_int_equal(slurm_files_write(folder, &other, &err), 1);
    assert_int_equal(slurm_files_remove(folder, &err), 0);
    assert_false(is_there("slurm.conf"));
    assert_false(is_there("gres.conf"));
    assert_int_equal(slurm_files_remove(folder, &err), 0);
}

static void test_files_of_another_cluster_stay(void **state)
{
    (void)state;
    struct error err = {0};
    put_file("gres.conf", "Name=gpu File=/dev/nvidia0\n");
    assert_int_equal(slurm_files_check(folder, &err), -EEXIST);
    assert_int_equal(slurm_files_write(folder, &files, &err), -EEXIST);
    assert_non_null(strstr(err.text, "gres.conf is not ours"));
    assert_non_null(strstr(err.text, "mv "));
    assert_false(is_there("slurm.conf"));
    assert_int_equal(slurm_files_remove(folder, &err), 0);
    assert_true(is_there("gres.conf"));
}

int main(void)
{
#define in_folder(test)                                                        \
    cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_confined_gpus_take_cgroups_of_version_1),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_slurm_conf_of_22_05),
        cmocka_unit_test(test_addresses_are_refreshed_by_each_version),
        cmocka_unit_test(test_what_is_asked_for_is_written),
        cmocka_unit_test(test_cgroup_conf_of_each_version),
        cmocka_unit_test(test_gpus_of_a_node),
        cmocka_unit_test(test_node_without_gpus),
        cmocka_unit_test(test_what_slurm_would_misread_is_refused),
        cmocka_unit_test(test_versions_that_cannot_are_refused),
        in_folder(test_written_once_and_readable_by_all),
        in_folder(test_files_of_another_cluster_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
