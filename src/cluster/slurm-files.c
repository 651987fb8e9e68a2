/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cluster/slurm-files.h"

#include "base/cleanup.h"
#include "cluster/services.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Versions with a difference that we care about. */
#define VERSION(year, month, micro) ((year) << 16 | (month) << 8 | (micro))

enum {
    DYNAMIC_NODES = VERSION(22, 5, 0),
    CLOUD_REG_ADDRS = VERSION(23, 2, 3), /* and a habit from 23.11 on */
    FAN_OUT = VERSION(23, 11, 0),
    AUTH_SLURM = VERSION(24, 5, 0), /* as we use it */
    CGROUP_DISABLED = VERSION(24, 5, 0),
    NAME_MAX_LENGTH = 63,
    CLUSTER_NAME_MAX = 40,
    NODES_MAX = 65536,
    MEMORY_PER_CPU_MB = 1024
};

int slurm_version_parse(const char *text,
                        slurm_version *ret_version,
                        struct error *err)
{
    unsigned int year, month, micro;
    const char *number = text + strcspn(text, "0123456789");
    if (sscanf(number, "%3u.%3u.%3u", &year, &month, &micro) != 3 ||
        year > 255 || month > 255 || micro > 255)
        return error_set(err, EINVAL, "\"%.*s\" tells no version of Slurm",
                         (int)strcspn(text, "\n"), text);
    *ret_version = VERSION(year, month, micro);
    return 0;
}

bool slurm_version_has_auth(slurm_version version)
{
    return version >= AUTH_SLURM;
}

void slurm_version_format(slurm_version version, struct text *out)
{
    text_addf(out, "%u.%02u.%u", version >> 16, version >> 8 & 0xff,
              version & 0xff);
}

/* ---- what may stand in a file ---------------------------------------------
 */

/* Slurm splits at blanks, commas and "=", begins comments at "#", continues
 * lines at "\", and expands "%" in paths: none of them can be quoted. */
static int check_word(const char *what,
                      const char *word,
                      size_t length_max,
                      const char *others,
                      struct error *err)
{
    size_t length = strlen(word);
    if (length == 0)
        return error_set(err, EINVAL, "%s is empty", what);
    if (length > length_max)
        return error_set(err, EINVAL,
                         "%s \"%.20s...\" is longer than %zu letters", what,
                         word, length_max);
    for (const char *p = word; *p; p++)
        if (!(isascii((unsigned char)*p) && isalnum((unsigned char)*p)) &&
            !strchr(others, *p))
            return error_set(err, EINVAL,
                             "%s \"%.200s\" may have only letters, digits and "
                             "\"%s\"",
                             what, word, others);
    return 0;
}

static int check_path(const char *what, const char *path, struct error *err)
{
    if (path[0] != '/')
        return error_set(err, EINVAL,
                         "%s \"%.200s\" has to be an absolute path", what,
                         path);
    return check_word(what, path, 255, "/._+@:-", err);
}

static int check_partition(const char *name, struct error *err)
{
    if (strcasecmp(name, "DEFAULT") == 0)
        return error_set(err, EINVAL,
                         "partition \"%s\": Slurm reserves that name", name);
    return check_word("partition", name, NAME_MAX_LENGTH, "_.-", err);
}

static int check_version(const struct slurm_cluster *cluster, struct error *err)
{
    _cleanup_(text_deinit) struct text version = TEXT_INIT;
    slurm_version_format(cluster->version, &version);
    if (cluster->version < DYNAMIC_NODES)
        return error_set(err, ENOTSUP,
                         "Slurm %s is too old: nodes can join a running "
                         "cluster only from 22.05 on (Debian 12, Ubuntu 24.04)",
                         text_str(&version));
    if (cluster->auth_slurm && !slurm_version_has_auth(cluster->version))
        return error_set(err, ENOTSUP,
                         "Slurm %s has no auth/slurm that fits; use munge, or "
                         "Slurm 24.05 or later",
                         text_str(&version));
    return 0;
}

