/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "gpu-watchdog token": on the head, makes a join token and prints the whole
 * line to paste on another machine; lists and revokes tokens.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/unit.h"
#include "cluster/place.h"
#include "cluster/services.h"
#include "watchdog/control.h"
#include "watchdog/report.h"
#include "watchdog/sign-in.h"
#include "watchdog/subcommand.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

static int create_token(const struct settings *settings)
{
    json_t *answer;
    struct error err;
    json_t *request =
        json_pack("{s:s, s:I, s:I}", "type", CONTROL_TOKEN_CREATE, "ttl_s",
                  (json_int_t)(settings->ttl_ns / NS_PER_S), "uses",
                  (json_int_t)settings->uses);
    if (control_ask(request, NULL, &answer, &err) < 0)
        return report_failure(&err);
    if (settings->json) {
        report_json(answer);
    } else {
        /* The line alone on standard output: head's token | ssh worker. */
        printf("%s\n", json_string_value(json_object_get(answer, "line")));
        struct text ttl = TEXT_INIT;
        duration_format(settings->ttl_ns, &ttl);
        if (settings->uses == 0)
            fprintf(stderr, "good for %s, for any number of machines\n",
                    text_str(&ttl));
        else
            fprintf(stderr, "good for %s, for %" PRIu32 " machine%s\n",
                    text_str(&ttl), settings->uses,
                    settings->uses == 1 ? "" : "s");
        text_deinit(&ttl);
    }
    json_decref(answer);
    return EXIT_SUCCESS;
}

static void print_record(const json_t *record)
{
    char used[32] = "", state[48];
    int64_t now_s = clock_realtime_ns() / NS_PER_S;
    int64_t left_s =
        json_integer_value(json_object_get(record, "expires_s")) - now_s;
    json_int_t uses = json_integer_value(json_object_get(record, "uses"));
    json_int_t max = json_integer_value(json_object_get(record, "uses_max"));
    if (max > 0)
        snprintf(used, sizeof(used), "%lld of %lld", (long long)uses,
                 (long long)max);
    else
        snprintf(used, sizeof(used), "%lld", (long long)uses);
    if (json_is_true(json_object_get(record, "revoked")))
        snprintf(state, sizeof(state), "revoked");
    else if (left_s <= 0)
        snprintf(state, sizeof(state), "expired");
    else if (max > 0 && uses >= max)
        snprintf(state, sizeof(state), "used up");
    else
        snprintf(state, sizeof(state), "good for %lldh%02lldm",
                 (long long)(left_s / 3600), (long long)(left_s / 60 % 60));
    printf("%-8s %-16s %-10s %s\n",
           json_string_value(json_object_get(record, "id")), state, used,
           json_string_value(json_object_get(record, "last_node")));
}

static int list_tokens(const struct settings *settings)
{
    json_t *answer;
    struct error err;
    if (control_ask(json_pack("{s:s}", "type", CONTROL_TOKEN_LIST), NULL,
                    &answer, &err) < 0)
        return report_failure(&err);
    const json_t *tokens = json_object_get(answer, "tokens");
    if (settings->json) {
        report_json(tokens);
    } else {
        printf("%-8s %-16s %-10s %s\n", "ID", "STATE", "USED", "LAST NODE");
        for (size_t i = 0; i < json_array_size(tokens); i++)
            print_record(json_array_get(tokens, i));
    }
    json_decref(answer);
    return EXIT_SUCCESS;
}

static int revoke_token(const char *id)
{
    json_t *answer;
    struct error err;
    if (control_ask(
            json_pack("{s:s, s:s}", "type", CONTROL_TOKEN_REVOKE, "id", id),
            NULL, &answer, &err) < 0)
        return report_failure(&err);
    json_decref(answer);
    printf("token %s is revoked; nodes that joined with it stay\n", id);
    return EXIT_SUCCESS;
}

/* Whom a link is for, and what he may. */
static int choose_viewer(const struct settings *settings,
                         struct viewer *ret_viewer,
                         struct error *err)
{
    const char *user = settings->web_user;
    enum sign_in_role role = settings->web_role;
    if (role == ROLE_NONE)
        role = *user ? ROLE_OPERATOR : ROLE_VIEWER;
    if (role > ROLE_VIEWER && !*user)
        return error_set(err, EINVAL,
                         "--role %s: for whom? Write --user NAME too; what he "
                         "does is done, and remembered, under his name",
                         sign_in_role_words[role - ROLE_VIEWER]);
    if (*user && !getpwnam(user))
        return error_set(err, ESRCH,
                         "there is no user \"%s\" on this machine; type: "
                         "gpu-watchdog user add %s",
                         user, user);
    *ret_viewer = (struct viewer){.role = role};
    snprintf(ret_viewer->user, sizeof(ret_viewer->user), "%s", user);
    return 0;
}

/* A link to the dashboard, good once. */
static int make_link(const struct settings *settings)
{
    struct error err = {.text = ""};
    char state[PATH_MAX / 2], folder[PATH_MAX], host[256] = "";
    struct text link = TEXT_INIT;
    struct viewer viewer;
    if (*settings->state)
        snprintf(state, sizeof(state), "%s", settings->state);
    else
        place_state_default(state, sizeof(state));
    snprintf(folder, sizeof(folder), "%s/%s", state, SERVICES_SIGN_IN);
    if (place_address("", host, sizeof(host), NULL) < 0)
        place_host(host, sizeof(host));
    int r = choose_viewer(settings, &viewer, &err);
    if (r == 0)
        r = sign_in_make_link(folder, host, &viewer, &link, &err);
    if (r == -ENOENT)
        error_set(&err, ENOENT,
                  "no dashboard here asks for a link (it does when it listens "
                  "elsewhere than on 127.0.0.1); is this the head? --state "
                  "names another folder than %s",
                  state);
    if (r < 0) {
        text_deinit(&link);
        return report_failure(&err);
    }
    printf("%s\n", text_str(&link));
    fprintf(stderr, "good once, within %d minutes, for %s%s%s\n",
            SIGN_IN_LINK_S / 60,
            *viewer.user ? viewer.user : "anybody, to look",
            *viewer.user ? " as " : "",
            *viewer.user ? sign_in_role_words[viewer.role - ROLE_VIEWER] : "");
    text_deinit(&link);
    return EXIT_SUCCESS;
}

int token_main(const struct settings *settings)
{
    const struct option_set *options = &settings->options;
    const char *verb =
        options->argument_count > 0 ? options->arguments[0] : "create";
    if (strcmp(verb, "create") == 0 && options->argument_count <= 1)
        return create_token(settings);
    if (strcmp(verb, "list") == 0 && options->argument_count == 1)
        return list_tokens(settings);
    if (strcmp(verb, "revoke") == 0 && options->argument_count == 2)
        return revoke_token(options->arguments[1]);
    if (strcmp(verb, "web") == 0 && options->argument_count == 1)
        return make_link(settings);
    fputs("gpu-watchdog: write \"gpu-watchdog token\", \"gpu-watchdog token "
          "list\",\n  \"gpu-watchdog token revoke ID\" or \"gpu-watchdog token "
          "web\"\n",
          stderr);
    return EXIT_USAGE;
}
