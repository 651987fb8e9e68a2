/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files that Slurm reads, written for the version that is installed: the
 * one place that knows how slurm.conf, gres.conf and cgroup.conf differ between
 * versions (bringup.md, 4.2 and 4.3), and what may stand in them.
 */
#pragma once

#include "base/error.h"
#include "base/text.h"
#include "cluster/inventory.h"

/* The first line of each file that is ours. */
#define SLURM_FILES_MARK "# Written by gpu-watchdog"

#define SLURM_FILES_DIRECTORY "/etc/slurm"

/* Slurm's version as SLURM_VERSION_NUM has it: major << 16 | minor << 8 |
 * micro, 22.05.8 is 0x160508. */
typedef uint32_t slurm_version;

/* From what "slurmd -V" prints: "slurm 22.05.8", "slurm-wlm 24.11.5". */
int slurm_version_parse(const char *text,
                        slurm_version *ret_version,
                        struct error *err);
/* Does it have an auth/slurm that a cluster can be run with? 24.05 on. */
bool slurm_version_has_auth(slurm_version version);
void slurm_version_format(slurm_version version, struct text *out);

struct slurm_cluster {
    const char *name;
    slurm_version version;
    const char *head_host;    /* gethostname() of the head, as it is now */
    const char *head_address; /* that workers can reach */
    const char *slurm_user;   /* "slurm", or "root" where there is none */
    const char *state;        /* StateSaveLocation */
    const char *munge_socket;
    const char *partition; /* name of the partition of all nodes */
    uint32_t nodes_max;
    bool auth_slurm;   /* auth/slurm instead of auth/munge: 24.05 on */
    bool cgroups;      /* nodes have cgroups of their own to confine jobs with:
                        * ask for task/cgroup and proctrack/cgroup */
    bool confine_gpus; /* jobs to their GPUs, by cgroups of version 1 */
    const char *home;  /* --home: only said in a comment; or NULL */
    uint32_t memory_per_cpu_mb; /* of jobs that do not say; 0: 1024 */
};

/* Can these stand in Slurm's files, and can this version do it? Nothing in
 * them can be quoted, so what Slurm would misread is refused: -EINVAL.
 * -ENOTSUP: the version is too old. To be asked before the functions below. */
int slurm_files_check_cluster(const struct slurm_cluster *cluster,
                              struct error *err);

/* Each appends the whole file to OUT. slurm.conf is for the head's version and
 * read by all; cgroup.conf has to be made for the version of the node that
 * reads it, older ones do not know what newer ones need. */
void slurm_files_slurm_conf(const struct slurm_cluster *cluster,
                            struct text *out);
void slurm_files_cgroup_conf(const struct slurm_cluster *cluster,
                             struct text *out);
/* One node's own, for the machine it stands on. */
void slurm_files_gres_conf(const struct inventory *inventory, struct text *out);

/* The value of slurmd's --conf for a dynamic node of INVENTORY: "CPUs=4
 * Sockets=1 CoresPerSocket=4 ThreadsPerCore=1 RealMemory=2000 Gres=gpu:h100:4
 * Feature=gpu,h100". */
void slurm_files_node_conf(const struct inventory *inventory,
                           slurm_version version,
                           struct text *out);

/* A set of files as it travels to a worker. */
struct slurm_files {
    const char *slurm_conf, *cgroup_conf, *gres_conf;
};

/* Write FILES into DIRECTORY, each beside and then renamed, only where the
 * content differs: 1 when something was written, else 0. -EEXIST: a file there
 * is not ours, ERR says which and what to do; nothing has been written then. */
int slurm_files_write(const char *directory,
                      const struct slurm_files *files,
                      struct error *err);

/* Would slurm_files_write() be refused? Then -EEXIST, as above. */
int slurm_files_check(const char *directory, struct error *err);

/* Remove those that are ours. */
int slurm_files_remove(const char *directory, struct error *err);
