/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cluster/secret-file.h"

#include "base/cleanup.h"
#include "base/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char folder[64], path[80];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/test-secret-file.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof(path), "%s/key", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[100];
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

static void assert_content(const char *wanted)
{
    struct error err = {0};
    size_t size = 0;
    _cleanup_(free_ptr) char *bytes = NULL;
    assert_int_equal(secret_file_read(path, 4096, 1, &bytes, &size, &err), 0);
    assert_int_equal(size, strlen(wanted));
    assert_string_equal(bytes, wanted);
}

static unsigned int files_in_folder(void)
{
    unsigned int count = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));)
        count += e->d_name[0] != '.';
    closedir(dir);
    return count;
}

static void test_written_with_its_mode_and_read_back(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(secret_file_write(path, "abc", 3, 0400, NULL, &err), 0);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0400);
    assert_content("abc");
    assert_int_equal(secret_file_write(path, "new", 3, 0600, NULL, &err), 0);
    assert_content("new");
    assert_int_equal(files_in_folder(), 1);
}

static void test_folder_is_made_for_us_alone(void **state)
{
    (void)state;
    struct error err = {0};
    char deep[120];
    snprintf(deep, sizeof(deep), "%s/a/b/key", folder);
    assert_int_equal(secret_file_write(deep, "x", 1, 0600, NULL, &err), 0);
    *strrchr(deep, '/') = '\0';
    struct stat st;
    assert_int_equal(stat(deep, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
}

static void test_unknown_owner_leaves_nothing(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(
        secret_file_write(path, "x", 1, 0600, "nobody-of-that-name", &err),
        -ENOENT);
    assert_non_null(strstr(err.text, "nobody-of-that-name"));
    assert_int_equal(files_in_folder(), 0);
}

/* A limit on file sizes fails as a full disk does: in the middle of a write. */
static void test_full_disk_leaves_the_old_file(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(secret_file_write(path, "old", 3, 0600, NULL, &err), 0);

    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = {.rlim_cur = 1000, .rlim_max = before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    static const char big[5000];
    int r = secret_file_write(path, big, sizeof(big), 0600, NULL, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);

    assert_int_equal(r, -EFBIG);
    assert_non_null(strstr(err.text, path));
    assert_content("old");
    assert_int_equal(files_in_folder(), 1);
}

static void test_link_is_replaced_and_not_followed(void **state)
{
    (void)state;
    struct error err = {0};
    char victim[100];
    snprintf(victim, sizeof(victim), "%s/victim", folder);
    assert_int_equal(secret_file_write(victim, "v", 1, 0600, NULL, &err), 0);
    assert_int_equal(symlink(victim, path), 0);
    assert_int_equal(secret_file_write(path, "abc", 3, 0600, NULL, &err), 0);
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_int_equal(stat(victim, &st), 0);
    assert_int_equal(st.st_size, 1);
}

static void test_what_others_may_read_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    char *bytes = NULL;
    size_t size;
    assert_int_equal(secret_file_write(path, "abc", 3, 0640, NULL, &err), 0);
    assert_int_equal(secret_file_read(path, 10, 1, &bytes, &size, &err),
                     -EACCES);
    assert_non_null(strstr(err.text, "0640"));
    assert_null(bytes);
    assert_int_equal(secret_file_read(path, 10, 0, &bytes, &size, &err), 0);
    free(bytes);
}

static void test_what_is_no_readable_file_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    char *bytes = NULL;
    size_t size;
    assert_int_equal(secret_file_read(path, 10, 1, &bytes, &size, &err),
                     -ENOENT);
    assert_int_equal(secret_file_read(folder, 10, 0, &bytes, &size, &err),
                     -EINVAL);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(secret_file_read(path, 10, 1, &bytes, &size, &err),
                     -EINVAL);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(secret_file_write(path, "abcd", 4, 0600, NULL, &err), 0);
    assert_int_equal(secret_file_read(path, 3, 1, &bytes, &size, &err), -EFBIG);
    assert_null(bytes);
    assert_int_equal(secret_file_read(path, 4, 1, &bytes, &size, &err), 0);
    free(bytes);
}

int main(void)
{
#define in_folder(test)                                                        \
    cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        in_folder(test_written_with_its_mode_and_read_back),
        in_folder(test_folder_is_made_for_us_alone),
        in_folder(test_unknown_owner_leaves_nothing),
        in_folder(test_full_disk_leaves_the_old_file),
        in_folder(test_link_is_replaced_and_not_followed),
        in_folder(test_what_others_may_read_is_refused),
        in_folder(test_what_is_no_readable_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
