/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the log, by what really arrives on standard error. The clock is the
 * linker's: clock_gettime() is wrapped, so that a minute takes no minute.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time);

static int64_t now_s = 1000;

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time)
{
    (void)clock;
    *ret_time = (struct timespec){.tv_sec = now_s};
    return 0;
}

static int true_stderr;
static char captured[16384];

/* From here on standard error is FD. */
static void capture_on(int fd)
{
    true_stderr = dup(STDERR_FILENO);
    assert_true(true_stderr >= 0);
    assert_true(dup2(fd, STDERR_FILENO) >= 0);
    close(fd);
}

static void capture(void)
{
    capture_on(memfd_create("stderr", 0));
}

/* Give standard error back; what was written stands in `captured`. */
static void release(void)
{
    ssize_t size = pread(STDERR_FILENO, captured, sizeof(captured) - 1, 0);
    dup2(true_stderr, STDERR_FILENO);
    close(true_stderr);
    assert_true(size >= 0);
    captured[size] = '\0';
}

/* A fresh log whose last message is none of the test's. */
static void begin(enum log_format format, enum log_level max)
{
    capture();
    log_init("prog", LOG_FORMAT_AUTO, LOG_LEVEL_DEBUG);
    log_debug("a message of no test");
    release();
    capture();
    log_init("prog", format, max);
}

static void a_line_for_the_journal_carries_its_priority(void **state)
{
    (void)state;
    begin(LOG_FORMAT_JOURNAL, LOG_LEVEL_DEBUG);
    log_error("one");
    log_warning("two");
    log_notice("three");
    log_info("four");
    log_debug("five %d", 5);
    release();
    assert_string_equal(captured, "<3>prog: one\n<4>prog: two\n"
                                  "<5>prog: three\n<6>prog: four\n"
                                  "<7>prog: five 5\n");
}

/* What is logged when JOURNAL_STREAM names standard error, its inode being off
 * by OFF. */
static const char *logged_with_stream(unsigned long long off)
{
    char stream[64];
    struct stat status;
    capture();
    assert_int_equal(fstat(STDERR_FILENO, &status), 0);
    snprintf(stream, sizeof(stream), "%llu:%llu",
             (unsigned long long)status.st_dev, status.st_ino + off);
    setenv("JOURNAL_STREAM", stream, 1);
    log_init("prog", LOG_FORMAT_AUTO, LOG_LEVEL_INFO);
    unsetenv("JOURNAL_STREAM");
    now_s += 61; /* no repeat of the last */
    log_warning("disk");
    release();
    return captured;
}

static void only_the_journals_own_stream_is_the_journal(void **state)
{
    (void)state;
    assert_string_equal(logged_with_stream(0), "<4>prog: disk\n");
    assert_string_equal(logged_with_stream(1), "prog: disk\n");
    begin(LOG_FORMAT_AUTO, LOG_LEVEL_INFO);
    log_warning("no journal");
    release();
    assert_string_equal(captured, "prog: no journal\n");
}

static void a_line_on_a_terminal_carries_no_priority(void **state)
{
    (void)state;
    char line[64];
    _cleanup_(close_fd) int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(terminal >= 0);
    assert_int_equal(grantpt(terminal), 0);
    assert_int_equal(unlockpt(terminal), 0);
    capture_on(open(ptsname(terminal), O_RDWR | O_NOCTTY));
    log_init("prog", LOG_FORMAT_AUTO, LOG_LEVEL_INFO);
    log_error("on a terminal");
    ssize_t size = read(terminal, line, sizeof(line) - 1);
    dup2(true_stderr, STDERR_FILENO);
    close(true_stderr);
    assert_true(size > 0);
    line[size] = '\0';
    assert_string_equal(line, "prog: on a terminal\r\n");
}

static void less_important_messages_than_asked_for_are_dropped(void **state)
{
    (void)state;
    begin(LOG_FORMAT_JOURNAL, LOG_LEVEL_WARNING);
    log_info("dropped");
    log_warning("kept");
    release();
    assert_string_equal(captured, "<4>prog: kept\n");
}

static void control_characters_do_not_break_a_line(void **state)
{
    (void)state;
    begin(LOG_FORMAT_JOURNAL, LOG_LEVEL_INFO);
    log_info("a\n<0>b\x1b[31m\x7f");
    release();
    assert_string_equal(captured, "<6>prog: a <0>b [31m \n");
}

