/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the configuration file, and of its rank below the command line.
 */
#include "base/test-option.h"

#include <sys/stat.h>
#include <unistd.h>

static void a_file_fills_every_type_of_value(void **state)
{
    (void)state;
    static const struct {
        const char *file, *expected;
    } cases[] = {
        {"", "count=3"},
        {"# only a comment\n", "count=3"},
        {"---\n", "count=3"},
        {"--- {}\n...\n", "count=3"},
        {"name: x", "name=x "},
        {"name: 'a # b'\n", "name=a # b "},
        {"name: \"\"\n", "name= "},
        {"web_config_file: /etc/web\n", "file=/etc/web "},
        {"web.config.file: /etc/web\n", "file=/etc/web "},
        {"fast: no\n", "fast=false"},
        {"colour: blue\n", "colour=blue"},
        {"count: 7\nwait: 1m\n", "count=7 memory=64k wait=1m"},
        {"{count: 7, wait: 1m}", "count=7 memory=64k wait=1m"},
        {"memory: 1M\n", "memory=1M"}, /* another command's, yet good */
        {"hosts: :1\n", "hosts=:1"},
        {"hosts: a,b\n", "hosts=a,b"},
        {"hosts: [a, \"b\"]\n", "hosts=a,b"},
        {"hosts:\n- a\n- b,c\n", "hosts=a,b,c"},
        {"hosts: []\n", "hosts="},
        {"\xef\xbb\xbf"
         "count: 7\r\n",
         "count=7"},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        struct given given;
        int r = give(&given, &run, "", cases[i].file);
        assert_string_equal(given.err.text, "");
        assert_int_equal(r, 0);
        if (!strstr(summary(&given), cases[i].expected))
            fail_msg("%s: %s", cases[i].file, summary(&given));
        option_set_deinit(&given.set);
    }
}

static void a_bad_file_is_refused_with_the_place(void **state)
{
    (void)state;
    static const struct {
        const char *file, *reason;
    } cases[] = {
        {"count: 7\ncuont: 8\n", "f.yaml:2:1: unknown key \"cuont\"; did you "
                                 "mean \"count\"?"},
        {"web-config: x\n", "f.yaml:1:1: unknown key \"web-config\"; the page "
                            "prog.yaml(5) lists those there are"},
        {"xyzzy: 1\n", "f.yaml:1:1: unknown key \"xyzzy\"; the page "
                       "prog.yaml(5) lists those there are"},
        {"wait:  5\n", "f.yaml:1:8: wait: \"5\" has no unit; write for example "
                       "5s or 5m"},
        {"count: 1\nwait: 5s\nmemory: 9G\n", "f.yaml:3:9: memory: \"9G\" is "
                                             "too large; the most is 1M"},
        {"hosts: [a, b!]\n", "f.yaml:1:12: hosts: \"b!\" shouts"},
        {"hosts: [[a]]\n", "f.yaml:1:9: hosts is a list; write a single "
                           "value, like \"key: value\""},
        {"count: [1]\n", "f.yaml:1:8: count takes one value, not a list"},
        {"count: {a: 1}\n", "f.yaml:1:8: count is a mapping; write a single "
                            "value, like \"key: value\""},
        {"count:\n", "f.yaml:1:7: count has no value; write one, \"\" for "
                     "none, or remove the line"},
        {"name: ~\n", "f.yaml:1:7: name has no value; write one, \"\" for "
                      "none, or remove the line"},
        {"now: true\n", "f.yaml:1:1: now has no place in a file; type --now"},
        {"count: 1\nname: x\ncount: 2\n",
         "f.yaml:3:1: count is here for the second time (first on line 1); "
         "remove one"},
        {"web_config_file: a\nweb.config.file: b\n",
         "f.yaml:2:1: web.config.file is here for the second time (first on "
         "line 1); remove one"},
        {"- count\n", "f.yaml:1:1: there is no key here; write \"key: "
                      "value\""},
        {"count\n", "f.yaml:1:1: there is no key here; write \"key: value\""},
        {"count: 1\n---\ncount: 2\n", "f.yaml:2:1: a second document begins; "
                                      "write all in one"},
        {"count: &x 1\n", "f.yaml:1:8: count carries a YAML tag or anchor; "
                          "leave it out"},
        {"count: !!int 1\n", "f.yaml:1:8: count carries a YAML tag or anchor; "
                             "leave it out"},
        {"count: *x\n", "f.yaml:1:8: count is an alias (*name), which is not "
                        "taken here; write the value itself"},
        {"? [count]\n: 1\n", "f.yaml:1:3: the key is a list; write a single "
                             "value, like \"key: value\""},
        {"name: \"a\\0b\"\n", "f.yaml:1:7: name holds a zero byte"},
        {"name: \"a\\nb\"\n", "f.yaml:1:7: name: \"a b\" holds a control "
                              "character"},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        struct given given;
        int r = give(&given, &run, "", cases[i].file);
        assert_string_equal(given.err.text, cases[i].reason);
        assert_int_equal(r, -EBADMSG);
        option_set_deinit(&given.set);
    }
}

