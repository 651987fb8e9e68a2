/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The head of a cluster, as its files share it. One process, one thread:
 *
 *   head.c          main: in which order things begin and end
 *   head-setup.c    what this machine is: state, address, keys, Slurm's files
 *   head-join.c     connections of workers: admission, heartbeats
 *   head-nodes.c    keeps Slurm's list of nodes true to the members
 *   head-forget.c   deletes a lost node that no pending job names
 *   head-control.c  requests of our own commands
 *   head-status.c   the state of everything as JSON
 *   actions.c       scontrol, one at a time
 */
#pragma once

#include "base/process.h"
#include "cluster/channel.h"
#include "cluster/probe.h"
#include "cluster/roster.h"
#include "cluster/services.h"
#include "cluster/token.h"
#include "cluster/users.h"
#include "source/collector.h"
#include "watchdog/actions.h"
#include "watchdog/settings.h"

#include <limits.h>

enum {
    HEAD_REFUSALS_MAX = 16 /* remembered for status */
};

/* A worker's connection; head-join.c's. */
struct connection;

struct refusal {
    int64_t time_s; /* real time */
    char from[64];
    char host[JOIN_NAME_SIZE];
    char reason[JOIN_REASON_SIZE];
};

struct head {
    const struct settings *settings;

    /* What this machine is (head-setup.c); fixed while we run. */
    char state[PATH_MAX - 64]; /* our folder */
    char host[JOIN_NAME_SIZE]; /* gethostname() */
    char address[64];          /* that workers can reach */
    char cluster[JOIN_NAME_SIZE];
    char node[JOIN_NAME_SIZE]; /* our own slurmd's name */
    const char *slurm_user;    /* NULL: root */
    const char *munge_user;    /* NULL: root */
    slurm_version slurm;
    bool auth_slurm; /* auth/slurm, not munge */
    struct inventory inventory;
    struct text node_conf;  /* slurmd --conf */
    struct text slurm_conf; /* as workers get it */
    struct identity *identity;
    struct token_store *tokens;
    struct roster roster;
    struct users users;
    int lock_fd;
    bool fresh_state; /* slurmctld begins with none */
    int64_t started_s;

    struct loop *loop;
    struct loop_source *signals[2];
    struct process_table *processes;
    struct services *services;
    struct supervisor *supervisor;
    struct actions *actions;
    struct collector *collector;      /* tells which nodes Slurm knows */
    struct mapped_snapshot *snapshot; /* its last; or NULL */
    struct channel_listener *joins, *control;
    struct connection *connections;             /* list */
    struct loop_source *tick;                   /* head-nodes.c */
    struct refusal refusals[HEAD_REFUSALS_MAX]; /* a ring */
    uint64_t refusal_count;
    struct forgetting *forgetting; /* head-forget.c; or NULL */
    bool announced;                /* "ready" was said */
    bool stopping;
};

/* ---- head-setup.c */

/* Find out and make what must be there before anything is started. -EINVAL:
 * usage. */
int head_setup(struct head *head, struct error *err);
void head_setup_undo(struct head *head);

/* The key that all nodes share, as a file and for workers. */
int head_key_read(const struct head *head,
                  uint8_t ret_key[JOIN_KEY_SIZE_MAX],
                  size_t *ret_size,
                  struct error *err);

/* Make a new key in place of the old one. */
int head_key_renew(struct head *head, struct error *err);

/* ---- head-join.c */

int head_join_start(struct head *head, struct error *err);
void head_join_stop(struct head *head);

/* Tell MEMBER's worker; nothing when it is not connected. */
void head_tell(const struct member *member, const char *type, const char *text);

/* Tell MEMBER's worker what Slurm calls its node, when that is news to it; a
 * worker shows it in its own status. */
void head_tell_state(const struct member *member, const char *state);

/* Does its slurmd run, as its worker says? */
bool head_member_slurmd_ready(const struct member *member);

/* What its worker said of its services last: an array; or NULL. */
const json_t *head_member_services(const struct member *member);

/* The name, or the key, is free again; its connection ends. */
void head_member_forget(struct head *head, struct member *member);

/* Who is connected and not let in yet, for status: an array. */
json_t *head_joins_waiting(const struct head *head);

/* Send the key, the files and the users anew to everybody who is connected. */
void head_welcome_all(struct head *head);

/* ---- head-nodes.c */

int head_nodes_start(struct head *head, struct error *err);
void head_nodes_stop(struct head *head);

/* Slurm's record of NAME in the last snapshot; or NULL. */
const struct node_record *head_node_find(const struct head *head,
                                         const char *name);

/* Delete Slurm's record of NAME; DONE may be NULL. */
int head_node_delete(struct head *head,
                     const char *name,
                     action_done done,
                     struct error *err);

/* Set MEMBER's node down for WHY ("stopped"): its jobs are queued again. */
void head_member_down(struct head *head,
                      struct member *member,
                      const char *why);

/* Tell Slurm where MEMBER is now, if it thinks otherwise. */
void head_member_moved(struct head *head, struct member *member);

/* Begin to drain MEMBER (with NOW: set it down); once it is empty it is deleted
 * and forgotten. */
int head_member_leave(struct head *head,
                      struct member *member,
                      bool now,
                      struct error *err);

/* ---- head-forget.c */

/* Delete the node NAME from Slurm unless a pending job names it. One at a time;
 * while another is being looked at this does nothing, and the next tick asks
 * again. */
void head_forget(struct head *head, const char *name);
void head_forget_stop(struct head *head);

/* Does the host list LIST ("w[1-3],x2") perhaps name NAME? Errs on that side.
 */
bool host_list_may_name(const char *list, const char *name);

/* ---- head-control.c */

int head_control_start(struct head *head, struct error *err);
void head_control_stop(struct head *head);

/* ---- head-status.c */

/* What `status` shows; see doc/man. NULL without memory. */
json_t *head_status(const struct head *head);
