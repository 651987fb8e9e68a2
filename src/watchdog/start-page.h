/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The exporter's start page: what is served where, for a person who opened the
 * address in a browser.
 */
#pragma once

#include "base/text.h"
#include "watchdog/watch.h"

void start_page_print(struct text *out,
                      const struct watch *watch,
                      uint32_t families);
