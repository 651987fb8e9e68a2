/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A store in a folder of its own for each test. */
#pragma once

#include "store/store.h"

#define START_S INT64_C(1800000000)

extern char store_test_folder[64];
extern char store_test_told[512]; /* the last that was set aside; "" */

int store_test_set_up(void **state);
int store_test_tear_down(void **state);

/* With the usual settings; the test fails when it cannot be had. */
struct store *store_test_open(void);

#define STORE_TEST(function)                                                   \
    cmocka_unit_test_setup_teardown(function, store_test_set_up,               \
                                    store_test_tear_down)
