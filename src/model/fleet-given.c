/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose a GPU is, by Slurm's word: it gave the job the device at a place in
 * gres.conf. That the order of the files there is that of their numbers is how
 * slurmd reads "File=/dev/nvidia[0-7]" and what AutoDetect makes.
 */
#include "model/fleet-given.h"

#include "model/job-name.h"
#include "model/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool fleet_wants_given(const struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->count; i++) {
        const struct fleet_node *node = fleet->nodes[i];
        if (node->known && node->answer == FLEET_UP && !node->measured.own)
            return true;
    }
    return false;
}

static bool
add(struct fleet_node *node, uint32_t place, const char *job, const char *user)
{
    if (node->given_count == node->given_room) {
        size_t room = node->given_room ? node->given_room * 2 : 8;
        void *grown = reallocarray(node->given, room, sizeof(*node->given));
        if (!grown)
            return false;
        node->given = grown;
        node->given_room = room;
    }
    struct fleet_given *given = &node->given[node->given_count++];
    given->place = place;
    snprintf(given->job, sizeof(given->job), "%s", job);
    snprintf(given->user, sizeof(given->user), "%s", user);
    return true;
}

/* A snapshot without the records may come from before they were wanted; then
 * nothing is known, unless no job could have a GPU. */
static bool tells_all(const struct snapshot *snapshot)
{
    size_t gpus, count;
    snapshot_array(snapshot, SNAPSHOT_JOBS, 2, &gpus);
    const struct job_record *jobs =
        snapshot_array(snapshot, SNAPSHOT_JOBS, 0, &count);
    for (size_t i = 0; gpus == 0 && i < count; i++)
        if (jobs[i].gres_count > 0 &&
            job_state_base(jobs[i].state) == JOB_BASE_RUNNING)
            return false;
    return true;
}

int fleet_set_given(struct fleet *fleet, const struct snapshot *snapshot)
{
    size_t count, jobs_count;
    const struct job_gpu_record *gpus =
        snapshot_array(snapshot, SNAPSHOT_JOBS, 2, &count);
    const struct job_record *jobs =
        snapshot_array(snapshot, SNAPSHOT_JOBS, 0, &jobs_count);
    bool known = tells_all(snapshot);
    for (size_t i = 0; i < fleet->count; i++) {
        fleet->nodes[i]->given_count = 0;
        fleet->nodes[i]->given_known = known;
    }
    for (size_t i = 0; i < count; i++) {
        char name[JOB_NAME_SIZE];
        const struct job_record *job = &jobs[gpus[i].job];
        struct fleet_node *node = fleet_find(
            fleet, snapshot_text(snapshot, SNAPSHOT_JOBS, gpus[i].node));
        if (node && !add(node, gpus[i].place, job_name(job, name),
                         snapshot_text(snapshot, SNAPSHOT_JOBS, job->user)))
            return -ENOMEM;
    }
    return 0;
}

void fleet_give(const struct fleet_node *node, struct measured_node *measured)
{
    if (measured->own || !node->given_known)
        return;
    for (size_t i = 0; i < node->given_count; i++)
        if (!measured_node_give(measured, node->given[i].place,
                                node->given[i].job, node->given[i].user))
            return;
    measured_node_given(measured);
}
