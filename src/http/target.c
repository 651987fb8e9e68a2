/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decoding happens in one copy of the target: decoded text is never longer than
 * what it came from. Splitting comes before decoding, so that "%26" in a value
 * separates nothing.
 */
#include "http/target.h"

#include "base/cleanup.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Decode TEXT in place. In a query "+" is a blank. */
static bool decode(char *text, bool query)
{
    char *out = text;
    for (const char *in = text; *in; in++) {
        if (*in == '+' && query) {
            *out++ = ' ';
        } else if (*in == '%') {
            int high = hex_value(in[1]);
            int low = high < 0 ? -1 : hex_value(in[2]);
            if (low < 0 || (high == 0 && low == 0))
                return false;
            *out++ = (char)(high * 16 + low);
            in += 2;
        } else {
            *out++ = *in;
        }
    }
    *out = '\0';
    return true;
}

/* Behind the scheme and the host of an absolute target. */
static const char *skip_origin(const char *raw)
{
    if (strncasecmp(raw, "http://", 7) == 0)
        raw += 7;
    else if (strncasecmp(raw, "https://", 8) == 0)
        raw += 8;
    else
        return raw;
    return raw + strcspn(raw, "/?#");
}

static size_t count_parameters(const char *query)
{
    size_t count = 1;
    for (; *query; query++)
        count += *query == '&';
    return count;
}

/* Fill the table of parameters from QUERY, cutting it up. */
static int parse_query(struct http_target *target, char *query)
{
    target->parameters =
        calloc(count_parameters(query), sizeof(*target->parameters));
    if (!target->parameters)
        return -ENOMEM;
    char *piece;
    while ((piece = strsep(&query, "&"))) {
        if (*piece == '\0')
            continue;
        char *value = strchr(piece, '=');
        if (value)
            *value++ = '\0';
        if (!decode(piece, true) || (value && !decode(value, true)))
            return -EINVAL;
        target->parameters[target->parameter_count++] =
            (struct http_parameter){piece, value ? value : ""};
    }
    return 0;
}

int http_target_parse(const char *raw, struct http_target *ret_target)
{
    assert(raw && ret_target);

    _cleanup_(http_target_deinit) struct http_target target = HTTP_TARGET_INIT;
    const char *origin = skip_origin(raw);
    bool no_path = origin > raw && *origin != '/';
    if (*origin != '/' && !no_path)
        return -EINVAL;

    target.text = strdup(origin);
    if (!target.text)
        return -ENOMEM;
    target.text[strcspn(target.text, "#")] = '\0';
    char *query = strchr(target.text, '?');
    if (query)
        *query++ = '\0';
    if (!decode(target.text, false))
        return -EINVAL;
    target.path = no_path ? "/" : target.text;
    if (query) {
        int r = parse_query(&target, query);
        if (r < 0)
            return r;
    }
    *ret_target = target;
    target = (struct http_target)HTTP_TARGET_INIT;
    return 0;
}

void http_target_deinit(struct http_target *target)
{
    free(target->parameters);
    free(target->text);
    *target = (struct http_target)HTTP_TARGET_INIT;
}
