/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The JSON API of "gpu-watchdog serve" (doc/api.md): collections that are
 * written once for each snapshot in which they changed, answers that are made
 * once and shared by all who ask the same, and the stream of ticks.
 */
#pragma once

#include "http/server.h"
#include "source/collector.h"
#include "source/prometheus.h"
#include "watchdog/deputy.h"
#include "watchdog/recorder.h"
#include "watchdog/watch.h"

struct api;

enum {
    API_ROUTES_MAX = 24
};

int api_new(struct loop *loop,
            struct watch *watch,
            size_t streams_max,
            struct api **ret_api,
            struct error *err);

/* After the server that uses it. Accepts NULL; returns NULL. */
struct api *api_free(struct api *api);

/* Why Slurm does not answer is the collector's to say; NULL: a recording. */
void api_set_collector(struct api *api, const struct collector *collector);

/* What is measured of GPUs; NULL: nothing. It lives longer than the API. */
void api_set_fleet(struct api *api, const struct fleet *fleet);

/* Nodes have answered; what is shown of it follows in a moment. */
void api_fleet_changed(struct api *api);

/* What is remembered; NULL: nothing. It lives longer than the API. */
void api_set_recorder(struct api *api, const struct recorder *recorder);

/* How people are known, and who acts for them; NULL: nobody. Both live longer
 * than the API. */
void api_set_people(struct api *api,
                    const struct sign_in *sign_in,
                    struct deputy *deputy);

/* What was longer than REACH_S ago is asked of PROMETHEUS; NULL: the store has
 * all. It lives longer than the server of the routes. */
void api_set_prometheus(struct api *api,
                        struct prometheus *prometheus,
                        int64_t reach_s);

/* A snapshot came: write what changed, and tell who follows the stream. */
void api_update(struct api *api);

/* Add the API's routes to ROUTES, which has room for API_ROUTES_MAX. */
size_t api_routes(struct api *api, struct http_route *routes);
