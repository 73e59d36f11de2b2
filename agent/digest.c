/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "agent/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/fd.h"

struct digest {
	EVP_MD_CTX *context;
	uint64_t size;
};

struct digest *digest_new(void)
{
	struct digest *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->context = EVP_MD_CTX_new();
	if (!d->context || EVP_DigestInit_ex(d->context, EVP_sha256(), NULL) != 1) {
		digest_free(d);
		return NULL;
	}
	return d;
}

void digest_free(struct digest *d)
{
	if (!d)
		return;
	EVP_MD_CTX_free(d->context);
	free(d);
}

int digest_advance(struct digest *d, int fd, uint64_t end, uint64_t max)
{
	char chunk[65536];

	while (max > 0 && d->size < end) {
		uint64_t left = MIN(max, end - d->size);
		size_t want = (size_t)MIN(left, (uint64_t)sizeof(chunk));
		ssize_t n = fd_pread_all(fd, chunk, want, (off_t)d->size);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return 0;
		if (EVP_DigestUpdate(d->context, chunk, (size_t)n) != 1)
			return -ENOMEM;
		d->size += (uint64_t)n;
		max -= (uint64_t)n;
	}
	return d->size < end;
}

uint64_t digest_size(const struct digest *d)
{
	return d->size;
}

void digest_finish(struct digest *d, char to[65])
{
	uint8_t sum[EVP_MAX_MD_SIZE] = { 0 };

	(void)EVP_DigestFinal_ex(d->context, sum, NULL);
	text_hex(to, sum, 32);
}
