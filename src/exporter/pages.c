/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pages of gpu-exporter. The page of a snapshot is made once in each format
 * and shared by all clients; what the exporter tells of itself is made for each
 * request.
 */
#include "exporter/exporter.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "exporter/version.h"
#include "http/negotiate.h"
#include "view/gpu-page.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum {
    FORMATS = 2,
    ROUTES = 5
};

struct pages {
    const struct settings *settings;
    struct gpu_metrics metrics;
    char hostname[256];
    struct mapped_snapshot *snapshot; /* NULL before the first */
    int64_t arrived_ns;               /* monotonic */
    uint64_t cycles;
    struct http_content *kept[FORMATS];
    const char *kept_overall; /* of what is kept */
    bool released;
    const struct collector *collector;
    struct http_server *server;
    int64_t started_s;
    struct http_route routes[ROUTES];
};

static void fclose_ptr(FILE **file)
{
    if (*file)
        fclose(*file);
}

/* ---- what holds ---------------------------------------------------------- */

/* NULL, or why nothing that was read holds any more. */
static const char *overall(const struct pages *p)
{
    if (p->released)
        return "released";
    if (!*p->settings->replay &&
        clock_monotonic_ns() - p->arrived_ns > p->settings->stale_after_ns)
        return "stale";
    return NULL;
}

static void forget_kept(struct pages *p)
{
    for (size_t i = 0; i < FORMATS; i++)
        p->kept[i] = http_content_unref(p->kept[i]);
}

void pages_publish(struct pages *p, struct mapped_snapshot *snapshot)
{
    mapped_snapshot_unref(p->snapshot);
    p->snapshot = mapped_snapshot_ref(snapshot);
    p->arrived_ns = clock_monotonic_ns();
    p->cycles++;
    forget_kept(p);
}

void pages_set_released(struct pages *p, bool released)
{
    p->released = released;
    forget_kept(p);
}

void pages_set_server(struct pages *p, struct http_server *server)
{
    p->server = server;
}

void pages_set_collector(struct pages *p, const struct collector *collector)
{
    p->collector = collector;
}

/* ---- /metrics ------------------------------------------------------------ */

static struct gpu_page_settings page_settings(const struct pages *p)
{
    const struct settings *s = p->settings;
    struct gpu_page_settings page = {
        .metrics = &p->metrics,
        .hostname = s->no_hostname ? NULL : p->hostname,
        .hostname_lower = s->hostname_lower,
        .old_namespace = s->old_namespace,
        .replace_blanks = s->replace_blanks,
        .hpc_job = s->hpc_job,
        .processes = s->processes,
        .processes_max = s->process_series,
        .xid_window_ns = s->xid_window_ms * NS_PER_MS,
        .clock_window_ns = s->clock_window_ms * NS_PER_MS,
        .overall = overall(p),
    };
    struct device_choice choice;
    struct error err;
    if (device_choice_parse(s->devices, &choice, &err) == 0) {
        page.gpus = choice.gpus;
        page.instances = choice.instances;
    }
    return page;
}

static struct http_content *gpu_content(struct pages *p,
                                        enum prometheus_format format)
{
    const struct gpu_page_settings settings = page_settings(p);
    if (settings.overall != p->kept_overall) {
        forget_kept(p);
        p->kept_overall = settings.overall;
    }
    if (p->kept[format])
        return p->kept[format];
    struct text text = TEXT_INIT;
    const struct snapshot_header *header = p->snapshot->snapshot.header;
    gpu_page_print(&text, &p->snapshot->snapshot, &settings, format,
                   header->finished_ns);
    p->kept[format] = http_content_take(&text);
    return p->kept[format];
}

struct own {
    struct text *out;
    enum prometheus_format format;
};

static void add_metric(const struct own *own,
                       const char *name,
                       const char *type,
                       const char *help,
                       double value)
{
    size_t size = strlen(name);
    if (own->format == PROMETHEUS_OPENMETRICS && strcmp(type, "counter") == 0)
        size -= strlen("_total");
    text_addf(own->out, "# HELP %.*s %s\n# TYPE %.*s %s\n%s ", (int)size, name,
              help, (int)size, name, type, name);
    text_add_double(own->out, value);
    text_add_char(own->out, '\n');
}

