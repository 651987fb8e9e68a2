/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The serving process's side of act.c: starts the child that acts while there
 * are rights to give to it, hands it what people ask for, and remembers the
 * last outcomes. Nothing here waits.
 *
 * A child that has ended cannot be replaced, as the rights are gone by then:
 * every action is refused from then on, with that reason.
 */
#pragma once

#include "base/loop.h"
#include "watchdog/action-request.h"
#include "watchdog/settings.h"
#include "watchdog/sign-in.h"

struct deputy;

enum deed_state {
    DEED_RUNNING,
    DEED_DONE,
    DEED_REFUSED,
    DEED_STATE_COUNT
};

extern const char *const deed_state_names[DEED_STATE_COUNT];

struct deed_record {
    uint64_t id; /* 0: none */
    int64_t time_s;
    enum deed_state state;
    enum action_verb verb;
    char who[64], as[64];
    char targets[512];
    char text[1024]; /* what the command said */
    char job[32];    /* the number of one that was submitted, or "" */
    char *script;    /* that was asked for; NULL; the deputy's */
};

enum {
    DEEDS_KEPT = 64
};

/* FOLDER is where the audit log lies. CHANGED is called when an outcome came,
 * with what it is of. */
int deputy_new(struct loop *loop,
               const struct settings *settings,
               const char *folder,
               void (*changed)(void *context, const struct deed_record *deed),
               void *context,
               struct deputy **ret_deputy,
               struct error *err);

/* Accepts NULL; returns NULL. */
struct deputy *deputy_free(struct deputy *deputy);

/* Have done for VIEWER what the SIZE bytes of BODY ask for (action-request.h).
 * -EINVAL: they are wrong; another: it was not begun. ERR is a sentence. */
int deputy_ask(struct deputy *deputy,
               const struct viewer *viewer,
               const char *from,
               const char *body,
               size_t size,
               uint64_t *ret_id,
               struct error *err);

/* The INDEXth of the last ones, the newest first; NULL behind the last. */
const struct deed_record *deputy_deed(const struct deputy *deputy,
                                      size_t index);
