/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All but environments, which are in job-environment.c.
 */
#include "source/job-text.h"

#include "model/gpu-record.h"
#include "source/job-word.h"

#include <string.h>

/* ---- /proc/PID/stat ---- */

static const char *skip_fields(const char *at, unsigned int count)
{
    while (at && count-- > 0) {
        at = strchr(at, ' ');
        at = at ? at + 1 : NULL;
    }
    return at;
}

bool job_stat_parse(const char *text, struct job_stat *ret_stat)
{
    *ret_stat = (struct job_stat){0};
    const char *at = text;
    if (!take_u32(&at, &ret_stat->pid) || at[0] != ' ' || at[1] != '(')
        return false;
    /* The command may have brackets and blanks; the last bracket ends it. */
    const char *command = at + 2, *end = strrchr(command, ')');
    if (!end || end[1] != ' ')
        return false;
    size_t length = (size_t)(end - command);
    if (length >= sizeof(ret_stat->command))
        length = sizeof(ret_stat->command) - 1;
    memcpy(ret_stat->command, command, length);
    at = skip_fields(end + 2, 1); /* behind the state: field 4 */
    if (!at || !take_u32(&at, &ret_stat->parent))
        return false;
    at = skip_fields(at, 10); /* fields 14 to 17 */
    uint64_t ticks[4];
    for (int i = 0; i < 4; i++) {
        if (!at || !take_u64(&at, &ticks[i]))
            return false;
        at = skip_fields(at, 1);
    }
    ret_stat->cpu_ticks = ticks[0] + ticks[1];
    ret_stat->child_ticks = ticks[2] + ticks[3];
    at = at ? skip_fields(at, 4) : NULL; /* field 22 */
    if (!at || !take_u64(&at, &ret_stat->start_ticks))
        return false;
    at = skip_fields(at, 2); /* field 24 */
    if (!at || !take_u64(&at, &ret_stat->memory_pages))
        return false;
    at = skip_fields(at, 26); /* field 50, Linux 3.5 and later */
    if (at)
        take_u64(&at, &ret_stat->environment);
    return true;
}

/* ---- slurmstepd ---- */

/* SLUIDs are "s" and letters and digits of base 32. */
static bool is_sluid(const char *text, size_t length)
{
    if (length < 8 || length >= JOB_SLUID_SIZE || text[0] != 's')
        return false;
    for (size_t i = 1; i < length; i++)
        if (!is_digit(text[i]) && !(text[i] >= 'A' && text[i] <= 'Z') &&
            !(text[i] >= 'a' && text[i] <= 'z'))
            return false;
    return true;
}

bool job_title_parse(const char *text, struct job_step *ret_step)
{
    static const char prefix[] = "slurmstepd: [";
    *ret_step = (struct job_step){0};
    if (strncmp(text, prefix, sizeof(prefix) - 1) != 0)
        return false;
    const char *at = text + sizeof(prefix) - 1;
    size_t length = strcspn(at, ".]");
    if (is_sluid(at, length)) {
        copy_word(ret_step->sluid, sizeof(ret_step->sluid), at, length);
        at += length;
    } else if (!take_u32(&at, &ret_step->job_id) || ret_step->job_id == 0) {
        return false;
    }
    if (*at != '.')
        return *at == ']';
    length = strcspn(++at, "]");
    return at[length] == ']' &&
           copy_word(ret_step->step, sizeof(ret_step->step), at, length);
}

/* ---- /proc/PID/cgroup ---- */

static size_t component_length(const char *component)
{
    return strcspn(component, "/\n");
}

static const char *next_component(const char *component)
{
    component += component_length(component);
    return *component == '/' ? component + 1 : component;
}

static bool is_job_component(const char *component, struct job_step *ret_step)
{
    static const char prefix[] = "job_";
    size_t length = component_length(component);
    ret_step->job_id = 0;
    ret_step->sluid[0] = '\0';
    if (length > 4 && memcmp(component, prefix, 4) == 0) {
        const char *at = component + 4;
        return take_u32(&at, &ret_step->job_id) && ret_step->job_id != 0 &&
               at == component + length;
    }
    return is_sluid(component, length) &&
           copy_word(ret_step->sluid, sizeof(ret_step->sluid), component,
                     length);
}

