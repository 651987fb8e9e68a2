/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making settings from their sources, what must hold between several of them,
 * and the reload.
 */
#include "watchdog/settings.h"

#include "base/cleanup.h"
#include "base/option-value.h"
#include "model/metric.h"

#include <assert.h>
#include <string.h>

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

/* Refuse NAME's value, which clashes with that of OTHER: both stand in the
 * text with their origins. -EINVAL when the command line has part in it. */
static int refuse_pair(const struct settings *settings,
                       const char *name,
                       const char *clash,
                       const char *other,
                       struct error *err)
{
    const struct option_set *set = &settings->options;
    const struct option_row *rows[] = {option_row_find(set, name),
                                       option_row_find(set, other)};
    bool usage = false;
    struct text words = TEXT_INIT;
    for (size_t i = 0; i < array_size(rows); i++) {
        char origin[300];
        text_addf(&words, "%s%s ", i ? clash : "", rows[i]->name);
        option_value_format(rows[i], settings, &words);
        text_addf(&words, " (%s)",
                  option_origin_text(set, rows[i], origin, sizeof(origin)));
        usage |= option_is_from(set, rows[i], OPTION_FROM_COMMAND_LINE);
    }
    const char *text = text_str(&words);
    int r = error_set(err, usage ? EINVAL : EBADMSG, "%s",
                      text ? text : "out of memory");
    text_deinit(&words);
    return r;
}

static bool list_contains(const struct option_list *list, const char *item)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], item) == 0)
            return true;
    return false;
}

/* What the rows cannot say one by one. */
static int check_whole(const struct settings *settings, struct error *err)
{
    assert(settings);

    if (settings->stale_after_ns < settings->interval_ns)
        return refuse_pair(settings, "stale-after",
                           " must not be shorter than ", "interval", err);
    for (size_t i = 0; i < settings->no_collect.count; i++)
        if (list_contains(&settings->collect, settings->no_collect.items[i]))
            return refuse_pair(settings, "no-collect", " contradicts ",
                               "collect", err);
    if (settings->job_series == 0 &&
        list_contains(&settings->collect, metric_family_names[FAMILY_JOB]))
        return refuse_pair(settings, "collect", " has nothing to show with ",
                           "job-series", err);
    if (settings->keep_fine_ns > settings->keep_minutes_ns)
        return refuse_pair(settings, "history-fine",
                           " must not be longer than ", "history-minutes", err);
    if (settings->keep_minutes_ns > settings->keep_ns)
        return refuse_pair(settings, "history-minutes",
                           " must not be longer than ", "history-keep", err);
    return 0;
}

static int fill(struct settings *settings,
                const struct option_command *command,
                struct error *err)
{
    int r = option_set_init(&settings->options, &settings_table, command,
                            settings, err);
    if (r == 0)
        r = option_parse_command_line(&settings->options, settings->line, err);
    if (r < 0 || settings->help || settings->version)
        return r;
    if (option_row_find(&settings->options, "config")->commands & command->bit)
        r = load_file(settings, err);
    if (r == 0)
        r = check_whole(settings, err);
    return r;
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
    int r = fill(settings, command, err);
    if (r < 0) {
        settings_free(settings);
        return r;
    }
    *ret_settings = settings;
    return 0;
}

struct settings *settings_free(struct settings *settings)
{
    if (settings)
        option_set_deinit(&settings->options);
    free(settings);
    return NULL;
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
    if (r == 0)
        r = check_whole(fresh, err);
    if (r < 0) {
        settings_free(fresh);
        return r;
    }
    *ret_settings = fresh;
    return 0;
}

static uint32_t families_of(const struct option_list *list)
{
    uint32_t families = 0;
    for (size_t i = 0; i < list->count; i++)
        families |= metric_family_mask(list->items[i]);
    return families;
}

uint32_t settings_families(const struct settings *settings)
{
    uint32_t families = FAMILIES_DEFAULT;
    if (settings->job_series > 0)
        families |= FAMILY_MASK(FAMILY_JOB);
    if (settings->collect.count > 0)
        families = families_of(&settings->collect);
    if (!settings->gpus_acct)
        families &= ~FAMILY_MASK(FAMILY_GPUS);
    return families & ~families_of(&settings->no_collect);
}

enum log_level settings_log_level(const struct settings *settings)
{
    return (enum log_level)(LOG_LEVEL_ERROR + settings->log_level);
}
