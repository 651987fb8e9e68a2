/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The folded words of states against those of the libslurm that is linked:
 * node_state_text() must say what sinfo prints, job_state_shown() what squeue
 * prints, for every base state with every three flags. libslurm exports the
 * functions behind both programs without declaring them.
 *
 * Our words are those of Slurm 26.05. Where an older one says otherwise, the
 * difference is listed below with its reason and what the old one says, and
 * that is checked as well: nothing is passed over but bits that the linked
 * version does not have.
 */
#include "base/cleanup.h"
#include "model/state.h"

#include <ctype.h>
#include <inttypes.h>
#include <setjmp.h>
#include <slurm/slurm.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

extern char *slurm_node_state_string(uint32_t state);
extern char *slurm_job_state_string(uint32_t state);

enum {
    WORD_SIZE = 64
};

static void lower(const char *string, char *word)
{
    size_t i = 0;
    for (; string[i] && i < WORD_SIZE - 1; i++)
        word[i] = (char)tolower((unsigned char)string[i]);
    word[i] = '\0';
}

/* The flags that the linked version has, under whatever name. Bit 4 is not
 * among them while it is NODE_STATE_NET, which went with Slurm 25.05 and is
 * printed as PERFCTRS: the source has to clear it. */
static const uint32_t node_flags =
    NODE_STATE_RES | NODE_STATE_UNDRAIN | NODE_STATE_CLOUD | NODE_STATE_DRAIN |
    NODE_STATE_COMPLETING | NODE_STATE_NO_RESPOND | NODE_STATE_FAIL |
    NODE_STATE_POWERING_DOWN | NODE_STATE_MAINT | NODE_FLAG(POWERED_DOWN) |
    NODE_FLAG(POWERING_UP) | NODE_FLAG(REBOOT_REQUESTED) |
    NODE_FLAG(REBOOT_CANCEL) | NODE_FLAG(DYNAMIC_FUTURE) |
#ifdef NODE_STATE_EXTERNAL
    NODE_STATE_EXTERNAL |
#endif
#ifdef NODE_STATE_REBOOT_ISSUED
    NODE_STATE_REBOOT_ISSUED |
#endif
#ifdef NODE_STATE_PLANNED
    NODE_STATE_PLANNED |
#endif
#ifdef NODE_STATE_INVALID_REG
    NODE_STATE_INVALID_REG |
#endif
#ifdef NODE_STATE_POWER_DOWN
    NODE_STATE_POWER_DOWN |
#endif
#ifdef NODE_STATE_POWER_DRAIN /* POWER_UP is bit 14 in versions without it */
    NODE_STATE_POWER_UP | NODE_STATE_POWER_DRAIN |
#endif
#ifdef NODE_STATE_DYNAMIC_NORM
    NODE_STATE_DYNAMIC_NORM |
#endif
#ifdef NODE_STATE_BLOCKED
    NODE_STATE_BLOCKED |
#endif
    NODE_RESUME;

/* Nodes that an older Slurm calls otherwise. Seen with 20.11, 22.05, 24.11 and
 * 26.05; a version between two of them may agree sooner than it says here. */
static const struct difference {
    uint32_t before; /* the first version that agrees */
    uint32_t mask;   /* a state is meant when (state & mask) == value */
    uint32_t value;
    const char *our_word, *slurm_word; /* without their suffix */
    const char *reason;
} differences[] = {
    {SLURM_VERSION_NUM(24, 11, 0), UINT32_MAX, NODE_FLAG(UNDRAIN), "undrain",
     "unknown", "no word for the lone flag"},
    {SLURM_VERSION_NUM(26, 5, 0), UINT32_MAX, NODE_FLAG(DYNAMIC_FUTURE),
     "dynamic_future", "unknown", "no word for the lone flag"},
    {SLURM_VERSION_NUM(26, 5, 0), UINT32_MAX, NODE_FLAG(DYNAMIC_NORMAL),
     "dynamic_norm", "unknown", "no word for the lone flag"},
    {SLURM_VERSION_NUM(21, 8, 0), UINT32_MAX, NODE_FLAG(POWERED_DOWN),
     "powered_down", "power_down", "the flag was called POWER_SAVE"},
    {SLURM_VERSION_NUM(21, 8, 0), UINT32_MAX, NODE_FLAG(POWERING_UP),
     "powering_up", "power_up", "the flag was called POWER_UP"},
    {SLURM_VERSION_NUM(26, 5, 0),
     NODE_BASE_MASK | NODE_FLAG(FAIL) | NODE_FLAG(COMPLETING),
     NODE_BASE_MIXED | NODE_FLAG(FAIL), "failing", "fail",
     "a mixed node was not seen to be busy"},
};

