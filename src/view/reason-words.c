/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a job waits, in words for its owner: what it means, and what helps. The
 * reasons are those of squeue(1); one that begins with a known beginning is
 * explained by that (QOS and association limits come in dozens).
 */
#include "base/cleanup.h"
#include "view/records.h"

struct words {
    const char *reason;
    const char *text;
    bool beginning; /* of a family of reasons */
};

static const struct words table[] = {
    {"Resources",
     "It is next in line, and waits until enough nodes, CPUs, memory or GPUs "
     "are free.",
     false},
    {"Priority",
     "Other jobs of the partition have a higher priority and wait before it.",
     false},
    {"Dependency", "It waits for another job to end.", false},
    {"DependencyNeverSatisfied",
     "The job that it waits for ended in another way than it asks for. It will "
     "never start: cancel it.",
     false},
    {"BeginTime", "It was asked to start at a later time.", false},
    {"JobHeldUser",
     "It is held by its user; \"scontrol release\" lets it go on.", false},
    {"JobHeldAdmin",
     "It is held by an administrator, who alone can let it go on.", false},
    {"JobArrayTaskLimit",
     "So many tasks of its array run already as its user allowed (the % in "
     "--array).",
     false},
    {"ReqNodeNotAvail",
     "A node that it needs is down, drained or reserved for others.", true},
    {"NodeDown", "A node that it asks for is down.", false},
    {"Reservation", "It waits for its reservation to begin.", false},
    {"ReservationDeleted",
     "The reservation that it asks for is gone. Cancel it, or give it another "
     "one.",
     false},
    {"Licenses", "It waits for a licence that others have now.", false},
    {"PartitionDown", "The partition is down.", false},
    {"PartitionInactive", "The partition is inactive.", false},
    {"PartitionNodeLimit",
     "It asks for more nodes than the partition has or allows. It will not "
     "start as it is.",
     false},
    {"PartitionTimeLimit",
     "It asks for more time than the partition allows. It will not start as "
     "it is: ask for less.",
     false},
    {"PartitionConfig",
     "It asks for something that the partition does not have.", false},
    {"BadConstraints",
     "No node has what it asks for. It will not start as it is.", false},
    {"InvalidAccount", "Its account is not valid here.", false},
    {"InvalidQOS", "Its QOS is not valid here.", false},
    {"AccountNotAllowed", "Its account may not use this partition.", false},
    {"QOSNotAllowed", "Its QOS may not be used here.", false},
    {"QOSMax",
     "Its QOS allows one user or job no more at once. It starts when others "
     "of that user end, or never if it alone asks for more.",
     true},
    {"QOSGrp", "Jobs of its QOS together hold all that they may.", true},
    {"QOSMin", "It asks for less than its QOS demands.", true},
    {"AssocGrp", "Jobs of its account or user together hold all that they may.",
     true},
    {"AssocMax",
     "Its account or user may have no more at once, or the job alone asks for "
     "too much.",
     true},
    {"MaxGRESPerAccount", "Its account holds all the GPUs that it may.", false},
    {"Cleaning", "The run before is being cleaned up; then it starts again.",
     false},
    {"Prolog", "The preparation on its nodes is running.", false},
    {"launch failed requeued held",
     "Its launch failed, and it is held. Ask an administrator.", false},
    {"None", "The scheduler has not looked at it yet.", false},
};

const char *reason_words(const char *reason)
{
    for (size_t i = 0; i < array_size(table); i++) {
        const struct words *words = &table[i];
        if (words->beginning
                ? strncmp(reason, words->reason, strlen(words->reason)) == 0
                : strcmp(reason, words->reason) == 0)
            return words->text;
    }
    return "";
}
