/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Following a feed. The library asks for bytes when the socket takes some; when
 * there are none, the connection sleeps (it is suspended), and the next message
 * wakes it. That wakes also who hung up: it is noticed by writing to him.
 */
#include "http/feed-private.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

enum {
    FEED_PIECE_BYTES = 4096,
    /* What the kernel keeps for one who does not read. */
    FEED_SOCKET_BYTES = 8192
};

struct follower {
    struct follower *previous, *next;
    struct http_feed *feed;
    struct http_server *server;
    struct http_client *client;
    struct http_content *content; /* what is being sent; NULL: nothing */
    size_t sent;                  /* bytes of it */
    uint64_t number;              /* of the last message that was begun */
};

struct http_feed {
    struct follower *first;
    size_t count;
    struct http_content *newest, *lasting; /* the last message; that for new */
    uint64_t number;                       /* of the newest */
};

struct http_feed *http_feed_new(void)
{
    return calloc(1, sizeof(struct http_feed));
}

struct http_feed *http_feed_free(struct http_feed *feed)
{
    if (!feed)
        return NULL;
    http_content_unref(feed->newest);
    http_content_unref(feed->lasting);
    free(feed);
    return NULL;
}

size_t http_feed_followers(const struct http_feed *feed)
{
    return feed->count;
}

/* Begin with the newest message when there is one that was not begun yet. */
static bool begin_message(struct follower *f)
{
    const struct http_feed *feed = f->feed;
    if (f->number == feed->number || !feed->newest)
        return false;
    f->number = feed->number;
    f->content = http_content_ref(feed->newest);
    f->sent = 0;
    return true;
}

/* The library's reader: fill BUFFER, or let the connection sleep. */
static ssize_t read_feed(void *context, uint64_t at, char *buffer, size_t room)
{
    (void)at;
    struct follower *f = context;
    if (!f->content && !begin_message(f)) {
        /* All that there was has been taken: no deadline runs. */
        http_client_set_due(&f->server->clients, f->client, INT64_MAX);
        f->client->suspended = true;
        MHD_suspend_connection(f->client->connection);
        return 0;
    }
    size_t size = http_content_size(f->content) - f->sent;
    if (size > room)
        size = room;
    memcpy(buffer, (const char *)http_content_data(f->content) + f->sent, size);
    f->sent += size;
    if (f->sent == http_content_size(f->content))
        f->content = http_content_unref(f->content);
    return (ssize_t)size;
}

static void free_follower(void *context)
{
    struct follower *f = context;
    if (f->previous)
        f->previous->next = f->next;
    else
        f->feed->first = f->next;
    if (f->next)
        f->next->previous = f->previous;
    f->feed->count--;
    http_content_unref(f->content);
    free(f);
}

static void set_socket(int fd)
{
    int bytes = FEED_SOCKET_BYTES;
    unsigned int patience_ms = HTTP_FEED_PATIENCE_MS;
    /* Where one fails (a socket that is not TCP) the deadline still holds. */
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience_ms,
               sizeof(patience_ms));
}

void http_feed_begin(struct http_reply *reply,
                     struct http_server *server,
                     struct http_client *client)
{
    struct http_feed *feed = reply->feed;
    struct follower *f = client ? calloc(1, sizeof(*f)) : NULL;
    if (!f)
        return;
    *f = (struct follower){.next = feed->first,
                           .feed = feed,
                           .server = server,
                           .client = client,
                           .number = feed->number};
    if (feed->lasting)
        f->content = http_content_ref(feed->lasting);
    reply->response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, FEED_PIECE_BYTES, read_feed, f, free_follower);
    if (!reply->response) {
        http_content_unref(f->content);
        free(f);
        return;
    }
    if (feed->first)
        feed->first->previous = f;
    feed->first = f;
    feed->count++;
    set_socket(client->fd);
}

void http_feed_publish(struct http_feed *feed,
                       struct text *message,
                       bool lasting)
{
    struct http_content *content = http_content_take(message);
    if (!content)
        return;
    http_content_unref(feed->newest);
    feed->newest = content;
    feed->number++;
    if (lasting) {
        http_content_unref(feed->lasting);
        feed->lasting = http_content_ref(content);
    }
    struct http_server *server = NULL;
    int64_t due_ns =
        clock_monotonic_ns() + (int64_t)HTTP_FEED_PATIENCE_MS * NS_PER_MS;
    for (struct follower *f = feed->first; f; f = f->next) {
        if (!f->client->suspended)
            continue;
        server = f->server;
        f->client->suspended = false;
        http_client_set_due(&server->clients, f->client, due_ns);
        MHD_resume_connection(f->client->connection);
    }
    if (server)
        http_server_run(server);
}
