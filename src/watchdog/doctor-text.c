/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Judging what programs print. Everything here comes from outside: nothing
 * is taken for granted, what is not understood is no finding.
 */
#include "watchdog/doctor.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* ---- scontrol ------------------------------------------------------------ */

/* Does a further field, " Word=", begin here? */
static bool field_begins(const char *at)
{
    if (*at != ' ' || !isupper((unsigned char)at[1]))
        return false;
    size_t length = strspn(at + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "abcdefghijklmnopqrstuvwxyz_");
    return at[1 + length] == '=';
}

bool doctor_field(const char *line, const char *key, char *ret, size_t size)
{
    size_t key_length = strlen(key), length = 0;
    const char *at = line;
    ret[0] = '\0';
    for (; (at = strstr(at, key)); at += key_length)
        if ((at == line || at[-1] == ' ') && at[key_length] == '=')
            break;
    if (!at)
        return false;
    at += key_length + 1;
    while (at[length] && at[length] != '\n' && !field_begins(at + length))
        length++;
    while (length > 0 && at[length - 1] == ' ')
        length--;
    snprintf(ret, size, "%.*s", (int)length, at);
    return true;
}

bool doctor_controller(const char *slurm_conf,
                       char *ret_name,
                       char *ret_address,
                       size_t size)
{
    static const char key[] = "SlurmctldHost=";
    const char *at = slurm_conf;
    ret_name[0] = ret_address[0] = '\0';
    while (at && strncmp(at, key, strlen(key)) != 0)
        at = (at = strchr(at, '\n')) ? at + 1 : NULL;
    if (!at)
        return false;
    at += strlen(key);
    size_t length = strcspn(at, "( \t\n");
    snprintf(ret_name, size, "%.*s", (int)length, at);
    if (at[length] == '(')
        snprintf(ret_address, size, "%.*s",
                 (int)strcspn(at + length + 1, ")\n"), at + length + 1);
    else
        snprintf(ret_address, size, "%s", ret_name);
    return length > 0;
}

unsigned int doctor_gpu_count(const char *gres)
{
    unsigned int sum = 0;
    for (const char *at = gres; *at;) {
        size_t length = strcspn(at, ",(");
        const char *last = at;
        for (size_t i = 0; i < length; i++)
            if (at[i] == ':')
                last = at + i + 1;
        if (strncmp(at, "gpu", 3) == 0 && (at[3] == ':' || length == 3))
            sum += isdigit((unsigned char)*last)
                       ? (unsigned int)strtoul(last, NULL, 10)
                       : 1;
        at += length;
        if (*at == '(')
            at += strcspn(at, ")");
        at += *at == ')';
        at += *at == ',';
    }
    return sum;
}

/* The reasons that Slurm writes itself; the first that fits holds. */
static const struct reason {
    const char *word, *meaning, *next;
} reasons[] = {
    {"Low RealMemory",
     "it has less memory than Slurm's record of it says, so Slurm gives it no "
     "jobs; the record is old, or was made for another machine",
     "gpu-watchdog leave %s --now (here or on the head), then join it anew"},
    {"Low ",
     "it has fewer processors than Slurm's record of it says; the record is "
     "old, or was made for another machine",
     "gpu-watchdog leave %s --now (here or on the head), then join it anew"},
    {"count reported lower than configured",
     "it has fewer GPUs than Slurm's record of it says: one has failed, or "
     "its device file is gone",
     "ls /dev/nvidia* on %s; then end gpu-watchdog there and start it again"},
    {"Not responding",
     "its slurmd does not answer slurmctld: it is off, its network is down, "
     "or port 6818 is closed",
     "gpu-watchdog doctor on %s"},
    {"unexpectedly rebooted", "it was started again while it had jobs",
     "scontrol update nodename=%s state=resume"},
    {"Kill task failed",
     "a process of a job could not be ended; one that waits for a GPU or a "
     "disk cannot be",
     "ps -eo pid,stat,comm on %s (state D); then scontrol update "
     "nodename=%1$s state=resume"},
};