static void what_is_not_yaml_is_refused_with_the_place(void **state)
{
    (void)state;
    /* What follows is libyaml's own text, which differs by its version. */
    static const struct {
        const char *file, *place;
    } cases[] = {
        {"count: 1\n\tname: x\n", "f.yaml:2:1: not YAML: "},
        {"name: a: b\n", "f.yaml:1:8: not YAML: "},
        {"hosts: [a\n", "f.yaml:2:1: not YAML: "},
        {"name: 'a\n", "f.yaml:2:1: not YAML: "},
        {"name: \xff\n", "f.yaml: byte 6: not text in UTF-8: "},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        struct given given;
        int r = give(&given, &run, "", cases[i].file);
        given.err.text[strlen(cases[i].place)] = '\0';
        assert_string_equal(given.err.text, cases[i].place);
        assert_int_equal(r, -EBADMSG);
        option_set_deinit(&given.set);
    }
}

static void the_command_line_outranks_the_file(void **state)
{
    (void)state;
    struct given given;
    char buffer[64];
    assert_int_equal(give(&given, &run, "--count 9 --hosts z",
                          "count: 5\nwait: 20s\nhosts: [a, b]\n"),
                     0);
    assert_int_equal(given.values.count, 9);
    assert_int_equal(given.values.hosts.count, 1);
    assert_string_equal(given.values.hosts.items[0], "z");
    assert_true(given.values.wait_ns == 20 * NS_PER_S);
    static const struct {
        const char *name, *origin;
    } origins[] = {
        {"count", "command line"},
        {"hosts", "command line"},
        {"wait", "f.yaml:2"},
        {"name", "default"},
    };
    for (size_t i = 0; i < array_size(origins); i++)
        assert_string_equal(
            option_origin_text(&given.set,
                               option_row_find(&given.set, origins[i].name),
                               buffer, sizeof(buffer)),
            origins[i].origin);
    option_set_deinit(&given.set);
}

static void an_outranked_value_is_judged_all_the_same(void **state)
{
    (void)state;
    struct given given;
    assert_int_equal(give(&given, &run, "--count 9", "count: many\n"),
                     -EBADMSG);
    assert_string_equal(given.err.text, "f.yaml:1:8: count: \"many\" is no "
                                        "whole number; write for example 1");
    option_set_deinit(&given.set);
}

static void files_that_cannot_be_read_are_told_apart(void **state)
{
    (void)state;
    char name[] = "/tmp/test-option-XXXXXX";
    struct given given;
    assert_int_equal(give(&given, &run, "", NULL), 0);
    assert_int_equal(option_load_file(&given.set, "/nonexistent", &given.err),
                     -ENOENT);
    assert_string_equal(given.err.text,
                        "configuration file /nonexistent: No such file or "
                        "directory; mend that, or name another with "
                        "--config=FILE");
    assert_int_equal(option_load_file(&given.set, "/tmp", &given.err),
                     -ENOTSUP);
    assert_int_equal(option_load_file(&given.set, "/dev/zero", &given.err),
                     -ENOTSUP);

    _cleanup_(close_fd) int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal(dprintf(fd, "count: 8\n"), 9);
    int good = option_load_file(&given.set, name, &given.err);
    assert_int_equal(ftruncate(fd, 2 << 20), 0);
    int large = option_load_file(&given.set, name, &given.err);
    unlink(name);
    assert_int_equal(good, 0);
    assert_int_equal(given.values.count, 8);
    assert_int_equal(large, -EFBIG);
    option_set_deinit(&given.set);
}

static void a_pipe_in_the_files_place_does_not_block(void **state)
{
    (void)state;
    char folder[] = "/tmp/test-option-XXXXXX";
    char name[64];
    struct given given;
    assert_non_null(mkdtemp(folder));
    snprintf(name, sizeof(name), "%s/pipe", folder);
    assert_int_equal(mkfifo(name, 0600), 0);
    assert_int_equal(give(&given, &run, "", NULL), 0);
    int r = option_load_file(&given.set, name, &given.err);
    unlink(name);
    rmdir(folder);
    assert_int_equal(r, -ENOTSUP);
    option_set_deinit(&given.set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_fills_every_type_of_value),
        cmocka_unit_test(a_bad_file_is_refused_with_the_place),
        cmocka_unit_test(what_is_not_yaml_is_refused_with_the_place),
        cmocka_unit_test(the_command_line_outranks_the_file),
        cmocka_unit_test(an_outranked_value_is_judged_all_the_same),
        cmocka_unit_test(files_that_cannot_be_read_are_told_apart),
        cmocka_unit_test(a_pipe_in_the_files_place_does_not_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
