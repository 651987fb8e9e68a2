/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Key pairs and pins. The pin is held to openssl's idea of it, since people
 * compare it by hand.
 */
#include "cluster/identity.h"

#include "base/test.h"

#include <fcntl.h>
#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], path[96];

static int setup(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/test-identity.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof(path), "%s/state/key.pem", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char command[100];
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

static struct identity *load(void)
{
    struct identity *identity = NULL;
    struct error err = {""};
    if (identity_load(path, &identity, &err) < 0)
        fail_msg("%s", err.text);
    return identity;
}

static void test_made_once_and_private(void **state)
{
    (void)state;
    struct stat st;
    struct identity *made = load(), *again = load();
    assert_memory_equal(&made->pin, &again->pin, sizeof(struct pin));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    *strrchr(path, '/') = '\0';
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    identity_free(made);
    identity_free(again);
}

static void test_two_are_never_the_same(void **state)
{
    (void)state;
    struct identity *one = load();
    assert_int_equal(unlink(path), 0);
    struct identity *other = load();
    assert_memory_not_equal(&one->pin, &other->pin, sizeof(struct pin));
    identity_free(one);
    identity_free(other);
}

static void test_pin_is_the_hash_of_the_public_key(void **state)
{
    (void)state;
    char command[400], line[128] = "", pin[PIN_SIZE * 2 + 1];
    struct identity *identity = load();
    pin_format(&identity->pin, pin);
    snprintf(command, sizeof(command),
             "openssl x509 -in %s -noout -pubkey | "
             "openssl pkey -pubin -outform DER | sha256sum",
             path);
    FILE *pipe = popen(command, "re");
    assert_non_null(pipe);
    assert_non_null(fgets(line, sizeof(line), pipe));
    assert_int_equal(pclose(pipe), 0);
    assert_memory_equal(line, pin, strlen(pin));
    identity_free(identity);
}

/* A clock that is wrong on either side must not make it invalid, and it ends
 * no cluster in a year. */
static void test_certificate_says_nothing_and_lasts(void **state)
{
    (void)state;
    struct identity *identity = load();
    gnutls_datum_t raw;
    gnutls_x509_crt_t certificate;
    unsigned int bits;
    assert_int_equal(
        gnutls_certificate_get_crt_raw(identity->credentials, 0, 0, &raw), 0);
    assert_int_equal(gnutls_x509_crt_init(&certificate), 0);
    assert_int_equal(
        gnutls_x509_crt_import(certificate, &raw, GNUTLS_X509_FMT_DER), 0);
    assert_int_equal(gnutls_x509_crt_get_activation_time(certificate), 0);
    assert_true(gnutls_x509_crt_get_expiration_time(certificate) >
                time(NULL) + 50 * 365 * 86400L);
    assert_int_equal(gnutls_x509_crt_get_pk_algorithm(certificate, &bits),
                     GNUTLS_PK_ECDSA);
    assert_int_equal(bits, 256);
    gnutls_x509_crt_deinit(certificate);
    identity_free(identity);
}

static void assert_refused(const char *word)
{
    struct identity *identity = NULL;
    struct error err = {""};
    assert_true(identity_load(path, &identity, &err) < 0);
    assert_null(identity);
    assert_non_null(strstr(err.text, path));
    if (!strstr(err.text, word))
        fail_msg("%s", err.text);
}

static void write_file(const char *bytes)
{
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, strlen(bytes)), strlen(bytes));
    close(fd);
}

static void test_file_that_others_may_read_is_refused(void **state)
{
    (void)state;
    identity_free(load());
    assert_int_equal(chmod(path, 0640), 0);
    assert_refused("");
    assert_int_equal(chmod(path, 0604), 0);
    assert_refused("");
}

/* A damaged one is never replaced: the workers know the head by it. */
static void test_damaged_file_is_refused_and_left_alone(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "", "nonsense",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"};
    struct stat st;
    identity_free(load());
    for (size_t i = 0; i < 3; i++) {
        write_file(cases[i]);
        assert_refused("");
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_size, strlen(cases[i]));
    }
}

static void test_key_without_its_certificate_is_refused(void **state)
{
    (void)state;
    char mine[4096] = "", other[4096] = "", mixed[8192];
    identity_free(load());
    FILE *file = fopen(path, "re");
    assert_true(fread(mine, 1, sizeof(mine) - 1, file) > 0);
    fclose(file);
    assert_int_equal(unlink(path), 0);
    identity_free(load());
    file = fopen(path, "re");
    assert_true(fread(other, 1, sizeof(other) - 1, file) > 0);
    fclose(file);
    char *certificate = strstr(other, "-----BEGIN CERTIFICATE");
    char *end_of_key = strstr(mine, "-----BEGIN CERTIFICATE");
    assert_non_null(certificate);
    assert_non_null(end_of_key);
    *end_of_key = '\0';
    snprintf(mixed, sizeof(mixed), "%s%s", mine, certificate);
    write_file(mixed);
    assert_refused("");
}

static void test_pins_as_text(void **state)
{
    (void)state;
    struct pin pin = {.bytes = {0x00, 0x0f, 0xf0, 0xff, [31] = 0x5a}}, again;
    char text[PIN_SIZE * 2 + 1];
    pin_format(&pin, text);
    assert_memory_equal(text, "000ff0ff", 8);
    assert_int_equal(strlen(text), PIN_SIZE * 2);
    assert_int_equal(pin_parse(text, &again), 0);
    assert_memory_equal(&pin, &again, sizeof(pin));
    text[10] = 'A';
    assert_int_equal(pin_parse(text, &again), -EINVAL);
    text[10] = 'g';
    assert_int_equal(pin_parse(text, &again), -EINVAL);
    text[10] = '\0';
    assert_int_equal(pin_parse(text, &again), -EINVAL);
    assert_int_equal(pin_parse("", &again), -EINVAL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(made_once_and_private),
        TEST(two_are_never_the_same),
        TEST(pin_is_the_hash_of_the_public_key),
        TEST(certificate_says_nothing_and_lasts),
        TEST(file_that_others_may_read_is_refused),
        TEST(damaged_file_is_refused_and_left_alone),
        TEST(key_without_its_certificate_is_refused),
        TEST(pins_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
