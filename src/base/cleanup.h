/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ownership of locals: a local that owns something names its release, and
 * take_ptr() or take_fd() hands it over at the end. This removes the "goto
 * out" ladder; nothing else is hidden in macros.
 */
#pragma once

#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(release) __attribute__((cleanup(release)))

/* Return the pointer in P and leave NULL behind: the caller now owns it. */
#define take_ptr(p)                                                            \
    ({                                                                         \
        typeof(p) taken_ = (p);                                                \
        (p) = NULL;                                                            \
        taken_;                                                                \
    })

/* Return the descriptor in FD and leave -1 behind. */
#define take_fd(fd)                                                            \
    ({                                                                         \
        int taken_ = (fd);                                                     \
        (fd) = -1;                                                             \
        taken_;                                                                \
    })

#define array_size(a) (sizeof(a) / sizeof((a)[0]))

static inline void free_ptr(void *p)
{
    free(*(void **)p);
}

static inline void close_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
