/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state machine of services. Whatever happens (a call of ours, an end, a
 * time that has come) only notes it and makes the one timer due; the timer's
 * callback, supervisor_step(), looks at every service and takes it further.
 * So nothing here is ever entered twice, and the order of events cannot matter.
 */
#include "cluster/supervisor.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "cluster/leftover.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const int64_t backoff_min_ns = 200 * NS_PER_MS;
static const int64_t backoff_max_ns = 30 * NS_PER_S;
static const int64_t health_ns = 60 * NS_PER_S; /* back-off is forgotten */
static const int64_t start_timeout_ns = 30 * NS_PER_S;
static const int64_t stop_timeout_ns = 10 * NS_PER_S;
static const int64_t leftover_pause_ns = 50 * NS_PER_MS;
static const int64_t leftover_timeout_ns = 15 * NS_PER_S;
static const int64_t ready_interval_ns = 20 * NS_PER_MS;

const char *const service_state_words[SERVICE_STATE_COUNT] = {
    [SERVICE_STOPPED] = "stopped",   [SERVICE_WAITING] = "waiting",
    [SERVICE_STARTING] = "starting", [SERVICE_READY] = "ready",
    [SERVICE_BACKOFF] = "failed",    [SERVICE_STOPPING] = "stopping",
};

struct service {
    struct supervisor *supervisor;
    struct service_spec spec;
    size_t needs[SERVICE_NEEDS_MAX];
    size_t need_count;

    enum service_state state;
    int64_t since_ns;
    int64_t due_ns; /* of BACKOFF; of SIGKILL when STOPPING */
    int64_t backoff_ns;
    struct process *process; /* NULL: none runs */
    bool wanted;
    bool restart;       /* is to be stopped and started anew */
    bool start_was_bad; /* is being killed for not getting ready */
    uint32_t restarts;
    char reason[256];
    char complaint[160]; /* the line of this run that tells most of its end */
    bool complaint_is_error;
    char *lines[SERVICE_LINES_MAX]; /* oldest first */
    size_t line_count;
    int64_t leftover_ns; /* monotonic: an earlier one is being ended since */
};

struct supervisor {
    struct loop *loop;
    struct process_table *table;
    struct loop_source *timer;
    struct service *services;
    size_t count;
    bool running; /* what is wanted is to run */
    bool has_changed;
    void (*changed)(void *context);
    void (*stopped)(void *context); /* still to be told; or NULL */
    void *context;
};

static void set_state(struct service *service, enum service_state state)
{
    if (service->state == state)
        return;
    service->state = state;
    service->since_ns = clock_monotonic_ns();
    service->supervisor->has_changed = true;
}

static bool must_stop(const struct service *service)
{
    return !service->supervisor->running || !service->wanted ||
           service->restart;
}

/* ---- starting ------------------------------------------------------------ */

static bool needs_are_met(const struct service *service)
{
    for (size_t i = 0; i < service->need_count; i++) {
        const struct service *need =
            &service->supervisor->services[service->needs[i]];
        if (need->state != SERVICE_READY || must_stop(need))
            return false;
    }
    return true;
}

/* It ended, or could not be started, without having been asked to. */
static void service_fail(struct service *service, const char *how)
{
    bool was_healthy = service->state == SERVICE_READY &&
                       clock_monotonic_ns() - service->since_ns >= health_ns;
    if (was_healthy || service->backoff_ns == 0)
        service->backoff_ns = backoff_min_ns;

    snprintf(service->reason, sizeof(service->reason), "%s%s%s", how,
             service->complaint[0] ? ": " : "", service->complaint);
    service->restarts++;
    service->restart = false;
    service->due_ns = clock_monotonic_ns() + service->backoff_ns;
    log_warning("%s: %s; is started again in %.1f s", service->spec.name,
                service->reason,
                (double)service->backoff_ns / (double)NS_PER_S);
    service->backoff_ns *= 2;
    if (service->backoff_ns > backoff_max_ns)
        service->backoff_ns = backoff_max_ns;
    set_state(service, SERVICE_BACKOFF);
}

static bool tells_error(const char *line)
{
    return strcasestr(line, "error") || strcasestr(line, "fatal");
}

/* How bad LINE is: by the "<N>" that the service put in front of it, which is
 * taken off, or else by its words. */
static enum log_level line_level(const char **line)
{
    const char *at = *line;
    if (at[0] == '<' && at[1] >= '0' && at[1] <= '7' && at[2] == '>') {
        int level = at[1] - '0';
        *line += 3;
        return level < LOG_LEVEL_ERROR ? LOG_LEVEL_ERROR : level;
    }
    return tells_error(at) ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO;
}

