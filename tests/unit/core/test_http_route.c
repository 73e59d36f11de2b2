/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "server/core/http_route.h"

static const struct http_route route = {
	.roots = { "/os", "/initrd", "/kernel", "/upload-files" },
	.n_roots = 4,
	.api_port = 3000,
	.os_port = 8000,
	.files_port = 8800,
	.upload_port = 3080,
};

static void each_path_has_one_place(void **state)
{
	static const struct {
		enum http_method method;
		const char *path;
		enum http_place place;
	} cases[] = {
		{ HTTP_METHOD_GET, "/", HTTP_PLACE_API },
		{ HTTP_METHOD_GET, "/boot.ipxe/mac/aa-bb", HTTP_PLACE_API },
		{ HTTP_METHOD_GET, "/job_initrd_tmpfs/lab1.1/job.cgz", HTTP_PLACE_API },
		{ HTTP_METHOD_PUT, "/set_host_mac", HTTP_PLACE_API },
		{ HTTP_METHOD_GET, "/os", HTTP_PLACE_FILES },
		{ HTTP_METHOD_HEAD, "/os/debian/boot/vmlinuz", HTTP_PLACE_FILES },
		{ HTTP_METHOD_POST, "/os/debian/boot/vmlinuz", HTTP_PLACE_FILES },
		{ HTTP_METHOD_GET, "/osimage", HTTP_PLACE_API },
		{ HTTP_METHOD_GET, "/initrd/x.cgz", HTTP_PLACE_FILES },
		{ HTTP_METHOD_PUT, "/initrd/pkg/x.cgz", HTTP_PLACE_UPLOAD },
		{ HTTP_METHOD_GET, "/result/a/b/output", HTTP_PLACE_FILES },
		{ HTTP_METHOD_HEAD, "/result/a/b/output", HTTP_PLACE_FILES },
		{ HTTP_METHOD_PUT, "/result/a/b/output", HTTP_PLACE_UPLOAD },
		{ HTTP_METHOD_MKCOL, "/result/a/b/", HTTP_PLACE_UPLOAD },
		{ HTTP_METHOD_PUT, "/v1/attempts/7/files/output", HTTP_PLACE_UPLOAD },
		{ HTTP_METHOD_HEAD, "/v1/attempts/7/files/a/b", HTTP_PLACE_UPLOAD },
		{ HTTP_METHOD_GET, "/v1/attempts/7/files/output", HTTP_PLACE_API },
		{ HTTP_METHOD_POST, "/v1/attempts/7/hello", HTTP_PLACE_API },
		{ HTTP_METHOD_PUT, "/v1/hosts/files/x", HTTP_PLACE_API },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		enum http_place place =
			http_route_place(&route, cases[i].method, slice_from_text(cases[i].path));

		if (place != cases[i].place)
			print_error("%s\n", cases[i].path);
		assert_int_equal(place, cases[i].place);
	}
}

static void the_location_is_the_same_request_elsewhere(void **state)
{
	static const struct {
		enum http_place place;
		const char *host, *path, *query, *url;
	} cases[] = {
		{ HTTP_PLACE_FILES, "lab:3000", "/os/a%20b", "", "http://lab:8000/os/a%20b" },
		{ HTTP_PLACE_FILES, "lab", "/initrd/x", "y=1&z", "http://lab:8800/initrd/x?y=1&z" },
		{ HTTP_PLACE_UPLOAD, "", "/result/x", "", "http://10.0.0.1:3080/result/x" },
		{ HTTP_PLACE_API, "[::1]:8000", "/", "", "http://[::1]:3000/" },
		{ HTTP_PLACE_API, "[::1]", "/", "", "http://[::1]:3000/" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_request request = {
			.path = slice_from_text(cases[i].path),
			.query = slice_from_text(cases[i].query),
			.header[HTTP_HEADER_HOST] = slice_from_text(cases[i].host),
		};
		char room[256];
		struct bytes out = BYTES_ON(room);

		http_route_location(&route, cases[i].place, request.path, &request, 0x0a000001,
		                    &out);
		assert_slice_equal(bytes_slice(&out), cases[i].url);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_path_has_one_place),
		cmocka_unit_test(the_location_is_the_same_request_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