/* Put what the linked version calls STATE in place of our WORD. */
static void translate(uint32_t state, char *word)
{
    for (size_t i = 0; i < array_size(differences); i++) {
        const struct difference *d = &differences[i];
        size_t size = strlen(d->our_word);
        if (SLURM_VERSION_NUMBER >= d->before ||
            (state & d->mask) != d->value ||
            strncmp(word, d->our_word, size) != 0)
            continue;
        char suffix[WORD_SIZE];
        strcpy(suffix, word + size);
        snprintf(word, WORD_SIZE, "%.40s%.8s", d->slurm_word, suffix);
        return;
    }
}

static void check_node(uint32_t state)
{
    char ours[WORD_SIZE], slurms[WORD_SIZE];
    node_state_text(state, ours);
    translate(state, ours);
    lower(slurm_node_state_string(state), slurms);
    if (strcmp(ours, slurms) != 0)
        fail_msg("state %#" PRIx32 ": ours \"%s\", Slurm's \"%s\"", state, ours,
                 slurms);
}

/* Call CHECK for BASE with every choice of up to three of FLAGS. */
static void
check_three_flags(void (*check)(uint32_t state), uint32_t base, uint32_t flags)
{
    uint32_t bits[33] = {0};
    size_t count = 1; /* the first is no flag */
    for (unsigned int bit = 0; bit < 32; bit++)
        if (flags & UINT32_C(1) << bit)
            bits[count++] = UINT32_C(1) << bit;
    for (size_t i = 0; i < count; i++)
        for (size_t j = i; j < count; j++)
            for (size_t k = j; k < count; k++)
                check(base | bits[i] | bits[j] | bits[k]);
}

static void a_node_has_the_word_that_sinfo_prints(void **state)
{
    (void)state;
    for (uint32_t base = 0; base < NODE_BASE_COUNT; base++)
        if (base != NODE_BASE_ERROR) /* unused; "?" to libslurm */
            check_three_flags(check_node, base, node_flags);
}

/* A base state by itself, so that three flags are enough for precedence: any
 * fourth that could matter hides all below it. All flags at once still agree.
 */
static void a_node_with_all_flags_but_one_has_slurms_word(void **state)
{
    (void)state;
    for (uint32_t base = 0; base < NODE_BASE_COUNT; base++) {
        if (base == NODE_BASE_ERROR)
            continue;
        check_node(base | node_flags);
        for (unsigned int bit = 0; bit < 32; bit++)
            check_node(base | (node_flags & ~(UINT32_C(1) << bit)));
    }
}

static void every_listed_difference_is_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < array_size(differences); i++) {
        const struct difference *d = &differences[i];
        char ours[WORD_SIZE], slurms[WORD_SIZE];
        if (SLURM_VERSION_NUMBER >= d->before)
            continue;
        node_state_text(d->value, ours);
        assert_string_equal(ours, d->our_word);
        lower(slurm_node_state_string(d->value), slurms);
        if (strcmp(slurms, d->slurm_word) != 0)
            fail_msg("state %#" PRIx32 " is no difference (%s): Slurm says "
                     "\"%s\"",
                     d->value, d->reason, slurms);
    }
}

/* Bit 24 was REQUEUE_CRON in 20.11, nothing from 21.08, EXPEDITING from 25.11:
 * the source has to clear it below that. */
