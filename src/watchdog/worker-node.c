/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The node itself: Slurm's files, munged and slurmd, and the proof at the end
 * of joining, which is Slurm's own word: sinfo, run here, goes the whole way
 * from our munge key to slurmctld's list of nodes.
 */
#include "watchdog/worker.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/notify.h"
#include "cluster/programs.h"
#include "cluster/slurm-files.h"
#include "cluster/users.h"
#include "watchdog/progress.h"

#include <stdio.h>
#include <string.h>

#define PROOF_INTERVAL_NS (100 * NS_PER_MS)
#define PROOF_TIMEOUT_NS (20 * NS_PER_S)
/* One that meets a daemon which just starts may wait long for nothing. */
#define SINFO_TIMEOUT_NS (2 * NS_PER_S)

bool worker_slurmd_ready(const struct worker *worker)
{
    size_t count =
        worker->supervisor ? supervisor_count(worker->supervisor) : 0;
    for (size_t i = 0; i < count; i++) {
        struct service_status status;
        supervisor_status(worker->supervisor, i, &status);
        if (strcmp(status.name, "slurmd") == 0)
            return status.state == SERVICE_READY;
    }
    return false;
}

/* ---- the proof ------------------------------------------------------------
 */

static void proof_later(struct worker *worker)
{
    loop_timer_set(worker->proof_timer,
                   clock_monotonic_ns() + PROOF_INTERVAL_NS);
}

static void prove(struct worker *worker, const char *state)
{
    char status[256], words[JOIN_CLUSTER_WORDS_SIZE];
    worker->proven = true;
    join_cluster_words(worker->cluster, words);
    progress_done("%s is %s in Slurm; type: sinfo", worker->node, state);
    snprintf(status, sizeof(status), "node %s of %s", worker->node, words);
    notify_ready(status, NULL);
    worker_beat_now(worker); /* so that the head looks, too */
}

/* "idle", or with a star when it does not respond, or "inval" and a reason. */
static void on_proof_line(void *context, const char *line)
{
    struct worker *worker = context;
    /* sinfo's word for "there is no reason". */
    size_t length = strlen(line);
    bool plain = length > 5 && strcmp(line + length - 5, " none") == 0;
    snprintf(worker->slurm_state, sizeof(worker->slurm_state), "%.*s",
             (int)(plain ? length - 5 : length), line);
}

void worker_node_state(struct worker *worker, const json_t *message)
{
    char state[JOIN_REASON_SIZE];
    if (message_read_text(message, "text", state, sizeof(state), NULL) == 0)
        snprintf(worker->told_state, sizeof(worker->told_state), "%s", state);
}

static void on_proof_ended(void *context, struct process *process, int status)
{
    struct worker *worker = context;
    char state[JOIN_REASON_SIZE];
    (void)process;
    (void)status;
    worker->proof = process_free(worker->proof);
    snprintf(state, sizeof(state), "%.*s",
             (int)strcspn(worker->slurm_state, " "), worker->slurm_state);
    if (strcmp(state, "idle") == 0 || strcmp(state, "mixed") == 0 ||
        strcmp(state, "allocated") == 0) {
        prove(worker, state);
        return;
    }
    if (clock_monotonic_ns() > worker->proof_due_ns) {
        log_error("the node is not idle in Slurm after 20 s, but: %s; "
                  "\"gpu-watchdog doctor\" looks for the cause",
                  *worker->slurm_state ? worker->slurm_state
                                       : "Slurm does not answer");
        worker->proof_due_ns = INT64_MAX;
    }
    proof_later(worker);
}

static void on_proof_due(void *context, uint32_t events)
{
    struct worker *worker = context;
    char nodes[JOIN_NAME_SIZE + 16];
    struct error err;
    (void)events;
    snprintf(nodes, sizeof(nodes), "--nodes=%s", worker->node);
    const char *const arguments[] = {"sinfo", "--noheader", nodes,
                                     "--format=%T %E", NULL};
    const struct process_spec spec = {
        .arguments = arguments,
        .line = on_proof_line,
        .ended = on_proof_ended,
        .context = worker,
        .deadline_ns = clock_monotonic_ns() + SINFO_TIMEOUT_NS,
    };
    if (worker->proof || worker->proven || worker->stopping)
        return;
    if (process_start(worker->processes, &spec, &worker->proof, &err) < 0)
        log_error("sinfo: %s", err.text);
}

/* ---- services -------------------------------------------------------------
 */

static void on_services_changed(void *context)
{
    struct worker *worker = context;
    progress_services(worker->supervisor);
    worker_beat_now(worker);
    if (worker->proof_due_ns != 0 || !worker_slurmd_ready(worker))
        return;
    worker->proof_due_ns = clock_monotonic_ns() + PROOF_TIMEOUT_NS;
    on_proof_due(worker, 0);
}

