/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Printing metrics. A page of a large cluster is some hundred thousand lines,
 * most of them a few values each for the same ten thousand nodes: so the text
 * of a row's labels is made once for all neighbouring metrics that print the
 * same ones, and a line is then two copies and a number.
 */
#include "view/prometheus.h"

#include "base/utf8.h"

#include <math.h>
#include <stdlib.h>

const char *const prometheus_content_types[2] = {
    [PROMETHEUS_TEXT] = "text/plain; version=0.0.4; charset=utf-8",
    [PROMETHEUS_OPENMETRICS] =
        "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

static const char *const type_names[2][4] = {
    [PROMETHEUS_TEXT] =
        {
            [METRIC_GAUGE] = "gauge",
            [METRIC_COUNTER] = "counter",
            [METRIC_UNTYPED] = "untyped",
            [METRIC_HISTOGRAM] = "histogram",
        },
    [PROMETHEUS_OPENMETRICS] =
        {
            [METRIC_GAUGE] = "gauge",
            [METRIC_COUNTER] = "counter",
            [METRIC_UNTYPED] = "unknown",
            [METRIC_HISTOGRAM] = "histogram",
        },
};

/* The text of the labels of each row, for one table and choice of labels, as it
 * stands between name and value: '{node="n1",status="idle"} ', or ' '. */
struct label_cache {
    const struct rows *rows;
    enum metric_table table;
    uint8_t labels;
    struct text text;
    size_t *ends; /* where each row's text ends */
};

struct printer {
    struct text *out;
    enum prometheus_format format;
    const struct metric *metric;
    const char *name; /* with its length, for the lines */
    size_t name_size;
    bool announced; /* HELP and TYPE are printed */
    struct label_cache cache;
};

/* ---- labels ---------------------------------------------------------------
 */

/* Bytes that stand for themselves in a label's value. */
static const bool plain_bytes[256] = {
    [' ' ... '!'] = true, ['#' ... '['] = true, [']' ... '~'] = true};

/* Backslash, quote and newline are escaped, which is all that both formats
 * know; bytes that are not UTF-8 become '?', since one of them makes
 * Prometheus refuse the whole page. */
void prometheus_add_label_value(struct text *out, const char *value)
{
    const unsigned char *p = (const unsigned char *)value;
    while (*p) {
        size_t plain = 0;
        while (plain_bytes[p[plain]])
            plain++;
        text_add_bytes(out, p, plain);
        p += plain;
        if (!*p)
            break;
        uint32_t code;
        size_t sequence = utf8_decode((const char *)p, &code);
        if (*p == '"' || *p == '\\') {
            text_add_char(out, '\\');
            text_add_char(out, (char)*p);
        } else if (*p == '\n') {
            text_add(out, "\\n");
        } else if (sequence) {
            text_add_bytes(out, p, sequence);
        } else {
            text_add_char(out, '?');
        }
        p += sequence ? sequence : 1;
    }
}

static void add_labels(struct text *out,
                       enum metric_table table,
                       uint8_t labels,
                       const struct row_head *row)
{
    char before = '{';
    for (int i = 0; i < ROW_LABELS_MAX; i++) {
        if (!(labels >> i & 1))
            continue;
        text_add_char(out, before);
        before = ',';
        text_add(out, metric_table_labels[table][i]);
        text_add_bytes(out, "=\"", 2);
        prometheus_add_label_value(out, row->labels[i] ? row->labels[i] : "");
        text_add_char(out, '"');
    }
    text_add(out, before == ',' ? "} " : " ");
}

static void cache_clear(struct label_cache *cache)
{
    text_deinit(&cache->text);
    free(cache->ends);
    *cache = (struct label_cache){.rows = NULL};
}

/* Make the labels' texts for METRIC, unless they are there already. */
static bool cache_fill(struct printer *p, const struct rows *rows)
{
    struct label_cache *cache = &p->cache;
    const struct metric *metric = p->metric;
    if (cache->rows == rows && cache->labels == metric->labels &&
        cache->table == metric->table)
        return true;
    cache_clear(cache);
    cache->ends = calloc(rows->count, sizeof(*cache->ends));
    if (!cache->ends)
        return false;
    for (size_t i = 0; i < rows->count; i++) {
        add_labels(&cache->text, metric->table, metric->labels,
                   rows_at(rows, i));
        cache->ends[i] = cache->text.size;
    }
    if (text_failed(&cache->text))
        return false;
    cache->rows = rows;
    cache->labels = metric->labels;
    cache->table = metric->table;
    return true;
}

/* ---- lines ----------------------------------------------------------------
 */

/* OpenMetrics announces a counter without its _total. */
static size_t announced_size(const struct printer *p)
{
    const size_t suffix = strlen("_total");
    if (p->format == PROMETHEUS_OPENMETRICS &&
        p->metric->type == METRIC_COUNTER && p->name_size > suffix)
        return p->name_size - suffix;
    return p->name_size;
}

static void announce(struct printer *p)
{
    if (p->announced)
        return;
    p->announced = true;
    size_t size = announced_size(p);
    text_add(p->out, "# HELP ");
    text_add_bytes(p->out, p->name, size);
    text_add_char(p->out, ' ');
    text_add(p->out, p->metric->help);
    text_add(p->out, "\n# TYPE ");
    text_add_bytes(p->out, p->name, size);
    text_add_char(p->out, ' ');
    text_add(p->out, type_names[p->format][p->metric->type]);
    text_add_char(p->out, '\n');
}

/* A piece of text with its length. */
struct piece {
    const char *data;
    size_t size;
};

static char *put(char *at, const char *data, size_t size)
{
    memcpy(at, data, size);
    return at + size;
}

/* What most lines begin with: the name and the row's labels. Room is made for
 * an integer and the end of the line as well, so that once is enough. */
static void begin_line(struct printer *p, struct piece labels)
{
    announce(p);
    char *at =
        text_reserve(p->out, p->name_size + labels.size + TEXT_U64_SIZE + 1);
    if (!at)
        return;
    at = put(at, p->name, p->name_size);
    at = put(at, labels.data, labels.size);
    p->out->size = (size_t)(at - p->out->data);
}

/* The same with SUFFIX behind the name and one more label. */
static void begin_long_line(struct printer *p,
                            const char *suffix,
                            struct piece labels,
                            const char *label,
                            const char *value)
{
    struct text *out = p->out;
    announce(p);
    text_add_bytes(out, p->name, p->name_size);
    text_add(out, suffix);
    /* '{...} ' without its end. */
    bool labelled = labels.size > 1;
    if (labelled)
        text_add_bytes(out, labels.data, labels.size - 2);
    if (label) {
        text_add_char(out, labelled ? ',' : '{');
        text_add(out, label);
        text_add_bytes(out, "=\"", 2);
        text_add(out, value);
        text_add_char(out, '"');
    }
    text_add(out, labelled || label ? "} " : " ");
}

static void print_u64(struct printer *p, struct piece labels, uint64_t value)
{
    if (value == ROW_ABSENT || (p->metric->emit == EMIT_POSITIVE && value == 0))
        return;
    begin_line(p, labels);
    text_add_u64(p->out, value);
    text_add_char(p->out, '\n');
}

static void print_double(struct printer *p, struct piece labels, double value)
{
    if (isnan(value) || (p->metric->emit == EMIT_POSITIVE && value <= 0))
        return;
    begin_line(p, labels);
    text_add_double(p->out, value);
    text_add_char(p->out, '\n');
}

static void
print_vector(struct printer *p, struct piece labels, const uint64_t *values)
{
    const struct metric_vector *vector = p->metric->vector;
    for (size_t i = 0; i < vector->count; i++) {
        if (values[i] == ROW_ABSENT ||
            (p->metric->emit == EMIT_POSITIVE && values[i] == 0))
            continue;
        begin_long_line(p, "", labels, vector->label, vector->names[i]);
        text_add_u64(p->out, values[i]);
        text_add_char(p->out, '\n');
    }
}

static void print_histogram(struct printer *p,
                            struct piece labels,
                            const struct histogram *histogram)
{
    const struct histogram_bounds *bounds = p->metric->bounds;
    struct text bound = TEXT_INIT;
    uint64_t below = 0;
    for (size_t i = 0; i < bounds->count; i++) {
        below += histogram->buckets[i];
        text_clear(&bound);
        text_add_double(&bound, bounds->upper[i]);
        const char *le = text_str(&bound);
        begin_long_line(p, "_bucket", labels, "le", le ? le : "");
        text_add_u64(p->out, below);
        text_add_char(p->out, '\n');
    }
    text_deinit(&bound);
    begin_long_line(p, "_bucket", labels, "le", "+Inf");
    text_add_u64(p->out, histogram->count);
    text_add_char(p->out, '\n');
    begin_long_line(p, "_sum", labels, NULL, NULL);
    text_add_double(p->out, histogram->sum);
    text_add_char(p->out, '\n');
    begin_long_line(p, "_count", labels, NULL, NULL);
    text_add_u64(p->out, histogram->count);
    text_add_char(p->out, '\n');
}

static void print_row(struct printer *p, struct piece labels, const void *row)
{
    const void *at = (const char *)row + p->metric->offset;
    switch (p->metric->kind) {
    case KIND_U64:
        print_u64(p, labels, *(const uint64_t *)at);
        break;
    case KIND_U32:
        print_u64(p, labels, *(const uint32_t *)at);
        break;
    case KIND_I64:
        if (*(const int64_t *)at > 0)
            print_u64(p, labels, (uint64_t) * (const int64_t *)at);
        break;
    case KIND_DOUBLE:
        print_double(p, labels, *(const double *)at);
        break;
    case KIND_VECTOR:
        print_vector(p, labels, at);
        break;
    case KIND_HISTOGRAM:
        print_histogram(p, labels, at);
        break;
    case KIND_ONE:
        print_u64(p, labels, 1);
        break;
    }
}

static void print_metric(struct printer *p, const struct rows *rows)
{
    if (!rows || rows->count == 0)
        return;
    if (!cache_fill(p, rows)) {
        p->out->failed = true;
        return;
    }
    size_t begin = 0;
    for (size_t i = 0; i < rows->count; i++) {
        size_t end = p->cache.ends[i];
        struct piece labels = {
            .data = p->cache.text.data ? p->cache.text.data + begin : "",
            .size = end - begin};
        print_row(p, labels, rows_at(rows, i));
        begin = end;
    }
}

void prometheus_print(struct text *out,
                      const struct metric_list *list,
                      const struct metric_rows *rows,
                      uint32_t families,
                      enum prometheus_format format)
{
    struct printer p = {.out = out, .format = format};
    for (size_t i = 0; i < list->count; i++) {
        p.metric = &list->metrics[i];
        if (!(families & FAMILY_MASK(p.metric->family)))
            continue;
        p.name = p.metric->name;
        p.name_size = strlen(p.name);
        p.announced = false;
        print_metric(&p, rows->tables[p.metric->table]);
    }
    cache_clear(&p.cache);
}

void prometheus_end(struct text *out, enum prometheus_format format)
{
    if (format == PROMETHEUS_OPENMETRICS)
        text_add(out, "# EOF\n");
}
