/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every record of a snapshot as lines of text, for people. Not a view: no
 * program shows this to anybody.
 */
#pragma once

#include "model/snapshot.h"

void dump_snapshot(const struct snapshot *snapshot);
