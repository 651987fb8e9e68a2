/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps services running: starts each once those it needs are ready, restarts
 * what ends with back-off (0.2 s, doubled up to 30 s, forgotten after a minute
 * of health), keeps the last lines that each wrote, and stops all in the
 * reverse order. Our stand-in for systemd in a container; knows nothing of
 * Slurm (services.h does).
 *
 * Services run in the foreground and write to standard error; their lines go
 * to our log with the name in front.
 */
#pragma once

#include "base/process.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    SERVICE_NEEDS_MAX = 4,
    SERVICE_LINES_MAX = 20 /* remembered of each */
};

enum service_state {
    SERVICE_STOPPED,  /* not wanted */
    SERVICE_WAITING,  /* for one that it needs */
    SERVICE_STARTING, /* runs, not ready yet */
    SERVICE_READY,
    SERVICE_BACKOFF, /* ended; is started again at due_ns */
    SERVICE_STOPPING,
    SERVICE_STATE_COUNT
};

/* "ready", "failed" for BACKOFF, ... */
extern const char *const service_state_words[SERVICE_STATE_COUNT];

struct service_spec {
    const char *name;
    /* Names of services before it in the list; NULL ends. They have to be ready
     * when it starts; one that ends later does not take it along. */
    const char *needs[SERVICE_NEEDS_MAX];
    const char *pid_path; /* where leftover.h remembers it; NULL: nowhere */
    const char *user;     /* as process_spec */
    const char *const *environment; /* whole; NULL: ours */

    /* What must be there before each start (folders, stale sockets). NULL:
     * none. -errno: counts as a failed start. */
    int (*prepare)(void *context, struct error *err);
    /* argv for this start, NULL at the end; lives until the next call. NULL:
     * memory ran out. */
    const char *const *(*command)(void *context);
    /* Is it ready to serve? Asked every 20 ms while it starts, not afterwards.
     * NULL: as soon as it runs. Not ready in time: killed, a failed start. */
    bool (*ready)(void *context);
    void *context;
    int64_t start_timeout_ns; /* to get ready; 0: 30 s */
    int64_t stop_timeout_ns;  /* SIGTERM, then SIGKILL; 0: 10 s */
};

struct service_status {
    const char *name;
    enum service_state state;
    pid_t pid;
    int64_t since_ns;  /* monotonic: in this state */
    uint32_t restarts; /* that were not asked for */
    int64_t due_ns;    /* of BACKOFF */
    char reason[256];  /* why it ended last: its last error line, or how */
    /* Oldest first; NULL behind the last when there are fewer. They live until
     * the loop goes on. */
    const char *lines[SERVICE_LINES_MAX];
};

struct supervisor;

/* CHANGED is called when a state changed. SPECS are copied; their strings and
 * contexts are the caller's. */
int supervisor_new(struct loop *loop,
                   struct process_table *table,
                   const struct service_spec *specs,
                   size_t count,
                   void (*changed)(void *context),
                   void *context,
                   struct supervisor **ret_supervisor,
                   struct error *err);

/* Everything must have been stopped, or is left running, as it is when we are
 * killed; what PID_PATH remembers is ended by our successor before it starts
 * its own. Accepts NULL; returns NULL. */
struct supervisor *supervisor_free(struct supervisor *supervisor);

/* Begin, or begin again after a stop. This and the calls below return at once;
 * the loop does the work, CHANGED and STOPPED are called from it. */
void supervisor_start(struct supervisor *supervisor);

/* Stop everything in the reverse order; STOPPED (or NULL) is called once all is
 * down, and may free the supervisor. */
void supervisor_stop(struct supervisor *supervisor,
                     void (*stopped)(void *context));

/* Start NAME anew (with those that need it only when ALSO_DEPENDENTS), as soon
 * as possible and without back-off. */
void supervisor_restart(struct supervisor *supervisor,
                        const char *name,
                        bool also_dependents);

/* A service that is switched off, and on. Others that need it go on. */
void supervisor_set_wanted(struct supervisor *supervisor,
                           const char *name,
                           bool wanted);

bool supervisor_all_ready(const struct supervisor *supervisor);

size_t supervisor_count(const struct supervisor *supervisor);
void supervisor_status(const struct supervisor *supervisor,
                       size_t index,
                       struct service_status *ret_status);
