/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Error texts; see error.h for the doctrine. Newlines that come in with
 * foreign text (a library's message, a file's content) become spaces, so that
 * one error stays one line wherever it is shown.
 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void keep_one_line(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = ' ';
}

static void __attribute__((format(printf, 2, 0)))
set_text(struct error *err, const char *format, va_list args)
{
    vsnprintf(err->text, sizeof(err->text), format, args);
    keep_one_line(err->text);
}

int error_set(struct error *err, int code, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        set_text(err, format, args);
        va_end(args);
    }
    return -code;
}

int error_errno(struct error *err, int code, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        set_text(err, format, args);
        va_end(args);
        size_t used = strlen(err->text);
        snprintf(err->text + used, sizeof(err->text) - used, ": %s",
                 strerror(code));
    }
    return -code;
}

void error_prefix(struct error *err, const char *format, ...)
{
    if (!err)
        return;
    struct error old = *err;
    va_list args;
    va_start(args, format);
    set_text(err, format, args);
    va_end(args);
    size_t used = strlen(err->text);
    snprintf(err->text + used, sizeof(err->text) - used, ": %s", old.text);
}
