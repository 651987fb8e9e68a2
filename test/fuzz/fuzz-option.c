/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: command lines and values with units. The input is words that
 * end at line ends. What is taken is written back so that it reads the same.
 */
#include "base/cleanup.h"
#include "base/option-value.h"
#include "base/unit.h"
#include "watchdog/settings.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_units(const char *word)
{
    struct text back = TEXT_INIT;
    int64_t ns, ns_again;
    uint64_t bytes, bytes_again;
    if (duration_parse(word, &ns, NULL) == 0) {
        duration_format(ns, &back);
        must(duration_parse(text_str(&back), &ns_again, NULL) == 0);
        must(ns == ns_again);
    }
    text_clear(&back);
    if (size_parse(word, &bytes, NULL) == 0) {
        size_format(bytes, &back);
        must(size_parse(text_str(&back), &bytes_again, NULL) == 0);
        must(bytes == bytes_again);
    }
    text_deinit(&back);
}

/* Every value that was taken is taken again as it is written. */
static void check_values(const struct settings *settings)
{
    for (size_t i = 0; i < settings_table.row_count; i++) {
        const struct option_row *row = settings_table.rows + i;
        struct settings again = {.job_series = 0};
        struct text value = TEXT_INIT;
        option_value_format(row, settings, &value);
        must(option_value_parse(row, &again, text_str(&value), NULL) == 0);
        must(option_value_equal(row, settings, &again));
        option_value_clear(row, &again);
        text_deinit(&value);
    }
}

static void check_command_line(char *const words[], bool single_dash)
{
    const struct option_command command = {.name = "exporter",
                                           .help = "Serve.",
                                           .bit = COMMAND_EXPORTER,
                                           .single_dash = single_dash,
                                           .arguments = "FILE..."};
    struct settings settings = {.job_series = 0};
    struct error err = {.text = ""};
    must(option_set_init(&settings.options, &settings_table, &command,
                         &settings, NULL) == 0);
    int r = option_parse_command_line(&settings.options, words, &err);
    must(r == 0 || (r == -EINVAL && *err.text));
    if (r == 0)
        check_values(&settings);
    option_set_deinit(&settings.options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *words[32];
    size_t count = 0;
    char *copy = malloc(size + 1);
    must(copy != NULL);
    memcpy(copy, data, size);
    copy[size] = '\0';
    char *rest = copy;
    for (char *word;
         count + 1 < array_size(words) && (word = strsep(&rest, "\n"));)
        words[count++] = word;
    words[count] = NULL;
    for (size_t i = 0; i < count; i++)
        check_units(words[i]);
    check_command_line(words, false);
    check_command_line(words, true);
    free(copy);
    return 0;
}
