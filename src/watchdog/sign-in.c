/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watchdog/sign-in-private.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/unit.h"
#include "cluster/secret-file.h"
#include "watchdog/jwt.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COOKIE "gpu_watchdog"

enum {
    KEY_SIZE = 32,
    HEX_SIZE = SIGN_IN_HEX_SIZE
};

struct guarded {
    struct sign_in *sign_in;
    struct http_route route; /* what stands behind */
};

/* A list of the settings. */
struct names {
    const char *const *names;
    size_t count;
};

struct sign_in {
    char *folder; /* owned */
    unsigned char key[KEY_SIZE];
    char *token_key; /* owned; NULL: no token is good */
    size_t token_key_size;
    bool secure;
    const char *proxy_header; /* NULL: no proxy is believed */
    const char *const *proxies;
    size_t proxy_count;
    struct names operators, admins;
    struct guarded routes[SIGN_IN_ROUTES_MAX];
    size_t count; /* 0: everybody may look */
};

/* ---- cookies ------------------------------------------------------------- */

/* A session is "END-ROLE-USER-MAC", the user in hexadecimal: a cookie may not
 * hold every character of a name. */

/* The MAC of what stands before it. */
static void make_mac(const struct sign_in *s,
                     const char *session,
                     size_t size,
                     char ret_hex[HEX_SIZE])
{
    char text[SIGN_IN_LINE_SIZE + 16];
    unsigned char mac[SIGN_IN_HASH_SIZE];
    int whole =
        snprintf(text, sizeof(text), "session %.*s", (int)size, session);
    gnutls_hmac_fast(GNUTLS_MAC_SHA256, s->key, KEY_SIZE, text, (size_t)whole,
                     mac);
    sign_in_hex(mac, SIGN_IN_HASH_SIZE, ret_hex);
}

static bool is_same(const char *a, const char *b, size_t size)
{
    return gnutls_memcmp(a, b, size) == 0;
}

static bool from_hex(const char *hex, char *ret_text, size_t size)
{
    size_t length = strlen(hex) / 2;
    if (strlen(hex) % 2 || length >= size)
        return false;
    for (size_t i = 0; i < length; i++) {
        unsigned int byte;
        if (sscanf(hex + 2 * i, "%2x", &byte) != 1 || byte < 0x20)
            return false;
        ret_text[i] = (char)byte;
    }
    ret_text[length] = '\0';
    return true;
}

/* VALUE is a session, up to a semicolon or the end. Looked into only once the
 * MAC has shown that it is ours. */
static bool is_session(const struct sign_in *s,
                       const char *value,
                       struct viewer *ret_viewer)
{
    char session[SIGN_IN_LINE_SIZE], mac[HEX_SIZE], *rest = NULL;
    uint64_t end_s;
    size_t whole = strcspn(value, "; ");
    if (whole < HEX_SIZE || whole - HEX_SIZE >= sizeof(session))
        return false;
    size_t size = whole - HEX_SIZE; /* "-" and the MAC */
    make_mac(s, value, size, mac);
    if (value[size] != '-' || !is_same(mac, value + size + 1, HEX_SIZE - 1))
        return false;
    memcpy(session, value, size);
    session[size] = '\0';
    const char *end = strtok_r(session, "-", &rest);
    const char *role = strtok_r(NULL, "-", &rest);
    const char *user = strtok_r(NULL, "-", &rest);
    return end && role && number_parse(end, &end_s) &&
           (int64_t)end_s >= clock_realtime_ns() / NS_PER_S &&
           sign_in_role_read(role, &ret_viewer->role) &&
           from_hex(user ? user : "", ret_viewer->user,
                    sizeof(ret_viewer->user));
}

bool sign_in_accepts(const struct sign_in *s,
                     const char *cookies,
                     struct viewer *ret_viewer)
{
    for (const char *at = cookies; at && *at;) {
        at += strspn(at, "; ");
        if (strncmp(at, COOKIE "=", sizeof(COOKIE)) == 0 &&
            is_session(s, at + sizeof(COOKIE), ret_viewer))
            return true;
        at += strcspn(at, ";");
    }
    return false;
}

/* PEER is "192.0.2.1:4711", "[2001:db8::1]:4711". */
static bool is_from(const char *peer, const char *address)
{
    const char *port = strrchr(peer, ':');
    size_t size = port ? (size_t)(port - peer) : strlen(peer);
    if (size > 2 && *peer == '[') {
        peer++;
        size -= 2;
    }
    return strlen(address) == size && strncmp(peer, address, size) == 0;
}

/* Whom a proxy that is believed names; NULL: none. What anybody else says in
 * that header is nothing. */
static const char *vouched_for(const struct sign_in *s,
                               struct http_request *request)
{
    const char *user =
        s->proxy_header ? http_request_header(request, s->proxy_header) : NULL;
    const char *peer = http_request_peer(request);
    for (size_t i = 0; user && *user && i < s->proxy_count; i++)
        if (is_from(peer, s->proxies[i]))
            return user;
    return NULL;
}

