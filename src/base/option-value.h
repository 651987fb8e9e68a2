/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One value of an option: text to field and back. Texts are strict: no white
 * space, no sign, every duration with its unit, nothing behind the number.
 * Error texts name the value, not the option; the caller puts that in front.
 */
#pragma once

#include "base/option.h"
#include "base/text.h"

/* The field of ROW in VALUES. */
void *option_value_field(const struct option_row *row, const void *values);

/* Set ROW's field in VALUES to TEXT, or leave it as it was. A list grows by
 * TEXT's items; "" adds none. -EINVAL, or -ENOMEM. */
int option_value_parse(const struct option_row *row,
                       void *values,
                       const char *text,
                       struct error *err);

/* Free what the field owns and zero it. */
void option_value_clear(const struct option_row *row, void *values);

/* Append the field as option_value_parse() takes it. */
void option_value_format(const struct option_row *row,
                         const void *values,
                         struct text *out);

/* Append a number of the row's type, such as its min, the same way. */
void option_number_format(const struct option_row *row,
                          int64_t number,
                          struct text *out);

/* Both fields of ROW hold the same. */
bool option_value_equal(const struct option_row *row,
                        const void *values,
                        const void *other_values);
