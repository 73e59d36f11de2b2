/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * libcrypto is opened by name, and only when the first byte is to be hashed: linked, its
 * relocations would cost each of cci-init's services five million instructions, and most boots give
 * no sha256.
 */
#include "initramfs/digest.h"

#include <dlfcn.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"

/* dracut-module/90cci looks for this name in cci-init, to pack what it means. */
#define LIBRARY "libcrypto.so." OPENSSL_MSTR(OPENSSL_SHLIB_VERSION)

struct digest {
	bool is_begun;
	EVP_MD_CTX *context;
	void *library;
	__typeof__(EVP_MD_CTX_new) *context_new;
	__typeof__(EVP_MD_CTX_free) *context_free;
	__typeof__(EVP_sha256) *sha256;
	__typeof__(EVP_DigestInit_ex) *init;
	__typeof__(EVP_DigestUpdate) *update;
	__typeof__(EVP_DigestFinal_ex) *final;
};

int digest_new(struct digest **ret)
{
	struct digest *digest = calloc(1, sizeof(*digest));

	if (!digest)
		return -ENOMEM;
	*ret = digest;
	return 0;
}

struct digest *digest_free(struct digest *digest)
{
	if (digest) {
		if (digest->context)
			digest->context_free(digest->context);
		if (digest->library)
			(void)dlclose(digest->library); /* nothing of it is used any more */
		free(digest);
	}
	return NULL;
}

static int open_library(struct digest *digest)
{
	const struct {
		const char *name;
		void **function;
	} functions[] = {
		{ "EVP_MD_CTX_new", (void **)&digest->context_new },
		{ "EVP_MD_CTX_free", (void **)&digest->context_free },
		{ "EVP_sha256", (void **)&digest->sha256 },
		{ "EVP_DigestInit_ex", (void **)&digest->init },
		{ "EVP_DigestUpdate", (void **)&digest->update },
		{ "EVP_DigestFinal_ex", (void **)&digest->final },
	};

	digest->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!digest->library)
		return -ELIBACC;
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		*functions[i].function = dlsym(digest->library, functions[i].name);
		if (!*functions[i].function)
			return -ELIBBAD;
	}
	digest->context = digest->context_new();
	return digest->context ? 0 : -ENOMEM;
}

/* With sha256 and these arguments only memory can be missing. */
static int begin(struct digest *digest)
{
	int r = digest->context ? 0 : open_library(digest);

	if (r < 0)
		return r;
	if (digest->init(digest->context, digest->sha256(), NULL) != 1)
		return -ENOMEM;
	digest->is_begun = true;
	return 0;
}

void digest_restart(struct digest *digest)
{
	digest->is_begun = false;
}

int digest_update(struct digest *digest, const void *data, size_t len)
{
	int r = digest->is_begun ? 0 : begin(digest);

	if (r < 0)
		return r;
	return digest->update(digest->context, data, len) == 1 ? 0 : -ENOMEM;
}

int digest_end(struct digest *digest, char text[DIGEST_TEXT_SIZE])
{
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned len;
	int r = digest->is_begun ? 0 : begin(digest);

	if (r < 0)
		return r;
	if (digest->final(digest->context, raw, &len) != 1 || len != 32)
		return -ENOMEM;
	text_hex(text, raw, len);
	return 0;
}