static void on_line(void *context, const char *line)
{
    struct service *service = context;
    enum log_level level = line_level(&line);
    bool is_error = level <= LOG_LEVEL_WARNING;
    /* A person at a terminal has asked for a cluster, not for its chatter. */
    log_message(isatty(STDERR_FILENO) ? LOG_LEVEL_DEBUG : level, "%s: %s",
                service->spec.name, line);
    if (is_error || !service->complaint_is_error) {
        snprintf(service->complaint, sizeof(service->complaint), "%s", line);
        service->complaint_is_error = is_error;
    }
    if (service->line_count == SERVICE_LINES_MAX) {
        free(service->lines[0]);
        memmove(&service->lines[0], &service->lines[1],
                (SERVICE_LINES_MAX - 1) * sizeof(service->lines[0]));
        service->line_count--;
    }
    char *copy = strdup(line);
    if (copy)
        service->lines[service->line_count++] = copy;
}

static void on_ended(void *context, struct process *process, int status)
{
    struct service *service = context;
    service->process = process_free(process);
    if (service->spec.pid_path)
        leftover_forget(service->spec.pid_path);
    if (service->start_was_bad) {
        service_fail(service, "was not ready in time");
    } else if (service->state == SERVICE_STOPPING) {
        log_info("%s has stopped", service->spec.name);
        service->restart = false;
        service->backoff_ns = 0;
        set_state(service, SERVICE_STOPPED);
    } else {
        char how[64];
        process_status_text(status, how, sizeof(how));
        service_fail(service, how);
    }
    service->start_was_bad = false;
    loop_timer_set(service->supervisor->timer, 1);
}

static void complaint_forget(struct service *service)
{
    service->complaint[0] = '\0';
    service->complaint_is_error = false;
}

/* Does one of a supervisor before us still run? It is told to end, and we come
 * again in a moment. */
static bool leftover_runs(struct service *service)
{
    const char *path = service->spec.pid_path;
    int64_t now_ns = clock_monotonic_ns();
    if (!path || !leftover_signal(path, 0))
        return false;
    if (service->leftover_ns == 0) {
        log_notice("%s of an earlier start still runs; it is ended",
                   service->spec.name);
        service->leftover_ns = now_ns;
        leftover_signal(path, SIGTERM);
    } else if (now_ns - service->leftover_ns > leftover_timeout_ns) {
        leftover_signal(path, SIGKILL);
    }
    service->due_ns = now_ns + leftover_pause_ns;
    set_state(service, SERVICE_BACKOFF);
    return true;
}

static void service_launch(struct service *service)
{
    const struct service_spec *spec = &service->spec;
    struct error err = {""};
    complaint_forget(service);
    if (leftover_runs(service))
        return;
    service->leftover_ns = 0;
    if (spec->prepare && spec->prepare(spec->context, &err) < 0) {
        service_fail(service, err.text);
        return;
    }
    const char *const *arguments = spec->command(spec->context);
    if (!arguments) {
        service_fail(service, "memory ran out");
        return;
    }
    struct process_spec process = {.arguments = arguments,
                                   .environment = spec->environment,
                                   .user = spec->user,
                                   .line = on_line,
                                   .ended = on_ended,
                                   .context = service};
    if (process_start(service->supervisor->table, &process, &service->process,
                      &err) < 0) {
        service_fail(service, err.text);
        return;
    }
    if (spec->pid_path)
        leftover_record(spec->pid_path, process_pid(service->process));
    set_state(service, SERVICE_STARTING);
}

static void service_check_ready(struct service *service)
{
    if (!service->spec.ready || service->spec.ready(service->spec.context)) {
        log_debug("%s is ready after %.2f s", service->spec.name,
                  (double)(clock_monotonic_ns() - service->since_ns) /
                      (double)NS_PER_S);
        /* What it complained of until here was not its end. */
        complaint_forget(service);
        set_state(service, SERVICE_READY);
        return;
    }
    int64_t timeout_ns = service->spec.start_timeout_ns
                             ? service->spec.start_timeout_ns
                             : start_timeout_ns;
    if (clock_monotonic_ns() - service->since_ns >= timeout_ns) {
        service->start_was_bad = true;
        process_signal(service->process, SIGKILL);
        service->due_ns = INT64_MAX;
        set_state(service, SERVICE_STOPPING);
    }
}

