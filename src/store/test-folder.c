/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/test-store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

char store_test_folder[64];
char store_test_told[512];

static void on_told(void *context, const char *text)
{
    (void)context;
    snprintf(store_test_told, sizeof(store_test_told), "%s", text);
}

static struct store_settings settings_of_test(void)
{
    struct store_settings settings = store_settings_default;
    settings.folder = store_test_folder;
    settings.told = on_told;
    return settings;
}

struct store *store_test_open(void)
{
    const struct store_settings settings = settings_of_test();
    struct store *store;
    struct error err;
    if (store_new(&settings, &store, &err) < 0)
        fail_msg("%s", err.text);
    return store;
}

int store_test_set_up(void **state)
{
    (void)state;
    strcpy(store_test_folder, "/tmp/test-store-XXXXXX");
    store_test_told[0] = '\0';
    return mkdtemp(store_test_folder) ? 0 : -1;
}

int store_test_tear_down(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", store_test_folder);
    return system(command);
}
