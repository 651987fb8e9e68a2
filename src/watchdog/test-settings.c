/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of gpu-watchdog's settings: the table, what must hold between its
 * rows, and the reload.
 */
#include "watchdog/settings.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/option-value.h"
#include "base/test.h"
#include "model/metric.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct option_command exporter = {
    .name = "exporter", .help = "Serve.", .bit = COMMAND_EXPORTER};

static char file[64]; /* the configuration file of the test at hand */

static void write_file(const char *content)
{
    FILE *stream = fopen(file, "w");
    assert_non_null(stream);
    assert_true(fputs(content, stream) >= 0);
    assert_int_equal(fclose(stream), 0);
}

/* The command line "--config FILE OPTION", or without OPTION if that is "". */
static char *const *line_with(const char *option)
{
    static char config[] = "--config", word[64];
    static char *line[] = {config, file, word, NULL};
    snprintf(word, sizeof(word), "%s", option);
    line[2] = *option ? word : NULL;
    return line;
}

static int make_file(void **state)
{
    (void)state;
    strcpy(file, "/tmp/test-settings-XXXXXX");
    int fd = mkstemp(file);
    if (fd < 0)
        return -1;
    close(fd);
    return 0;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(file);
}

static void the_defaults_are_valid_and_as_documented(void **state)
{
    (void)state;
    struct settings *s = NULL;
    struct error err = {.text = ""};
    write_file("");
    assert_int_equal(settings_new(&exporter, line_with(""), &s, &err), 0);
    assert_int_equal(s->listen.count, 1);
    assert_string_equal(s->listen.items[0], ":9341");
    assert_string_equal(s->web_config_file, "");
    assert_int_equal(s->max_connections, 512);
    assert_true(s->interval_ns == 15 * NS_PER_S);
    assert_true(s->jobs_interval_ns == 0);
    assert_true(s->slow_interval_ns == 60 * NS_PER_S);
    assert_true(s->deadline_ns == 60 * NS_PER_S);
    assert_true(s->stale_after_ns == 120 * NS_PER_S);
    assert_int_equal(s->collect.count, 0);
    assert_int_equal(s->no_collect.count, 0);
    assert_true(s->gpus_acct);
    assert_int_equal(s->job_series, 0);
    assert_string_equal(s->user, "");
    assert_int_equal(s->log_format, LOG_FORMAT_AUTO);
    assert_int_equal(settings_log_level(s), LOG_LEVEL_INFO);
    settings_free(s);
}

static void every_row_of_the_table_is_fit_for_its_pages(void **state)
{
    (void)state;
    const char *group = "";
    for (size_t i = 0; i < settings_table.row_count; i++) {
        const struct option_row *row = settings_table.rows + i;
        size_t size = strlen(row->help);
        assert_true(size > 0 && row->help[size - 1] != '.');
        if (row->about)
            assert_int_equal(row->about[strlen(row->about) - 1], '.');
        assert_true(row->commands != 0);
        assert_true(row->type != OPTION_TYPE_CHOICE || row->words);
        for (size_t j = 0; j < i; j++) {
            const struct option_row *other = settings_table.rows + j;
            char key[64], other_key[64];
            /* A name may mean two things to two subcommands, a key may not. */
            if (row->commands & other->commands)
                assert_string_not_equal(row->name, other->name);
            assert_string_not_equal(
                option_key(row, key, sizeof(key)),
                option_key(other, other_key, sizeof(other_key)));
            assert_true(row->offset != other->offset);
            /* A group that comes again would get its heading twice. */
            if (strcmp(row->group, group) != 0)
                assert_string_not_equal(row->group, other->group);
        }
        group = row->group;
    }
}