/* The steps' folders come right below the job's; without one, only job_N is
 * plain enough to be Slurm's. */
static bool path_parse(const char *path, struct job_step *ret_step)
{
    static const char step_prefix[] = "step_", users[] = "user.slice";
    *ret_step = (struct job_step){0};
    for (const char *c = path; *c && *c != '\n'; c = next_component(c)) {
        if (component_length(c) == sizeof(users) - 1 &&
            memcmp(c, users, sizeof(users) - 1) == 0)
            return false;
        if (!is_job_component(c, ret_step))
            continue;
        const char *step = next_component(c);
        size_t length = component_length(step);
        if (length > 5 && memcmp(step, step_prefix, 5) == 0)
            return copy_word(ret_step->step, sizeof(ret_step->step), step + 5,
                             length - 5);
        return ret_step->job_id != 0 && *step != '/';
    }
    return false;
}

bool job_cgroup_parse(const char *text, struct job_step *ret_step)
{
    for (const char *line = text; *line;) {
        size_t length = strcspn(line, "\n");
        const char *controllers = memchr(line, ':', length);
        size_t rest = controllers ? length - (size_t)(controllers - line) : 0;
        const char *path =
            rest > 1 ? memchr(controllers + 1, ':', rest - 1) : NULL;
        /* Behind ":/" begins the first component. */
        if (path && path[1] == '/' && path_parse(path + 2, ret_step))
            return true;
        line += length;
        line += *line == '\n';
    }
    *ret_step = (struct job_step){0};
    return false;
}

/* ---- lists of GPUs ---- */

static bool take_number(struct job_gpu_list *list, uint32_t *ret_index)
{
    const char *at = list->at;
    uint32_t first, last;
    if (!take_u32(&at, &first))
        return false;
    last = first;
    if (*at == '-') {
        at++;
        if (!take_u32(&at, &last) || last < first || last - first > 1023)
            return false;
    }
    if (*at != ',' && *at != '\0')
        return false;
    list->at = at + (*at == ',');
    list->next = first + 1;
    list->last = last;
    list->in_range = first < last;
    *ret_index = first;
    return true;
}

bool job_gpu_list_next(struct job_gpu_list *list,
                       uint32_t *ret_index,
                       char *ret_word,
                       size_t size)
{
    ret_word[0] = '\0';
    if (list->in_range) {
        *ret_index = list->next++;
        list->in_range = *ret_index < list->last;
        return true;
    }
    while (*list->at) {
        if (take_number(list, ret_index))
            return true;
        size_t length = strcspn(list->at, ",");
        bool fits = copy_word(ret_word, size, list->at, length);
        list->at += length;
        list->at += *list->at == ',';
        if (fits)
            return true;
    }
    return false;
}

/* ---- files of prologs ---- */

bool job_mapping_name_parse(const char *name,
                            uint32_t *ret_index,
                            uint32_t *ret_instance)
{
    *ret_instance = GPU_NONE;
    if (!take_u32(&name, ret_index))
        return false;
    if (*name == '.') {
        name++;
        if (!take_u32(&name, ret_instance))
            return false;
    }
    return *name == '\0';
}

size_t job_mapping_parse(const char *text,
                         uint32_t ret_jobs[static JOB_LINES_MAX])
{
    size_t count = 0;
    while (*text && count < JOB_LINES_MAX) {
        const char *at = text + strspn(text, " \t");
        uint32_t job;
        if (take_u32(&at, &job) && job != 0 && strchr("\n \t\r_+.", *at))
            ret_jobs[count++] = job;
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
    return count;
}

bool job_gpustat_parse(const char *text,
                       uint32_t *ret_job_id,
                       uint32_t *ret_user_id)
{
    *ret_user_id = JOB_UID_UNKNOWN;
    text += strspn(text, " \t\n");
    if (!take_u32(&text, ret_job_id) || *ret_job_id == 0)
        return false;
    if (*text != '\0' && !strchr(" \t\n", *text))
        return false;
    text += strspn(text, " \t");
    uint32_t user;
    if (take_u32(&text, &user))
        *ret_user_id = user;
    return true;
}
