/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names and folded words of states. The precedence of node_state_text() and
 * job_state_shown() is Slurm's own, as node_state_string() and
 * job_state_string() of 20.11 to 26.05 have it; drop-in metrics depend on it.
 */
#include "model/state.h"

#include <stdbool.h>
#include <stdio.h>

const char *const node_base_names[NODE_BASE_COUNT] = {
    [NODE_BASE_UNKNOWN] = "unknown", [NODE_BASE_DOWN] = "down",
    [NODE_BASE_IDLE] = "idle",       [NODE_BASE_ALLOCATED] = "allocated",
    [NODE_BASE_ERROR] = "error",     [NODE_BASE_MIXED] = "mixed",
    [NODE_BASE_FUTURE] = "future",
};

#define NODE_FLAG_NAME(name) [NODE_FLAG_BIT_##name - NODE_FLAG_BIT_FIRST]

const char *const node_flag_names[NODE_FLAG_COUNT] = {
    NODE_FLAG_NAME(EXTERNAL) = "external",
    NODE_FLAG_NAME(RESERVED) = "reserved",
    NODE_FLAG_NAME(UNDRAIN) = "undrain",
    NODE_FLAG_NAME(CLOUD) = "cloud",
    NODE_FLAG_NAME(RESUME) = "resume",
    NODE_FLAG_NAME(DRAIN) = "drain",
    NODE_FLAG_NAME(COMPLETING) = "completing",
    NODE_FLAG_NAME(NOT_RESPONDING) = "not_responding",
    NODE_FLAG_NAME(POWERED_DOWN) = "powered_down",
    NODE_FLAG_NAME(FAIL) = "fail",
    NODE_FLAG_NAME(POWERING_UP) = "powering_up",
    NODE_FLAG_NAME(MAINTENANCE) = "maintenance",
    NODE_FLAG_NAME(REBOOT_REQUESTED) = "reboot_requested",
    NODE_FLAG_NAME(REBOOT_CANCEL) = "reboot_cancel",
    NODE_FLAG_NAME(POWERING_DOWN) = "powering_down",
    NODE_FLAG_NAME(DYNAMIC_FUTURE) = "dynamic_future",
    NODE_FLAG_NAME(REBOOT_ISSUED) = "reboot_issued",
    NODE_FLAG_NAME(PLANNED) = "planned",
    NODE_FLAG_NAME(INVALID_REG) = "invalid_reg",
    NODE_FLAG_NAME(POWER_DOWN) = "power_down",
    NODE_FLAG_NAME(POWER_UP) = "power_up",
    NODE_FLAG_NAME(POWER_DRAIN) = "power_drain",
    NODE_FLAG_NAME(DYNAMIC_NORMAL) = "dynamic_normal",
    NODE_FLAG_NAME(BLOCKED) = "blocked",
};

const char *const job_base_names[JOB_BASE_COUNT] = {
    [JOB_BASE_PENDING] = "pending",
    [JOB_BASE_RUNNING] = "running",
    [JOB_BASE_SUSPENDED] = "suspended",
    [JOB_BASE_COMPLETED] = "completed",
    [JOB_BASE_CANCELLED] = "cancelled",
    [JOB_BASE_FAILED] = "failed",
    [JOB_BASE_TIMEOUT] = "timeout",
    [JOB_BASE_NODE_FAIL] = "node_fail",
    [JOB_BASE_PREEMPTED] = "preempted",
    [JOB_BASE_BOOT_FAIL] = "boot_fail",
    [JOB_BASE_DEADLINE] = "deadline",
    [JOB_BASE_OUT_OF_MEMORY] = "out_of_memory",
};

#define JOB_FLAG_NAME(name) [JOB_FLAG_BIT_##name - JOB_FLAG_BIT_FIRST]

