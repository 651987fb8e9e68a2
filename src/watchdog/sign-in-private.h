/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by sign-in.c (who asks) and sign-in-link.c (links). */
#pragma once

#include "watchdog/sign-in.h"

#define SIGN_IN_PATH "/sign-in"

enum {
    SIGN_IN_HASH_SIZE = 32,
    SIGN_IN_HEX_SIZE = 2 * SIGN_IN_HASH_SIZE + 1,
    SIGN_IN_LINE_SIZE = 256 /* of a session, an address, a link's file */
};

const char *sign_in_role_name(enum sign_in_role role);
bool sign_in_role_read(const char *name, enum sign_in_role *ret_role);

/* RET_TEXT has 2 * SIZE + 1 bytes. */
void sign_in_hex(const unsigned char *bytes, size_t size, char *ret_text);

/* Whom the link NUMBER of FOLDER is for. Only one of several who come with it
 * at once removes its file, and gets in. */
bool sign_in_use_link(const char *folder,
                      const char *number,
                      struct viewer *ret_viewer);
