/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slurm-files DIRECTORY STATE MUNGE-SOCKET | auth/slurm [GPU-FILE...]
 *
 * Writes Slurm's files for the machine it runs on into DIRECTORY, as a head
 * would, for the version that "slurmd -V" tells on standard input, and prints
 * what slurmd --conf needs. GPU-FILEs stand for H100s at those files in place
 * of what the machine has.
 */
#include "cluster/slurm-files.h"
#include "base/cleanup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fail(const struct error *err)
{
    fprintf(stderr, "slurm-files: %s\n", err->text);
    return 1;
}

static int pretend_gpus(char **files, struct inventory *inventory)
{
    struct gpu_device *devices = calloc(16, sizeof(*devices));
    size_t count = 0;
    for (; devices && files[count] && count < 16; count++) {
        snprintf(devices[count].type, sizeof(devices[count].type), "h100");
        snprintf(devices[count].file, sizeof(devices[count].file), "%s",
                 files[count]);
    }
    gpu_inventory_deinit(&inventory->gpus);
    inventory->gpus.devices = devices;
    inventory->gpus.count = count;
    return devices ? 0 : -ENOMEM;
}

static int write_files(const char *directory,
                       const struct slurm_cluster *cluster,
                       const struct inventory *inventory,
                       struct error *err)
{
    _cleanup_(text_deinit) struct text slurm = TEXT_INIT, cgroup = TEXT_INIT,
                                       gres = TEXT_INIT;
    int r = slurm_files_check_cluster(cluster, err);
    if (r < 0)
        return r;
    slurm_files_slurm_conf(cluster, &slurm);
    slurm_files_cgroup_conf(cluster, &cgroup);
    slurm_files_gres_conf(inventory, &gres);
    return slurm_files_write(directory,
                             &(struct slurm_files){
                                 .slurm_conf = text_str(&slurm),
                                 .cgroup_conf = text_str(&cgroup),
                                 .gres_conf = text_str(&gres),
                             },
                             err);
}

int main(int argc, char **argv)
{
    char host[64] = "", line[128] = "";
    struct error err = {0};
    _cleanup_(inventory_deinit) struct inventory inventory = {0};
    _cleanup_(text_deinit) struct text node = TEXT_INIT;
    if (argc < 4) {
        fprintf(stderr, "usage: see the head of %s.c\n", argv[0]);
        return 2;
    }
    gethostname(host, sizeof(host) - 1);
    struct slurm_cluster cluster = {
        .name = "test",
        .head_host = host,
        .head_address = "127.0.0.1",
        .slurm_user = "slurm",
        .state = argv[2],
        .munge_socket = argv[3],
        .partition = "all",
        .nodes_max = 64,
        .auth_slurm = strcmp(argv[3], "auth/slurm") == 0,
        .memory_per_cpu_mb = 64,
    };
    if (!fgets(line, sizeof(line), stdin) ||
        slurm_version_parse(line, &cluster.version, &err) < 0 ||
        inventory_take("", &inventory, &err) < 0 ||
        (argv[4] && pretend_gpus(argv + 4, &inventory) < 0) ||
        write_files(argv[1], &cluster, &inventory, &err) < 0)
        return fail(&err);
    slurm_files_node_conf(&inventory, cluster.version, &node);
    puts(text_str(&node));
    return 0;
}