static void addresses_are_judged_by_their_shape(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        bool good;
    } cases[] = {
        {":9341", true},
        {"127.0.0.1:0", true},
        {"[::1]:9341", true},
        {"head.example:65535", true},
        {"[fe80::1%eth0]:1", true},
        {"9341", false},
        {"localhost", false},
        {"localhost:", false},
        {":http", false},
        {":65536", false},
        {"::1:9341", false},
        {"[::1:9341", false},
        {"[::1]", false},
        {":-1", false},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        char option[64];
        struct settings *s = NULL;
        snprintf(option, sizeof(option), "--listen=%s", cases[i].address);
        int r = settings_new(&exporter, line_with(option), &s, NULL);
        if (r != (cases[i].good ? 0 : -EINVAL))
            fail_msg("%s: %d", cases[i].address, r);
        settings_free(s);
    }
}

static void what_contradicts_itself_is_refused_with_both_places(void **state)
{
    (void)state;
    static const struct {
        const char *option, *content, *reason; /* %s in it is the file */
        int code;
    } cases[] = {
        {"--stale-after=5s", "",
         "stale-after 5s (command line) must not be shorter than interval 15s "
         "(default)",
         -EINVAL},
        {"--gpus-acct", "interval: 5m\nstale_after: 1m\n",
         "stale-after 1m (%s:2) must not be shorter than interval 5m (%s:1)",
         -EBADMSG},
        {"--collect=nodes,qos", "no_collect: [qos]\n",
         "no-collect qos (%s:1) contradicts collect nodes,qos (command line)",
         -EINVAL},
        {"--collect=job", "",
         "collect job (command line) has nothing to show with job-series 0 "
         "(default)",
         -EINVAL},
        {"--collect=licences", "",
         "command line: --collect: \"licences\" is not among the choices; did "
         "you mean \"licenses\"?",
         -EINVAL},
        {"--deadline=14s", "",
         "command line: --deadline: \"14s\" is too small; the least is 15s",
         -EINVAL},
        {"--gpus-acct", "interval: 500ms\n",
         "%s:1:11: interval: \"500ms\" is too small; the least is 1s",
         -EBADMSG},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        char reason[512] = "";
        struct settings *s = NULL;
        struct error err = {.text = ""};
        const char *rest = cases[i].reason, *mark;
        for (; (mark = strstr(rest, "%s")); rest = mark + 2)
            snprintf(reason + strlen(reason), sizeof(reason) - strlen(reason),
                     "%.*s%s", (int)(mark - rest), rest, file);
        snprintf(reason + strlen(reason), sizeof(reason) - strlen(reason), "%s",
                 rest);
        write_file(cases[i].content);
        int r = settings_new(&exporter, line_with(cases[i].option), &s, &err);
        assert_string_equal(err.text, reason);
        assert_int_equal(r, cases[i].code);
    }
}

static void families_are_the_usual_the_asked_for_less_the_unwanted(void **state)
{
    (void)state;
    const uint32_t nodes = FAMILY_MASK(FAMILY_NODES);
    const uint32_t qos = FAMILY_MASK(FAMILY_QOS);
    const uint32_t job = FAMILY_MASK(FAMILY_JOB);
    const struct {
        const char *content;
        uint32_t families;
    } cases[] = {
        {"", FAMILIES_DEFAULT},
        {"no_collect: [nodes, qos]", FAMILIES_DEFAULT & ~nodes & ~qos},
        {"collect: [nodes, qos]", nodes | qos},
        {"gpus_acct: false", FAMILIES_DEFAULT & ~FAMILY_MASK(FAMILY_GPUS)},
        {"job_series: 10", FAMILIES_DEFAULT | job},
        {"job_series: 10\nno_collect: job", FAMILIES_DEFAULT},
        {"job_series: 10\ncollect: nodes", nodes},
        {"job_series: 10\ncollect: [nodes, job]", nodes | job},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        struct settings *s = NULL;
        write_file(cases[i].content);
        assert_int_equal(settings_new(&exporter, line_with(""), &s, NULL), 0);
        assert_int_equal(settings_families(s), cases[i].families);
        settings_free(s);
    }
}

