/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log. Each message leaves in one write(), so that lines of several
 * processes that share standard error do not mix. What a message holds may
 * come from outside: control characters never reach a terminal or break a
 * line, and JSON is always valid.
 */
#include "base/log.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/utf8.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LOG_LINE_SIZE = 2048
};

#define LOG_REPEAT_NS (60 * NS_PER_S)

static struct {
    const char *program;
    enum log_format format;
    enum log_level max;
    bool prefix; /* the priority stands in front */
    /* The last message and how often it came again since it was written. */
    char last[LOG_LINE_SIZE];
    enum log_level last_level;
    unsigned int repeats;
    int64_t last_written_ns;
} logger = {.program = "", .max = LOG_LEVEL_INFO};

/* A child inherits the variable, but not always the stream that it names. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat status;
    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device &&
           status.st_ino == inode;
}

void log_init(const char *program, enum log_format format, enum log_level max)
{
    logger.program = program;
    logger.format = format;
    logger.max = max;
    logger.prefix = format == LOG_FORMAT_JOURNAL ||
                    (format == LOG_FORMAT_AUTO && stderr_is_journal());
}

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_LEVEL_ERROR:
        return "error";
    case LOG_LEVEL_WARNING:
        return "warning";
    case LOG_LEVEL_NOTICE:
        return "notice";
    case LOG_LEVEL_INFO:
        return "info";
    case LOG_LEVEL_DEBUG:
        break;
    }
    return "debug";
}

/* One code as JSON spells it inside a string. */
static void add_json_code(struct text *t, const char *character, size_t size)
{
    unsigned char c = (unsigned char)*character;
    if (size == 0)
        text_add(t, "\\ufffd"); /* not UTF-8 */
    else if (c < ' ' || c == 0x7f)
        text_addf(t, "\\u%04x", c);
    else if (c == '"' || c == '\\')
        text_addf(t, "\\%c", c);
    else
        text_add_bytes(t, character, size);
}

static void add_json_string(struct text *t, const char *string)
{
    text_add_char(t, '"');
    while (*string) {
        uint32_t code;
        size_t size = utf8_decode(string, &code);
        add_json_code(t, string, size);
        string += size ? size : 1;
    }
    text_add_char(t, '"');
}

static void add_plain_string(struct text *t, const char *string)
{
    for (; *string; string++) {
        unsigned char c = (unsigned char)*string;
        text_add_char(t, c < ' ' || c == 0x7f ? ' ' : (char)c);
    }
}

static void write_line(enum log_level level, const char *message)
{
    struct text line = TEXT_INIT;
    if (logger.format == LOG_FORMAT_JSON) {
        text_addf(&line, "{\"time\":%.3f,\"level\":\"%s\",\"program\":",
                  (double)clock_realtime_ns() / (double)NS_PER_S,
                  level_name(level));
        add_json_string(&line, logger.program);
        text_add(&line, ",\"message\":");
        add_json_string(&line, message);
        text_add(&line, "}\n");
    } else {
        if (logger.prefix)
            text_addf(&line, "<%d>", (int)level);
        text_addf(&line, "%s: ", logger.program);
        add_plain_string(&line, message);
        text_add_char(&line, '\n');
    }
    if (!text_failed(&line)) {
        ssize_t written = write(STDERR_FILENO, line.data, line.size);
        (void)written; /* there is nowhere left to complain to */
    }
    text_deinit(&line);
}

/* True when MESSAGE is the same as the one just written. */
static bool hold_back(enum log_level level, const char *message, int64_t now_ns)
{
    if (level != logger.last_level || strcmp(message, logger.last) != 0 ||
        now_ns - logger.last_written_ns >= LOG_REPEAT_NS)
        return false;
    logger.repeats++;
    return true;
}

/* Tell how often the last message came while it was held back. */
static void write_repeats(void)
{
    char told[64];
    if (!logger.repeats)
        return;
    snprintf(told, sizeof(told), "the last message came %u more time%s",
             logger.repeats, logger.repeats == 1 ? "" : "s");
    write_line(logger.last_level, told);
    logger.repeats = 0;
}

void log_message(enum log_level level, const char *format, ...)
{
    if (level > logger.max)
        return;
    int saved_errno = errno;
    char message[LOG_LINE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);

    int64_t now_ns = clock_monotonic_ns();
    if (!hold_back(level, message, now_ns)) {
        write_repeats();
        strcpy(logger.last, message);
        logger.last_level = level;
        logger.last_written_ns = now_ns;
        write_line(level, message);
    }
    errno = saved_errno;
}
