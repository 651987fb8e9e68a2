/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of who may join: one for each reason to be refused, which must tell
 * what is wrong and what to type.
 */
#include "cluster/admission.h"

#include "base/clock.h"
#include "base/test.h"

#include <string.h>

#define NOW_NS (INT64_C(1795000000) * NS_PER_S)

struct fixture {
    struct roster roster;
    struct pin pin;
    struct join_hello hello;
    slurm_version slurm; /* of the head */
    bool auth_slurm, confine_gpus;
};

static void set_up(struct fixture *f)
{
    *f = (struct fixture){
        .hello = {.protocol = JOIN_PROTOCOL,
                  .has_token = true,
                  .slurm = 0x160508,
                  .clock_ns = NOW_NS},
        .slurm = 0x160508,
    };
    memset(&f->pin, 7, sizeof(f->pin));
    strcpy(f->hello.name, "gpu1");
}

/* The verdict; REASON gets what a person would read. */
static int judge(struct fixture *f, struct error *reason)
{
    const struct admission_facts facts = {
        .slurm = f->slurm,
        .auth_slurm = f->auth_slurm,
        .confine_gpus = f->confine_gpus,
        .version = "0.1.0",
        .node = "box",
        .now_ns = NOW_NS,
        .roster = &f->roster,
        .pin = &f->pin,
    };
    reason->text[0] = '\0';
    int r = admission_judge(&facts, &f->hello, reason);
    roster_close(&f->roster);
    return r;
}

static void expect_refusal(struct fixture *f, const char *word)
{
    struct error reason;
    assert_int_equal(judge(f, &reason), -EACCES);
    if (!strstr(reason.text, word))
        fail_msg("no \"%s\" in: %s", word, reason.text);
}

static void a_worker_like_the_head_is_let_in(void **state)
{
    (void)state;
    struct fixture f;
    struct error reason;
    set_up(&f);
    assert_int_equal(judge(&f, &reason), 0);
}

static void another_protocol_is_refused_with_both_numbers(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    f.hello.protocol = 9;
    expect_refusal(&f, "(9 and 1)");
}

static void a_stranger_without_a_token_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    f.hello.has_token = false;
    expect_refusal(&f, "gpu-watchdog token");
}

static void a_member_needs_no_token(void **state)
{
    (void)state;
    struct fixture f;
    struct error reason;
    set_up(&f);
    f.hello.has_token = false;
    roster_add(&f.roster, "gpu1")->pin = f.pin;
    assert_int_equal(judge(&f, &reason), 0);
}

static void versions_of_slurm_that_cannot_talk_are_refused(void **state)
{
    (void)state;
    static const struct {
        slurm_version version;
        const char *word;
    } cases[] = {
        {0x140b04, "no dynamic nodes"}, /* 20.11.4 */
        {0x170200, "newer than the head's 22.05.8"},
        {0x1a0500, "newer"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f;
        set_up(&f);
        f.hello.slurm = cases[i].version;
        expect_refusal(&f, cases[i].word);
    }
}

static void
a_worker_without_auth_slurm_is_refused_where_it_is_used(void **state)
{
    (void)state;
    struct fixture f;
    struct error reason;
    set_up(&f);
    f.auth_slurm = true;
    expect_refusal(&f, "too old for that (24.05)");
    set_up(&f);
    f.auth_slurm = true;
    f.hello.slurm = f.slurm = 0x180b05;
    expect_refusal(&f, "no plugin for it");
    set_up(&f);
    f.auth_slurm = f.hello.auth_slurm = true;
    f.hello.slurm = f.slurm = 0x180b05;
    assert_int_equal(judge(&f, &reason), 0);
}

static void a_worker_that_cannot_confine_is_refused_where_it_must(void **state)
{
    (void)state;
    struct fixture f;
    struct error reason;
    set_up(&f);
    f.confine_gpus = true;
    expect_refusal(&f, "--confine-gpus");
    set_up(&f);
    f.confine_gpus = f.hello.confines_gpus = true;
    assert_int_equal(judge(&f, &reason), 0);
}

/* Of one release the last number does not matter. */
static void a_newer_patch_of_the_same_slurm_is_let_in(void **state)
{
    (void)state;
    struct fixture f;
    struct error reason;
    set_up(&f);
    f.hello.slurm = 0x16050b;
    assert_int_equal(judge(&f, &reason), 0);
}

static void a_clock_that_is_off_is_refused_with_both_times(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    f.hello.clock_ns = NOW_NS - 12 * NS_PER_S;
    expect_refusal(&f, "12 s apart");
    set_up(&f);
    f.hello.clock_ns = NOW_NS + 3600 * NS_PER_S;
    expect_refusal(&f, "UTC here");
    struct error reason;
    set_up(&f);
    f.hello.clock_ns = NOW_NS + 5 * NS_PER_S;
    assert_int_equal(judge(&f, &reason), 0);
}

static void a_name_belongs_to_the_key_that_has_it(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    struct member *other = roster_add(&f.roster, "gpu1");
    memset(&other->pin, 9, sizeof(other->pin));
    strcpy(other->address, "10.0.0.9");
    expect_refusal(&f, "10.0.0.9");
    set_up(&f);
    strcpy(f.hello.name, "box");
    expect_refusal(&f, "head's own");
}

static void a_member_keeps_its_name(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    roster_add(&f.roster, "old")->pin = f.pin;
    expect_refusal(&f, "member as old");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_like_the_head_is_let_in),
        cmocka_unit_test(another_protocol_is_refused_with_both_numbers),
        cmocka_unit_test(a_stranger_without_a_token_is_refused),
        cmocka_unit_test(a_member_needs_no_token),
        cmocka_unit_test(versions_of_slurm_that_cannot_talk_are_refused),
        cmocka_unit_test(
            a_worker_without_auth_slurm_is_refused_where_it_is_used),
        cmocka_unit_test(a_worker_that_cannot_confine_is_refused_where_it_must),
        cmocka_unit_test(a_newer_patch_of_the_same_slurm_is_let_in),
        cmocka_unit_test(a_clock_that_is_off_is_refused_with_both_times),
        cmocka_unit_test(a_name_belongs_to_the_key_that_has_it),
        cmocka_unit_test(a_member_keeps_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
