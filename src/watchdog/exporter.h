/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watching Slurm and serving its metrics: "gpu-watchdog exporter", and the
 * ground that "gpu-watchdog serve" stands on, which shows the same in more
 * ways.
 */
#pragma once

#include "source/collector.h"
#include "watchdog/settings.h"
#include "watchdog/watch.h"

/* What is shown beside the metrics; every member may be NULL. */
struct exporter_guest {
    /* Open what is served; as root still, if we are. */
    int (*open)(void *context,
                struct loop *loop,
                struct watch *watch,
                struct error *err);
    /* Everything runs; COLLECTOR is NULL for a recording. */
    void (*started)(void *context, struct collector *collector);
    void (*published)(void *context); /* the watch has a new snapshot */
    void (*reload)(void *context);
    void (*close)(void *context); /* also after open() failed */
};

/* Run until a signal ends it; the exit code. GUEST may be NULL. */
int exporter_run(const struct settings *settings,
                 const struct exporter_guest *guest,
                 void *context);
