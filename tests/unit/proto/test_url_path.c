/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "server/proto/url_path.h"

static char room[URL_PATH_MAX + 16];

static void decoding_once_gives_the_path_that_is_opened(void **state)
{
	static const struct {
		const char *raw, *path;
	} cases[] = {
		{ "/", "/" },
		{ "/os/debian/vmlinuz", "/os/debian/vmlinuz" },
		{ "//os///debian//", "/os/debian/" },
		{ "/./os/./a/.", "/os/a/" },
		{ "/a%20b%2Fc", "/a b/c" },
		{ "/%6fs/%61", "/os/a" },
		{ "/..a/b../...", "/..a/b../..." },
		{ "/100%25", "/100%" },
		{ "/%41%2d%5f", "/A-_" },
		{ "/\xe4\xb8\xad%E6%96%87", "/\xe4\xb8\xad\xe6\x96\x87" },
		{ "/a?b#c", "/a?b#c" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bytes out = BYTES_ON(room);

		assert_int_equal(url_path_decode(slice_from_text(cases[i].raw), &out), URL_PATH_OK);
		assert_slice_equal(bytes_slice(&out), cases[i].path);
	}
}

static void tricks_are_refused_by_their_decoded_form(void **state)
{
	static const struct {
		const char *raw;
		int outcome;
	} cases[] = {
		{ "", URL_PATH_NOT_ABSOLUTE },
		{ "os", URL_PATH_NOT_ABSOLUTE },
		{ "%2fos/%2e%2e/x", URL_PATH_PARENT },
		{ "http://x/os", URL_PATH_NOT_ABSOLUTE },
		{ "/..", URL_PATH_PARENT },
		{ "/../etc/passwd", URL_PATH_PARENT },
		{ "/os/../../etc/passwd", URL_PATH_PARENT },
		{ "/os/..", URL_PATH_PARENT },
		{ "/os/%2e%2e/x", URL_PATH_PARENT },
		{ "/os/.%2E/x", URL_PATH_PARENT },
		{ "/os%2f..%2fx", URL_PATH_PARENT },
		{ "/os/%252e%252e/x", URL_PATH_TRICK },
		{ "/os/%25252e", URL_PATH_TRICK },
		{ "/os/%252fx", URL_PATH_TRICK },
		{ "/os/%255cx", URL_PATH_TRICK },
		{ "/os/%2500", URL_PATH_TRICK },
		{ "/os/%c0%ae%c0%ae/x", URL_PATH_TRICK },
		{ "/os/%c1%9c", URL_PATH_TRICK },
		{ "/os/a%00.img", URL_PATH_NUL },
		{ "/os\\..\\x", URL_PATH_BACKSLASH },
		{ "/os%5c..%5cx", URL_PATH_BACKSLASH },
		{ "/os/a%0d%0aX: y", URL_PATH_CONTROL },
		{ "/os/\x7f", URL_PATH_CONTROL },
		{ "/os/%", URL_PATH_BAD_ESCAPE },
		{ "/os/%2", URL_PATH_BAD_ESCAPE },
		{ "/os/%zz", URL_PATH_BAD_ESCAPE },
		{ "/os/%u002e", URL_PATH_BAD_ESCAPE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bytes out = BYTES_ON(room);

		bytes_append_text(&out, "before");
		assert_int_equal(url_path_decode(slice_from_text(cases[i].raw), &out),
		                 cases[i].outcome);
		assert_slice_equal(bytes_slice(&out), "before");
		assert_false(out.overflow);
	}
}

static void a_raw_nul_is_refused(void **state)
{
	struct bytes out = BYTES_ON(room);

	assert_int_equal(url_path_decode(slice_make("/a\0b", 4), &out), URL_PATH_NUL);
	assert_int_equal(url_path_fold(slice_make("a\0b", 3), &out), URL_PATH_NUL);
}

static void length_is_limited(void **state)
{
	static uint8_t raw[URL_PATH_MAX + 1];
	char small[4];
	struct bytes out = BYTES_ON(room), tight = BYTES_ON(small);

	memset(raw, 'a', sizeof(raw));
	raw[0] = '/';
	assert_int_equal(url_path_decode(slice_make(raw, sizeof(raw)), &out), URL_PATH_TOO_LONG);
	assert_int_equal(url_path_fold(slice_make(raw, sizeof(raw)), &out), URL_PATH_TOO_LONG);
	assert_int_equal(url_path_decode(slice_make(raw, URL_PATH_MAX), &out), URL_PATH_OK);
	assert_int_equal(url_path_decode(SLICE_LITERAL("/1234"), &tight), URL_PATH_TOO_LONG);
	assert_int_equal(tight.len, 0);
	assert_int_equal(url_path_decode(SLICE_LITERAL("/123"), &tight), URL_PATH_OK);
}

static void a_name_that_is_not_encoded_is_only_checked_and_folded(void **state)
{
	static const struct {
		const char *name;
		int outcome;
		const char *path;
	} cases[] = {
		{ "undionly.kpxe", URL_PATH_OK, "/undionly.kpxe" },
		{ "/undionly.kpxe", URL_PATH_OK, "/undionly.kpxe" },
		{ "//ipxe//./snp.efi", URL_PATH_OK, "/ipxe/snp.efi" },
		{ "a%20b", URL_PATH_OK, "/a%20b" },
		{ "", URL_PATH_OK, "/" },
		{ ".", URL_PATH_OK, "/" },
		{ "..", URL_PATH_PARENT, "" },
		{ "a/../b", URL_PATH_PARENT, "" },
		{ "%2e%2e/b", URL_PATH_TRICK, "" },
		{ "..\\b", URL_PATH_BACKSLASH, "" },
		{ "a\nb", URL_PATH_CONTROL, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bytes out = BYTES_ON(room);

		assert_int_equal(url_path_fold(slice_from_text(cases[i].name), &out),
		                 cases[i].outcome);
		assert_slice_equal(bytes_slice(&out), cases[i].path);
	}
}

static void a_prefix_covers_itself_and_what_lies_below(void **state)
{
	static const struct {
		const char *path, *prefix, *rest; /* rest NULL: not below */
	} cases[] = {
		{ "/os/x", "/os", "x" },       { "/os/x", "/os/", "x" },    { "/os", "/os", "" },
		{ "/os/", "/os", "" },         { "/osimage", "/os", NULL }, { "/o", "/os", NULL },
		{ "/os/a/b/", "/os", "a/b/" }, { "/x", "/", "x" },          { "/", "/", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct slice rest = SLICE_NULL;
		bool is_below = url_path_below(slice_from_text(cases[i].path),
		                               slice_from_text(cases[i].prefix), &rest);

		assert_int_equal(is_below, cases[i].rest != NULL);
		assert_slice_equal(rest, cases[i].rest ? cases[i].rest : "");
	}
}

static void a_target_is_cut_into_path_and_query(void **state)
{
	static const struct {
		const char *target, *path, *query;
	} cases[] = {
		{ "/a/b", "/a/b", "" },
		{ "/a?x=1&y=2", "/a", "x=1&y=2" },
		{ "/a?x=1?2#f", "/a", "x=1?2" },
		{ "/a#f?x", "/a", "" },
		{ "http://lab:3000/a?b", "/a", "b" },
		{ "HTTP://lab", "/", "" },
		{ "http://lab?b", "/", "b" },
		{ "/a://b", "/a://b", "" },
		{ "*", "*", "" },
		{ "", "", "" },
		{ "?x", "", "x" },
		{ "lab:3000", "lab:3000", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct slice path, query;

		url_split_target(slice_from_text(cases[i].target), &path, &query);
		assert_slice_equal(path, cases[i].path);
		assert_slice_equal(query, cases[i].query);
	}
}

static void every_outcome_has_a_name(void **state)
{
	for (int i = 0; i < _URL_PATH_OUTCOME_MAX; i++)
		assert_string_not_equal(url_path_outcome_to_name(i), "?");
	assert_string_equal(url_path_outcome_to_name(URL_PATH_PARENT), "parent");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decoding_once_gives_the_path_that_is_opened),
		cmocka_unit_test(tricks_are_refused_by_their_decoded_form),
		cmocka_unit_test(a_raw_nul_is_refused),
		cmocka_unit_test(length_is_limited),
		cmocka_unit_test(a_name_that_is_not_encoded_is_only_checked_and_folded),
		cmocka_unit_test(a_prefix_covers_itself_and_what_lies_below),
		cmocka_unit_test(a_target_is_cut_into_path_and_query),
		cmocka_unit_test(every_outcome_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
