/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of admission, one function each.
 */
#include "cluster/admission.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <inttypes.h>
#include <string.h>

static int judge_protocol(const struct admission_facts *facts,
                          const struct join_hello *hello,
                          struct error *err)
{
    if (hello->protocol == JOIN_PROTOCOL)
        return 0;
    return error_set(err, EACCES,
                     "gpu-watchdog here and on the head (%s) speak different "
                     "protocols (%" PRId64 " and %d); install the same version "
                     "on both",
                     facts->version, hello->protocol, JOIN_PROTOCOL);
}

/* 22.05 comes before 23.02, so only year and month count. */
static unsigned int release_of(slurm_version version)
{
    return version >> 8;
}

/* slurmctld serves slurmds of its own release and some before it, never newer
 * ones (slurm.conf and the release notes: two before up to 23.11, then three).
 * By month: releases came every nine months, later every six. */
static int judge_slurm(const struct admission_facts *facts,
                       const struct join_hello *hello,
                       struct error *err)
{
    _cleanup_(text_deinit) struct text here = TEXT_INIT, head = TEXT_INIT;
    slurm_version_format(hello->slurm, &here);
    slurm_version_format(facts->slurm, &head);
    if (text_failed(&here) || text_failed(&head))
        return error_set(err, ENOMEM, "out of memory");
    if (release_of(hello->slurm) < 0x1605)
        return error_set(err, EACCES,
                         "Slurm %s here has no dynamic nodes; install 22.05 or "
                         "later",
                         text_str(&here));
    if (release_of(hello->slurm) > release_of(facts->slurm))
        return error_set(err, EACCES,
                         "Slurm %s here is newer than the head's %s, whose "
                         "slurmctld would not understand it; install the "
                         "head's version here, or upgrade the head",
                         text_str(&here), text_str(&head));
    unsigned int years = (facts->slurm >> 16) - (hello->slurm >> 16);
    if (years > 2)
        return error_set(err, EACCES,
                         "Slurm %s here is too old for the head's %s; install "
                         "the head's version here",
                         text_str(&here), text_str(&head));
    return 0;
}

static int judge_auth(const struct admission_facts *facts,
                      const struct join_hello *hello,
                      struct error *err)
{
    if (!facts->auth_slurm || hello->auth_slurm)
        return 0;
    _cleanup_(text_deinit) struct text here = TEXT_INIT;
    slurm_version_format(hello->slurm, &here);
    if (text_failed(&here))
        return error_set(err, ENOMEM, "out of memory");
    return error_set(err, EACCES,
                     "the cluster authenticates by Slurm's auth/slurm, and "
                     "Slurm %s here %s; install the head's version here, or "
                     "start the head with --auth munge",
                     text_str(&here),
                     slurm_version_has_auth(hello->slurm)
                         ? "has no plugin for it (auth_slurm.so)"
                         : "is too old for that (24.05)");
}

/* One without GPUs has nothing to keep jobs from; but slurm.conf is the same
 * for all, and its slurmd would not start. */
static int judge_confinement(const struct admission_facts *facts,
                             const struct join_hello *hello,
                             struct error *err)
{
    if (!facts->confine_gpus || hello->confines_gpus)
        return 0;
    return error_set(err, EACCES,
                     "the cluster keeps jobs to their GPUs, which this machine "
                     "cannot: it takes cgroups of version 1 whose controller "
                     "\"devices\" can be written to; mount them, or start the "
                     "head without --confine-gpus");
}

static void format_time(int64_t ns, char *ret_text, size_t size)
{
    time_t seconds = (time_t)(ns / NS_PER_S);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    strftime(ret_text, size, "%F %T UTC", &parts);
}

static int judge_clock(const struct admission_facts *facts,
                       const struct join_hello *hello,
                       struct error *err)
{
    int64_t apart_ns = hello->clock_ns - facts->now_ns;
    if (apart_ns < 0)
        apart_ns = -apart_ns;
    if (apart_ns <= ADMISSION_CLOCK_S * NS_PER_S)
        return 0;
    char here[32], head[32];
    format_time(hello->clock_ns, here, sizeof(here));
    format_time(facts->now_ns, head, sizeof(head));
    return error_set(err, EACCES,
                     "the clocks are %" PRId64 " s apart: %s here, %s on the "
                     "head; munge refuses messages then. Set the wrong one "
                     "(timedatectl set-ntp true), and join again",
                     apart_ns / NS_PER_S, here, head);
}

/* A name belongs to the key that joined with it, until it leaves. */
static int judge_name(const struct admission_facts *facts,
                      const struct join_hello *hello,
                      struct error *err)
{
    const struct member *holder = roster_find(facts->roster, hello->name);
    const struct member *own = roster_find_pin(facts->roster, facts->pin);
    if (strcmp(hello->name, facts->node) == 0)
        return error_set(err, EACCES,
                         "the name %s is the head's own; join with another "
                         "--name",
                         hello->name);
    if (own && *hello->name && strcmp(own->name, hello->name) != 0)
        return error_set(err, EACCES,
                         "this machine is a member as %s; leave first "
                         "(\"gpu-watchdog leave\"), then join as %s",
                         own->name, hello->name);
    if (!*hello->name || !holder ||
        memcmp(&holder->pin, facts->pin, sizeof(*facts->pin)) == 0)
        return 0;
    return error_set(
        err, EACCES,
        "the name %s belongs to another machine (%s, %s); join "
        "with another --name, or type \"gpu-watchdog leave %s\" on "
        "the head if that machine is gone",
        hello->name, holder->address, member_state_words[holder->state],
        hello->name);
}

static int judge_member(const struct admission_facts *facts,
                        const struct join_hello *hello,
                        struct error *err)
{
    if (hello->has_token || roster_find_pin(facts->roster, facts->pin))
        return 0;
    return error_set(
        err, EACCES,
        "the head does not know this machine (any more); type "
        "\"gpu-watchdog token\" on the head and the line it prints "
        "here");
}

int admission_judge(const struct admission_facts *facts,
                    const struct join_hello *hello,
                    struct error *err)
{
    static int (*const judges[])(const struct admission_facts *,
                                 const struct join_hello *, struct error *) = {
        judge_protocol,    judge_member, judge_slurm, judge_auth,
        judge_confinement, judge_clock,  judge_name,
    };
    for (size_t i = 0; i < array_size(judges); i++) {
        int r = judges[i](facts, hello, err);
        if (r < 0)
            return r;
    }
    return 0;
}
