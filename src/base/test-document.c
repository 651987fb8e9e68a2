/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/document.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct settings {
    char *name;
    char *path;
    bool on;
    int64_t interval_ns;
};

static const struct document_field fields[] = {
    {"interval", document_read_duration,
     offsetof(struct settings, interval_ns)},
    {"name", document_read_string, offsetof(struct settings, name)},
    {"on", document_read_bool, offsetof(struct settings, on)},
    {"path", document_read_path, offsetof(struct settings, path)},
};

static int read_settings(const char *file,
                         const char *text,
                         struct settings *settings,
                         struct error *err)
{
    struct document *document;
    err->text[0] = '\0';
    int r = document_parse(file, text, strlen(text), &document, err);
    if (r < 0)
        return r;
    r = document_read_fields(document, document_root(document), fields,
                             array_size(fields), settings, err);
    document_free(document);
    return r;
}

static void settings_deinit(struct settings *settings)
{
    free(settings->name);
    free(settings->path);
}

static void test_fields_are_filled(void **state)
{
    (void)state;
    struct settings s = {.on = true};
    struct error err;
    assert_int_equal(read_settings("/etc/x/y.yaml",
                                   "name: 'a b'\npath: c/d\non: false\n"
                                   "interval: 1.5s\n",
                                   &s, &err),
                     0);
    assert_string_equal(s.name, "a b");
    assert_string_equal(s.path, "/etc/x/c/d");
    assert_false(s.on);
    assert_int_equal(s.interval_ns, NS_PER_S * 3 / 2);
    settings_deinit(&s);
}

static void test_absent_and_null_leave_what_is_there(void **state)
{
    (void)state;
    struct settings s = {.on = true, .interval_ns = 7};
    struct error err;
    assert_int_equal(
        read_settings("y.yaml", "on: ~\npath: /a\nname:\n", &s, &err), 0);
    assert_true(s.on);
    assert_int_equal(s.interval_ns, 7);
    assert_null(s.name);
    assert_string_equal(s.path, "/a");
    settings_deinit(&s);
}

static void test_path_beside_a_bare_file_name_is_itself(void **state)
{
    (void)state;
    struct settings s = {.on = true};
    struct error err;
    assert_int_equal(read_settings("y.yaml", "path: a/b\n", &s, &err), 0);
    assert_string_equal(s.path, "a/b");
    settings_deinit(&s);
}

static void test_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ns; /* -1: refused */
    } cases[] = {
        {"0", 0},
        {"1ns", 1},
        {"15us", 15000},
        {"250ms", 250 * NS_PER_MS},
        {"1m30s", 90 * NS_PER_S},
        {"2h", 7200 * NS_PER_S},
        {"0.5h0.5s", 1800 * NS_PER_S + NS_PER_S / 2},
        {"15", -1},
        {"s", -1},
        {"1.2.3s", -1},
        {"-1s", -1},
        {"1 s", -1},
        {"1d", -1},
        {"\"\"", -1},
        {"99999999h", -1},
        {"1e9s", -1},
        {"[1s]", -1},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        struct settings s = {.on = true};
        struct error err;
        char text[64];
        snprintf(text, sizeof(text), "interval: %s\n", cases[i].text);
        int r = read_settings("y.yaml", text, &s, &err);
        if ((r < 0) != (cases[i].ns < 0) ||
            (r == 0 && s.interval_ns != cases[i].ns))
            fail_msg("%s: %s", cases[i].text, err.text);
    }
}

static void test_mistakes_are_told_with_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"nmae: a\n", "y.yaml:1: unknown key \"nmae\"; known here: interval, "
                      "name, on, path"},
        {"name: a\n\nname: b\n", "y.yaml:3: \"name\" is set twice; keep one"},
        {"name: [a]\n", "y.yaml:1: expected one text here"},
        {"on: 1\n", "y.yaml:1: expected true or false here"},
        {"? [a]\n: b\n", "y.yaml:1: a key must be a plain word"},
        {"a\n", "y.yaml:1: expected \"name: value\" lines here"},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        struct settings s = {.on = true};
        struct error err;
        assert_int_equal(read_settings("y.yaml", cases[i].text, &s, &err),
                         -EINVAL);
        assert_string_equal(err.text, cases[i].wanted);
        settings_deinit(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields_are_filled),
        cmocka_unit_test(test_absent_and_null_leave_what_is_there),
        cmocka_unit_test(test_path_beside_a_bare_file_name_is_itself),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_mistakes_are_told_with_their_line),
    };
    return cmocka_run_group_tests_name("document", tests, NULL, NULL);
}
