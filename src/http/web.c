/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading, and noticing changes. Files are told apart by device, inode, size
 * and time of change, which sees a file that was edited, one that another was
 * renamed over, and a symbolic link that points elsewhere now (as Kubernetes
 * and certbot do it).
 */
#include "http/web.h"

#include "base/cleanup.h"

#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

/* As FNV-1a, number by number: a change of any one changes the hash. */
static uint64_t
hash_numbers(uint64_t hash, const uint64_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ numbers[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static uint64_t hash_file(uint64_t hash, const char *path)
{
    static const uint64_t missing = UINT64_MAX;
    struct stat status;
    if (!path || !*path)
        return hash;
    if (stat(path, &status) < 0)
        return hash_numbers(hash, &missing, 1);
    const uint64_t facts[] = {status.st_dev,          status.st_ino,
                              status.st_size,         status.st_mtim.tv_sec,
                              status.st_mtim.tv_nsec, status.st_ctim.tv_sec,
                              status.st_ctim.tv_nsec};
    return hash_numbers(hash, facts, array_size(facts));
}

static uint64_t stamp_files(const char *path,
                            const struct http_web_config *config)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    hash = hash_file(hash, path);
    hash = hash_file(hash, config->tls.certificate_file);
    hash = hash_file(hash, config->tls.key_file);
    return hash_file(hash, config->tls.client_ca_file);
}

static void free_web(struct http_web **web)
{
    http_web_free(*web);
}

int http_web_new(const char *path, struct http_web **ret_web, struct error *err)
{
    _cleanup_(free_web) struct http_web *web = calloc(1, sizeof(*web));
    if (!web)
        return error_errno(err, ENOMEM, "web configuration");
    http_web_config_init(&web->config);
    if (path) {
        web->path = strdup(path);
        if (!web->path)
            return error_errno(err, ENOMEM, "web configuration");
        int r = http_web_config_load(path, &web->config, err);
        if (r < 0)
            return r;
    }
    /* Before the files are read: a change meanwhile must not be missed. */
    web->stamp = stamp_files(web->path, &web->config);
    if (web->config.tls.enabled) {
        int r = http_tls_new(&web->config.tls, &web->tls, err);
        if (r < 0) {
            error_prefix(err, "%s", path);
            return r;
        }
    }
    *ret_web = take_ptr(web);
    return 0;
}

struct http_web *http_web_free(struct http_web *web)
{
    if (!web)
        return NULL;
    http_tls_unref(web->tls);
    http_web_config_deinit(&web->config);
    free(web->path);
    free(web);
    return NULL;
}

bool http_web_has_changed(const struct http_web *web)
{
    return web->path && stamp_files(web->path, &web->config) != web->stamp;
}