const char *const job_flag_names[JOB_FLAG_COUNT] = {
    JOB_FLAG_NAME(LAUNCH_FAILED) = "launch_failed",
    JOB_FLAG_NAME(UPDATE_DB) = "update_db",
    JOB_FLAG_NAME(REQUEUED) = "requeued",
    JOB_FLAG_NAME(REQUEUE_HOLD) = "requeue_hold",
    JOB_FLAG_NAME(SPECIAL_EXIT) = "special_exit",
    JOB_FLAG_NAME(RESIZING) = "resizing",
    JOB_FLAG_NAME(CONFIGURING) = "configuring",
    JOB_FLAG_NAME(COMPLETING) = "completing",
    JOB_FLAG_NAME(STOPPED) = "stopped",
    JOB_FLAG_NAME(RECONFIG_FAIL) = "reconfig_fail",
    JOB_FLAG_NAME(POWER_UP_NODE) = "power_up_node",
    JOB_FLAG_NAME(REVOKED) = "revoked",
    JOB_FLAG_NAME(REQUEUE_FED) = "requeue_fed",
    JOB_FLAG_NAME(RESV_DEL_HOLD) = "resv_del_hold",
    JOB_FLAG_NAME(SIGNALING) = "signaling",
    JOB_FLAG_NAME(STAGE_OUT) = "stage_out",
    JOB_FLAG_NAME(EXPEDITING) = "expediting",
};

#define IS(name) (state & NODE_FLAG(name))

/* Flags that put a character behind the word; the first one set wins. */
static const struct {
    uint32_t flag;
    char suffix;
} node_suffixes[] = {
    {NODE_FLAG(MAINTENANCE), '$'},      {NODE_FLAG(REBOOT_ISSUED), '^'},
    {NODE_FLAG(REBOOT_REQUESTED), '@'}, {NODE_FLAG(POWERING_UP), '#'},
    {NODE_FLAG(POWERING_DOWN), '%'},    {NODE_FLAG(POWERED_DOWN), '~'},
    {NODE_FLAG(POWER_DOWN), '!'},       {NODE_FLAG(NOT_RESPONDING), '*'},
};

static char node_suffix(uint32_t state)
{
    for (size_t i = 0; i < sizeof(node_suffixes) / sizeof(*node_suffixes); i++)
        if (state & node_suffixes[i].flag)
            return node_suffixes[i].suffix;
    return '\0';
}

/* States that consist of one flag and nothing else. */
static const struct {
    uint32_t flag;
    const char *word;
} lone_flags[] = {
    {NODE_FLAG(REBOOT_CANCEL), "cancel_reboot"},
    {NODE_FLAG(CLOUD), "cloud"},
    {NODE_FLAG(EXTERNAL), "external"},
    {NODE_FLAG(POWER_DOWN), "power_down"},
    {NODE_FLAG(POWER_UP), "power_up"},
    {NODE_FLAG(POWERING_DOWN), "powering_down"},
    {NODE_FLAG(POWERED_DOWN), "powered_down"},
    {NODE_FLAG(POWERING_UP), "powering_up"},
    {NODE_FLAG(UNDRAIN), "undrain"},
    {NODE_FLAG(DYNAMIC_FUTURE), "dynamic_future"},
    {NODE_FLAG(DYNAMIC_NORMAL), "dynamic_norm"},
    {NODE_FLAG(RESUME), "resume"},
};

static const char *lone_flag_word(uint32_t state)
{
    for (size_t i = 0; i < sizeof(lone_flags) / sizeof(*lone_flags); i++)
        if (state == lone_flags[i].flag)
            return lone_flags[i].word;
    return NULL;
}

/* A word and the suffix behind it; 0 for none. */
struct word {
    const char *text;
    char suffix;
};

/* Conditions that hide the base state, first match wins; NULL: none does. */
static struct word node_overriding_word(uint32_t state)
{
    enum node_base base = node_state_base(state);
    bool busy = base == NODE_BASE_ALLOCATED || base == NODE_BASE_MIXED;
    char no_response = IS(NOT_RESPONDING) ? '*' : '\0';

