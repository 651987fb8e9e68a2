/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/content.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

/* A content of SIZE bytes that compress about as metrics do, or not at all. */
static struct http_content *make_content(size_t size, bool random)
{
    struct text t = TEXT_INIT;
    while (t.size < size) {
        if (random)
            text_add_char(&t, (char)rand());
        else
            text_addf(&t, "slurm_node_cpus{node=\"n%05d\"} %d\n", rand() % 9999,
                      rand() % 64);
    }
    t.size = size;
    struct http_content *content = http_content_take(&t);
    assert_non_null(content);
    assert_null(t.data);
    return content;
}

/* Unpack PACKED, one gzip member, and compare with PLAIN. */
static void assert_unpacks(const struct text *packed, const struct text *plain)
{
    unsigned char *out = malloc(plain->size + 1);
    z_stream z = {.next_in = (unsigned char *)packed->data,
                  .avail_in = (uInt)packed->size,
                  .next_out = out,
                  .avail_out = (uInt)plain->size + 1};
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.total_out, plain->size);
    assert_int_equal(z.avail_in, 0);
    if (plain->size > 0)
        assert_memory_equal(out, plain->data, plain->size);
    inflateEnd(&z);
    free(out);
}

/* Join the blocks of COUNT contents as a reply does, and unpack them. */
static void assert_joins(struct http_content **contents, size_t count)
{
    struct text plain = TEXT_INIT, packed = TEXT_INIT;
    for (size_t i = 0; i < count; i++) {
        struct http_deflated d;
        assert_int_equal(http_content_deflate(contents[i], &d), 0);
        if (i == 0)
            text_add_bytes(&packed, d.gzip, HTTP_GZIP_HEADER_SIZE);
        text_add_bytes(&packed, d.gzip + HTTP_GZIP_HEADER_SIZE, d.blocks_size);
        text_add_bytes(&plain, http_content_data(contents[i]),
                       http_content_size(contents[i]));
    }
    unsigned char end[HTTP_GZIP_END_SIZE];
    uLong crc = crc32_z(0, (const unsigned char *)plain.data, plain.size);
    http_gzip_end((uint32_t)crc, plain.size, end);
    text_add_bytes(&packed, end, sizeof(end));
    assert_unpacks(&packed, &plain);
    text_deinit(&plain);
    text_deinit(&packed);
}

static void test_each_size_inflates_to_itself(void **state)
{
    (void)state;
    static const size_t sizes[] = {1,    2,    255,   256,    511,    512,
                                   513,  1024, 32767, 65535,  65536,  65537,
                                   1000, 7,    99999, 262144, 3000000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        for (int random = 0; random < 2; random++) {
            struct http_content *content = make_content(sizes[i], random);
            assert_joins(&content, 1);
            http_content_unref(content);
        }
}

static void test_alone_it_is_a_gzip_file(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 512, 513, 20000, 100000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct http_content *content = make_content(sizes[i], false);
        struct http_deflated d;
        http_content_deflate(content, &d);
        struct text gzip = {.data = (char *)(uintptr_t)d.gzip,
                            .size = HTTP_GZIP_HEADER_SIZE + d.blocks_size +
                                    HTTP_GZIP_END_SIZE};
        struct text plain = {.data =
                                 (char *)(uintptr_t)http_content_data(content),
                             .size = sizes[i]};
        assert_unpacks(&gzip, &plain);
        http_content_unref(content);
    }
}

static void test_contents_join_in_any_order(void **state)
{
    (void)state;
    struct http_content *c[5] = {
        make_content(300000, false), make_content(40, false),
        make_content(5000, true), make_content(5000, false),
        http_content_static("", 0)};
    for (int round = 0; round < 20; round++) {
        size_t i = (size_t)rand() % 5, j = (size_t)rand() % 5;
        struct http_content *swap = c[i];
        c[i] = c[j];
        c[j] = swap;
        assert_joins(c, 1 + (size_t)rand() % 5);
    }
    for (size_t i = 0; i < 5; i++)
        http_content_unref(c[i]);
}

static void test_is_compressed_once(void **state)
{
    (void)state;
    struct http_content *content = make_content(10000, false);
    struct http_deflated first, second;
    assert_false(http_content_is_deflated(content));
    http_content_deflate(content, &first);
    assert_true(http_content_is_deflated(content));
    http_content_deflate(content, &second);
    assert_ptr_equal(first.gzip, second.gzip);
    assert_true(first.blocks_size < 5000);
    assert_ptr_equal(http_content_ref(content), content);
    assert_null(http_content_unref(content));
    assert_int_equal(http_content_size(content), 10000);
    assert_null(http_content_unref(content));
    assert_null(http_content_unref(NULL));
}

static void test_failed_text_makes_no_content(void **state)
{
    (void)state;
    struct text t = TEXT_INIT;
    text_add(&t, "half a ");
    assert_null(text_reserve(&t, SIZE_MAX));
    assert_null(http_content_take(&t));
    assert_null(t.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_size_inflates_to_itself),
        cmocka_unit_test(test_alone_it_is_a_gzip_file),
        cmocka_unit_test(test_contents_join_in_any_order),
        cmocka_unit_test(test_is_compressed_once),
        cmocka_unit_test(test_failed_text_makes_no_content),
    };
    return cmocka_run_group_tests_name("content", tests, NULL, NULL);
}
