/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Metrics that dcgm-exporter does not read but works out (gpu.md 1.4), each
 * with labels of its own: events in a sliding window, the health of a GPU, and
 * which GPU reaches which. Labels stand in the order of their names, as there.
 */
#include "view/gpu-page-private.h"

#include "base/cleanup.h"
#include "model/gpu-health.h"

/* A line of a GPU with MORE labels, which is emptied. */
static void print_line(struct gpu_page *page,
                       size_t gpu,
                       struct text *more,
                       uint64_t number)
{
    const char *text = text_str(more);
    const char *labels = text_str(&page->labels[gpu]);
    gpu_page_number(page, labels ? labels : "", page->labels[gpu].size,
                    text ? text : "", number);
    text_deinit(more);
}

/* A whole GPU of NVIDIA's that is chosen. */
static bool is_card(const struct gpu_page *page, const struct gpu_record *gpu)
{
    return gpu->parent == GPU_NONE && gpu->vendor == GPU_VENDOR_NVIDIA &&
           gpu_page_shows(page, gpu);
}

/* ---- windows ------------------------------------------------------------- */

/* How often CODE of KIND happened to GPU since BEGIN_NS. */
static uint64_t count_events(const struct gpu_page *page,
                             size_t gpu,
                             enum gpu_event_kind kind,
                             uint32_t code,
                             int64_t begin_ns)
{
    uint64_t count = 0;
    for (size_t i = 0; i < page->event_count; i++)
        count += page->events[i].gpu == gpu && page->events[i].kind == kind &&
                 page->events[i].code == code &&
                 page->events[i].time_ns >= begin_ns;
    return count;
}

/* A series for each code that was seen in the window; one of 0 without a code
 * when none was, as dcgm-exporter does. */
static void print_window(struct gpu_page *page,
                         enum gpu_event_kind kind,
                         int64_t window_ns,
                         const char *label,
                         const char *const *names,
                         uint32_t codes)
{
    int64_t begin_ns = page->now_ns - window_ns;
    char window[32];
    snprintf(window, sizeof(window), "%lld", (long long)(window_ns / 1000000));
    for (size_t i = 0; i < page->gpu_count; i++) {
        const struct gpu_record *gpu = &page->gpus[i];
        uint64_t all = 0;
        if (!is_card(page, gpu))
            continue;
        for (uint32_t code = 0; code <= codes; code++) {
            uint64_t count =
                code == codes ? 0 : count_events(page, i, kind, code, begin_ns);
            /* Behind the last: the series that says "none". */
            if (code == codes ? all > 0 : count == 0)
                continue;
            all += count;
            struct text more = TEXT_INIT;
            char number[16];
            snprintf(number, sizeof(number), "%u", code);
            if (code < codes && (!names || names[code]))
                gpu_page_label(&more, label, names ? names[code] : number);
            gpu_page_label(&more, "window_size_in_ms", window);
            print_line(page, i, &more, count);
        }
    }
}

/* ---- health -------------------------------------------------------------- */

static void print_health(struct gpu_page *page)
{
    for (size_t i = 0; i < page->gpu_count; i++) {
        const struct gpu_record *gpu = &page->gpus[i];
        if (!is_card(page, gpu) || gpu->state != GPU_STATE_UP)
            continue;
        for (size_t w = 0; w < GPU_WATCH_COUNT; w++) {
            const struct gpu_finding_info *finding =
                &gpu_findings[gpu->health[w] < GPU_FINDING_COUNT
                                  ? gpu->health[w]
                                  : GPU_FINDING_NONE];
            struct text more = TEXT_INIT;
            gpu_page_label(&more, "health_error_code", finding->name);
            gpu_page_label(&more, "health_watch", gpu_watch_names[w]);
            print_line(page, i, &more, finding->result);
        }
    }
}

/* ---- peers --------------------------------------------------------------- */

static void print_peers(struct gpu_page *page)
{
    static const char *const names[GPU_PEER_COUNT] = {
        [GPU_PEER_OK] = "OK",
        [GPU_PEER_CHIPSET] = "ChipsetNotSupported",
        [GPU_PEER_GPU] = "GPUNotSupported",
        [GPU_PEER_TOPOLOGY] = "TopologyNotSupported",
        [GPU_PEER_REGKEY] = "DisabledByRegKey",
        [GPU_PEER_NOT_SUPPORTED] = "NotSupported",
        [GPU_PEER_UNSURE] = "Unknown",
    };
    for (size_t i = 0; i < page->gpu_count; i++) {
        const struct gpu_record *gpu = &page->gpus[i];
        if (!is_card(page, gpu) || gpu->state != GPU_STATE_UP)
            continue;
        for (unsigned int other = 0; other < GPU_PEERS_MAX; other++) {
            uint8_t peer = gpu->peers[other];
            struct text more = TEXT_INIT;
            char number[16];
            if (peer == GPU_PEER_UNKNOWN || peer >= GPU_PEER_COUNT)
                continue;
            snprintf(number, sizeof(number), "%u", other);
            gpu_page_label(&more, "link_status", names[peer]);
            gpu_page_label(&more, "peer_gpu", number);
            print_line(page, i, &more, peer - GPU_PEER_OK);
        }
    }
}

void gpu_page_print_computed(struct gpu_page *page,
                             enum gpu_metric_source source)
{
    /* By bit of the clock event reasons. */
    static const char *const clock_events[] = {
        "gpu_idle",    "clocks_setting", "power_cap",
        "hw_slowdown", "sync_boost",     "sw_thermal",
        "hw_thermal",  "hw_power_brake", "display_clocks"};
    enum {
        XID_CODES = 512
    };
    switch (source) {
    case GPU_METRIC_XID_WINDOW:
        print_window(page, GPU_EVENT_XID, page->settings->xid_window_ns, "xid",
                     NULL, XID_CODES);
        break;
    case GPU_METRIC_CLOCK_WINDOW:
        print_window(page, GPU_EVENT_CLOCK, page->settings->clock_window_ns,
                     "clock_event", clock_events, array_size(clock_events));
        break;
    case GPU_METRIC_HEALTH:
        print_health(page);
        break;
    case GPU_METRIC_PEERS:
        print_peers(page);
        break;
    case GPU_METRIC_READING:
    case GPU_METRIC_TEXT:
        break;
    }
}