int slurm_files_check_cluster(const struct slurm_cluster *cluster,
                              struct error *err)
{
    int r = check_version(cluster, err);
    if (r == 0)
        r = check_word("cluster name", cluster->name, CLUSTER_NAME_MAX, "_-",
                       err);
    if (r == 0)
        r = check_word("host name", cluster->head_host, NAME_MAX_LENGTH, ".-",
                       err);
    if (r == 0)
        r = check_word("address", cluster->head_address, 255, ".:-", err);
    if (r == 0)
        r = check_word("user", cluster->slurm_user, NAME_MAX_LENGTH, "_.-",
                       err);
    if (r == 0)
        r = check_partition(cluster->partition, err);
    if (r == 0)
        r = check_path("state", cluster->state, err);
    if (r == 0 && !cluster->auth_slurm)
        r = check_path("socket of munge", cluster->munge_socket, err);
    if (r == 0 && cluster->home)
        r = check_path("home", cluster->home, err);
    if (r == 0 && (cluster->nodes_max == 0 || cluster->nodes_max > NODES_MAX))
        r = error_set(err, EINVAL, "%u nodes: Slurm takes 1 to %u",
                      cluster->nodes_max, NODES_MAX);
    return r;
}

/* ---- slurm.conf -----------------------------------------------------------
 */

static void add_mark(const char *file, struct text *out)
{
    text_addf(out,
              SLURM_FILES_MARK ", which writes it anew: %s\n"
                               "# To go on by hand, remove this first line.\n",
              file);
}

static void add_controller(const struct slurm_cluster *cluster,
                           struct text *out)
{
    text_addf(out,
              "ClusterName=%s\n"
              "SlurmctldHost=%s(%s)\n"
              "SlurmUser=%s\n"
              "StateSaveLocation=%s\n"
              "SlurmdSpoolDir=/var/spool/slurmd\n"
              "SlurmctldPidFile=" SERVICES_RUN_DIRECTORY "/slurmctld.pid\n"
              "SlurmdPidFile=" SERVICES_RUN_DIRECTORY "/slurmd.pid\n"
              "SlurmctldPort=%d\n"
              "SlurmdPort=%d\n",
              cluster->name, cluster->head_host, cluster->head_address,
              cluster->slurm_user, cluster->state, SLURMCTLD_PORT, SLURMD_PORT);
    if (strchr(cluster->head_address, ':'))
        text_add(out, "CommunicationParameters=EnableIPv6\n");
    text_add(out, "MailProg=/bin/true\n");
}

static void add_authentication(const struct slurm_cluster *cluster,
                               struct text *out)
{
    if (cluster->auth_slurm)
        text_add(out, "\nAuthType=auth/slurm\nCredType=auth/slurm\n");
    else
        text_addf(out,
                  "\n# A munged of our own, with the cluster's key.\n"
                  "AuthType=auth/munge\n"
                  "AuthInfo=socket=%s\n",
                  cluster->munge_socket);
}

static void add_membership(const struct slurm_cluster *cluster,
                           struct text *out)
{
    slurm_version version = cluster->version;
    bool addresses = version >= CLOUD_REG_ADDRS && version < FAN_OUT;
    text_addf(out,
              "\n# Nodes come and go.\n"
              "SlurmctldParameters=enable_configless%s\n"
              "MaxNodeCount=%u\n"
              "ReturnToService=2\n"
              "SlurmctldTimeout=60\n"
              "SlurmdTimeout=120\n",
              addresses ? ",cloud_reg_addrs" : "", cluster->nodes_max);
    if (version < FAN_OUT)
        text_add(out, "TreeWidth=65533\n");
}

static void add_jobs(const struct slurm_cluster *cluster, struct text *out)
{
    text_add(out, cluster->cgroups ? "\n# Jobs are confined by cgroups.\n"
                                     "ProctrackType=proctrack/cgroup\n"
                                     "TaskPlugin=task/cgroup,task/affinity\n"
                                     "JobAcctGatherType=jobacct_gather/cgroup\n"
                  : cluster->confine_gpus
                      ? "\n# Jobs are kept to their GPUs by cgroups.\n"
                        "ProctrackType=proctrack/linuxproc\n"
                        "TaskPlugin=task/cgroup\n"
                        "JobAcctGatherType=jobacct_gather/linux\n"
                      : "\n# Nodes have no cgroups of their own.\n"
                        "ProctrackType=proctrack/linuxproc\n"
                        "TaskPlugin=task/none\n"
                        "JobAcctGatherType=jobacct_gather/linux\n");
    text_add(out, "MpiDefault=none\n"
                  "SrunPortRange=60001-60100\n"
                  "KillOnBadExit=1\n"
                  "UnkillableStepTimeout=180\n"
                  "PropagateResourceLimits=NONE\n");
}

