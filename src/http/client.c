/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Deadlines by one timer, set to the earliest. Deadlines mostly move away, so
 * the timer is left alone then and looks again when it fires: a request costs
 * no system call here.
 */
#include "http/client.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static void set_timer(struct http_clients *clients, int64_t due_ns)
{
    clients->timer_due_ns = due_ns;
    loop_timer_set(clients->timer, due_ns == INT64_MAX ? 0 : due_ns);
}

/* The timer: end who is too late, find the next deadline. */
static void sweep(void *context, uint32_t events)
{
    (void)events;
    struct http_clients *clients = context;
    int64_t now_ns = clock_monotonic_ns();
    int64_t next_ns = INT64_MAX;
    for (struct http_client *c = clients->first; c; c = c->next) {
        if (c->due_ns <= now_ns) {
            shutdown(c->fd, SHUT_RDWR);
            c->due_ns = INT64_MAX;
            clients->timed_out++;
        } else if (c->due_ns < next_ns) {
            next_ns = c->due_ns;
        }
    }
    set_timer(clients, next_ns);
}

int http_clients_init(struct http_clients *clients,
                      struct loop *loop,
                      struct error *err)
{
    *clients = (struct http_clients){.timer_due_ns = INT64_MAX};
    return loop_add_timer(loop, sweep, clients, &clients->timer, err);
}

void http_clients_deinit(struct http_clients *clients)
{
    assert(clients->count == 0);

    clients->timer = loop_source_free(clients->timer);
}

struct http_client *http_client_new(struct http_clients *clients,
                                    struct MHD_Connection *connection,
                                    int fd)
{
    struct http_client *client = calloc(1, sizeof(*client));
    if (!client)
        return NULL;
    *client = (struct http_client){.next = clients->first,
                                   .connection = connection,
                                   .fd = fd,
                                   .due_ns = INT64_MAX};
    if (clients->first)
        clients->first->previous = client;
    clients->first = client;
    clients->count++;
    return client;
}

void http_client_free(struct http_clients *clients, struct http_client *client)
{
    if (!client)
        return;
    if (client->previous)
        client->previous->next = client->next;
    else
        clients->first = client->next;
    if (client->next)
        client->next->previous = client->previous;
    clients->count--;
    http_tls_unref(client->tls);
    free(client);
}

void http_client_set_due(struct http_clients *clients,
                         struct http_client *client,
                         int64_t due_ns)
{
    client->due_ns = due_ns;
    if (due_ns < clients->timer_due_ns)
        set_timer(clients, due_ns);
}

static void set_cork(struct http_client *client, int on)
{
    /* Where it fails (a socket that is not TCP) nothing but speed is lost. */
    setsockopt(client->fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
    client->held = on;
}

void http_client_hold(struct http_client *client)
{
    if (!client->held)
        set_cork(client, 1);
}

void http_client_push(struct http_client *client)
{
    if (client->held)
        set_cork(client, 0);
}
