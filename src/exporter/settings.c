/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making the settings from environment, command line and file, in rising rank
 * but for the file, which stands below the command line and above the
 * environment.
 */
#include "exporter/settings.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Variables that dcgm-exporter reads, and the options they stand for. */
static const struct variable {
    const char *name, *option;
} variables[] = {
    {"DCGM_EXPORTER_LISTEN", "address"},
    {"DCGM_EXPORTER_COLLECTORS", "collectors"},
    {"DCGM_EXPORTER_INTERVAL", "collect-interval"},
    {"DCGM_EXPORTER_DEVICES_STR", "devices"},
    {"DCGM_HPC_JOB_MAPPING_DIR", "hpc-job-mapping-dir"},
};

static int read_environment(struct settings *settings, struct error *err)
{
    const struct option_origin origin = {.source = OPTION_FROM_DEFAULT};
    for (size_t i = 0; i < array_size(variables); i++) {
        const char *value = getenv(variables[i].name);
        const struct option_row *row =
            option_row_find(&settings->options, variables[i].option);
        if (!value || !*value ||
            !(row->commands & settings->options.command->bit))
            continue;
        int r = option_assign(&settings->options, row, value, origin, err);
        if (r < 0) {
            error_prefix(err, "%s", variables[i].name);
            return r;
        }
    }
    return 0;
}

/* The default file may be missing; one that was asked for may not. */
static int load_file(struct settings *settings, struct error *err)
{
    const struct option_row *row =
        option_row_find(&settings->options, "config");
    bool asked_for =
        !option_is_from(&settings->options, row, OPTION_FROM_DEFAULT);
    if (!*settings->config)
        return 0;
    int r = option_load_file(&settings->options, settings->config, err);
    return r == -ENOENT && !asked_for ? 0 : r;
}

static int fill(struct settings *settings,
                const struct option_command *command,
                char *const arguments[],
                struct error *err)
{
    int r = option_set_init(&settings->options, &settings_table, command,
                            settings, err);
    if (r == 0)
        r = read_environment(settings, err);
    if (r == 0)
        r = option_parse_command_line(&settings->options, arguments, err);
    if (r < 0 || settings->help || settings->version)
        return r;
    return load_file(settings, err);
}

int settings_new(const struct option_command *command,
                 char *const arguments[],
                 struct settings **ret_settings,
                 struct error *err)
{
    struct settings *settings = calloc(1, sizeof(*settings));
    if (!settings)
        return error_errno(err, ENOMEM, "settings");
    settings->line = arguments;
    int r = fill(settings, command, arguments, err);
    if (r < 0) {
        settings_free(settings);
        return r;
    }
    *ret_settings = settings;
    return 0;
}

int settings_reload(const struct settings *current,
                    struct settings **ret_settings,
                    struct option_changes *changes,
                    struct error *err)
{
    struct settings *fresh = NULL;
    int r = settings_new(current->options.command, current->line, &fresh, err);
    if (r == 0)
        r = option_settle(&current->options, &fresh->options, changes, err);
    if (r < 0) {
        settings_free(fresh);
        return r;
    }
    *ret_settings = fresh;
    return 0;
}

struct settings *settings_free(struct settings *settings)
{
    if (settings)
        option_set_deinit(&settings->options);
    free(settings);
    return NULL;
}

enum log_level settings_log_level(const struct settings *settings)
{
    return (enum log_level)(LOG_LEVEL_ERROR + settings->log_level);
}

/* "0,2-3" up to a '+' or the end, which *TEXT is moved to. */
static bool parse_indices(const char **text, uint64_t *gpus)
{
    do {
        char *end;
        if (!isdigit((unsigned char)**text))
            return false;
        unsigned long first = strtoul(*text, &end, 10), last = first;
        if (*end == '-' && isdigit((unsigned char)end[1]))
            last = strtoul(end + 1, &end, 10);
        if (first > last || last > 63)
            return false;
        for (unsigned long i = first; i <= last; i++)
            *gpus |= UINT64_C(1) << i;
        *text = end;
    } while (*(*text)++ == ',');
    (*text)--;
    return true;
}

int device_choice_parse(const char *text,
                        struct device_choice *ret_choice,
                        struct error *err)
{
    const char *whole = text;
    *ret_choice = (struct device_choice){.gpus = 0};
    if (!*text)
        text = "f";
    for (;; text++) {
        char what = *text;
        if (what && strchr("gf", what) && text[1] != ':')
            ret_choice->gpus = UINT64_MAX;
        ret_choice->instances |= what == 'i' || what == 'f';
        if (!what || !strchr("fgi", what))
            break;
        text++;
        if (*text == ':' && what == 'i')
            return error_set(err, EINVAL,
                             "\"%.40s\": numbers of instances are DCGM's own; "
                             "\"i\" are all of them",
                             whole);
        if (*text == ':' && what == 'g') {
            text++;
            if (!parse_indices(&text, &ret_choice->gpus))
                break;
        }
        if (!*text)
            return 0;
        if (*text != '+')
            break;
    }
    return error_set(err, EINVAL,
                     "\"%.40s\" is none of f (GPUs and instances), g (GPUs), "
                     "g:0,2-3 (these GPUs), i (instances), or several joined "
                     "by '+'",
                     whole);
}
