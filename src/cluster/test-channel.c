/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Channels between ends that mean well; test-channel-hostile.c has the others.
 */
#include "cluster/test-channel.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <string.h>
#include <sys/stat.h>

static void connect_local(struct end *end)
{
    struct error err = {""};
    if (channel_connect_local(bench.loop, bench.path, &end_handler, end,
                              &end->channel, &err) < 0)
        fail_msg("connecting: %s", err.text);
}

static void connect_either(struct end *end, bool local)
{
    bench_listen(local);
    if (local)
        connect_local(end);
    else
        bench_connect(end, &bench.head->pin);
    /* Told by the loop, once the caller has its channel. */
    assert_int_equal(end->opened, 0);
    bench_wait(&end->opened, 1);
}

/* ---- TLS ------------------------------------------------------------------
 */

static void test_both_sides_know_each_other(void **state)
{
    (void)state;
    struct end client = {.channel = NULL};
    connect_either(&client, false);
    end_send(&client, 7, 10);
    bench_wait(&client.received, 1);
    assert_int_equal(end_last_number(&client), 7);
    const struct channel *server = bench.served[0].channel;
    assert_memory_equal(channel_peer_pin(server), &bench.worker->pin,
                        sizeof(struct pin));
    assert_memory_equal(channel_peer_pin(client.channel), &bench.head->pin,
                        sizeof(struct pin));
    assert_string_equal(channel_peer(server), "127.0.0.1");
    assert_string_equal(channel_own_address(server), "127.0.0.1");
    assert_string_equal(channel_peer(client.channel), "127.0.0.1");
    end_release(&client);
    bench_wait(&bench.served[0].closed, 1);
}

static void test_nobody_answers(void **state)
{
    (void)state;
    struct end client = {.channel = NULL};
    bench_listen(false);
    bench.listener = channel_listener_free(bench.listener);
    bench_connect(&client, &bench.head->pin);
    bench_wait(&client.closed, 1);
    assert_non_null(strstr(client.reason.text, "refused"));
    end_release(&client);
}

static void test_addresses_that_are_none(void **state)
{
    (void)state;
    char long_name[400];
    memset(long_name, 'a', sizeof(long_name));
    strcpy(long_name + sizeof(long_name) - 4, ":80");
    const char *const cases[] = {"",   "host",     ":80",
                                 "a:", long_name,  "127.0.0.1:http",
                                 "::", "[::1]:xx", "127.0.0.1:99999999999"};
    for (size_t i = 0; i < array_size(cases); i++) {
        struct channel *channel = NULL;
        struct error err = {""};
        int r = channel_connect(bench.loop, cases[i], bench.worker,
                                &bench.head->pin, &end_handler, NULL, &channel,
                                &err);
        if (r == 0)
            fail_msg("\"%s\" was taken", cases[i]);
        assert_string_not_equal(err.text, "");
        assert_null(channel);
    }
}

/* ---- on both kinds --------------------------------------------------------
 */

static void try_messages(bool local)
{
    enum {
        COUNT = 300,
        SIZE = 20000
    };
    struct end client = {.channel = NULL};
    connect_either(&client, local);
    for (int i = 1; i <= COUNT; i++)
        end_send(&client, i, (size_t)(i % 3 ? i : SIZE));
    bench_wait(&client.received, COUNT);
    assert_int_equal(end_last_number(&client), COUNT);
    end_send(&client, 1, MESSAGE_SIZE_MAX - 100);
    bench_wait(&client.received, COUNT + 1);
    end_release(&client);
    bench_wait(&bench.served[0].closed, 1);
}

static void test_many_messages_over_tls(void **state)
{
    (void)state;
    try_messages(false);
}

static void test_many_messages_over_unix(void **state)
{
    (void)state;
    try_messages(true);
}

