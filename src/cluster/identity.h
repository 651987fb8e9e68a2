/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The key pair by which a head or a worker is known to the other side, and the
 * pin by which the other side knows it: the SHA-256 of the public key (SPKI,
 * DER), as HPKP and kubeadm pin. ECDSA on P-256 with a self-signed certificate
 * that says nothing and is checked by nobody, which TLS wants to see.
 */
#pragma once

#include "base/error.h"

#include <gnutls/gnutls.h>
#include <stdint.h>

enum {
    PIN_SIZE = 32
};

struct pin {
    uint8_t bytes[PIN_SIZE];
};

struct identity {
    gnutls_certificate_credentials_t credentials; /* owned */
    struct pin pin;
};

/* Read the key pair from the file PATH, or make it there (0600, with its
 * folder 0700) when it is missing. A file that others may read is refused. */
int identity_load(const char *path,
                  struct identity **ret_identity,
                  struct error *err);

static inline const struct pin *identity_pin(const struct identity *identity)
{
    return &identity->pin;
}

/* Accepts NULL; returns NULL. */
struct identity *identity_free(struct identity *identity);

/* The pin of what the other side of SESSION has shown; -EACCES when it has
 * shown no certificate. */
int identity_of_peer(gnutls_session_t session,
                     struct pin *ret_pin,
                     struct error *err);

/* As lower-case hexadecimal, 64 letters and a zero. */
void pin_format(const struct pin *pin, char ret_text[PIN_SIZE * 2 + 1]);
int pin_parse(const char *text, struct pin *ret_pin);
