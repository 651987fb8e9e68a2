/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connection to the head: it is made, says HELLO, beats, and is made again
 * when it is lost. While it is away the node goes on: Slurm does not need us to
 * run jobs.
 */
#include "watchdog/worker.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "cluster/confine.h"
#include "watchdog/progress.h"
#include "watchdog/services-status.h"
#include "watchdog/version.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum {
    SRUN_PORT = 60001 /* the first of SrunPortRange */
};

#define RETRY_FIRST_NS (NS_PER_S / 4)
#define RETRY_LAST_NS (5 * NS_PER_S)
/* A beat as long as the head has not told another one. */
#define BEAT_NS (2 * NS_PER_S)

static void close_answers(struct worker *worker)
{
    for (size_t i = 0; i < WORKER_ANSWERS; i++)
        worker->answers[i] = probe_answer_free(worker->answers[i]);
    worker->nonce[0] = '\0';
}

/* A member has been reached before, and its slurmd may run. */
static int open_answers(struct worker *worker, struct error *err)
{
    static const uint16_t ports[WORKER_ANSWERS] = {SLURMD_PORT, SRUN_PORT};
    close_answers(worker);
    if (worker->member)
        return 0;
    probe_nonce(worker->nonce);
    int r = 0;
    for (size_t i = 0; i < WORKER_ANSWERS && r == 0; i++)
        r = probe_answer_new(worker->loop, ports[i], worker->nonce,
                             &worker->answers[i], err);
    return r;
}

static void send_message(struct worker *worker, json_t *message)
{
    struct error err;
    if (!message)
        log_error("out of memory");
    else if (channel_send(worker->channel, message, &err) < 0)
        log_warning("%s: %s", worker->head, err.text);
    json_decref(message);
}

void worker_tell(struct worker *worker, const char *type, bool now)
{
    if (worker->welcomed)
        send_message(worker, json_pack("{s:s, s:b}", "type", type, "now", now));
}

/* ---- HELLO and its answers ------------------------------------------------
 */

static void send_hello(struct worker *worker)
{
    bool answers = *worker->nonce;
    struct join_hello hello = {
        .protocol = JOIN_PROTOCOL,
        .has_token = worker->show_token,
        .slurm = worker->slurm,
        .auth_slurm = worker->can_auth_slurm,
        .confines_gpus = confine_check(CONFINE_DIRECTORY, NULL) == 0,
        .version = PROJECT_VERSION,
        .clock_ns = clock_realtime_ns(),
        .slurmd_port = answers ? SLURMD_PORT : 0,
        .srun_port = answers ? SRUN_PORT : 0,
        .inventory = worker->inventory, /* lent, not given */
    };
    const char *name = worker->member ? worker->node : worker->settings->name;
    snprintf(hello.name, sizeof(hello.name), "%s", name);
    snprintf(hello.host, sizeof(hello.host), "%s", worker->host);
    snprintf(hello.nonce, sizeof(hello.nonce), "%s", worker->nonce);
    if (hello.has_token) {
        memcpy(hello.token_id, worker->token.id, sizeof(hello.token_id));
        memcpy(hello.token_secret, worker->token.secret,
               sizeof(hello.token_secret));
    }
    send_message(worker, join_hello_write(&hello));
    explicit_bzero(hello.token_secret, sizeof(hello.token_secret));
}

static void on_welcome(struct worker *worker, const json_t *message)
{
    struct join_welcome welcome;
    struct error err;
    close_answers(worker);
    worker->welcomed = true;
    worker->show_token = false;
    worker->retry_ns = RETRY_FIRST_NS;
    worker->trouble[0] = '\0';
    int r = join_welcome_read(message, &welcome, &err);
    if (r < 0)
        error_prefix(&err, "what the head sends makes no sense");
    else
        r = worker_node_update(worker, &welcome, &err);
    explicit_bzero(welcome.key, sizeof(welcome.key));
    if (r < 0) {
        log_error("%s", err.text);
        worker_end(worker, EXIT_FAILURE);
        return;
    }
    worker->beat_ns = welcome.beat_ms * NS_PER_MS;
    worker_beat_now(worker);
}

static void on_refused(struct worker *worker, const json_t *message)
{
    char reason[JOIN_REASON_SIZE];
    struct error err;
    if (message_read_text(message, "text", reason, sizeof(reason), &err) < 0)
        snprintf(reason, sizeof(reason), "without a reason it can tell");
    /* Started again with its old token after it has left: it may use it. */
    if (!worker->show_token && worker->has_token && !worker->welcomed) {
        worker->show_token = true;
        worker->member = false;
        return; /* the head hangs up, and we come again */
    }
    log_error("the head refuses: %s", reason);
    worker_end(worker, EXIT_FAILURE);
}

static void on_progress(struct worker *worker, const json_t *message)
{
    char text[JOIN_REASON_SIZE];
    if (message_read_text(message, "text", text, sizeof(text), NULL) == 0)
        worker_control_progress(worker, text);
}

static void on_left(struct worker *worker)
{
    char words[JOIN_CLUSTER_WORDS_SIZE];
    worker->left = true;
    log_notice("left %s", join_cluster_words(worker->cluster, words));
    worker_end(worker, EXIT_SUCCESS);
}

/* Slurm has lost the node, or all its state, and with that may count its jobs
 * anew. */
static void on_restart_slurmd(struct worker *worker)
{
    services_forget_credentials(worker->services);
    supervisor_restart(worker->supervisor, "slurmd", false);
}

