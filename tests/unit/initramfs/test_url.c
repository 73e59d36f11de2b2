/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "initramfs/url.h"
#include "lib/base/macro.h"

static void urls_are_split(void **state)
{
	static const struct {
		const char *text, *authority, *host, *target;
		unsigned port;
		bool is_https;
	} good[] = {
		{ "http://h/a", "h", "h", "/a", 80, false },
		{ "HTTP://h:3000/a?b=c#d", "h:3000", "h", "/a?b=c", 3000, false },
		{ "https://example.org", "example.org", "example.org", "", 443, true },
		{ "http://[fe80::1]:8080/x", "[fe80::1]:8080", "fe80::1", "/x", 8080, false },
		{ "http://[::1]", "[::1]", "::1", "", 80, false },
		{ "http://h?q=/", "h", "h", "?q=/", 80, false },
		{ "http://h:/", "h:", "h", "/", 80, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct url url;

		assert_int_equal(url_split(slice_from_text(good[i].text), &url), 0);
		assert_slice_equal(url.authority, good[i].authority);
		assert_slice_equal(url.host, good[i].host);
		assert_slice_equal(url.target, good[i].target);
		assert_int_equal(url.port, good[i].port);
		assert_int_equal(url.is_https, good[i].is_https);
	}
}

static void what_is_no_url_is_refused(void **state)
{
	static const struct {
		const char *text;
		int outcome;
	} bad[] = {
		{ "", URL_SCHEME },
		{ "ftp://h/", URL_SCHEME },
		{ "h/a", URL_SCHEME },
		{ "http:/h", URL_SCHEME },
		{ "http://", URL_BAD },
		{ "http:///a", URL_BAD },
		{ "http://:80/", URL_BAD },
		{ "http://user@h/", URL_BAD },
		{ "http://h:0/", URL_BAD },
		{ "http://h:65536/", URL_BAD },
		{ "http://h:x/", URL_BAD },
		{ "http://[::1/", URL_BAD },
		{ "http://[::1]x/", URL_BAD },
		{ "http://h/a b", URL_BAD },
		{ "http://h/a\r\nX: y", URL_BAD },
		{ "http://h/\xc3\xa4", URL_BAD },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct url url;

		assert_int_equal(url_split(slice_from_text(bad[i].text), &url), bad[i].outcome);
	}
}

static void a_location_is_resolved_as_rfc_3986_says(void **state)
{
	static const struct {
		const char *base, *location, *result;
	} good[] = {
		{ "http://h:1/a/b?c", "http://i/z", "http://i/z" },
		{ "http://h:1/a/b?c", "https://i/z", "https://i/z" },
		{ "http://h:1/a/b?c", "/z", "http://h:1/z" },
		{ "http://h:1/a/b?c", " z ", "http://h:1/a/z" },
		{ "http://h:1/a/b?c/d", "z?y", "http://h:1/a/z?y" },
		{ "http://h:1/a/b?c", "?y", "http://h:1/a/b?y" },
		{ "http://h:1", "z", "http://h:1/z" },
		{ "https://h:1/a", "//i:2/z", "https://i:2/z" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		uint8_t room[64];
		struct bytes out = BYTES_ON(room);
		struct url base;

		assert_int_equal(url_split(slice_from_text(good[i].base), &base), 0);
		assert_int_equal(url_resolve(&base, slice_from_text(good[i].location), &out), 0);
		assert_slice_equal(bytes_slice(&out), good[i].result);
	}
}

static void a_location_that_cannot_be_used_is_an_outcome(void **state)
{
	uint8_t room[16];
	struct bytes out = BYTES_ON(room);
	struct url base;

	assert_int_equal(url_split(SLICE_LITERAL("http://h/"), &base), 0);
	assert_int_equal(url_resolve(&base, SLICE_LITERAL(""), &out), URL_BAD);
	assert_int_equal(url_resolve(&base, SLICE_LITERAL("/a b"), &out), URL_BAD);
	assert_int_equal(url_resolve(&base, SLICE_LITERAL("/0123456789"), &out), URL_TOO_LONG);
}

static void an_address_is_told_from_a_name(void **state)
{
	static const struct {
		const char *text;
		bool is_numeric;
	} hosts[] = {
		{ "http://10.0.0.1:3000/", true }, { "http://[fe80::1]/", true },
		{ "http://10.0.0.1a/", false },    { "http://lab/", false },
		{ "http://dead.beef/", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		struct url url;

		assert_int_equal(url_split(slice_from_text(hosts[i].text), &url), 0);
		assert_int_equal(url_is_numeric(&url), hosts[i].is_numeric);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_are_split),
		cmocka_unit_test(what_is_no_url_is_refused),
		cmocka_unit_test(a_location_is_resolved_as_rfc_3986_says),
		cmocka_unit_test(an_address_is_told_from_a_name),
		cmocka_unit_test(a_location_that_cannot_be_used_is_an_outcome),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