static void json_is_valid_whatever_the_message_holds(void **state)
{
    (void)state;
    static const struct {
        const char *message, *json;
    } cases[] = {
        {"plain", "plain"},
        {"a \"quote\" and a \\", "a \\\"quote\\\" and a \\\\"},
        {"two\nlines\x7f", "two\\u000alines\\u007f"},
        {"gr\xc3\xbc\xc3\x9f dich \xf0\x9f\x90\xb6",
         "gr\xc3\xbc\xc3\x9f dich \xf0\x9f\x90\xb6"},
        {"no \xff UTF-8 \xc3", "no \\ufffd UTF-8 \\ufffd"},
        {"\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd"}, /* a surrogate */
        {"\xc0\xaf", "\\ufffd\\ufffd"},            /* over-long */
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        char line[256];
        begin(LOG_FORMAT_JSON, LOG_LEVEL_INFO);
        log_info("%s", cases[i].message);
        release();
        snprintf(line, sizeof(line),
                 "{\"time\":%lld.000,\"level\":\"info\",\"program\":\"prog\","
                 "\"message\":\"%s\"}\n",
                 (long long)now_s, cases[i].json);
        assert_string_equal(captured, line);
    }
}

static void json_stays_valid_where_a_long_message_is_cut(void **state)
{
    (void)state;
    char message[4096];
    for (size_t i = 0; i < sizeof(message); i += 2)
        memcpy(message + i, "\xc3\xbc", 2); /* cut between these two */
    message[sizeof(message) - 1] = '\0';
    begin(LOG_FORMAT_JSON, LOG_LEVEL_INFO);
    log_info("%s", message);
    release();
    size_t size = strlen(captured);
    assert_true(size > 2000);
    assert_string_equal(captured + size - strlen("\\ufffd\"}\n"),
                        "\\ufffd\"}\n");
}

static void a_repeated_message_is_held_back_and_counted(void **state)
{
    (void)state;
    begin(LOG_FORMAT_JOURNAL, LOG_LEVEL_INFO);
    for (int i = 0; i < 4; i++)
        log_error("no controller");
    log_info("it is back");
    release();
    assert_string_equal(captured, "<3>prog: no controller\n"
                                  "<3>prog: the last message came 3 more "
                                  "times\n"
                                  "<6>prog: it is back\n");
}

static void a_message_that_repeats_for_minutes_comes_once_a_minute(void **state)
{
    (void)state;
    begin(LOG_FORMAT_JOURNAL, LOG_LEVEL_INFO);
    for (int i = 0; i < 9; i++) {
        log_error("no controller");
        now_s += 15;
    }
    release();
    assert_string_equal(captured, "<3>prog: no controller\n"
                                  "<3>prog: the last message came 3 more "
                                  "times\n"
                                  "<3>prog: no controller\n"
                                  "<3>prog: the last message came 3 more "
                                  "times\n"
                                  "<3>prog: no controller\n");
}

static void the_same_words_at_another_level_are_another_message(void **state)
{
    (void)state;
    begin(LOG_FORMAT_JOURNAL, LOG_LEVEL_INFO);
    log_info("slurmctld is away");
    log_error("slurmctld is away");
    log_error("slurmctld is away");
    log_info("done");
    release();
    assert_string_equal(captured, "<6>prog: slurmctld is away\n"
                                  "<3>prog: slurmctld is away\n"
                                  "<3>prog: the last message came 1 more "
                                  "time\n"
                                  "<6>prog: done\n");
}

static void logging_leaves_errno_alone(void **state)
{
    (void)state;
    begin(LOG_FORMAT_JOURNAL, LOG_LEVEL_INFO);
    close(STDERR_FILENO); /* the write fails with EBADF */
    errno = ENOENT;
    log_error("nobody hears this");
    int after = errno;
    dup2(true_stderr, STDERR_FILENO);
    close(true_stderr);
    assert_int_equal(after, ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_for_the_journal_carries_its_priority),
        cmocka_unit_test(only_the_journals_own_stream_is_the_journal),
        cmocka_unit_test(a_line_on_a_terminal_carries_no_priority),
        cmocka_unit_test(less_important_messages_than_asked_for_are_dropped),
        cmocka_unit_test(control_characters_do_not_break_a_line),
        cmocka_unit_test(json_is_valid_whatever_the_message_holds),
        cmocka_unit_test(json_stays_valid_where_a_long_message_is_cut),
        cmocka_unit_test(a_repeated_message_is_held_back_and_counted),
        cmocka_unit_test(
            a_message_that_repeats_for_minutes_comes_once_a_minute),
        cmocka_unit_test(the_same_words_at_another_level_are_another_message),
        cmocka_unit_test(logging_leaves_errno_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
