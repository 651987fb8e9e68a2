/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files that amdgpu has for one GPU, read into a device of a scan.
 */
#pragma once

#include "source/gpu-scan.h"

/* One line of FOLDER/NAME without its newline; the length, or -errno. */
int sysfs_read(int folder, const char *name, char *ret_text, size_t size);

/* A number in decimal digits, and what else may follow it; false: there is
 * none. */
bool sysfs_read_number(int folder, const char *name, uint64_t *ret_number);

/* What does not change: names, versions, unique_id. FOLDER is the device's. */
void gpu_amd_identify(int folder, struct gpu_device_scan *device);

/* State and readings, as of now. */
void gpu_amd_read(int folder, struct gpu_device_scan *device);
