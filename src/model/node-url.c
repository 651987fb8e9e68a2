/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/node-url.h"

#include <errno.h>
#include <stdbool.h>

int url_check(const char *url, struct error *err)
{
    if (strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0)
        return 0;
    return error_set(err, EINVAL,
                     "\"%.80s\" begins with neither http:// nor https://", url);
}

int node_url_check(const char *pattern, struct error *err)
{
    int r = url_check(pattern, err);
    if (r < 0)
        return r;
    for (const char *at = pattern; (at = strchr(at, '%')); at += 2)
        if (at[1] != 'a' && at[1] != 'n' && at[1] != '%')
            return error_set(err, EINVAL,
                             "\"%.80s\": %%a stands for a node's address, %%n "
                             "for its name, %%%% for %%; there is no other",
                             pattern);
    if (!strstr(pattern, "%a") && !strstr(pattern, "%n"))
        return error_set(err, EINVAL,
                         "\"%.80s\" has neither %%a nor %%n: all nodes would "
                         "be one",
                         pattern);
    return 0;
}

static void add_host(struct text *out, const char *host)
{
    bool bare = strchr(host, ':') && *host != '[';
    text_addf(out, "%s%s%s", bare ? "[" : "", host, bare ? "]" : "");
}

void node_url_make(const char *pattern,
                   const char *name,
                   const char *address,
                   struct text *out)
{
    for (const char *at = pattern; *at; at++) {
        if (*at != '%')
            text_add_char(out, *at);
        else if (*++at == 'a')
            add_host(out, *address ? address : name);
        else if (*at == 'n')
            text_add(out, name);
        else
            text_add_char(out, '%');
    }
}
