/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/alloc_fail.h"
#include "tests/support/test.h"

#include "lib/base/buffer.h"
#include "lib/base/macro.h"
#include "lib/doc/document.h"

static int parse(const void *arg)
{
	struct document_error error;
	struct document *doc = NULL;
	int r;

	r = document_parse(slice_from_text(arg), &doc, &error);
	document_free(doc);
	return r;
}

static void every_failure_while_parsing_is_told(void **state)
{
	static const char *const texts[] = {
		("suite: hello\nlist: [a, 'b', 1, true, ~, ::1]\nm: {a: {b: [c: d]}}\n"
		 "script: |\n  uname\n  echo\n"),
		"{\"a\": [1, \"two\", {\"b\": null}], \"c\": 1.5}",
		"a: [1, 2\n",
		"a: 1\na: 2\n",
		"[[[[",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_true(alloc_fail_each(parse, texts[i]) > 3);
}

static int write(const void *arg)
{
	struct buffer out = BUFFER_NULL;
	int r;

	document_write_yaml(&out, document_root(arg));
	r = buffer_error(&out);
	buffer_deinit(&out);
	return r;
}

static void every_failure_while_writing_is_told(void **state)
{
	char text[4096] = "[", *end = text + 1;
	struct document_error error;
	struct document *doc;

	for (unsigned i = 0; i < 200; i++)
		end += sprintf(end, "\"text %u\",", i);
	(void)strcpy(end, "1]");
	assert_int_equal(document_parse(slice_from_text(text), &doc, &error), 0);
	assert_true(alloc_fail_each(write, doc) > 1);
	document_free(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_failure_while_parsing_is_told),
		cmocka_unit_test(every_failure_while_writing_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
