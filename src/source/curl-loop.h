/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libcurl's multi interface, driven by our loop: requests that are made to
 * others while everything else goes on. Names are resolved by a thread of
 * libcurl's own.
 */
#pragma once

#include "base/loop.h"
#include "base/text.h"

#include <curl/curl.h>

struct curl_loop;

/* HANDLE, which was added and has its CURLOPT_PRIVATE in REQUEST, is over: it
 * is no longer among those under way. */
typedef void (*curl_loop_done)(void *context, void *request, CURLcode result);

int curl_loop_new(struct loop *loop,
                  curl_loop_done done,
                  void *context,
                  struct curl_loop **ret_curl,
                  struct error *err);

/* All handles must have been taken out. Accepts NULL; returns NULL. */
struct curl_loop *curl_loop_free(struct curl_loop *curl);

/* How many connections are kept open for the next request to the same. */
void curl_loop_keep(struct curl_loop *curl, long connections);

/* Begin; false when libcurl would not. DONE is never called from within. */
bool curl_loop_add(struct curl_loop *curl, CURL *handle);

/* Give up; DONE is not called. */
void curl_loop_remove(struct curl_loop *curl, CURL *handle);

struct curl_answer {
    size_t most; /* bytes; more ends the request */
    struct text body;
    char reason[CURL_ERROR_SIZE]; /* why it failed, "" when libcurl is silent */
};

/* A handle as we want all of them: its answer goes to ANSWER, which lives as
 * long, REQUEST is its CURLOPT_PRIVATE, and it ends after DEADLINE_NS whatever
 * happens. NULL without memory. */
CURL *curl_loop_handle(struct curl_answer *answer,
                       void *request,
                       int64_t deadline_ns);