/* ---- stopping ------------------------------------------------------------ */

/* Those behind it in the order that have to stop as well go first. */
static bool may_stop_now(const struct service *service)
{
    const struct supervisor *supervisor = service->supervisor;
    const struct service *end = supervisor->services + supervisor->count;
    for (const struct service *later = service + 1; later < end; later++)
        if (later->process && must_stop(later))
            return false;
    return true;
}

static void service_stop(struct service *service)
{
    int64_t timeout_ns = service->spec.stop_timeout_ns
                             ? service->spec.stop_timeout_ns
                             : stop_timeout_ns;
    service->due_ns = clock_monotonic_ns() + timeout_ns;
    process_signal(service->process, SIGTERM);
    set_state(service, SERVICE_STOPPING);
}

static void service_kill_when_due(struct service *service)
{
    if (clock_monotonic_ns() < service->due_ns)
        return;
    log_warning("%s does not stop; it is killed", service->spec.name);
    process_signal(service->process, SIGKILL);
    service->due_ns = INT64_MAX;
}

/* ---- the step ------------------------------------------------------------ */

static void step_running(struct service *service)
{
    if (service->state == SERVICE_STOPPING)
        service_kill_when_due(service);
    else if (must_stop(service) && may_stop_now(service))
        service_stop(service);
    else if (service->state == SERVICE_STARTING)
        service_check_ready(service);
}

static void step_down(struct service *service)
{
    /* Down already: all that is left of a restart is to start. */
    if (service->restart) {
        service->restart = false;
        service->due_ns = 0;
    }
    if (must_stop(service))
        set_state(service, SERVICE_STOPPED);
    else if (service->state == SERVICE_STOPPED ||
             (service->state == SERVICE_BACKOFF &&
              clock_monotonic_ns() >= service->due_ns))
        set_state(service, SERVICE_WAITING);
    if (service->state == SERVICE_WAITING && needs_are_met(service))
        service_launch(service);
}

/* When SERVICE has to be looked at again; INT64_MAX: when something happens. */
static int64_t service_due_ns(const struct service *service, int64_t now_ns)
{
    if (service->state == SERVICE_STARTING)
        return now_ns + ready_interval_ns;
    if (service->state == SERVICE_BACKOFF || service->state == SERVICE_STOPPING)
        return service->due_ns;
    return INT64_MAX;
}

static bool all_down(const struct supervisor *supervisor)
{
    for (size_t i = 0; i < supervisor->count; i++)
        if (supervisor->services[i].state != SERVICE_STOPPED)
            return false;
    return true;
}

/* Tell the owner, who may call us, and from stopped() may free us. */
static void supervisor_tell(struct supervisor *supervisor)
{
    if (supervisor->has_changed) {
        supervisor->has_changed = false;
        if (supervisor->changed)
            supervisor->changed(supervisor->context);
    }
    if (!supervisor->running && supervisor->stopped && all_down(supervisor)) {
        void (*stopped)(void *context) = supervisor->stopped;
        supervisor->stopped = NULL;
        stopped(supervisor->context);
    }
}

static void supervisor_step(void *context, uint32_t events)
{
    struct supervisor *supervisor = context;
    (void)events;
    struct service *end = supervisor->services + supervisor->count;
    for (struct service *s = supervisor->services; s < end; s++)
        if (s->process)
            step_running(s);
        else
            step_down(s);

    int64_t now_ns = clock_monotonic_ns(), due_ns = INT64_MAX;
    for (const struct service *s = supervisor->services; s < end; s++)
        if (service_due_ns(s, now_ns) < due_ns)
            due_ns = service_due_ns(s, now_ns);
    /* What changed may let another go on. */
    if (supervisor->has_changed)
        due_ns = 1;
    loop_timer_set(supervisor->timer, due_ns == INT64_MAX ? 0 : due_ns);
    supervisor_tell(supervisor);
}

/* ---- for the owner ------------------------------------------------------- */

static struct service *service_find(const struct supervisor *supervisor,
                                    const char *name)
{
    for (size_t i = 0; i < supervisor->count; i++)
        if (strcmp(supervisor->services[i].spec.name, name) == 0)
            return &supervisor->services[i];
    return NULL;
}

