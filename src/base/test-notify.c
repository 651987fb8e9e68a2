/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the notify protocol, against a real socket in the manager's place.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/notify.h"
#include "base/test.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char heard[512];

/* Bind the manager's socket in the abstract namespace and point the variable
 * at it. */
static int manager_open(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char name[64];
    snprintf(name, sizeof(name), "@gpu-watchdog-test-%d", (int)getpid());
    size_t size = strlen(name);
    memcpy(address.sun_path, name, size);
    address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(
        bind(fd, (struct sockaddr *)&address,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size)),
        0);
    setenv("NOTIFY_SOCKET", name, 1);
    return fd;
}

static const char *manager_hear(int fd)
{
    ssize_t size = recv(fd, heard, sizeof(heard) - 1, 0);
    heard[size < 0 ? 0 : size] = '\0';
    return heard;
}

static void the_manager_hears_each_word(void **state)
{
    (void)state;
    _cleanup_(close_fd) int fd = manager_open();
    long long us = 0;
    int end = 0;

    assert_int_equal(notify_ready("serving on :9341", NULL), 0);
    assert_string_equal(manager_hear(fd), "READY=1\nSTATUS=serving on :9341");
    assert_int_equal(notify_reloading(NULL), 0);
    assert_int_equal(sscanf(manager_hear(fd),
                            "RELOADING=1\nMONOTONIC_USEC=%lld%n", &us, &end),
                     1);
    assert_int_equal(heard[end], '\0');
    assert_true(llabs(us - clock_monotonic_ns() / NS_PER_US) < 10000000);
    assert_int_equal(notify_stopping(NULL), 0);
    assert_string_equal(manager_hear(fd), "STOPPING=1");
    assert_int_equal(notify_watchdog(NULL), 0);
    assert_string_equal(manager_hear(fd), "WATCHDOG=1");
}

static void without_a_manager_nothing_happens(void **state)
{
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    assert_int_equal(notify_ready("", NULL), 0);
    setenv("NOTIFY_SOCKET", "", 1);
    assert_int_equal(notify_ready("", NULL), 0);
}

static void a_manager_that_is_gone_is_an_error_with_its_name(void **state)
{
    (void)state;
    struct error err = {.text = ""};
    setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1);
    assert_int_equal(notify_ready("", &err), -ENOENT);
    assert_string_equal(err.text, "service manager: /nonexistent/notify: No "
                                  "such file or directory");
}

static void an_address_that_is_none_is_refused(void **state)
{
    (void)state;
    char name[300];
    memset(name, 'a', sizeof(name));
    name[0] = '/';
    name[sizeof(name) - 1] = '\0';
    const char *const cases[] = {"relative", "@", "vsock:2:1234", name};
    for (size_t i = 0; i < array_size(cases); i++) {
        setenv("NOTIFY_SOCKET", cases[i], 1);
        assert_int_equal(notify_stopping(NULL), -EINVAL);
    }
}

static void the_watchdog_interval_is_half_of_the_managers(void **state)
{
    (void)state;
    char self[32];
    snprintf(self, sizeof(self), "%d", (int)getpid());
    const struct {
        const char *us, *pid;
        int64_t ns;
    } cases[] = {
        {"30000000", self, 15 * NS_PER_S},
        {"30000000", NULL, 15 * NS_PER_S},
        {"30000000", "1", 0},
        {"30s", self, 0},
        {"18446744073709551615", self, 0},
        {NULL, self, 0},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        unsetenv("WATCHDOG_USEC");
        unsetenv("WATCHDOG_PID");
        if (cases[i].us)
            setenv("WATCHDOG_USEC", cases[i].us, 1);
        if (cases[i].pid)
            setenv("WATCHDOG_PID", cases[i].pid, 1);
        assert_true(notify_watchdog_interval_ns() == cases[i].ns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_manager_hears_each_word),
        cmocka_unit_test(without_a_manager_nothing_happens),
        cmocka_unit_test(a_manager_that_is_gone_is_an_error_with_its_name),
        cmocka_unit_test(an_address_that_is_none_is_refused),
        cmocka_unit_test(the_watchdog_interval_is_half_of_the_managers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
