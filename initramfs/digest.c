/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"

struct digest {
	EVP_MD_CTX *context;
};

int digest_new(struct digest **ret)
{
	struct digest *digest = calloc(1, sizeof(*digest));

	if (!digest)
		return -ENOMEM;
	digest->context = EVP_MD_CTX_new();
	if (!digest->context || digest_restart(digest) < 0) {
		digest_free(digest);
		return -ENOMEM;
	}
	*ret = digest;
	return 0;
}

struct digest *digest_free(struct digest *digest)
{
	if (digest) {
		EVP_MD_CTX_free(digest->context);
		free(digest);
	}
	return NULL;
}

/* With sha256 and these arguments only memory can be missing. */
int digest_restart(struct digest *digest)
{
	return EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;
}

int digest_update(struct digest *digest, const void *data, size_t len)
{
	return EVP_DigestUpdate(digest->context, data, len) == 1 ? 0 : -ENOMEM;
}

int digest_end(struct digest *digest, char text[DIGEST_TEXT_SIZE])
{
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned len;

	if (EVP_DigestFinal_ex(digest->context, raw, &len) != 1 || len != 32)
		return -ENOMEM;
	text_hex(text, raw, len);
	return 0;
}