static double resident_bytes(void)
{
    unsigned long pages = 0;
    _cleanup_(fclose_ptr) FILE *file = fopen("/proc/self/statm", "re");
    if (!file || fscanf(file, "%*u %lu", &pages) != 1)
        return 0;
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double own_cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void add_collector(const struct pages *p, const struct own *own)
{
    uint64_t ends = 0;
    const struct collector_status *status =
        p->collector ? collector_status(p->collector) : NULL;
    for (size_t i = 0; status && i < COLLECTOR_END_COUNT; i++)
        ends += i == COLLECTOR_END_RENEWED ? 0 : status->ends[i];
    add_metric(own, "gpu_exporter_collector_ends_total", "counter",
               "Collectors that ended and were replaced.", (double)ends);
    add_metric(own, "gpu_exporter_collect_cpu_seconds_total", "counter",
               "CPU time that collectors used.",
               status ? status->cpu_seconds : 0);
    if (!p->snapshot)
        return;
    const struct snapshot_header *header = p->snapshot->snapshot.header;
    add_metric(own, "gpu_exporter_snapshot_age_seconds", "gauge",
               "Time since the last snapshot arrived.",
               (double)(clock_monotonic_ns() - p->arrived_ns) / 1e9);
    add_metric(own, "gpu_exporter_cycle_seconds", "gauge",
               "Duration of the last collection cycle.",
               (double)header->cycle_wall_ns / 1e9);
    add_metric(own, "gpu_exporter_snapshot_bytes", "gauge",
               "Size of the last snapshot.", (double)header->size);
}

static void add_own(struct pages *p,
                    struct http_reply *reply,
                    enum prometheus_format format)
{
    struct text text = TEXT_INIT;
    const struct own own = {.out = &text, .format = format};
    const struct http_statistics *http = http_server_statistics(p->server);
    uint64_t replies = 0;
    for (size_t i = 0; i < http->route_count; i++)
        for (size_t c = 0; c < HTTP_STATUS_CLASSES; c++)
            replies += http->routes[i].replies[c];
    add_metric(&own, "gpu_exporter_cycles_total", "counter",
               "Collection cycles that ended in a snapshot.",
               (double)p->cycles);
    add_collector(p, &own);
    add_metric(&own, "gpu_exporter_cpu_seconds_total", "counter",
               "CPU time that the serving process used.", own_cpu_seconds());
    add_metric(&own, "gpu_exporter_resident_memory_bytes", "gauge",
               "Memory that the serving process has resident.",
               resident_bytes());
    add_metric(&own, "gpu_exporter_start_timestamp_seconds", "gauge",
               "When the exporter started, in seconds since 1970.",
               (double)p->started_s);
    add_metric(&own, "gpu_exporter_http_requests_total", "counter",
               "Requests answered.", (double)replies);
    text_addf(&text,
              "# HELP gpu_exporter_build_info 1, with the version.\n"
              "# TYPE gpu_exporter_build_info gauge\n"
              "gpu_exporter_build_info{version=\"%s\"} 1\n",
              PROJECT_VERSION);
    prometheus_end(&text, format);
    http_reply_add_text(reply, &text);
}

static enum prometheus_format asked_format(struct http_request *request)
{
    static const char *const offers[] = {
        [PROMETHEUS_TEXT] = "text/plain;version=0.0.4",
        [PROMETHEUS_OPENMETRICS] = "application/openmetrics-text;version=1.0.0",
    };
    const char *accept = http_request_header(request, "Accept");
    int chosen = http_accept_choose(accept, offers, array_size(offers));
    return chosen == PROMETHEUS_OPENMETRICS ? PROMETHEUS_OPENMETRICS
                                            : PROMETHEUS_TEXT;
}

static void serve_metrics(void *context,
                          struct http_request *request,
                          struct http_reply *reply)
{
    struct pages *p = context;
    enum prometheus_format format = asked_format(request);
    http_reply_set_type(reply, prometheus_content_types[format]);
    http_reply_vary(reply, "Accept");
    if (p->snapshot)
        http_reply_add(reply, gpu_content(p, format));
    add_own(p, reply, format);
}

/* ---- the other paths ----------------------------------------------------- */

static void answer_word(struct http_reply *reply, const char *line)
{
    struct http_content *content = http_content_static(line, strlen(line));
    http_reply_add(reply, content);
    http_content_unref(content);
}

static void serve_health(void *context,
                         struct http_request *request,
                         struct http_reply *reply)
{
    (void)context;
    (void)request;
    answer_word(reply, "OK\n");
}

const char *pages_reason(const struct pages *p)
{
    size_t count = 0;
    const char *why = overall(p);
    const char *reason =
        p->collector ? collector_status(p->collector)->reason : "";
    if (*reason)
        return reason;
    if (!p->snapshot)
        return "no reading of the GPUs has come yet";
    const struct gpu_machine_record *machine =
        snapshot_array(&p->snapshot->snapshot, SNAPSHOT_GPUS, 3, &count);
    if (!why && count > 0)
        return snapshot_text(&p->snapshot->snapshot, SNAPSHOT_GPUS,
                             machine->trouble);
    return why ? why : "";
}

static void serve_readiness(void *context,
                            struct http_request *request,
                            struct http_reply *reply)
{
    const struct pages *p = context;
    (void)request;
    if (p->snapshot && !overall(p))
        answer_word(reply, "ready\n");
    else
        http_reply_fail(reply, 503, "not ready: %s", pages_reason(p));
}

static void add_gpus(const struct pages *p, struct text *text)
{
    size_t count = 0;
    const struct gpu_record *gpus =
        p->snapshot
            ? snapshot_array(&p->snapshot->snapshot, SNAPSHOT_GPUS, 0, &count)
            : NULL;
    for (size_t i = 0; i < count; i++) {
        const struct snapshot *snapshot = &p->snapshot->snapshot;
        if (gpus[i].parent != GPU_NONE)
            continue;
        text_addf(text, "%4u  %-10s %s  %s  %s\n", gpus[i].index,
                  overall(p) ? overall(p) : gpu_state_names[gpus[i].state],
                  snapshot_text(snapshot, SNAPSHOT_GPUS, gpus[i].pci_bus_id),
                  snapshot_text(snapshot, SNAPSHOT_GPUS, gpus[i].model),
                  snapshot_text(snapshot, SNAPSHOT_GPUS, gpus[i].trouble));
    }
    if (count == 0)
        text_add(text, "      none\n");
}

static void serve_start(void *context,
                        struct http_request *request,
                        struct http_reply *reply)
{
    const struct pages *p = context;
    struct text text = TEXT_INIT;
    (void)request;
    text_addf(&text,
              "gpu-exporter " PROJECT_VERSION
              " on %s\n\n/metrics  for Prometheus\n/health   OK while it "
              "runs\n/readyz   503 while there is nothing to serve\n\nGPUs\n",
              p->hostname);
    add_gpus(p, &text);
    if (*pages_reason(p))
        text_addf(&text, "\n%s\n", pages_reason(p));
    http_reply_add_text(reply, &text);
}

/* ---- life ---------------------------------------------------------------- */

/* The collectors file, as a whole. */
static int read_file(const char *path, struct text *out, struct error *err)
{
    char bytes[4096];
    size_t size;
    _cleanup_(fclose_ptr) FILE *file = fopen(path, "re");
    if (!file)
        return error_errno(err, errno, "%s", path);
    while ((size = fread(bytes, 1, sizeof(bytes), file)) > 0)
        text_add_bytes(out, bytes, size);
    if (ferror(file) || text_failed(out))
        return error_set(err, EIO, "%s cannot be read", path);
    return 0;
}

static int choose_metrics(const struct settings *s,
                          struct gpu_metrics *ret_metrics,
                          struct error *err)
{
    if (!*s->collectors)
        return gpu_metrics_default((enum gpu_names)s->metric_names, s->more,
                                   ret_metrics, err);
    _cleanup_(text_deinit) struct text text = TEXT_INIT;
    int r = read_file(s->collectors, &text, err);
    return r < 0 ? r
                 : gpu_metrics_parse(s->collectors, text.data ? text.data : "",
                                     text.size, ret_metrics, err);
}

int pages_new(const struct settings *settings,
              struct pages **ret_pages,
              struct error *err)
{
    struct pages *p = calloc(1, sizeof(*p));
    if (!p)
        return error_errno(err, ENOMEM, "pages");
    p->settings = settings;
    p->started_s = clock_realtime_ns() / NS_PER_S;
    p->arrived_ns = clock_monotonic_ns();
    const char *name = getenv("NODE_NAME");
    if (name && *name)
        snprintf(p->hostname, sizeof(p->hostname), "%s", name);
    else
        gethostname(p->hostname, sizeof(p->hostname) - 1);
    int r = choose_metrics(settings, &p->metrics, err);
    if (r < 0) {
        free(p);
        return r;
    }
    const struct http_route routes[ROUTES] = {
        {"/metrics", serve_metrics, p, NULL},
        {"/health", serve_health, p, NULL},
        {"/healthz", serve_health, p, NULL},
        {"/readyz", serve_readiness, p, NULL},
        {"/", serve_start, p, NULL},
    };
    memcpy(p->routes, routes, sizeof(routes));
    *ret_pages = p;
    return 0;
}

int pages_configure(struct pages *p,
                    const struct settings *settings,
                    struct error *err)
{
    struct gpu_metrics metrics = {.count = 0};
    int r = choose_metrics(settings, &metrics, err);
    if (r < 0)
        return r;
    gpu_metrics_deinit(&p->metrics);
    p->metrics = metrics;
    p->settings = settings;
    forget_kept(p);
    return 0;
}

struct pages *pages_free(struct pages *p)
{
    if (!p)
        return NULL;
    forget_kept(p);
    mapped_snapshot_unref(p->snapshot);
    gpu_metrics_deinit(&p->metrics);
    free(p);
    return NULL;
}

const struct http_route *pages_routes(const struct pages *p, size_t *ret_count)
{
    *ret_count = ROUTES;
    return p->routes;
}
