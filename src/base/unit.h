/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers as people write them, with units. Reading is strict: no white space,
 * no sign, nothing behind the number. What is written reads back the same.
 */
#pragma once

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* Digits and nothing else. */
bool number_parse(const char *text, uint64_t *ret_number);

/* A time: "15s", "500ms", "1h30m", with the units d, h, m, s, ms, us, ns, the
 * longest first; "0" needs none. -EINVAL with ERR set. */
int duration_parse(const char *text, int64_t *ret_ns, struct error *err);
void duration_format(int64_t ns, struct text *out);

/* Bytes: "512", "64k", "10MiB"; k, M, G, T, P and E are powers of 1024.
 * -EINVAL with ERR set. */
int size_parse(const char *text, uint64_t *ret_bytes, struct error *err);
void size_format(uint64_t bytes, struct text *out);
