/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/curl-loop.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define CONNECT_MS 3000L

struct watched {
    struct watched *next;
    struct curl_loop *curl;
    struct loop_source *source;
    curl_socket_t socket;
};

struct curl_loop {
    struct loop *loop;
    CURLM *multi;
    curl_loop_done done;
    void *context;
    struct loop_source *timer;
    struct watched *watched;
};

static void gather(struct curl_loop *curl)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(curl->multi, &left))) {
        void *request = NULL;
        CURL *handle = message->easy_handle;
        CURLcode result = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(handle, CURLINFO_PRIVATE, (char **)&request);
        curl_multi_remove_handle(curl->multi, handle);
        curl->done(curl->context, request, result);
    }
}

static void act(struct curl_loop *curl, curl_socket_t socket, int what)
{
    int running;
    curl_multi_socket_action(curl->multi, socket, what, &running);
    gather(curl);
}

static void on_ready(void *context, uint32_t events)
{
    const struct watched *watched = context;
    int what = (events & EPOLLIN ? CURL_CSELECT_IN : 0) |
               (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
               (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
    act(watched->curl, watched->socket, what);
}

static void on_timer(void *context, uint32_t events)
{
    (void)events;
    act(context, CURL_SOCKET_TIMEOUT, 0);
}

static int set_timer(CURLM *multi, long timeout_ms, void *context)
{
    const struct curl_loop *curl = context;
    (void)multi;
    loop_timer_set(curl->timer, timeout_ms < 0 ? 0
                                               : clock_monotonic_ns() +
                                                     timeout_ms * NS_PER_MS);
    return 0;
}

static void forget(struct curl_loop *curl, struct watched *watched)
{
    for (struct watched **at = &curl->watched; *at; at = &(*at)->next)
        if (*at == watched) {
            *at = watched->next;
            break;
        }
    loop_source_free(watched->source);
    free(watched);
}

static int set_socket(
    CURL *handle, curl_socket_t socket, int what, void *context, void *known)
{
    struct curl_loop *curl = context;
    struct watched *watched = known;
    uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0U) |
                      (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
    (void)handle;
    if (what == CURL_POLL_REMOVE) {
        if (watched)
            forget(curl, watched);
        return 0;
    }
    if (watched)
        return loop_set_events(watched->source, events);
    watched = calloc(1, sizeof(*watched));
    if (!watched)
        return -1;
    *watched =
        (struct watched){.curl = curl, .socket = socket, .next = curl->watched};
    if (loop_add_fd(curl->loop, socket, events, on_ready, watched,
                    &watched->source, NULL) < 0) {
        free(watched);
        return -1;
    }
    curl->watched = watched;
    curl_multi_assign(curl->multi, socket, watched);
    return 0;
}

int curl_loop_new(struct loop *loop,
                  curl_loop_done done,
                  void *context,
                  struct curl_loop **ret_curl,
                  struct error *err)
{
    struct curl_loop *curl = calloc(1, sizeof(*curl));
    if (!curl || !(curl->multi = curl_multi_init())) {
        free(curl);
        return error_errno(err, ENOMEM, "libcurl");
    }
    curl->loop = loop;
    curl->done = done;
    curl->context = context;
    curl_multi_setopt(curl->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    curl_multi_setopt(curl->multi, CURLMOPT_SOCKETDATA, curl);
    curl_multi_setopt(curl->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(curl->multi, CURLMOPT_TIMERDATA, curl);
    int r = loop_add_timer(loop, on_timer, curl, &curl->timer, err);
    if (r < 0) {
        curl_loop_free(curl);
        return r;
    }
    *ret_curl = curl;
    return 0;
}

struct curl_loop *curl_loop_free(struct curl_loop *curl)
{
    if (!curl)
        return NULL;
    curl_multi_cleanup(curl->multi);
    while (curl->watched)
        forget(curl, curl->watched);
    loop_source_free(curl->timer);
    free(curl);
    return NULL;
}

void curl_loop_keep(struct curl_loop *curl, long connections)
{
    curl_multi_setopt(curl->multi, CURLMOPT_MAXCONNECTS, connections);
}

bool curl_loop_add(struct curl_loop *curl, CURL *handle)
{
    return curl_multi_add_handle(curl->multi, handle) == CURLM_OK;
}

void curl_loop_remove(struct curl_loop *curl, CURL *handle)
{
    curl_multi_remove_handle(curl->multi, handle);
}

static size_t on_body(char *data, size_t one, size_t size, void *context)
{
    struct curl_answer *answer = context;
    (void)one;
    if (answer->body.size + size > answer->most) {
        snprintf(answer->reason, sizeof(answer->reason),
                 "the answer is longer than %zu MiB",
                 answer->most / 1024 / 1024);
        return 0;
    }
    text_add_bytes(&answer->body, data, size);
    return text_failed(&answer->body) ? 0 : size;
}

CURL *
curl_loop_handle(struct curl_answer *answer, void *request, int64_t deadline_ns)
{
    CURL *c = curl_easy_init();
    if (!c)
        return NULL;
    curl_easy_setopt(c, CURLOPT_PRIVATE, request);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, answer->reason);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)(deadline_ns / NS_PER_MS));
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
    /* Those we ask are our neighbours, whatever http_proxy says. */
    curl_easy_setopt(c, CURLOPT_PROXY, "");
    curl_easy_setopt(c, CURLOPT_USERAGENT, "gpu-watchdog");
    return c;
}