static const uint32_t job_flags =
#ifdef JOB_EXPEDITING
    JOB_EXPEDITING |
#endif
#ifdef JOB_UPDATE_DB
    JOB_UPDATE_DB |
#endif
    JOB_LAUNCH_FAILED | JOB_REQUEUE | JOB_REQUEUE_HOLD | JOB_SPECIAL_EXIT |
    JOB_RESIZING | JOB_CONFIGURING | JOB_COMPLETING | JOB_STOPPED |
    JOB_RECONFIG_FAIL | JOB_POWER_UP_NODE | JOB_REVOKED | JOB_REQUEUE_FED |
    JOB_RESV_DEL_HOLD | JOB_SIGNALING | JOB_STAGE_OUT;

/* What squeue shows and vpenso's slurm_queue_* have no bucket for. */
static const char *const other_words[] = {
    "stage_out",   "expediting",    "resizing",     "requeued",
    "requeue_fed", "requeue_hold",  "special_exit", "stopped",
    "revoked",     "resv_del_hold", "signaling",
};

static bool is_other(const char *word)
{
    for (size_t i = 0; i < array_size(other_words); i++)
        if (strcmp(word, other_words[i]) == 0)
            return true;
    return false;
}

static void check_job(uint32_t state)
{
    char slurms[WORD_SIZE];
    lower(slurm_job_state_string(state), slurms);
    enum job_shown shown = job_state_shown(state);
    bool same;
    if (shown == JOB_SHOWN_OTHER)
        same = is_other(slurms);
    else if (shown == JOB_SHOWN_COMPLETING)
        same = strcmp(slurms, "completing") == 0;
    else if (shown == JOB_SHOWN_CONFIGURING)
        same = strcmp(slurms, "configuring") == 0;
    else
        same = strcmp(slurms, job_base_names[shown]) == 0;
    if (!same)
        fail_msg("state %#" PRIx32 ": bucket %u, Slurm's word \"%s\"", state,
                 shown, slurms);
}

static void a_job_is_in_the_bucket_of_the_word_that_squeue_prints(void **state)
{
    (void)state;
    for (uint32_t base = 0; base < JOB_BASE_COUNT; base++)
        check_three_flags(check_job, base, job_flags);
}