/* Needs have to come earlier in the list, so there are no circles. */
static int service_init(struct service *service,
                        struct supervisor *supervisor,
                        const struct service_spec *spec,
                        struct error *err)
{
    *service = (struct service){.supervisor = supervisor,
                                .spec = *spec,
                                .since_ns = clock_monotonic_ns(),
                                .wanted = true};
    for (size_t i = 0; i < SERVICE_NEEDS_MAX && spec->needs[i]; i++) {
        const struct service *need = service_find(supervisor, spec->needs[i]);
        if (!need)
            return error_set(err, EINVAL,
                             "service %s needs %s, which does not come before",
                             spec->name, spec->needs[i]);
        service->needs[service->need_count++] =
            (size_t)(need - supervisor->services);
    }
    return 0;
}

int supervisor_new(struct loop *loop,
                   struct process_table *table,
                   const struct service_spec *specs,
                   size_t count,
                   void (*changed)(void *context),
                   void *context,
                   struct supervisor **ret_supervisor,
                   struct error *err)
{
    struct supervisor *supervisor = calloc(1, sizeof(*supervisor));
    if (!supervisor)
        return error_errno(err, ENOMEM, "supervisor");
    *supervisor = (struct supervisor){
        .loop = loop, .table = table, .changed = changed, .context = context};
    supervisor->services = calloc(count ? count : 1, sizeof(struct service));
    int r = supervisor->services ? 0 : error_errno(err, ENOMEM, "supervisor");
    for (; r == 0 && supervisor->count < count; supervisor->count++)
        r = service_init(&supervisor->services[supervisor->count], supervisor,
                         &specs[supervisor->count], err);
    if (r == 0)
        r = loop_add_timer(loop, supervisor_step, supervisor,
                           &supervisor->timer, err);
    if (r < 0) {
        supervisor_free(supervisor);
        return r;
    }
    *ret_supervisor = supervisor;
    return 0;
}

struct supervisor *supervisor_free(struct supervisor *supervisor)
{
    if (!supervisor)
        return NULL;
    for (size_t i = 0; i < supervisor->count; i++) {
        struct service *service = &supervisor->services[i];
        process_free(service->process);
        for (size_t line = 0; line < service->line_count; line++)
            free(service->lines[line]);
    }
    free(supervisor->services);
    loop_source_free(supervisor->timer);
    free(supervisor);
    return NULL;
}

void supervisor_start(struct supervisor *supervisor)
{
    supervisor->running = true;
    supervisor->stopped = NULL;
    loop_timer_set(supervisor->timer, 1);
}

void supervisor_stop(struct supervisor *supervisor,
                     void (*stopped)(void *context))
{
    supervisor->running = false;
    supervisor->stopped = stopped;
    loop_timer_set(supervisor->timer, 1);
}

void supervisor_restart(struct supervisor *supervisor,
                        const char *name,
                        bool also_dependents)
{
    struct service *service = service_find(supervisor, name);
    assert(service);
    struct service *end = supervisor->services + supervisor->count;
    service->restart = true;
    for (struct service *s = service + 1; also_dependents && s < end; s++)
        for (size_t i = 0; i < s->need_count; i++)
            s->restart |= supervisor->services[s->needs[i]].restart;
    for (struct service *s = service; s < end; s++)
        if (s->restart)
            s->backoff_ns = 0;
    loop_timer_set(supervisor->timer, 1);
}

void supervisor_set_wanted(struct supervisor *supervisor,
                           const char *name,
                           bool wanted)
{
    struct service *service = service_find(supervisor, name);
    assert(service);
    service->wanted = wanted;
    loop_timer_set(supervisor->timer, 1);
}

bool supervisor_all_ready(const struct supervisor *supervisor)
{
    for (size_t i = 0; i < supervisor->count; i++) {
        const struct service *service = &supervisor->services[i];
        if (service->wanted &&
            (service->state != SERVICE_READY || must_stop(service)))
            return false;
    }
    return true;
}

size_t supervisor_count(const struct supervisor *supervisor)
{
    return supervisor->count;
}

void supervisor_status(const struct supervisor *supervisor,
                       size_t index,
                       struct service_status *ret_status)
{
    assert(index < supervisor->count);
    const struct service *service = &supervisor->services[index];
    *ret_status = (struct service_status){
        .name = service->spec.name,
        .state = service->state,
        .pid = service->process ? process_pid(service->process) : 0,
        .since_ns = service->since_ns,
        .restarts = service->restarts,
        .due_ns = service->state == SERVICE_BACKOFF ? service->due_ns : 0,
    };
    memcpy(ret_status->reason, service->reason, sizeof(ret_status->reason));
    for (size_t i = 0; i < service->line_count && i < SERVICE_LINES_MAX; i++)
        ret_status->lines[i] = service->lines[i];
}
