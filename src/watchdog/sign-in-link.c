/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links that are good once: a file of the folder each, which is removed by its
 * use.
 */
#include "watchdog/sign-in-private.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "cluster/secret-file.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    NUMBER_SIZE = 16 /* bytes of a link */
};

const char *const sign_in_role_words[ROLE_COUNT] = {"viewer", "operator",
                                                    "admin", NULL};

const char *sign_in_role_name(enum sign_in_role role)
{
    return sign_in_role_words[role - ROLE_VIEWER];
}

bool sign_in_role_read(const char *name, enum sign_in_role *ret_role)
{
    for (unsigned int i = 0; sign_in_role_words[i]; i++) {
        if (strcmp(name, sign_in_role_words[i]) != 0)
            continue;
        *ret_role = ROLE_VIEWER + i;
        return true;
    }
    return false;
}

void sign_in_hex(const unsigned char *bytes, size_t size, char *ret_text)
{
    for (size_t i = 0; i < size; i++)
        snprintf(ret_text + 2 * i, 3, "%02x", bytes[i]);
}

/* Where the file of the link NUMBER is. */
static void
link_path(const char *folder, const char *number, char *ret_path, size_t size)
{
    unsigned char hash[SIGN_IN_HASH_SIZE];
    char hex[SIGN_IN_HEX_SIZE];
    gnutls_hash_fast(GNUTLS_DIG_SHA256, number, strlen(number), hash);
    sign_in_hex(hash, SIGN_IN_HASH_SIZE, hex);
    snprintf(ret_path, size, "%s/link-%s", folder, hex);
}

/* What the file of a link says: "ROLE USER". */
static bool read_link(const char *path, struct viewer *ret_viewer)
{
    char *bytes = NULL;
    size_t size = 0;
    if (secret_file_read(path, SIGN_IN_LINE_SIZE, false, &bytes, &size, NULL) <
        0)
        return false;
    char role[16] = "";
    *ret_viewer = (struct viewer){.role = ROLE_VIEWER};
    bool good = sscanf(bytes, "%15s %63s", role, ret_viewer->user) >= 1 &&
                sign_in_role_read(role, &ret_viewer->role);
    free(bytes);
    return good;
}

bool sign_in_use_link(const char *folder,
                      const char *number,
                      struct viewer *ret_viewer)
{
    char path[PATH_MAX];
    struct stat status;
    if (strlen(number) != 2 * NUMBER_SIZE)
        return false;
    link_path(folder, number, path, sizeof(path));
    return stat(path, &status) == 0 && read_link(path, ret_viewer) &&
           unlink(path) == 0 &&
           clock_realtime_ns() / NS_PER_S - status.st_mtime <= SIGN_IN_LINK_S;
}

/* "http://[::]:8080" is no place to go to. */
static void add_place(struct text *out, const char *address, const char *host)
{
    static const char *const all[] = {"://[::]:", "://0.0.0.0:"};
    for (size_t i = 0; i < array_size(all); i++) {
        const char *at = strstr(address, all[i]);
        if (!at)
            continue;
        bool bare = strchr(host, ':') != NULL; /* IPv6 stands in brackets */
        text_addf(out, "%.*s://%s%s%s:%s", (int)(at - address), address,
                  bare ? "[" : "", host, bare ? "]" : "", at + strlen(all[i]));
        return;
    }
    text_add(out, address);
}

int sign_in_make_link(const char *folder,
                      const char *host,
                      const struct viewer *viewer,
                      struct text *ret_link,
                      struct error *err)
{
    char path[PATH_MAX], number[2 * NUMBER_SIZE + 1], text[128];
    unsigned char bytes[NUMBER_SIZE];
    struct stat status;
    _cleanup_(free_ptr) char *address = NULL;
    size_t size;
    snprintf(path, sizeof(path), "%s/address", folder);
    int r =
        secret_file_read(path, SIGN_IN_LINE_SIZE, false, &address, &size, err);
    if (r < 0)
        return r;
    if (gnutls_rnd(GNUTLS_RND_KEY, bytes, sizeof(bytes)) < 0)
        return error_set(err, EIO, "no random numbers for a link");
    sign_in_hex(bytes, sizeof(bytes), number);
    link_path(folder, number, path, sizeof(path));
    int length = snprintf(text, sizeof(text), "%s %s\n",
                          sign_in_role_name(viewer->role), viewer->user);
    r = secret_file_write(path, text, (size_t)length, 0600, NULL, err);
    if (r < 0)
        return r;
    /* The dashboard may run as another user than who makes the link. */
    if (stat(folder, &status) == 0 &&
        chown(path, status.st_uid, status.st_gid) < 0 && geteuid() == 0)
        return error_errno(err, errno, "%s", path);
    add_place(ret_link, address, host);
    text_addf(ret_link, SIGN_IN_PATH "?link=%s", number);
    return 0;
}
