/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * SHA-256 of what is fetched, while it is fetched. libcrypto: systemd's own library links it, so
 * that it is in every image already and costs none of its size. The kernel's AF_ALG would need
 * modules that a kernel under test need not have.
 */
#pragma once

#include <stddef.h>

#define DIGEST_TEXT_SIZE 65 /* 64 hexadecimal digits and a NUL */

struct digest;

/* Makes an empty digest. Returns 0 or -ENOMEM. */
int digest_new(struct digest **ret);
struct digest *digest_free(struct digest *digest);

/* Forgets what it was given. */
void digest_restart(struct digest *digest);

/* Takes bytes in. Returns 0, -ENOMEM, or -ELIBACC or -ELIBBAD when there is no libcrypto to use. */
int digest_update(struct digest *digest, const void *data, size_t len);

/*
 * Writes the digits, lower case; only digest_restart may follow. Returns as digest_update does.
 */
int digest_end(struct digest *digest, char text[DIGEST_TEXT_SIZE]);
