/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/address.h"

#include "base/cleanup.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_good_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host, *port;
    } cases[] = {
        {":8080", "", "8080"},         {"*:80", "", "80"},
        {"0.0.0.0:1", "0.0.0.0", "1"}, {"127.0.0.1:0", "127.0.0.1", "0"},
        {"[::1]:9341", "::1", "9341"}, {"localhost:9", "localhost", "9"},
        {"[::]:65535", "::", "65535"}, {"[fe80::1%lo]:5", "fe80::1%lo", "5"},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        struct http_address address;
        assert_int_equal(http_address_parse(cases[i].text, &address, NULL), 0);
        assert_string_equal(address.host, cases[i].host);
        assert_string_equal(address.port, cases[i].port);
    }
}

static void test_bad_addresses_are_refused(void **state)
{
    (void)state;
    char long_name[400];
    memset(long_name, 'a', sizeof(long_name));
    memcpy(long_name + sizeof(long_name) - 4, ":80", 4);
    const char *const cases[] = {
        "",       "8080",         "host",    ":",          ":65536",  ":-1",
        ":+1",    ":80x",         "::1:80",  "[::1]",      "[::1:80", "::1]:80",
        "[a]:80", ":99999999999", long_name, "[[::1]]:80", ": 80"};
    for (size_t i = 0; i < array_size(cases); i++) {
        struct http_address address;
        struct error err = {""};
        if (http_address_parse(cases[i], &address, &err) != -EINVAL)
            fail_msg("\"%s\" was taken", cases[i]);
        assert_non_null(strstr(err.text, "HOST:PORT"));
    }
}

static in_port_t port_of(int fd)
{
    struct sockaddr_storage name;
    socklen_t size = sizeof(name);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &size), 0);
    return name.ss_family == AF_INET6
               ? ntohs(((struct sockaddr_in6 *)&name)->sin6_port)
               : ntohs(((struct sockaddr_in *)&name)->sin_port);
}

static void test_taken_port_is_told_with_its_number(void **state)
{
    (void)state;
    struct http_address address;
    int fds[HTTP_ADDRESS_SOCKETS_MAX], more[HTTP_ADDRESS_SOCKETS_MAX];
    struct error err = {""};
    assert_int_equal(http_address_parse("127.0.0.1:0", &address, &err), 0);
    assert_int_equal(http_address_listen(&address, fds, &err), 1);
    char text[32];
    snprintf(text, sizeof(text), "127.0.0.1:%d", port_of(fds[0]));
    assert_int_equal(http_address_parse(text, &address, &err), 0);
    assert_int_equal(http_address_listen(&address, more, &err), -EADDRINUSE);
    assert_non_null(strstr(err.text, text));
    assert_non_null(strstr(err.text, "ss -ltnp"));
    close(fds[0]);
}

static void test_foreign_address_is_refused(void **state)
{
    (void)state;
    struct http_address address = {.host = "192.0.2.1", .port = "0"};
    int fds[HTTP_ADDRESS_SOCKETS_MAX];
    struct error err = {""};
    assert_int_equal(http_address_listen(&address, fds, &err), -EADDRNOTAVAIL);
    assert_non_null(strstr(err.text, "ip address"));
}

static void test_no_host_takes_ipv4_too(void **state)
{
    (void)state;
    struct http_address address = {.host = "", .port = "0"};
    int fds[HTTP_ADDRESS_SOCKETS_MAX];
    assert_int_equal(http_address_listen(&address, fds, NULL), 1);
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_port = htons(port_of(fds[0])),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&in, sizeof(in)), 0);
    close(client);
    close(fds[0]);
}

static void test_localhost_has_at_least_one_socket(void **state)
{
    (void)state;
    struct http_address address = {.host = "localhost", .port = "0"};
    int fds[HTTP_ADDRESS_SOCKETS_MAX];
    int count = http_address_listen(&address, fds, NULL);
    assert_true(count >= 1);
    while (count > 0)
        close(fds[--count]);
}

static void test_format(void **state)
{
    (void)state;
    static const struct {
        const char *ipv6, *wanted;
    } cases[] = {{"::1", "[::1]:80"},
                 {"2001:db8::5", "[2001:db8::5]:80"},
                 {"::ffff:192.0.2.7", "192.0.2.7:80"}};
    char text[HTTP_ADDRESS_TEXT_SIZE];
    for (size_t i = 0; i < array_size(cases); i++) {
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
                                   .sin6_port = htons(80)};
        assert_int_equal(inet_pton(AF_INET6, cases[i].ipv6, &in6.sin6_addr), 1);
        http_address_format((struct sockaddr *)&in6, text);
        assert_string_equal(text, cases[i].wanted);
    }
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_port = htons(9341),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    http_address_format((struct sockaddr *)&in, text);
    assert_string_equal(text, "127.0.0.1:9341");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_addresses),
        cmocka_unit_test(test_bad_addresses_are_refused),
        cmocka_unit_test(test_taken_port_is_told_with_its_number),
        cmocka_unit_test(test_foreign_address_is_refused),
        cmocka_unit_test(test_no_host_takes_ipv4_too),
        cmocka_unit_test(test_localhost_has_at_least_one_socket),
        cmocka_unit_test(test_format),
    };
    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