    if (IS(INVALID_REG))
        return (struct word){"inval", '\0'};
    if (IS(MAINTENANCE) && !IS(DRAIN) && !busy && base != NODE_BASE_DOWN)
        return (struct word){"maint", no_response};
    if (IS(REBOOT_ISSUED) && !busy)
        return (struct word){"reboot", '^'};
    if (IS(REBOOT_REQUESTED) && !busy)
        return (struct word){"reboot", no_response};
    if (IS(DRAIN))
        return (struct word){IS(COMPLETING) || busy ? "draining" : "drained",
                             node_suffix(state)};
    if (IS(FAIL))
        return (struct word){IS(COMPLETING) || busy ? "failing" : "fail",
                             no_response};
    return (struct word){lone_flag_word(state), '\0'};
}

static struct word node_idle_word(uint32_t state)
{
    char suffix = node_suffix(state);
    if (suffix)
        return (struct word){"idle", suffix};
    if (IS(RESERVED))
        return (struct word){"reserved", '\0'};
    if (IS(BLOCKED))
        return (struct word){"blocked", '\0'};
    if (IS(PLANNED))
        return (struct word){"planned", '\0'};
    return (struct word){"idle", '\0'};
}

static struct word node_base_word(uint32_t state)
{
    enum node_base base = node_state_base(state);
    char suffix = node_suffix(state);

    if (base == NODE_BASE_DOWN)
        return (struct word){"down", suffix};
    if (base == NODE_BASE_ALLOCATED)
        return (struct word){"allocated", suffix           ? suffix
                                          : IS(COMPLETING) ? '+'
                                                           : '\0'};
    if (IS(COMPLETING))
        return (struct word){"completing", suffix};
    if (base == NODE_BASE_IDLE)
        return node_idle_word(state);
    if (base == NODE_BASE_MIXED)
        return (struct word){"mixed", suffix        ? suffix
                                      : IS(PLANNED) ? '-'
                                                    : '\0'};
    if (base == NODE_BASE_FUTURE)
        return (struct word){"future", suffix};
    if (IS(RESUME))
        return (struct word){"resume", '\0'};
    return (struct word){"unknown", IS(NOT_RESPONDING) ? '*' : '\0'};
}

char *node_state_text(uint32_t state, char *buffer)
{
    struct word word = node_overriding_word(state);
    if (!word.text)
        word = node_base_word(state);
    char suffix[2] = {word.suffix, '\0'};
    snprintf(buffer, NODE_STATE_TEXT_SIZE, "%s%s", word.text, suffix);
    return buffer;
}

#undef IS

/* Flags that hide the base state and have no bucket of their own. */
#define JOB_FLAGS_OTHER                                                        \
    (JOB_FLAG(STAGE_OUT) | JOB_FLAG(EXPEDITING) | JOB_FLAG(RESIZING) |         \
     JOB_FLAG(REQUEUED) | JOB_FLAG(REQUEUE_FED) | JOB_FLAG(REQUEUE_HOLD) |     \
     JOB_FLAG(SPECIAL_EXIT) | JOB_FLAG(STOPPED) | JOB_FLAG(REVOKED) |          \
     JOB_FLAG(RESV_DEL_HOLD) | JOB_FLAG(SIGNALING))

enum job_shown job_state_shown(uint32_t state)
{
    if (state & JOB_FLAG(COMPLETING))
        return JOB_SHOWN_COMPLETING;
    if (state & JOB_FLAG(STAGE_OUT))
        return JOB_SHOWN_OTHER;
    if (state & JOB_FLAG(CONFIGURING))
        return JOB_SHOWN_CONFIGURING;
    if (state & JOB_FLAGS_OTHER)
        return JOB_SHOWN_OTHER;
    enum job_base base = job_state_base(state);
    if (base == JOB_BASE_COUNT)
        return JOB_SHOWN_OTHER;
    return (enum job_shown)base; /* the two start with the same members */
}
