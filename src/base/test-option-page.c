/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of what is printed from the table of options.
 */
#include "base/option-page.h"
#include "base/test-option.h"

static void what_is_shown_is_a_file_that_gives_the_same(void **state)
{
    (void)state;
    static const char *const files[] = {
        "",
        "name: 'a \"b\" \\ # c'\nhosts: [\"[::1]:9\", 'x: y']\n",
        "name: \"\\x85\\u00e4\\ufeff\\u2028 \\U0001f436 \\u0080\"\n",
        "name: 'null'\nfast: off\ncolour: red\nwait: 59s\nhosts: []\n",
    };
    for (size_t i = 0; i < array_size(files); i++) {
        struct given given, again;
        struct text shown = TEXT_INIT;
        assert_int_equal(give(&given, &run, "", files[i]), 0);
        option_show(&given.set, &shown);
        int r = give(&again, &run, "", text_str(&shown));
        assert_string_equal(again.err.text, "");
        assert_int_equal(r, 0);
        for (size_t j = 0; j < array_size(rows); j++)
            assert_true(
                option_value_equal(rows + j, &given.values, &again.values));
        text_deinit(&shown);
        option_set_deinit(&given.set);
        option_set_deinit(&again.set);
    }
}

static void what_is_shown_tells_where_each_value_comes_from(void **state)
{
    (void)state;
    struct given given;
    struct text shown = TEXT_INIT;
    assert_int_equal(give(&given, &run, "--no-fast", "name: x\n"), 0);
    option_show(&given.set, &shown);
    assert_string_equal(
        text_str(&shown),
        "name: \"x\"                               # f.yaml:1\n"
        "web_config_file: \"\"                     # default\n"
        "fast: false                             # command "
        "line\n"
        "colour: green                           # default\n"
        "count: 3                                # default\n"
        "wait: 15s                               # default\n"
        "hosts: [\"alpha\"]                        # default\n");
    text_deinit(&shown);
    option_set_deinit(&given.set);
}

static void help_fits_a_terminal_of_80_columns(void **state)
{
    (void)state;
    struct text help = TEXT_INIT;
    option_help(&table, &run, &help);
    option_help(&table, &drop_in, &help);
    const char *text = text_str(&help);
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
        assert_in_range(strcspn(line, "\n"), 0, 80);
    assert_non_null(strstr(text, "Usage: prog run [OPTION]...\n\nRun it.\n"));
    assert_non_null(
        strstr(text, "\nOne:\n  --name NAME              A name\n"));
    assert_non_null(strstr(text, "  --[no-]fast              Be fast (default: "
                                 "on)\n"));
    assert_non_null(strstr(text,
                           "  --colour red|green|blue  A colour (default: "
                           "green)\n"));
    assert_non_null(strstr(text, "  -n, --now                Do it now\n"));
    assert_non_null(strstr(text, "Usage: drop-in [OPTION]...\n"));
    assert_non_null(strstr(text, "  -hosts HOST              On these; "
                                 "repeatable (default: omega)\n"));
    assert_null(strstr(text, "memory"));
    text_deinit(&help);
}

static void the_example_is_a_file_of_defaults(void **state)
{
    (void)state;
    struct given given, again;
    struct text example = TEXT_INIT;
    assert_int_equal(give(&given, &run, "", NULL), 0);
    option_example(&given.set, &example);
    char *text = strdup(text_str(&example));
    for (char *at = text; (at = strstr(at, "\n#")); at++)
        if (at[2] != ' ')
            at[1] = ' '; /* uncomment the key: " key: value" */
    assert_int_equal(give(&again, &run, "", text), 0);
    for (size_t i = 0; i < array_size(rows); i++) {
        assert_true(option_value_equal(rows + i, &given.values, &again.values));
        assert_true(option_is_from(&again.set, rows + i, OPTION_FROM_FILE) ||
                    rows[i].flags & OPTION_COMMAND_LINE_ONLY);
    }
    free(text);
    text_deinit(&example);
    option_set_deinit(&given.set);
    option_set_deinit(&again.set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_shown_is_a_file_that_gives_the_same),
        cmocka_unit_test(what_is_shown_tells_where_each_value_comes_from),
        cmocka_unit_test(help_fits_a_terminal_of_80_columns),
        cmocka_unit_test(the_example_is_a_file_of_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
