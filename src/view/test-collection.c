/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Collections of records and their differences; the JSON they are made of.
 */
#include "base/test.h"
#include "view/collection.h"

#include <math.h>

static void fill(struct collection *c,
                 uint64_t version,
                 const char *const names[],
                 const char *const texts[],
                 bool expected)
{
    bool changed;
    collection_begin(c, version);
    for (size_t i = 0; names[i]; i++) {
        struct json *json = collection_add_named(c, names[i]);
        json_begin_object(json, NULL);
        json_text(json, "t", texts[i]);
        json_end_object(json);
    }
    assert_int_equal(collection_end(c, &changed), 0);
    assert_int_equal(changed, expected);
}

static void assert_changes(struct collection *c,
                           uint64_t since,
                           const char *changed,
                           const char *gone)
{
    struct text text = TEXT_INIT;
    assert_true(collection_reaches(c, since));
    collection_print_changed(c, since, &text);
    assert_string_equal(text_str(&text), changed);
    text_clear(&text);
    struct json json = JSON_INIT(&text);
    collection_print_gone(c, since, &json);
    assert_string_equal(text_str(&text), gone);
    text_deinit(&text);
}

static void only_what_changed_is_told(void **state)
{
    (void)state;
    struct collection *c = collection_new(false);
    size_t size;
    fill(c, 10, (const char *const[]){"a", "b", "c", NULL},
         (const char *const[]){"1", "1", "1"}, true);
    assert_int_equal(collection_version(c), 10);
    fill(c, 11, (const char *const[]){"a", "b", "c", NULL},
         (const char *const[]){"1", "1", "1"}, false);
    assert_int_equal(collection_version(c), 10);
    fill(c, 12, (const char *const[]){"a", "c", "d", NULL},
         (const char *const[]){"1", "2", "1"}, true);
    assert_changes(c, 10, "{\"t\":\"2\"},{\"t\":\"1\"}", "\"b\"");
    assert_changes(c, 12, "", "");
    assert_int_equal(strncmp(collection_text(c, &size), "{\"t\":\"1\"},", 10),
                     0);
    assert_int_equal(collection_count(c), 3);
    assert_non_null(collection_find_named(c, "d"));
    assert_null(collection_find_named(c, "b"));
    assert_false(collection_reaches(c, 99)); /* of another start */
    collection_free(c);
}

static void what_comes_back_is_not_gone(void **state)
{
    (void)state;
    struct collection *c = collection_new(false);
    fill(c, 1, (const char *const[]){"a", "b", NULL},
         (const char *const[]){"1", "1"}, true);
    fill(c, 2, (const char *const[]){"a", NULL}, (const char *const[]){"1"},
         true);
    fill(c, 3, (const char *const[]){"a", "b", NULL},
         (const char *const[]){"1", "1"}, true);
    struct text text = TEXT_INIT;
    struct json json = JSON_INIT(&text);
    collection_print_gone(c, 1, &json);
    /* A client removes first and adds then: both are right. */
    text_clear(&text);
    collection_print_changed(c, 1, &text);
    assert_string_equal(text_str(&text), "{\"t\":\"1\"}");
    text_deinit(&text);
    collection_free(c);
}

static void text_is_only_ever_text(void **state)
{
    (void)state;
    struct text text = TEXT_INIT;
    struct json json = JSON_INIT(&text);
    json_begin_object(&json, NULL);
    json_text(&json, "a", "\"\\\n\x01</script>");
    json_text(&json, "b", "\xff\xc3");
    json_real(&json, "c", NAN);
    json_time(&json, "d", 0);
    json_text_known(&json, "e", "");
    json_u64(&json, "f", 0);
    json_end_object(&json);
    assert_string_equal(text_str(&text),
                        "{\"a\":\"\\\"\\\\\\n\\u0001</script>\","
                        "\"b\":\"\xef\xbf\xbd\xef\xbf\xbd\",\"f\":0}");
    text_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_changed_is_told),
        cmocka_unit_test(what_comes_back_is_not_gone),
        cmocka_unit_test(text_is_only_ever_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
