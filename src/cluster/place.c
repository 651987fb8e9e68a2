/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking around on this machine.
 */
#include "cluster/place.h"

#include "base/cleanup.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>

/* statfs(2). */
#define OVERLAY_MAGIC 0x794c7630
#define TMPFS_MAGIC 0x01021994
#define RAMFS_MAGIC 0x858458f6

#define VOLUME "/workspace" /* RunPod's, and others' after it */

void place_state_default(char *ret_path, size_t size)
{
    struct stat volume, root;
    bool mounted = stat(VOLUME, &volume) == 0 && stat("/", &root) == 0 &&
                   volume.st_dev != root.st_dev;
    snprintf(ret_path, size, "%s/gpu-watchdog", mounted ? VOLUME : "/var/lib");
}

const char *place_impermanence(const char *path)
{
    struct statfs status;
    if (statfs(path, &status) < 0)
        return "";
    /* The type is signed on some architectures. */
    switch ((unsigned long)status.f_type & 0xffffffffUL) {
    case OVERLAY_MAGIC:
        return "an overlay, which is gone with the container";
    case TMPFS_MAGIC:
    case RAMFS_MAGIC:
        return "memory, which is gone with the next restart";
    default:
        return "";
    }
}

static int
resolve(const char *name, char *ret_address, size_t size, struct error *err)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    int r = getaddrinfo(name, NULL, &hints, &found);
    if (r != 0)
        return error_set(err, EINVAL, "address \"%s\": %s", name,
                         gai_strerror(r));
    r = getnameinfo(found->ai_addr, found->ai_addrlen, ret_address,
                    (socklen_t)size, NULL, 0, NI_NUMERICHOST);
    freeaddrinfo(found);
    return r == 0 ? 0
                  : error_set(err, EINVAL, "address \"%s\": %s", name,
                              gai_strerror(r));
}

/* The source that the kernel would take for a packet to TO; none is sent. */
static int source_towards(const struct sockaddr *to,
                          socklen_t to_size,
                          char *ret_address,
                          size_t size)
{
    _cleanup_(close_fd) int fd =
        socket(to->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_storage own;
    socklen_t own_size = sizeof(own);
    if (fd < 0 || connect(fd, to, to_size) < 0 ||
        getsockname(fd, (struct sockaddr *)&own, &own_size) < 0)
        return -ENETUNREACH;
    return getnameinfo((struct sockaddr *)&own, own_size, ret_address,
                       (socklen_t)size, NULL, 0, NI_NUMERICHOST) == 0
               ? 0
               : -ENETUNREACH;
}

/* Addresses for documentation: nobody is there, and no packet goes out. */
static int address_outside(char *ret_address, size_t size)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(9)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
    inet_pton(AF_INET, "192.0.2.1", &v4.sin_addr);
    inet_pton(AF_INET6, "2001:db8::1", &v6.sin6_addr);
    int r =
        source_towards((struct sockaddr *)&v4, sizeof(v4), ret_address, size);
    if (r < 0)
        r = source_towards((struct sockaddr *)&v6, sizeof(v6), ret_address,
                           size);
    return r;
}

static int address_of_pod(char *ret_address, size_t size)
{
    char name[128];
    const char *pod = getenv("RUNPOD_POD_ID");
    if (!pod || !*pod)
        return -ENOENT;
    snprintf(name, sizeof(name), "%.80s.runpod.internal", pod);
    return resolve(name, ret_address, size, NULL);
}

/* On a network without a way out: the first address that is not loopback. */
static int address_of_interface(char *ret_address, size_t size)
{
    struct ifaddrs *list;
    int r = -ENOENT;
    if (getifaddrs(&list) < 0)
        return -errno;
    for (const struct ifaddrs *i = list; i && r < 0; i = i->ifa_next) {
        if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET ||
            i->ifa_flags & IFF_LOOPBACK)
            continue;
        if (getnameinfo(i->ifa_addr, sizeof(struct sockaddr_in), ret_address,
                        (socklen_t)size, NULL, 0, NI_NUMERICHOST) == 0)
            r = 0;
    }
    freeifaddrs(list);
    return r;
}

int place_address(const char *wish,
                  char *ret_address,
                  size_t size,
                  struct error *err)
{
    if (*wish)
        return resolve(wish, ret_address, size, err);
    if (address_of_pod(ret_address, size) == 0 ||
        address_outside(ret_address, size) == 0 ||
        address_of_interface(ret_address, size) == 0)
        return 0;
    return error_set(err, EINVAL,
                     "this machine has no address but loopback; name the one "
                     "that workers can reach with --address");
}

void place_host(char *ret_host, size_t size)
{
    char host[HOST_NAME_MAX + 1] = "";
    gethostname(host, sizeof(host) - 1);
    host[strcspn(host, ".")] = '\0';
    for (char *at = host; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    snprintf(ret_host, size, "%s", host);
}

int place_make(const char *path, unsigned int mode, struct error *err)
{
    char part[PATH_MAX];
    size_t length = strlen(path);
    if (length >= sizeof(part))
        return error_set(err, ENAMETOOLONG, "%s: too long a path", path);
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        unsigned int wish = path[i] ? 0755 : mode;
        if (mkdir(part, wish) < 0) {
            if (errno != EEXIST)
                return error_errno(err, errno, "making %s", part);
        } else if (chmod(part, wish) < 0) {
            return error_errno(err, errno, "making %s", part);
        }
    }
    return 0;
}
