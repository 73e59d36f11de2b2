/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/buffer.h"
#include "lib/base/macro.h"
#include "lib/doc/document.h"

static void yaml_becomes_a_tree_with_places(void **state)
{
	static const char text[] = "suite: hello\n"
				   "os_version: 20.10   # a version, not a number\n"
				   "runtime: 60\n"
				   "list: [a, '1', true, ~]\n"
				   "script: |\n"
				   "  uname -a\n"
				   "  echo \"x\"\n";
	CLEANUP(document_freep) struct document *doc = NULL;
	struct document_error error;
	unsigned line, column;
	const json_t *root, *list;

	assert_int_equal(document_parse(slice_from_text(text), &doc, &error), 0);
	root = document_root(doc);
	assert_string_equal(json_string_value(json_object_get(root, "os_version")), "20.10");
	assert_int_equal(json_integer_value(json_object_get(root, "runtime")), 60);
	list = json_object_get(root, "list");
	assert_int_equal(json_array_size(list), 4);
	assert_true(json_is_string(json_array_get(list, 1)));
	assert_true(json_is_true(json_array_get(list, 2)));
	assert_true(json_is_null(json_array_get(list, 3)));
	assert_string_equal(json_string_value(json_object_get(root, "script")),
	                    "uname -a\necho \"x\"\n");
	assert_true(document_find_place(doc, "list[1]", &line, &column));
	assert_int_equal(line, 4);
	assert_int_equal(column, 11);
	assert_true(document_find_place(doc, "script", &line, &column));
	assert_int_equal(line, 5);
	assert_int_equal(column, 1);
	assert_false(document_find_place(doc, "none", &line, &column));
}

static void json_is_taken_as_json(void **state)
{
	CLEANUP(document_freep) struct document *doc = NULL;
	struct document_error error;

	assert_int_equal(document_parse(SLICE_LITERAL(" {\"a\":\"\\ud83d\\ude00\", \"b\":1.5}"),
	                                &doc, &error),
	                 0);
	assert_string_equal(json_string_value(json_object_get(document_root(doc), "a")),
	                    "\xf0\x9f\x98\x80");
	assert_true(json_is_real(json_object_get(document_root(doc), "b")));
}

static void mistakes_are_named_with_their_place(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *says;
	} cases[] = {
		{ "a: 1\na: 2\n", 2, "twice" },
		{ "a: *x\n", 1, "aliases" },
		{ "b: 1\n<<: {a: 1}\n", 2, "merge" },
		{ "a: [1, 2\n", 2, "" },
		{ "", 1, "empty" },
		{ "a: 1\n--- \nb: 2\n", 2, "one document" },
		{ "? [x]\n: 1\n", 1, "key" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct document *doc;
		struct document_error error;

		assert_int_equal(document_parse(slice_from_text(cases[i].text), &doc, &error),
		                 DOCUMENT_BAD);
		assert_int_equal(error.line, cases[i].line);
		assert_non_null(strstr(error.text, cases[i].says));
		assert_true(error.text[0] != '\0');
	}
}

static void depth_is_limited(void **state)
{
	char text[200];
	struct document *doc;
	struct document_error error;

	memset(text, '[', 100);
	text[100] = '\0';
	assert_int_equal(document_parse(slice_from_text(text), &doc, &error), DOCUMENT_BAD);
	assert_string_equal(error.text, "nested too deep");
}

static void yaml_written_reads_back_the_same(void **state)
{
	static const char text[] =
		"{\"suite\":\"sleep\",\"do_not_reboot\":1,\"v\":\"1\",\"t\":\"true\",\"y\":\"Yes\","
		"\"e\":\"\",\"n\":null,\"m\":{\"k\":[\"a b\",\"c: d\",{\"x\":\"l1\\nl2\"}]},"
		"\"q\":\"it's \\\"so\\\"\",\"el\":[],\"eo\":{},\"dash\":\"- x\",\"h\":\"a #b\"}";
	CLEANUP(document_freep) struct document *doc = NULL, *again = NULL;
	struct document_error error;
	struct buffer out = BUFFER_NULL;

	assert_int_equal(document_parse(slice_from_text(text), &doc, &error), 0);
	document_write_yaml(&out, document_root(doc));
	assert_int_equal(buffer_error(&out), 0);
	assert_non_null(strstr((const char *)out.data, "suite: sleep\ndo_not_reboot: 1\n"));
	assert_int_equal(document_parse(buffer_slice(&out), &again, &error), 0);
	assert_true(json_equal(document_root(doc), document_root(again)));
	buffer_deinit(&out);
}

static void ipv6_address_in_brackets_needs_no_quotes(void **state)
{
	CLEANUP(document_freep) struct document *doc = NULL;
	struct document_error error;
	unsigned line, column;
	const json_t *list;

	assert_int_equal(
		document_parse(SLICE_LITERAL("\u00e9: 1\na: [10.0.0.0/8, ::1, ::, ::2/64]\n"
	                                     "b: {c: ::1, d: 2}\n"),
	                       &doc, &error),
		0);
	list = json_object_get(document_root(doc), "a");
	assert_int_equal(json_array_size(list), 4);
	assert_string_equal(json_string_value(json_array_get(list, 1)), "::1");
	assert_string_equal(json_string_value(json_array_get(list, 2)), "::");
	assert_string_equal(json_string_value(json_array_get(list, 3)), "::2/64");
	assert_true(document_find_place(doc, "a[1]", &line, &column));
	assert_int_equal(column, 17);
	assert_true(document_find_place(doc, "a[3]", &line, &column));
	assert_int_equal(line, 2);
	assert_int_equal(column, 26);
	assert_true(document_find_place(doc, "b.d", &line, &column));
	assert_int_equal(column, 13);
}

static void other_colons_in_brackets_stay_mistakes(void **state)
{
	static const char *const cases[] = { "a: [:x]", "a: [:: 1]", "a: [::1, :]", "a: [::g]",
		                             "a: [::1, ::1::]" };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct document *doc = NULL;
		struct document_error error;

		assert_int_equal(document_parse(slice_from_text(cases[i]), &doc, &error),
		                 DOCUMENT_BAD);
		assert_int_equal(error.line, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(yaml_becomes_a_tree_with_places),
		cmocka_unit_test(json_is_taken_as_json),
		cmocka_unit_test(mistakes_are_named_with_their_place),
		cmocka_unit_test(depth_is_limited),
		cmocka_unit_test(ipv6_address_in_brackets_needs_no_quotes),
		cmocka_unit_test(other_colons_in_brackets_stay_mistakes),
		cmocka_unit_test(yaml_written_reads_back_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
