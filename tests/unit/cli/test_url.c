/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "cli/url.h"
#include "lib/base/macro.h"

static void servers_are_written_as_people_write_them(void **state)
{
	static const struct {
		const char *text, *url;
	} cases[] = {
		{ "lab", "http://lab:3000" },
		{ "lab/", "http://lab:3000" },
		{ "lab:80", "http://lab:80" },
		{ "10.0.0.1", "http://10.0.0.1:3000" },
		{ "[::1]", "http://[::1]:3000" },
		{ "[::1]:9", "http://[::1]:9" },
		{ "http://lab", "http://lab" },
		{ "https://lab:3443//", "https://lab:3443" },
		{ "https://lab/cci/", "https://lab/cci" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char url[URL_MAX];

		assert_int_equal(url_normalise(cases[i].text, url), 0);
		assert_string_equal(url, cases[i].url);
	}
}

static void what_is_no_server_is_refused(void **state)
{
	static const char *const cases[] = { "",        "ftp://lab", "http://", "lab x", ":3000",
		                             "lab\r\n", "http:///x", "lab?x",   "/",     "lab#x" };
	char url[URL_MAX], long_name[URL_MAX + 1];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(url_normalise(cases[i], url), URL_BAD);
	memset(long_name, 'a', URL_MAX);
	long_name[URL_MAX] = '\0';
	assert_int_equal(url_normalise(long_name, url), URL_BAD);
}

static void this_machine_is_known(void **state)
{
	assert_true(url_is_loopback("http://127.0.0.1:3000"));
	assert_true(url_is_loopback("http://localhost/x"));
	assert_true(url_is_loopback("http://[::1]:3000"));
	assert_false(url_is_loopback("http://lab:3000"));
	assert_false(url_is_loopback("http://localhost.example:3000"));
}

static void names_are_escaped(void **state)
{
	struct buffer out = BUFFER_NULL;

	url_append_component(&out, SLICE_LITERAL("a/b c%?\xc3\xa4-._~"));
	assert_slice_equal(buffer_slice(&out), "a%2Fb%20c%25%3F%C3%A4-._~");
	buffer_deinit(&out);
	url_append_path(&out, SLICE_LITERAL("a/b c"));
	assert_slice_equal(buffer_slice(&out), "a/b%20c");
	buffer_deinit(&out);
}

static void a_pasted_url_is_an_id(void **state)
{
	assert_slice_equal(url_job_id("lab1.3"), "lab1.3");
	assert_slice_equal(url_job_id("http://lab:3000/v1/jobs/lab1.3"), "lab1.3");
	assert_slice_equal(url_job_id("http://lab:3000/v1/jobs/lab1.3/log"), "lab1.3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_are_written_as_people_write_them),
		cmocka_unit_test(what_is_no_server_is_refused),
		cmocka_unit_test(this_machine_is_known),
		cmocka_unit_test(names_are_escaped),
		cmocka_unit_test(a_pasted_url_is_an_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
