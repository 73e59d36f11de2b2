/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include <stdlib.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "server/service/tokens.h"

#define TOKEN "0123456789abcdef"

static char path[] = "/tmp/cci-tokens-XXXXXX";

static void put(const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int make(void **state)
{
	int fd = mkstemp(path);

	return fd < 0 ? -1 : close(fd);
}

static int unmake(void **state)
{
	return unlink(path);
}

static void lines_are_tokens_with_notes_behind(void **state)
{
	CLEANUP(tokens_freep) struct tokens *tokens = NULL;
	char error[SERVICES_ERROR_MAX];

	put("# who may\n\n" TOKEN " alice of the lab\n  " TOKEN TOKEN "\r\n");
	assert_int_equal(tokens_read(path, &tokens, error), 0);
	assert_true(tokens_have(tokens, SLICE_LITERAL(TOKEN)));
	assert_true(tokens_have(tokens, SLICE_LITERAL(TOKEN TOKEN)));
	assert_false(tokens_have(tokens, SLICE_LITERAL("alice")));
	assert_false(tokens_have(tokens, SLICE_LITERAL("0123456789abcde")));
	assert_false(tokens_have(tokens, SLICE_LITERAL(TOKEN "0")));
	assert_false(tokens_have(tokens, SLICE_LITERAL("0123456789abcdeF")));
	assert_false(tokens_have(tokens, SLICE_NULL));
	assert_false(tokens_have(NULL, SLICE_LITERAL(TOKEN)));
}

static void wrong_lines_are_named(void **state)
{
	static const char *const cases[] = {
		TOKEN "\nshort\n",
		TOKEN "\n0123456789abcde\n",
		TOKEN "\n0123456789abcd\xc3\xa9\n",
		TOKEN "\n0123456789ab\tcdef\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tokens *tokens = NULL;
		char error[SERVICES_ERROR_MAX] = "";

		put(cases[i]);
		assert_int_equal(tokens_read(path, &tokens, error), SERVICES_REFUSED);
		assert_non_null(strstr(error, ":2: expected a token"));
		assert_null(strstr(error, "short"));
	}
}

static void missing_file_has_no_token(void **state)
{
	CLEANUP(tokens_freep) struct tokens *tokens = NULL;
	char error[SERVICES_ERROR_MAX];

	assert_int_equal(tokens_read("/nowhere/tokens", &tokens, error), 0);
	assert_false(tokens_have(tokens, SLICE_LITERAL(TOKEN)));
	assert_false(tokens_have(tokens, SLICE_NULL));
}

static void unreadable_file_is_refused(void **state)
{
	struct tokens *tokens = NULL;
	char error[SERVICES_ERROR_MAX] = "";

	assert_int_equal(tokens_read("/tmp", &tokens, error), SERVICES_REFUSED);
	assert_string_equal(error, "/tmp: Is a directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_tokens_with_notes_behind),
		cmocka_unit_test(wrong_lines_are_named),
		cmocka_unit_test(missing_file_has_no_token),
		cmocka_unit_test(unreadable_file_is_refused),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