static void test_too_long_message_is_refused_and_others_go_on(void **state)
{
    (void)state;
    struct end client = {.channel = NULL};
    struct error err = {""};
    connect_either(&client, false);
    char *text = calloc(1, MESSAGE_SIZE_MAX + 1);
    memset(text, 'x', MESSAGE_SIZE_MAX);
    json_t *message = json_pack("{s:s, s:s}", "type", "long", "text", text);
    assert_int_equal(channel_send(client.channel, message, &err), -EMSGSIZE);
    json_decref(message);
    free(text);
    end_send(&client, 5, 1);
    bench_wait(&client.received, 1);
    end_release(&client);
}

/* What is said last arrives, whatever lies unread at who says it. */
static void try_last_word(bool local)
{
    struct end client = {.channel = NULL};
    connect_either(&client, local);
    bench_wait(&bench.accepted, 1);
    bench.echoes = false;
    struct end *server = &bench.served[0];
    end_send(server, 42, MESSAGE_SIZE_MAX - 100);
    channel_finish(server->channel);
    for (int i = 0; i < 20; i++)
        end_send(&client, i, 1000);
    bench_wait(&client.closed, 1);
    assert_int_equal(client.received, 1);
    assert_int_equal(end_last_number(&client), 42);
    bench_wait(&server->closed, 1);
    assert_int_equal(server->received, 0);
    end_release(&client);
}

static void test_last_word_over_tls(void **state)
{
    (void)state;
    try_last_word(false);
}

static void test_last_word_over_unix(void **state)
{
    (void)state;
    try_last_word(true);
}

static void test_finish_does_not_wait_for_ever(void **state)
{
    (void)state;
    bench_listen(true);
    int fd = raw_connect_local();
    bench_wait(&bench.accepted, 1);
    channel_finish(bench.served[0].channel);
    bench_wait_for(&bench.served[0].closed, 1, 3 * NS_PER_S);
    close(fd);
}

static void test_sending_after_the_end_is_an_error(void **state)
{
    (void)state;
    struct end client = {.channel = NULL};
    struct error err = {""};
    connect_either(&client, true);
    channel_finish(client.channel);
    json_t *message = json_pack("{s:s}", "type", "late");
    assert_int_equal(channel_send(client.channel, message, &err), -ENOTCONN);
    json_decref(message);
    bench_wait(&client.closed, 1);
    end_release(&client);
}

/* ---- freeing in callbacks -------------------------------------------------
 */

static unsigned int calls;

static void free_when_opened(void *context, struct channel *channel)
{
    (void)context;
    channel_free(channel);
    calls++;
}

static void
free_when_received(void *context, struct channel *channel, const json_t *m)
{
    (void)context;
    channel_free(channel);
    assert_string_equal(message_type(m), "number"); /* lives during the call */
    calls++;
}

static void
never_closed(void *context, struct channel *channel, const struct error *reason)
{
    (void)context;
    (void)channel;
    fail_msg("closed() of a channel that was freed: %s", reason->text);
}

static void try_freeing(bool local)
{
    static const struct channel_handler handlers[] = {
        {.opened = free_when_opened, .closed = never_closed},
        {.received = free_when_received, .closed = never_closed},
    };
    struct error err;
    bench_listen(local);
    for (size_t i = 0; i < array_size(handlers); i++) {
        struct channel *channel;
        calls = 0;
        int r = local
                    ? channel_connect_local(bench.loop, bench.path,
                                            &handlers[i], NULL, &channel, &err)
                    : channel_connect(bench.loop, bench.address, bench.worker,
                                      &bench.head->pin, &handlers[i], NULL,
                                      &channel, &err);
        assert_int_equal(r, 0);
        bench_wait(&bench.accepted, (unsigned int)i + 1);
        if (handlers[i].received)
            for (int n = 0; n < 3; n++)
                end_send(&bench.served[i], n, 100);
        bench_wait(&calls, 1);
        bench_wait(&bench.served[i].closed, 1);
        assert_int_equal(calls, 1);
    }
}

