/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of readings, from the list in gpu-reading.h.
 */
#include "model/gpu-reading.h"

enum {
    IS_GAUGE = false,
    IS_COUNTER = true
};

const struct gpu_reading_info gpu_readings[GPU_READING_COUNT] = {
#define GPU_READING_ROW(id_, group_, kind_, type_, name_, new_name_, help_)    \
    [GPU_##id_] = {.name = (name_),                                            \
                   .new_name = (new_name_),                                    \
                   .help = (help_),                                            \
                   .group = GPU_GROUP_##group_,                                \
                   .kind = GPU_##kind_,                                        \
                   .counter = IS_##type_},
    GPU_READINGS(GPU_READING_ROW)
#undef GPU_READING_ROW
};
