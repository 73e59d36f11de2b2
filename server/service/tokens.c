/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/service/tokens.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buffer.h"
#include "lib/base/text.h"
#include "lib/sys/file.h"

#define TOKENS_FILE_MAX ((size_t)1 << 20)

struct tokens {
	struct buffer text; /* of the file; the slices lie in it */
	struct slice *members;
	size_t n;
};

void tokens_free(struct tokens *tokens)
{
	if (!tokens)
		return;
	buffer_deinit(&tokens->text);
	free(tokens->members);
	free(tokens);
}

static bool is_good(struct slice token)
{
	for (size_t i = 0; i < token.len; i++)
		if (token.data[i] <= ' ' || token.data[i] >= 0x7f)
			return false;
	return token.len >= TOKEN_MIN_LEN && token.len <= TOKEN_MAX_LEN;
}

static int take(struct tokens *tokens, struct slice token)
{
	struct slice *more = realloc(tokens->members, (tokens->n + 1) * sizeof(*tokens->members));

	if (!more)
		return -ENOMEM;
	tokens->members = more;
	tokens->members[tokens->n++] = token;
	return 0;
}

static int parse(struct tokens *tokens, const char *path, char error[SERVICES_ERROR_MAX])
{
	struct slice rest = buffer_slice(&tokens->text);

	for (unsigned line = 1; rest.len > 0; line++) {
		struct slice text = text_trim(slice_cut(&rest, '\n'));
		struct slice token = slice_cut(&text, ' ');
		int r;

		if (token.len == 0 || token.data[0] == '#')
			continue;
		if (!is_good(token)) {
			(void)snprintf(error, SERVICES_ERROR_MAX,
			               "%.300s:%u: expected a token of %d to %d printable "
			               "characters",
			               path, line, TOKEN_MIN_LEN, TOKEN_MAX_LEN);
			return SERVICES_REFUSED;
		}
		r = take(tokens, token);
		if (r < 0)
			return r;
	}
	return 0;
}

int tokens_read(const char *path, struct tokens **ret, char error[SERVICES_ERROR_MAX])
{
	CLEANUP(tokens_freep) struct tokens *tokens = calloc(1, sizeof(*tokens));
	int r;

	if (!tokens)
		return -ENOMEM;
	r = file_read_all(AT_FDCWD, path, TOKENS_FILE_MAX, &tokens->text);
	if (r == -ENOMEM)
		return r;
	if (r < 0 && r != -ENOENT) {
		(void)snprintf(error, SERVICES_ERROR_MAX, "%.300s: %s", path, strerror(-r));
		return SERVICES_REFUSED;
	}
	if (r == 0)
		r = parse(tokens, path, error);
	if (r > 0 || r == -ENOMEM)
		return r;
	*ret = steal_ptr(&tokens);
	return 0;
}

/* Looks at every byte of both, wherever they differ. */
static bool is_same(struct slice a, struct slice b)
{
	size_t len = MIN(a.len, b.len);
	unsigned difference = a.len != b.len;

	for (size_t i = 0; i < len; i++)
		difference |= (unsigned)(a.data[i] ^ b.data[i]);
	return difference == 0;
}

bool tokens_have(const struct tokens *tokens, struct slice token)
{
	bool found = false;

	for (size_t i = 0; tokens && token.len > 0 && i < tokens->n; i++)
		found |= is_same(tokens->members[i], token);
	return found;
}
