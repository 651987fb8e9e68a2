/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may join: everything about a HELLO that can be judged by looking at it.
 * Data and arithmetic only, so that each refusal has a unit test; the token is
 * judged by token.h, the way back to the worker by probe.h.
 *
 * A reason is one sentence or two for the person at the worker: what is wrong,
 * and what to type next.
 */
#pragma once

#include "cluster/join-message.h"
#include "cluster/roster.h"

struct admission_facts {
    slurm_version slurm; /* of the head */
    bool confine_gpus;   /* jobs are kept to their GPUs */
    bool auth_slurm;     /* the cluster authenticates by it */
    const char *version; /* of gpu-watchdog on the head */
    const char *node;    /* the head's own name */
    int64_t now_ns;      /* real time */
    const struct roster *roster;
    const struct pin *pin; /* of the one who asks */
};

enum {
    /* Slurm and munge live with more, but then messages expire at random. */
    ADMISSION_CLOCK_S = 5
};

/* 0: may go on; -EACCES with the reason. */
int admission_judge(const struct admission_facts *facts,
                    const struct join_hello *hello,
                    struct error *err);