static void
on_received(void *context, struct channel *channel, const json_t *message)
{
    struct worker *worker = context;
    const char *type = message_type(message);
    (void)channel;
    if (worker->stopping)
        return;
    if (strcmp(type, JOIN_WELCOME) == 0)
        on_welcome(worker, message);
    else if (strcmp(type, JOIN_REFUSED) == 0)
        on_refused(worker, message);
    else if (strcmp(type, JOIN_PROGRESS) == 0)
        on_progress(worker, message);
    else if (strcmp(type, JOIN_LEFT) == 0)
        on_left(worker);
    else if (strcmp(type, JOIN_STATE) == 0)
        worker_node_state(worker, message);
    else if (strcmp(type, JOIN_RESTART_SLURMD) == 0 && worker->supervisor)
        on_restart_slurmd(worker);
}

/* ---- beats ----------------------------------------------------------------
 */

/* Has the address under which the head knows us gone from this machine? The
 * kernel does not end a connection for that. */
static bool address_is_gone(const struct worker *worker)
{
    const char *address = channel_own_address(worker->channel);
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    bool is_v4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
    if (!is_v4 && inet_pton(AF_INET6, address, &v6.sin6_addr) != 1)
        return false;
    _cleanup_(close_fd) int fd =
        socket(is_v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const struct sockaddr *any =
        is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
    return fd >= 0 && bind(fd, any, is_v4 ? sizeof(v4) : sizeof(v6)) < 0 &&
           errno == EADDRNOTAVAIL;
}

static void lost(struct worker *worker, const char *why);

static void on_beat(void *context, uint32_t events)
{
    struct worker *worker = context;
    (void)events;
    if (!worker->welcomed)
        return;
    if (address_is_gone(worker)) {
        lost(worker, "this machine has another address now");
        return;
    }
    send_message(worker,
                 json_pack("{s:s, s:b, s:o}", "type", JOIN_BEAT, "slurmd_ready",
                           worker_slurmd_ready(worker), "services",
                           services_status(worker->supervisor)));
    loop_timer_set(worker->beat, clock_monotonic_ns() + worker->beat_ns);
}

void worker_beat_now(struct worker *worker)
{
    if (worker->welcomed)
        on_beat(worker, 0);
}

/* ---- coming and going -----------------------------------------------------
 */

static void retry_later(struct worker *worker)
{
    loop_timer_set(worker->retry, clock_monotonic_ns() + worker->retry_ns);
    worker->retry_ns *= 2;
    if (worker->retry_ns > RETRY_LAST_NS)
        worker->retry_ns = RETRY_LAST_NS;
}

static void lost(struct worker *worker, const char *why)
{
    worker->channel = channel_free(worker->channel);
    worker->welcomed = false;
    close_answers(worker);
    if (worker->stopping)
        return;
    if (strcmp(worker->trouble, why) != 0)
        log_warning("no connection to the head at %s: %s; trying again",
                    worker->head, why);
    snprintf(worker->trouble, sizeof(worker->trouble), "%s", why);
    retry_later(worker);
}

static void on_opened(void *context, struct channel *channel)
{
    struct worker *worker = context;
    (void)channel;
    if (!worker->member)
        progress_step("the head at %s is the one the token names",
                      worker->head);
    worker->connected = true;
    send_hello(worker);
}

static void
on_closed(void *context, struct channel *channel, const struct error *reason)
{
    struct worker *worker = context;
    (void)channel;
    bool was_connected = worker->connected;
    worker->connected = false;
    /* A person waits in front of the first try, and can mend the line. */
    if (!worker->member && !was_connected && !worker->stopping) {
        log_error("%s: %s. Compare with the line that \"gpu-watchdog token\" "
                  "prints on the head",
                  worker->head, reason->text);
        worker->channel = channel_free(worker->channel);
        worker_end(worker, EXIT_FAILURE);
        return;
    }
    lost(worker, reason->text);
}

static int try_connect(struct worker *worker, struct error *err)
{
    static const struct channel_handler handler = {
        .opened = on_opened,
        .received = on_received,
        .closed = on_closed,
    };
    int r = open_answers(worker, err);
    if (r == 0)
        r = channel_connect(worker->loop, worker->head, worker->identity,
                            &worker->pin, &handler, worker, &worker->channel,
                            err);
    return r;
}

static void on_retry(void *context, uint32_t events)
{
    struct worker *worker = context;
    struct error err;
    (void)events;
    if (!worker->channel && !worker->stopping && try_connect(worker, &err) < 0)
        lost(worker, err.text);
}

int worker_link_start(struct worker *worker, struct error *err)
{
    worker->retry_ns = RETRY_FIRST_NS;
    worker->beat_ns = BEAT_NS;
    worker->show_token = worker->has_token && !worker->member;
    int r = loop_add_timer(worker->loop, on_retry, worker, &worker->retry, err);
    if (r == 0)
        r = loop_add_timer(worker->loop, on_beat, worker, &worker->beat, err);
    if (r < 0)
        return r;
    r = try_connect(worker, err);
    if (r < 0 && worker->member) {
        lost(worker, err->text);
        r = 0;
    }
    return r;
}

void worker_link_stop(struct worker *worker)
{
    close_answers(worker);
    worker->channel = channel_free(worker->channel);
    worker->retry = loop_source_free(worker->retry);
    worker->beat = loop_source_free(worker->beat);
}
