/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The proof that a worker can be reached: before it is let in, the head
 * connects back to the ports that slurmctld and srun will use, and has to hear
 * there what the worker said it would answer. Another machine's answer (NAT:
 * the gateway's) or none (a firewall) is a node that would be idle in Slurm and
 * never run a job (bringup.md, facts 0.2).
 */
#pragma once

#include "base/loop.h"
#include "cluster/join-message.h"

/* ---- the worker's side ----------------------------------------------------
 */

struct probe_answer;

/* Listen on all addresses, PORT (0: any), and tell NONCE to whoever connects.
 * -EADDRINUSE: something else listens there, ERR says so. */
int probe_answer_new(struct loop *loop,
                     uint16_t port,
                     const char *nonce,
                     struct probe_answer **ret_answer,
                     struct error *err);
uint16_t probe_answer_port(const struct probe_answer *answer);
struct probe_answer *probe_answer_free(struct probe_answer *answer);

/* 32 random letters. */
void probe_nonce(char ret_nonce[JOIN_NONCE_SIZE]);

/* ---- the head's side ------------------------------------------------------
 */

struct probe;

enum {
    PROBE_PORTS_MAX = 4
};

struct probe_target {
    const char *address; /* numeric */
    uint16_t ports[PROBE_PORTS_MAX];
    size_t port_count;
    const char *nonce;
    int64_t timeout_ns; /* for all of it */
};

/* DONE is called once, from the loop; REASON is NULL when every port gave the
 * right answer, else it tells the first that did not, and why. The owner frees
 * the probe, in DONE or before. */
int probe_new(struct loop *loop,
              const struct probe_target *target,
              void (*done)(void *context, const struct error *reason),
              void *context,
              struct probe **ret_probe,
              struct error *err);
struct probe *probe_free(struct probe *probe);