/* Our numbering is libslurm's, but for the bits named above. */
static void our_flags_have_slurms_names(void **state)
{
    (void)state;
    static const struct {
        uint32_t ours, slurms;
    } cases[] = {
        {NODE_BASE_UNKNOWN, NODE_STATE_UNKNOWN},
        {NODE_BASE_DOWN, NODE_STATE_DOWN},
        {NODE_BASE_IDLE, NODE_STATE_IDLE},
        {NODE_BASE_ALLOCATED, NODE_STATE_ALLOCATED},
        {NODE_BASE_MIXED, NODE_STATE_MIXED},
        {NODE_BASE_FUTURE, NODE_STATE_FUTURE},
        {NODE_BASE_MASK, NODE_STATE_BASE},
        {NODE_FLAG(RESERVED), NODE_STATE_RES},
        {NODE_FLAG(UNDRAIN), NODE_STATE_UNDRAIN},
        {NODE_FLAG(CLOUD), NODE_STATE_CLOUD},
        {NODE_FLAG(RESUME), NODE_RESUME},
        {NODE_FLAG(DRAIN), NODE_STATE_DRAIN},
        {NODE_FLAG(COMPLETING), NODE_STATE_COMPLETING},
        {NODE_FLAG(NOT_RESPONDING), NODE_STATE_NO_RESPOND},
        {NODE_FLAG(FAIL), NODE_STATE_FAIL},
        {NODE_FLAG(MAINTENANCE), NODE_STATE_MAINT},
        {NODE_FLAG(POWERING_DOWN), NODE_STATE_POWERING_DOWN},
#ifdef NODE_STATE_POWER_DRAIN
        {NODE_FLAG(POWERED_DOWN), NODE_STATE_POWERED_DOWN},
        {NODE_FLAG(POWERING_UP), NODE_STATE_POWERING_UP},
        {NODE_FLAG(REBOOT_REQUESTED), NODE_STATE_REBOOT_REQUESTED},
        {NODE_FLAG(REBOOT_CANCEL), NODE_STATE_REBOOT_CANCEL},
        {NODE_FLAG(DYNAMIC_FUTURE), NODE_STATE_DYNAMIC_FUTURE},
        {NODE_FLAG(REBOOT_ISSUED), NODE_STATE_REBOOT_ISSUED},
        {NODE_FLAG(PLANNED), NODE_STATE_PLANNED},
        {NODE_FLAG(INVALID_REG), NODE_STATE_INVALID_REG},
        {NODE_FLAG(POWER_DOWN), NODE_STATE_POWER_DOWN},
        {NODE_FLAG(POWER_UP), NODE_STATE_POWER_UP},
        {NODE_FLAG(POWER_DRAIN), NODE_STATE_POWER_DRAIN},
#endif
#ifdef NODE_STATE_DYNAMIC_NORM
        {NODE_FLAG(DYNAMIC_NORMAL), NODE_STATE_DYNAMIC_NORM},
#endif
#ifdef NODE_STATE_BLOCKED
        {NODE_FLAG(BLOCKED), NODE_STATE_BLOCKED},
#endif
#ifdef NODE_STATE_EXTERNAL
        {NODE_FLAG(EXTERNAL), NODE_STATE_EXTERNAL},
#endif
        {JOB_BASE_COUNT, JOB_END},
        {JOB_BASE_OUT_OF_MEMORY, JOB_OOM},
        {JOB_BASE_MASK, JOB_STATE_BASE},
        {JOB_FLAG(LAUNCH_FAILED), JOB_LAUNCH_FAILED},
#ifdef JOB_UPDATE_DB
        {JOB_FLAG(UPDATE_DB), JOB_UPDATE_DB},
#endif
        {JOB_FLAG(REQUEUED), JOB_REQUEUE},
        {JOB_FLAG(REQUEUE_HOLD), JOB_REQUEUE_HOLD},
        {JOB_FLAG(SPECIAL_EXIT), JOB_SPECIAL_EXIT},
        {JOB_FLAG(RESIZING), JOB_RESIZING},
        {JOB_FLAG(CONFIGURING), JOB_CONFIGURING},
        {JOB_FLAG(COMPLETING), JOB_COMPLETING},
        {JOB_FLAG(STOPPED), JOB_STOPPED},
        {JOB_FLAG(RECONFIG_FAIL), JOB_RECONFIG_FAIL},
        {JOB_FLAG(POWER_UP_NODE), JOB_POWER_UP_NODE},
        {JOB_FLAG(REVOKED), JOB_REVOKED},
        {JOB_FLAG(REQUEUE_FED), JOB_REQUEUE_FED},
        {JOB_FLAG(RESV_DEL_HOLD), JOB_RESV_DEL_HOLD},
        {JOB_FLAG(SIGNALING), JOB_SIGNALING},
        {JOB_FLAG(STAGE_OUT), JOB_STAGE_OUT},
#ifdef JOB_EXPEDITING
        {JOB_FLAG(EXPEDITING), JOB_EXPEDITING},
#endif
    };
    for (size_t i = 0; i < array_size(cases); i++)
        if (cases[i].ours != cases[i].slurms)
            fail_msg("row %zu: %#" PRIx32 " is %#" PRIx32 " to Slurm", i,
                     cases[i].ours, cases[i].slurms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_flags_have_slurms_names),
        cmocka_unit_test(a_node_has_the_word_that_sinfo_prints),
        cmocka_unit_test(a_node_with_all_flags_but_one_has_slurms_word),
        cmocka_unit_test(every_listed_difference_is_one),
        cmocka_unit_test(a_job_is_in_the_bucket_of_the_word_that_squeue_prints),
    };
    return cmocka_run_group_tests_name("state-text", tests, NULL, NULL);
}