static int start_services(struct worker *worker, struct error *err)
{
    slurm_files_node_conf(&worker->inventory, worker->slurm,
                          &worker->node_conf);
    const struct services_settings settings = {
        .compute = true,
        .auth_slurm = worker->auth_slurm,
        .state = worker->state,
        .munge_user = worker->munge_user,
        .address = channel_own_address(worker->channel),
        .node = worker->node,
        .node_conf = text_str(&worker->node_conf),
        .gpus = worker->inventory.gpus.count > 0,
    };
    if (!settings.node_conf)
        return error_set(err, ENOMEM, "out of memory");
    int r = services_new(&settings, &worker->services, err);
    if (r < 0)
        return r;
    size_t count;
    const struct service_spec *specs = services_specs(worker->services, &count);
    r = supervisor_new(worker->loop, worker->processes, specs, count,
                       on_services_changed, worker, &worker->supervisor, err);
    if (r == 0)
        r = loop_add_timer(worker->loop, on_proof_due, worker,
                           &worker->proof_timer, err);
    if (r == 0)
        supervisor_start(worker->supervisor);
    return r;
}

static int write_files(struct worker *worker,
                       const struct join_welcome *welcome,
                       bool *ret_changed,
                       struct error *err)
{
    _cleanup_(text_deinit) struct text gres = TEXT_INIT, cgroup = TEXT_INIT;
    /* What is this node's own follows its devices and its version. */
    const struct slurm_cluster own = {.version = worker->slurm,
                                      .confine_gpus = welcome->confine_gpus};
    slurm_files_cgroup_conf(&own, &cgroup);
    slurm_files_gres_conf(&worker->inventory, &gres);
    const struct slurm_files files = {
        .slurm_conf = welcome->slurm_conf,
        .cgroup_conf = text_str(&cgroup),
        .gres_conf = text_str(&gres),
    };
    if (!files.gres_conf || !files.cgroup_conf)
        return error_set(err, ENOMEM, "out of memory");
    int r = slurm_files_write(SLURM_FILES_DIRECTORY, &files, err);
    *ret_changed = r > 0;
    return r < 0 ? r : 0;
}

static void apply_users(const struct join_welcome *welcome)
{
    struct users users;
    struct error err;
    int r = users_read(welcome->users, &users, &err);
    if (r == 0)
        r = users_apply(&users, &err);
    if (r < 0)
        log_warning("users of the cluster: %s", err.text);
    users_close(&users);
}

/* The head has changed to or from munge: what is to run is another list. */
static void on_services_stopped(void *context)
{
    struct worker *worker = context;
    struct error err;
    worker->supervisor = supervisor_free(worker->supervisor);
    worker->services = services_free(worker->services);
    worker->proof = process_free(worker->proof);
    worker->proof_timer = loop_source_free(worker->proof_timer);
    text_clear(&worker->node_conf);
    worker->restarting = false;
    if (start_services(worker, &err) < 0) {
        log_error("%s", err.text);
        worker_end(worker, EXIT_FAILURE);
    }
}

static void
follow_change(struct worker *worker, bool auth, bool key, bool files)
{
    if (worker->restarting)
        return;
    if (auth) {
        log_notice("the cluster authenticates by %s now; munged and slurmd are "
                   "set up anew",
                   worker->auth_slurm ? "auth/slurm" : "munge");
        worker->restarting = true;
        supervisor_stop(worker->supervisor, on_services_stopped);
    } else if (key) {
        supervisor_restart(worker->supervisor,
                           worker->auth_slurm ? "slurmd" : "munged", true);
    } else if (files) {
        supervisor_restart(worker->supervisor, "slurmd", false);
    }
}

int worker_node_update(struct worker *worker,
                       const struct join_welcome *welcome,
                       struct error *err)
{
    bool key_changed, files_changed = false;
    bool auth_changed = worker->auth_slurm != welcome->auth_slurm;
    snprintf(worker->node, sizeof(worker->node), "%s", welcome->node);
    snprintf(worker->cluster, sizeof(worker->cluster), "%s", welcome->cluster);
    worker->auth_slurm = welcome->auth_slurm;
    int r = 0;
    if (!worker->auth_slurm && (auth_changed || !worker->supervisor))
        r = programs_check(false, true, true, err);
    if (r == 0)
        r = worker_key_write(worker, welcome->key, welcome->key_size,
                             &key_changed, err);
    if (r == 0)
        r = write_files(worker, welcome, &files_changed, err);
    if (r == 0)
        r = worker_remember(worker, err);
    if (r < 0)
        return r;
    if (!worker->member || !worker->supervisor)
        progress_step("let in as %s (%s); key and configuration are here",
                      worker->node, welcome->address);
    worker->member = true;
    apply_users(welcome);
    if (!worker->supervisor)
        return start_services(worker, err);
    follow_change(worker, auth_changed, key_changed, files_changed);
    return 0;
}

void worker_node_stop(struct worker *worker)
{
    worker->proof = process_free(worker->proof);
    worker->proof_timer = loop_source_free(worker->proof_timer);
    worker->supervisor = supervisor_free(worker->supervisor);
    worker->services = services_free(worker->services);
    text_deinit(&worker->node_conf);
}