static void help_is_given_even_where_the_file_is_bad(void **state)
{
    (void)state;
    struct settings *s = NULL;
    write_file("interval: [\n");
    assert_int_equal(settings_new(&exporter, line_with("--help"), &s, NULL), 0);
    assert_true(s->help);
    settings_free(s);
}

static void a_file_that_was_asked_for_must_be_there(void **state)
{
    (void)state;
    struct settings *s = NULL;
    assert_int_equal(settings_new(&exporter,
                                  line_with("--config=/nonexistent/x.yaml"), &s,
                                  NULL),
                     -ENOENT);
    assert_null(s);
}

static void a_reload_applies_what_can_change_and_holds_the_rest(void **state)
{
    (void)state;
    struct settings *s = NULL, *fresh = NULL, *third = NULL;
    struct option_changes changes = OPTION_CHANGES_INIT;
    write_file("listen: [\":1\", \":2\"]\ninterval: 20s\njob_series: 1\n");
    assert_int_equal(
        settings_new(&exporter, line_with("--job-series=7"), &s, NULL), 0);

    write_file("listen: \":3\"\ninterval: 30s\njob_series: 2\n"
               "log_level: debug\n");
    assert_int_equal(settings_reload(s, &fresh, &changes, NULL), 0);
    assert_string_equal(text_str(&changes.applied),
                        "interval 20s -> 30s, log-level info -> debug");
    assert_string_equal(text_str(&changes.held), "listen :1,:2 -> :3");
    assert_true(fresh->interval_ns == 30 * NS_PER_S);
    assert_int_equal(fresh->job_series, 7);
    assert_int_equal(fresh->listen.count, 2);
    assert_string_equal(fresh->listen.items[1], ":2");
    settings_free(s);

    /* Once more: what needs a restart is told until there was one. */
    assert_int_equal(settings_reload(fresh, &third, &changes, NULL), 0);
    assert_string_equal(text_str(&changes.applied), "");
    assert_string_equal(text_str(&changes.held), "listen :1,:2 -> :3");
    settings_free(fresh);
    settings_free(third);
    option_changes_deinit(&changes);
}

static void a_bad_reload_is_refused_whole(void **state)
{
    (void)state;
    char reason[128];
    struct settings *s = NULL, *fresh = NULL;
    struct option_changes changes = OPTION_CHANGES_INIT;
    struct error err = {.text = ""};
    write_file("interval: 20s\n");
    assert_int_equal(settings_new(&exporter, line_with(""), &s, NULL), 0);
    write_file("interval: 30s\ncolect: nodes\n");
    assert_int_equal(settings_reload(s, &fresh, &changes, &err), -EBADMSG);
    snprintf(reason, sizeof(reason),
             "%s:2:1: unknown key \"colect\"; did you mean \"collect\"?", file);
    assert_string_equal(err.text, reason);
    assert_null(fresh);
    assert_true(s->interval_ns == 20 * NS_PER_S);

    assert_int_equal(unlink(file), 0);
    assert_int_equal(settings_reload(s, &fresh, &changes, &err), -ENOENT);
    assert_null(fresh);
    write_file("");
    settings_free(s);
    option_changes_deinit(&changes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_valid_and_as_documented),
        cmocka_unit_test(every_row_of_the_table_is_fit_for_its_pages),
        cmocka_unit_test(addresses_are_judged_by_their_shape),
        cmocka_unit_test(what_contradicts_itself_is_refused_with_both_places),
        cmocka_unit_test(
            families_are_the_usual_the_asked_for_less_the_unwanted),
        cmocka_unit_test(help_is_given_even_where_the_file_is_bad),
        cmocka_unit_test(a_file_that_was_asked_for_must_be_there),
        cmocka_unit_test(a_reload_applies_what_can_change_and_holds_the_rest),
        cmocka_unit_test(a_bad_reload_is_refused_whole),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
