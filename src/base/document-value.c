/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The usual kinds of values in a document. Durations are written as in Go,
 * since Prometheus' own files have them so.
 */
#include "base/document.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static int set_string(char **target, char *value, struct error *err)
{
    if (!value)
        return error_errno(err, ENOMEM, "configuration");
    free(*target);
    *target = value;
    return 0;
}

int document_read_string(const struct document *document,
                         document_node node,
                         void *target,
                         struct error *err)
{
    const char *text = document_scalar(document, node);
    if (!text)
        return document_refuse(document, node, err, "expected one text here");
    return set_string(target, strdup(text), err);
}

int document_read_path(const struct document *document,
                       document_node node,
                       void *target,
                       struct error *err)
{
    const char *text = document_scalar(document, node);
    if (!text)
        return document_refuse(document, node, err,
                               "expected one file name here");
    const char *name = document_name(document);
    const char *slash = strrchr(name, '/');
    if (text[0] == '/' || text[0] == '\0' || !slash)
        return set_string(target, strdup(text), err);
    char *path = NULL;
    int folder = (int)(slash - name);
    if (asprintf(&path, "%.*s/%s", folder, name, text) < 0)
        path = NULL;
    return set_string(target, path, err);
}

int document_read_bool(const struct document *document,
                       document_node node,
                       void *target,
                       struct error *err)
{
    static const char *const words[][2] = {
        {"false", "true"}, {"no", "yes"}, {"off", "on"}};
    const char *text = document_scalar(document, node);
    for (size_t i = 0; text && i < array_size(words); i++)
        for (int value = 0; value < 2; value++)
            if (strcasecmp(text, words[i][value]) == 0) {
                *(bool *)target = value;
                return 0;
            }
    return document_refuse(document, node, err, "expected true or false here");
}

/* Nanoseconds in UNIT's SIZE letters; 0 when there is no such unit. */
static double unit_ns(const char *unit, size_t size)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"ns", 1},       {"us", NS_PER_US},    {"ms", NS_PER_MS},
                 {"s", NS_PER_S}, {"m", 60 * NS_PER_S}, {"h", 3600 * NS_PER_S}};
    for (size_t i = 0; i < array_size(units); i++)
        if (strlen(units[i].name) == size &&
            memcmp(units[i].name, unit, size) == 0)
            return units[i].ns;
    return 0;
}

/* "1h30m", "1.5s", "0"; -1 when it is none of this kind, or above a year. */
static double parse_duration(const char *text)
{
    double total = 0;
    if (strcmp(text, "0") == 0)
        return 0;
    if (*text == '\0')
        return -1;
    while (*text) {
        size_t digits = strspn(text, "0123456789.");
        size_t letters = strcspn(text + digits, "0123456789.");
        double ns = unit_ns(text + digits, letters);
        char *end;
        double value = strtod(text, &end);
        if (digits == 0 || end != text + digits || ns == 0)
            return -1;
        total += value * ns;
        text += digits + letters;
    }
    return total <= 365 * 24 * 3600 * (double)NS_PER_S ? total : -1;
}

int document_read_duration(const struct document *document,
                           document_node node,
                           void *target,
                           struct error *err)
{
    const char *text = document_scalar(document, node);
    double ns = text ? parse_duration(text) : -1;
    if (ns < 0)
        return document_refuse(document, node, err,
                               "expected a duration here, as 500ms, 15s or "
                               "1m30s");
    *(int64_t *)target = (int64_t)llround(ns);
    return 0;
}
