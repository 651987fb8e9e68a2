/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A worker of a cluster, as its files share it. One process, one thread:
 *
 *   join.c            main: in which order things begin and end
 *   worker-setup.c    what this machine is, and whose member it is
 *   worker-link.c     the connection to the head
 *   worker-node.c     the node: its files, services, and the proof that it
 * works worker-control.c  requests of our own commands on this machine
 */
#pragma once

#include "base/process.h"
#include "cluster/channel.h"
#include "cluster/join-message.h"
#include "cluster/probe.h"
#include "cluster/services.h"
#include "cluster/token.h"
#include "watchdog/settings.h"

#include <limits.h>

enum {
    WORKER_ANSWERS = 2 /* slurmd's port, and one of srun's */
};

struct worker {
    const struct settings *settings;

    /* What this machine is (worker-setup.c). */
    char state[PATH_MAX - 64];
    char host[JOIN_NAME_SIZE];
    const char *munge_user; /* NULL: root */
    slurm_version slurm;
    bool can_auth_slurm; /* this Slurm can do without munge */
    struct inventory inventory;
    struct identity *identity;
    int lock_fd;

    /* Whose member it is, or wants to be. */
    char head[128]; /* HOST:PORT */
    struct pin pin; /* of the head */
    bool member;    /* was let in once; then node and cluster are known */
    bool has_token;
    struct token token;
    char node[JOIN_NAME_SIZE];
    char cluster[JOIN_NAME_SIZE];
    bool auth_slurm; /* the cluster does; known once WELCOME has come */

    struct loop *loop;
    struct loop_source *signals[2];
    struct process_table *processes;

    /* worker-link.c */
    struct channel *channel;
    bool connected;  /* the handshake is done */
    bool welcomed;   /* in this connection */
    bool show_token; /* the next HELLO carries it */
    struct probe_answer *answers[WORKER_ANSWERS];
    char nonce[JOIN_NONCE_SIZE];
    struct loop_source *retry, *beat;
    int64_t retry_ns; /* how long we wait before the next try */
    int64_t beat_ns;
    char trouble[JOIN_REASON_SIZE]; /* why there is no connection; "" */

    /* worker-node.c */
    struct text node_conf;
    struct services *services;
    struct supervisor *supervisor;
    struct process *proof;
    struct loop_source *proof_timer;
    char slurm_state[JOIN_REASON_SIZE]; /* as sinfo says: "idle" */
    char told_state[JOIN_REASON_SIZE];  /* as the head last said; "": never */
    int64_t proof_due_ns;               /* monotonic: give up then */
    bool proven;

    /* worker-control.c */
    struct channel_listener *control;
    struct channel *leaver; /* a command that waits for the end of LEAVE */
    bool leaving;           /* LEAVE was sent */
    bool left;              /* forget everything at the end */
    bool restarting;        /* the services, for another authentication */
    bool stopping;
    int exit_code;
};

/* ---- worker-setup.c */

/* -EINVAL: usage. */
int worker_setup(struct worker *worker, struct error *err);
void worker_setup_undo(struct worker *worker);

/* Remember that we are a member. */
int worker_remember(const struct worker *worker, struct error *err);

/* Remove what makes us one: key, membership, Slurm's files. */
void worker_forget(const struct worker *worker);

/* Keep the cluster's key where the services take it from. RET_CHANGED: it is
 * another. */
int worker_key_write(const struct worker *worker,
                     const uint8_t *key,
                     size_t size,
                     bool *ret_changed,
                     struct error *err);

/* ---- worker-link.c */

int worker_link_start(struct worker *worker, struct error *err);
void worker_link_stop(struct worker *worker);

/* Tell the head at once how the services are. */
void worker_beat_now(struct worker *worker);

/* A message without content, if we are connected. */
void worker_tell(struct worker *worker, const char *type, bool now);

/* ---- worker-node.c */

/* What WELCOME says holds from now on; starts the services when they do not
 * run. */
int worker_node_update(struct worker *worker,
                       const struct join_welcome *welcome,
                       struct error *err);
/* STATE: what Slurm calls the node now. */
void worker_node_state(struct worker *worker, const json_t *message);
void worker_node_stop(struct worker *worker);
bool worker_slurmd_ready(const struct worker *worker);

/* ---- worker-control.c */

int worker_control_start(struct worker *worker, struct error *err);
void worker_control_stop(struct worker *worker);

/* Tell the command that asked us to leave. */
void worker_control_progress(struct worker *worker, const char *text);
void worker_control_left(struct worker *worker);

/* ---- join.c */

/* Stop everything, then end with EXIT_CODE. */
void worker_end(struct worker *worker, int exit_code);
