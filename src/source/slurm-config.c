/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding the configuration in libslurm's own order: SLURM_CONF, the path that
 * this libslurm was built with, that of configless nodes, SLURM_CONF_SERVER,
 * and the domain's SRV record.
 *
 * The path of the build is no part of libslurm's interface, and differs
 * wherever Slurm was not packaged by a distribution; it is looked up among the
 * constants of the library that is loaded.
 */
#include "source/slurm-config.h"

#include <arpa/nameser.h>
#include <link.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef p_type /* resolv.h's; also the name of an ELF field */

static const char configless_path[] = "/run/slurm/conf/slurm.conf";
static const char fallback_path[] = "/etc/slurm/slurm.conf";

/* Copy the string around the name found at AT inside [START, END) to PATH when
 * it is a whole absolute path other than the configless one. */
static bool take_path(
    const char *start, const char *at, const char *end, char *path, size_t size)
{
    const char *first = at;
    while (first > start && first[-1] != '\0')
        first--;
    size_t length = strnlen(first, (size_t)(end - first));
    if (first[0] != '/' || length >= size || first + length >= end)
        return false;
    memcpy(path, first, length + 1);
    return strcmp(path, configless_path) != 0;
}

/* Look through the constants of libslurm; 1 ends the walk. */
static int
look_in_library(struct dl_phdr_info *info, size_t size, void *context)
{
    struct slurm_config *config = context;
    static const char name[] = "/slurm.conf";
    (void)size;
    if (!info->dlpi_name || !strstr(info->dlpi_name, "libslurm"))
        return 0;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type != PT_LOAD ||
            (header->p_flags & (PF_R | PF_W)) != PF_R)
            continue;
        /* The loader's own word for where the segment is. */
        const char *start = (const char *)(info->dlpi_addr + header->p_vaddr);
        const char *end = start + header->p_filesz;
        for (const char *at = start;
             (at = memmem(at, (size_t)(end - at), name, sizeof(name))); at++)
            if (take_path(start, at, end, config->path, sizeof(config->path)))
                return 1;
    }
    return 0;
}

static bool exists(struct slurm_config *config, const char *path)
{
    if (stat(path, &config->stamp) < 0)
        return false;
    if (path != config->path)
        snprintf(config->path, sizeof(config->path), "%s", path);
    return true;
}

/* True when the domain names a controller to fetch the configuration from. */
static bool domain_has_controller(void)
{
    unsigned char answer[1024];
    if (res_init() < 0)
        return false;
    /* libslurm will ask again, with more patience. */
    _res.retrans = 1;
    _res.retry = 1;
    bool found = res_search("_slurmctld._tcp", ns_c_in, ns_t_srv, answer,
                            sizeof(answer)) > 0;
    res_close();
    return found;
}

int slurm_config_find(struct slurm_config *ret_config, struct error *err)
{
    struct slurm_config *config = ret_config;
    *config = (struct slurm_config){.path = ""};

    const char *path = getenv("SLURM_CONF");
    if (path && path[0]) {
        if (exists(config, path))
            return 0;
        return error_errno(err, errno,
                           "SLURM_CONF names %s: set it to the cluster's "
                           "slurm.conf, or unset it",
                           path);
    }
    if (!dl_iterate_phdr(look_in_library, config))
        snprintf(config->path, sizeof(config->path), "%s", fallback_path);
    char built_in[sizeof(config->path)];
    memcpy(built_in, config->path, sizeof(built_in));
    if (exists(config, config->path) || exists(config, configless_path))
        return 0;
    config->path[0] = '\0';
    if (getenv("SLURM_CONF_SERVER") || domain_has_controller())
        return 0;
    return error_set(err, ENOENT,
                     "no Slurm configuration: %.200s is missing: copy it from "
                     "the controller, or set SLURM_CONF to where it is",
                     built_in);
}

bool slurm_config_changed(const struct slurm_config *config)
{
    struct stat now;
    const struct stat *then = &config->stamp;
    if (!config->path[0] || stat(config->path, &now) < 0)
        return false;
    return now.st_dev != then->st_dev || now.st_ino != then->st_ino ||
           now.st_size != then->st_size ||
           now.st_mtim.tv_sec != then->st_mtim.tv_sec ||
           now.st_mtim.tv_nsec != then->st_mtim.tv_nsec;
}
