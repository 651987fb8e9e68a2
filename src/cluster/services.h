/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The services of a head and of a worker: how munged, slurmctld, slurmd and
 * the exporter are started in the foreground, what each needs, how each shows
 * that it is ready, in which order they stop. The one place that knows their
 * command lines. Whether the programs are installed: cluster/programs.h.
 */
#pragma once

#include "cluster/supervisor.h"

/* Where we keep sockets, pid files and the like. */
#define SERVICES_RUN_DIRECTORY "/run/gpu-watchdog"
/* munged's own, which it writes to; the folder above is root's. */
#define SERVICES_MUNGE_DIRECTORY SERVICES_RUN_DIRECTORY "/munge"
#define SERVICES_MUNGE_SOCKET SERVICES_MUNGE_DIRECTORY "/munge.socket"
/* Where Slurm looks for the key of auth/slurm: beside slurm.conf. */
#define SERVICES_SLURM_KEY "/etc/slurm/slurm.key"
/* Which process is which; see leftover.h. */
#define SERVICES_PID_DIRECTORY SERVICES_RUN_DIRECTORY "/services"
/* StateSaveLocation, in the state folder. */
#define SERVICES_CONTROLLER_STATE "slurmctld"
/* What "serve" remembers, in the state folder. */
#define SERVICES_HISTORY "history"
/* The links and the key of the dashboard's sign-in, in the state folder. */
#define SERVICES_SIGN_IN SERVICES_HISTORY "/sign-in"
/* SlurmdSpoolDir; slurmd's steps are found there again after a restart. */
#define SERVICES_NODE_SPOOL "/var/spool/slurmd"

enum {
    SLURMCTLD_PORT = 6817,
    SLURMD_PORT = 6818,
    GPU_EXPORTER_PORT = 9400
};

struct services_settings {
    bool head;       /* slurmctld, the exporter and the dashboard */
    bool compute;    /* slurmd */
    bool auth_slurm; /* no munged: Slurm's daemons authenticate themselves */
    /* Our folder; the key is in it, of which munged or Slurm gets a copy: a
     * volume may be one that their users cannot read. */
    const char *state;
    const char *munge_user; /* "munge", or NULL: stay root */
    const char *slurm_user; /* NULL: stay root */
    const char *address;   /* of this machine in the cluster: munged's origin */
    const char *node;      /* slurmd -N */
    const char *node_conf; /* slurmd --conf */
    const char *program;   /* path of gpu-watchdog, for the exporter */
    const char *exporter_listen; /* ":9341" */
    /* More arguments of "serve", NULL at the end; NULL: none. */
    const char *const *serve_arguments;
    bool gpus; /* this machine has some: gpu-exporter, where it is installed and
                  nothing else has its port */
};

/* The file in the state folder: "munge.key", "slurm.key". */
const char *services_key_name(bool auth_slurm);

struct services; /* owns what the specs point to */

int services_new(const struct services_settings *settings,
                 struct services **ret_services,
                 struct error *err);
struct services *services_free(struct services *services);

/* For supervisor_new(); in the order of starting. */
const struct service_spec *services_specs(const struct services *services,
                                          size_t *ret_count);

/* slurmctld counts its jobs from 1 again: let slurmd's next start forget which
 * of their credentials it has seen ("Job credential revoked"). */
void services_forget_credentials(struct services *services);

/* slurmd is started with these from its next start on. */
int services_set_node(struct services *services,
                      const char *node,
                      const char *node_conf,
                      struct error *err);