static void
judge_reason(const char *reason, const char **meaning, const char **next)
{
    for (size_t i = 0; i < array_size(reasons); i++)
        if (strstr(reason, reasons[i].word)) {
            *meaning = reasons[i].meaning;
            *next = reasons[i].next;
            return;
        }
}

/* Put NAME where the text says %s or %1$s; a format of printf() it is not. */
static void
fill_name(const char *text, const char *name, char *ret, size_t size)
{
    size_t used = 0;
    ret[0] = '\0';
    while (*text && used + 1 < size) {
        size_t skip = strncmp(text, "%s", 2) == 0     ? 2
                      : strncmp(text, "%1$s", 4) == 0 ? 4
                                                      : 0;
        int n = skip ? snprintf(ret + used, size - used, "%s", name)
                     : snprintf(ret + used, size - used, "%c", *text);
        used += (size_t)n;
        text += skip ? skip : 1;
    }
}

static bool state_is_bad(const char *state)
{
    static const char *const words[] = {"DOWN",        "DRAIN", "INVAL",
                                        "FAIL",        "*",     "UNKNOWN",
                                        "NOT_RESPOND", "ERROR"};
    for (size_t i = 0; i < array_size(words); i++)
        if (strstr(state, words[i]))
            return true;
    return false;
}

bool doctor_judge_node(const char *line,
                       char *ret_text,
                       size_t text_size,
                       char *ret_next,
                       size_t next_size)
{
    char name[64], state[128], reason[256];
    if (!doctor_field(line, "NodeName", name, sizeof(name)) ||
        !doctor_field(line, "State", state, sizeof(state)) ||
        !state_is_bad(state))
        return false;
    doctor_field(line, "Reason", reason, sizeof(reason));
    char *who = strstr(reason, " [");
    if (who)
        *who = '\0';
    const char *meaning = NULL;
    const char *next = "gpu-watchdog doctor on %s; if somebody drained it: "
                       "scontrol update nodename=%1$s state=resume";
    judge_reason(*reason || !strchr(state, '*') ? reason : "Not responding",
                 &meaning, &next);
    snprintf(ret_text, text_size, "node %s is %s%s%s%s%s%s", name, state,
             *reason ? " (" : "", reason, *reason ? ")" : "",
             meaning ? ": " : "", meaning ? meaning : "");
    fill_name(next, name, ret_next, next_size);
    return true;
}

/* ---- versions, times ----------------------------------------------------- */

/* Fixed upstream in 0.5.18 and in Debian 12's 0.5.15-2+deb12u1. */
enum doctor_verdict doctor_munge_leaks(const char *version, bool packaged)
{
    static const char debian[] = "0.5.15-2";
    unsigned int a, b, c, update = 0;
    if (sscanf(version, "%u.%u.%u", &a, &b, &c) != 3)
        return DOCTOR_NOTE;
    if (a > 0 || b > 5 || (b == 5 && c >= 18))
        return DOCTOR_GOOD;
    if (!packaged || strncmp(version, debian, strlen(debian)) != 0)
        return DOCTOR_NOTE;
    const char *rest = version + strlen(debian);
    if (sscanf(rest, "+deb12u%u", &update) == 1 && update >= 1)
        return DOCTOR_GOOD;
    return *rest == '\0' ? DOCTOR_WRONG : DOCTOR_NOTE;
}

int64_t doctor_http_date_s(const char *answer)
{
    const char *at = strstr(answer, "\r\nDate: ");
    struct tm parts = {0};
    if (!at ||
        !strptime(at + strlen("\r\nDate: "), "%a, %d %b %Y %H:%M:%S", &parts))
        return -1;
    return timegm(&parts);
}

/* Two releases a year until 24.05, and since; slurmctld takes slurmds that
 * are no newer, and of three releases back: two years bound that. */
bool doctor_versions_agree(slurm_version head, slurm_version node)
{
    uint32_t head_release = head >> 8, node_release = node >> 8;
    if (node_release > head_release)
        return false;
    return (head_release >> 8) - (node_release >> 8) <= 2;
}
