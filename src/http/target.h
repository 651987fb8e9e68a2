/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The request target, "/path?name=value&name=value", decoded. We parse it
 * ourselves, since the library below decodes in place and lets "%00" cut the
 * path short.
 */
#pragma once

#include <stddef.h>

struct http_parameter {
    const char *name;
    const char *value; /* "" without "=" */
};

struct http_target {
    const char *path;
    struct http_parameter *parameters; /* owned */
    size_t parameter_count;
    char *text; /* owned: what all the strings point into */
};

#define HTTP_TARGET_INIT                                                       \
    {                                                                          \
        .path = NULL                                                           \
    }

/* Parse RAW: origin form, or absolute form ("http://host/path"), whose scheme
 * and host are passed over. -EINVAL when it is neither, or has a percent sign
 * without two hex digits or one that stands for zero; -ENOMEM. */
int http_target_parse(const char *raw, struct http_target *ret_target);

void http_target_deinit(struct http_target *target);
