/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is made of a child's standard error. */
#include "base/test.h"

#include "source/complaint.h"

#include <string.h>

static const struct {
    const char *name;
    const char *output;
    const char *reason;
} cases[] = {
    {"silence has no reason", "", ""},
    {"the writer's name and the time are taken off",
     "gpu-watchdog: [2026-11-23T01:02:03.456] error: munge is down\n",
     "munge is down"},
    {"the last complaint stands before the first",
     "x: error: no such key\nx: error: so no cluster\nx: fatal: giving up\n",
     "giving up (no such key)"},
    {"one complaint told twice is told once",
     "error: no route\nerror: no route\n", "no route"},
    {"advice is no cause",
     "x: error: If munged is up, restart with --num-threads=10\n"
     "x: error: Munge encode failed\nerror: nodes: denied\n",
     "nodes: denied (Munge encode failed)"},
    {"other lines do where nothing was called an error",
     "slurm is odd\nSegmentation fault\n", "Segmentation fault"},
    {"complaints win over other lines", "error: first\nby the way\n", "first"},
    {"a line without an end counts", "fatal: cut o", "cut o"},
    {"what is no text becomes blank", "error: a\tb\x1b[31mc\xff\r\n",
     "a b [31mc"},
    {"empty lines are nothing", "\n\n", ""},
};

static void test_reason_of_output(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct complaint whole = {.used = 0}, bytewise = {.used = 0};
        char reason[256];
        print_message("    %s\n", cases[i].name);
        complaint_add(&whole, cases[i].output, strlen(cases[i].output));
        complaint_end(&whole);
        complaint_reason(&whole, reason, sizeof(reason));
        assert_string_equal(reason, cases[i].reason);
        for (const char *p = cases[i].output; *p; p++)
            complaint_add(&bytewise, p, 1);
        complaint_end(&bytewise);
        complaint_reason(&bytewise, reason, sizeof(reason));
        assert_string_equal(reason, cases[i].reason);
    }
}

static void test_long_lines_are_cut(void **state)
{
    (void)state;
    struct complaint complaint = {.used = 0};
    char chunk[1000], reason[4096];
    memset(chunk, 'a', sizeof(chunk));
    complaint_add(&complaint, "error: ", 7);
    for (int i = 0; i < 1000; i++)
        complaint_add(&complaint, chunk, sizeof(chunk));
    complaint_add(&complaint, "\nfine\n", 6);
    complaint_reason(&complaint, reason, sizeof(reason));
    assert_int_equal(strlen(reason), COMPLAINT_LINE_SIZE - 1);
}

static void test_forgetting_keeps_the_line_under_way(void **state)
{
    (void)state;
    struct complaint complaint = {.used = 0};
    char reason[256];
    complaint_add(&complaint, "error: old\nerror: ne", 20);
    complaint_forget(&complaint);
    complaint_add(&complaint, "w\n", 2);
    assert_string_equal(complaint_reason(&complaint, reason, sizeof(reason)),
                        "new");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reason_of_output),
        cmocka_unit_test(test_long_lines_are_cut),
        cmocka_unit_test(test_forgetting_keeps_the_line_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