int sign_in_trust_key(struct sign_in *s, const char *path, struct error *err)
{
    return secret_file_read(path, JWT_KEY_SIZE_MAX, true, &s->token_key,
                            &s->token_key_size, err);
}

static int read_token(const struct sign_in *s,
                      const char *token,
                      struct jwt_claims *ret_claims,
                      struct error *err)
{
    if (!s->token_key)
        return error_set(err, EACCES, "No token is good here.");
    return jwt_read(token, s->token_key, s->token_key_size,
                    clock_realtime_ns() / NS_PER_S, ret_claims, err);
}

/* Whom a token in the header names; NULL: none. */
static const char *shown_by_token(const struct sign_in *s,
                                  struct http_request *request,
                                  struct jwt_claims *claims)
{
    static const char scheme[] = "Bearer ";
    const char *value = http_request_header(request, "Authorization");
    if (!value || strncasecmp(value, scheme, sizeof(scheme) - 1) != 0 ||
        read_token(s, value + sizeof(scheme) - 1, claims, NULL) < 0)
        return NULL;
    return claims->user;
}

static bool is_among(const struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->names[i], name) == 0)
            return true;
    return false;
}

static enum sign_in_role role_of(const struct sign_in *s, const char *user)
{
    if (is_among(&s->admins, user))
        return ROLE_ADMIN;
    return is_among(&s->operators, user) ? ROLE_OPERATOR : ROLE_VIEWER;
}

void sign_in_find(const struct sign_in *s,
                  struct http_request *request,
                  struct viewer *ret_viewer)
{
    *ret_viewer = (struct viewer){.role = ROLE_VIEWER};
    if (!s ||
        sign_in_accepts(s, http_request_header(request, "Cookie"), ret_viewer))
        return;
    struct jwt_claims claims;
    const char *user = vouched_for(s, request);
    if (!user)
        user = shown_by_token(s, request, &claims);
    if (!user)
        user = http_request_user(request);
    *ret_viewer = (struct viewer){.role = ROLE_VIEWER};
    if (!user && s->count > 0)
        ret_viewer->role = ROLE_NONE;
    /* A name that does not fit would be another's. */
    if (user && strlen(user) < sizeof(ret_viewer->user)) {
        strcpy(ret_viewer->user, user);
        ret_viewer->role = role_of(s, user);
    }
}

void sign_in_name(struct sign_in *s,
                  const char *const *operators,
                  size_t operator_count,
                  const char *const *admins,
                  size_t admin_count)
{
    s->operators = (struct names){operators, operator_count};
    s->admins = (struct names){admins, admin_count};
}

void sign_in_trust(struct sign_in *s,
                   const char *header,
                   const char *const *addresses,
                   size_t count)
{
    s->proxy_header = *header && count ? header : NULL;
    s->proxies = addresses;
    s->proxy_count = count;
}

static void set_cookie(const struct sign_in *s,
                       const struct viewer *viewer,
                       int64_t most_s,
                       struct http_reply *reply)
{
    int64_t lasts_s = most_s < SIGN_IN_SESSION_S ? most_s : SIGN_IN_SESSION_S;
    char mac[HEX_SIZE], session[SIGN_IN_LINE_SIZE], user[HEX_SIZE * 2] = "";
    char value[SIGN_IN_LINE_SIZE + HEX_SIZE + 128];
    uint64_t end_s = (uint64_t)(clock_realtime_ns() / NS_PER_S + lasts_s);
    sign_in_hex((const unsigned char *)viewer->user, strlen(viewer->user),
                user);
    int size = snprintf(session, sizeof(session), "%llu-%s-%s",
                        (unsigned long long)end_s,
                        sign_in_role_name(viewer->role), user);
    make_mac(s, session, (size_t)size, mac);
    snprintf(value, sizeof(value),
             COOKIE "=%s-%s; Max-Age=%d; Path=/; HttpOnly; SameSite=Strict%s",
             session, mac, (int)lasts_s, s->secure ? "; Secure" : "");
    http_reply_set_header(reply, "Set-Cookie", value);
}

/* ---- requests ------------------------------------------------------------ */

static const char refusal[] =
    "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<title>gpu-watchdog: sign in</title>\n"
    "<h1>Sign in</h1>\n<p>%s Type on the head of the cluster</p>\n"
    "<pre>gpu-watchdog token web</pre>\n"
    "<p>and open the link that it prints.</p>\n</html>\n";

static void refuse(struct http_request *request,
                   struct http_reply *reply,
                   unsigned int status,
                   const char *why)
{
    struct text text = TEXT_INIT;
    bool api = strncmp(http_request_path(request), "/api/", 5) == 0;
    http_reply_set_status(reply, status);
    http_reply_set_header(reply, "Cache-Control", "no-store");
    if (api) {
        text_addf(&text,
                  "{\"error\":\"%s Sign in with the link that gpu-watchdog "
                  "token web prints on the head.\"}\n",
                  why);
        http_reply_set_type(reply, "application/json");
    } else {
        text_addf(&text, refusal, why);
        http_reply_set_type(reply, "text/html; charset=utf-8");
        http_reply_set_header(reply, "Content-Security-Policy",
                              "default-src 'none'; frame-ancestors 'none'");
    }
    http_reply_add_text(reply, &text);
}

