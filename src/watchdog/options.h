/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What options.c (the table) and options-values.c (what may stand behind an
 * option) share.
 */
#pragma once

#include "watchdog/settings.h"

int option_check_address(const char *text, struct error *err);
int option_check_name(const char *text, struct error *err);
int option_check_partition(const char *text, struct error *err);
int option_check_pattern(const char *text, struct error *err);
int option_check_url(const char *text, struct error *err);

/* Each ends with NULL. */
extern const char *const option_log_format_words[];
extern const char *const option_log_level_words[];
extern const char *const option_auth_words[];
extern const char *const option_role_words[];
