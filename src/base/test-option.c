/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of defaults and of the command line.
 */
#include "base/test-option.h"

static void without_sources_every_value_is_the_default(void **state)
{
    (void)state;
    struct given given;
    assert_int_equal(give(&given, &run, "", NULL), 0);
    assert_string_equal(summary(&given),
                        "name= web.config.file= fast=true now=false "
                        "colour=green count=3 memory=64k wait=15s "
                        "hosts=alpha");
    option_set_deinit(&given.set);
}

static void a_command_may_have_other_defaults(void **state)
{
    (void)state;
    struct given given;
    assert_int_equal(give(&given, &drop_in, "", NULL), 0);
    assert_int_equal(given.values.hosts.count, 1);
    assert_string_equal(given.values.hosts.items[0], "omega");
    option_set_deinit(&given.set);
}

static void options_are_taken_in_every_spelling(void **state)
{
    (void)state;
    static const struct {
        const struct option_command *command;
        const char *line, *expected;
    } cases[] = {
        {&run, "--name x", "name=x "},
        {&run, "--name=x=y", "name=x=y "},
        {&run, "--name=", "name= "},
        {&run, "--name=--x", "name=--x "},
        {&run, "--name -", "name=- "},
        {&run, "--web.config.file f", "file=f "},
        {&run, "--no-fast", "fast=false"},
        {&run, "--no-fast --fast", "fast=true"},
        {&run, "--fast=off", "fast=false"},
        {&run, "--fast=T", "fast=true"},
        {&run, "-n", "now=true"},
        {&run, "--now", "now=true"},
        {&run, "--colour blue", "colour=blue"},
        {&run, "-c 7", "count=7"},
        {&run, "-c=7", "count=7"},
        {&run, "--count 4 --count 5", "count=5"},
        {&run, "--wait 1m", "wait=1m"},
        {&run, "--hosts a,b --host=c --machines d", "hosts=a,b,c,d"},
        {&run, "--hosts=", "hosts="},
        {&run, "--name x --", "name=x "},
        {&drop_in, "-name x", "name=x "},
        {&drop_in, "-name=x", "name=x "},
        {&drop_in, "--name x", "name=x "},
        {&drop_in, "-no-fast", "fast=false"},
        {&drop_in, "-fast=false", "fast=false"},
        {&drop_in, "-machines a", "hosts=a"},
        {&drop_in, "-n", "now=true"},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        struct given given;
        assert_int_equal(give(&given, cases[i].command, cases[i].line, NULL),
                         0);
        if (!strstr(summary(&given), cases[i].expected))
            fail_msg("%s: %s", cases[i].line, summary(&given));
        option_set_deinit(&given.set);
    }
}

static void a_bad_command_line_is_refused_with_what_to_type(void **state)
{
    (void)state;
    static const struct {
        const struct option_command *command;
        const char *line, *reason;
    } cases[] = {
        {&run, "--cuont 4",
         "unknown option \"--cuont\"; did you mean "
         "\"--count\"?"},
        {&run, "--no-fst",
         "unknown option \"--no-fst\"; did you mean "
         "\"--no-fast\"?"},
        {&run, "--machine a",
         "unknown option \"--machine\"; did you mean "
         "\"--machines\"?"},
        {&run, "-count 4",
         "unknown option \"-count\"; did you mean "
         "\"--count\"?"},
        {&run, "-x",
         "unknown option \"-x\"; \"prog run --help\" lists those "
         "there are"},
        {&run, "--", NULL},
        {&run, "--=4",
         "unknown option \"--=4\"; \"prog run --help\" lists "
         "those there are"},
        {&run, "--no-now",
         "unknown option \"--no-now\"; \"prog run --help\" "
         "lists those there are"},
        {&run, "--memory 1M",
         "\"--memory\" is no option of this command; "
         "\"prog run --help\" lists those that are"},
        {&run, "--count", "\"--count\" needs a value; write --count=N"},
        {&run, "--count --fast",
         "\"--count\" needs a value; write "
         "--count=N"},
        {&run, "--no-fast=true", "\"--no-fast=true\" takes no value"},
        {&run, "--fast=maybe",
         "command line: --fast: \"maybe\" is neither "
         "true nor false; write one of them"},
        {&run, "--colour grey",
         "command line: --colour: \"grey\" is not among "
         "the choices; write red, green or blue"},
        {&run, "--count many",
         "command line: --count: \"many\" is no whole "
         "number; write for example 1"},
        {&run, "--count 0",
         "command line: --count: \"0\" is too small; the "
         "least is 1"},
        {&run, "--count 11",
         "command line: --count: \"11\" is too large; the "
         "most is 10"},
        {&run, "--count 4294967297",
         "command line: --count: \"4294967297\" is "
         "too large a number"},
        {&run, "--wait 5",
         "command line: --wait: \"5\" has no unit; write for "
         "example 5s or 5m"},
        {&run, "--wait 999ms",
         "command line: --wait: \"999ms\" is too small; "
         "the least is 1s"},
        {&run, "--wait 2m",
         "command line: --wait: \"2m\" is too large; the "
         "most is 1m"},
        {&run, "--hosts a,b!", "command line: --hosts: \"b!\" shouts"},
        {&run, "--hosts a,",
         "command line: --hosts: there is an empty item "
         "in the list"},
        {&run, "--hosts ,a",
         "command line: --hosts: there is an empty item "
         "in the list"},
        {&run, "--name a\001b",
         "command line: --name: \"a b\" holds a control "
         "character"},
        {&run, "word",
         "\"word\" is too much here, only options are taken; "
         "\"prog run --help\" lists them"},
        {&drop_in, "-nmae x",
         "unknown option \"-nmae\"; did you mean "
         "\"-name\"?"},
        {&drop_in, "-fast false",
         "\"false\" is too much here, only options "
         "are taken; \"drop-in --help\" lists them"},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        struct given given;
        int r = give(&given, cases[i].command, cases[i].line, NULL);
        assert_int_equal(r, cases[i].reason ? -EINVAL : 0);
        assert_string_equal(given.err.text,
                            cases[i].reason ? cases[i].reason : "");
        option_set_deinit(&given.set);
    }
}

static void words_that_are_no_options_are_kept_in_order(void **state)
{
    (void)state;
    struct given given;
    assert_int_equal(
        give(&given, &run_with_words, "a --count 5 b -- --c -d", NULL), 0);
    static const char *const expected[] = {"a", "b", "--c", "-d"};
    assert_int_equal(given.set.argument_count, array_size(expected));
    for (size_t i = 0; i < array_size(expected); i++)
        assert_string_equal(given.set.arguments[i], expected[i]);
    assert_null(given.set.arguments[array_size(expected)]);
    assert_int_equal(given.values.count, 5);
    option_set_deinit(&given.set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_sources_every_value_is_the_default),
        cmocka_unit_test(a_command_may_have_other_defaults),
        cmocka_unit_test(options_are_taken_in_every_spelling),
        cmocka_unit_test(a_bad_command_line_is_refused_with_what_to_type),
        cmocka_unit_test(words_that_are_no_options_are_kept_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
