/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the options of options.c take: words, and texts with rules of their own.
 */
#include "watchdog/options.h"

#include "base/unit.h"
#include "cluster/join-message.h"
#include "model/node-url.h"

#include <string.h>

/* "HOST:PORT", ":PORT", "[ADDRESS]:PORT"; the listener resolves the host. */
int option_check_address(const char *text, struct error *err)
{
    const char *colon = strrchr(text, ':');
    uint64_t port;
    bool bare_ipv6 = colon && *text != '[' && strchr(text, ':') != colon;
    bool open_bracket = colon && *text == '[' && colon[-1] != ']';
    if (bare_ipv6 || open_bracket)
        return error_set(err, EINVAL,
                         "\"%.80s\": write an IPv6 address in brackets, like "
                         "[::1]:9341",
                         text);
    if (!colon)
        return error_set(err, EINVAL,
                         "\"%.80s\" has no port; write for example :9341 or "
                         "127.0.0.1:9341",
                         text);
    if (!number_parse(colon + 1, &port) || port > 65535)
        return error_set(err, EINVAL,
                         "\"%.80s\": \"%.40s\" is no port; write a number up "
                         "to 65535",
                         text, colon + 1);
    return 0;
}

const char *const option_log_format_words[] = {
    [LOG_FORMAT_AUTO] = "auto",
    [LOG_FORMAT_JSON] = "json",
    [LOG_FORMAT_JOURNAL] = "journal",
    NULL,
};

const char *const option_log_level_words[] = {
    [LOG_LEVEL_ERROR - LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARNING - LOG_LEVEL_ERROR] = "warning",
    [LOG_LEVEL_NOTICE - LOG_LEVEL_ERROR] = "notice",
    [LOG_LEVEL_INFO - LOG_LEVEL_ERROR] = "info",
    [LOG_LEVEL_DEBUG - LOG_LEVEL_ERROR] = "debug",
    NULL,
};

const char *const option_auth_words[] = {
    [SETTINGS_AUTH_AUTO] = "auto",
    [SETTINGS_AUTH_MUNGE] = "munge",
    [SETTINGS_AUTH_SLURM] = "slurm",
    NULL,
};

/* A name goes into slurm.conf. */
int option_check_name(const char *text, struct error *err)
{
    if (!*text || join_name_valid(text))
        return 0;
    return error_set(err, EINVAL,
                     "\"%.80s\" cannot be a name in Slurm; take letters, "
                     "digits, '-', '_' and '.'",
                     text);
}

/* ALL is a word of Slurm for nodes only. */
int option_check_partition(const char *text, struct error *err)
{
    return strcasecmp(text, "all") == 0 ? 0 : option_check_name(text, err);
}

int option_check_pattern(const char *text, struct error *err)
{
    return *text ? node_url_check(text, err) : 0;
}

int option_check_url(const char *text, struct error *err)
{
    return *text ? url_check(text, err) : 0;
}

/* enum sign_in_role. */
const char *const option_role_words[] = {"auto", "viewer", "operator", "admin",
                                         NULL};