static void
on_link(void *context, struct http_request *request, struct http_reply *reply)
{
    struct sign_in *s = context;
    const char *number = http_request_query(request, "link", 0);
    const char *token = http_request_query(request, "token", 0);
    int64_t most_s = SIGN_IN_SESSION_S;
    struct viewer viewer;
    struct jwt_claims claims;
    struct error err = {.text = ""};
    if (token && read_token(s, token, &claims, &err) < 0) {
        refuse(request, reply, 403, err.text);
        return;
    }
    if (token) {
        viewer.role = role_of(s, claims.user);
        strcpy(viewer.user, claims.user);
        most_s = claims.end_s - clock_realtime_ns() / NS_PER_S;
    } else if (!number || !sign_in_use_link(s->folder, number, &viewer)) {
        refuse(request, reply, 403, "This link was used, or is too old.");
        return;
    }
    set_cookie(s, &viewer, most_s, reply);
    http_reply_set_status(reply, 303);
    http_reply_set_header(reply, "Location", "/");
    http_reply_set_header(reply, "Cache-Control", "no-store");
    http_reply_set_header(reply, "Referrer-Policy", "no-referrer");
}

static bool may_look(const struct guarded *guarded,
                     struct http_request *request,
                     struct http_reply *reply)
{
    struct viewer viewer;
    sign_in_find(guarded->sign_in, request, &viewer);
    if (viewer.role == ROLE_NONE)
        refuse(request, reply, 401, "You are not signed in.");
    return viewer.role != ROLE_NONE;
}

static void on_guarded(void *context,
                       struct http_request *request,
                       struct http_reply *reply)
{
    const struct guarded *guarded = context;
    if (may_look(guarded, request, reply))
        guarded->route.handler(guarded->route.context, request, reply);
}

static void on_guarded_post(void *context,
                            struct http_request *request,
                            struct http_reply *reply)
{
    const struct guarded *guarded = context;
    if (may_look(guarded, request, reply))
        guarded->route.post(guarded->route.context, request, reply);
}

void sign_in_guard(struct sign_in *s, struct http_route *routes, size_t count)
{
    for (size_t i = 0; i < count && s->count < SIGN_IN_ROUTES_MAX; i++) {
        struct guarded *guarded = &s->routes[s->count++];
        *guarded = (struct guarded){.sign_in = s, .route = routes[i]};
        routes[i].handler = on_guarded;
        routes[i].post = routes[i].post ? on_guarded_post : NULL;
        routes[i].context = guarded;
    }
}

bool sign_in_is_needed(const struct sign_in *s)
{
    return s && s->count > 0;
}

struct http_route sign_in_route(struct sign_in *s)
{
    return (struct http_route){
        .path = SIGN_IN_PATH, .handler = on_link, .context = s};
}

/* ---- life ---------------------------------------------------------------- */

static int read_key(struct sign_in *s, struct error *err)
{
    char path[PATH_MAX];
    _cleanup_(free_ptr) char *bytes = NULL;
    size_t size = 0;
    snprintf(path, sizeof(path), "%s/key", s->folder);
    int r = secret_file_read(path, KEY_SIZE, true, &bytes, &size, err);
    if (r == 0 && size == KEY_SIZE) {
        memcpy(s->key, bytes, KEY_SIZE);
        explicit_bzero(bytes, size);
        return 0;
    }
    if (r < 0 && r != -ENOENT)
        return r;
    if (gnutls_rnd(GNUTLS_RND_KEY, s->key, KEY_SIZE) < 0)
        return error_set(err, EIO, "no random numbers for a key");
    return secret_file_write(path, s->key, KEY_SIZE, 0400, NULL, err);
}

int sign_in_new(const char *folder,
                struct sign_in **ret_sign_in,
                struct error *err)
{
    struct sign_in *s = calloc(1, sizeof(*s));
    if (!s || !(s->folder = strdup(folder))) {
        free(s);
        return error_errno(err, ENOMEM, "sign-in");
    }
    int r = mkdir(folder, 0700) < 0 && errno != EEXIST
                ? error_errno(err, errno, "folder %s", folder)
                : read_key(s, err);
    if (r < 0)
        s = sign_in_free(s);
    *ret_sign_in = s;
    return r;
}

struct sign_in *sign_in_free(struct sign_in *s)
{
    if (!s)
        return NULL;
    explicit_bzero(s->key, sizeof(s->key));
    if (s->token_key)
        explicit_bzero(s->token_key, s->token_key_size);
    free(s->token_key);
    free(s->folder);
    free(s);
    return NULL;
}

int sign_in_tell(struct sign_in *s,
                 const char *address,
                 bool secure,
                 struct error *err)
{
    char path[PATH_MAX], text[SIGN_IN_LINE_SIZE];
    s->secure = secure;
    snprintf(path, sizeof(path), "%s/address", s->folder);
    int size = snprintf(text, sizeof(text), "%s://%s",
                        secure ? "https" : "http", address);
    return secret_file_write(path, text, (size_t)size, 0600, NULL, err);
}
