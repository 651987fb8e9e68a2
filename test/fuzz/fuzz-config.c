/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: the configuration file. Whatever the bytes are, reading ends
 * with settings or with a text; and what --show-config prints of good settings
 * reads back as the same.
 */
#include "base/cleanup.h"
#include "base/option-page.h"
#include "base/option-value.h"
#include "watchdog/settings.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct option_command exporter = {
    .name = "exporter", .help = "Serve.", .bit = COMMAND_EXPORTER};

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void begin(struct settings *settings)
{
    *settings = (struct settings){.job_series = 0};
    must(option_set_init(&settings->options, &settings_table, &exporter,
                         settings, NULL) == 0);
}

static void check_shown(const struct settings *settings)
{
    struct text shown = TEXT_INIT;
    struct settings again;
    begin(&again);
    option_show(&settings->options, &shown);
    const char *text = text_str(&shown);
    must(text && option_load_text(&again.options, "shown", text, strlen(text),
                                  NULL) == 0);
    for (size_t i = 0; i < settings_table.row_count; i++)
        must(!(settings_table.rows[i].commands & COMMAND_EXPORTER) ||
             option_value_equal(settings_table.rows + i, settings, &again));
    option_set_deinit(&again.options);
    text_deinit(&shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct settings settings;
    struct error err = {.text = ""};
    begin(&settings);
    int r = option_load_text(&settings.options, "fuzz", (const char *)data,
                             size, &err);
    must(r == 0 || (r == -EBADMSG && strncmp(err.text, "fuzz:", 5) == 0));
    if (r == 0)
        check_shown(&settings);
    option_set_deinit(&settings.options);
    return 0;
}
