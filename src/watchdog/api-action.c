/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is asking, and what he wants done. An action is begun by a POST and
 * answered at once with its number; how it ended is asked for by that.
 *
 * A browser sends cookies and passwords along with whatever another site makes
 * it send. So a POST must come from a page of ours, or from a program that says
 * so: JSON with a header of its own, which no form of another site can send,
 * and nothing that speaks of another origin.
 */
#include "watchdog/api-private.h"

#include "base/log.h"
#include "base/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define REQUESTED_BY "gpu-watchdog"

/* ---- /api/v1/me ---------------------------------------------------------- */

static const char *role_name(const struct viewer *viewer)
{
    return viewer->role == ROLE_NONE
               ? "none"
               : sign_in_role_words[viewer->role - ROLE_VIEWER];
}

void api_serve_me(struct api *api,
                  struct http_request *request,
                  struct http_reply *reply)
{
    struct viewer viewer;
    struct text body = TEXT_INIT;
    struct json json = JSON_INIT(&body);
    sign_in_find(api->sign_in, request, &viewer);
    json_begin_object(&json, NULL);
    json_text(&json, "user", viewer.user);
    json_text(&json, "role", role_name(&viewer));
    json_bool(&json, "actions", api->deputy != NULL);
    json_end_object(&json);
    text_add_char(&body, '\n');
    http_reply_set_header(reply, "Cache-Control", "no-store");
    api_reply_text(reply, &body);
}

/* ---- may it be done? ----------------------------------------------------- */

/* "https://host:8080" is at "host:8080". */
static bool is_origin_of(const char *origin, const char *host)
{
    const char *at = strstr(origin, "://");
    return at && host && strcasecmp(at + strlen("://"), host) == 0;
}

static bool is_ours(struct http_request *request)
{
    const char *by = http_request_header(request, "X-Requested-By");
    const char *type = http_request_header(request, "Content-Type");
    const char *site = http_request_header(request, "Sec-Fetch-Site");
    const char *origin = http_request_header(request, "Origin");
    if (!by || strcmp(by, REQUESTED_BY) != 0 || !type ||
        strncasecmp(type, API_TYPE, strlen(API_TYPE)) != 0)
        return false;
    if (site)
        return strcmp(site, "same-origin") == 0;
    return !origin ||
           is_origin_of(origin, http_request_header(request, "Host"));
}

/* True when VIEWER may act; else REPLY says why not. */
static bool may_act(const struct api *api,
                    struct http_request *request,
                    const struct viewer *viewer,
                    struct http_reply *reply)
{
    if (!api->deputy)
        api_refuse(reply, 403,
                   "Nothing can be done from here: the dashboard runs without "
                   "--allow-actions.");
    else if (!is_ours(request))
        api_refuse(reply, 403,
                   "This does not come from a page of the dashboard. A program "
                   "sends \"Content-Type: " API_TYPE "\" and "
                   "\"X-Requested-By: " REQUESTED_BY "\".");
    else if (viewer->role < ROLE_OPERATOR || !*viewer->user)
        api_refuse(reply, 403,
                   "%s may look, and do nothing. Sign in as an operator: "
                   "\"gpu-watchdog token web --user NAME\" on the head prints "
                   "a link.",
                   *viewer->user ? viewer->user : "Who is not signed in");
    else
        return true;
    return false;
}

/* ---- /api/v1/actions ----------------------------------------------------- */

static void print_deed(struct json *json, const struct deed_record *deed)
{
    json_begin_object(json, NULL);
    json_u64(json, "id", deed->id);
    json_text(json, "state", deed_state_names[deed->state]);
    json_text(json, "action", action_verb_names[deed->verb]);
    json_text(json, "of", deed->targets);
    json_text(json, "user", deed->who);
    json_text(json, "as", deed->as);
    json_i64(json, "time_s", deed->time_s);
    json_text_known(json, "text", deed->text);
    json_text_known(json, "job", deed->job);
    if (deed->script)
        json_text(json, "script", deed->script);
    json_end_object(json);
}

/* One's own; an admin's are all. */
static bool may_see(const struct viewer *viewer, const struct deed_record *deed)
{
    return viewer->role == ROLE_ADMIN ||
           (*viewer->user && strcmp(viewer->user, deed->who) == 0);
}

/* ID 0: all. */
static void serve_deeds(const struct api *api,
                        uint64_t id,
                        struct http_request *request,
                        struct http_reply *reply)
{
    struct viewer viewer;
    struct text body = TEXT_INIT;
    struct json json = JSON_INIT(&body);
    bool found = id == 0;
    const struct deed_record *deed;
    sign_in_find(api->sign_in, request, &viewer);
    if (id == 0) {
        json_begin_object(&json, NULL);
        json_begin_array(&json, "actions");
    }
    for (size_t i = 0;
         api->deputy && (deed = deputy_deed(api->deputy, i)) != NULL; i++) {
        if (!may_see(&viewer, deed) || (id > 0 && deed->id != id))
            continue;
        print_deed(&json, deed);
        found = true;
    }
    if (id == 0) {
        json_end_array(&json);
        json_end_object(&json);
    }
    if (!found) {
        text_deinit(&body);
        api_refuse(reply, 404,
                   "No action of yours has this number; the last %d are "
                   "remembered.",
                   DEEDS_KEPT);
        return;
    }
    text_add_char(&body, '\n');
    http_reply_set_header(reply, "Cache-Control", "no-store");
    api_reply_text(reply, &body);
}

void api_serve_actions(struct api *api,
                       const char *path,
                       struct http_request *request,
                       struct http_reply *reply)
{
    uint64_t id = 0;
    if (*path && (!number_parse(path, &id) || id == 0))
        api_refuse(reply, 404, "An action goes by a number.");
    else
        serve_deeds(api, id, request, reply);
}

void api_post_action(void *context,
                     struct http_request *request,
                     struct http_reply *reply)
{
    struct api *api = context;
    struct viewer viewer;
    struct error err = {.text = ""};
    size_t size;
    uint64_t id;
    sign_in_find(api->sign_in, request, &viewer);
    if (!may_act(api, request, &viewer, reply)) {
        log_notice("an action was refused to %s from %s",
                   *viewer.user ? viewer.user : "nobody in particular",
                   http_request_peer(request));
        return;
    }
    const char *body = http_request_body(request, &size);
    int r = deputy_ask(api->deputy, &viewer, http_request_peer(request), body,
                       size, &id, &err);
    if (r < 0) {
        api_refuse(reply, r == -EINVAL ? 400 : 503, "%s", err.text);
        return;
    }
    http_reply_set_status(reply, 202);
    serve_deeds(api, id, request, reply);
}
