/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables of /proc/net. The columns are those of proc(5) and of the kernel's
 * net/ipv4/tcp_ipv4.c and net/unix/af_unix.c; they have not changed since 2.2.
 */
#include "cluster/listening.h"

#include "base/cleanup.h"

#include <stdio.h>
#include <string.h>

enum {
    TCP_STATE_LISTEN = 0x0a,
    UNIX_FLAG_ACCEPTS = 0x10000
};

static void close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

static bool table_has_port(const char *path, uint16_t port)
{
    _cleanup_(close_file) FILE *table = fopen(path, "re");
    char line[512];
    while (table && fgets(line, sizeof(line), table)) {
        unsigned int local, state;
        /* "0: 0100007F:1A2B 00000000:0000 0A ..." */
        if (sscanf(line, " %*d: %*[0-9A-F]:%4x %*[0-9A-F]:%*4x %2x", &local,
                   &state) == 2 &&
            local == port && state == TCP_STATE_LISTEN)
            return true;
    }
    return false;
}

bool listening_tcp(uint16_t port)
{
    return table_has_port("/proc/net/tcp", port) ||
           table_has_port("/proc/net/tcp6", port);
}

bool listening_unix(const char *path)
{
    _cleanup_(close_file) FILE *table = fopen("/proc/net/unix", "re");
    char line[512], name[256];
    while (table && fgets(line, sizeof(line), table)) {
        unsigned int flags;
        /* "ffff8880: 00000002 00000000 00010000 0001 01 20017 /run/socket" */
        if (sscanf(line, "%*x: %*x %*x %x %*x %*x %*u %255[^\n]", &flags,
                   name) == 2 &&
            (flags & UNIX_FLAG_ACCEPTS) && strcmp(name, path) == 0)
            return true;
    }
    return false;
}
