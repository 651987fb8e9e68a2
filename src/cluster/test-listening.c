/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cluster/listening.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/test.h"

static uint16_t bind_any(int fd, sa_family_t family)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {.any.sa_family = family};
    socklen_t size =
        family == AF_INET ? sizeof(address.v4) : sizeof(address.v6);
    assert_int_equal(bind(fd, &address.any, size), 0);
    assert_int_equal(getsockname(fd, &address.any, &size), 0);
    return ntohs(family == AF_INET ? address.v4.sin_port
                                   : address.v6.sin6_port);
}

static void test_tcp_counts_only_while_it_listens(void **state)
{
    (void)state;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    uint16_t port = bind_any(fd, AF_INET);
    assert_false(listening_tcp(port));
    assert_int_equal(listen(fd, 1), 0);
    assert_true(listening_tcp(port));
    close(fd);
    assert_false(listening_tcp(port));
}

static void test_tcp_sees_ipv6(void **state)
{
    (void)state;
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    uint16_t port = bind_any(fd, AF_INET6);
    assert_int_equal(listen(fd, 1), 0);
    assert_true(listening_tcp(port));
    close(fd);
}

static void test_unix_socket_left_behind_does_not_count(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path),
             "/tmp/test-probe-%d.socket", getpid());
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_false(listening_unix(address.sun_path));
    assert_int_equal(listen(fd, 1), 0);
    assert_true(listening_unix(address.sun_path));
    close(fd);
    assert_false(listening_unix(address.sun_path));
    unlink(address.sun_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tcp_counts_only_while_it_listens),
        cmocka_unit_test(test_tcp_sees_ipv6),
        cmocka_unit_test(test_unix_socket_left_behind_does_not_count),
    };
    return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
