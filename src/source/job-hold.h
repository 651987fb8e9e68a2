/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files in which prologs write down who was given which GPU: our own
 * (deploy/slurm/), those of dcgm-exporter's HPC mapping, those of jobstats. A
 * folder that is missing has nothing to say; what is no such file is passed
 * over.
 */
#pragma once

#include "source/gpu-claim.h"
#include "source/job-process-file.h"

/* False: the folder is there and we may not read it. */
bool job_hold_hooks(const char *folder,
                    struct job_file *file,
                    const struct gpu_scan *scan,
                    const struct gpu_numbering *numbering,
                    struct claim_book *book);
bool job_hold_mapping(const char *folder,
                      struct job_file *file,
                      const struct gpu_scan *scan,
                      struct claim_book *book);
bool job_hold_gpustat(const char *folder,
                      struct job_file *file,
                      const struct gpu_scan *scan,
                      struct claim_book *book);
