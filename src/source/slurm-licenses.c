/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Licences that the controller hands out with jobs. */
#include "source/slurm-parts.h"

int slurm_licenses_convert(struct slurm_request *request,
                           const license_info_msg_t *message,
                           struct error *err)
{
    struct snapshot_builder *b = request->builder;
    void *records;
    int r = snapshot_builder_begin(b, SNAPSHOT_LICENSES, message->num_lic,
                                   &records, err);
    if (r < 0)
        return r;
    struct license_record *record = records;
    for (uint32_t i = 0; i < message->num_lic; i++) {
        const slurm_license_info_t *license = &message->lic_array[i];
        record[i] = (struct license_record){
            .name = snapshot_builder_string(b, 0, license->name),
            .remote = license->remote ? 1 : 0,
            .total = license->total,
            .used = license->in_use,
            .available = license->available,
            .reserved = license->reserved,
        };
    }
    r = snapshot_builder_end(b, message->num_lic, err);
    if (r == 0)
        snapshot_builder_part(b, SNAPSHOT_LICENSES)->updated_s =
            message->last_update;
    return r;
}

int slurm_licenses_load(struct slurm_request *request, struct error *err)
{
    license_info_msg_t *message = NULL;
    int r = slurm_call_result(
        slurm_load_licenses(request->known_s, &message, SHOW_ALL));
    if (r != 0)
        return r;
    r = slurm_licenses_convert(request, message, err);
    slurm_free_license_info_msg(message);
    return r;
}