static void add_scheduling(const struct slurm_cluster *cluster,
                           struct text *out)
{
    uint32_t memory_mb = cluster->memory_per_cpu_mb;
    text_addf(out,
              "\nSelectType=select/cons_tres\n"
              "SelectTypeParameters=CR_Core_Memory\n"
              "DefMemPerCPU=%u\n"
              /* Start at once; a large site would spare the scheduler. */
              "SchedulerParameters=batch_sched_delay=0,sched_interval=10\n"
              "GresTypes=gpu\n",
              memory_mb > 0 ? memory_mb : MEMORY_PER_CPU_MB);
}

static void add_partitions(const struct slurm_cluster *cluster,
                           struct text *out)
{
    text_addf(out,
              "\nPartitionName=%s Nodes=ALL Default=YES MaxTime=INFINITE "
              "State=UP\n",
              cluster->partition);
    if (strcmp(cluster->partition, "gpu") != 0)
        text_add(out,
                 "NodeSet=gpu Feature=gpu\n"
                 "PartitionName=gpu Nodes=gpu MaxTime=INFINITE State=UP\n");
}

void slurm_files_slurm_conf(const struct slurm_cluster *cluster,
                            struct text *out)
{
    add_mark("slurm.conf, the same on all nodes", out);
    if (cluster->home)
        text_addf(out, "# Home directories are shared: %s\n", cluster->home);
    text_add_char(out, '\n');
    add_controller(cluster, out);
    add_authentication(cluster, out);
    add_membership(cluster, out);
    add_jobs(cluster, out);
    add_scheduling(cluster, out);
    add_partitions(cluster, out);
}

/* ---- cgroup.conf, gres.conf, --conf ---------------------------------------
 */

void slurm_files_cgroup_conf(const struct slurm_cluster *cluster,
                             struct text *out)
{
    add_mark("cgroup.conf, for this node's version of Slurm", out);
    if (cluster->cgroups)
        text_add(out, "\nConstrainCores=yes\n"
                      "ConstrainDevices=yes\n"
                      "ConstrainRAMSpace=yes\n");
    else if (cluster->confine_gpus)
        text_add(out, "\nCgroupPlugin=cgroup/v1\n"
                      "ConstrainDevices=yes\n");
    else if (cluster->version >= CGROUP_DISABLED)
        text_add(out, "\nCgroupPlugin=disabled\n");
    else
        /* slurmd wants a plugin; this one does nothing until it is asked. */
        text_add(out, "\nCgroupPlugin=cgroup/v1\n");
}

void slurm_files_gres_conf(const struct inventory *inventory, struct text *out)
{
    add_mark("gres.conf, for this node alone", out);
    if (inventory->gpus.count > 0)
        text_add_char(out, '\n');
    for (size_t i = 0; i < inventory->gpus.count; i++) {
        const struct gpu_device *gpu = &inventory->gpus.devices[i];
        text_addf(out, "Name=gpu Type=%s File=%s\n", gpu->type, gpu->file);
    }
}

/* Is the GPU at INDEX the first of its type? */
static bool is_first(const struct gpu_inventory *gpus, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(gpus->devices[i].type, gpus->devices[index].type) == 0)
            return false;
    return true;
}

static void add_gpus(const struct gpu_inventory *gpus, struct text *out)
{
    const char *separator = " Gres=";
    for (size_t i = 0; i < gpus->count; i++) {
        size_t count = 0;
        if (!is_first(gpus, i))
            continue;
        for (size_t j = i; j < gpus->count; j++)
            count += strcmp(gpus->devices[j].type, gpus->devices[i].type) == 0;
        text_addf(out, "%sgpu:%s:%zu", separator, gpus->devices[i].type, count);
        separator = ",";
    }
    text_add(out, " Feature=gpu");
    for (size_t i = 0; i < gpus->count; i++)
        if (is_first(gpus, i) && strcmp(gpus->devices[i].type, "gpu") != 0)
            text_addf(out, ",%s", gpus->devices[i].type);
}

void slurm_files_node_conf(const struct inventory *inventory,
                           slurm_version version,
                           struct text *out)
{
    (void)version; /* up to 26.05 they all read the same */
    text_addf(out,
              "CPUs=%u Sockets=%u CoresPerSocket=%u ThreadsPerCore=%u "
              "RealMemory=%" PRIu64,
              inventory->cpus, inventory->sockets, inventory->cores_per_socket,
              inventory->threads_per_core, inventory->memory_mb);
    if (inventory->gpus.count > 0)
        add_gpus(&inventory->gpus, out);
}