static void test_freed_in_callbacks_over_tls(void **state)
{
    (void)state;
    try_freeing(false);
}

static void test_freed_in_callbacks_over_unix(void **state)
{
    (void)state;
    try_freeing(true);
}

static void *refuse_all(void *context, struct channel *channel)
{
    (void)context;
    (void)channel;
    calls++;
    return NULL;
}

static void test_not_accepted_is_closed(void **state)
{
    (void)state;
    const struct channel_listener_settings settings = {.address = ":0",
                                                       .accepted = refuse_all};
    struct end client = {.channel = NULL};
    calls = 0;
    bench_listen_with(&settings);
    bench_connect(&client, &bench.head->pin);
    bench_wait(&client.closed, 1);
    assert_int_equal(calls, 1);
    end_release(&client);
}

static void test_connections_outlive_their_listener(void **state)
{
    (void)state;
    struct end client = {.channel = NULL};
    connect_either(&client, false);
    bench_wait(&bench.accepted, 1);
    int waiting = raw_connect("127.0.0.1");
    bench_run_ms(20);
    bench.listener = channel_listener_free(bench.listener);
    raw_wait_closed(waiting, NS_PER_S);
    close(waiting);
    end_send(&client, 3, 3);
    bench_wait(&client.received, 1);
    end_release(&client);
}

/* ---- UNIX sockets ---------------------------------------------------------
 */

static void test_socket_is_for_its_owner(void **state)
{
    (void)state;
    struct stat st;
    bench_listen(true);
    assert_int_equal(stat(bench.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    bench.listener = channel_listener_free(bench.listener);
    assert_int_equal(stat(bench.path, &st), -1);
}

static void test_second_listener_leaves_the_first_alone(void **state)
{
    (void)state;
    struct error err = {""};
    struct channel_listener *second;
    struct end client = {.channel = NULL};
    const struct channel_listener_settings settings = {.path = bench.path};
    bench_listen(true);
    assert_int_equal(channel_listener_new(bench.loop, &settings, &second, &err),
                     -EADDRINUSE);
    connect_local(&client);
    bench_wait(&client.opened, 1);
    end_release(&client);
}

static void test_socket_left_behind_is_replaced(void **state)
{
    (void)state;
    struct error err = {""};
    struct end client = {.channel = NULL};
    struct channel *none;
    char saved[120];
    assert_int_equal(channel_connect_local(bench.loop, bench.path, &end_handler,
                                           NULL, &none, &err),
                     -ENOENT);
    bench_listen(true);
    snprintf(saved, sizeof(saved), "%s.saved", bench.path);
    assert_int_equal(link(bench.path, saved), 0);
    bench.listener = channel_listener_free(bench.listener);
    assert_int_equal(rename(saved, bench.path), 0);
    assert_int_equal(channel_connect_local(bench.loop, bench.path, &end_handler,
                                           NULL, &none, &err),
                     -ECONNREFUSED);
    bench_listen(true);
    connect_local(&client);
    bench_wait(&client.opened, 1);
    end_release(&client);
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(test_##name, bench_setup, bench_teardown)
    const struct CMUnitTest tests[] = {
        TEST(both_sides_know_each_other),
        TEST(nobody_answers),
        TEST(addresses_that_are_none),
        TEST(many_messages_over_tls),
        TEST(many_messages_over_unix),
        TEST(too_long_message_is_refused_and_others_go_on),
        TEST(last_word_over_tls),
        TEST(last_word_over_unix),
        TEST(finish_does_not_wait_for_ever),
        TEST(sending_after_the_end_is_an_error),
        TEST(freed_in_callbacks_over_tls),
        TEST(freed_in_callbacks_over_unix),
        TEST(not_accepted_is_closed),
        TEST(connections_outlive_their_listener),
        TEST(socket_is_for_its_owner),
        TEST(second_listener_leaves_the_first_alone),
        TEST(socket_left_behind_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
